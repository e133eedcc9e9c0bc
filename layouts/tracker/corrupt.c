/*
 * corrupt.c - corrupting page-table objects, trackers, the list and the master table.
 */
#include "memory/check/corrupt.h"

#include "base/check.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "layouts/tracker/master.h"
#include "memory/spaces/space.h"
#include "layouts/tracker/list.h"
#include "layouts/tracker/tracker.h"

static struct space one;                /* its object has the two pages that each has */

static bool make_one(void) { return space_create(&one) == 0; }

/* In the list the object belongs to the tracker after its own. */
static uint32_t *pointer_of_one(void)
{
    uint32_t place = (uint32_t)lists_places_of(span_of(page_of(address_of(one.home.info)), 1)).first;
    struct page_table_list *list = pointer_to(page_address(trackers_list_page(place / POINTERS_A_PAGE)));

    return &list->tables[place % POINTERS_A_PAGE];
}

static bool corrupt_e1(void)
{
    if (!make_one())
        return false;
    *pointer_of_one() += PAGES_A_PLACE * PAGE_SIZE;
    return true;
}

static void restore_e1(void)
{
    *pointer_of_one() -= PAGES_A_PLACE * PAGE_SIZE;
    space_destroy(&one);
}

/* The space has the number of another tracker, which is not in use. */
static uint32_t saved_tracker;

static bool corrupt_e2(void)
{
    if (!make_one())
        return false;
    saved_tracker = one.home.tracker;
    one.home.tracker = trackers_end() - 1;
    return true;
}

static void restore_e2(void)
{
    one.home.tracker = saved_tracker;
    space_destroy(&one);
}

/* The object gets a table at its end, and none before it: a page of its extent is not mapped. */
static page_t third_table_page(void) { return layout.user.first + 2 * MMU_ENTRIES; }

static int edit_third_table(bool fill)
{
    struct cursor c;
    int           err = cursor_open(&c, &one, span_of(third_table_page(), 1), fill ? CURSOR_BUILD : 0);

    if (err != 0)
        return err;
    if (fill)
        cursor_put(&c, third_table_page(), entry_absent(ENTRY_GUARD, 0, (struct rights){ 0, 0 }));
    else
        (void)cursor_remove(&c, third_table_page());
    cursor_close(&c);
    return 0;
}

static void show_in_hole(bool show)
{
    page_t        hole = page_of(address_of(one.home.info)) + 2;
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, span_of(hole, 1), 0);

    assert(err == 0);
    if (show)
        cursor_map(&c, hole, one.root, layout.purpose[PURPOSE_OBJECTS]->rights, CACHE_BACK);
    else
        (void)cursor_remove(&c, hole);
    cursor_close(&c);
}

static bool corrupt_e3(void)
{
    if (!make_one())
        return false;
    if (edit_third_table(true) != 0) {
        space_destroy(&one);
        return false;
    }
    show_in_hole(true);
    return true;
}

static void restore_e3(void)
{
    int err;

    show_in_hole(false);
    err = edit_third_table(false);
    assert(err == 0);
    space_destroy(&one);
}

static void corrupt_pin(bool more)
{
    lock_state state = lock_take(&trackers_lock);

    if (more)
        pinned_page_pin(trackers_page(0), 1);
    else
        pinned_page_unpin(trackers_page(0), 1);
    lock_drop(&trackers_lock, state);
}

static bool corrupt_e4(void)
{
    corrupt_pin(true);
    return true;
}

static void restore_e4(void) { corrupt_pin(false); }

/* The last page of the address space is never mapped. */
static entry_t *last_entry(void) { return &master_table()->entries[layout.space_end - 1]; }

static bool corrupt_e5(void)
{
    entry_write(last_entry(), entry_empty());
    return true;
}

static void restore_e5(void)
{
    entry_write(last_entry(), entry_absent(ENTRY_IDENTITY, (uint32_t)layout.space_end - 1, (struct rights){ 0, 0 }));
}

static bool corrupt_e6(void)
{
    if (!make_one())
        return false;
    one.home.out++;
    return true;
}

static void restore_e6(void)
{
    one.home.out--;
    space_destroy(&one);
}

/* Of the page that has the place of a new space. */
static uint16_t *count_of_one(void)
{
    return &lists_owned[lists_places_of(span_of(page_of(address_of(one.home.info)), 1)).first / POINTERS_A_PAGE];
}

static bool corrupt_e7(void)
{
    if (!make_one())
        return false;
    ++*count_of_one();
    return true;
}

static void restore_e7(void)
{
    --*count_of_one();
    space_destroy(&one);
}

const struct corruption tracker_corruptions[] = {
    CORRUPTION_ROW("E1", e1, 0, "the list gives an object's place to another"),
    CORRUPTION_ROW("E2", e2, 0, "a space calls another tracker its own"),
    CORRUPTION_ROW("E3", e3, 0, "an object shows its directory where a table is missing"),
    CORRUPTION_ROW("E4", e4, 0, "a page of trackers has a pin too many"),
    CORRUPTION_ROW("E5", e5, 0, "an absent entry of the master table forgets its frame"),
    CORRUPTION_ROW("E6", e6, 0, "a space counts a table as out that is in memory"),
    CORRUPTION_ROW("E7", e7, 0, "a page of the list counts a place too many"),
    { 0 },
};
