/*
 * test_signals.c - signals are sent, queued, blocked, taken and delivered as signal(7) says.
 */
#include "process_world.h"

#define BIT(number) (1ull << ((number) - 1))

static int32_t ids[8];
static unsigned passed;                         /* the steps that a program passed */

static void begin(void (*program)(void))
{
    memset(ids, 0, sizeof ids);
    passed = 0;
    run_program(program);
}

static void sleeps_long(void) { sleep_for(1000 * (uint64_t)TICK); passed++; }

static int send(int signal, int code, uint64_t value)
{
    struct signal_info info = { .number = signal, .code = code, .value = value };

    return signal_process(current_process(), &info);
}

static int send_to_self(int signal, int code)
{
    struct signal_info info = { .number = signal, .code = code };

    return signal_thread(current_thread(), &info);
}

static void return_all(void)
{
    while (signal_pending(current_thread()))
        back();
}

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

static void thread_that_blocks(void)
{
    signal_set_mask(BIT(SIGUSR1));
    sleeps_long();
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

/* ---- Handlers -------------------------------------------------------------------------------------------- */

static void has_handlers(void)
{
    current_process()->actions->action[SIGUSR1] =
        (struct signal_action){ .handler = 100, .mask = BIT(SIGUSR2) | BIT(SIGKILL) };
    signal_set_mask(BIT(SIGHUP));
    assert_int_equal(send(SIGUSR1, SI_USER, 7), 0);
    back();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.number, SIGUSR1);
    assert_int_equal(handled[0].info.value, 7);
    assert_int_equal(handled[0].handler, 100);
    assert_true(handled[0].mask == BIT(SIGHUP));
    assert_true(current_thread()->mask == (BIT(SIGHUP) | BIT(SIGUSR1) | BIT(SIGUSR2)));
    assert_int_equal(send(SIGUSR1, SI_USER, 8), 0);
    back();
    assert_int_equal(handlers_run, 1);                          /* blocked while its handler runs */
    handler_returns();
    back();
    assert_int_equal(handlers_run, 2);
    handler_returns();
    on_signal(SIGUSR1, 101, SA_NODEFER);
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    back();
    assert_true(current_thread()->mask == BIT(SIGHUP));
    assert_int_equal(current_process()->actions->action[SIGUSR1].handler, 101);
    on_signal(SIGUSR1, 102, SA_RESETHAND);
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    back();
    assert_int_equal(handlers_run, 4);
    assert_int_equal(handled[3].handler, 102);
    assert_int_equal(current_process()->actions->action[SIGUSR1].handler, SIG_DFL);
    handler_returns();
}

static void handlers_run_with_their_signals_blocked(void) { begin(has_handlers); }

static void several_at_once(void)
{
    signal_set_mask(~0ull);
    for (int i = 1; i <= 3; i++) {
        on_signal(34 + i, (vaddr_t)(100 + i), 0);
        assert_int_equal(send(34 + i, SI_QUEUE, 0), 0);
    }
    signal_set_mask(0);
    back();
    assert_int_equal(handlers_run, 3);                  /* frames upon each other; the last runs first */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(handled[i].info.number, 35 + (int)i);
    assert_true(handled[2].mask == (BIT(35) | BIT(36)));
    signal_set_mask(0);
}

static void handlers_that_are_due_together_run_together(void) { begin(several_at_once); }

static void suspends(void)
{
    struct thread *self = current_thread();

    on_signal(SIGUSR1, 100, 0);
    self->saved_mask = BIT(SIGHUP);
    self->mask = 0;
    self->restore_mask = true;                          /* sigsuspend() */
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    back();
    assert_true(handled[0].mask == BIT(SIGHUP));        /* the handler's return brings the old one back */
    assert_false(self->restore_mask);
    handler_returns();
    self->saved_mask = BIT(SIGUSR2);
    self->mask = 0;
    self->restore_mask = true;
    back();                                             /* no handler: at once */
    assert_true(self->mask == BIT(SIGUSR2));
    assert_false(self->restore_mask);
    self->mask = 0;
}

static void a_suspended_mask_comes_back(void) { begin(suspends); }

