/*
 * test_signal_wakes.c - who is woken by a signal for which there is no memory, or that is refused; what taking one
 * signal leaves of others; and masks that come back though nothing is handled.
 */
#include "process_notes.h"

static int32_t thread;
static int     ended_by;

static struct process *self(void) { return current_process(); }

static void sleeps_in_a_thread(void)
{
    ended_by = sleep_for(20 * (uint64_t)TICK);
    note('e');
    thread_exit(0);
}

static void start_sleeper(void)
{
    order[0] = 0;
    ended_by = 99;
    thread = thread_into(sleeps_in_a_thread);
    sleep_for(TICK);
}

/* ---- Without memory --------------------------------------------------------------------------------------- */

static int send_without_memory(bool to_thread, struct signal_info info)
{
    int err;

    heap_drain();
    heap_fail_at(1);
    err = to_thread ? signal_thread(thread_find(thread), &info) : signal_process(self(), &info);
    heap_fail_at(0);
    give_way_inside();
    return err;
}

static void has_no_memory(void)
{
    on_signal(SIGUSR1, 100, SA_NODEFER);
    start_sleeper();
    assert_int_equal(send_without_memory(true, (struct signal_info){ .number = SIGUSR1 }), 0);
    assert_string_equal(order, "e");
    assert_int_equal(ended_by, -EINTR);
    start_sleeper();
    signal_set_mask(1ull << (SIGUSR1 - 1));     /* so that it is for the other thread */
    assert_int_equal(send_without_memory(false, (struct signal_info){ .number = SIGUSR1 }), 0);
    assert_string_equal(order, "e");
    assert_int_equal(ended_by, -EINTR);
    assert_int_equal(handlers_run, 2);
    exit_with(0);
}

static void a_signal_without_details_wakes_as_well(void) { begin(has_no_memory); }

static void is_refused(void)
{
    on_signal(40, 100, SA_NODEFER);
    start_sleeper();
    signal_set_mask(1ull << 39);
    assert_int_equal(send_without_memory(true, (struct signal_info){ .number = 40, .code = SI_QUEUE }), -EAGAIN);
    assert_string_equal(order, "");
    assert_int_equal(send_without_memory(false, (struct signal_info){ .number = 40, .code = SI_QUEUE }), -EAGAIN);
    assert_string_equal(order, "");
    sleep_for(25 * TICK);
    assert_string_equal(order, "e");
    assert_int_equal(ended_by, -ETIMEDOUT);
    exit_with(0);
}

static void a_signal_that_is_refused_wakes_nobody(void) { begin(is_refused); }

static bool told_of_signal;

static bool notes(struct waiter *waiter, unsigned bits)
{
    (void)waiter;
    (void)bits;
    told_of_signal = true;
    return true;
}

static void looks_without_memory(void)
{
    struct waiter *waiter = heap_alloc(sizeof *waiter, HEAP_ZERO);

    signal_set_mask(~0ull);
    wait_link_call(waiter, &signals_kept, notes, false);
    told_of_signal = false;
    assert_int_equal(send_without_memory(false, (struct signal_info){ .number = SIGUSR1 }), 0);
    assert_true(told_of_signal);
    wait_unlink(waiter);
    heap_free(waiter);
    exit_with(0);
}

static void who_looks_hears_of_a_signal_without_details(void) { begin(looks_without_memory); }

/* ---- What others are left as ------------------------------------------------------------------------------ */

/* Timer 0's signal waits, and one that is of no timer is taken. */
static void takes_another(void)
{
    struct alarm_state old;

    assert_int_equal(process_timer_create(self(), &(struct timer_request){ .signal = 40 }), 0);
    on_signal(40, 100, SA_NODEFER);
    on_signal(SIGUSR1, 200, SA_NODEFER);
    signal_set_mask(1ull << 39);
    assert_int_equal(process_timer_set(self(), 0, false, TICK, TICK, &old), 0);
    pass_time(TICK);
    signal_self(SIGUSR1);
    back();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.number, SIGUSR1);
    pass_time(3 * TICK);
    signal_set_mask(0);
    back();
    assert_int_equal(handlers_run, 2);
    assert_int_equal(handled[1].info.number, 40);
    assert_int_equal(handled[1].info.overrun, 3);
    process_timers_clear(self());
}

static void a_timers_signal_is_taken_by_itself(void) { begin(takes_another); }

/* Nothing is undone where nothing waits, and of what is undone each is freed with interrupts let in. */
static unsigned lettings;

static void count_letting(void) { lettings++; }

static void is_stopped_in_vain(void)
{
    signal_set_mask(~0ull);
    for (unsigned i = 0; i < 2; i++) {          /* the second time the first stop undoes the SIGCONT */
        assert_int_equal(signal_process(self(), &(struct signal_info){ .number = SIGTSTP }), 0);
        assert_int_equal(signal_process(self(), &(struct signal_info){ .number = SIGTTIN }), 0);
        assert_int_equal(signal_process(self(), &(struct signal_info){ .number = SIGTTOU }), 0);
        assert_int_equal(self()->credentials->account->signals, 3 + i);
        assert_int_equal(signal_process(self(), &(struct signal_info){ .number = SIGCONT }), 0);
        lettings  = 0;
        on_let_in = count_letting;
        back();
        on_let_in = NULL;
        assert_int_equal(lettings, 3 + i);
        assert_int_equal(self()->credentials->account->signals, 1);
        assert_true(self()->pending.pending == 1ull << (SIGCONT - 1));
    }
    signal_queue_clear(&self()->pending);
}

static void stops_that_are_undone_are_freed_one_by_one(void) { begin(is_stopped_in_vain); }

/* ---- Masks ------------------------------------------------------------------------------------------------ */

enum { OLD_MASK = 0x500 };

/* As sigsuspend() does: another mask until a handler runs, or the call ends. */
static uint64_t mask_after(int signal, vaddr_t handler)
{
    struct thread *me = current_thread();

    on_signal(signal, handler, SA_NODEFER);
    signal_set_mask(~0ull);
    assert_int_equal(signal_process(self(), &(struct signal_info){ .number = signal }), 0);
    me->saved_mask   = OLD_MASK;
    me->restore_mask = true;
    signal_set_mask(0);
    back();
    assert_false(me->restore_mask);
    return me->mask;
}

static void has_a_mask_for_a_while(void)
{
    assert_int_equal(mask_after(SIGURG, SIG_DFL), OLD_MASK);            /* does nothing by itself */
    assert_int_equal(mask_after(SIGUSR1, SIG_IGN), OLD_MASK);
    assert_int_equal(handlers_run, 0);
    assert_int_equal(mask_after(SIGUSR2, 100), 0);                      /* the handler's return brings it back */
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].mask, OLD_MASK);
    signal_set_mask(0);
}

static void a_mask_comes_back_where_nothing_is_handled(void) { begin(has_a_mask_for_a_while); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_signal_without_details_wakes_as_well),
        in_world(a_signal_that_is_refused_wakes_nobody),
        in_world(who_looks_hears_of_a_signal_without_details),
        in_world(a_timers_signal_is_taken_by_itself),
        in_world(stops_that_are_undone_are_freed_one_by_one),
        in_world(a_mask_comes_back_where_nothing_is_handled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
