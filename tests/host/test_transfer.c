/*
 * test_transfer.c - transfers to the swap device and back: which slots are read together, who shares what is read, how
 * many there are, and what a device of any size is used for.
 */
#include "map_world.h"

#include "base/block.h"
#include "memory/pageout/swap.h"
#include "memory/pageout/transfer.h"

enum { MOST_SLOTS = SWAP_TABLES * (PAGE_SIZE / 8), NEAR = 2 * TRANSFER_PAGES };

/* ---- A device that answers when somebody waits ------------------------------------------------------------------ */

static struct block_request *asked[BLOCK_REQUESTS];
static unsigned              asked_count;
static bool                  fails;
static uint32_t              last_slot;                 /* as its header says */

static void start(struct block_request *request)
{
    assert_true(asked_count < BLOCK_REQUESTS);
    asked[asked_count++] = request;
}

/* What is read is the number of its page; the first page is the header. */
static void answer(struct block_request *request)
{
    request->result = fails ? -EIO : 0;
    for (uint32_t i = 0; i < request->count && !request->write; i++) {
        uint8_t *bytes = &machine_ram[frame_address(request->frames[i])];

        memset(bytes, 0, PAGE_SIZE);
        memcpy(bytes, (uint32_t[]){ request->page + i }, 4);
        if (request->page + i == 0) {
            memcpy(bytes + 1024, (uint32_t[]){ 1, last_slot, 0 }, 12);
            memcpy(bytes + PAGE_SIZE - 10, "SWAPSPACE2", 10);
        }
    }
    completion_happen(&request->done);
}

static void answer_all(void)
{
    while (asked_count > 0)
        answer(asked[--asked_count]);
}

bool completion_wait_for(struct completion *completion, uint64_t nanoseconds)
{
    (void)nanoseconds;
    answer_all();
    return completion_happened(completion);
}

static void give_up(void) { fail_msg("a device that answers is given up"); }

static void begin_device(uint32_t slots)
{
    block_device = (struct block_device){ slots + 1, start, give_up };
    last_slot    = slots;
    fails        = false;
    assert_int_equal(swap_device_on(), 0);
}

static void end_device(void)
{
    assert_true(swap_device_off());
    assert_int_equal(frames_owned(OWNER_COMPRESSED), 0);
    block_device = (struct block_device){ .pages = 0 };
}

static struct swap_sums sums(void)
{
    struct swap_sums out;

    swap_sums(&out);
    return out;
}

/* ---- Slots ------------------------------------------------------------------------------------------------------ */

static struct transfer *begin_write(uint64_t page)
{
    static const uint8_t bytes[PAGE_SIZE];
    struct transfer     *transfer;

    assert_int_equal(transfer_write(&program, page, bytes, &transfer), 0);
    return transfer;
}

static uint32_t make_slot(void)
{
    struct transfer *transfer = begin_write(0);
    uint32_t         slot;

    assert_int_equal(transfer_wait(transfer), 0);
    slot = transfer_take_slot(transfer);
    transfer_put(transfer);
    return slot;
}

/* The first slots, all in use. */
static void make_slots(uint32_t count)
{
    for (uint32_t n = 0; n < count; n++)
        assert_int_equal(make_slot(), SLOT_DEVICE + n);
    assert_int_equal(sums().written, count);
}

static void drop_slots(uint32_t count)
{
    for (uint32_t n = 0; n < count; n++)
        swap_put(SLOT_DEVICE + n);
}

static struct transfer *begin_read(uint32_t n, bool group)
{
    struct transfer *transfer = transfer_read(SLOT_DEVICE + n, group);

    assert_non_null(transfer);
    return transfer;
}

/* How many pages are read for a slot. */
static unsigned pages_read_for(uint32_t n, bool group)
{
    struct transfer *transfer = begin_read(n, group);
    unsigned         pages    = asked[asked_count - 1]->count;

    assert_int_equal(transfer_is_single(transfer), pages == 1);
    assert_int_equal(transfer_wait(transfer), 0);
    assert_memory_equal(&machine_ram[frame_address(transfer_frame(transfer, SLOT_DEVICE + n))], (uint32_t[]){ n + 1 },
                        4);
    transfer_put(transfer);
    return pages;
}

