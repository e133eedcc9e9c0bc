/*
 * test_waits_again.c - what one wait leaves to the next: nothing. Waits with a limit, wakes of many, locks that sleep.
 */
#include "process_notes.h"

#include "base/rwlock.h"

static struct wait_queue queue;
static struct mutex      mutex = MUTEX("test");
static struct rwlock     rwlock = RWLOCK("test", RWLOCK_MAP);

static int wait_for_queue(uint64_t deadline, unsigned flags)
{
    int err = wait_on(&queue, NULL, NULL, deadline, flags);

    back();
    return err;
}

/* ---- Limits and signals ---------------------------------------------------------------------------------------- */

static void wakes_after_a_tick(void)
{
    sleep_for(TICK);
    wake_all(&queue);
    sleep_for(10 * TICK);
    wake_all(&queue);
}

/* Woken before its limit; the next wait has none, and ends by its wake alone. */
static void waits_with_a_limit_and_without(void)
{
    uint64_t began;

    queue  = (struct wait_queue){ 0 };
    ids[0] = fork_into(wakes_after_a_tick);
    began  = clock_now();
    assert_int_equal(wait_for_queue(began + 5 * (uint64_t)TICK, WAIT_SIGNALS), 0);
    assert_in_range(clock_now() - began, TICK, 2 * TICK);
    assert_int_equal(wait_for_queue(NEVER, WAIT_SIGNALS), 0);
    assert_in_range(clock_now() - began, 11 * TICK, 13 * TICK);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void a_limit_ends_with_its_wait(void) { begin(waits_with_a_limit_and_without); }

static void waits_out_a_limit_and_is_woken(void)
{
    uint64_t began = clock_now();

    queue  = (struct wait_queue){ 0 };
    assert_int_equal(wait_for_queue(began + TICK, WAIT_SIGNALS), -ETIMEDOUT);
    ids[0] = fork_into(wakes_after_a_tick);
    assert_int_equal(wait_for_queue(NEVER, WAIT_SIGNALS), 0);
    assert_int_equal(wait_for_queue(clock_now() + 20 * (uint64_t)TICK, WAIT_SIGNALS), 0);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void a_wake_after_a_limit_is_a_wake(void) { begin(waits_out_a_limit_and_is_woken); }

static int first_wait, second_wait;

static void waits_for_signals_and_then_for_none(void)
{
    on_signal(SIGUSR1, 100, 0);
    first_wait = wait_for_queue(NEVER, WAIT_SIGNALS);
    note('1');
    second_wait = wait_for_queue(clock_now() + 5 * (uint64_t)TICK, 0);
    note('2');
}

static void sends_it_two_signals(void)
{
    queue  = (struct wait_queue){ 0 };
    ids[0] = fork_into(waits_for_signals_and_then_for_none);
    give_way();
    kill(ids[0], SIGUSR1);
    give_way();
    assert_string_equal(order, "1");
    kill(ids[0], SIGUSR1);
    give_way();
    give_way();
    assert_string_equal(order, "1");
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(first_wait, -EINTR);
    assert_int_equal(second_wait, -ETIMEDOUT);
}

static void a_wait_that_no_signal_ends_lasts(void) { begin(sends_it_two_signals); }

/* ---- Wakes of more than are woken at once ----------------------------------------------------------------- */

enum { MANY = 70 };
static unsigned woken;

static void waits_thrice(void)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wait_for_queue(NEVER, 0), 0);
        woken++;
    }
    thread_exit(0);
}

static void wakes_many_thrice(void)
{
    queue = (struct wait_queue){ 0 };
    woken = 0;
    for (unsigned i = 0; i < MANY; i++)
        thread_into(waits_thrice);
    sleep_for(TICK);
    for (unsigned i = 1; i <= 3; i++) {
        wake_all(&queue);
        assert_non_null(queue.next_to_wake);
        assert_null(wakes_broken());
        sleep_for(TICK);
        assert_int_equal(woken, i * MANY);
        assert_null(queue.next_to_wake);
        assert_null(wakes_broken());
    }
}

