/*
 * test_swap_device.c - pages on a swap device that delays, reorders and fails: what a program sees is what it wrote, or
 * a bus error, and nothing else.
 */
#include "made_device.h"

#include "memory/pageout/back.h"
#include "memory/pageout/page_out.h"
#include "memory/tables/tables_out.h"

enum { ADVICE_PAGE_OUT = 21, BUS = 7 };

static int let_go(size_t first, size_t count)
{
    return map_advise(&program, column(first), count * PAGE_SIZE, ADVICE_PAGE_OUT);
}

static void fill(size_t first, size_t count)
{
    for (size_t n = first; n < first + count; n++)
        for (unsigned word = 0; word < WORDS; word++)
            assert_true(writes(&program, column(n) + 4 * word, noise(n, word)));
}

static void look(struct space *space, size_t first, size_t count)
{
    uint32_t value;

    for (size_t n = first; n < first + count; n++)
        for (unsigned word = 0; word < WORDS; word += 111) {
            assert_true(reads(space, column(n) + 4 * word, &value));
            assert_int_equal(value, noise(n, word));
        }
}

static void what_does_not_shrink_goes_to_the_device(void)
{
    begin_device();
    assert_int_equal(map_fixed(0, 40, R | W), 0);
    fill(0, 40);
    assert_int_equal(let_go(0, 40), 0);
    assert_int_equal(sums().written, 40);
    assert_int_equal(sums().used, 40);
    assert_int_equal(program.swapped, 40);
    assert_true(most_waiting > 1);              /* several at once */
    assert_clean();
    assert_false(swap_device_off());
    look(&program, 0, 40);
    assert_int_equal(sums().used, 0);
    assert_int_equal(sums().in, 40);
    assert_int_equal(program.swapped, 0);
    assert_int_equal(unmap(0, 40), 0);
    end_device();
}

static void what_shrinks_stays_in_ram(void)
{
    begin_device();
    assert_int_equal(map_fixed(0, 8, R | W), 0);
    for (size_t n = 0; n < 8; n++)
        assert_true(writes(&program, column(n), (uint32_t)n + 1));
    assert_int_equal(let_go(0, 8), 0);
    assert_int_equal(sums().used, 8);
    assert_int_equal(sums().written, 0);
    assert_int_equal(writes_made, 0);
    for (size_t n = 0; n < 8; n++)
        assert_int_equal(word_at(column(n)), n + 1);
    assert_int_equal(unmap(0, 8), 0);
    end_device();
}

static void what_is_written_again_goes_again(void)
{
    begin_device();
    assert_int_equal(map_fixed(0, 4, R | W), 0);
    fill(0, 4);
    for (uint32_t round = 1; round < 20; round++) {
        assert_int_equal(let_go(0, 4), 0);
        assert_int_equal(sums().written, 4);
        for (size_t n = 0; n < 4; n++) {
            assert_true(writes(&program, column(n) + 8, round));
            assert_int_equal(word_at(column(n) + 4 * 99), noise(n, 99));
        }
        assert_int_equal(word_at(column(3) + 8), round);
    }
    assert_int_equal(unmap(0, 4), 0);
    end_device();
}

/* Whoever goes through pages in order has them read in groups; whoever jumps, each by itself. */
static void neighbours_come_along_in_a_sequence(void)
{
    begin_device();
    assert_int_equal(map_fixed(0, 240, R | W), 0);
    fill(0, 240);
    assert_int_equal(let_go(0, 240), 0);
    reads_made = pages_read = 0;
    for (size_t n = 0; n < 240; n += 40)
        assert_int_equal(word_at(column(n) + 4), noise(n, 1));
    assert_true(reads_made == 6 && pages_read <= 6 + TRANSFER_PAGES && program.swapped >= 240 - 6 - TRANSFER_PAGES);
    reads_made = pages_read = 0;
    look(&program, 0, 120);
    assert_true(reads_made <= 120 / TRANSFER_PAGES + 4);
    assert_clean();
    reads_made = 0;
    for (size_t n = 240; n-- > 120;)            /* and the other way */
        assert_int_equal(word_at(column(n) + 4), noise(n, 1));
    assert_true(reads_made <= 120 / TRANSFER_PAGES + 4);
    look(&program, 0, 240);
    assert_int_equal(sums().used, 0);
    assert_int_equal(sums().in, 240);
    assert_int_equal(program.swapped, 0);
    assert_int_equal(unmap(0, 240), 0);
    end_device();
}

