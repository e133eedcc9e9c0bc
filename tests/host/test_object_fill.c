/*
 * test_object_fill.c - how many pages a pager is asked for at once, and what becomes of their frames.
 */
#include "map_world.h"

#include "memory/spaces/object.h"
#include "memory/spaces/object_parts.h"

enum { PAGES = 100, FIRST = 2 };

static struct object *object;
static uint64_t       asked_first;
static size_t         asked_count, brings;      /* brings: pages at most, 0: all */
static int            error;                    /* instead of any                */
static void         (*meanwhile)(void);

static long fill(struct object *from, uint64_t page, const frame_t *frames, size_t count)
{
    assert_ptr_equal(from, object);
    asked_first = page;
    asked_count = count;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(frame_references(frames[i]), 1);
        *(uint32_t *)&machine_ram[frame_address(frames[i])] = (uint32_t)(page + i) + 1;
    }
    if (meanwhile != NULL)
        meanwhile();
    return error != 0 ? error : brings != 0 && brings < count ? (long)brings : (long)count;
}

static const struct object_operations operations = { .fill = fill };

static void start_anew(void)
{
    brings    = asked_count = 0;
    error     = 0;
    meanwhile = NULL;
    object    = object_create_paged(OWNER_FILE, PAGES, &operations, NULL);
    assert_non_null(object);
}

static void end(void)
{
    object_release(object);
    assert_int_equal(frames_owned(OWNER_FILE), 0);
}

/* Returns what was said, and checks which pages were asked for: `count` 0 for none. */
static int bring(uint64_t page, size_t count)
{
    int err;

    asked_count = 0;
    err = object_bring_in(object, page);
    assert_int_equal(asked_count, count);
    if (count > 0)
        assert_int_equal(asked_first, page);
    assert_int_equal(frames_owned(OWNER_FILE), object->resident);
    assert_clean();
    return err;
}

static bool is_there(uint64_t page)
{
    const uintptr_t *leaf = object_leaf(object, page);

    return leaf != NULL && *leaf != 0;
}

static void who_reads_in_sequence_gets_twice_as_many_each_time(void)
{
    uint64_t page = 0;

    start_anew();
    for (size_t count = FIRST; count < FILL_MOST; count *= 2) {
        assert_int_equal(bring(page, count), 0);
        page += count;
    }
    assert_int_equal(bring(page, FILL_MOST), 0);
    assert_int_equal(bring(page + FILL_MOST, FILL_MOST), 0);
    assert_int_equal(bring(90, FIRST), 0);              /* elsewhere: from the start */
    assert_int_equal(bring(92, 2 * FIRST), 0);
    assert_int_equal(bring(80, FIRST), 0);
    assert_int_equal(bring(83, FIRST), 0);              /* not the very next page */
    end();
}

static void what_is_there_or_ends_is_not_asked_for(void)
{
    start_anew();
    assert_int_equal(bring(PAGES - 1, 1), 0);           /* the last page */
    assert_int_equal(bring(PAGES - 3, 2), 0);           /* up to it */
    assert_int_equal(bring(PAGES - 2, 0), 0);           /* there */
    assert_int_equal(bring(PAGES, 0), 0);               /* behind the end */
    assert_int_equal(bring(10, FIRST), 0);
    assert_int_equal(bring(9, 1), 0);
    assert_int_equal(object->resident, 3 + 2 + 1);
    end();
}

static void what_the_pager_does_not_bring_is_given_back(void)
{
    start_anew();
    brings = 1;
    assert_int_equal(bring(0, FIRST), 0);
    assert_true(is_there(0) && !is_there(1));
    assert_int_equal(bring(2, 2 * FIRST), 0);
    assert_true(is_there(2) && !is_there(3));
    error = -EIO;
    assert_int_equal(bring(20, FIRST), -EIO);
    assert_false(is_there(20));
    error = 0;
    assert_int_equal(bring(20, FIRST), 0);              /* tried again */
    assert_true(is_there(20));
    end();
}

