/*
 * test_signal_details.c - what comes with a signal: who has sent it, why, how often; and how many may wait.
 */
#include "process_notes.h"

#include "process/timer_table.h"
#include "process/user_account.h"

enum { QUEUED = 3 };

static struct process *self(void) { return current_process(); }

static void be_user(struct user_numbers user)
{
    struct credentials *c = credentials_copy();

    user_account_put(c->account);
    c->account = user_account_get(user.real);
    c->user    = user;
    credentials_take(c);
}

static const struct signal_info *only_one(void)
{
    assert_int_equal(handlers_run, 1);
    handlers_run = 0;
    return &handled[0].info;
}

/* ---- Who sent it ------------------------------------------------------------------------------------------ */

static void sends_itself(void)
{
    const struct signal_info *info;

    on_signal(SIGPIPE, 100, SA_NODEFER);
    be_user((struct user_numbers){ 3, 4, 5, 6 });
    signal_self(SIGPIPE);
    back();
    info = only_one();
    assert_int_equal(info->number, SIGPIPE);
    assert_int_equal(info->sender, self()->id);
    assert_int_equal(info->uid, 3);
    assert_int_equal(info->code, SI_USER);
    assert_false(info->from_timer);
}

static void a_program_sends_itself_a_signal_as_its_real_user(void) { begin(sends_itself); }

static void is_sent_by_the_kernel(void)
{
    const struct signal_info *info;

    on_signal(SIGHUP, 100, SA_NODEFER);
    assert_int_equal(signal_group(self()->group, SIGHUP), 0);
    back();
    info = only_one();
    assert_int_equal(info->number, SIGHUP);
    assert_int_equal(info->code, SI_KERNEL);
    assert_int_equal(info->sender, 0);
}

static void a_groups_signal_is_the_kernels(void) { begin(is_sent_by_the_kernel); }

static void has_no_stack_for_a_handler(void)
{
    const struct signal_info *info;

    on_signal(SIGUSR1, 100, SA_NODEFER);
    on_signal(SIGSEGV, 200, SA_NODEFER);
    no_room_for_frame = true;
    signal_self(SIGUSR1);
    back();
    info = only_one();
    assert_int_equal(info->number, SIGSEGV);
    assert_int_equal(info->code, 128);
    assert_int_equal(handled[0].handler, 200);
    assert_int_equal(self()->actions->action[SIGSEGV].handler, 200);    /* as it was: it had room */
    no_room_for_frame = true;
    signal_self(SIGSEGV);                       /* its own handler has none: it ends */
    back();
    note('?');
}

static void ends_without_a_stack(void)
{
    ids[0] = fork_into(has_no_stack_for_a_handler);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, SIGSEGV);
}

static void a_handler_without_a_stack_is_the_kernels_fault(void)
{
    begin(ends_without_a_stack);
    assert_string_equal(order, "");
}

/* ---- How many may wait ------------------------------------------------------------------------------------ */

static uint32_t *queued(void) { return &self()->credentials->account->signals; }

/* Returns whether the details of one more are kept, as so many wait of the user already. */
static bool is_kept(struct signal_info info, uint32_t waiting)
{
    uint32_t before = *queued();
    bool     kept;

    *queued() += waiting;
    if (signal_process(self(), &info) != 0)
        kept = false;
    else
        kept = *queued() == before + waiting + 1;
    *queued() -= waiting;
    signal_queue_clear(&self()->pending);
    assert_int_equal(*queued(), before);
    return kept;
}

