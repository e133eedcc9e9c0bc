/*
 * test_schedule.c - threads take turns, wait and are woken; mutexes; the idle thread.
 */
#include "process_notes.h"

#include "process/load.h"

static struct wait_queue queue, other_queue;
static struct mutex      mutex = MUTEX("test");

static void begin_afresh(void (*program)(void))
{
    assert_null(queue.waiters.first);
    begin(program);
}

static char next_letter;

static void takes_turns(void)
{
    char letter = next_letter++;

    for (int i = 0; i < 3; i++) {
        note(letter);
        give_way();
    }
}

static void starts_three(void)
{
    next_letter = 'a';
    for (int i = 0; i < 3; i++)
        ids[i] = fork_into(takes_turns);
    assert_int_equal(schedule_ready(), 3);
    assert_int_equal(schedule_running(), 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wait_for(-1, 0), ids[i]);
    assert_int_equal(schedule_ready(), 0);
    assert_int_equal(schedule_running(), 1);
}

static void threads_take_turns(void)
{
    uint64_t switches = schedule_switches();

    begin_afresh(starts_three);
    assert_string_equal(order, "abcabcabc");
    assert_true(schedule_switches() > switches + 9);
}

/* ---- Turns end ------------------------------------------------------------------------------------------- */

static void computes(void)
{
    char letter = next_letter++;

    for (int i = 0; i < 12; i++) {
        note(letter);
        tick();
        back();
    }
}

static void starts_two_that_compute(void)
{
    next_letter = 'a';
    fork_into(computes);
    fork_into(computes);
    assert_int_equal(wait_for(-1, 0), 2);
    assert_int_equal(waited.usage.switches_involuntary, 2);
    assert_int_equal(waited.usage.switches_voluntary, 0);
    assert_int_equal(waited.usage.user_time, 12 * TICK);
    assert_int_equal(wait_for(-1, 0), 3);
}

static void after_five_ticks_another_has_its_turn(void)
{
    begin_afresh(starts_two_that_compute);
    assert_string_equal(order, "aaaaabbbbbaaaaabbbbbaabb");
}

static void computes_in_the_kernel(void)
{
    char letter = next_letter++;

    for (int i = 0; i < 7; i++) {
        note(letter);
        tick();
        assert_int_equal(schedule_between(), 0);
    }
}

static void starts_two_in_the_kernel(void)
{
    next_letter = 'a';
    fork_into(computes_in_the_kernel);
    fork_into(computes_in_the_kernel);
    assert_int_equal(wait_for(-1, 0), 2);
    assert_int_equal(wait_for(-1, 0), 3);
}

static void long_work_in_the_kernel_gives_way(void)
{
    begin_afresh(starts_two_in_the_kernel);
    assert_string_equal(order, "aaaaabbbbbaabb");
}

static void is_told_in_long_work(void)
{
    struct signal_info info = { .number = SIGUSR1 };

    on_signal(SIGUSR1, 100, 0);
    assert_int_equal(schedule_between(), 0);
    signal_process(current_process(), &info);
    assert_int_equal(schedule_between(), -EINTR);
}

static void long_work_hears_of_signals(void) { begin_afresh(is_told_in_long_work); }

/* One thread computes alone; a thread that becomes ready meanwhile has a turn when this one's is over. */
static void is_born_late(void) { note('b'); }

static void computes_alone_then_not(void)
{
    for (int i = 0; i < 3; i++) {
        tick();
        back();
    }
    fork_into(is_born_late);
    for (int i = 0; i < 8; i++) {
        note('a');
        tick();
        back();
    }
    assert_int_equal(wait_for(-1, 0), 2);
}

static void a_thread_that_comes_to_run_is_not_forgotten(void)
{
    begin_afresh(computes_alone_then_not);
    assert_string_equal(order, "aabaaaaaa");    /* the turn was five ticks long, of which three were over */
}

/* ---- Waiting --------------------------------------------------------------------------------------------- */

static void waits(void)
{
    char letter = next_letter++;
    int  err;

    wait_start(&queue);
    err = wait_linked(NEVER, WAIT_SIGNALS);
    wait_end();
    back();
    note(err == 0 ? letter : err == -EINTR ? '!' : '?');
}

static void waits_exclusively(void)
{
    char letter = next_letter++;

    wait_start_exclusive(&queue);
    assert_int_equal(wait_linked(NEVER, WAIT_SIGNALS), 0);
    wait_end();
    back();
    note(letter);
}

