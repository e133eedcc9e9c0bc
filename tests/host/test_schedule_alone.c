/*
 * test_schedule_alone.c - a thread that gives way to nobody, what the idle thread's turns count as, and a waiter alone
 * in its queue.
 */
#include "process_notes.h"

static void gives_way_to_nobody(void)
{
    uint64_t              switched = schedule_switches();
    struct resource_usage before   = current_thread()->used;

    assert_int_equal(schedule_ready(), 0);
    schedule();
    schedule();
    assert_int_equal(schedule_switches(), switched);
    assert_int_equal(current_thread()->used.switches_involuntary, before.switches_involuntary);
    assert_int_equal(current_thread()->used.switches_voluntary, before.switches_voluntary);
    assert_int_equal(current_thread()->phase, THREAD_RUNNING);
    assert_null(schedule_broken());
    schedule_hurry();
    assert_true(schedule_due);
    back();
    assert_false(schedule_due);                 /* done: it is not asked for again */
    assert_int_equal(schedule_switches(), switched);
    fork_into(does_nothing);
    schedule();                                 /* to the child, which ends and gives the turn back */
    assert_int_equal(schedule_switches(), switched + 2);
    assert_int_equal(current_thread()->used.switches_involuntary, before.switches_involuntary + 1);
    assert_int_equal(wait_for(-1, 0), 2);
}

static void who_gives_way_to_nobody_goes_on_without_a_switch(void) { begin(gives_way_to_nobody); }

/* The test itself is the idle thread: it does not wait, it has something to do as long as no other thread has. */
static void the_idle_thread_is_never_in_the_queue(void)
{
    struct thread *idle        = current_thread();
    uint64_t       involuntary = idle->used.switches_involuntary, voluntary = idle->used.switches_voluntary;

    order[0] = 0;
    schedule();                                 /* to itself */
    assert_int_equal(idle->used.switches_involuntary, involuntary);
    start_program(does_nothing);
    assert_int_equal(schedule_ready(), 1);
    assert_int_equal(schedule_running(), 1);
    schedule();
    assert_int_equal(processes_alive(), 0);
    assert_int_equal(schedule_ready(), 0);
    assert_int_equal(idle->phase, THREAD_RUNNING);
    assert_int_equal(idle->used.switches_involuntary, involuntary + 1);
    assert_int_equal(idle->used.switches_voluntary, voluntary);
}

/* ---- One waiter alone in its queue ------------------------------------------------------------------------------ */

static struct wait_queue queue;

static void waits_for_events(void)
{
    for (int event = 0; event < 3; event++) {
        if (event == 1)
            wait_start(&queue);
        else
            wait_start_exclusive(&queue);
        assert_int_equal(wait_linked(NEVER, 0), 0);
        wait_end();
        note((char)('0' + event));
    }
}

/* An event that finds its only waiter woken already is nobody's, where one waiter takes one event. */
static void tells_of_events(void)
{
    fork_into(waits_for_events);
    give_way();
    assert_true(wake_for(&queue, 0));
    assert_false(wake_for(&queue, 0));
    assert_null(wakes_broken());
    give_way();
    assert_string_equal(order, "0");
    assert_true(wake_for(&queue, 0));
    assert_true(wake_for(&queue, 0));           /* a waiter that is not exclusive hears of all events */
    give_way();
    assert_string_equal(order, "01");
    wake_one(&queue);
    assert_false(wake_for(&queue, 0));
    give_way();
    assert_string_equal(order, "012");
    assert_false(wake_for(&queue, 0));
    assert_int_equal(wait_for(-1, 0), 2);
}

static void one_event_is_for_one_waiter(void) { begin(tells_of_events); }

/* ---- Work that comes again and again while threads run -------------------------------------------------------- */

static unsigned chores_done;

static void do_one(void) { chores_done++; }

static void starts_a_chore(void)
{
    static struct chore chore = { .work = do_one, .interval = 2 * TICK };

    chore_start(&chore);                        /* a thread runs: it need not rest first */
    assert_int_equal(chores_done, 0);
    sleep_for(2 * TICK);
    assert_int_equal(chores_done, 1);
    for (int i = 0; i < 4; i++)
        tick();
    assert_in_range(chores_done, 2, 3);
}

static void a_chore_begins_with_the_thread_that_starts_it(void) { begin(starts_a_chore); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(who_gives_way_to_nobody_goes_on_without_a_switch),
        in_world(the_idle_thread_is_never_in_the_queue),
        in_world(one_event_is_for_one_waiter),
        in_world(a_chore_begins_with_the_thread_that_starts_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