/* ---- Which slots are read together ------------------------------------------------------------------------------ */

static void a_group_is_read_near_what_was_wanted_last(void)
{
    static const struct { uint32_t last, slot; bool group; } wanted[] = {
        { 100, 100, true },             { 100, 101, true },         { 100, 99, true },
        { 100, 100 + NEAR, true },      { 100, 100 + NEAR + 1, false },
        { 100, 100 - NEAR, true },      { 100, 100 - NEAR - 1, false },
        { 0, NEAR, true },              { NEAR, 0, true },          { 0, 150, false },
    };

    begin_device(200);
    make_slots(160);
    for (unsigned i = 0; i < COUNT_OF(wanted); i++) {
        assert_int_equal(pages_read_for(wanted[i].last, false), 1);
        assert_int_equal(pages_read_for(wanted[i].slot, true), wanted[i].group ? TRANSFER_PAGES : 1);
        assert_int_equal(pages_read_for(wanted[i].slot, true), TRANSFER_PAGES);      /* this was wanted last now */
        assert_int_equal(pages_read_for(wanted[i].slot, false), 1);
    }
    drop_slots(160);
    end_device();
}

/* A group lies on the device as a whole: of its last pages, which fill none, each is read alone. */
static void groups_begin_at_multiples_and_end_on_the_device(void)
{
    for (uint32_t slots = 24; slots <= 32; slots++) {
        begin_device(slots);
        make_slots(slots);
        for (uint32_t n = 0; n < slots; n++) {
            uint32_t         first = n / TRANSFER_PAGES * TRANSFER_PAGES;
            bool             group = first + TRANSFER_PAGES <= slots;
            struct transfer *transfer;

            (void)pages_read_for(n, false);
            transfer = begin_read(n, true);
            assert_int_equal(transfer_is_single(transfer), !group);
            assert_int_equal(asked[0]->page, (group ? first : n) + 1);
            for (uint32_t at = 0; at < slots; at++)
                assert_int_equal(transfer_is_for(transfer, SLOT_DEVICE + at),
                                 group ? at - first < TRANSFER_PAGES : at == n);
            assert_int_equal(transfer_wait(transfer), 0);
            transfer_put(transfer);
        }
        drop_slots(slots);
        end_device();
    }
}

/* Who reads a group holds its slots that are in use, and has them counted; one that is free is nobody's. */
static void a_group_holds_the_slots_that_are_in_use(void)
{
    struct transfer *transfer;
    uint64_t         in;

    begin_device(40);
    make_slots(16);
    swap_put(SLOT_DEVICE + 2);
    swap_put(SLOT_DEVICE + 7);
    (void)pages_read_for(4, false);
    in       = sums().in;
    transfer = begin_read(4, true);
    assert_int_equal(sums().in, in + 6);
    for (uint32_t n = 0; n < 16; n++) {
        assert_int_equal(transfer_is_for(transfer, SLOT_DEVICE + n), n < 7 && n != 2);
        assert_int_equal(swap_references(SLOT_DEVICE + n), n == 2 || n == 7 ? 0 : n < 7 ? 2 : 1);
    }
    swap_put(SLOT_DEVICE + 3);                          /* its page goes: its contents are there still */
    assert_int_equal(make_slot(), SLOT_DEVICE + 7);     /* and the slot is not taken */
    assert_int_equal(transfer_wait(transfer), 0);
    assert_true(transfer_is_for(transfer, SLOT_DEVICE + 3));
    assert_false(transfer_is_for(transfer, SLOT_DEVICE + 7));
    transfer_put(transfer);
    assert_int_equal(swap_references(SLOT_DEVICE + 3), 0);
    assert_int_equal(swap_references(SLOT_DEVICE + 4), 1);
    assert_int_equal(swap_references(SLOT_DEVICE + 7), 1);
    assert_int_equal(make_slot(), SLOT_DEVICE + 3);
    assert_int_equal(make_slot(), SLOT_DEVICE + 2);
    drop_slots(16);
    end_device();
}

