/*
 * test_make_room.c - frames are short: pages of all programs go, a portion at a time, and not ever again in vain.
 */
#include "process_notes.h"

#include "memory/tables/cursor.h"
#include "process/make_room.h"
#include "process/out_of_memory.h"

/* Where a test asks only for make_room(), the linker would be content with that of arch/host/sleep.c. */
__attribute__((used)) static void (*const ahead)(void) = make_room_ahead;

#define PAGES_AT (PROGRAM_PAGE + 16 * PAGE_SIZE)

static unsigned lettings;

static void count_letting(void) { lettings++; }

/* Frames are low, whatever the pool has found since the last call. */
static void look_ahead(void)
{
    frames_wanted = FRAMES_LOW;
    make_room_ahead();
    frames_wanted = 0;
}

/* How often a call lets interrupts in: oftener where it looks at pages than where it does not. */
static unsigned lettings_ahead(void)
{
    lettings = 0;
    on_interrupts = count_letting;
    look_ahead();
    on_interrupts = NULL;
    return lettings;
}

static void touch(size_t pages)
{
    map_pages_at(&current_process()->memory->space, PAGES_AT, pages);
    for (size_t n = 0; n < pages; n++)
        set_word(PAGES_AT + n * PAGE_SIZE, (uint32_t)n + 7);
}

static void lock_own_page(void)
{
    assert_int_equal(map_lock(&current_process()->memory->space, PROGRAM_PAGE, PAGE_SIZE, false), 0);
}

static uint32_t pages_out(int32_t id) { return process_find(id)->memory->space.swapped; }

/* ---- Ahead of need ------------------------------------------------------------------------------------- */

/* The first to run in this program: the hand has rested since its start. */
static void asks_in_vain(void)
{
    unsigned tried, rests, next = 1, tries = 0;

    lock_own_page();
    frames_wanted = FRAMES_REFUSED;
    make_room_ahead();                                  /* frames are not low: nothing is looked at */
    tried = lettings_ahead();
    rests = lettings_ahead();
    assert_true(tried > rests);
    for (unsigned call = 3; call <= 1100; call++) {
        bool looks = lettings_ahead() > rests;

        if (call == 2 * next + 1 || call == next + 256) {
            if (!looks)
                fail_msg("call %u looks at no page", call);
            next = call;
            tries++;
        } else if (looks) {
            fail_msg("call %u looks at pages", call);
        }
    }
    assert_int_equal(tries, 7 + 3);                     /* 3, 7, 15 ... 255; 511, 767, 1023 */
    exit_with(0);
}

static void after_looks_in_vain_ever_more_calls_do_without(void) { begin(asks_in_vain); }

static void has_two_hundred_pages(void)
{
    touch(200);
    sleep_for(20 * TICK);
    for (size_t n = 0; n < 200; n++)
        assert_int_equal(word_at(PAGES_AT + n * PAGE_SIZE), n + 7);
    note('s');
}

/* Calls until one looks at pages. */
static void let_pauses_pass(void)
{
    unsigned rests = lettings_ahead();

    for (unsigned call = 0; call < 300 && lettings_ahead() <= rests + 2; call++)
        ;
}

