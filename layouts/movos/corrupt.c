/*
 * corrupt.c - corrupting the window of bookkeeping, where the layout has one.
 */
#include "memory/check/corrupt.h"

#include "base/check.h"
#include "layouts/movos/tables.h"
#include "memory/tables/table_home.h"
#include "memory/tables/cursor.h"
#include "memory/spaces/space.h"

static struct space one;                /* has a structure and a directory, and no tables */

/* The window's last place, which no process has as long as there are few. */
static page_t last_place(void) { return layout.purpose[PURPOSE_BOOKKEEPING]->span.end - 1; }

static void edit_last_place(bool show)
{
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, span_of(last_place(), 1), 0);

    assert(err == 0);
    if (show)
        cursor_map(&c, last_place(), one.root, layout.purpose[PURPOSE_BOOKKEEPING]->rights, CACHE_BACK);
    else
        (void)cursor_remove(&c, last_place());
    cursor_close(&c);
}

static bool corrupt_w1(void)
{
    if (space_create(&one) != 0)
        return false;
    if (table_window_free() > 0) {
        edit_last_place(true);
        return true;
    }
    space_destroy(&one);
    return false;
}

static void restore_w1(void)
{
    edit_last_place(false);
    space_destroy(&one);
}

static bool corrupt_w2(void)
{
    if (space_create(&one) != 0)
        return false;
    one.home.structure->tables[MMU_ENTRIES - 1] = one.home.structure->directory;
    return true;
}

static void restore_w2(void)
{
    one.home.structure->tables[MMU_ENTRIES - 1] = 0;
    space_destroy(&one);
}

static bool corrupt_w3(void)
{
    if (space_create(&one) != 0)
        return false;
    one.home.structure->space = &kernel_space;
    return true;
}

static void restore_w3(void)
{
    one.home.structure->space = &one;
    space_destroy(&one);
}

static bool corrupt_w4(void)
{
    if (space_create(&one) != 0)
        return false;
    if (table_home_reserve(&one, layout.user, 1) == 0)
        return true;
    space_destroy(&one);
    return false;
}

/* Take the promised places, and return them. */
static void restore_w4(void)
{
    table_home_enter(&one, layout.user.first, MMU_LEVELS, one.root);
    table_home_leave(&one, layout.user.first, MMU_LEVELS, one.root);
    space_destroy(&one);
}

const struct corruption movos_corruptions[] = {
    CORRUPTION_ROW("W1", w1, 0, "a free place of the window shows a frame"),
    CORRUPTION_ROW("W2", w2, 0, "a process's structure has a place for a table that is not there"),
    CORRUPTION_ROW("W3", w3, 0, "a process's structure says that it is another space's"),
    CORRUPTION_ROW("W4", w4, 0, "a place of the window is promised, and nobody takes it"),
    { 0 },
};
