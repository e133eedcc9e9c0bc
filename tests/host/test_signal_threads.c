/*
 * test_signal_threads.c - which threads a signal wakes, stops, sets going and ends.
 */
#include "signals_world.h"

/* ---- Whom they wake -------------------------------------------------------------------------------------- */

static void waits_for_a_signal(void)
{
    assert_int_equal(sleep_for(1000 * (uint64_t)TICK), -EINTR);
    passed++;
    exit_with(0);
}

static void blocks_while_it_waits(void)
{
    signal_set_mask(BIT(SIGUSR1));
    assert_int_equal(sleep_for(3 * TICK), -ETIMEDOUT);
    passed++;
}

static void wakes_others(void)
{
    uint64_t began;

    ids[0] = fork_into(waits_for_a_signal);
    ids[1] = fork_into(blocks_while_it_waits);
    process_find(ids[0])->actions->action[SIGUSR1].handler = 100;
    give_way();
    began = clock_now();
    kill(ids[0], SIGUSR1);
    kill(ids[1], SIGUSR1);
    give_way();
    assert_int_equal(passed, 1);
    assert_true(clock_now() == began);
    kill(ids[1], SIGURG);                               /* an ignored signal wakes no thread */
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
    assert_int_equal(passed, 2);
    assert_true(clock_now() >= began + 3 * TICK);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void a_signal_wakes_who_does_not_block_it(void) { begin(wakes_others); }

static void thread_with_open_mask(void)
{
    assert_int_equal(sleep_for(1000 * (uint64_t)TICK), -EINTR);
    ids[2] = current_thread()->id;
    exit_with(0);
}

static void two_threads_one_blocks(void)
{
    on_signal(SIGUSR1, 100, 0);
    ids[0] = thread_into(thread_that_blocks);
    ids[1] = thread_into(thread_with_open_mask);
    signal_set_mask(BIT(SIGUSR1));
    give_way();
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    sleeps_long();
}

static void a_signal_goes_to_a_thread_that_can_take_it(void)
{
    begin(two_threads_one_blocks);
    assert_int_equal(passed, 0);
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].thread, ids[2]);
}

static void waits_for_one_it_blocks(void)
{
    struct signal_info info;
    uint64_t           began = clock_now();

    signal_set_mask(BIT(SIGUSR1));
    current_thread()->waiting_for = BIT(SIGUSR1);               /* sigtimedwait() */
    sleep_for(1000 * (uint64_t)TICK);
    assert_true(signal_take(BIT(SIGUSR1), &info));
    assert_true(clock_now() < began + 100 * (uint64_t)TICK);
    passed++;
}

static void wakes_who_waits_for_it(void)
{
    ids[0] = fork_into(waits_for_one_it_blocks);
    give_way();
    kill(ids[0], SIGUSR1);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(passed, 1);
}

static void a_signal_that_is_waited_for_wakes_though_it_is_blocked(void) { begin(wakes_who_waits_for_it); }

static void members_hear(void)
{

    on_signal(SIGUSR1, 100, 0);
    ids[0] = fork_into(waits_for_a_signal);
    ids[1] = fork_into(waits_for_a_signal);
    assert_int_equal(process_set_group(ids[0], 0), 0);
    assert_int_equal(process_set_group(ids[1], ids[0]), 0);
    give_way();
    assert_int_equal(signal_group(99, SIGUSR1), -ESRCH);
    assert_int_equal(signal_group(ids[1], SIGUSR1), -ESRCH);      /* a number, but no group's */
    give_way();
    assert_int_equal(passed, 0);
    assert_int_equal(signal_group(ids[0], SIGUSR1), 0);
    give_way();
    assert_int_equal(passed, 2);
    assert_int_equal(handlers_run, 2);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(signal_group(ids[0], SIGUSR1), 0);           /* zombies are members */
    assert_int_equal(wait_for(-1, 0), ids[1]);
    assert_int_equal(signal_group(ids[0], SIGUSR1), -ESRCH);
}

static void a_group_hears_a_signal_together(void) { begin(members_hear); }

/* ---- Stops ----------------------------------------------------------------------------------------------- */

static void undoes_stops(void)
{
    signal_set_mask(~0ull);
    assert_int_equal(send(SIGTSTP, SI_USER, 0), 0);
    assert_int_equal(send_to_self(SIGTTIN, SI_USER), 0);
    assert_int_equal(send(SIGTTOU, SI_USER, 0), 0);
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    assert_int_equal(send(SIGCONT, SI_USER, 0), 0);
    assert_true(signals_waiting(current_thread()) == (BIT(SIGUSR1) | BIT(SIGCONT)));
    assert_int_equal(send(SIGTTIN, SI_USER, 0), 0);
    assert_true(signals_waiting(current_thread()) == (BIT(SIGUSR1) | BIT(SIGTTIN)));
    signal_forget(current_process(), ~0ull);
    signal_set_mask(0);
}

