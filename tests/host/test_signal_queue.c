/*
 * test_signal_queue.c - how many signals may wait with what they say, what comes of those that may not, in which order
 * they are taken, and what a call that they interrupt is told.
 */
#include "process_notes.h"

static int send(int number, int code, long value)
{
    struct signal_info info = { .number = number, .code = code, .value = (uintptr_t)value,
                                .sender = current_process()->id };

    return signal_process(current_process(), &info);
}

static int send_to_thread(int number, int code)
{
    struct signal_info info = { .number = number, .code = code };

    return signal_thread(current_thread(), &info);
}

static uint32_t queued(void) { return current_thread()->credentials->account->signals; }

static void expect_signal(int number, long value)
{
    struct signal_info info = { 0 };

    assert_true(signal_take(~0ull, &info));
    assert_int_equal(info.number, number);
    assert_int_equal(info.value, value);
}

enum { QUEUED = -1, PLAIN = 0 };

static void sends_too_many(void)
{
    uint32_t before = queued();

    current_thread()->mask = ~0ull;
    current_process()->limits[RLIMIT_SIGPENDING].soft = before + 2;
    assert_int_equal(send(40, QUEUED, 1), 0);
    assert_int_equal(send(40, QUEUED, 2), 0);
    assert_int_equal(queued(), before + 2);
    assert_int_equal(send(40, QUEUED, 3), -EAGAIN);
    assert_int_equal(send_to_thread(41, QUEUED), -EAGAIN);
    assert_int_equal(queued(), before + 2);
    assert_int_equal(send(42, PLAIN, 0), 0);            /* kill(): it comes, and says nothing of its sender */
    assert_int_equal(send(SIGUSR1, PLAIN, 7), 0);       /* one of each ordinary number has no limit */
    assert_int_equal(queued(), before + 3);
    assert_int_equal(send(SIGUSR1, PLAIN, 8), 0);       /* waits already */
    assert_int_equal(queued(), before + 3);
    expect_signal(SIGUSR1, 7);
    expect_signal(40, 1);
    assert_int_equal(queued(), before + 1);
    assert_int_equal(send(40, QUEUED, 4), 0);
    expect_signal(40, 2);
    expect_signal(40, 4);
    expect_signal(42, 0);
    assert_false(signal_take(~0ull, &(struct signal_info){ 0 }));
    assert_int_equal(queued(), before);
    current_thread()->mask = 0;
}

static void as_many_signals_wait_as_may(void) { begin(sends_too_many); }

static void sends_without_memory(void)
{
    uint32_t before = queued();

    current_thread()->mask = ~0ull;
    heap_drain();
    heap_fail_at(1);
    assert_int_equal(send(40, QUEUED, 1), -EAGAIN);
    heap_fail_at(1);
    assert_int_equal(send(SIGUSR2, QUEUED, 1), 0);
    heap_fail_at(0);
    assert_int_equal(queued(), before);
    expect_signal(SIGUSR2, 0);
    assert_false(signal_take(~0ull, &(struct signal_info){ 0 }));
    current_thread()->mask = 0;
}

static void without_memory_an_ordinary_signal_comes_all_the_same(void) { begin(sends_without_memory); }

/* The thread's own before the process's, and of each the lowest number first, whatever came first. */
static void takes_in_order(void)
{
    current_thread()->mask = ~0ull;
    assert_int_equal(send(50, QUEUED, 1), 0);
    assert_int_equal(send(34, QUEUED, 2), 0);
    assert_int_equal(send(50, QUEUED, 3), 0);
    assert_int_equal(send(SIGHUP, PLAIN, 4), 0);
    assert_int_equal(send_to_thread(60, QUEUED), 0);
    expect_signal(60, 0);
    expect_signal(SIGHUP, 4);
    expect_signal(34, 2);
    expect_signal(50, 1);
    expect_signal(50, 3);
    assert_int_equal(send(50, QUEUED, 5), 0);           /* a number whose last one was taken begins anew */
    expect_signal(50, 5);
    current_thread()->mask = 0;
}

static void signals_are_taken_by_number_and_then_by_age(void) { begin(takes_in_order); }

static void forgets_some(void)
{
    uint32_t before = queued();

    current_thread()->mask = ~0ull;
    assert_int_equal(send(40, QUEUED, 1), 0);
    assert_int_equal(send(41, QUEUED, 2), 0);
    assert_int_equal(send(40, QUEUED, 3), 0);
    assert_int_equal(send_to_thread(40, QUEUED), 0);
    signal_forget(current_process(), 1ull << (40 - 1));
    assert_int_equal(queued(), before + 1);
    expect_signal(41, 2);
    assert_false(signal_take(~0ull, &(struct signal_info){ 0 }));
    assert_int_equal(queued(), before);
    current_thread()->mask = 0;
}

static void what_is_forgotten_is_given_back(void) { begin(forgets_some); }

/* What has no handler is passed over, and the handler that comes then decides; a stop does not. */
static void is_cut_short_by_what_has_no_handler(void)
{
    on_signal(SIGCHLD, SIG_DFL, 0);
    on_signal(SIGURG, 100, SA_RESTART | SA_NODEFER);
    signal_set_mask(~0ull);
    assert_int_equal(send(SIGCHLD, PLAIN, 0), 0);
    assert_int_equal(send(SIGURG, PLAIN, 0), 0);
    signal_set_mask(0);
    own_frame()->call = 6;
    restarts = 0;
    back();
    own_frame()->call = -1;
    assert_int_equal(restarts, 1);
    assert_int_equal(restarted_call, 6);
    assert_int_equal(restarted_how, RESTART_HANDLER_YES);
    assert_int_equal(handlers_run, 1);
    signal_set_mask(~0ull);
    assert_int_equal(send(SIGCHLD, PLAIN, 0), 0);
    signal_set_mask(0);
    own_frame()->call = 7;
    back();
    own_frame()->call = -1;
    assert_int_equal(restarts, 2);
    assert_int_equal(restarted_how, RESTART_NO_HANDLER);
    assert_int_equal(handlers_run, 1);
}

static void a_call_is_repeated_as_if_nothing_had_come(void) { begin(is_cut_short_by_what_has_no_handler); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(as_many_signals_wait_as_may),
        in_world(without_memory_an_ordinary_signal_comes_all_the_same),
        in_world(signals_are_taken_by_number_and_then_by_age),
        in_world(what_is_forgotten_is_given_back),
        in_world(a_call_is_repeated_as_if_nothing_had_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
