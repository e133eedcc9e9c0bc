/*
 * test_rwlock_wait.c - a wait for a lock that is free by now: it is had at once, and once.
 *
 * A thread sees that a lock is taken, and the holder drops it before the thread asks the scheduler. The order of those
 * that really wait is tested in test_sleep_lock_turns.c.
 */
#include "process_notes.h"

#include "base/rwlock.h"

static struct rwlock map = RWLOCK("a map", RWLOCK_MAP);

static void waits_for_what_is_free(void)
{
    rwlock_wait(&map, false);
    assert_int_equal(map.state, 1);
    rwlock_wait(&map, false);                           /* a reader joins */
    assert_int_equal(map.state, 2);
    assert_null(map.waiting.first);
    map.state = 0;
    rwlock_wait(&map, true);
    assert_int_equal(map.state, RWLOCK_WRITER);
    assert_null(map.waiting.first);
    map.state = 0;
    note('e');
}

static void a_lock_that_has_become_free_is_had_at_once(void)
{
    begin(waits_for_what_is_free);
    assert_string_equal(order, "e");
}

int main(void)
{
    const struct CMUnitTest tests[] = { in_world(a_lock_that_has_become_free_is_had_at_once) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