static void stops_and_sigcont_undo_each_other(void) { begin(undoes_stops); }

static void sleeper_to_stop(void)
{
    passed++;
    sleep_for(2 * TICK);
    passed++;
}

static void second_thread(void)
{
    sleep_for(2 * TICK);
    passed++;
    exit_with(0);
}

static void two_threads_to_stop(void)
{
    thread_into(second_thread);
    sleeper_to_stop();
    sleeps_long();
}

static void stops_two_threads(void)
{
    ids[0] = fork_into(two_threads_to_stop);
    give_way();
    kill(ids[0], SIGSTOP);
    give_way();
    assert_int_equal(process_find(ids[0])->state, PROCESS_STOPPED);
    sleep_for(5 * TICK);
    assert_int_equal(passed, 1);                        /* both threads stay stopped */
    for (const struct thread *t = process_find(ids[0])->threads; t != NULL; t = t->next_in_process)
        assert_int_equal(t->phase, THREAD_STOPPED);
    kill(ids[0], SIGUSR1);                              /* nothing else sets them going */
    give_way();
    assert_int_equal(process_find(ids[0])->state, PROCESS_STOPPED);
    signal_forget(process_find(ids[0]), BIT(SIGUSR1));
    kill(ids[0], SIGCONT);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, 0);
    assert_true(passed >= 2);
}

static void a_stop_is_one_of_all_threads(void) { begin(stops_two_threads); }

/* SIGCONT may come from an interrupt between a thread's look at the stop and its giving way. */
static void is_set_going_before_it_waits(void)
{
    assert_int_equal(current_process()->state, PROCESS_ALIVE);
    schedule_stop_here();
    passed++;
}

static void sigcont_is_not_missed(void)
{
    begin(is_set_going_before_it_waits);
    assert_int_equal(passed, 1);
}

static void kills_one_with_a_stop_of_its_own(void)
{
    struct signal_info stop = { .number = SIGSTOP };

    ids[0] = fork_into(sleeps_long);
    give_way();
    kill(ids[0], SIGSTOP);
    give_way();
    assert_int_equal(process_find(ids[0])->state, PROCESS_STOPPED);
    kill(ids[0], SIGKILL);
    signal_thread(thread_find(ids[0]), &stop);          /* is taken first, as the thread's own signals are */
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, SIGKILL);
}

static void who_is_to_end_does_not_stop(void) { begin(kills_one_with_a_stop_of_its_own); }

/* ---- The end of threads in exec -------------------------------------------------------------------------- */

static void is_killed_alone(void)
{
    passed++;
    sleep_for(1000 * (uint64_t)TICK);
    passed += 100;
}

static void lets_one_thread_end(void)
{
    struct signal_info kill_it = { .number = SIGKILL };

    ids[0] = thread_into(is_killed_alone);
    give_way();
    current_process()->survivor = current_thread();
    signal_thread(thread_find(ids[0]), &kill_it);
    give_way();
    assert_null(thread_find(ids[0]));                   /* the thread ends, the process goes on */
    current_process()->survivor = NULL;
    assert_int_equal(current_process()->thread_count, 1);
    passed += 10;
}

static void whoever_is_in_exec_ends_the_others_alone(void)
{
    begin(lets_one_thread_end);
    assert_int_equal(passed, 11);
}

static void gets_every_default(void)
{
    for (int signal = 1; signal <= SIGNALS; signal++) {
        bool stops = signal >= SIGSTOP && signal <= SIGTTOU;
        bool ignored = signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;

        if (stops)
            continue;
        ids[0] = fork_into(sleeper_to_stop);
        give_way();
        kill(ids[0], signal);
        assert_int_equal(wait_for(ids[0], 0), ids[0]);
        assert_int_equal(waited.status, ignored ? 0 : signal);
    }
}

static void without_a_handler_most_signals_end_a_program(void) { begin(gets_every_default); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_signal_wakes_who_does_not_block_it),
        in_world(a_signal_goes_to_a_thread_that_can_take_it),
        in_world(a_signal_that_is_waited_for_wakes_though_it_is_blocked),
        in_world(a_group_hears_a_signal_together),
        in_world(stops_and_sigcont_undo_each_other),
        in_world(a_stop_is_one_of_all_threads),
        in_world(sigcont_is_not_missed),
        in_world(who_is_to_end_does_not_stop),
        in_world(whoever_is_in_exec_ends_the_others_alone),
        in_world(without_a_handler_most_signals_end_a_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
