/*
 * test_rouse.c - what comes for a process of many threads reaches each of them, in portions of sixteen.
 */
#include "process_notes.h"

#include "process/rouse.h"

enum { AT_ONCE = 16, MANY = 40 };

static unsigned letting_in;             /* how often interrupts were let in */
static int32_t  members[MANY];          /* by age; the first is the process's own */
static unsigned counts[MANY];
static unsigned here, interrupted;
static uint64_t masks[MANY];
static bool     over;

static void count_letting_in(void) { letting_in++; }

static uint64_t bit(int number) { return 1ull << (number - 1); }

/* What all but the first do: block what they are told to, and sleep. */
static void sleeps_long_or_is_woken(void)
{
    int err;

    signal_set_mask(masks[here++]);
    while ((err = sleep_for(1000 * (uint64_t)TICK)) == 0)
        ;                                       /* woken for what it blocks */
    interrupted += err == -EINTR;
    thread_exit(0);
}

static void counts_ticks(void)
{
    unsigned mine = here++;

    while (!over) {
        sleep_for(TICK);
        counts[mine]++;
    }
    thread_exit(0);
}

static void become(unsigned threads, void (*each)(void))
{
    members[0] = current_thread()->id;
    for (unsigned i = 1; i < threads; i++)
        members[i] = thread_into(each);
    give_way();
    assert_int_equal(current_process()->thread_count, threads);
    assert_int_equal(here, threads);
}

static void start_anew(void)
{
    here = 1;
    interrupted = letting_in = 0;
    over = false;
    memset(counts, 0, sizeof counts);
    memset(masks, 0, sizeof masks);
    on_let_in = count_letting_in;
}

static void send(struct process *to, int number)
{
    struct signal_info info = { .number = number, .sender = current_process()->id };

    assert_int_equal(signal_process(to, &info), 0);
}

/* ---- The end ------------------------------------------------------------------------------------------- */

static void has_many_and_ends(void)
{
    become(MANY, sleeps_long_or_is_woken);
    letting_in = 0;
    exit_with(5);
}

static void waits_for_many(void)
{
    uint64_t began = clock_now();

    start_anew();
    ids[0] = fork_into(has_many_and_ends);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, 5 << 8);
    assert_int_equal(threads_alive(), 1);
    assert_true(clock_now() - began < 5 * (uint64_t)TICK);      /* nobody slept on */
    assert_int_equal(letting_in, 2);                            /* after 32 threads, and after all */
}

static void the_end_of_a_process_reaches_each_of_many_threads(void) { begin(waits_for_many); }

static void the_last_of_many_stays(void)
{
    if (++here < MANY) {
        sleep_for(1000 * (uint64_t)TICK);
        note('!');
    }
    assert_int_equal(thread_stay_alone(), 0);
    assert_int_equal(current_process()->thread_count, 1);
    assert_int_equal(current_thread()->id, current_process()->id);
    exit_with(6);
}

static void has_many_of_which_one_stays(void)
{
    for (unsigned i = 1; i < MANY; i++)
        thread_into(the_last_of_many_stays);
    sleep_for(1000 * (uint64_t)TICK);
    note('!');
}

static void waits_for_the_last(void)
{
    start_anew();
    ids[0] = fork_into(has_many_of_which_one_stays);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, 6 << 8);
}

static void exec_in_one_of_many_threads_ends_all_others(void)
{
    begin(waits_for_the_last);
    assert_string_equal(order, "");
}

/* ---- Signals for the process ----------------------------------------------------------------------------- */

