/*
 * test_schedule_alone.c - a thread that gives way to nobody, and what the idle thread's turns count as.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(who_gives_way_to_nobody_goes_on_without_a_switch),
        in_world(the_idle_thread_is_never_in_the_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