static void a_queue_of_many_is_woken_again_and_again(void) { begin(wakes_many_thrice); }

static unsigned calls[MANY];
static struct waiter *links;

static bool counts_calls(struct waiter *waiter, unsigned bits)
{
    (void)bits;
    calls[waiter - links]++;
    return false;
}

/* One leaves that has been told, one that comes next, and one that comes later. */
static void leave_in_the_middle(void)
{
    queue = (struct wait_queue){ 0 };
    links = heap_alloc(MANY * sizeof *links, HEAP_ZERO);
    memset(calls, 0, sizeof calls);
    for (unsigned i = 0; i < MANY; i++)
        wait_link_call(&links[i], &queue, counts_calls, false);
    wake_all(&queue);
    assert_ptr_equal(queue.next_to_wake, &links[32]);
    wait_unlink(&links[5]);
    assert_ptr_equal(queue.next_to_wake, &links[32]);
    wait_unlink(&links[32]);
    assert_ptr_equal(queue.next_to_wake, &links[33]);
    wait_unlink(&links[40]);
    assert_ptr_equal(queue.next_to_wake, &links[33]);
    back();
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(calls[i], i != 32 && i != 40);
        wait_unlink(&links[i]);                 /* of those that have left nothing is to be done */
    }
    assert_null(queue.waiters.first);
    assert_null(wakes_broken());
    heap_free(links);
    exit_with(0);
}

static void each_that_stays_is_told_once(void) { begin(leave_in_the_middle); }

static unsigned lettings;

static void count_letting(void) { lettings++; }

/* How often interrupts are let in while so many are told before the program goes on. */
static unsigned lettings_of(unsigned count)
{
    queue = (struct wait_queue){ 0 };
    links = heap_alloc(MANY * sizeof *links, HEAP_ZERO);
    for (unsigned i = 0; i < count; i++)
        wait_link_call(&links[i], &queue, counts_calls, false);
    lettings  = 0;
    on_let_in = count_letting;
    wake_all(&queue);
    assert_int_equal(lettings, 0);
    back();
    on_let_in = NULL;
    for (unsigned i = 0; i < count; i++)
        wait_unlink(&links[i]);
    heap_free(links);
    return lettings;
}

static void tells_many(void)
{
    assert_int_equal(lettings_of(32), 0);
    assert_int_equal(lettings_of(33), 1);
    assert_int_equal(lettings_of(64), 1);
    assert_int_equal(lettings_of(65), 2);
    assert_int_equal(lettings_of(MANY), 2);
    exit_with(0);
}

static void thirty_two_are_told_at_once(void) { begin(tells_many); }

static struct wait_queue other_queue;
static unsigned          told_in_all, last_of_first, first_of_other;

static bool notes_the_first_queue(struct waiter *waiter, unsigned bits)
{
    (void)waiter;
    (void)bits;
    last_of_first = ++told_in_all;
    return false;
}

static bool notes_the_other_queue(struct waiter *waiter, unsigned bits)
{
    (void)waiter;
    (void)bits;
    if (++told_in_all > 64 && first_of_other == 0)
        first_of_other = told_in_all;
    return false;
}

/* Two queues that are left over: the first goes on to its end before the second does. */
static void tells_two_queues(void)
{
    struct waiter *others = heap_alloc(MANY * sizeof *others, HEAP_ZERO);

    queue = other_queue = (struct wait_queue){ 0 };
    links = heap_alloc(MANY * sizeof *links, HEAP_ZERO);
    told_in_all = last_of_first = first_of_other = 0;
    for (unsigned i = 0; i < MANY; i++) {
        wait_link_call(&links[i], &queue, notes_the_first_queue, false);
        wait_link_call(&others[i], &other_queue, notes_the_other_queue, false);
    }
    wake_all(&queue);
    wake_all(&other_queue);
    assert_int_equal(told_in_all, 64);
    back();
    assert_int_equal(told_in_all, 2 * MANY);
    assert_true(last_of_first < first_of_other);
    for (unsigned i = 0; i < MANY; i++) {
        wait_unlink(&links[i]);
        wait_unlink(&others[i]);
    }
    heap_free(links);
    heap_free(others);
    exit_with(0);
}

