/*
 * test_swap_device_objects.c - pages of objects on a swap device: who reads them finds what was written last, or an
 * error that is his alone; and all come back when the device's use ends.
 */
#include "made_device.h"

#include "memory/pageout/back.h"
#include "memory/pageout/hand.h"
#include "memory/pageout/object_out.h"
#include "memory/spaces/object_parts.h"

enum { BUS = 7, PAGES = 40, SHOWN = 64 };

/* An object of PAGES pages of noise, which the program shows from column 0 on. */
static struct object *object;

static uint8_t *bytes_of(frame_t frame) { return &machine_ram[frame_address(frame)]; }

static void write_page(size_t page, size_t like)
{
    frame_t frame;

    assert_int_equal(object_page(object, page, true, &frame), 0);
    for (unsigned word = 0; word < WORDS; word++)
        ((uint32_t *)(void *)bytes_of(frame))[word] = noise(like, word);
    frame_put(frame);
}

static void begin(void)
{
    struct map_request wanted = request(column(0), SHOWN, R | W, MAP_IS_FIXED | MAP_IS_SHARED);
    vaddr_t            at;

    begin_device();
    object = object_create(OWNER_SHARED, SHOWN);
    assert_non_null(object);
    wanted.object = object;
    assert_int_equal(map_create(&program, &wanted, &at), 0);
    for (size_t n = 0; n < PAGES; n++)
        write_page(n, n);
}

static void end(void)
{
    assert_clean();
    assert_int_equal(map_remove(&program, column(0), SHOWN * PAGE_SIZE), 0);
    object_release(object);
    assert_int_equal(objects_out, 0);
    assert_int_equal(sums().used, 0);
    end_device();
}

static void let_go(size_t first, size_t count)
{
    for (size_t n = first; n < first + count; n++)
        (void)object_page_out(object, n, UINT32_MAX);
}

/* As a program finds a page that was written like another. */
static void look(size_t page, size_t like)
{
    uint32_t value;

    for (unsigned word = 0; word < WORDS; word += 93) {
        assert_true(reads(&program, column(page) + 4 * word, &value));
        assert_int_equal(value, noise(like, word));
    }
}

static void look_at_all(void)
{
    for (size_t n = 0; n < PAGES; n++)
        look(n, n);
}

static void pages_that_do_not_shrink_go_to_the_device(void)
{
    frame_t frame;

    begin();
    let_go(0, PAGES);
    assert_int_equal(sums().written, PAGES);
    assert_int_equal(sums().used, PAGES);               /* each is counted once */
    assert_int_equal(object->out, PAGES);
    assert_int_equal(object->resident, 0);
    assert_int_equal(frames_owned(OWNER_SHARED), 0);
    assert_int_equal(sums().refused, 0);
    assert_clean();
    assert_false(swap_device_off());
    assert_int_equal(object_page(object, 3, false, &frame), 0);     /* by read() */
    assert_int_equal(*(uint32_t *)(void *)bytes_of(frame), noise(3, 0));
    frame_put(frame);
    assert_int_equal(sums().written, PAGES - 1);
    look_at_all();
    assert_int_equal(sums().used, 0);
    end();
}

static void pages_that_shrink_stay_in_ram(void)
{
    begin();
    assert_true(writes(&program, column(PAGES), 77));
    let_go(PAGES, 1);
    assert_int_equal(sums().used, 1);
    assert_int_equal(sums().written, 0);
    assert_int_equal(writes_made, 0);
    assert_int_equal(word_at(column(PAGES)), 77);
    end();
}

static void what_is_cut_off_leaves_the_device(void)
{
    begin();
    let_go(0, PAGES);
    object_resize(object, 10);
    assert_int_equal(sums().written, 10);
    object_punch(object, 2, 5);
    assert_int_equal(sums().written, 7);
    look(9, 9);
    assert_int_equal(word_at(column(3)), 0);
    end();
}

/* The error is that of who wants the page; it is there when the device can be read again. */
static void a_page_that_cannot_be_read_is_an_error_for_who_wants_it(void)
{
    uint32_t value;
    frame_t  frame;

    begin();
    let_go(0, 20);
    reads_fail = true;
    assert_int_equal(object_page(object, 4, false, &frame), -EIO);
    assert_false(reads(&program, column(4), &value));
    assert_int_equal(verdict.signal, BUS);
    assert_false(writes(&program, column(5), 1));
    assert_int_equal(verdict.signal, BUS);
    look(30, 30);                                       /* others are as before */
    assert_int_equal(sums().written, 20);
    assert_null(object->fillings);
    assert_clean();
    assert_int_equal(objects_bring_back(never), -EIO);
    reads_fail = false;
    look_at_all();
    end();
}

