/*
 * tables.c - a process's page tables as one object: creation, growth, moves, end.
 *
 * Lock order: the space's tables lock, trackers_lock, and inside it kernel space's tables lock, for mapping. Kernel
 * space has all its tables, so showing a page cannot fail.
 */
#include "layouts/tracker/tables.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"
#include "memory/tables/table.h"
#include "memory/tables/table_home.h"
#include "layouts/tracker/list.h"
#include "layouts/tracker/object.h"
#include "layouts/tracker/tracker.h"
#include "memory/pageout/swap.h"

/* Compiled to be small: once in a process's life at most, or when a table leaves memory or comes back. */
#define SELDOM __attribute__((cold, noinline))

static struct tracked_counts counts;            /* [trackers_lock] */

struct tracked_counts tracked_counts(void)
{
    lock_state            state = lock_take(&trackers_lock);
    struct tracked_counts now   = counts;

    lock_drop(&trackers_lock, state);
    return now;
}

int table_homes_start(void)
{
    lock_state state = lock_take(&trackers_lock);

    counts = (struct tracked_counts){ 0 };
    lists_start();
    trackers_start();
    lock_drop(&trackers_lock, state);
    return 0;
}

/* ---- Addresses of objects -------------------------------------------------------------------------- */

/* The number of the process's table that translates a page: 0 for the first 4 MiB of user space. */
static uint32_t table_number(page_t page) { return (uint32_t)(page - layout.user.first) / MMU_ENTRIES; }

entry_t *table_home_entries(const struct space *space, page_t page, unsigned level)
{
    struct page_table_info *info = space->home.info;

    if (level == MMU_LEVELS)
        return info->directory;
    return &info->entries[(page - layout.user.first) / MMU_ENTRIES * MMU_ENTRIES];
}

static struct span extent_at(page_t first, size_t pages) { return span_of(first, pages); }

static struct span extent_of(const struct space *space)
{
    return extent_at(page_of(address_of(space->home.info)), tracker_at(space->home.tracker)->pcount);
}

/* The page of an object that shows a process's table; page A comes first. */
static page_t page_of_table(const struct space *space, uint32_t number)
{
    return page_of(address_of(space->home.info)) + 1 + number;
}

/* The directory's entry for a process's table. */
static entry_t directory_entry(const struct space *space, uint32_t number)
{
    return entry_read(&space->home.info->directory[mmu_index(layout.user.first, MMU_LEVELS) + number]);
}

static SELDOM struct span places_of(const struct space *space) { return lists_places_of(extent_of(space)); }

/* Whether some table of an object is in; else it is asleep. */
static bool is_awake(const struct space *space) { return space->table_frames > 1; }

/* ---- Showing frames in the region `objects` ------------------------------------------------------ */

static void open_kernel(struct cursor *c, struct span span)
{
    int err = cursor_open(c, &kernel_space, span, CURSOR_BUILD);

    assert(err == 0);
}

static void object_table_show(struct cursor *c, page_t page, frame_t frame)
{
    cursor_map(c, page, frame, layout.purpose[PURPOSE_OBJECTS]->rights, CACHE_BACK);
}

static void show_one(page_t page, frame_t frame)
{
    struct cursor c;

    open_kernel(&c, span_of(page, 1));
    object_table_show(&c, page, frame);
    cursor_close(&c);
}

/* Unmap addresses of the region; the frames stay their space's. */
static void object_tables_hide(struct span span)
{
    struct cursor c;

    open_kernel(&c, span);
    for (page_t page = cursor_next(&c, span.first); page < span.end; page = cursor_next(&c, page + 1))
        (void)cursor_remove(&c, page);
    cursor_close(&c);
}

/* ---- Creation and end ------------------------------------------------------------------------------ */

/* Take a tracker and a place of two pages. Returns 0, or -ENOMEM without any change. */
static int object_tables_settle(struct space *space)
{
    struct span places;
    uint32_t    tracker;

    if (tracker_find(&tracker) != 0)
        return -ENOMEM;
    if (!lists_find_lowest(&places) || lists_prepare(places) != 0) {
        (void)pinned_page_out(trackers_page(tracker / TRACKERS_A_PAGE));     /* if it was made for this tracker */
        return -ENOMEM;
    }
    space->home.tracker = tracker;
    space->home.info    = pointer_to(page_address(layout.purpose[PURPOSE_OBJECTS]->span.first +
                                                  places.first * PAGES_A_PLACE));
    lists_enter(places, (uint32_t)address_of(space->home.info));
    tracker_set(tracker, (uint32_t)address_of(space->home.info), TRACKED_LEAST);
    lists_tidy();
    counts.objects++;
    counts.pages += TRACKED_LEAST;
    return 0;
}