/* What a fork shares, what ends at a region's end, and what is not out at all. */
static void neighbours_that_do_not_come_along(void)
{
    struct space child;

    begin_device();
    assert_int_equal(map_fixed(0, 40, R | W), 0);
    fill(0, 40);
    assert_int_equal(let_go(0, 40), 0);
    assert_int_equal(unmap(10, 3), 0);
    assert_int_equal(protect(20, 5, R), 0);
    assert_int_equal(protect(25, 2, 0), 0);
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    look(&program, 0, 10);
    look(&program, 13, 12);
    assert_clean();
    look(&program, 27, 13);
    space_activate(&child);
    look(&child, 27, 13);
    look(&child, 0, 10);
    space_activate(&program);
    assert_clean();
    map_clear(&child);
    space_destroy(&child);
    assert_int_equal(program.swapped, 2);
    assert_int_equal(unmap(0, 40), 0);
    end_device();
}

/* The page that cannot be read concerns who touches it, not who touches its neighbours. */
static void a_group_that_fails_is_read_one_by_one(void)
{
    uint32_t value;

    begin_device();
    assert_int_equal(map_fixed(0, 32, R | W), 0);
    fill(0, 32);
    assert_int_equal(let_go(0, 32), 0);
    lost_at = 12;                               /* slot 11 */
    look(&program, 0, 11);
    assert_false(reads(&program, column(11), &value));
    assert_int_equal(verdict.signal, BUS);
    look(&program, 12, 20);
    assert_int_equal(program.swapped, 1);
    assert_clean();
    lost_at = 0;
    look(&program, 0, 32);
    assert_int_equal(unmap(0, 32), 0);
    end_device();
}

static void take_neighbours_away(void)
{
    while_waiting = NULL;
    assert_int_equal(unmap(9, 2), 0);
    assert_int_equal(map_fixed(9, 2, R | W), 0);
    for (size_t n = 9; n < 11; n++)
        for (unsigned word = 0; word < WORDS; word++)
            assert_true(writes(&program, column(n) + 4 * word, noise(n + 1000, word)));
    assert_int_equal(let_go(9, 2), 0);
    assert_clean();
}

/* While a group is read its slots cannot be taken again, though their pages go: what comes back is what was there. */
static void neighbours_may_change_while_they_are_read(void)
{
    begin_device();
    assert_int_equal(map_fixed(0, 32, R | W), 0);
    fill(0, 32);
    assert_int_equal(let_go(0, 32), 0);
    look(&program, 0, 8);
    while_waiting = take_neighbours_away;
    look(&program, 8, 1);
    assert_true(while_waiting == NULL);
    for (size_t n = 9; n < 11; n++)
        assert_int_equal(word_at(column(n) + 4 * 7), noise(n + 1000, 7));
    look(&program, 11, 21);
    assert_clean();
    assert_int_equal(unmap(0, 32), 0);
    end_device();
}

/* Where frames are few, those that nobody has asked for do not take the last. */
static void neighbours_leave_frames_for_others(void)
{
    begin_device();
    assert_int_equal(map_fixed(0, 32, R | W), 0);
    fill(0, 32);
    assert_int_equal(let_go(0, 32), 0);
    look(&program, 0, 8);
    frame_fail_at(2);
    look(&program, 8, 1);                       /* itself; the first neighbour finds none, and that is all */
    assert_int_equal(frame_fail_left(), 0);
    assert_int_equal(program.swapped, 23);
    assert_clean();
    look(&program, 9, 23);
    assert_int_equal(unmap(0, 32), 0);
    end_device();
}