static void wakes(void)
{
    next_letter = 'a';
    for (int i = 0; i < 3; i++)
        fork_into(waits);
    give_way();
    assert_null(waiter_broken(&process_find(2)->threads->waiter));
    assert_null(waiter_broken(&process_find(4)->threads->waiter));
    wake_one(&queue);
    wake_one(&queue);                           /* the next that is not woken yet */
    give_way();
    assert_string_equal(order, "ab");
    assert_int_equal(process_find(4)->threads->phase, THREAD_WAITING);
    wake_all(&other_queue);
    wake_one(&other_queue);
    wake_all(&queue);
    give_way();
    assert_string_equal(order, "abc");
    wake_one(&queue);
    assert_false(wake_for(&queue, 0));
    for (int i = 0; i < 3; i++)
        wait_for(-1, 0);
}

static void a_queue_is_woken_one_by_one_or_at_once(void) { begin_afresh(wakes); }

static void wakes_exclusive_ones(void)
{
    next_letter = 'a';
    fork_into(waits);
    fork_into(waits_exclusively);
    fork_into(waits_exclusively);
    fork_into(waits);
    give_way();
    assert_true(wake_for(&queue, 0));           /* all waiters that are not exclusive, and one that is */
    assert_true(wake_for(&queue, 0));           /* an event more: the other */
    assert_true(wake_for(&queue, 0));           /* the others are woken again; of exclusive ones none is left */
    give_way();
    assert_string_equal(order, "abdc");
    for (int i = 0; i < 4; i++)
        wait_for(-1, 0);
}

static void of_exclusive_waiters_one_is_woken_for_an_event(void) { begin_afresh(wakes_exclusive_ones); }

static unsigned called, called_with, passed;
static bool     call_takes;

static bool on_call(struct waiter *waiter, unsigned bits)
{
    assert_non_null(waiter->queue);
    called++;
    called_with = bits;
    return call_takes;
}

static void waits_by_calls(void)
{
    struct waiter *calls = heap_alloc(3 * sizeof *calls, HEAP_ZERO);

    next_letter = 'a';
    called = 0;
    wait_link_call(&calls[0], &queue, on_call, false);
    fork_into(waits);
    give_way();
    call_takes = false;
    assert_true(wake_for(&queue, 5));           /* the thread took it */
    assert_int_equal(called, 1);
    assert_int_equal(called_with, 5);
    give_way();
    assert_false(wake_for(&queue, 6));
    wake_one(&queue);                           /* calls are not made for that */
    assert_int_equal(called, 2);
    call_takes = true;
    assert_true(wake_for(&queue, 6));
    assert_int_equal(called, 3);
    wait_link_call(&calls[1], &queue, on_call, true);
    wait_link_call(&calls[2], &queue, on_call, true);
    assert_null(waiter_broken(&calls[1]));
    assert_true(wake_for(&queue, 7));           /* the first exclusive waiter takes the event */
    assert_int_equal(called, 5);
    call_takes = false;
    assert_false(wake_for(&queue, 7));          /* no waiter takes it: all are asked */
    assert_int_equal(called, 8);
    wait_unlink(&calls[1]);
    wait_unlink(&calls[1]);                     /* once more does nothing */
    assert_null(waiter_broken(&calls[2]));
    assert_false(wake_for(&queue, 7));
    assert_int_equal(called, 10);
    wait_unlink(&calls[0]);
    wait_unlink(&calls[2]);
    assert_null(queue.waiters.first);
    assert_null(queue.waiters.last);
    heap_free(calls);
    assert_int_equal(wait_for(-1, 0), 2);
}

static void waiters_that_are_called_take_events_or_not(void) { begin_afresh(waits_by_calls); }

/* ---- Many waiters ---------------------------------------------------------------------------------------- */

enum { MANY = 100 };

static void let_errands_be_done(void)
{
    schedule_hurry();
    assert_true(schedule_preempt());
}

