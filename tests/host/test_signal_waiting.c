/*
 * test_signal_waiting.c - signals that wait: which are kept, how many, and in which order they are taken.
 */
#include "signals_world.h"

/* ---- Queues ---------------------------------------------------------------------------------------------- */

static void queues_real_time(void)
{
    static const int signals[] = { 40, 34, 40, 64, 34, 40 };
    struct signal_info info;

    signal_set_mask(~0ull);
    for (int i = 0; i < 6; i++)
        assert_int_equal(send(signals[i], SI_QUEUE, (uint64_t)i), 0);
    assert_int_equal(current_process()->credentials->account->signals, 6);
    assert_true(signals_waiting(current_thread()) == (BIT(34) | BIT(40) | BIT(64)));
    assert_false(signal_pending(current_thread()));
    assert_false(signal_take(BIT(35), &info));
    assert_true(signal_take(BIT(40), &info));                   /* the oldest signal of each number first */
    assert_int_equal(info.value, 0);
    assert_true(signal_take(~0ull, &info));                     /* of all signals the lowest number */
    assert_int_equal(info.number, 34);
    assert_int_equal(info.value, 1);
    assert_true(signal_take(~0ull, &info));
    assert_int_equal(info.value, 4);
    assert_true(signals_waiting(current_thread()) == (BIT(40) | BIT(64)));
    assert_true(signal_take(~0ull, &info));
    assert_int_equal(info.value, 2);
    assert_true(signal_take(~0ull, &info));
    assert_int_equal(info.value, 5);
    assert_true(signal_take(~0ull, &info));
    assert_int_equal(info.number, 64);
    assert_int_equal(info.value, 3);
    assert_false(signal_take(~0ull, &info));
    assert_true(signals_waiting(current_thread()) == 0);
    assert_int_equal(current_process()->credentials->account->signals, 0);
    signal_set_mask(0);
}

static void real_time_signals_queue_in_their_order(void) { begin(queues_real_time); }

static bool had_a_turn;

static void has_a_turn(void) { had_a_turn = true; }

static void is_told_of_many(void)
{
    had_a_turn = false;
    on_signal(40, 100, SA_NODEFER);
    signal_set_mask(~0ull);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send(40, SI_QUEUE, (uint64_t)i), 0);
    assert_int_equal(fork_into(has_a_turn), 2);
    signal_set_mask(0);
    schedule_hurry();                           /* the turn is over */
    signal_deliver(own_frame());
    assert_int_equal(handlers_run, 3);
    assert_true(had_a_turn);
    assert_int_equal(wait_for(-1, 0), 2);
}

static void others_have_turns_between_the_frames_of_many_signals(void) { begin(is_told_of_many); }

static void sends_ordinary_twice(void)
{
    struct signal_info info;

    signal_set_mask(~0ull);
    assert_int_equal(send(SIGUSR1, SI_USER, 1), 0);
    assert_int_equal(send(SIGUSR1, SI_USER, 2), 0);
    assert_int_equal(send(31, SI_QUEUE, 3), 0);
    assert_int_equal(send(31, SI_QUEUE, 4), 0);
    assert_int_equal(current_process()->credentials->account->signals, 2);
    assert_true(signal_take(BIT(SIGUSR1), &info));
    assert_int_equal(info.value, 1);
    assert_false(signal_take(BIT(SIGUSR1), &info));
    assert_true(signal_take(BIT(31), &info));
    assert_int_equal(info.value, 3);
    assert_false(signal_take(BIT(31), &info));
    signal_set_mask(0);
}

static void ordinary_signals_wait_once(void) { begin(sends_ordinary_twice); }

static void prefers_faults(void)
{
    struct signal_info info;

    signal_set_mask(~0ull);
    assert_int_equal(send(SIGHUP, SI_USER, 0), 0);
    assert_int_equal(send(SIGSEGV, SI_USER, 0), 0);
    assert_int_equal(send_to_self(SIGUSR2, SI_TKILL), 0);
    assert_true(signal_take(~0ull, &info));
    assert_int_equal(info.number, SIGUSR2);             /* the thread's own first */
    assert_true(signal_take(~0ull, &info));
    assert_int_equal(info.number, SIGSEGV);             /* a fault before what has a lower number */
    assert_true(signal_take(~0ull, &info));
    assert_int_equal(info.number, SIGHUP);
    signal_set_mask(0);
}