static void only_the_last_takes_it(void)
{
    struct process *self = current_process();

    start_anew();
    on_signal(SIGUSR1, 100, 0);
    for (unsigned i = 1; i < MANY - 1; i++)
        masks[i] = bit(SIGUSR1);
    signal_set_mask(bit(SIGUSR1));
    become(MANY, sleeps_long_or_is_woken);
    letting_in = 0;
    send(self, SIGUSR1);
    assert_int_equal(thread_find(members[AT_ONCE])->phase, THREAD_WAITING);
    assert_ptr_equal(self->next_to_rouse, thread_find(members[AT_ONCE]));       /* sixteen have heard of it */
    assert_int_equal(self->rouse_for, bit(SIGUSR1));
    check_families();
    back();
    sleep_for(2 * TICK);
    assert_int_equal(letting_in, 2);
    assert_int_equal(interrupted, 1);
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].thread, members[MANY - 1]);
    assert_null(self->next_to_rouse);
    assert_true(list_is_empty(&self->rouse_link));
    assert_int_equal(self->rouse_for, 0);
    exit_with(0);
}

static void a_signal_finds_the_one_thread_that_takes_it(void) { begin(only_the_last_takes_it); }

static void two_take_one_each(void)
{
    start_anew();
    on_signal(SIGUSR1, 100, 0);
    on_signal(SIGUSR2, 200, 0);
    for (unsigned i = 1; i < MANY; i++)
        masks[i] = (i == 20 ? 0 : bit(SIGUSR1)) | (i == 35 ? 0 : bit(SIGUSR2));
    signal_set_mask(masks[1]);
    become(MANY, sleeps_long_or_is_woken);
    send(current_process(), SIGUSR2);
    send(current_process(), SIGUSR1);           /* while threads are told of the first one */
    assert_int_equal(current_process()->rouse_for, bit(SIGUSR1) | bit(SIGUSR2));
    back();
    sleep_for(2 * TICK);
    assert_int_equal(interrupted, 2);
    assert_int_equal(handlers_run, 2);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(handled[i].thread, members[handled[i].info.number == SIGUSR1 ? 20 : 35]);
    exit_with(0);
}

static void two_signals_at_once_find_a_thread_each(void) { begin(two_take_one_each); }

static void the_first_takes_it(void)
{
    start_anew();
    on_signal(SIGUSR1, 100, 0);
    become(MANY, sleeps_long_or_is_woken);
    letting_in = 0;
    send(current_process(), SIGUSR1);
    assert_null(current_process()->next_to_rouse);      /* no other need hear of it */
    assert_true(list_is_empty(&current_process()->rouse_link));
    back();
    sleep_for(TICK);
    assert_int_equal(letting_in, 0);
    assert_int_equal(interrupted, 0);
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].thread, members[0]);
    exit_with(0);
}

static void a_signal_that_one_has_taken_is_no_others(void) { begin(the_first_takes_it); }

/* Exactly so many threads are looked at under one hold of the lock. */
static void portions_of(unsigned threads, unsigned expected)
{
    start_anew();
    for (unsigned i = 1; i < MANY; i++)
        masks[i] = bit(SIGUSR1);
    signal_set_mask(bit(SIGUSR1));
    become(threads, sleeps_long_or_is_woken);
    letting_in = 0;
    send(current_process(), SIGUSR1);
    back();
    assert_int_equal(letting_in, expected);
    assert_null(current_process()->next_to_rouse);
    exit_with(0);
}

static void has_16(void) { portions_of(16, 0); }
static void has_17(void) { portions_of(17, 1); }
static void has_32(void) { portions_of(32, 1); }
static void has_33(void) { portions_of(33, 2); }

static void sixteen_threads_are_told_at_once(void)
{
    begin(has_16);
    begin(has_17);
    begin(has_32);
    begin(has_33);
}

/* ---- Stops ---------------------------------------------------------------------------------------------- */

static void has_many_that_count(void)
{
    become(MANY, counts_ticks);
    for (;;)
        sleep_for(1000 * (uint64_t)TICK);       /* a stop interrupts it */
}