static void lets_portions_go(void)
{
    unsigned before;

    lock_own_page();
    ids[0] = fork_into(has_two_hundred_pages);
    give_way();
    let_pauses_pass();                                  /* the first look takes notes of use away, the second finds */
    while (pages_out(ids[0]) == 0)
        look_ahead();
    for (int call = 0; call < 3; call++) {              /* and none is left out any more */
        before = pages_out(ids[0]);
        look_ahead();
        assert_in_range(pages_out(ids[0]) - before, ROOM_PORTION, ROOM_PORTION + HAND_WINDOW);
    }
    current_process()->exiting = true;                  /* who is about to end lets others be */
    before = pages_out(ids[0]);
    look_ahead();
    assert_int_equal(pages_out(ids[0]), before);
    current_process()->exiting = false;
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void ahead_of_need_a_portion_goes_at_a_time(void)
{
    begin(lets_portions_go);
    assert_string_equal(order, "s");
}

static unsigned used_lately(struct space *space, size_t pages)
{
    unsigned      count = 0;
    struct cursor c;

    assert_int_equal(cursor_open(&c, space, span_of(page_of(PAGES_AT), pages), 0), 0);
    for (size_t n = 0; n < pages; n++)
        count += entry_accessed(cursor_read(&c, page_of(PAGES_AT) + n));
    cursor_close(&c);
    return count;
}

enum { LARGE = 3500 };

static void has_many_pages(void)
{
    touch(LARGE);
    sleeps_long();
}

static void looks_at_few(void)
{
    struct space *space;
    unsigned      before, looked;

    lock_own_page();
    ids[0] = fork_into(has_many_pages);
    give_way();
    space  = &process_find(ids[0])->memory->space;
    before = used_lately(space, LARGE);
    assert_int_equal(before, LARGE);
    for (unsigned call = 0; call < 300 && used_lately(space, LARGE) == before; call++)
        look_ahead();
    looked = before - used_lately(space, LARGE);
    assert_in_range(looked, 1500, 2048);                /* a step for each page, and for each space in a window */
    assert_int_equal(pages_out(ids[0]), 0);
    kill(ids[0], SIGKILL);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void ahead_of_need_so_many_pages_are_looked_at(void) { begin(looks_at_few); }

/* ---- In need --------------------------------------------------------------------------------------------- */

static void makes_room(void)
{
    lock_own_page();
    assert_false(make_room(1));                         /* no page may go */
    ids[1] = fork_into(exits_with_7);                   /* a zombie, which has no memory */
    ids[0] = fork_into(has_two_hundred_pages);
    sleep_for(TICK);
    assert_true(make_room(10));
    assert_in_range(pages_out(ids[0]), 10, 10 + HAND_WINDOW);
    assert_true(make_room(1000));                       /* fewer than were asked for: all there are */
    assert_int_equal(pages_out(ids[0]), 200 + 1);       /* and the one that it has from the start */
    assert_false(make_room(1));
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
}

static void room_is_made_of_pages_that_nobody_has_used_lately(void)
{
    begin(makes_room);
    assert_string_equal(order, "s");
}

static void has_a_hundred_pages(void)
{
    touch(100);
    sleeps_long();
}

static void takes_of_all(void)
{
    lock_own_page();
    for (unsigned i = 0; i < 3; i++)
        ids[i] = fork_into(has_a_hundred_pages);
    sleep_for(TICK);
    assert_true(make_room(40));
    for (unsigned i = 0; i < 3; i++)                    /* a window of each in turn, and not all of one */
        assert_in_range(pages_out(ids[i]), 8, 32);
    for (unsigned i = 0; i < 3; i++)
        kill(ids[i], SIGKILL);
    while (wait_for(-1, 0) > 0)
        ;
}

static void the_hand_goes_over_all_programs_in_turn(void) { begin(takes_of_all); }

static bool in_use;

static void uses_its_pages(void)
{
    touch(3);
    while (in_use) {
        sleep_for(TICK);
        for (size_t n = 0; n < 3; n++)
            assert_int_equal(word_at(PAGES_AT + n * PAGE_SIZE), n + 7);
    }
}

/* How many times in a row there is room, as all that a program has goes and is back. */
static unsigned rooms_made(uint64_t pause)
{
    unsigned rooms = 0;

    sleep_for(3 * TICK);
    while (rooms < 40 && make_room(ROOM_PORTION)) {
        assert_in_range(pages_out(ids[0]), 3, 4);
        rooms++;
        sleep_for(3 * TICK);
        assert_in_range(pages_out(ids[0]), 0, 1);
        the_time += pause;
    }
    return rooms;
}

static void makes_room_of_what_is_in_use(void)
{
    lock_own_page();
    in_use = true;
    ids[0] = fork_into(uses_its_pages);
    assert_int_equal(rooms_made(0), 15);
    assert_int_equal(rooms_made(0), 15);                /* the next process that ends, if need be */
    assert_int_equal(rooms_made(2000000000), 40);       /* the last one is forgotten by then */
    in_use = false;
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void pages_that_are_back_at_once_are_no_room(void) { begin(makes_room_of_what_is_in_use); }

/* ---- Another ends for its memory ---------------------------------------------------------------------------- */

static void ends_late(void)
{
    touch(200);
    wait_start(&current_process()->child_change);
    assert_int_equal(wait_linked(NEVER, 0), 0);         /* something keeps it from ending */
    wait_end();
}

static void waits_for_an_end(void)
{
    uint64_t began;

    ids[0] = fork_into(ends_late);
    give_way();
    assert_true(process_give_memory_back());
    began = clock_now();
    assert_true(make_room(1));                          /* a pause, and no page goes */
    assert_int_equal(clock_now() - began, TICK);
    look_ahead();
    assert_int_equal(clock_now() - began, TICK);
    assert_int_equal(pages_out(ids[0]), 0);
    wake_all(&process_find(ids[0])->child_change);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    current_process()->exiting = true;
    assert_false(make_room(1));
    assert_false(process_give_memory_back());
    current_process()->exiting = false;
    assert_int_equal(lines_told, 1);
}

static void while_a_process_ends_no_page_goes(void)
{
    the_time += 2000000000;
    begin(waits_for_an_end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(after_looks_in_vain_ever_more_calls_do_without),
        in_world(ahead_of_need_a_portion_goes_at_a_time),
        in_world(ahead_of_need_so_many_pages_are_looked_at),
        in_world(room_is_made_of_pages_that_nobody_has_used_lately),
        in_world(the_hand_goes_over_all_programs_in_turn),
        in_world(pages_that_are_back_at_once_are_no_room),
        in_world(while_a_process_ends_no_page_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
