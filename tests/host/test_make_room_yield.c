/*
 * test_make_room_yield.c - how many pages go for how many that were wanted, which of that counts as poor, what stays
 * ahead of need, and who runs meanwhile.
 */
#include "process_notes.h"

#include "process/make_room.h"

#define PAGES_AT (PROGRAM_PAGE + 1024 * PAGE_SIZE)

static unsigned pages_wanted;

static void lock_own_page(void)
{
    assert_int_equal(map_lock(&current_process()->memory->space, PROGRAM_PAGE, PAGE_SIZE, false), 0);
}

static uint32_t pages_out(void) { return process_find(ids[0])->memory->space.swapped; }

static void touch_all(void)
{
    for (size_t n = 0; n < pages_wanted; n++)
        set_word(PAGES_AT + n * PAGE_SIZE, (uint32_t)n + 7);
}

static void has_pages(void)
{
    lock_own_page();
    map_pages_at(&current_process()->memory->space, PAGES_AT, pages_wanted);
    for (;;) {
        touch_all();
        sleep_for(TICK);
    }
}

static void start_program_with(unsigned pages)
{
    pages_wanted = pages;
    lock_own_page();
    ids[0] = fork_into(has_pages);
    sleep_for(TICK / 2);
}

static void end_it(void)
{
    kill(ids[0], SIGKILL);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

/* ---- Poor yields ------------------------------------------------------------------------------------------------- */

static unsigned pages_of_program;

/* All its pages go each time and are back before the next: of three, room for three, and poor where more are wanted. */
static unsigned rooms_made(unsigned most, size_t want)
{
    unsigned rooms = 0;

    sleep_for(TICK);
    while (rooms < most && make_room(want)) {
        assert_int_equal(pages_out(), pages_of_program);
        rooms++;
        sleep_for(TICK);
        assert_int_equal(pages_out(), 0);
    }
    return rooms;
}

static void makes_poor_room(void)
{
    the_time += 2000000000;
    start_program_with(pages_of_program = 3);
    assert_int_equal(rooms_made(40, 1000), 15);
    assert_true(room_is_poor());                        /* a fault that finds a frame now is not helped */
    assert_int_equal(rooms_made(10, 1000), 10);
    assert_false(room_is_poor());
    assert_int_equal(rooms_made(40, 3), 40);            /* as many as were wanted: that is not poor */
    assert_false(room_is_poor());
    assert_int_equal(rooms_made(40, 1000), 15);         /* and makes an end of what was */
    assert_int_equal(rooms_made(12, 1000), 12);
    the_time += 1000000000 - TICK;                      /* a second after the last one all are forgotten */
    assert_int_equal(rooms_made(40, 1000), 15);
    assert_int_equal(rooms_made(12, 1000), 12);
    the_time += 1000000000 - 3 * TICK;
    assert_int_equal(rooms_made(40, 1000), 3);
    end_it();
}

static void sixteen_poor_rooms_in_a_row_are_none(void) { begin(makes_poor_room); }

/* With eight pages an instruction can come to its end: a small machine never has a whole portion. */
static void makes_small_room(void)
{
    the_time += 2000000000;
    start_program_with(pages_of_program = 8);
    assert_int_equal(rooms_made(40, 1000), 40);
    assert_false(room_is_poor());
    end_it();
}

static void eight_pages_are_room(void) { begin(makes_small_room); }

/* ---- Ahead of need ---------------------------------------------------------------------------------------- */

/* Without it an instruction that touches three pages found two of them gone at each of its faults, for ever. */
static void looks_between_uses(void)
{
    unsigned gone = 0;

    start_program_with(3);
    for (unsigned call = 0; call < 40; call++) {
        frames_wanted = FRAMES_LOW;
        make_room_ahead();
        frames_wanted = 0;
        gone += pages_out();
        sleep_for(TICK);
    }
    assert_int_equal(gone, 0);
    end_it();
}

static void what_was_used_since_the_last_portion_stays(void) { begin(looks_between_uses); }

/* ---- Who is to end ---------------------------------------------------------------------------------------- */

static void is_to_end(void)
{
    start_program_with(40);
    assert_true(make_room(4));
    assert_true(pages_out() >= 4);
    sleep_for(TICK);
    assert_int_equal(pages_out(), 0);
    current_process()->exiting = true;
    assert_false(make_room(4));
    assert_int_equal(pages_out(), 0);
    current_process()->exiting = false;
    end_it();
}

static void who_is_to_end_takes_no_pages(void) { begin(is_to_end); }

/* ---- Who runs meanwhile ----------------------------------------------------------------------------------- */

static void says_m(void) { note('m'); }

static void looks_for_long(void)
{
    lock_own_page();
    ids[0] = fork_into(says_m);
    the_time += 100000000;
    schedule_hurry();
    assert_false(make_room(1));
    note('r');
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void others_have_their_turn_in_the_middle_of_a_look(void)
{
    begin(looks_for_long);
    assert_string_equal(order, "mr");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(sixteen_poor_rooms_in_a_row_are_none),
        in_world(eight_pages_are_room),
        in_world(what_was_used_since_the_last_portion_stays),
        in_world(who_is_to_end_takes_no_pages),
        in_world(others_have_their_turn_in_the_middle_of_a_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
