/*
 * test_usage_limits.c - to the nanosecond: when a program that runs on reaches its limit of processor time; and how
 * many processes and threads there have been.
 */
#include "process_notes.h"

#define SECOND 1000000000ull

static struct process *self(void) { return current_process(); }

static void limit(uint64_t soft, uint64_t hard)
{
    self()->limits[RLIMIT_CPU] = (struct limit){ soft, hard };
    process_watch_cpu_limit(self());
}

/* ---- The moment ------------------------------------------------------------------------------------------- */

static void is_watched(void)
{
    uint64_t began = the_time;

    on_signal(SIGXCPU, 100, SA_NODEFER);
    the_time += 12345;
    limit(2, 10);
    assert_int_equal(alarm_moment, began + 2 * SECOND);         /* what it has used counts */
    pass_time(2 * SECOND - 12345 - 1);
    back();
    assert_int_equal(handlers_run, 0);
    pass_time(1);
    back();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.number, SIGXCPU);
    assert_int_equal(handled[0].info.code, SI_KERNEL);
    assert_int_equal(alarm_moment, began + 3 * SECOND);
    pass_time(SECOND);
    back();
    assert_int_equal(handlers_run, 2);
    limit(20, 30);                              /* a new limit: the old one is no more */
    pass_time(15 * SECOND);
    back();
    assert_int_equal(handlers_run, 2);
    limit(LIMIT_NONE, LIMIT_NONE);
    pass_time(100 * SECOND);
    back();
    assert_int_equal(handlers_run, 2);
}

static void a_limit_is_reached_at_its_moment_and_each_second_on(void) { begin(is_watched); }

static void runs_to(uint64_t soft, uint64_t hard)
{
    on_signal(SIGXCPU, 100, SA_NODEFER);
    limit(soft, hard);
    for (;;) {
        pass_time(SECOND / 2);
        back();
    }
}

static void has_one_for_both(void)  { runs_to(2, 2); }
static void has_a_second_more(void) { runs_to(2, 3); }
static void has_none_at_first(void) { runs_to(0, 1); }

static void expect_end(void (*program)(void), unsigned warnings, uint64_t used)
{
    handlers_run = 0;
    ids[0] = fork_into(program);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, SIGKILL);
    assert_int_equal(handlers_run, warnings);
    assert_in_range(waited.usage.user_time, used, used + SECOND / 2);
}

static void starts_them(void)
{
    expect_end(has_one_for_both, 0, 2 * SECOND);
    expect_end(has_a_second_more, 1, 3 * SECOND);
    expect_end(has_none_at_first, 0, SECOND);
}

static void at_the_hard_limit_the_program_ends(void) { begin(starts_them); }

static void has_very_large_limits(void)
{
    const uint64_t most = UINT64_MAX / SECOND;

    limit(most - 1, LIMIT_NONE);
    assert_true(self()->cpu_due == (most - 1) * SECOND);
    limit(most, LIMIT_NONE);
    assert_true(self()->cpu_due == NEVER);
    limit(most + 1, LIMIT_NONE);
    assert_true(self()->cpu_due == NEVER);
    limit(0, LIMIT_NONE);
    assert_true(self()->cpu_due == SECOND);
    limit(1, LIMIT_NONE);
    assert_true(self()->cpu_due == SECOND);
    limit(LIMIT_NONE, LIMIT_NONE);
}

static void a_limit_beyond_the_clock_is_none(void) { begin(has_very_large_limits); }

/* ---- Threads ---------------------------------------------------------------------------------------------- */

static uint64_t spent;

static void spends(void)
{
    the_time += spent;
    give_way();
    the_time += spent;
    thread_exit(0);
}

/* All threads' turns count, of those that wait and of those that have ended. */
static void has_threads(void)
{
    uint64_t before = process_time(self());

    spent = 1000;
    ids[0] = thread_into(spends);
    thread_into(spends);
    assert_int_equal(thread_time(thread_find(ids[0])), 0);
    the_time += 7;
    assert_int_equal(process_time(self()) - before, 7);
    give_way();
    assert_int_equal(process_time(self()) - before, 2007);
    assert_int_equal(thread_time(current_thread()), 7 + before);
    assert_int_equal(thread_time(thread_find(ids[0])), 1000);
    give_way();
    assert_int_equal(threads_alive(), 1);
    assert_int_equal(process_time(self()) - before, 4007);
    assert_int_equal(thread_time(current_thread()), 7 + before);
}

static void a_processs_time_is_that_of_all_its_threads(void) { begin(has_threads); }

static void makes_some(void)
{
    uint64_t made = processes_made();

    assert_int_equal(threads_alive(), 1);
    assert_int_equal(processes_alive(), 1);
    ids[0] = fork_into(sleeps_long);
    ids[1] = thread_into(sleeps_long);
    assert_int_equal(processes_made(), made + 2);
    assert_int_equal(threads_alive(), 3);
    assert_int_equal(processes_alive(), 2);
    assert_int_equal(process_last_number(), ids[1]);
    assert_int_equal(self()->credentials->account->threads, 3);
    kill(ids[0], SIGKILL);
    give_way();
    assert_int_equal(self()->credentials->account->threads, 3);         /* it has not been waited for */
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(self()->credentials->account->threads, 2);
    assert_int_equal(processes_made(), made + 2);
    assert_int_equal(threads_alive(), 2);
    assert_int_equal(processes_alive(), 1);
    exit_with(0);
}

static void what_is_made_is_counted_and_so_is_what_is_left(void) { begin(makes_some); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_limit_is_reached_at_its_moment_and_each_second_on),
        in_world(at_the_hard_limit_the_program_ends),
        in_world(a_limit_beyond_the_clock_is_none),
        in_world(a_processs_time_is_that_of_all_its_threads),
        in_world(what_is_made_is_counted_and_so_is_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