/* A page that cannot be read is a bus error for whom it concerns; when it can be read again it is there. */
static void a_read_that_fails_is_a_bus_error(void)
{
    uint32_t value;

    begin_device();
    assert_int_equal(map_fixed(0, 6, R | W), 0);
    fill(0, 6);
    assert_int_equal(let_go(0, 6), 0);
    reads_fail = true;
    assert_false(reads(&program, column(2), &value));
    assert_int_equal(verdict.signal, BUS);
    assert_false(writes(&program, column(2), 1));
    assert_int_equal(verdict.signal, BUS);
    assert_int_equal(sums().written, 6);
    assert_int_equal(space_bring_back(&program, never), -EIO);
    assert_clean();
    reads_fail = false;
    look(&program, 0, 6);
    assert_int_equal(unmap(0, 6), 0);
    end_device();
}

/* The page stays, and its slot is not used again. */
static void a_write_that_fails_leaves_the_page(void)
{
    begin_device();
    assert_int_equal(map_fixed(0, 6, R | W), 0);
    fill(0, 6);
    fails_at = 3;
    assert_int_equal(let_go(0, 6), 0);
    assert_int_equal(sums().bad, 1);
    assert_int_equal(sums().written, 5);
    assert_int_equal(sums().device, SLOTS - 1);
    assert_int_equal(program.resident, 1);
    assert_clean();
    fails_at = 0;
    look(&program, 0, 6);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(let_go(0, 6), 0);
        look(&program, 0, 6);
    }
    assert_int_equal(sums().bad, 1);
    writes_fail = true;
    assert_int_equal(let_go(0, 6), 0);
    assert_int_equal(program.resident, 6);
    assert_int_equal(sums().bad, 7);
    look(&program, 0, 6);
    assert_true(writes(&program, column(1), 5));        /* and may be written to as before */
    assert_int_equal(unmap(0, 6), 0);
    end_device();
}

static void a_device_that_never_answers_is_given_up(void)
{
    uint32_t value;

    begin_device();
    assert_int_equal(map_fixed(0, 20, R | W), 0);
    fill(0, 20);
    assert_int_equal(let_go(0, 10), 0);
    silent = true;
    assert_false(reads(&program, column(2), &value));
    assert_int_equal(verdict.signal, BUS);
    assert_true(given_up == 1 || given_up == 2);        /* for a group, and then for the page */
    assert_int_equal(let_go(10, 10), 0);
    assert_int_equal(program.resident, 10);
    assert_true(given_up > 1);
    assert_clean();
    look(&program, 10, 10);
    assert_int_equal(unmap(0, 20), 0);
    end_device();
}

static void a_full_device_takes_no_more(void)
{
    begin_device();
    assert_int_equal(map_fixed(0, SLOTS + 20, R | W), 0);
    fill(0, SLOTS + 20);
    assert_int_equal(let_go(0, SLOTS + 20), 0);
    assert_int_equal(sums().written, SLOTS);
    assert_int_equal(program.resident, 20);
    assert_clean();
    look(&program, 0, SLOTS + 20);
    assert_int_equal(unmap(0, SLOTS + 20), 0);
    end_device();
}

/* Others have all transfers that may write: pages stay, may be written to, and go when there are some again. */
static void where_no_transfer_is_free_pages_stay_for_later(void)
{
    static const uint8_t bytes[PAGE_SIZE];
    struct transfer     *taken[TRANSFERS_OUT];

    begin_device();
    assert_int_equal(map_fixed(0, 20, R | W), 0);
    fill(0, 20);
    for (unsigned i = 1; i < TRANSFERS_OUT; i++)
        assert_int_equal(transfer_write(&kernel_space, i, bytes, &taken[i]), 0);
    assert_int_equal(let_go(0, 20), 0);                 /* by the one that is left */
    assert_int_equal(program.swapped, 20);
    look(&program, 0, 20);
    assert_int_equal(transfer_write(&kernel_space, 0, bytes, &taken[0]), 0);
    assert_int_equal(let_go(0, 20), 0);
    assert_int_equal(program.swapped, 0);
    assert_int_equal(program.resident, 20);
    assert_int_equal(sums().refused, 0);
    assert_true(writes(&program, column(4), noise(4, 0)));
    for (unsigned i = 0; i < TRANSFERS_OUT; i++) {
        assert_int_equal(transfer_wait(taken[i]), 0);
        transfer_put(taken[i]);
    }
    assert_int_equal(let_go(0, 20), 0);
    assert_int_equal(program.swapped, 20);
    look(&program, 0, 20);
    assert_int_equal(unmap(0, 20), 0);
    end_device();
}

