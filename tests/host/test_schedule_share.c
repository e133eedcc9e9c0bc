/*
 * test_schedule_share.c - who has the next turn: one thread alone, at a point of rest, the idle thread.
 */
#include "process_notes.h"

enum { SLICE = 5 * TICK };

static bool     first_answer, second_answer;
static uint64_t next_alarm;

static void is_ready_for_a_while(void)
{
    note('r');
    thread_exit(0);
}

/* The other thread's turn is due, comes, and is over. */
static void rests_when_it_is_due(void)
{
    thread_into(is_ready_for_a_while);
    assert_false(point_of_rest());                      /* its turn has only begun */
    assert_string_equal(order, "");
    pass_time(SLICE);
    first_answer = point_of_rest();
    assert_string_equal(order, "r");
    second_answer = point_of_rest();
    exit_with(0);
}

static void a_point_of_rest_says_whether_others_had_a_turn(void)
{
    first_answer = second_answer = false;
    begin(rests_when_it_is_due);
    assert_true(first_answer);
    assert_false(second_answer);
    assert_false(point_of_rest());                      /* the idle thread gives way nowhere but in its loop */
}

static void is_told_between(void)
{
    assert_int_equal(schedule_between(), 0);
    thread_into(is_ready_for_a_while);
    pass_time(SLICE);
    assert_int_equal(schedule_between(), 0);
    assert_string_equal(order, "r");
    on_signal(SIGUSR1, 100, 0);
    assert_int_equal(signal_process(current_process(), &(struct signal_info){ .number = SIGUSR1 }), 0);
    assert_int_equal(schedule_between(), -EINTR);
    back();
    assert_int_equal(schedule_between(), 0);
    exit_with(0);
}

static void between_two_steps_signals_and_others_have_their_turn(void) { begin(is_told_between); }

/* One that waits for its turn has it when the one that runs has had all of its own, not earlier. */
static void is_watched_while_another_is_ready(void)
{
    pass_time(2 * TICK);
    thread_into(is_ready_for_a_while);
    pass_time(SLICE - 2 * TICK - 1);
    back();
    assert_string_equal(order, "");
    pass_time(1);
    back();
    assert_string_equal(order, "r");
    give_way();                                         /* nobody is ready: this turn goes on */
    pass_time(2 * SLICE);                               /* the watch that was set ends */
    next_alarm = alarm_moment - the_time;
    exit_with(0);
}

static void a_thread_that_is_alone_is_not_interrupted_for_its_turn(void)
{
    begin(is_watched_while_another_is_ready);
    assert_true(next_alarm > 4 * (uint64_t)SLICE);
}

/* ---- The idle thread has turns as others do: the last test, as it is so for good ------------------------------ */

static void gives_way_thrice(void)
{
    for (int i = 0; i < 3; i++) {
        note('p');
        give_way();
    }
    exit_with(0);
}

static void turns_with_idle(unsigned turns)
{
    order[0] = 0;
    start_program(gives_way_thrice);
    for (unsigned i = 0; i < turns; i++) {
        note('i');
        schedule();
    }
    run();
}

static void the_boot_stack_shares_where_it_serves_a_console(void)
{
    turns_with_idle(2);
    assert_string_equal(order, "ipppi");                /* programs first, all their turns */
    schedule_share();
    turns_with_idle(4);
    assert_string_equal(order, "ipipipi");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_point_of_rest_says_whether_others_had_a_turn),
        in_world(between_two_steps_signals_and_others_have_their_turn),
        in_world(a_thread_that_is_alone_is_not_interrupted_for_its_turn),
        in_world(the_boot_stack_shares_where_it_serves_a_console),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