static void has_a_limit(void)
{
    struct signal_info user = { .number = SIGUSR1 }, real_time = { .number = 40, .code = SI_USER };
    struct signal_info queue = { .number = SIGUSR1, .code = SI_QUEUE }, kernel = { .number = 32, .code = SI_KERNEL };
    struct signal_info timer = { .number = SIGUSR1, .code = SI_TIMER, .from_timer = true };
    struct signal_info last = { .number = 31, .code = SI_KERNEL };

    signal_set_mask(~0ull);
    self()->limits[RLIMIT_SIGPENDING].soft = QUEUED;
    assert_true(is_kept(user, 1000000));                        /* ordinary ones have no limit */
    assert_true(is_kept(last, 1000000));
    assert_true(is_kept(queue, QUEUED - 1) && !is_kept(queue, QUEUED));
    assert_true(is_kept(real_time, QUEUED - 1) && !is_kept(real_time, QUEUED));
    assert_true(is_kept(kernel, QUEUED - 1) && !is_kept(kernel, QUEUED));
    assert_true(is_kept(timer, QUEUED + TIMERS_A_PROCESS - 1) && !is_kept(timer, QUEUED + TIMERS_A_PROCESS));
    self()->limits[RLIMIT_SIGPENDING].soft = LIMIT_NONE;
    assert_true(is_kept(timer, 1000000) && is_kept(queue, 1000000));
    self()->limits[RLIMIT_SIGPENDING].soft = LIMIT_NONE - 1;
    assert_true(is_kept(timer, 1000000));
}

static void each_kind_of_signal_has_its_limit(void) { begin(has_a_limit); }

/* Without its details one that was sent with some fails; one of kill() is there all the same. */
static void is_over_the_limit(void)
{
    signal_set_mask(~0ull);
    self()->limits[RLIMIT_SIGPENDING].soft = 0;
    assert_int_equal(signal_process(self(), &(struct signal_info){ .number = 40, .code = SI_QUEUE }), -EAGAIN);
    assert_int_equal(signal_process(self(), &(struct signal_info){ .number = 40, .code = SI_KERNEL }), -EAGAIN);
    assert_int_equal(self()->pending.pending, 0);
    assert_int_equal(signal_process(self(), &(struct signal_info){ .number = 40, .code = SI_USER }), 0);
    assert_true(self()->pending.pending == 1ull << 39);
    assert_int_equal(signal_process(self(), &(struct signal_info){ .number = 31, .code = SI_QUEUE }), 0);
    assert_int_equal(signal_process(self(), &(struct signal_info){ .number = 32, .code = SI_QUEUE }), -EAGAIN);
    assert_true(self()->pending.pending == (1ull << 39 | 1ull << 30));
    assert_int_equal(*queued(), 0);
    signal_queue_clear(&self()->pending);
    assert_int_equal(self()->pending.pending, 0);
}

static void beyond_the_limit_details_are_lost_or_the_signal_fails(void) { begin(is_over_the_limit); }

/* ---- What is told to those who look at all signals -------------------------------------------------------- */

static bool told_of_signal;

static bool notes(struct waiter *waiter, unsigned bits)
{
    (void)waiter;
    (void)bits;
    told_of_signal = true;
    return true;
}

static bool is_told_of(struct signal_info info)
{
    told_of_signal = false;
    (void)signal_process(self(), &info);
    return told_of_signal;
}

static void has_one_who_looks(void)
{
    struct waiter *waiter = heap_alloc(sizeof *waiter, HEAP_ZERO);

    signal_set_mask(~0ull);
    wait_link_call(waiter, &signals_kept, notes, false);
    assert_true(is_told_of((struct signal_info){ .number = SIGUSR1 }));
    assert_true(is_told_of((struct signal_info){ .number = 40 }));
    self()->limits[RLIMIT_SIGPENDING].soft = 0;
    assert_false(is_told_of((struct signal_info){ .number = 41, .code = SI_QUEUE }));   /* it has failed */
    wait_unlink(waiter);
    heap_free(waiter);
    signal_queue_clear(&self()->pending);
}

static void who_looks_at_signals_hears_of_those_that_came(void) { begin(has_one_who_looks); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_program_sends_itself_a_signal_as_its_real_user),
        in_world(a_groups_signal_is_the_kernels),
        in_world(a_handler_without_a_stack_is_the_kernels_fault),
        in_world(each_kind_of_signal_has_its_limit),
        in_world(beyond_the_limit_details_are_lost_or_the_signal_fails),
        in_world(who_looks_at_signals_hears_of_those_that_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