/* As in packed slots: each entry holds a reference, and each who reads gets a frame of its own. */
static void a_fork_shares_what_is_on_the_device(void)
{
    struct space child;

    begin_device();
    assert_int_equal(map_fixed(0, 10, R | W), 0);
    fill(0, 10);
    assert_int_equal(let_go(0, 10), 0);
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_int_equal(sums().written, 10);
    assert_clean();
    assert_true(writes(&program, column(4), 1));
    space_activate(&child);
    look(&child, 0, 10);
    space_activate(&program);
    assert_int_equal(sums().written, 9);
    map_clear(&child);
    space_destroy(&child);
    assert_int_equal(word_at(column(4)), 1);
    assert_int_equal(unmap(0, 10), 0);
    end_device();
}

static void all_pages_come_back(void)
{
    begin_device();
    assert_int_equal(map_fixed(0, 100, R | W), 0);
    fill(0, 100);
    assert_int_equal(let_go(0, 100), 0);
    assert_int_equal(protect(20, 10, 0), 0);            /* what nobody may touch comes back as well */
    swap_device_leave(true);
    frame_fail_at(1);
    assert_int_equal(space_bring_back(&program, never), -ENOMEM);
    frame_fail_at(0);
    assert_clean();
    assert_int_equal(sums().written, 100);
    frame_fail_at(5);                                   /* for a page that comes along it is none: its turn comes */
    assert_int_equal(space_bring_back(&program, never), 0);
    assert_int_equal(frame_fail_left(), 0);
    assert_int_equal(sums().written, 0);
    assert_int_equal(let_go(0, 10), 0);
    assert_int_equal(sums().written, 0);                /* none goes there */
    end_device();
    assert_int_equal(protect(20, 10, R | W), 0);
    look(&program, 0, 100);
    assert_int_equal(unmap(0, 100), 0);
}

static void take_all_away(void)
{
    while_waiting = NULL;
    assert_int_equal(unmap(0, 20), 0);
}

/* What is unmapped while the first of its pages is read is looked for no more. */
static void pages_that_are_unmapped_do_not_come_back(void)
{
    begin_device();
    assert_int_equal(map_fixed(0, 20, R | W), 0);
    assert_int_equal(map_fixed(30, 4, R | W), 0);
    fill(0, 20);
    fill(30, 4);
    assert_int_equal(let_go(0, 20), 0);
    assert_int_equal(let_go(30, 4), 0);
    while_waiting = take_all_away;
    assert_int_equal(space_bring_back(&program, never), 0);
    assert_true(while_waiting == NULL);
    assert_int_equal(program.resident, 4);
    assert_int_equal(sums().used, 0);
    look(&program, 30, 4);
    assert_int_equal(unmap(30, 4), 0);
    end_device();
}

/* Under the layout `tracker` the table of a space that does not run goes after its pages, and names them no more. */
static void pages_of_a_table_that_is_out_come_back(void)
{
    bool out;

    begin_device();
    assert_int_equal(map_fixed(0, 20, R | W), 0);
    fill(0, 20);
    assert_int_equal(let_go(0, 20), 0);
    space_activate(&kernel_space);
    out = table_home_go(&program, page_of(column(0)));
    assert_int_equal(sums().written, 20);
    assert_int_equal(sums().used, out ? 21 : 20);
    assert_clean();
    swap_device_leave(true);
    frame_fail_at(1);
    assert_int_equal(space_bring_back(&program, never), -ENOMEM);
    frame_fail_at(0);
    assert_int_equal(sums().used, out ? 21 : 20);
    assert_int_equal(space_bring_back(&program, never), 0);
    assert_int_equal(sums().used, 0);
    space_activate(&program);
    look(&program, 0, 20);
    assert_int_equal(unmap(0, 20), 0);
    end_device();
}

