/*
 * test_swap_off.c - the use of the swap device ends: the pages of all programs and objects come back, or it stays in
 * use.
 */
#include "process_notes.h"

#include "base/block.h"
#include "memory/pageout/object_out.h"
#include "memory/pageout/swap.h"
#include "memory/pageout/transfer.h"
#include "memory/spaces/object.h"
#include "process/swap_off.h"

#define PAGES_AT (PROGRAM_PAGE + 16 * PAGE_SIZE)

enum { DEVICE_PAGES = 200, ADVICE_PAGE_OUT = 21, PAGES = 12 };

/* ---- A device that answers at once -------------------------------------------------------------------- */

static uint8_t stored[DEVICE_PAGES][PAGE_SIZE];
static bool    reads_fail;
static void  (*on_read)(void);

static void start_request(struct block_request *request)
{
    request->result = !request->write && reads_fail ? -EIO : 0;
    for (unsigned i = 0; i < request->count; i++) {
        uint8_t *memory = &machine_ram[frame_address(request->frames[i])];

        if (request->write)
            memcpy(stored[request->page + i], memory, PAGE_SIZE);
        else
            memcpy(memory, stored[request->page + i], PAGE_SIZE);
    }
    if (!request->write && on_read != NULL)
        on_read();
    completion_happen(&request->done);
}

static void give_up(void) { fail_msg("a device that answers is given up"); }

static void make_device(void)
{
    const uint32_t words[3] = { 1, DEVICE_PAGES - 1, 0 };

    memset(stored, 0, sizeof stored);
    memcpy(&stored[0][1024], words, sizeof words);
    memcpy(&stored[0][PAGE_SIZE - 10], "SWAPSPACE2", 10);
    block_device = (struct block_device){ DEVICE_PAGES, start_request, give_up };
    reads_fail = false;
    on_read    = NULL;
}

static struct swap_sums swap_now(void)
{
    struct swap_sums out;

    swap_sums(&out);
    return out;
}

/* ---- Pages that do not shrink ------------------------------------------------------------------------- */

static uint8_t *noise(uint32_t seed)
{
    static uint32_t words[PAGE_SIZE / 4];

    for (unsigned n = 0; n < PAGE_SIZE / 4; n++) {
        uint32_t x = (seed * 5000 + n + 1) * 2654435761u;

        x = (x ^ x >> 15) * 2246822519u;
        words[n] = x ^ x >> 13;
    }
    return (uint8_t *)words;
}

static struct space *space_of(int32_t id) { return &process_find(id)->memory->space; }

static void let_go(void)
{
    assert_int_equal(map_advise(&current_process()->memory->space, PAGES_AT, PAGES * PAGE_SIZE, ADVICE_PAGE_OUT), 0);
}

static void write_pages(void)
{
    map_pages_at(&current_process()->memory->space, PAGES_AT, PAGES);
    for (uint32_t n = 0; n < PAGES; n++)
        assert_int_equal(user_write(PAGES_AT + n * PAGE_SIZE, noise((uint32_t)current_process()->id * 100 + n),
                                    PAGE_SIZE), 0);
    let_go();
    assert_int_equal(current_process()->memory->space.swapped, PAGES);
}

static void read_pages(void)
{
    static uint8_t page[PAGE_SIZE];

    for (uint32_t n = 0; n < PAGES; n++) {
        assert_int_equal(user_read(page, PAGES_AT + n * PAGE_SIZE, PAGE_SIZE), 0);
        assert_memory_equal(page, noise((uint32_t)current_process()->id * 100 + n), PAGE_SIZE);
    }
}

static void lock_own_page(void)
{
    assert_int_equal(map_lock(&current_process()->memory->space, PROGRAM_PAGE, PAGE_SIZE, false), 0);
}

static void has_pages_on_the_device(void)
{
    lock_own_page();
    write_pages();
    sleep_for(20 * TICK);
    read_pages();
    note('r');
}

static void start_two(void)
{
    assert_int_equal(swap_on(), 0);
    ids[0] = fork_into(has_pages_on_the_device);
    ids[1] = fork_into(has_pages_on_the_device);
    sleep_for(TICK);
}

static void end_two(void)
{
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
}

static struct object *object;

static void fill_object(void)
{
    object = object_create(OWNER_SHARED, PAGES);
    assert_non_null(object);
    for (uint32_t n = 0; n < PAGES; n++) {
        frame_t frame;

        assert_int_equal(object_page(object, n, true, &frame), 0);
        memcpy(&machine_ram[frame_address(frame)], noise(n), PAGE_SIZE);
        frame_put(frame);
        assert_int_equal(object_page_out(object, n, UINT32_MAX), PAGE_OUT_DONE);
    }
}

static void check_object(void)
{
    for (uint32_t n = 0; n < PAGES; n++) {
        frame_t frame;

        assert_int_equal(object_page(object, n, false, &frame), 0);
        assert_memory_equal(&machine_ram[frame_address(frame)], noise(n), PAGE_SIZE);
        frame_put(frame);
    }
    object_release(object);
}

/* In use as before: pages go there again. */
static void still_in_use(void)
{
    uint32_t before = swap_now().written;

    assert_true(swap_device_is_on());
    assert_int_equal(swap_on(), -EBUSY);
    write_pages();
    assert_int_equal(swap_now().written, before + PAGES);
    assert_int_equal(map_remove(&current_process()->memory->space, PAGES_AT, PAGES * PAGE_SIZE), 0);
    assert_int_equal(swap_now().written, before);
    check_families();
}

/* ---- It ends ------------------------------------------------------------------------------------------ */