/* A wake takes some of many at once; the others hear of it before a program goes on, unless they leave before. */
static void wakes_many(void)
{
    struct waiter *calls = heap_alloc(MANY * sizeof *calls, HEAP_ZERO);
    unsigned       at_once;

    called     = passed = 0;
    call_takes = false;
    for (int i = 0; i < MANY; i++)
        wait_link_call(&calls[i], &queue, on_call, false);
    assert_true(wake_for(&queue, 5));           /* some waiter may still take it */
    at_once = called;
    assert_in_range(at_once, 1, MANY / 2);
    assert_ptr_equal(queue.next_to_wake, &calls[at_once]);
    assert_null(wakes_broken());
    wait_unlink(&calls[at_once]);
    assert_ptr_equal(queue.next_to_wake, &calls[at_once + 1]);
    let_errands_be_done();
    assert_int_equal(called, MANY - 1);
    assert_int_equal(called_with, 5);
    assert_null(queue.next_to_wake);
    assert_null(wakes_broken());

    assert_true(wake_for(&queue, 1));           /* a second wake meanwhile is for both reasons, and for all */
    assert_true(wake_for(&queue, 4));
    let_errands_be_done();
    assert_int_equal(called_with, 5);
    assert_in_range(called, 2 * (MANY - 1), 3 * (MANY - 1));

    assert_true(wake_for(&queue, 1));           /* with its last waiter the queue may go */
    for (int i = 0; i < MANY; i++)
        wait_unlink(&calls[i]);
    assert_null(queue.next_to_wake);
    assert_null(queue.being_woken.next);
    let_errands_be_done();
    heap_free(calls);
    passed++;
}

static void of_many_waiters_all_are_woken_before_a_program_goes_on(void)
{
    begin_afresh(wakes_many);
    assert_int_equal(passed, 1);
}

/* Of many exclusive waiters that do not want the event all are asked, and the first that takes it is the last. */
static void wakes_many_exclusive_ones(void)
{
    struct waiter *calls = heap_alloc(MANY * sizeof *calls, HEAP_ZERO);

    called     = passed = 0;
    call_takes = false;
    for (int i = 0; i < MANY; i++)
        wait_link_call(&calls[i], &queue, on_call, true);
    wake_all(&queue);
    call_takes = true;
    let_errands_be_done();
    assert_in_range(called, 2, MANY / 2 + 1);
    for (int i = 0; i < MANY; i++)
        wait_unlink(&calls[i]);
    heap_free(calls);
    passed++;
}

static void of_many_exclusive_waiters_one_takes_the_event(void)
{
    begin_afresh(wakes_many_exclusive_ones);
    assert_int_equal(passed, 1);
}

static void waits_until(void)
{
    uint64_t    began = clock_now();
    struct lock guard = LOCK("test", RANK_PROCESSES);
    lock_state  state = lock_take(&guard);

    assert_int_equal(wait_on(&queue, &guard, &state, clock_now() + 2 * TICK, WAIT_SIGNALS), -ETIMEDOUT);
    assert_true(lock_held(&guard));
    lock_drop(&guard, state);
    assert_true(clock_now() >= began + 2 * TICK);
    assert_true(clock_now() < began + 4 * TICK);
    assert_null(queue.waiters.first);
    assert_false(current_thread()->sleep_timer.armed);
    assert_int_equal(wait_on(&queue, NULL, NULL, clock_now() + TICK, 0), -ETIMEDOUT);
    wait_start(&queue);
    wake_all(&queue);                           /* woken before it sleeps */
    assert_int_equal(wait_linked(NEVER, 0), 0);
    wait_end();
    wait_prepare();
    wait_start(&queue);
    wake_all(&queue);
    assert_int_equal(wait_linked(clock_now() + TICK, 0), 0);
    wait_end();
    assert_false(current_thread()->sleep_timer.armed);
}

static void a_wait_ends_with_its_deadline(void) { begin_afresh(waits_until); }

static void sleeps_uninterruptibly(void)
{
    wait_start(&queue);
    assert_int_equal(wait_linked(NEVER, 0), 0);
    wait_end();
    note('u');
    back();
    note('!');
}

static void sleeps_until_killed(void)
{
    wait_start(&queue);
    assert_int_equal(wait_linked(NEVER, WAIT_KILL), -EINTR);
    wait_end();
    note('k');
    back();
}

static void signals_sleepers(void)
{
    ids[0] = fork_into(sleeps_uninterruptibly);
    ids[1] = fork_into(sleeps_until_killed);
    next_letter = 'a';
    ids[2] = fork_into(waits);
    process_find(ids[2])->actions->action[SIGUSR1].handler = 100;
    process_find(ids[1])->actions->action[SIGUSR1].handler = 100;
    give_way();
    for (int i = 0; i < 3; i++)
        kill(ids[i], SIGUSR1);
    give_way();
    assert_string_equal(order, "!");            /* only the wait that allows it */
    kill(ids[0], SIGKILL);
    kill(ids[1], SIGKILL);
    give_way();
    assert_string_equal(order, "!k");
    wake_all(&queue);
    give_way();
    assert_string_equal(order, "!ku");
    for (int i = 0; i < 3; i++)
        wait_for(-1, 0);
}

