/*
 * test_object.c - objects: pages found by number, however far apart; growing, shrinking, running out.
 */
#include "map_world.h"

#include "memory/spaces/object.h"

static struct object *object;

static uint32_t live_blocks(void)
{
    struct heap_sums sums;

    heap_sums(&sums);
    return sums.live_blocks;
}

static bool has_page(uint64_t page)
{
    frame_t frame;

    assert_int_equal(object_page(object, page, false, &frame), 0);
    if (!frame_exists(frame))
        return false;
    frame_put(frame);
    return true;
}

static frame_t make_page(uint64_t page)
{
    frame_t frame;

    assert_int_equal(object_page(object, page, true, &frame), 0);
    assert_int_equal(frame_references(frame), 2);
    frame_put(frame);
    return frame;
}

static uint32_t *bytes_of(frame_t frame) { return (uint32_t *)&machine_ram[frame_address(frame)]; }

static void pages_far_apart_are_found(void)
{
    static const uint64_t pages[] = { 5, 0, 63, 64, 4095, 4096, 1u << 20, (1ull << 40) + 3, (1ull << 52) - 1 };
    frame_t               frames[COUNT_OF(pages)];

    object = object_create(OWNER_FILE, 1ull << 52);
    assert_non_null(object);
    for (unsigned i = 0; i < COUNT_OF(pages); i++) {
        assert_false(has_page(pages[i]));
        frames[i] = make_page(pages[i]);
        assert_int_equal(*bytes_of(frames[i]), 0);
        assert_clean();
    }
    for (unsigned i = 0; i < COUNT_OF(pages); i++)
        assert_true(frame_is(make_page(pages[i]), frames[i]));
    assert_false(has_page(6));
    assert_false(has_page(1ull << 30));
    assert_int_equal(object->resident, COUNT_OF(pages));
    object_release(object);
}

/* The index is as high as it can be, and goes when its only page does. */
static void the_last_page_of_all_is_found_and_punched(void)
{
    const uint64_t last = UINT64_MAX - 1;
    frame_t        frame;

    object = object_create(OWNER_FILE, UINT64_MAX);
    assert_non_null(object);
    frame = make_page(last);
    assert_true(has_page(last));
    assert_true(frame_is(make_page(last), frame));
    object_punch(object, last, UINT64_MAX);
    assert_false(has_page(last));
    assert_null(object->index);
    assert_int_equal(object->resident, 0);
    make_page(0);
    make_page(last);
    object_punch(object, last, UINT64_MAX);
    assert_true(has_page(0));
    assert_int_equal(object->resident, 1);
    object_release(object);
}

static void a_page_beyond_the_end_is_refused(void)
{
    frame_t frame, other;

    object = object_create(OWNER_FILE, 3);
    assert_int_equal(object_page(object, 3, true, &frame), -ENXIO);
    assert_int_equal(object_page(object, UINT64_MAX, false, &frame), -ENXIO);
    assert_int_equal(frame_get(OWNER_FILE, 0, &other), 0);
    assert_int_equal(object_adopt(object, 3, other), -ENXIO);
    assert_int_equal(object_adopt(object, 1, other), 0);
    assert_int_equal(object_adopt(object, 1, other), -EEXIST);
    assert_true(frame_is(make_page(1), other));
    object_release(object);
}

static void what_is_cut_off_is_given_back(void)
{
    object = object_create(OWNER_FILE, 10000);
    for (uint64_t page = 0; page < 10000; page += 99)
        make_page(page);
    object_resize(object, 990);
    assert_int_equal(frames_owned(OWNER_FILE), 10);
    assert_clean();
    object_resize(object, 10000);
    assert_true(has_page(891));
    assert_false(has_page(990));
    object_resize(object, 0);
    assert_int_equal(frames_owned(OWNER_FILE), 0);
    assert_null(object->index);
    object_release(object);
}

/* A file that is written grows by a page with each page: that was a search of its whole index for what to cut. */
static void growing_cuts_nothing_off(void)
{
    uint32_t cuts;

    object = object_create(OWNER_FILE, 0);
    cuts = object->cuts;
    for (uint64_t pages = 1; pages <= 100; pages++) {
        object_resize(object, pages);
        make_page(pages - 1);
    }
    object_resize(object, 100);
    assert_int_equal(object->cuts, cuts);
    assert_int_equal(object->resident, 100);
    object_resize(object, 99);
    assert_int_equal(object->cuts, cuts + 1);
    assert_int_equal(frames_owned(OWNER_FILE), 99);
    object_release(object);
}