/* A device that has failed once is asked for one page at a time, until its use ends. */
static void after_a_failure_each_slot_is_read_alone(void)
{
    struct transfer *transfer;

    begin_device(40);
    make_slots(16);
    assert_int_equal(pages_read_for(3, false), 1);
    fails    = true;
    transfer = begin_read(4, true);
    assert_int_equal(transfer_wait(transfer), -EIO);
    for (uint32_t n = 0; n < 8; n++)
        assert_false(transfer_is_for(transfer, SLOT_DEVICE + n));
    transfer_put(transfer);
    fails = false;
    assert_int_equal(pages_read_for(4, true), 1);
    assert_int_equal(pages_read_for(5, true), 1);
    drop_slots(16);
    end_device();
    begin_device(40);
    make_slots(16);
    assert_int_equal(pages_read_for(3, false), 1);
    assert_int_equal(pages_read_for(4, true), TRANSFER_PAGES);
    fails    = true;
    transfer = begin_write(0);                          /* so it is after one that was written */
    assert_int_equal(transfer_wait(transfer), -EIO);
    transfer_put(transfer);
    fails = false;
    assert_int_equal(pages_read_for(4, true), 1);
    drop_slots(16);
    end_device();
}

/* ---- Who shares what is read ------------------------------------------------------------------------------------ */

static void who_wants_a_slot_that_is_read_shares_the_transfer(void)
{
    struct transfer *first, *again, *near;

    begin_device(40);
    make_slots(16);
    (void)pages_read_for(3, false);
    first = begin_read(4, true);
    again = begin_read(4, false);
    near  = begin_read(6, true);
    assert_true(again == first && near == first && asked_count == 1);
    assert_int_equal(transfer_wait(first), 0);
    assert_int_equal(transfer_result(again), 0);
    transfer_put(first);
    transfer_put(again);
    assert_ptr_equal(begin_read(5, true), first);       /* as long as somebody uses it */
    assert_int_equal(asked_count, 0);
    transfer_put(first);
    assert_int_equal(swap_references(SLOT_DEVICE + 4), 2);
    assert_false(swap_device_off());
    transfer_put(near);
    assert_int_equal(swap_references(SLOT_DEVICE + 4), 1);
    (void)begin_read(5, true);
    assert_int_equal(asked_count, 1);                   /* from then on it is read anew */
    assert_int_equal(transfer_wait(first), 0);
    transfer_put(first);
    drop_slots(16);
    end_device();
}

/* Who has waited for one that failed finds the error; of a page alone it is for the slot still. */
static void who_shares_a_failure_finds_it(void)
{
    struct transfer *first, *again;

    begin_device(40);
    make_slots(4);
    fails = true;
    first = begin_read(1, false);
    again = begin_read(1, false);
    assert_ptr_equal(first, again);
    assert_int_equal(transfer_wait(first), -EIO);
    assert_true(transfer_is_for(again, SLOT_DEVICE + 1));
    assert_int_equal(transfer_wait(again), -EIO);
    assert_int_equal(transfer_result(again), -EIO);
    transfer_put(first);
    transfer_put(again);
    assert_int_equal(swap_references(SLOT_DEVICE + 1), 1);      /* what cannot be read is not bad: it may be later */
    assert_int_equal(sums().bad, 0);
    drop_slots(4);
    end_device();
}

/* ---- How many there are ----------------------------------------------------------------------------------------- */