static void a_signal_ends_only_waits_that_allow_it(void) { begin_afresh(signals_sleepers); }

static void has_a_signal_already(void)
{
    struct signal_info info = { .number = SIGUSR1 };

    on_signal(SIGUSR1, 100, 0);
    signal_process(current_process(), &info);
    wait_start(&queue);
    assert_int_equal(wait_linked(NEVER, WAIT_SIGNALS), -EINTR);         /* does not even begin */
    wait_prepare();
    assert_int_equal(wait_linked(clock_now() + TICK, WAIT_KILL), -ETIMEDOUT);
    wait_prepare();
    assert_int_equal(wait_linked(clock_now() + TICK, 0), -ETIMEDOUT);
    wait_end();
}

static void who_has_a_signal_does_not_begin_to_wait(void) { begin_afresh(has_a_signal_already); }

static void links_out_of_order(void)
{
    struct waiter *w = heap_alloc(3 * sizeof *w, HEAP_ZERO);

    wait_prepare();
    for (int i = 0; i < 3; i++)
        wait_link(&w[i], &queue);
    wait_unlink(&w[1]);
    assert_null(waiter_broken(&w[0]));
    assert_null(waiter_broken(&w[2]));
    assert_ptr_equal(w[0].next, &w[2]);
    assert_ptr_equal(w[2].previous, &w[0]);
    wait_unlink(&w[0]);
    assert_ptr_equal(queue.waiters.first, &w[2]);
    assert_null(w[2].previous);
    wait_link(&w[0], &queue);
    wait_unlink(&w[0]);
    assert_ptr_equal(queue.waiters.last, &w[2]);
    assert_null(w[2].next);
    wait_unlink(&w[2]);
    wake_all(&queue);
    heap_free(w);
}

static void a_waiter_leaves_its_queue_from_anywhere(void) { begin_afresh(links_out_of_order); }

/* ---- Mutexes --------------------------------------------------------------------------------------------- */

static void wants_the_mutex(void)
{
    char letter = next_letter++;

    mutex_take(&mutex);
    assert_true(mutex_held(&mutex));
    note(letter);
    give_way();
    note(letter);
    mutex_drop(&mutex);
    assert_false(mutex_held(&mutex));
}

static void holds_the_mutex(void)
{
    next_letter = 'a';
    mutex_take(&mutex);
    for (int i = 0; i < 3; i++)
        fork_into(wants_the_mutex);
    give_way();
    assert_string_equal(order, "");
    assert_null(waiter_broken(&process_find(3)->threads->mutex_waiter));
    mutex_drop(&mutex);
    assert_null(mutex.holder);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wait_for(-1, 0), i + 2);
    assert_null(mutex.holder);
    assert_null(mutex.waiting.first);
}

static void wants_the_mutex_once(void)
{
    mutex_take(&mutex);
    note('w');
    mutex_drop(&mutex);
}

/* The holder drops the mutex and takes it again: the waiter that was woken for that in vain is given it next time. */
static void drops_and_takes(void)
{
    mutex_take(&mutex);
    ids[0] = fork_into(wants_the_mutex_once);
    give_way();
    for (int i = 0; i < 4; i++) {
        mutex_drop(&mutex);
        mutex_take(&mutex);
        note('h');
        give_way();
    }
    mutex_drop(&mutex);
    assert_int_equal(wait_for(-1, 0), ids[0]);
}

static void who_was_woken_for_a_mutex_in_vain_is_given_it(void)
{
    begin_afresh(drops_and_takes);
    assert_string_equal(order, "hwhhh");
}

/* Without a turn for the waiter in between: it is overtaken so often, and no more. */
static void overtakes_often(void)
{
    passed = 0;
    mutex_take(&mutex);
    ids[0] = fork_into(wants_the_mutex_once);
    give_way();
    for (int i = 0; i < 40 && order[0] == '\0'; i++) {
        mutex_drop(&mutex);
        mutex_take(&mutex);
        passed++;
    }
    mutex_drop(&mutex);
    assert_int_equal(wait_for(-1, 0), ids[0]);
}

static void a_waiter_for_a_mutex_is_not_overtaken_for_ever(void)
{
    begin_afresh(overtakes_often);
    assert_int_equal(passed, 17);
}

static void one_thread_has_a_mutex_and_others_wait_in_order(void)
{
    begin_afresh(holds_the_mutex);
    assert_string_equal(order, "aabbcc");
}