static void without_frames_fewer_pages_are_asked_for(void)
{
    start_anew();
    frame_fail_at(2);
    assert_int_equal(bring(0, 1), 0);
    frame_fail_at(1);
    assert_int_equal(bring(10, 0), -ENOMEM);
    frame_fail_at(0);
    heap_fail_at(1);
    assert_int_equal(bring(10, 0), -ENOMEM);
    heap_fail_at(0);
    assert_int_equal(bring(10, FIRST), 0);
    assert_int_equal(object->resident, 1 + FIRST);
    end();
}

static void cut_to_eleven(void) { object_resize(object, 11); }
static void cut_to_ten(void)    { object_resize(object, 10); }
static void cut_to_thirty(void) { object_resize(object, 30); }

/* What is cut off while the pager brings it is not there, and no error: whoever wanted it looks again. */
static void what_is_cut_off_meanwhile_does_not_come(void)
{
    start_anew();
    meanwhile = cut_to_thirty;                          /* behind the pages */
    assert_int_equal(bring(10, FIRST), 0);
    assert_true(is_there(10) && is_there(11));
    end();
    start_anew();
    meanwhile = cut_to_eleven;
    assert_int_equal(bring(10, FIRST), 0);
    assert_int_equal(object->resident, 0);
    end();
    start_anew();
    meanwhile = cut_to_ten;
    error     = -EIO;
    assert_int_equal(bring(10, FIRST), 0);              /* nobody wants it any more */
    assert_int_equal(object->resident, 0);
    end();
}

static void cut_to_twelve(void) { object_resize(object, 12); }

static void behind_the_last_page_nothing_is_cut(void)
{
    start_anew();
    meanwhile = cut_to_twelve;
    assert_int_equal(bring(10, FIRST), 0);
    assert_int_equal(object->resident, FIRST);
    end();
}

/* While two pages come, others are asked for: up to those, and behind them. */
static void others_come_meanwhile(void)
{
    meanwhile = NULL;
    assert_null(object_filling(object, 9));
    assert_non_null(object_filling(object, 10));
    assert_ptr_equal(object_filling(object, 11), object_filling(object, 10));
    assert_null(object_filling(object, 12));
    assert_int_equal(object_bring_in(object, 9), 0);
    assert_int_equal(asked_first, 9);
    assert_int_equal(asked_count, 1);
    assert_int_equal(object_bring_in(object, 40), 0);
    assert_int_equal(asked_count, FIRST);
    assert_null(object_filling(object, 40));
    assert_non_null(object_filling(object, 10));
    assert_false(object_await(object, 12));
    asked_first = 10;
    asked_count = FIRST;
}

static void what_comes_already_is_not_asked_for_again(void)
{
    start_anew();
    meanwhile = others_come_meanwhile;
    assert_int_equal(bring(10, FIRST), 0);
    assert_int_equal(object->resident, FIRST + 1 + FIRST);
    assert_null(object->fillings);
    for (uint64_t page = 9; page < 12; page++)
        assert_true(is_there(page));
    assert_true(is_there(40) && is_there(41) && !is_there(42));
    end();
}

/* The index of an object has no memory for the first page, or for the second, which lies in another part of it. */
static void take_memory(void) { heap_drain(); heap_fail_at(1); }

static void what_has_no_place_is_given_back(void)
{
    start_anew();
    meanwhile = take_memory;
    assert_int_equal(bring(10, FIRST), -ENOMEM);
    heap_fail_at(0);
    assert_int_equal(object->resident, 0);
    meanwhile = NULL;
    assert_int_equal(bring(0, FIRST), 0);
    meanwhile = take_memory;
    assert_int_equal(bring(OBJECT_WAYS - 1, FIRST), 0);         /* one page is as good as none is bad */
    heap_fail_at(0);
    assert_true(is_there(OBJECT_WAYS - 1) && !is_there(OBJECT_WAYS));
    assert_int_equal(object->resident, FIRST + 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(who_reads_in_sequence_gets_twice_as_many_each_time),
        on_machine(what_is_there_or_ends_is_not_asked_for),
        on_machine(what_the_pager_does_not_bring_is_given_back),
        on_machine(without_frames_fewer_pages_are_asked_for),
        on_machine(what_is_cut_off_meanwhile_does_not_come),
        on_machine(behind_the_last_page_nothing_is_cut),
        on_machine(what_comes_already_is_not_asked_for_again),
        on_machine(what_has_no_place_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
