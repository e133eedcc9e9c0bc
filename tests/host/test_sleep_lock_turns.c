/*
 * test_sleep_lock_turns.c - in which order waiting threads are given a mutex, or a lock of readers and writers.
 */
#include "process_notes.h"

#include "base/rwlock.h"

static struct mutex mutex = MUTEX("test");
static unsigned     passed;
static char         next_letter;

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
    begin(drops_and_takes);
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
    begin(overtakes_often);
    assert_int_equal(passed, 17);
}

static void one_thread_has_a_mutex_and_others_wait_in_order(void)
{
    begin(holds_the_mutex);
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
    begin(starts_readers_and_writers);
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
    begin(starts_a_writer_behind_readers);
    assert_string_equal(order, "aabb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(one_thread_has_a_mutex_and_others_wait_in_order),
        in_world(who_was_woken_for_a_mutex_in_vain_is_given_it),
        in_world(a_waiter_for_a_mutex_is_not_overtaken_for_ever),
        in_world(readers_go_together_and_a_writer_alone),
        in_world(a_writer_that_waits_is_not_overtaken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