static void has_no_stack(void)
{
    on_signal(SIGUSR1, 100, 0);
    on_signal(SIGSEGV, 101, 0);
    no_room_for_frame = true;
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    back();
    assert_int_equal(handlers_run, 1);                  /* the handler for that runs instead */
    assert_int_equal(handled[0].info.number, SIGSEGV);
    assert_int_equal(handled[0].info.code, 128);
    assert_int_equal(current_process()->actions->action[SIGUSR1].handler, 100);
    handler_returns();
    no_room_for_frame = true;
    assert_int_equal(send(SIGSEGV, SI_USER, 0), 0);
    passed++;
    back();                                             /* for this one there is none: the end */
    passed++;
}

static void a_handler_without_a_stack_is_a_fault(void)
{
    begin(has_no_stack);
    assert_int_equal(passed, 1);
    assert_int_equal(handlers_run, 1);
}

static void blocks_its_fault(void)
{
    struct signal_info fault = { .number = SIGSEGV, .code = 1 };

    on_signal(SIGSEGV, 100, 0);
    signal_fault(&fault);
    assert_true(current_thread()->pending.pending == BIT(SIGSEGV));
    back();
    assert_int_equal(handlers_run, 1);                  /* the signal has a handler: the program goes on */
    passed++;
    signal_fault(&fault);                               /* but not while the handler runs */
    back();
    passed++;
}

static void ignores_its_fault(void)
{
    struct signal_info fault = { .number = SIGSEGV, .code = 1 };

    on_signal(SIGSEGV, SIG_IGN, 0);
    signal_fault(&fault);
    back();
    passed++;
}

static void a_fault_cannot_be_blocked_or_ignored(void)
{
    begin(blocks_its_fault);
    assert_int_equal(passed, 1);
    begin(ignores_its_fault);
    assert_int_equal(passed, 0);
}

/* ---- Calls that are cut short ---------------------------------------------------------------------------- */

static void in_a_call(int signal, uint32_t flags, vaddr_t handler)
{
    restarts = 0;
    on_signal(signal, handler, flags);
    own_frame()->call = 77;
    assert_int_equal(send(signal, SI_USER, 0), 0);
    back();
    own_frame()->call = -1;
    assert_int_equal(restarts, 1);                      /* one restart, for any number of signals */
    assert_int_equal(restarted_call, 77);
    signal_set_mask(0);
}

static void is_cut_short(void)
{
    in_a_call(SIGUSR1, SA_RESTART, 100);
    assert_int_equal(restarted_how, RESTART_HANDLER_YES);
    in_a_call(SIGUSR1, 0, 100);
    assert_int_equal(restarted_how, RESTART_HANDLER_NO);
    in_a_call(SIGURG, 0, SIG_DFL);
    assert_int_equal(restarted_how, RESTART_NO_HANDLER);
    in_a_call(SIGUSR1, SA_RESTART, SIG_IGN);
    assert_int_equal(restarted_how, RESTART_NO_HANDLER);
    restarts = 0;
    back();
    assert_int_equal(restarts, 0);                      /* no call */
    own_frame()->call = 0;                              /* restart_syscall() */
    back();
    assert_int_equal(restarts, 1);
    on_signal(SIGUSR1, 100, SA_RESTART);
    on_signal(SIGUSR2, 101, 0);
    own_frame()->call = 5;
    signal_set_mask(~0ull);
    assert_int_equal(send(SIGUSR1, SI_USER, 0), 0);
    assert_int_equal(send(SIGUSR2, SI_USER, 0), 0);
    signal_set_mask(0);
    restarts = 0;
    back();
    own_frame()->call = -1;
    assert_int_equal(restarts, 1);                      /* the first handler decides */
    assert_int_equal(restarted_how, RESTART_HANDLER_YES);
    signal_set_mask(0);
}

static void a_call_is_repeated_as_the_first_handler_says(void) { begin(is_cut_short); }

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
        in_world(handlers_run_with_their_signals_blocked),
        in_world(handlers_that_are_due_together_run_together),
        in_world(a_suspended_mask_comes_back),
        in_world(a_handler_without_a_stack_is_a_fault),
        in_world(a_fault_cannot_be_blocked_or_ignored),
        in_world(a_call_is_repeated_as_the_first_handler_says),
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