static void some_transfers_are_kept_for_reading(void)
{
    static const uint8_t bytes[PAGE_SIZE];
    struct transfer     *out[TRANSFERS_OUT], *in[TRANSFERS_IN], *none;

    begin_device(200);
    make_slots(100);
    for (unsigned i = 0; i < TRANSFERS_OUT; i++)
        out[i] = begin_write(i);
    assert_int_equal(transfer_write(&program, 99, bytes, &none), -EBUSY);
    for (unsigned i = 0; i < TRANSFERS_IN; i++)
        in[i] = begin_read(i * 50, false);
    assert_null(transfer_read(SLOT_DEVICE + 99, false));
    assert_ptr_equal(begin_read(0, false), in[0]);      /* what is read already needs none */
    transfer_put(in[0]);
    for (uint64_t page = 0; page < TRANSFERS; page++)
        assert_int_equal(transfer_is_of(&program, page), page < TRANSFERS_OUT);
    assert_false(transfer_is_of(&out, 0));
    assert_int_equal(transfer_wait(in[0]), 0);
    transfer_put(in[0]);
    assert_int_equal(transfer_write(&program, 99, bytes, &none), -EBUSY);       /* which is for reading */
    transfer_await_free();
    in[0] = begin_read(99, false);
    assert_int_equal(transfer_wait(out[0]), 0);
    transfer_put(out[0]);                               /* the page stayed: its slot is free again */
    assert_false(transfer_is_of(&program, 0));
    assert_int_equal(transfer_write(&program, 99, bytes, &none), -EBUSY);       /* one is free, and for reading */
    for (unsigned i = 0; i < TRANSFERS_IN; i++) {
        assert_int_equal(transfer_wait(in[i]), 0);
        transfer_put(in[i]);
    }
    out[0] = begin_write(0);
    assert_int_equal(transfer_write(&program, 99, bytes, &none), -EBUSY);
    for (unsigned i = 0; i < TRANSFERS_OUT; i++) {
        assert_int_equal(transfer_wait(out[i]), 0);
        transfer_put(out[i]);
    }
    assert_int_equal(sums().written, 100);
    drop_slots(100);
    end_device();
}

static unsigned visits;
static uint64_t visited;

static void visit(void *data, uint32_t slot)
{
    assert_ptr_equal(data, &visited);
    visits++;
    visited += slot - SLOT_DEVICE;
}

/* The audit counts the references of transfers: one for each slot. */
static void each_reference_of_a_transfer_is_shown(void)
{
    struct transfer *in, *out;

    begin_device(40);
    make_slots(16);
    (void)pages_read_for(9, false);
    visits = 0, visited = 0;
    transfers_each(visit, &visited);
    assert_int_equal(visits, 0);
    in  = begin_read(10, true);
    out = begin_write(1);
    transfers_each(visit, &visited);
    assert_int_equal(visits, TRANSFER_PAGES + 1);
    assert_int_equal(visited, 8 + 9 + 10 + 11 + 12 + 13 + 14 + 15 + 16);
    assert_int_equal(transfer_wait(out), 0);
    swap_put(transfer_take_slot(out));
    transfer_put(out);
    visits = 0;
    transfers_each(visit, &visited);
    assert_int_equal(visits, TRANSFER_PAGES);
    assert_int_equal(transfer_wait(in), 0);
    transfer_put(in);
    drop_slots(16);
    end_device();
}

/* ---- Devices of any size ---------------------------------------------------------------------------------------- */

static void a_device_is_used_to_its_last_page(void)
{
    static const uint32_t sizes[] = { 1, 7, 511, 512, 513, 1100 };
    static const uint8_t  bytes[PAGE_SIZE];

    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        struct transfer *none;
        uint32_t         slot = NO_SLOT, count = 0;

        begin_device(sizes[i]);
        assert_int_equal(swap_room(), sizes[i]);
        assert_int_equal(sums().device, sizes[i]);
        make_slots(sizes[i]);
        assert_int_equal(transfer_write(&program, 0, bytes, &none), -ENOSPC);
        while ((slot = swap_after(slot)) != NO_SLOT)            /* all that there are, in tables of 512 */
            count++;
        assert_int_equal(count, (sizes[i] + 511) / 512 * 512);
        assert_int_equal(swap_references(SLOT_DEVICE + sizes[i] - 1), 1);
        assert_int_equal(swap_references(SLOT_DEVICE + count), 0);
        drop_slots(sizes[i]);
        assert_int_equal(frames_owned(OWNER_COMPRESSED), TRANSFERS * TRANSFER_PAGES);   /* tables have gone */
        end_device();
    }
}

