/*
 * test_tracker_lives.c - page-table objects that come, grow, move and go by chance.
 *
 * Runs only for layouts whose table access is `tracked`.
 */
#include "tracker_world.h"

#ifdef LAYOUT_ACCESS_TRACKED

enum { LIVES = 24, STEPS = 3000, TABLES = 12, SOMETIMES = 150, LONGEST = 241 };

static struct another lives[LIVES];
static bool           alive[LIVES], there[LIVES][TABLES];

static void live(unsigned n)
{
    unsigned table = (unsigned)rand() % TABLES, number = table == TABLES - 1 ? 479 : table;

    if (!alive[n]) {
        create(&lives[n]);
        alive[n] = true;
    } else if (rand() % 8 == 0) {
        space_destroy(&lives[n].space);
        alive[n] = false;
        memset(there[n], 0, sizeof there[n]);
    } else if (!there[n][table]) {
        map_in(&lives[n].space, page_of_table(number) + n, n * 100 + table);
        there[n][table] = true;
    } else {
        uint32_t             value;
        struct machine_fault fault;

        assert_true(machine_load(&lives[n].space, page_address(page_of_table(number) + n), true, &value, &fault));
        assert_int_equal(value, n * 100 + table);
        discard_in(&lives[n].space, page_of_table(number) + n);
        there[n][table] = false;
    }
}

static bool all_free(struct span places)
{
    while (!span_empty(places) && lists_at((uint32_t)places.first) == 0)
        places.first++;
    return span_empty(places);
}

/* A search begins where the last one ended: it finds what a look at every place finds. */
static void assert_search_misses_nothing(void)
{
    lock_state  state = lock_take(&trackers_lock);
    page_t      low = 0, high = lists_places() - LONGEST;
    struct span found;

    while (lists_at((uint32_t)low) != 0)
        low++;
    while (!all_free(span_of(high, LONGEST)))
        high--;
    assert_true(lists_find_lowest(&found));
    assert_int_equal(found.first, low);
    assert_true(lists_find_run(5, &found));
    assert_int_equal(found.first, high);
    assert_int_equal(found.end, high + 3);
    lock_drop(&trackers_lock, state);
}

static void objects_live_random_lives(void **state)
{
    uint32_t free;

    (void)state;
    start();
    free = frames_free();
    srand(4);
    for (unsigned step = 0; step < STEPS; step++) {
        live((unsigned)rand() % LIVES);
        assert_search_misses_nothing();
        if (step % SOMETIMES == 0)
            assert_clean();
    }
    assert_in_range(tracked_counts().moved, 50, STEPS);
    for (unsigned n = 0; n < LIVES; n++)
        if (alive[n])
            space_destroy(&lives[n].space);
    assert_int_equal(frames_free(), free);
    assert_clean();
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_live_random_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) { return no_tests(); }

#endif