static void ends_the_use(void)
{
    make_device();
    start_two();
    fill_object();
    write_pages();
    assert_int_equal(swap_now().written, 4 * PAGES);
    check_families();
    assert_int_equal(swap_off(), 0);
    assert_int_equal(space_of(ids[0])->swapped + space_of(ids[1])->swapped, 0);
    assert_int_equal(current_process()->memory->space.swapped, 0);
    assert_int_equal(swap_now().used, 0);
    assert_false(swap_device_is_on());
    assert_int_equal(frames_owned(OWNER_COMPRESSED), 0);
    check_families();
    read_pages();
    check_object();
    end_two();
}

static void all_that_was_on_the_device_comes_back(void)
{
    begin(ends_the_use);
    assert_string_equal(order, "rr");
}

static void ends_and_begins(void)
{
    block_device.pages = 0;
    assert_int_equal(swap_on(), -EINVAL);               /* there is no device */
    make_device();
    assert_int_equal(swap_off(), -EINVAL);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(swap_on(), 0);
        still_in_use();
        assert_int_equal(swap_off(), 0);
        assert_int_equal(swap_off(), -EINVAL);
    }
}

static void it_may_be_used_again(void) { begin(ends_and_begins); }

/* ---- It stays in use ---------------------------------------------------------------------------------- */

static void lacks_a_frame(void)
{
    make_device();
    lock_own_page();
    start_two();
    fill_object();
    frame_fail_at(1);
    assert_int_equal(swap_off(), -ENOMEM);
    frame_fail_at(0);
    assert_int_equal(swap_now().written, 3 * PAGES);
    still_in_use();
    reads_fail = true;
    assert_int_equal(swap_off(), -EIO);
    reads_fail = false;
    assert_int_equal(swap_now().written, 3 * PAGES);
    still_in_use();
    end_two();                                          /* the object's alone are left */
    reads_fail = true;
    assert_int_equal(swap_off(), -EIO);
    reads_fail = false;
    assert_int_equal(swap_now().written, PAGES);
    assert_int_equal(swap_off(), 0);
    check_object();
}

static void without_memory_or_an_answer_it_stays_in_use(void)
{
    begin(lacks_a_frame);
    assert_string_equal(order, "rr");
}

static struct process *first;

static void is_killed(void) { first->exiting = true; }

/* Between two pages, of the first program and of an object. */
static void is_killed_meanwhile(void)
{
    make_device();
    first = current_process();
    start_two();
    fill_object();
    on_read = is_killed;
    assert_int_equal(swap_off(), -EINTR);
    current_process()->exiting = false;
    assert_true(swap_now().written < 3 * PAGES && swap_now().written > 2 * PAGES);
    on_read = NULL;
    still_in_use();
    end_two();
    assert_int_equal(swap_now().written, PAGES);
    on_read = is_killed;
    assert_int_equal(swap_off(), -EINTR);
    current_process()->exiting = false;
    assert_true(swap_now().written < PAGES && swap_now().written > 0);
    on_read = NULL;
    still_in_use();
    assert_int_equal(swap_off(), 0);
    check_object();
}

static void who_is_killed_leaves_it_in_use(void)
{
    begin(is_killed_meanwhile);
    assert_string_equal(order, "rr");
}

/* ---- Others are not done with it ---------------------------------------------------------------------- */

static unsigned turns_held;

static void writes_for_long(void)
{
    struct transfer *transfer;

    assert_int_equal(transfer_write(object, 5, noise(1), &transfer), 0);
    for (unsigned turn = 0; turn < turns_held; turn++)
        give_way_inside();
    if (ids[2] != 0)
        is_killed();
    give_way_inside();
    note('w');
    assert_int_equal(transfer_wait(transfer), 0);
    transfer_put(transfer);
}

static void asks_as_well(void)
{
    assert_int_equal(swap_off(), 0);
    note('2');
}

static void waits_for_others(void)
{
    struct transfer *none;

    make_device();
    assert_int_equal(swap_on(), 0);
    object = object_create(OWNER_SHARED, PAGES);
    turns_held = 5;
    ids[0] = fork_into(writes_for_long);
    ids[1] = fork_into(asks_as_well);
    ids[2] = 0;
    schedule();                                         /* the first writes, the second asks, and holds the mutex */
    assert_int_equal(transfer_write(object, 6, noise(2), &none), -ENOSPC);      /* nothing goes there meanwhile */
    assert_int_equal(swap_off(), -EINVAL);              /* after the other, which has ended the use */
    note('1');
    end_two();
    assert_string_equal(order, "w21");
    assert_false(swap_device_is_on());
    object_release(object);
}

static void one_call_after_the_other_waits_for_who_writes(void)
{
    begin(waits_for_others);
}

static void is_killed_while_it_waits(void)
{
    make_device();
    first = current_process();
    assert_int_equal(swap_on(), 0);
    object = object_create(OWNER_SHARED, PAGES);
    turns_held = 2;
    ids[2] = 1;
    ids[0] = fork_into(writes_for_long);
    schedule();
    assert_int_equal(swap_off(), -EINTR);
    current_process()->exiting = false;
    assert_string_equal(order, "");                     /* it has not ended yet */
    still_in_use();
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(swap_off(), 0);
    object_release(object);
}

static void who_is_killed_waits_no_longer(void)
{
    begin(is_killed_while_it_waits);
    assert_string_equal(order, "w");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(all_that_was_on_the_device_comes_back),
        in_world(it_may_be_used_again),
        in_world(without_memory_or_an_answer_it_stays_in_use),
        in_world(who_is_killed_leaves_it_in_use),
        in_world(one_call_after_the_other_waits_for_who_writes),
        in_world(who_is_killed_waits_no_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