static void of_a_larger_device_so_much_is_used(void)
{
    static const uint32_t sizes[] = { MOST_SLOTS - 1, MOST_SLOTS, MOST_SLOTS + 1, 5 * MOST_SLOTS };

    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        begin_device(sizes[i]);
        assert_int_equal(swap_room(), sizes[i] < MOST_SLOTS ? sizes[i] : MOST_SLOTS);
        make_slots(3);
        drop_slots(3);
        end_device();
    }
}

/* A device may be larger than the area on it. */
static void no_more_is_used_than_the_header_says(void)
{
    block_device = (struct block_device){ 1000, start, give_up };
    fails        = false;
    last_slot    = 20;
    assert_int_equal(swap_device_on(), 0);
    assert_int_equal(swap_room(), 20);
    make_slots(20);
    drop_slots(20);
    end_device();
    block_device = (struct block_device){ 1000, start, give_up };
    last_slot    = 999;
    assert_int_equal(swap_device_on(), 0);
    assert_int_equal(swap_room(), 999);
    end_device();
    block_device = (struct block_device){ 1000, start, give_up };
    last_slot    = 1000;
    assert_int_equal(swap_device_on(), -EINVAL);
    block_device = (struct block_device){ .pages = 0 };
}

/* Bad slots are known until the device's use ends, and so is how many are left. */
static void bad_slots_are_forgotten_with_the_device(void)
{
    struct transfer *transfer;

    begin_device(10);
    fails    = true;
    transfer = begin_write(0);
    assert_int_equal(transfer_wait(transfer), -EIO);
    transfer_put(transfer);
    fails = false;
    assert_true(sums().bad == 1 && sums().device == 9 && sums().written == 0);
    for (uint32_t n = 1; n < 10; n++)
        assert_int_equal(make_slot(), SLOT_DEVICE + n);
    assert_int_equal(sums().written, 9);
    for (uint32_t n = 1; n < 10; n++)
        swap_put(SLOT_DEVICE + n);
    assert_int_equal(make_slot(), SLOT_DEVICE + 9);     /* the tables stay, for the bad one's sake */
    swap_put(SLOT_DEVICE + 9);
    end_device();
    begin_device(10);
    assert_true(sums().bad == 0 && sums().device == 10);
    make_slots(10);
    drop_slots(10);
    end_device();
}

/* While its use ends no page goes there; one that is on its way may. */
static void while_its_use_ends_no_page_goes_there(void)
{
    static const uint8_t bytes[PAGE_SIZE];
    struct transfer     *before, *none;

    begin_device(10);
    before = begin_write(1);
    swap_device_leave(true);
    assert_int_equal(transfer_write(&program, 2, bytes, &none), -ENOSPC);
    assert_false(swap_device_off());
    assert_int_equal(transfer_wait(before), 0);
    swap_put(transfer_take_slot(before));
    assert_false(swap_device_off());                    /* who wrote has not ended */
    transfer_put(before);
    swap_device_leave(false);
    swap_put(make_slot());
    swap_device_leave(true);
    end_device();
    assert_int_equal(transfer_write(&program, 2, bytes, &none), -ENOSPC);
    assert_false(swap_device_off());
    begin_device(10);
    swap_put(make_slot());                              /* that the last one's use has ended is forgotten */
    end_device();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(a_group_is_read_near_what_was_wanted_last),
        on_machine(groups_begin_at_multiples_and_end_on_the_device),
        on_machine(a_group_holds_the_slots_that_are_in_use),
        on_machine(after_a_failure_each_slot_is_read_alone),
        on_machine(who_wants_a_slot_that_is_read_shares_the_transfer),
        on_machine(who_shares_a_failure_finds_it),
        on_machine(some_transfers_are_kept_for_reading),
        on_machine(each_reference_of_a_transfer_is_shown),
        on_machine(a_device_is_used_to_its_last_page),
        on_machine(of_a_larger_device_so_much_is_used),
        on_machine(no_more_is_used_than_the_header_says),
        on_machine(bad_slots_are_forgotten_with_the_device),
        on_machine(while_its_use_ends_no_page_goes_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
