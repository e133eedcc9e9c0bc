/*
 * test_rwlock.c - locks that sleep, as far as one thread can tell: which calls get in at once, and which are misuse.
 *
 * Threads that really wait are tested with the scheduler (test_sleep_lock_turns.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/lock.h"
#include "base/rwlock.h"
#include "cpu.h"
#include "machine.h"

static struct rwlock map = RWLOCK("a map", RWLOCK_MAP), other = RWLOCK("another map", RWLOCK_MAP);
static struct rwlock object = RWLOCK("an object", RWLOCK_OBJECT);

static void stops_saying(const char *why, const char *first, const char *second)
{
    assert_non_null(why);
    assert_non_null(strstr(why, first));
    assert_non_null(strstr(why, second));
}

static void a_reader_and_a_writer_come_and_go(void **state)
{
    (void)state;
    assert_false(rwlock_held(&map));
    rwlock_read(&map);
    assert_true(rwlock_held(&map) && !rwlock_held_to_write(&map) && rwlock_ok(&map));
    rwlock_read_drop(&map);
    rwlock_write(&map);
    assert_true(rwlock_held(&map) && rwlock_held_to_write(&map) && rwlock_ok(&map));
    rwlock_write_drop(&map);
    assert_false(rwlock_held(&map));
    assert_true(rwlock_none_held() && map.state == 0);
}

static void the_only_reader_becomes_the_writer(void **state)
{
    (void)state;
    rwlock_read(&map);
    assert_true(rwlock_become_writer(&map));
    assert_true(rwlock_held_to_write(&map));
    rwlock_write_drop(&map);

    map.state = 1;                                      /* somebody else reads */
    rwlock_read(&map);
    assert_false(rwlock_become_writer(&map));
    assert_true(rwlock_held(&map) && !rwlock_held_to_write(&map));
    rwlock_read_drop(&map);
    assert_int_equal(map.state, 1);
    map.state = 0;
}

static void who_would_wait_does_not_get_in(void **state)
{
    (void)state;
    map.state = RWLOCK_WRITER;                          /* on the host, to wait for another thread stops */
    stops_saying(MACHINE_STOPS(rwlock_read(&map)), "a map", "");
    stops_saying(MACHINE_STOPS(rwlock_write(&map)), "a map", "");
    map.state = 1;
    stops_saying(MACHINE_STOPS(rwlock_write(&map)), "a map", "");
    map.state = 1 | RWLOCK_WAITED;                      /* a writer has come before */
    stops_saying(MACHINE_STOPS(rwlock_read(&map)), "a map", "");
    map.state = 0;
    assert_true(rwlock_none_held());
}

static void states_that_cannot_be_are_seen(void **state)
{
    (void)state;
    map.state = RWLOCK_WRITER | 1;
    assert_false(rwlock_ok(&map));
    map.state = RWLOCK_WAITED | 1;                      /* and the queue is empty */
    assert_false(rwlock_ok(&map));
    map.state = 0;
    assert_true(rwlock_ok(&map));
}

static void they_nest_in_their_order(void **state)
{
    (void)state;
    rwlock_read(&map);
    rwlock_write(&object);
    rwlock_read_drop(&map);                             /* in any order */
    rwlock_write_drop(&object);
    assert_true(rwlock_none_held());

    rwlock_write(&object);
    stops_saying(MACHINE_STOPS(rwlock_read(&map)), "a map", "an object");
    rwlock_write_drop(&object);
    rwlock_read(&map);
    stops_saying(MACHINE_STOPS(rwlock_read(&other)), "another map", "a map");
    stops_saying(MACHINE_STOPS(rwlock_read(&map)), "a map", "taken twice");
    stops_saying(MACHINE_STOPS(rwlock_write_drop(&other)), "another map", "does not hold");
    rwlock_read_drop(&map);
}

static struct lock spin = LOCK("a spin lock", RANK_POOL);

static void they_sleep(void **state)
{
    lock_state    held = lock_take(&spin);
    unsigned long before;

    (void)state;
    stops_saying(MACHINE_STOPS(rwlock_read(&map)), "rwlock_read", "a spin lock");
    stops_saying(MACHINE_STOPS(rwlock_write(&map)), "rwlock_write", "a spin lock");
    lock_drop(&spin, held);
    before = interrupts_off();
    stops_saying(MACHINE_STOPS(rwlock_read(&map)), "rwlock_read", "interrupts off");
    interrupts_restore(before);
}

static void touch_memory(void) { may_fault(); }

static void a_program_s_memory_is_not_touched_meanwhile(void **state)
{
    (void)state;
    rwlock_read(&map);
    stops_saying(MACHINE_STOPS(touch_memory()), "touch_memory()", "lock of a map");
    rwlock_read_drop(&map);
    touch_memory();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_and_a_writer_come_and_go),
        cmocka_unit_test(the_only_reader_becomes_the_writer),
        cmocka_unit_test(who_would_wait_does_not_get_in),
        cmocka_unit_test(states_that_cannot_be_are_seen),
        cmocka_unit_test(they_nest_in_their_order),
        cmocka_unit_test(they_sleep),
        cmocka_unit_test(a_program_s_memory_is_not_touched_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
