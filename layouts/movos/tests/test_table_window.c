/*
 * test_table_window.c - places of the window of bookkeeping: their number, a full window, and no memory.
 *
 * Runs only for layouts whose table access is `window`.
 */
#include <layout.h>

#ifdef LAYOUT_ACCESS_WINDOW

#include "tests/host/clean.h"
#include "tests/host/cursor_world.h"

#include <stdlib.h>

#include "base/error.h"
#include "cpu.h"
#include "base/string.h"
#include "layouts/movos/tables.h"

enum { PLACES = LAYOUT_BOOKKEEPING_SIZE / PAGE_SIZE, STRUCTURE_AND_DIRECTORY = 2 };

static const struct rights user_data = { READ | WRITE, READ | WRITE };

/* The first page of the n-th table of user space. */
static page_t page_of_table(unsigned n) { return USER_PAGE(0) + n * MMU_ENTRIES; }

static void map_in(struct space *s, page_t page, frame_t frame)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, s, span_of(page, 1), CURSOR_BUILD), 0);
    cursor_map(&c, page, frame, user_data, CACHE_BACK);
    cursor_close(&c);
}

static void discard_in(struct space *s, page_t page)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, s, span_of(page, 1), 0), 0);
    cursor_discard(&c, page);
    cursor_close(&c);
}

/* M14: 1 + 1 + x frames, and no more. */
static void a_process_costs_a_structure_a_directory_and_its_tables(void **state)
{
    struct space  other;
    struct region everything;
    uint32_t free, tables, structures, places;

    (void)state;
    start();
    free       = frames_free();
    tables     = owned(OWNER_TABLES);
    structures = owned(OWNER_PROCESS);
    places     = table_window_free();
    assert_int_equal(space_create(&other), 0);
    everything = (struct region){ .span = all.span, .name = "all", .rights = all.rights };
    assert_int_equal(region_insert(&other.map, &everything), 0);
    for (unsigned x = 0; x < 5; x++) {
        assert_int_equal(owned(OWNER_PROCESS), structures + 1);
        assert_int_equal(owned(OWNER_TABLES), tables + 1 + x);
        assert_int_equal(frames_free(), free - 2 - x - x);
        assert_int_equal(table_window_free(), places - 2 - x);
        map_in(&other, page_of_table(3 * x), new_frame(x));
        assert_clean();
    }
    for (unsigned x = 5; x-- > 0; ) {
        discard_in(&other, page_of_table(3 * x));
        assert_int_equal(table_window_free(), places - 2 - x);
        assert_int_equal(frames_free(), free - 2 - x - x);
    }
    space_destroy(&other);
    assert_int_equal(frames_free(), free);
    assert_int_equal(table_window_free(), places);
    assert_clean();
    end();
}

/* Every table behind an entry is seen at its place: the same bytes through the window as in memory. */
static void the_window_shows_the_tables_themselves(void **state)
{
    const struct bookkeeping *structure;
    const entry_t            *directory;

    (void)state;
    start();
    for (unsigned n = 1; n < 9; n += 2)
        map_in(&space, page_of_table(n) + n, new_frame(n));
    structure = space.home.structure;
    directory = pointer_to(LAYOUT_BOOKKEEPING_START + (structure->directory - 1) * PAGE_SIZE);
    assert_memory_equal(directory, &machine_ram[frame_address(space.root)], PAGE_SIZE);
    for (unsigned n = 1; n < 9; n += 2) {
        uint32_t       index = (uint32_t)(page_of_table(n) / MMU_ENTRIES);
        const entry_t *table = pointer_to(LAYOUT_BOOKKEEPING_START + (structure->tables[index] - 1) * PAGE_SIZE);

        assert_memory_equal(table, &machine_ram[frame_address(entry_frame(directory[index]))], PAGE_SIZE);
        assert_int_equal(*(uint32_t *)&machine_ram[frame_address(entry_frame(table[n]))], n);
    }
    for (unsigned n = 1; n < 9; n += 2)
        discard_in(&space, page_of_table(n) + n);
    end();
}