static void queues_are_told_one_after_the_other(void) { begin(tells_two_queues); }

/* ---- Mutexes ---------------------------------------------------------------------------------------------- */

static void takes_twice(void)
{
    for (int i = 0; i < 2; i++) {
        mutex_take(&mutex);
        note('t');
        mutex_drop(&mutex);
        give_way();
    }
}

/* The waiter is woken in vain in its first wait, and so given the mutex; in its second it is woken first. */
static void is_in_the_way_once(void)
{
    mutex_take(&mutex);
    ids[0] = fork_into(takes_twice);
    give_way_inside();
    mutex_drop(&mutex);
    mutex_take(&mutex);
    give_way_inside();                          /* it tries in vain */
    mutex_drop(&mutex);
    assert_ptr_equal(mutex.holder, thread_find(ids[0]));
    give_way();
    assert_string_equal(order, "t");
    mutex_take(&mutex);
    give_way_inside();
    mutex_drop(&mutex);
    assert_null(mutex.holder);                  /* not given: free until it runs */
    give_way();
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_string_equal(order, "tt");
}

static void who_waits_again_for_a_mutex_has_not_tried_yet(void) { begin(is_in_the_way_once); }

/* Its last wait could be ended by a signal, this one cannot. */
static void waits_for_a_mutex_after_a_wait(void)
{
    on_signal(SIGUSR1, 100, 0);
    assert_int_equal(wait_for_queue(clock_now() + TICK, WAIT_SIGNALS), -ETIMEDOUT);
    mutex_take(&mutex);
    note('t');
    mutex_drop(&mutex);
    back();
    assert_int_equal(handlers_run, 1);
}