static void zeroing_reaches_exactly_what_was_named(void)
{
    frame_t low, high;

    object = object_create(OWNER_FILE, 8);
    low  = make_page(1);
    high = make_page(3);
    memset(bytes_of(low), 0xFF, PAGE_SIZE);
    memset(bytes_of(high), 0xFF, PAGE_SIZE);
    assert_int_equal(object_zero(object, 2 * PAGE_SIZE - 4, 3 * PAGE_SIZE + 4), 0);
    assert_int_equal(bytes_of(low)[1022], UINT32_MAX);
    assert_int_equal(bytes_of(low)[1023], 0);
    assert_int_equal(bytes_of(high)[0], 0);
    assert_int_equal(bytes_of(high)[1], UINT32_MAX);
    assert_false(has_page(2));
    object_release(object);
}

static void references_keep_an_object_alive(void)
{
    uint32_t blocks = live_blocks();

    object = object_create(OWNER_SHARED, 4);
    object_hold(object);
    make_page(2);
    object_release(object);
    assert_true(has_page(2));
    object_release(object);
    assert_int_equal(live_blocks(), blocks);
    assert_int_equal(frames_owned(OWNER_SHARED), 0);
}

static void many_objects_are_all_listed(void)
{
    struct object *made[5];
    unsigned       listed = 0;

    for (unsigned i = 0; i < 5; i++)
        made[i] = object_create(OWNER_FILE, 1);
    object_release(made[2]);
    object_release(made[4]);
    object_release(made[0]);
    for (const struct object *o = object_after(NULL); o != NULL; o = object_after(o), listed++)
        assert_true(o == made[1] || o == made[3]);
    assert_int_equal(listed, 2);
    object_release(made[1]);
    object_release(made[3]);
    assert_null(object_after(NULL));
}

/* The k-th block or frame is not to be had: the page is a hole as before, and no node is left behind. */
static void without_memory_a_hole_stays_a_hole(void)
{
    static const uint64_t pages[] = { 0, 100, 5000, 1ull << 33 };

    for (unsigned i = 0; i < COUNT_OF(pages); i++) {
        uint32_t blocks, failures = 0;
        frame_t  frame;

        object = object_create(OWNER_FILE, 1ull << 40);
        blocks = live_blocks();
        for (uint32_t k = 1; ; k++) {
            int err;

            heap_fail_at(k);
            err = object_page(object, pages[i], true, &frame);
            heap_fail_at(0);
            if (err == 0)
                break;
            failures++;
            assert_int_equal(err, -ENOMEM);
            assert_int_equal(live_blocks(), blocks);
            assert_int_equal(frames_owned(OWNER_FILE), 0);
            assert_false(has_page(pages[i]));
            assert_clean();
        }
        assert_true(failures > 0);
        frame_put(frame);
        object_release(object);
    }
}

/* Pages come, and ranges of them go, at random; a plain array knows where data and holes begin. */
static void holes_are_found_and_made(void)
{
    enum { PAGES = 9000 };
    static bool there[PAGES];
    uint64_t    random = 88172645463325252ull;

    object = object_create(OWNER_FILE, PAGES);
    for (unsigned step = 0; step < 3000; step++) {
        uint64_t from, to, want;
        bool     data = random & 1;

        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        from = (random >> 8) % PAGES;
        to   = from + (random >> 32) % (step % 50 == 0 ? 4000 : 70);
        if (to > PAGES)
            to = PAGES;
        if (random & 2) {
            object_punch(object, from, to);
            for (uint64_t page = from; page < to; page++)
                there[page] = false;
        } else {
            for (uint64_t page = from; page < to && page < from + 4; page++) {
                if (!there[page])
                    make_page(page);
                there[page] = true;
            }
        }
        from = (random >> 20) % PAGES;
        for (want = from; want < PAGES && there[want] != data; want++)
            ;
        assert_int_equal(object_next(object, from, data), want);
    }
    object_punch(object, 0, PAGES);
    assert_int_equal(object->resident, 0);
    assert_null(object->index);
    assert_int_equal(object_next(object, 5, false), 5);
    assert_int_equal(object_next(object, 5, true), PAGES);
    object_release(object);
}

static void mappings_that_may_write_are_counted_again_by_the_audit(void)
{
    struct audit_report report = { 0 };

    object = object_create(OWNER_FILE, 4);
    assert_non_null(object);
    objects_audit(&report);
    assert_int_equal(report.failed, 0);
    object->writers++;
    objects_audit(&report);
    assert_int_equal(report.failed, 1);
    assert_string_equal(report.failures[0].id, "O3");
    object->writers--;
    object_release(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(pages_far_apart_are_found),
        on_machine(the_last_page_of_all_is_found_and_punched),
        on_machine(a_page_beyond_the_end_is_refused),
        on_machine(what_is_cut_off_is_given_back),
        on_machine(growing_cuts_nothing_off),
        on_machine(zeroing_reaches_exactly_what_was_named),
        on_machine(references_keep_an_object_alive),
        on_machine(many_objects_are_all_listed),
        on_machine(holes_are_found_and_made),
        on_machine(without_memory_a_hole_stays_a_hole),
        on_machine(mappings_that_may_write_are_counted_again_by_the_audit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
