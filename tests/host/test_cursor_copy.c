/*
 * test_cursor_copy.c - entries that are copied to a place in two tables, whatever lies on which side of the border.
 */
#include "map_world.h"

#include "memory/tables/watch.h"

enum { MAY_MOVE = 1, FIXED = 2, PAGES = 6, TABLE_PAGES = 1024 };

static vaddr_t out;

static int move(size_t from, size_t to)
{
    return map_move(&program, column(from), PAGES * PAGE_SIZE, PAGES * PAGE_SIZE, MAY_MOVE | FIXED, column(to), &out);
}

/* A digit a page: what was written to it, or a dot where nobody has come yet. */
static void fill(size_t first, const char *picture)
{
    for (size_t n = 0; n < PAGES; n++)
        if (picture[n] != '.')
            assert_true(writes(&program, column(first + n), (uint32_t)picture[n]));
}

static void assert_filled(size_t first, const char *picture)
{
    uint32_t there = 0;

    for (size_t n = 0; n < PAGES; n++) {
        assert_int_equal(entry_present(entry_at_page(&program, column(first + n))), picture[n] != '.');
        there += picture[n] != '.';
        if (picture[n] != '.')
            assert_int_equal(word_at(column(first + n)), picture[n]);
    }
    assert_int_equal(program.resident, there);
    assert_int_equal(program.pages, PAGES);
    assert_clean();
}

/* Back and forth over the border of a table, which lies behind each of the pages in turn. */
static void pages_keep_their_places_on_both_sides_of_a_border(void)
{
    static const char *const pictures[] = { "123456", "12.4.6", ".2.4..", "1.....", ".....6", "......", "..34.." };

    for (size_t i = 0; i < COUNT_OF(pictures); i++) {
        paint("wwwwww");
        fill(0, pictures[i]);
        for (size_t below = 0; below <= PAGES; below++) {
            assert_int_equal(move(0, TABLE_PAGES - below), 0);
            assert_filled(TABLE_PAGES - below, pictures[i]);
            assert_int_equal(move(TABLE_PAGES - below, 0), 0);
            assert_filled(0, pictures[i]);
        }
        assert_int_equal(unmap(0, PAGES), 0);
        assert_int_equal(program.resident, 0);
        assert_int_equal(frames_owned(OWNER_USER), 0);
    }
}

/* A child is copied table by table; what lies at their ends is there, and may be written by neither alone. */
static void a_child_has_the_pages_at_the_ends_of_tables(void)
{
    struct space child;
    uint32_t     value;

    assert_int_equal(map_fixed(TABLE_PAGES - 3, PAGES, R | W), 0);
    fill(TABLE_PAGES - 3, "12.4.6");
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_int_equal(child.resident, 4);
    assert_filled(TABLE_PAGES - 3, "12.4.6");
    space_activate(&child);
    assert_true(reads(&child, column(TABLE_PAGES), &value));
    assert_int_equal(value, '4');
    assert_true(writes(&child, column(TABLE_PAGES - 3), 'x'));
    assert_true(reads(&child, column(TABLE_PAGES + 2), &value));
    assert_int_equal(value, '6');
    space_activate(&program);
    assert_filled(TABLE_PAGES - 3, "12.4.6");
    map_clear(&child);
    space_destroy(&child);
}

/* The watcher (watch.h), of one page of each space. */
static struct { const struct space *space; entry_t old, new; } seen[4];
static unsigned seen_count;

static void see(const struct space *of, page_t page, entry_t old, entry_t new)
{
    if (page != page_of(column(0)))
        return;
    assert_true(seen_count < COUNT_OF(seen));
    seen[seen_count].space = of;
    seen[seen_count].old   = old;
    seen[seen_count++].new = new;
}

/* A fork takes the right to write from the parent's entry, and then the child has it: told as it was, then as it is. */
static void a_watcher_is_told_how_a_fork_takes_the_right_to_write(void)
{
    struct space child;

    assert_int_equal(map_fixed(0, 1, R | W), 0);
    assert_true(writes(&program, column(0), 1));
    assert_int_equal(space_create(&child), 0);
    seen_count    = 0;
    entry_watcher = see;
    assert_int_equal(map_copy(&child, &program), 0);
    entry_watcher = NULL;
    assert_int_equal(seen_count, 2);
    assert_ptr_equal(seen[0].space, &program);
    assert_int_equal(entry_rights(seen[0].old).user & W, W);
    assert_int_equal(entry_rights(seen[0].new).user & W, 0);
    assert_int_equal(seen[0].new.raw, entry_at_page(&program, column(0)).raw);
    assert_ptr_equal(seen[1].space, &child);
    assert_int_equal(entry_kind(seen[1].old, 1), ENTRY_EMPTY);
    assert_int_equal(entry_frame(seen[1].new).no, entry_frame(seen[0].new).no);
    map_clear(&child);
    space_destroy(&child);
    assert_int_equal(unmap(0, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(pages_keep_their_places_on_both_sides_of_a_border),
        on_machine(a_child_has_the_pages_at_the_ends_of_tables),
        on_machine(a_watcher_is_told_how_a_fork_takes_the_right_to_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