/* ---- Readers and writers ---------------------------------------------------------------------------------- */

static struct rwlock rwlock = RWLOCK("test", RWLOCK_MAP);

static void wants_to_read(void)
{
    char letter = next_letter++;

    rwlock_read(&rwlock);
    note(letter);
    give_way_inside();
    note(letter);
    rwlock_read_drop(&rwlock);
}

static void wants_to_write(void)
{
    char letter = next_letter++;

    rwlock_write(&rwlock);
    note(letter);
    give_way_inside();
    note(letter);
    rwlock_write_drop(&rwlock);
}

static void starts_readers_and_writers(void)
{
    next_letter = 'a';
    fork_into(wants_to_read);
    fork_into(wants_to_read);
    fork_into(wants_to_write);
    fork_into(wants_to_read);
    rwlock_write(&rwlock);
    schedule();
    assert_string_equal(order, "");             /* all readers wait for the writer */
    assert_null(waiter_broken(&process_find(4)->threads->mutex_waiter));
    rwlock_write_drop(&rwlock);
    for (int i = 0; i < 4; i++)
        assert_true(wait_for(-1, 0) > 0);
    assert_null(rwlock.waiting.first);
    assert_int_equal(rwlock.state, 0);
}

static void readers_go_together_and_a_writer_alone(void)
{
    begin_afresh(starts_readers_and_writers);
    assert_string_equal(order, "ababccdd");     /* a reader that comes after a writer waits for it */
}

static void wants_to_read_later(void)
{
    give_way_inside();
    wants_to_read();
}

static void starts_a_writer_behind_readers(void)
{
    next_letter = 'a';
    fork_into(wants_to_write);
    fork_into(wants_to_read_later);
    rwlock_read(&rwlock);
    schedule();
    schedule();
    assert_string_equal(order, "");             /* a reader does not overtake it */
    rwlock_read_drop(&rwlock);
    assert_true(wait_for(-1, 0) > 0);
    assert_true(wait_for(-1, 0) > 0);
    assert_int_equal(rwlock.state, 0);
}

static void a_writer_that_waits_is_not_overtaken(void)
{
    begin_afresh(starts_a_writer_behind_readers);
    assert_string_equal(order, "aabb");
}

/* ---- Probes, and the idle thread ------------------------------------------------------------------------- */

static unsigned probed;
static void     probe(void) { probed++; }

static void is_probed(void)
{
    probed = 0;
    back();
    schedule_probe(PROBE_CHANNEL, probe);
    assert_int_equal(probed, 0);
    back();
    assert_int_equal(probed, 1);
    back();
    assert_int_equal(probed, 1);                /* once */
    schedule_probe(PROBE_MAP_LINE, probe);
    schedule_probe(PROBE_CHANNEL, probe);
    assert_int_equal(schedule_between(), 0);
    assert_int_equal(probed, 3);
    schedule_probe(PROBE_CHANNEL, probe);
    sleep_for(TICK);                            /* a switch does not lose it */
    back();
    assert_int_equal(probed, 4);
    schedule_probe(PROBE_MAP_LINE, probe);
    sleep_for(TICK);
    back();
    assert_int_equal(probed, 5);
}

static void who_asks_is_told_when_a_program_is_about_to_run(void) { begin_afresh(is_probed); }

static jmp_buf      out_of_idle;
static unsigned     waits_left;

static void count_waits(void)
{
    if (waits_left-- == 0)
        longjmp(out_of_idle, 1);
    tick();
}

static void sleeps_twice(void)
{
    note('1');
    sleep_for(2 * TICK);
    note('2');
    sleep_for(2 * TICK);
    note('3');
}

static void the_idle_thread_lets_others_run_and_sleeps(void)
{
    uint64_t idle = schedule_idle_time();

    order[0]   = 0;
    probed     = 0;
    waits_left = 20;
    on_wait    = count_waits;
    start_program(sleeps_twice);
    schedule_probe(PROBE_MAP_LINE, probe);
    if (setjmp(out_of_idle) == 0)
        schedule_idle();
    host_interrupts_off = 0;
    assert_string_equal(order, "123");
    assert_int_equal(processes_alive(), 0);
    assert_int_equal(probed, 1);
    assert_true(schedule_idle_time() - idle >= 4 * TICK);
    assert_true(schedule_idle_time() - idle <= 6 * TICK);
}