static void faults_come_before_others(void) { begin(prefers_faults); }

static void has_a_limit(void)
{
    struct process    *self = current_process();
    struct signal_info info;

    signal_set_mask(~0ull);
    self->limits[RLIMIT_SIGPENDING].soft = 2;
    assert_int_equal(send(40, SI_QUEUE, 1), 0);
    assert_int_equal(send(40, SI_QUEUE, 2), 0);
    assert_int_equal(send(40, SI_QUEUE, 3), -EAGAIN);
    assert_int_equal(self->credentials->account->signals, 2);
    assert_int_equal(self->credentials->account->references, 3);         /* the credentials, and two signals */
    assert_int_equal(send(41, SI_USER, 4), 0);                  /* kill(): it counts, its details are lost */
    assert_int_equal(send_to_self(42, SI_TKILL), -EAGAIN);
    assert_int_equal(send(SIGUSR1, SI_USER, 5), 0);             /* ordinary ones come through, with details */
    assert_int_equal(send(SIGUSR2, SI_QUEUE, 6), 0);            /* signals of sigqueue() without */
    assert_int_equal(send(SIGCHLD, SI_KERNEL, 7), 0);           /* signals of the kernel, too */
    assert_int_equal(send(43, SI_KERNEL, 8), -EAGAIN);          /* a real-time one may be a program's, of any code */
    assert_true(signal_take(BIT(41), &info));
    assert_int_equal(info.number, 41);
    assert_int_equal(info.value, 0);
    assert_true(signal_take(BIT(SIGUSR1), &info));
    assert_int_equal(info.value, 5);
    assert_true(signal_take(BIT(SIGUSR2), &info));
    assert_int_equal(info.value, 0);
    assert_true(signal_take(BIT(SIGCHLD), &info));
    assert_int_equal(info.value, 7);
    assert_true(signal_take(BIT(40), &info));
    assert_int_equal(send(40, SI_QUEUE, 9), 0);                 /* there is room again */
    assert_true(signal_take(BIT(40), &info));
    assert_true(signal_take(BIT(40), &info));
    assert_int_equal(info.value, 9);
    signal_set_mask(0);
}

static void a_user_has_so_many_signals_queued(void) { begin(has_a_limit); }

static void loses_details_without_memory(void)
{
    struct signal_info info;

    signal_set_mask(~0ull);
    heap_drain();
    heap_fail_at(1);
    assert_int_equal(send(SIGUSR1, SI_USER, 5), 0);
    heap_fail_at(1);
    assert_int_equal(send(40, SI_QUEUE, 5), -EAGAIN);
    heap_fail_at(0);
    assert_true(signals_waiting(current_thread()) == BIT(SIGUSR1));
    assert_true(signal_take(~0ull, &info));
    assert_int_equal(info.number, SIGUSR1);
    assert_int_equal(info.value, 0);
    signal_set_mask(0);
}

static void without_memory_a_signal_loses_its_details(void) { begin(loses_details_without_memory); }

static void leaves_its_signals(void)
{
    signal_set_mask(~0ull);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(send(40 + i % 2, SI_QUEUE, 1), 0);
        assert_int_equal(send_to_self(50 + i % 2, SI_TKILL), 0);
    }
}

static void what_waits_at_the_end_is_given_back(void) { begin(leaves_its_signals); }

static void forgets(void)
{
    signal_set_mask(~0ull);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send(40, SI_QUEUE, 1), 0);
        assert_int_equal(send(41, SI_QUEUE, 1), 0);
        assert_int_equal(send(42, SI_QUEUE, 1), 0);
        assert_int_equal(send_to_self(41, SI_TKILL), 0);
    }
    signal_forget(current_process(), BIT(41));
    assert_true(current_process()->pending.pending == (BIT(40) | BIT(42)));
    assert_true(current_thread()->pending.pending == 0);
    assert_int_equal(current_process()->credentials->account->signals, 6);
    signal_forget(current_process(), BIT(40) | BIT(42));
    assert_int_equal(current_process()->credentials->account->signals, 0);
    assert_true(signals_waiting(current_thread()) == 0);
    signal_set_mask(0);
}

static void signals_that_are_to_be_ignored_are_forgotten(void) { begin(forgets); }

/* A waiter for signals (signalfd) is notified of each that becomes pending, and of no ignored one. */
static unsigned told_of_signals;

