/*
 * test_looks_end.c - looks that go over lists and threads: what leaves during the very first of all, how many threads
 * are looked at at once, and that a look which has come to its end is over.
 */
#include "process_notes.h"

#include "base/completion.h"
#include "base/rwlock.h"

enum { OFTEN = 200 };

static unsigned lettings;

static void count_letting(void) { lettings++; }

static void kill_all(void)
{
    struct list *at;

    LIST_EACH(at, &current_process()->children)
        (void)signal_process(LIST_ITEM(at, struct process, sibling_link), &(struct signal_info){ .number = SIGKILL });
    while (wait_for(-1, 0) > 0)
        continue;
}

/* ---- The first of all ------------------------------------------------------------------------------------- */

static unsigned visits;

static void moves_the_next_away(struct process *process, void *none)
{
    (void)none;
    if (visits++ == 0)                          /* the second member leaves the group, and is not visited there */
        process_join_group(process_numbered(ids[0]), process_numbered(ids[1])->group_number);
    assert_int_not_equal(process->id, ids[0]);
}

static void visits_first(void)
{
    ids[0] = fork_into(sleeps_long);
    ids[1] = fork_into(sleeps_long);
    ids[2] = fork_into(sleeps_long);
    assert_int_equal(process_set_group(ids[1], ids[1]), 0);
    process_each_in_group(1, moves_the_next_away, NULL);
    assert_int_equal(visits, 2);
    kill_all();
}

static void who_leaves_during_the_first_look_is_not_visited(void)
{
    visits = 0;
    begin(visits_first);
}

/* ---- Threads ---------------------------------------------------------------------------------------------- */

static unsigned threads_wanted;

static void (*looks)(void);

static struct resource_usage usage;

static void asks_for_usage(void)    { process_usage(current_process(), &usage); }
static void forgets_a_signal(void)  { signal_forget(current_process(), 1ull << (SIGUSR1 - 1)); }

static void has_threads(void)
{
    for (unsigned n = 1; n < threads_wanted; n++)
        thread_into(sleeps_long);
    give_way();
    lettings = 0;
    on_interrupts = count_letting;
    looks();
    on_interrupts = NULL;
    ids[0] = (int32_t)lettings;
    exit_with(0);
}

static int lettings_with(unsigned threads)
{
    threads_wanted = threads;
    begin(has_threads);
    return ids[0];
}

static void expect_sixty_four(void (*look)(void), unsigned each)
{
    int least;

    looks = look;
    least = lettings_with(2);
    assert_int_equal(lettings_with(63), least + (int)each * 61);
    assert_int_equal(lettings_with(64), least + (int)each * 62 + 1);
    assert_int_equal(lettings_with(127), least + (int)each * 125 + 1);
    assert_int_equal(lettings_with(128), least + (int)each * 126 + 2);
}

static void sixty_four_threads_are_looked_at_at_once(void)
{
    expect_sixty_four(asks_for_usage, 0);
    expect_sixty_four(forgets_a_signal, 0);
}

static void looks_often(void)
{
    thread_into(sleeps_long);
    for (int i = 0; i < OFTEN; i++) {
        asks_for_usage();
        forgets_a_signal();
    }
    exit_with(0);
}

static void a_look_at_all_threads_is_over_with_the_last(void) { begin(looks_often); }

/* ---- Completions ------------------------------------------------------------------------------------------ */

static struct completion completion;

static void completes_it(void)
{
    const struct thread *other = current_process()->parent->threads;

    sleep_for(TICK);
    assert_int_equal(other->phase, THREAD_WAITING);
    assert_false(other->sleep_timer.armed);
    note('h');
    completion_happen(&completion);
}

static void waits_for_completion(void)
{
    completion = (struct completion){ 0 };
    on_signal(SIGUSR1, 100, 0);
    ids[0] = fork_into(completes_it);
    assert_int_equal(signal_process(current_process(), &(struct signal_info){ .number = SIGUSR1 }), 0);
    completion_wait(&completion);               /* no signal ends this, and no time */
    note('c');
    completion_wait(&completion);
    back();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void what_happens_once_is_waited_for_until_it_has(void)
{
    begin(waits_for_completion);
    assert_string_equal(order, "hc");
}

/* ---- A writer wakes nobody -------------------------------------------------------------------------------- */

static struct rwlock rwlock = RWLOCK("test", RWLOCK_MAP);
static uint32_t      state_after_writer;

static void writes(void)
{
    rwlock_write(&rwlock);
    note('w');
    give_way_inside();
    give_way_inside();
    rwlock_write_drop(&rwlock);
    state_after_writer = rwlock.state;
}

static void reads(void)
{
    rwlock_read(&rwlock);
    note('r');
    rwlock_read_drop(&rwlock);
}

static void keeps_a_writer_and_a_reader_waiting(void)
{
    ids[0] = fork_into(writes);
    ids[1] = fork_into(reads);
    rwlock_write(&rwlock);
    give_way_inside();
    rwlock_write_drop(&rwlock);
    give_way();
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
    assert_int_equal(state_after_writer, RWLOCK_WAITED);        /* the reader was not woken in vain, nor given it */
    assert_int_equal(rwlock.state, 0);
}

static void a_writer_that_gets_the_lock_wakes_no_reader(void)
{
    begin(keeps_a_writer_and_a_reader_waiting);
    assert_string_equal(order, "wr");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(who_leaves_during_the_first_look_is_not_visited),
        in_world(sixty_four_threads_are_looked_at_at_once),
        in_world(a_look_at_all_threads_is_over_with_the_last),
        in_world(what_happens_once_is_waited_for_until_it_has),
        in_world(a_writer_that_gets_the_lock_wakes_no_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