static void the_idle_thread_answers_who_asks_when_nobody_runs(void)
{
    probed     = 0;
    waits_left = 1;
    on_wait    = count_waits;
    schedule_probe(PROBE_CHANNEL, probe);
    if (setjmp(out_of_idle) == 0)
        schedule_idle();
    host_interrupts_off = 0;
    assert_int_equal(probed, 1);
}

static void pauses(void)
{
    uint64_t began = clock_now();

    schedule_pause(NEVER);                      /* no other thread: an interrupt comes */
    assert_true(clock_now() == began + TICK);
    schedule_pause(clock_now() + 3 * TICK);
    assert_true(clock_now() == began + 2 * TICK);
    assert_null(timers_broken());
    next_letter = 'a';
    fork_into(takes_turns);
    schedule_pause(NEVER);
    assert_string_equal(order, "a");
    assert_true(clock_now() == began + 2 * TICK);
    assert_int_equal(wait_for(-1, 0), 2);
}

static void a_pause_is_another_threads_turn_or_an_interrupt(void) { begin_afresh(pauses); }

static void idle_ticks_are_nobodys_time(void)
{
    const struct thread *idle = current_thread();
    uint64_t             used = idle->used.user_time;

    for (int i = 0; i < 20; i++)
        tick();
    assert_true(idle->used.user_time == used);
    assert_int_equal(schedule_running(), 0);
}

static void counts_ready(void)
{
    uint32_t load[LOADS];

    next_letter = 'a';
    for (int i = 0; i < 1000; i++)
        tick();                                 /* ten seconds of one running thread */
    schedule_load(load);
    assert_true(load[0] > LOAD_ONE / 20);
    assert_true(load[0] < LOAD_ONE);
    assert_true(load[0] > load[1] && load[1] > load[2] && load[2] > 0);
}

static void the_load_follows_the_threads_that_run(void) { begin_afresh(counts_ready); }

static void the_check_sees_what_is_wrong(void)
{
    struct thread *self = current_thread();

    assert_null(schedule_broken());
    self->phase = THREAD_WAITING;
    assert_string_equal(schedule_broken(), "Y2");
    self->phase = THREAD_RUNNING;
    start_program(takes_turns);
    start_program(takes_turns);
    assert_null(schedule_broken());
    run_queue.count--;
    assert_string_equal(schedule_broken(), "Y1");
    run_queue.count += 2;
    assert_string_equal(schedule_broken(), "Y1");
    run_queue.count--;
    run_queue.first->phase = THREAD_DEAD;
    assert_string_equal(schedule_broken(), "Y1");
    run_queue.first->phase = THREAD_READY;
    struct thread *last = run_queue.last;
    run_queue.last = run_queue.first;
    assert_string_equal(schedule_broken(), "Y1");
    run_queue.last = last;
    assert_null(schedule_broken());
    next_letter = 'a';
    order[0] = 0;
    run();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(threads_take_turns),
        in_world(after_five_ticks_another_has_its_turn),
        in_world(long_work_in_the_kernel_gives_way),
        in_world(long_work_hears_of_signals),
        in_world(a_queue_is_woken_one_by_one_or_at_once),
        in_world(of_exclusive_waiters_one_is_woken_for_an_event),
        in_world(waiters_that_are_called_take_events_or_not),
        in_world(of_many_waiters_all_are_woken_before_a_program_goes_on),
        in_world(of_many_exclusive_waiters_one_takes_the_event),
        in_world(a_wait_ends_with_its_deadline),
        in_world(a_signal_ends_only_waits_that_allow_it),
        in_world(who_has_a_signal_does_not_begin_to_wait),
        in_world(a_waiter_leaves_its_queue_from_anywhere),
        in_world(one_thread_has_a_mutex_and_others_wait_in_order),
        in_world(who_was_woken_for_a_mutex_in_vain_is_given_it),
        in_world(a_waiter_for_a_mutex_is_not_overtaken_for_ever),
        in_world(a_thread_that_comes_to_run_is_not_forgotten),
        in_world(readers_go_together_and_a_writer_alone),
        in_world(a_writer_that_waits_is_not_overtaken),
        in_world(who_asks_is_told_when_a_program_is_about_to_run),
        in_world(the_idle_thread_lets_others_run_and_sleeps),
        in_world(the_idle_thread_answers_who_asks_when_nobody_runs),
        in_world(a_pause_is_another_threads_turn_or_an_interrupt),
        in_world(idle_ticks_are_nobodys_time),
        in_world(the_load_follows_the_threads_that_run),
        in_world(the_check_sees_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