static void a_page_that_cannot_be_written_stays(void)
{
    begin();
    fails_at = 4;
    let_go(0, 10);
    assert_int_equal(sums().bad, 1);
    assert_int_equal(sums().written, 9);
    assert_int_equal(object->resident, PAGES - 9);
    assert_clean();
    look_at_all();
    let_go(0, 10);
    assert_int_equal(sums().bad, 1);
    assert_int_equal(sums().written, 10);
    silent = true;                                      /* given up after a while */
    let_go(10, 2);
    assert_int_equal(object->resident, PAGES - 10);
    assert_true(given_up > 0);
    assert_clean();
    silent = false;
    look_at_all();
    end();
}

static void a_full_device_takes_no_more(void)
{
    uint64_t refused;

    begin();
    assert_int_equal(map_fixed(100, SLOTS - 10, R | W), 0);
    for (size_t n = 0; n < SLOTS - 10; n++)
        for (unsigned word = 0; word < WORDS; word++)
            assert_true(writes(&program, column(100 + n) + 4 * word, noise(100 + n, word)));
    assert_int_equal(map_advise(&program, column(100), (SLOTS - 10) * PAGE_SIZE, 21), 0);
    assert_int_equal(sums().written, SLOTS - 10);
    refused = sums().refused;
    let_go(0, PAGES);
    assert_int_equal(sums().written, SLOTS);
    assert_int_equal(object->out, 10);
    assert_int_equal(sums().refused - refused, PAGES - 10);         /* not tried again before they are used */
    look_at_all();
    assert_int_equal(unmap(100, SLOTS - 10), 0);
    end();
}

/* Others have all transfers that may write: the page stays as it was, for the next time, and is not refused. */
static void where_no_transfer_is_free_a_page_stays_for_later(void)
{
    static const uint8_t bytes[PAGE_SIZE];
    struct transfer     *taken[TRANSFERS_OUT];

    begin();
    for (unsigned i = 0; i < TRANSFERS_OUT; i++)
        assert_int_equal(transfer_write(&program, i, bytes, &taken[i]), 0);
    assert_int_equal(object_page_out(object, 3, UINT32_MAX), PAGE_OUT_BUSY);
    assert_int_equal(object->resident, PAGES);
    assert_int_equal(object->out, 0);
    assert_int_equal(sums().refused, 0);
    look(3, 3);
    for (unsigned i = 0; i < TRANSFERS_OUT; i++) {
        assert_int_equal(transfer_wait(taken[i]), 0);
        transfer_put(taken[i]);
    }
    assert_int_equal(object_page_out(object, 3, UINT32_MAX), PAGE_OUT_DONE);
    assert_int_equal(object->out, 1);
    look(3, 3);
    end();
}

/* ---- While a page is being written ----------------------------------------------------------------------------- */

static unsigned touched;

static void touch(void)
{
    while_waiting = NULL;
    touched++;
    assert_clean();
    assert_int_equal(object_page_out(object, 0, UINT32_MAX), PAGE_OUT_STAYS);   /* once is enough */
    write_page(0, 1000);
    assert_int_equal(object_page_out(object, 0, UINT32_MAX), PAGE_OUT_STAYS);   /* what is written is not this */
    assert_clean();
}

static void a_page_that_is_written_to_while_it_is_written_stays(void)
{
    begin();
    touched       = 0;
    while_waiting = touch;
    assert_int_equal(object_page_out(object, 0, UINT32_MAX), PAGE_OUT_STAYS);
    assert_int_equal(touched, 1);
    assert_int_equal(sums().used, 0);
    look(0, 1000);
    write_page(0, 2000);
    assert_int_equal(object_page_out(object, 0, UINT32_MAX), PAGE_OUT_DONE);
    look(0, 2000);
    end();
}

static void cut(void)
{
    while_waiting = NULL;
    object_resize(object, 0);
    object_resize(object, SHOWN);
    write_page(0, 3000);
    assert_int_equal(object_page_out(object, 0, UINT32_MAX), PAGE_OUT_STAYS);
    assert_clean();
}

static void a_page_that_is_cut_off_while_it_is_written_is_gone(void)
{
    begin();
    while_waiting = cut;
    assert_int_equal(object_page_out(object, 0, UINT32_MAX), PAGE_OUT_STAYS);
    assert_int_equal(sums().used, 0);
    look(0, 3000);
    end();
}