static void signals_one_that_waits_for_a_mutex(void)
{
    queue  = (struct wait_queue){ 0 };
    ids[0] = fork_into(waits_for_a_mutex_after_a_wait);
    mutex_take(&mutex);
    wait_start(&current_process()->child_change);
    assert_int_equal(wait_linked(clock_now() + 3 * TICK, 0), -ETIMEDOUT);
    wait_end();
    if (thread_find(ids[0])->phase == THREAD_WAITING && thread_find(ids[0])->mutex_waiter.queue != NULL)
        note('w');
    assert_int_equal(signal_thread(thread_find(ids[0]), &(struct signal_info){ .number = SIGUSR1 }), 0);
    assert_int_equal(thread_find(ids[0])->phase, THREAD_WAITING);
    mutex_drop(&mutex);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void no_signal_ends_a_wait_for_a_mutex(void)
{
    begin(signals_one_that_waits_for_a_mutex);
    assert_string_equal(order, "wt");
}

/* Overtaken so often, as nobody lets it run in between. */
static unsigned overtake(unsigned most)
{
    unsigned times = 0;

    while (times < most && mutex.waiting.first != NULL) {
        mutex_drop(&mutex);
        mutex_take(&mutex);
        if (strlen(order) > 0)
            break;
        times++;
    }
    return times;
}

static void is_overtaken_in_two_waits(void)
{
    mutex_take(&mutex);
    ids[0] = fork_into(takes_twice);
    give_way_inside();
    assert_int_equal(overtake(10), 10);
    mutex_drop(&mutex);
    give_way();
    assert_string_equal(order, "t");
    order[0] = 0;
    mutex_take(&mutex);
    give_way_inside();
    assert_int_equal(overtake(40), 16);         /* counted from its second wait on */
    mutex_drop(&mutex);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void each_wait_for_a_mutex_is_overtaken_by_itself(void) { begin(is_overtaken_in_two_waits); }

static void takes_once(void)
{
    mutex_take(&mutex);
    note('o');
    mutex_drop(&mutex);
}

/* While the mutex is held all come behind: none of them overtakes. */
static void many_come_behind(void)
{
    mutex_take(&mutex);
    ids[0] = fork_into(takes_once);
    give_way_inside();
    for (int i = 0; i < 20; i++)
        fork_into(takes_once);
    give_way_inside();
    assert_int_equal(thread_find(ids[0])->lock_overtaken, 0);
    assert_int_equal(overtake(40), 16);
    mutex_drop(&mutex);
    while (wait_for(-1, 0) > 0)
        continue;
    assert_int_equal(strlen(order), 21);
}

static void who_waits_behind_another_does_not_overtake(void) { begin(many_come_behind); }

/* ---- Readers and writers ---------------------------------------------------------------------------------- */

static void writes_twice(void)
{
    for (int i = 0; i < 2; i++) {
        rwlock_write(&rwlock);
        note('w');
        rwlock_write_drop(&rwlock);
        give_way();
    }
}

static void is_in_a_writers_way_once(void)
{
    ids[0] = fork_into(writes_twice);
    rwlock_write(&rwlock);
    give_way_inside();
    rwlock_write_drop(&rwlock);
    rwlock_write(&rwlock);
    give_way_inside();
    rwlock_write_drop(&rwlock);
    assert_int_equal(rwlock.state, RWLOCK_WRITER);              /* given */
    give_way();
    assert_string_equal(order, "w");
    rwlock_write(&rwlock);
    give_way_inside();
    rwlock_write_drop(&rwlock);
    assert_int_equal(rwlock.state, RWLOCK_WAITED);              /* free until it runs */
    give_way();
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_string_equal(order, "ww");
    assert_int_equal(rwlock.state, 0);
}

static void who_waits_again_to_write_has_not_tried_yet(void) { begin(is_in_a_writers_way_once); }

static void reads_for_a_while(void)
{
    rwlock_read(&rwlock);
    note('r');
    for (int i = 0; i < 4; i++)
        give_way_inside();
    note('x');
    rwlock_read_drop(&rwlock);
}

static void writes_once(void)
{
    rwlock_write(&rwlock);
    note('w');
    rwlock_write_drop(&rwlock);
}

static void keeps_many_waiting(void)
{
    ids[0] = fork_into(reads_for_a_while);
    ids[1] = fork_into(reads_for_a_while);
    ids[2] = fork_into(writes_once);
    ids[3] = fork_into(reads_for_a_while);
    rwlock_write(&rwlock);
    give_way_inside();
    rwlock_write_drop(&rwlock);
    while (wait_for(-1, 0) > 0)
        continue;
    assert_int_equal(rwlock.state, 0);
}

static void readers_before_a_writer_read_together(void)
{
    begin(keeps_many_waiting);
    assert_string_equal(order, "rrxxwrx");
}

/* The first in the queue is a reader, woken and not yet back; another reads meanwhile, and so may a third. */
static void reads_beside_a_reader(void)
{
    ids[0] = fork_into(reads_for_a_while);
    rwlock_write(&rwlock);
    give_way_inside();
    rwlock_write_drop(&rwlock);
    rwlock_read(&rwlock);
    assert_int_equal(rwlock.state, 1 | RWLOCK_WAITED);
    rwlock_read_drop(&rwlock);
    assert_string_equal(order, "");
    ids[1] = fork_into(reads_for_a_while);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
    assert_int_equal(rwlock.state, 0);
}

static void a_reader_that_waits_keeps_no_reader_waiting(void)
{
    begin(reads_beside_a_reader);
    assert_string_equal(order, "rrxx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_limit_ends_with_its_wait),
        in_world(a_wake_after_a_limit_is_a_wake),
        in_world(a_wait_that_no_signal_ends_lasts),
        in_world(a_queue_of_many_is_woken_again_and_again),
        in_world(each_that_stays_is_told_once),
        in_world(thirty_two_are_told_at_once),
        in_world(queues_are_told_one_after_the_other),
        in_world(no_signal_ends_a_wait_for_a_mutex),
        in_world(who_waits_again_for_a_mutex_has_not_tried_yet),
        in_world(each_wait_for_a_mutex_is_overtaken_by_itself),
        in_world(who_waits_behind_another_does_not_overtake),
        in_world(who_waits_again_to_write_has_not_tried_yet),
        in_world(readers_before_a_writer_read_together),
        in_world(a_reader_that_waits_keeps_no_reader_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