static uint32_t write_to_slot(uint64_t page, uint8_t byte, struct transfer **transfer)
{
    static uint8_t bytes[PAGE_SIZE];

    memset(bytes, byte, sizeof bytes);
    assert_int_equal(transfer_write(&program, page, bytes, transfer), 0);
    return page == 1 && transfer_wait(*transfer) == 0 ? transfer_take_slot(*transfer) : 0;
}

/* The device reads a group before it writes one of its slots: what it has read there is of before, and nobody's. */
static void what_is_being_written_is_not_read_with_its_group(void)
{
    struct transfer *first, *second, *group;
    uint32_t         there, later;

    begin_device();
    there = write_to_slot(1, 'a', &first);
    transfer_put(first);
    group = transfer_read(there, true);                 /* the next read nearby is one of a group */
    assert_int_equal(transfer_wait(group), 0);
    transfer_put(group);
    write_to_slot(2, 'b', &second);
    group = transfer_read(there, true);
    assert_false(transfer_is_single(group));
    assert_false(waiting[1]->write);
    answer(waiting[--waiting_count], true);
    assert_int_equal(transfer_wait(second), 0);
    later = transfer_take_slot(second);
    transfer_put(second);
    assert_int_equal(later, there + 1);                 /* of the same group */
    assert_true(transfer_is_for(group, there));
    assert_false(transfer_is_for(group, later));
    transfer_put(group);
    group = transfer_read(later, true);
    assert_int_equal(transfer_wait(group), 0);
    assert_int_equal(machine_ram[frame_address(transfer_frame(group, later))], 'b');
    transfer_put(group);
    swap_put(there);
    swap_put(later);
    end_device();
}

static void only_a_swap_area_is_used(void)
{
    static const struct { unsigned at, value; } wrong[] = {
        { PAGE_SIZE - 10, 'X' }, { PAGE_SIZE - 1, '1' }, { 1024, 2 }, { 1029, 0xFF }, { 1031, 0x80 }, { 1032, 1 },
    };

    block_device = (struct block_device){ 0, device_start, device_give_up };
    assert_int_equal(swap_device_on(), -EINVAL);
    block_device.pages = DEVICE_PAGES;
    silent = false;
    for (unsigned i = 0; i < COUNT_OF(wrong); i++) {
        make_header(SLOTS);
        stored[0][wrong[i].at] = (uint8_t)wrong[i].value;
        assert_int_equal(swap_device_on(), -EINVAL);
    }
    make_header(0);
    assert_int_equal(swap_device_on(), -EINVAL);
    make_header(DEVICE_PAGES);
    assert_int_equal(swap_device_on(), -EINVAL);
    reads_fail = true;
    make_header(SLOTS);
    assert_int_equal(swap_device_on(), -EIO);
    reads_fail = false;
    for (unsigned k = 1; k < 2 + TRANSFERS * TRANSFER_PAGES; k++) {
        frame_fail_at(k);
        assert_int_equal(swap_device_on(), -ENOMEM);
        frame_fail_at(0);
        assert_clean();
    }
    assert_int_equal(swap_device_on(), 0);
    assert_int_equal(swap_device_on(), -EBUSY);
    end_device();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(what_does_not_shrink_goes_to_the_device),
        on_machine(what_shrinks_stays_in_ram),
        on_machine(what_is_written_again_goes_again),
        on_machine(neighbours_come_along_in_a_sequence),
        on_machine(neighbours_that_do_not_come_along),
        on_machine(a_group_that_fails_is_read_one_by_one),
        on_machine(neighbours_may_change_while_they_are_read),
        on_machine(neighbours_leave_frames_for_others),
        on_machine(a_read_that_fails_is_a_bus_error),
        on_machine(a_write_that_fails_leaves_the_page),
        on_machine(a_device_that_never_answers_is_given_up),
        on_machine(a_full_device_takes_no_more),
        on_machine(a_fork_shares_what_is_on_the_device),
        on_machine(all_pages_come_back),
        on_machine(pages_that_are_unmapped_do_not_come_back),
        on_machine(pages_of_a_table_that_is_out_come_back),
        on_machine(what_is_being_written_is_not_read_with_its_group),
        on_machine(where_no_transfer_is_free_pages_stay_for_later),
        on_machine(only_a_swap_area_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
