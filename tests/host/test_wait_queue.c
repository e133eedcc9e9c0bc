/*
 * test_wait_queue.c - threads wait in queues and are woken: one, all, those for an event, until a deadline or a signal.
 */
#include "process_notes.h"

static struct wait_queue queue, other_queue;
static char              next_letter;

static void begin_afresh(void (*program)(void))
{
    assert_null(queue.waiters.first);
    begin(program);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_queue_is_woken_one_by_one_or_at_once),
        in_world(of_exclusive_waiters_one_is_woken_for_an_event),
        in_world(waiters_that_are_called_take_events_or_not),
        in_world(of_many_waiters_all_are_woken_before_a_program_goes_on),
        in_world(of_many_exclusive_waiters_one_takes_the_event),
        in_world(a_wait_ends_with_its_deadline),
        in_world(a_signal_ends_only_waits_that_allow_it),
        in_world(who_has_a_signal_does_not_begin_to_wait),
        in_world(a_waiter_leaves_its_queue_from_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