static void a_full_window_refuses_and_nothing_has_changed(void **state)
{
    static struct space spaces[PLACES / STRUCTURE_AND_DIRECTORY];
    struct frame_sums   before, after;
    struct cursor       c;
    struct space        more;
    unsigned            made = 0;

    (void)state;
    start();
    while (table_window_free() > 3)
        assert_int_equal(space_create(&spaces[made++]), 0);
    assert_int_equal(made, (PLACES - STRUCTURE_AND_DIRECTORY - 2) / STRUCTURE_AND_DIRECTORY);
    map_in(&space, page_of_table(0) + 0x200, new_frame(1));
    assert_int_equal(table_window_free(), 1);
    frames_sums(&before);
    assert_int_equal(space_create(&more), -ENOMEM);
    assert_int_equal(cursor_open(&c, &space, (struct span){ page_of_table(4), page_of_table(6) }, CURSOR_BUILD),
                     -ENOMEM);
    assert_false(lock_held(&space.tables_lock));
    frames_sums(&after);
    assert_memory_equal(before.owned, after.owned, sizeof before.owned);
    assert_int_equal(table_window_free(), 1);
    assert_clean();
    map_in(&space, page_of_table(4), new_frame(2));         /* one table still fits */
    assert_int_equal(table_window_free(), 0);
    assert_int_equal(cursor_open(&c, &space, span_of(page_of_table(5), 1), CURSOR_BUILD), -ENOMEM);
    assert_clean();
    discard_in(&space, page_of_table(0) + 0x200);
    map_in(&space, page_of_table(5), new_frame(3));         /* at the place that became free */
    assert_clean();
    discard_in(&space, page_of_table(4));
    discard_in(&space, page_of_table(5));
    while (made > 0)
        space_destroy(&spaces[--made]);
    assert_clean();
    end();
}

/* Spaces are made, grow, shrink and end in any order; the window always agrees with them. */
static void random_lives(void **state)
{
    enum { LIVES = 24, TABLES = 12 };
    static struct space  lives[LIVES];
    static struct region regions[LIVES];
    static bool          alive[LIVES], has[LIVES][TABLES];

    (void)state;
    srand(7);
    start();
    for (unsigned step = 0; step < 3000; step++) {
        unsigned i = (unsigned)rand() % LIVES, n = (unsigned)rand() % TABLES;

        if (!alive[i]) {
            assert_int_equal(space_create(&lives[i]), 0);
            regions[i] = (struct region){ .span = all.span, .name = "all", .rights = all.rights };
            assert_int_equal(region_insert(&lives[i].map, &regions[i]), 0);
            memset(has[i], 0, sizeof has[i]);
            alive[i] = true;
        } else if (rand() % 16 == 0) {
            space_destroy(&lives[i]);
            alive[i] = false;
        } else if (has[i][n]) {
            discard_in(&lives[i], page_of_table(n) + 0x123);
            has[i][n] = false;
        } else {
            map_in(&lives[i], page_of_table(n) + 0x123, new_frame(step));
            has[i][n] = true;
        }
        if (step % 100 == 0)
            assert_clean();
    }
    for (unsigned i = 0; i < LIVES; i++)
        if (alive[i])
            space_destroy(&lives[i]);
    assert_clean();
    assert_int_equal(table_window_free(), PLACES - STRUCTURE_AND_DIRECTORY);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_costs_a_structure_a_directory_and_its_tables),
        cmocka_unit_test(the_window_shows_the_tables_themselves),
        cmocka_unit_test(a_full_window_refuses_and_nothing_has_changed),
        cmocka_unit_test(random_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include <stdio.h>

int main(void)
{
    puts("no tests: tables have no window under this layout");
    return 0;
}

#endif