static bool count_signal(struct waiter *waiter, unsigned bits)
{
    (void)waiter;
    (void)bits;
    told_of_signals++;
    return false;
}

static void is_watched(void)
{
    struct waiter *watcher = heap_alloc(sizeof *watcher, HEAP_ZERO);

    told_of_signals = 0;
    wait_link_call(watcher, &signals_kept, count_signal, false);
    signal_set_mask(BIT(SIGUSR1));
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    assert_int_equal(told_of_signals, 1);
    assert_int_equal(send(SIGURG, SI_USER, 0), 0);              /* ignored: told all the same, which costs a look */
    wait_unlink(watcher);
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    assert_in_range(told_of_signals, 1, 2);
    heap_free(watcher);
    signal_forget(current_process(), ~0ull);
    signal_set_mask(0);
}

static void who_waits_for_signals_is_told(void) { begin(is_watched); }

/* ---- Ignored, blocked ------------------------------------------------------------------------------------ */

static void return_all(void)
{
    while (signal_pending(current_thread()))
        back();
}

static void ignores(void)
{
    static const int silent[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH };

    for (int i = 0; i < 4; i++)
        assert_int_equal(send(silent[i], SI_USER, 0), 0);
    on_signal(SIGTERM, SIG_IGN, 0);
    assert_int_equal(send(SIGTERM, SI_USER, 0), 0);
    assert_true(signals_waiting(current_thread()) == 0);
    signal_set_mask(BIT(SIGTERM) | BIT(SIGURG));                /* as for sigwait(3) */
    assert_int_equal(send(SIGTERM, SI_USER, 0), 0);
    assert_int_equal(send(SIGURG, SI_USER, 0), 0);
    assert_true(signals_waiting(current_thread()) == (BIT(SIGTERM) | BIT(SIGURG)));
    signal_set_mask(0);
    assert_true(signal_pending(current_thread()));
    return_all();
    assert_true(signals_waiting(current_thread()) == 0);
    passed++;
}

static void ignored_signals_are_kept_only_where_they_are_blocked(void)
{
    begin(ignores);
    assert_int_equal(passed, 1);
}

static void has_a_thread_that_blocks(void)
{
    signal_set_mask(BIT(SIGUSR1));
    on_signal(SIGUSR1, SIG_IGN, 0);
    ids[0] = thread_into(thread_that_blocks);
    give_way();
    thread_find(ids[0])->mask = 0;                              /* of the others it does not depend */
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    assert_true(signals_waiting(current_thread()) == BIT(SIGUSR1));
    signal_forget(current_process(), BIT(SIGUSR1));
    thread_find(ids[0])->mask = BIT(SIGUSR1);
    signal_set_mask(0);
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    assert_true(signals_waiting(current_thread()) == 0);
    exit_with(0);
}

static void a_signal_counts_as_blocked_when_the_eldest_thread_blocks_it(void) { begin(has_a_thread_that_blocks); }

static void cannot_block(void)
{
    signal_set_mask(~0ull);
    assert_true(current_thread()->mask == ~(BIT(SIGKILL) | BIT(SIGSTOP)));
    assert_false(signal_kills(current_thread()));
    assert_int_equal(send(SIGTERM, SI_USER, 0), 0);
    assert_false(signal_kills(current_thread()));
    assert_int_equal(send(SIGKILL, SI_USER, 0), 0);
    assert_true(signal_kills(current_thread()));
    assert_true(signal_pending(current_thread()));
    back();
    passed++;
}

static void nobody_blocks_sigkill(void)
{
    begin(cannot_block);
    assert_int_equal(passed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(real_time_signals_queue_in_their_order),
        in_world(others_have_turns_between_the_frames_of_many_signals),
        in_world(ordinary_signals_wait_once),
        in_world(faults_come_before_others),
        in_world(a_user_has_so_many_signals_queued),
        in_world(without_memory_a_signal_loses_its_details),
        in_world(what_waits_at_the_end_is_given_back),
        in_world(signals_that_are_to_be_ignored_are_forgotten),
        in_world(who_waits_for_signals_is_told),
        in_world(ignored_signals_are_kept_only_where_they_are_blocked),
        in_world(a_signal_counts_as_blocked_when_the_eldest_thread_blocks_it),
        in_world(nobody_blocks_sigkill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