/* A page that is cut off while it is read does not come back. */
static void cut_what_is_read(void)
{
    while_waiting = NULL;
    object_punch(object, 5, 6);
    assert_clean();
}

static void a_page_that_is_cut_off_while_it_is_read_is_a_hole(void)
{
    begin();
    let_go(0, 10);
    while_waiting = cut_what_is_read;
    assert_int_equal(word_at(column(5)), 0);
    assert_int_equal(sums().written, 9);
    end();
}

/* ---- All of them ----------------------------------------------------------------------------------------------- */

static bool at_once(void) { return true; }

static void all_pages_come_back(void)
{
    struct object *other;

    begin();
    other = object;
    object = object_create(OWNER_FILE, PAGES);
    assert_non_null(object);
    for (size_t n = 0; n < PAGES; n++)
        write_page(n, 500 + n);
    let_go(0, PAGES);
    assert_int_equal(sums().written, PAGES);
    object = other;
    let_go(0, PAGES);
    swap_device_leave(true);
    assert_int_equal(objects_bring_back(at_once), -EINTR);
    assert_int_equal(sums().written, 2 * PAGES - 1);
    frame_fail_at(5);
    assert_int_equal(objects_bring_back(never), -ENOMEM);
    frame_fail_at(0);
    heap_fail_at(3);
    assert_int_equal(objects_bring_back(never), -ENOMEM);
    heap_fail_at(0);
    assert_clean();
    assert_true(sums().written > PAGES);
    assert_int_equal(objects_bring_back(never), 0);
    assert_int_equal(sums().written, 0);
    let_go(0, PAGES);
    assert_int_equal(object->out, 0);                   /* none goes there */
    look_at_all();
    other = object_next_held(NULL);                     /* the one that was made last */
    assert_int_equal(other->owner, OWNER_FILE);
    assert_int_equal(other->resident, PAGES);
    object_release(other);
    object_release(other);
    end();
}

static struct hand hand;

static void the_hand_lets_them_go(void)
{
    begin();
    memset(&hand, 0, sizeof hand);
    for (unsigned round = 0; round < 2; round++)
        while (hand_look_at_objects(&hand))
            ;
    assert_int_equal(hand.gone, PAGES);
    assert_int_equal(sums().written, PAGES);
    assert_int_equal(map_advise(&program, column(0), PAGES * PAGE_SIZE, 3), 0);     /* MADV_WILLNEED */
    assert_int_equal(sums().written, 0);
    look_at_all();
    assert_int_equal(map_advise(&program, column(0), PAGES * PAGE_SIZE, 21), 0);    /* MADV_PAGEOUT */
    assert_int_equal(sums().written, PAGES);
    end();
}

/* A program's fault reads the group, one page of which is lost; whoever wants another page of it has that. */
static void a_group_that_fails_is_no_error_of_an_object(void)
{
    enum { LOST = 5, WANTED = 2 };
    struct transfer *group;

    begin();
    let_go(0, TRANSFER_PAGES);
    group = transfer_read(SLOT_DEVICE + WANTED, true);          /* the next one nearby reads a group */
    assert_int_equal(transfer_wait(group), 0);
    transfer_put(group);
    lost_at = LOST + 1;
    group = transfer_read(SLOT_DEVICE + WANTED + 1, true);
    assert_false(transfer_is_single(group));
    look(WANTED, WANTED);
    assert_int_equal(transfer_wait(group), -EIO);
    transfer_put(group);
    lost_at = 0;
    look(LOST, LOST);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(pages_that_do_not_shrink_go_to_the_device),
        on_machine(pages_that_shrink_stay_in_ram),
        on_machine(what_is_cut_off_leaves_the_device),
        on_machine(a_page_that_cannot_be_read_is_an_error_for_who_wants_it),
        on_machine(a_page_that_cannot_be_written_stays),
        on_machine(a_full_device_takes_no_more),
        on_machine(where_no_transfer_is_free_a_page_stays_for_later),
        on_machine(a_page_that_is_written_to_while_it_is_written_stays),
        on_machine(a_page_that_is_cut_off_while_it_is_written_is_gone),
        on_machine(a_page_that_is_cut_off_while_it_is_read_is_a_hole),
        on_machine(all_pages_come_back),
        on_machine(the_hand_lets_them_go),
        on_machine(a_group_that_fails_is_no_error_of_an_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