/* Make pages A and B: the root is shown at its place, and the first table right behind it. */
static void show_first_pages(struct space *space, frame_t first_table)
{
    struct cursor c;

    open_kernel(&c, extent_of(space));
    object_table_show(&c, page_of_table(space, 0) - 1, space->root);
    object_table_show(&c, page_of_table(space, 0), first_table);
    cursor_close(&c);
    frame_set_link(first_table, 0);
    entry_write(&space->home.info->directory[mmu_index(layout.user.first, MMU_LEVELS)], entry_table(first_table, true));
    space->table_frames++;
}

SELDOM int table_home_start(struct space *space)
{
    lock_state state;
    frame_t    first_table;
    int        err;

    if (frame_get(OWNER_TABLES, FRAME_ZERO, &first_table) != 0)
        return -ENOMEM;
    state = lock_take(&trackers_lock);
    err   = object_tables_settle(space);
    if (err == 0)
        show_first_pages(space, first_table);
    else
        counts.refused++;
    lock_drop(&trackers_lock, state);
    if (err != 0)
        frame_put(first_table);
    return err;
}

SELDOM void table_home_end(struct space *space)
{
    entry_t     first  = directory_entry(space, 0);
    lock_state  state  = lock_take(&trackers_lock);
    struct span extent = extent_of(space);
    bool        out    = entry_kind(first, MMU_LEVELS) == ENTRY_SWAP;

    assert(span_pages(extent) == TRACKED_LEAST);
    deep_assert(space->home.out == out);
    deep_assert(out || frame_link(entry_frame(first)) == 0);
    object_tables_hide(extent);
    lists_leave(lists_places_of(extent), is_awake(space));
    tracker_clear(space->home.tracker);
    counts.objects--;
    counts.pages -= TRACKED_LEAST;
    space->home.info = NULL;
    lock_drop(&trackers_lock, state);
    if (out) {
        swap_put(entry_slot_number(first));
        return;
    }
    space->table_frames--;
    frame_put(entry_frame(first));
}

/* Page B is part of every object. */
bool table_home_stays(page_t page, unsigned level)
{
    return level == MMU_LEVELS && table_number(page) == 0;
}

bool table_home_is_bare(const struct space *space)
{
    return space->table_frames == TRACKED_LEAST && frame_link(entry_frame(directory_entry(space, 0))) == 0;
}

/* ---- Growing, moving, shrinking ---------------------------------------------------------------------- */

static void set_extent(struct space *space, page_t first, size_t pages)
{
    counts.pages += (uint32_t)(pages - tracker_at(space->home.tracker)->pcount);
    space->home.info = pointer_to(page_address(first));
    tracker_set(space->home.tracker, (uint32_t)page_address(first), (uint32_t)pages);
}

/* The places behind an object that a longer extent needs. */
static struct span places_gained(struct span extent, size_t pages)
{
    return (struct span){ lists_places_of(extent).end, lists_places_of(extent_at(extent.first, pages)).end };
}

/* Show all tables of an object at its new place as well. */
static void show_elsewhere(const struct space *space, struct span old, page_t first)
{
    struct cursor c;

    open_kernel(&c, extent_at(first, span_pages(old)));
    object_table_show(&c, first, space->root);
    for (uint32_t number = 0; number + 1 < span_pages(old); number++)
        if (entry_kind(directory_entry(space, number), MMU_LEVELS) == ENTRY_TABLE)
            object_table_show(&c, first + 1 + number, entry_frame(directory_entry(space, number)));
    cursor_close(&c);
}

/* Move an object to a place with room for that many pages. Returns 0, or -ENOMEM without any change. */
static int object_tables_move(struct space *space, size_t pages)
{
    struct span old = extent_of(space), places;
    page_t      first;

    if (!lists_find_run(pages, &places) || lists_prepare(places) != 0)
        return -ENOMEM;
    first = layout.purpose[PURPOSE_OBJECTS]->span.first + places.first * PAGES_A_PLACE;
    lists_enter(places, (uint32_t)page_address(first));
    show_elsewhere(space, old, first);
    set_extent(space, first, pages);
    object_tables_hide(old);
    lists_leave(lists_places_of(old), true);
    counts.moved++;
    return 0;
}

