/*
 * test_signal_quiet.c - what a signal leaves alone: other signals that wait, and threads that it is not for.
 */
#include "process_notes.h"

#include "process/rouse.h"

enum { SIGHUP_BIT = 1 };

static int32_t  sleeper;
static uint64_t slept;
static int      ended_by;

/* Each wait and its end. */
static void sleeps_a_while(void)
{
    uint64_t began = clock_now();

    ended_by = sleep_for(20 * (uint64_t)TICK);
    slept    = clock_now() - began;
    note('e');
}

static void send(int signal)
{
    assert_int_equal(signal_process(process_find(sleeper), &(struct signal_info){ .number = signal }), 0);
    give_way();
}

/* Signals that nobody hears: ignored by themselves, and a SIGCONT to one that runs. */
static void sends_what_is_ignored(void)
{
    sleeper = fork_into(sleeps_a_while);
    give_way();
    send(SIGCONT);
    send(SIGCHLD);
    send(SIGURG);
    send(SIGWINCH);
    sleep_for(5 * TICK);
    send(SIGCONT);
    assert_int_equal(wait_for(sleeper, 0), sleeper);
    assert_int_equal(ended_by, -ETIMEDOUT);
    assert_true(slept >= 20 * (uint64_t)TICK);
}

static void an_ignored_signal_ends_no_wait(void) { begin(sends_what_is_ignored); }

static void blocks_and_sleeps(void)
{
    signal_set_mask(1ull << (SIGUSR1 - 1));
    sleeps_a_while();
    signal_set_mask(0);
    back();
    note('?');
}

static void sends_what_is_blocked(void)
{
    sleeper = fork_into(blocks_and_sleeps);
    give_way();
    send(SIGUSR1);
    sleep_for(5 * TICK);
    assert_string_equal(order, "");
    assert_int_equal(wait_for(sleeper, 0), sleeper);
    assert_int_equal(waited.status, SIGUSR1);
    assert_int_equal(ended_by, -ETIMEDOUT);
    assert_string_equal(order, "e");
}

static void a_blocked_signal_ends_no_wait(void) { begin(sends_what_is_blocked); }

/* ---- What waits already -------------------------------------------------------------------------------------- */

static uint64_t waiting_signals(void)
{
    const struct thread *thread = thread_find(sleeper);

    return thread->pending.pending;
}

static void blocks_all(void)
{
    signal_set_mask(~0ull);
    for (;;)
        sleep_for(1000ull * TICK);
}

/* Each signal but those that undo others leaves a SIGHUP that waits for the thread. */
static void sends_each_beside_one_that_waits(void)
{
    sleeper = fork_into(blocks_all);
    give_way();
    assert_int_equal(signal_thread(thread_find(sleeper), &(struct signal_info){ .number = SIGHUP }), 0);
    assert_int_equal(signal_thread(thread_find(sleeper), &(struct signal_info){ .number = 64 }), 0);
    for (int number = 1; number <= SIGNALS; number++)
        if (number != SIGKILL && number != SIGSTOP) {
            assert_int_equal(signal_process(process_find(sleeper), &(struct signal_info){ .number = number }), 0);
            assert_true(waiting_signals() == (SIGHUP_BIT | 1ull << 63));
            give_way();
        }
    send(SIGSTOP);
    give_way();
    assert_int_equal(process_find(sleeper)->state, PROCESS_STOPPED);
    assert_true(waiting_signals() == (SIGHUP_BIT | 1ull << 63));
    send(SIGCONT);
    give_way();
    assert_int_equal(process_find(sleeper)->state, PROCESS_ALIVE);
    assert_true(waiting_signals() == (SIGHUP_BIT | 1ull << 63));
    send(SIGKILL);
    assert_int_equal(wait_for(sleeper, 0), sleeper);
}

static void one_signal_leaves_others_that_wait(void) { begin(sends_each_beside_one_that_waits); }

static bool waits_for_thread(int number) { return waiting_signals() & 1ull << (number - 1); }

static bool waits_for_process(int number)
{
    return process_find(sleeper)->pending.pending & 1ull << (number - 1);
}

/* Of stops and SIGCONT the later undoes the earlier, wherever that waits. */
static void sends_stops_and_goings_on(void)
{
    static const int stops[] = { SIGTSTP, SIGTTIN, SIGTTOU };

    sleeper = fork_into(blocks_all);
    give_way();
    for (unsigned i = 0; i < COUNT_OF(stops); i++) {
        assert_int_equal(signal_thread(thread_find(sleeper), &(struct signal_info){ .number = stops[i] }), 0);
        send(stops[i]);
        assert_true(waits_for_thread(stops[i]) && waits_for_process(stops[i]));
    }
    assert_int_equal(signal_thread(thread_find(sleeper), &(struct signal_info){ .number = SIGCONT }), 0);
    for (unsigned i = 0; i < COUNT_OF(stops); i++)
        assert_false(waits_for_thread(stops[i]) || waits_for_process(stops[i]));
    assert_true(waits_for_thread(SIGCONT));
    send(SIGCONT);
    assert_true(waits_for_process(SIGCONT));
    send(SIGTTOU);
    assert_false(waits_for_thread(SIGCONT) || waits_for_process(SIGCONT));
    send(SIGKILL);
    assert_int_equal(wait_for(sleeper, 0), sleeper);
}

static void of_stops_and_goings_on_the_last_stays(void) { begin(sends_stops_and_goings_on); }

/* ---- What a process's state is not changed by ------------------------------------------------------------- */

static void stays_stopped(void)
{
    static const int others[] = { SIGUSR1, SIGTERM, SIGHUP, SIGSTOP, SIGTSTP, 40 };

    sleeper = fork_into(blocks_all);
    give_way();
    send(SIGSTOP);
    give_way();
    for (unsigned i = 0; i < COUNT_OF(others); i++) {
        send(others[i]);
        assert_int_equal(process_find(sleeper)->state, PROCESS_STOPPED);
    }
    send(SIGKILL);
    assert_int_equal(wait_for(sleeper, 0), sleeper);
    assert_int_equal(waited.status, SIGKILL);
}

static void only_two_signals_set_a_stopped_process_going(void) { begin(stays_stopped); }

/* A process that has not stopped does not say that it goes on. */
static void continues_one_that_runs(void)
{
    sleeper = fork_into(sleeps_long);
    give_way();
    send(SIGCONT);
    assert_false(process_find(sleeper)->continued);
    assert_false(process_find(sleeper)->notify_continue);
    assert_int_equal(wait_for(sleeper, NOHANG | CONTINUED), 0);
    send(SIGSTOP);
    give_way();
    send(SIGKILL);                              /* which sets it going as well, and is no going on to be told of */
    assert_false(process_find(sleeper)->continued);
    assert_int_equal(wait_for(sleeper, CONTINUED), sleeper);
    assert_int_equal(waited.status, SIGKILL);
}

static void who_has_not_stopped_does_not_go_on(void) { begin(continues_one_that_runs); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(an_ignored_signal_ends_no_wait),
        in_world(a_blocked_signal_ends_no_wait),
        in_world(one_signal_leaves_others_that_wait),
        in_world(of_stops_and_goings_on_the_last_stays),
        in_world(only_two_signals_set_a_stopped_process_going),
        in_world(who_has_not_stopped_does_not_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