static void stops_and_continues_many(void)
{
    unsigned before[MANY];

    start_anew();
    ids[0] = fork_into(has_many_that_count);
    sleep_for(4 * TICK);
    kill(ids[0], SIGSTOP);
    assert_int_equal(wait_for(ids[0], UNTRACED), ids[0]);
    sleep_for(3 * TICK);
    memcpy(before, counts, sizeof counts);
    sleep_for(5 * TICK);
    assert_memory_equal(before, counts, sizeof counts);
    letting_in = 0;
    kill(ids[0], SIGCONT);
    assert_int_equal(letting_in, 2);            /* to be resumed and, where one takes it, woken: both at once */
    sleep_for(5 * TICK);
    for (unsigned i = 1; i < MANY; i++)
        assert_true(counts[i] > before[i]);
    kill(ids[0], SIGKILL);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, SIGKILL);
}

static void a_stop_and_its_end_reach_each_of_many_threads(void) { begin(stops_and_continues_many); }

static void undoes_stops(void)
{
    struct signal_info stop = { .number = SIGTSTP, .sender = 1 }, other = { .number = SIGUSR2, .sender = 1 };
    struct thread     *late;

    start_anew();
    for (unsigned i = 1; i < MANY; i++)
        masks[i] = bit(SIGTSTP) | bit(SIGUSR2) | bit(SIGCONT);
    signal_set_mask(masks[1]);
    become(MANY, sleeps_long_or_is_woken);
    late = thread_find(members[30]);
    assert_int_equal(signal_thread(late, &stop), 0);
    assert_int_equal(signal_thread(late, &other), 0);
    assert_int_equal(late->pending.pending, bit(SIGTSTP) | bit(SIGUSR2));
    send(current_process(), SIGCONT);
    back();
    assert_int_equal(late->pending.pending, bit(SIGUSR2));
    assert_int_equal(current_process()->rouse_undoes, 0);
    exit_with(0);
}

static void an_end_of_stops_undoes_those_that_wait_for_single_threads(void) { begin(undoes_stops); }

/* ---- A thread that leaves meanwhile ------------------------------------------------------------------------ */

static void leaves_one_after_the_other(void)
{
    struct process *self = current_process();
    struct thread  *threads[AT_ONCE + 4];
    lock_state      state;

    start_anew();
    become(COUNT_OF(threads), sleeps_long_or_is_woken);
    for (unsigned i = 0; i < COUNT_OF(threads); i++)
        threads[i] = thread_find(members[i]);
    state = lock_take(&signals_lock);
    threads_rouse(self, 0, bit(SIGUSR1), bit(SIGTSTP));
    assert_ptr_equal(self->next_to_rouse, threads[AT_ONCE]);
    signals_leave_thread(threads[3]);                   /* has heard of it */
    signals_leave_thread(threads[AT_ONCE + 1]);         /* is not the next */
    assert_ptr_equal(self->next_to_rouse, threads[AT_ONCE]);
    for (unsigned i = AT_ONCE; i < AT_ONCE + 3; i++) {
        signals_leave_thread(threads[i]);
        assert_ptr_equal(self->next_to_rouse, threads[i + 1]);
        assert_false(list_is_empty(&self->rouse_link));
    }
    signals_leave_thread(threads[AT_ONCE + 3]);
    assert_null(self->next_to_rouse);
    assert_true(list_is_empty(&self->rouse_link));
    assert_int_equal(self->rouse, 0);
    assert_int_equal(self->rouse_undoes, 0);
    lock_drop(&signals_lock, state);
    exit_with(0);
}

static void who_leaves_while_threads_are_told_is_left_out(void) { begin(leaves_one_after_the_other); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(the_end_of_a_process_reaches_each_of_many_threads),
        in_world(exec_in_one_of_many_threads_ends_all_others),
        in_world(a_signal_finds_the_one_thread_that_takes_it),
        in_world(two_signals_at_once_find_a_thread_each),
        in_world(a_signal_that_one_has_taken_is_no_others),
        in_world(sixteen_threads_are_told_at_once),
        in_world(a_stop_and_its_end_reach_each_of_many_threads),
        in_world(an_end_of_stops_undoes_those_that_wait_for_single_threads),
        in_world(who_leaves_while_threads_are_told_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