static SELDOM int object_tables_grow(struct space *space, size_t pages)
{
    struct span extent = extent_of(space), gained = places_gained(extent, pages);

    if (!lists_free(gained))
        return object_tables_move(space, pages);
    if (!span_empty(gained) && lists_prepare(gained) != 0)
        return -ENOMEM;
    lists_enter(gained, (uint32_t)address_of(space->home.info));
    set_extent(space, extent.first, pages);
    return 0;
}

/* An object that is asleep is about to get a table: it pins its pages of the list again, once they are back. */
static SELDOM int object_wake(const struct space *space)
{
    struct span places = places_of(space);
    int         err    = lists_prepare(places);

    if (err == 0)
        lists_pin(places);
    return err;
}

SELDOM int table_home_reserve(struct space *space, struct span span, size_t tables)
{
    size_t     pages = 2 + table_number(span.end - 1);
    lock_state state = lock_take(&trackers_lock);
    int        err   = 0;

    (void)tables;                               /* each table has its place, so only the last one matters */
    if (!is_awake(space))
        err = object_wake(space);
    if (err == 0 && pages > span_pages(extent_of(space))) {
        err = object_tables_grow(space, pages);
        counts.grown += err == 0;
        if (err != 0 && !is_awake(space))
            lists_unpin(places_of(space));
        lists_tidy();
    }
    counts.refused += err != 0;
    lock_drop(&trackers_lock, state);
    return err;
}

SELDOM void table_home_enter(struct space *space, page_t page, unsigned level, frame_t table)
{
    lock_state state = lock_take(&trackers_lock);

    assert(level == MMU_LEVELS && table_number(page) + 2 <= span_pages(extent_of(space)));
    show_one(page_of_table(space, table_number(page)), table);
    lock_drop(&trackers_lock, state);
}

/* The extent ends with the last table that is left: page B, when the root, it, and the table that goes are all. */
static SELDOM void object_tables_shrink(struct space *space, size_t pages)
{
    struct span extent = extent_of(space);

    if (space->table_frames == 3 && space->home.out == 0)
        pages = TRACKED_LEAST;
    /* bound: tables of a process */
    while (pages > TRACKED_LEAST && entry_kind(directory_entry(space, (uint32_t)pages - 2), MMU_LEVELS) == ENTRY_EMPTY)
        pages--;
    lists_leave(places_gained(extent_at(extent.first, pages), span_pages(extent)), is_awake(space));
    set_extent(space, extent.first, pages);
    counts.shrunk++;
}

SELDOM void table_home_leave(struct space *space, page_t page, unsigned level, frame_t table)
{
    uint32_t   number = table_number(page);
    lock_state state  = lock_take(&trackers_lock);

    (void)level, (void)table;
    object_tables_hide(span_of(page_of_table(space, number), 1));
    if (number + 2 == span_pages(extent_of(space)))
        object_tables_shrink(space, number + 1);
    if (space->table_frames == 2)               /* the root and this one: all others are out */
        lists_unpin(places_of(space));
    lock_drop(&trackers_lock, state);
}

/* ---- Tables that are out: for out.c ------------------------------------------------------------------------ */

SELDOM void object_table_out(struct space *space, page_t page, entry_t absent)
{
    deep_assert(!space_is_current(space) && lock_held(&space->tables_lock) && lock_held(&trackers_lock));
    entry_write(object_directory(space, page), absent);
    object_tables_hide(span_of(page_of_table(space, table_number(page)), 1));
    space->table_frames--;
    space->home.out++;
    counts.out++;
    if (!is_awake(space))
        lists_unpin(places_of(space));
}

SELDOM void object_table_back(struct space *space, page_t page)
{
    deep_assert(lock_held(&space->tables_lock) && lock_held(&trackers_lock));
    entry_write(object_directory(space, page), entry_empty());
    space->home.out--;
}

SELDOM void object_table_gone(struct space *space, page_t page)
{
    deep_assert(lock_held(&space->tables_lock) && lock_held(&trackers_lock));
    entry_write(object_directory(space, page), entry_empty());
    space->home.out--;
    if (table_number(page) + 2 == span_pages(extent_of(space)))
        object_tables_shrink(space, table_number(page) + 1);
}
