/*
 * test_signals.c - a signal is delivered: handlers and their masks, and the calls that it cuts short.
 */
#include "signals_world.h"

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

    assert_true(signal_fault_ends(SIGSEGV));
    on_signal(SIGSEGV, 100, 0);
    assert_false(signal_fault_ends(SIGSEGV));
    assert_true(signal_fault_ends(SIGBUS));
    signal_fault(&fault);
    assert_true(current_thread()->pending.pending == BIT(SIGSEGV));
    back();
    assert_int_equal(handlers_run, 1);                  /* the signal has a handler: the program goes on */
    passed++;
    assert_true(signal_fault_ends(SIGSEGV));
    signal_fault(&fault);                               /* but not while the handler runs */
    back();
    passed++;
}

static void ignores_its_fault(void)
{
    struct signal_info fault = { .number = SIGSEGV, .code = 1 };

    on_signal(SIGSEGV, SIG_IGN, 0);
    assert_true(signal_fault_ends(SIGSEGV));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(handlers_run_with_their_signals_blocked),
        in_world(handlers_that_are_due_together_run_together),
        in_world(a_suspended_mask_comes_back),
        in_world(a_handler_without_a_stack_is_a_fault),
        in_world(a_fault_cannot_be_blocked_or_ignored),
        in_world(a_call_is_repeated_as_the_first_handler_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
