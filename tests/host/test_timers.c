/*
 * test_timers.c - armed timers in the order of their due times, a process's timers by number, and intervals that have
 * passed.
 */
#include "heap_world.h"

#include "base/error.h"
#include "process/timer_heap.h"
#include "process/timer_table.h"

/* ---- The heap ------------------------------------------------------------------------------------ */

enum { MANY = 20000 };

static struct timer  timers[MANY];
static struct timer *root;
static uint32_t      seed;

static uint32_t random_number(void) { return (seed = seed * 1664525 + 1013904223) >> 8; }

static int empty(void **state)
{
    (void)state;
    root = NULL;
    seed = 1;
    for (unsigned i = 0; i < MANY; i++)
        timers[i] = (struct timer){ 0 };
    return 0;
}

static void put(unsigned i, uint64_t due)
{
    timers[i].due = due;
    timer_heap_put(&root, &timers[i]);
}

static unsigned take_first(void)
{
    struct timer *timer = root;

    timer_heap_take(&root, timer);
    return (unsigned)(timer - timers);
}

static void who_is_due_first_comes_out_first(void **state)
{
    uint64_t last = 0;

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        put(i, random_number() % 1000);
    assert_true(timer_heap_ok(root));
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t due = timers[take_first()].due;

        assert_true(due >= last);
        last = due;
    }
    assert_null(root);
}

static void those_of_one_moment_come_out_as_they_went_in(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        put(i, 7);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(take_first(), i);
}

/* Any may be taken out at any time; the rest is sound and complete. */
static void any_one_can_be_taken_out(void **state)
{
    unsigned inside = 0;

    (void)state;
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = random_number() % 300;

        if (timers[i].armed) {
            timer_heap_take(&root, &timers[i]);
            inside--;
        } else {
            put(i, random_number() % 50);
            inside++;
        }
        assert_true(timer_heap_ok(root));
    }
    for (; root != NULL; inside--)
        take_first();
    assert_int_equal(inside, 0);
}

/* The longest way any operation goes: from the root to the right, however the timers come. */
static unsigned way(void)
{
    unsigned steps = 0;

    for (const struct timer *t = root; t != NULL; t = t->right)
        steps++;
    return steps;
}

static void no_order_of_arrival_makes_the_way_long(void **state)
{
    static const int orders = 4;

    for (int order = 0; order < orders; order++) {
        empty(state);
        for (unsigned i = 0; i < MANY; i++) {
            put(i, order == 0 ? i : order == 1 ? MANY - i : order == 2 ? random_number() : i % 2 ? i : MANY - i);
            assert_true(way() <= 14);           /* log2(MANY + 1) */
        }
    }
}

static void a_broken_heap_is_noticed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        put(i, i);
    timers[50].due = 0;
    assert_false(timer_heap_ok(root));
    timers[50].due = 50;
    assert_true(timer_heap_ok(root));
    timers[50].distance++;
    assert_false(timer_heap_ok(root));
    timers[50].distance--;
    timers[50].armed = false;
    assert_false(timer_heap_ok(root));
    timers[50].armed = true;
    assert_true(timer_heap_ok(root));
    root->parent = &timers[50];
    assert_false(timer_heap_ok(root));
}

/* ---- Intervals ------------------------------------------------------------------------------------ */

static void check_pass(uint64_t due, uint64_t interval, uint64_t now, uint64_t next, uint64_t intervals)
{
    assert_true(interval_pass(&due, interval, now) == intervals);
    assert_true(due == next);
}

static void the_next_expiry_is_after_now(void **state)
{
    (void)state;
    check_pass(100, 10, 100, 110, 1);
    check_pass(100, 10, 109, 110, 1);
    check_pass(100, 10, 110, 120, 2);
    check_pass(1, 1, 1000000000000, 1000000000001, 1000000000000);
    check_pass(5, UINT64_MAX - 1, 6, UINT64_MAX - 1, 1);
    check_pass(UINT64_MAX - 10, 20, UINT64_MAX - 5, UINT64_MAX - 1, 1);
}

/* ---- Numbers --------------------------------------------------------------------------------------- */

static struct timer_table table;
static char               things[TIMERS_A_PROCESS + 1];

static void the_lowest_free_number_is_given(void)
{
    for (int i = 0; i < 300; i++)
        assert_int_equal(timer_table_add(&table, &things[i]), i);
    timer_table_remove(&table, 131);
    timer_table_remove(&table, 7);
    assert_true(timer_table_ok(&table));
    assert_null(timer_table_find(&table, 7));
    assert_int_equal(timer_table_add(&table, &things[7]), 7);
    assert_int_equal(timer_table_add(&table, &things[131]), 131);
    for (int i = 0; i < 300; i++) {
        assert_ptr_equal(timer_table_find(&table, i), &things[i]);
        timer_table_remove(&table, i);
    }
    assert_true(timer_table_ok(&table) && table.count == 0);
    for (unsigned n = 0; n < TIMER_BRANCH; n++)
        assert_null(table.leaf[n]);
}

static void nonsense_finds_nothing(void **state)
{
    static const int numbers[] = { -1, INT32_MIN, 0, 1, TIMERS_A_PROCESS, INT32_MAX };

    (void)state;
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_null(timer_table_find(&table, numbers[i]));
}

static void when_all_are_taken_there_is_none(void)
{
    for (int i = 0; i < TIMERS_A_PROCESS; i++)
        assert_int_equal(timer_table_add(&table, &things[i]), i);
    assert_true(timer_table_ok(&table));
    assert_int_equal(timer_table_add(&table, &things[TIMERS_A_PROCESS]), -EAGAIN);
    timer_table_remove(&table, 12345);
    assert_int_equal(timer_table_add(&table, &things[12345]), 12345);
    for (int i = 0; i < TIMERS_A_PROCESS; i++)
        timer_table_remove(&table, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(who_is_due_first_comes_out_first, empty),
        cmocka_unit_test_setup(those_of_one_moment_come_out_as_they_went_in, empty),
        cmocka_unit_test_setup(any_one_can_be_taken_out, empty),
        cmocka_unit_test_setup(no_order_of_arrival_makes_the_way_long, empty),
        cmocka_unit_test_setup(a_broken_heap_is_noticed, empty),
        cmocka_unit_test(the_next_expiry_is_after_now),
        on_machine(the_lowest_free_number_is_given),
        cmocka_unit_test(nonsense_finds_nothing),
        on_machine(when_all_are_taken_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
