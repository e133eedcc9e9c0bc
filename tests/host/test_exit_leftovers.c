/*
 * test_exit_leftovers.c - what a thread, a process or a member of a group leaves behind when it goes: nothing.
 */
#include "process_notes.h"

/* ---- What a process still has when it ends ------------------------------------------------------------------ */

static void ends_with_timers(void)
{
    struct timer_request request = { .signal = SIGUSR1 };
    struct alarm_state   old;

    for (int id = 0; id < 3; id++) {
        assert_int_equal(process_timer_create(current_process(), &request), id);
        assert_int_equal(process_timer_set(current_process(), id, false, (uint64_t)(id + 1) * TICK, TICK, &old), 0);
    }
    assert_int_equal(process_timer_delete(current_process(), 1), 0);
    process_set_alarm(current_process(), TICK, TICK);
    exit_with(4);
}

static void lets_timers_be_due(void)
{
    ids[0] = fork_into(ends_with_timers);
    sleep_for(6 * TICK);
    assert_null(process_find(ids[0])->timers);
    assert_false(process_find(ids[0])->alarm.armed);
    assert_null(timers_broken());
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, 4 << 8);
}

static void timers_go_with_their_process(void) { begin(lets_timers_be_due); }

static void ends_alone(void) { thread_exit(0); }

/* What each thread has used is the process's when the thread has ended. */
static void uses_and_ends(void)
{
    current_thread()->used.reads    += 5;
    current_thread()->used.bytes_written += 700;
    thread_exit(0);
}

static void has_two_that_use(void)
{
    struct resource_usage used;

    thread_into(uses_and_ends);
    thread_into(uses_and_ends);
    give_way();
    assert_int_equal(current_process()->used.reads, 10);
    assert_int_equal(current_process()->used.bytes_written, 1400);
    current_thread()->used.reads++;
    process_usage(current_process(), &used);
    assert_int_equal(used.reads, 11);
    assert_int_equal(current_process()->used.reads, 10);
}

static void what_threads_have_used_stays_with_their_process(void) { begin(has_two_that_use); }

/* A timer that was not told what to say says its number. */
static void has_two_timers(void)
{
    struct timer_request request = { .signal = SIGUSR1 };
    struct alarm_state   old;

    on_signal(SIGUSR1, 100, SA_NODEFER);
    for (int id = 0; id < 3; id++) {
        request.has_value = id == 2;
        request.value     = 99;
        assert_int_equal(process_timer_create(current_process(), &request), id);
        assert_int_equal(process_timer_set(current_process(), id, false, (uint64_t)(id + 1) * TICK, 0, &old), 0);
    }
    for (int id = 0; id < 3; id++) {
        tick();
        back();
        assert_int_equal(handlers_run, id + 1);
        assert_int_equal(handled[id].info.timer, id);
        assert_int_equal(handled[id].info.value, id == 2 ? 99 : id);
    }
}

static void a_timer_says_which_one_it_is(void) { begin(has_two_timers); }

/* A timer tells a thread of its own process, or none; when that thread has ended it goes on, and tells nobody. */
static void asks_for_a_thread_elsewhere(void)
{
    struct timer_request request = { .signal = SIGUSR1 };
    struct alarm_state   state;
    int                  id;

    ids[0] = fork_into(sleeps_long);
    request.thread = ids[0];
    assert_int_equal(process_timer_create(current_process(), &request), -EINVAL);
    request.thread = thread_into(ends_alone);
    id = process_timer_create(current_process(), &request);
    assert_int_equal(id, 0);
    assert_int_equal(process_timer_set(current_process(), id, false, 2 * TICK, 2 * TICK, &state), 0);
    give_way();
    assert_null(thread_find(request.thread));
    on_signal(SIGUSR1, 100, SA_NODEFER);
    sleep_for(9 * TICK);
    assert_int_equal(handlers_run, 0);
    assert_int_equal(process_timer_get(current_process(), id, &state), 0);
    assert_in_range(state.left, 1, 2 * TICK);
    assert_int_equal(process_timer_delete(current_process(), id), 0);
    kill(ids[0], SIGKILL);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void a_timer_for_a_thread_tells_no_other(void) { begin(asks_for_a_thread_elsewhere); }

/* ---- What a thread still has ---------------------------------------------------------------------------------- */

static void ends_with_signals(void)
{
    struct signal_info info = { .number = 40, .code = -1, .value = 5 };

    current_thread()->mask = ~0ull;
    assert_int_equal(signal_thread(current_thread(), &info), 0);
    assert_int_equal(signal_thread(current_thread(), &info), 0);
    thread_exit(0);
}

static void has_a_thread_with_signals(void)
{
    uint32_t queued = current_thread()->credentials->account->signals;

    thread_into(ends_with_signals);
    give_way();
    assert_int_equal(current_process()->thread_count, 1);
    assert_int_equal(current_thread()->credentials->account->signals, queued);
    give_way();
    assert_int_equal(threads_alive(), 1);
}

static void signals_for_a_thread_go_with_it(void) { begin(has_a_thread_with_signals); }

/* ---- exec waits for the others --------------------------------------------------------------------------------- */

/* It is in the kernel, and ends when it comes back to its program. */
static void is_busy_in_the_kernel(void)
{
    for (int turns = 0; turns < 3; turns++)
        give_way_inside();
    note('k');
    back();
    note('!');
}

static void remains(void)
{
    thread_into(is_busy_in_the_kernel);
    give_way();
    assert_int_equal(thread_stay_alone(), 0);
    note('r');
    assert_int_equal(current_process()->thread_count, 1);
    exit_with(3);
}

static void has_one_that_remains(void)
{
    uint64_t began = clock_now();

    ids[0] = fork_into(remains);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, 3 << 8);
    assert_string_equal(order, "kr");
    assert_true(clock_now() - began < 100 * TICK);
}

static void exec_goes_on_when_the_last_other_thread_has_ended(void) { begin(has_one_that_remains); }

/* ---- Groups ------------------------------------------------------------------------------------------------------ */

static void leaves_its_group_and_makes_it_again(void)
{
    int32_t own = current_process()->id;

    on_signal(SIGUSR1, 100, SA_NODEFER);
    assert_int_equal(process_set_group(0, 0), 0);
    assert_int_equal(process_set_group(0, 1), 0);
    assert_int_equal(signal_group(own, SIGUSR1), -ESRCH);
    assert_int_equal(process_set_group(0, 0), 0);
    assert_int_equal(signal_group(own, SIGUSR1), 0);
    back();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.code, 128);        /* SI_KERNEL: nobody in particular has sent it */
    assert_int_equal(handled[0].info.sender, 0);
    assert_int_equal(signal_group(own, SIGUSR1), 0);
    back();
    assert_int_equal(handlers_run, 2);
    assert_int_equal(process_set_group(0, 1), 0);
    assert_int_equal(signal_group(own, SIGUSR1), -ESRCH);
    assert_int_equal(process_set_group(0, 0), 0);
    back();
    assert_int_equal(handlers_run, 2);
    assert_int_equal(signal_group(own, SIGUSR1), 0);
    back();
    assert_int_equal(handlers_run, 3);
}

static void has_one_that_leaves(void)
{
    process_set_group(0, 0);
    ids[0] = fork_into(leaves_its_group_and_makes_it_again);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, 0);
}

static void a_group_that_was_empty_hears_what_is_sent_to_it_then(void) { begin(has_one_that_leaves); }

/* Each end of a leader looks for another link, and finds one: as often as there are places for such looks, and more. */
static void stops_in_a_group_of_its_own(void)
{
    process_set_group(0, 0);
    kill(current_process()->id, SIGSTOP);
    sleep_for(100 * TICK);
}

static void leaves_a_linked_group(void)
{
    ids[1] = fork_into(stops_in_a_group_of_its_own);
    ids[2] = fork_into(does_nothing);
    give_way();
    ids[3] = fork_into(sleeps_long);
    ids[4] = fork_into(sleeps_long);
    assert_int_equal(process_set_group(ids[4], ids[1]), 0);
    lock_state state = lock_take(&process_lock);
    process_adopt(process_numbered(ids[3]), process_numbered(ids[4]));
    lock_drop(&process_lock, state);
}

static void ends_links_often(void)
{
    for (int n = 0; n < 20; n++) {
        ids[0] = fork_into(leaves_a_linked_group);
        assert_int_equal(wait_for(ids[0], 0), ids[0]);
        assert_int_equal(process_find(ids[1])->state, PROCESS_STOPPED);
        kill(ids[1], SIGKILL);
        kill(ids[3], SIGKILL);
        kill(ids[4], SIGKILL);
        while (wait_for(-1, 0) > 0)
            ;
    }
    check_families();
}

static void a_link_that_is_found_ends_the_look(void) { begin(ends_links_often); }

/* ---- What children say at their end ----------------------------------------------------------------------------- */

static void asks_for_signals_that_are_none(void)
{
    static const struct { int asked, heard; } exits[] = {
        { SIGNALS, SIGNALS }, { SIGNALS + 1, 0 }, { 255, 0 }, { -1, 0 }, { 0, 0 }, { 1, 1 }, { SIGCHLD, SIGCHLD },
    };

    for (int number = 1; number <= SIGNALS; number++)
        on_signal(number, 100, SA_NODEFER);
    for (unsigned i = 0; i < COUNT_OF(exits); i++) {
        unsigned before = handlers_run;

        clone_into(exits_with_7, (struct clone_request){ .exit_signal = exits[i].asked });
        assert_true(wait_for(-1, WAIT_ALL_KINDS) > 0);
        back();
        assert_int_equal(handlers_run - before, exits[i].heard != 0);
        if (exits[i].heard != 0)
            assert_int_equal(handled[before].info.number, exits[i].heard);
    }
}

static void a_child_says_with_which_signal_it_ends_or_says_nothing(void) { begin(asks_for_signals_that_are_none); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(timers_go_with_their_process),
        in_world(a_timer_for_a_thread_tells_no_other),
        in_world(what_threads_have_used_stays_with_their_process),
        in_world(a_timer_says_which_one_it_is),
        in_world(signals_for_a_thread_go_with_it),
        in_world(exec_goes_on_when_the_last_other_thread_has_ended),
        in_world(a_group_that_was_empty_hears_what_is_sent_to_it_then),
        in_world(a_link_that_is_found_ends_the_look),
        in_world(a_child_says_with_which_signal_it_ends_or_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
