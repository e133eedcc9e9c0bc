/*
 * audit.c - E1 to E7: page-table objects, their trackers, the list, and the master table.
 */
#include "layouts/tracker/tables.h"

#include "base/string.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"
#include "memory/pageout/swap.h"
#include "layouts/tracker/master.h"
#include "memory/spaces/space.h"
#include "memory/tables/table_home.h"
#include "layouts/tracker/list.h"
#include "layouts/tracker/object.h"
#include "layouts/tracker/out.h"
#include "layouts/tracker/tracker.h"

static struct span objects_span(void) { return layout.purpose[PURPOSE_OBJECTS]->span; }

static entry_t kernel_entry(page_t page) { return entry_read(&master_table()->entries[page]); }

static bool list_is_out(uint32_t n) { return !pinned_page_is_there(trackers_list_page(n)) && lists_owned[n] > 0; }

/* ---- E1, E2: trackers ------------------------------------------------------------------------------ */

/* The number of an object's places, 0 if no object can lie there. */
static uint32_t audit_extent(uint32_t number, const struct pg_tracker *tracker, struct audit_report *report)
{
    struct span extent = span_of(page_of(tracker->pt_ptr), tracker->pcount), places;

    report->checked++;
    if (tracker->pt_ptr % PAGE_SIZE != 0 || tracker->pcount < TRACKED_LEAST || tracker->pcount > TRACKED_WHOLE ||
        !span_covers(objects_span(), extent) || (extent.first - objects_span().first) % PAGES_A_PLACE != 0) {
        audit_fail(report, "E1", "tracker %u: %u pages from 0x%08x on are no object", number, tracker->pcount,
                   tracker->pt_ptr);
        return 0;
    }
    places = lists_places_of(extent);
    for (page_t place = places.first; place < places.end; place++)
        if (!list_is_out((uint32_t)place / POINTERS_A_PAGE) && lists_at((uint32_t)place) != tracker->pt_ptr)
            audit_fail(report, "E1", "place %u of tracker %u belongs to the object at 0x%08x, not 0x%08x",
                       (unsigned)place, number, lists_at((uint32_t)place), tracker->pt_ptr);
    return (uint32_t)span_pages(places);
}

static uint32_t count_spaces(void)
{
    uint32_t count = 0;

    for (const struct space *s = space_after(NULL); s != NULL; s = space_after(s))
        count++;
    return count;
}

/* The numbers that the n-th page of trackers, or of the list, has room for: none if the page is absent. */
static struct span numbers_of(uint32_t n, page_t page, uint32_t a_page, uint32_t all)
{
    uint32_t first = n * a_page;

    return span_of(first, !pinned_page_is_there(page) ? 0 : all - first < a_page ? all - first : a_page);
}

static struct span trackers_of_page(uint32_t n)
{
    return numbers_of(n, trackers_page(n), TRACKERS_A_PAGE, trackers_end());
}

/* The number of places in the n-th page of the list that are owned. */
static uint32_t places_owned(uint32_t n)
{
    struct span places = numbers_of(n, trackers_list_page(n), POINTERS_A_PAGE, lists_places());
    uint32_t    owned  = 0;

    for (page_t place = places.first; place < places.end; place++)
        owned += lists_at((uint32_t)place) != 0;
    return owned;
}

/* The number of places of the object of a tracker in use. */
static uint32_t audit_tracker(uint32_t number, const struct pg_tracker *tracker, struct audit_report *report)
{
    if (number != MASTER_TRACKER)
        return audit_extent(number, tracker, report);
    if (tracker->pt_ptr != layout.master || tracker->pcount != TRACKED_WHOLE)
        audit_fail(report, "E2", "the master table's tracker says 0x%08x, %u pages", tracker->pt_ptr, tracker->pcount);
    return 0;
}

static void audit_trackers(struct audit_report *report)
{
    uint32_t   in_use = 0, places = 0, listed = 0, spaces = count_spaces();
    lock_state state = lock_take(&trackers_lock);

    for (uint32_t n = 0; n * TRACKERS_A_PAGE < trackers_end(); n++) {
        struct span numbers = trackers_of_page(n);

        for (page_t i = numbers.first; i < numbers.end; i++) {
            const struct pg_tracker *tracker = tracker_at((uint32_t)i);

            if (tracker->pt_ptr == 0)
                continue;
            in_use++;
            places += audit_tracker((uint32_t)i, tracker, report);
        }
    }
    for (uint32_t n = 0; n * POINTERS_A_PAGE < lists_places(); n++)
        listed += list_is_out(n) ? lists_owned[n] : places_owned(n);
    if (listed != places)
        audit_fail(report, "E1", "%u places are owned, the extents of all trackers have %u", listed, places);
    if (in_use != spaces)
        audit_fail(report, "E2", "%u trackers are in use for %u spaces", in_use, spaces);
    lock_drop(&trackers_lock, state);
}

/* ---- E2, E3: one space ------------------------------------------------------------------------------ */

static void audit_page(const struct space *space, page_t page, entry_t table, struct audit_report *report)
{
    entry_t shown = kernel_entry(page);
    bool    there = entry_kind(table, MMU_LEVELS) == ENTRY_TABLE;

    report->checked++;
    if (entry_present(shown) != there || (there && !frame_is(entry_frame(shown), entry_frame(table))))
        audit_fail(report, "E3", "page 0x%08lx of the object of root %u shows frame %u, not %u",
                   (unsigned long)page_address(page), space->root.no, entry_present(shown) ? entry_frame(shown).no : 0,
                   there ? entry_frame(table).no : 0);
}

static void audit_object(const struct space *space, struct audit_report *report)
{
    const struct pg_tracker *tracker = tracker_at(space->home.tracker);
    page_t                   first   = page_of(address_of(space->home.info));
    unsigned                 index   = mmu_index(layout.user.first, MMU_LEVELS);
    uint32_t                 last    = 0;

    if (tracker == NULL || tracker->pt_ptr != address_of(space->home.info)) {
        audit_fail(report, "E2", "tracker %u says 0x%08x, its space (root %u) 0x%08lx", space->home.tracker,
                   tracker != NULL ? tracker->pt_ptr : 0, space->root.no, (unsigned long)address_of(space->home.info));
        return;
    }
    audit_page(space, first, entry_table(space->root, false), report);
    for (uint32_t n = 0; n < (span_pages(layout.user) + MMU_ENTRIES - 1) / MMU_ENTRIES; n++) {
        entry_t table = entry_read(&space->home.info->directory[index + n]);

        last = entry_kind(table, MMU_LEVELS) != ENTRY_EMPTY ? n : last;
        if (n + 1 < tracker->pcount)
            audit_page(space, first + 1 + n, table, report);
    }
    if (last + 2 != tracker->pcount)
        audit_fail(report, "E3", "the object of root %u has %u pages, its last table is in page %u", space->root.no,
                   tracker->pcount, last + 1);
}

/* ---- E6: tables that are out ---------------------------------------------------------------------------- */

static void count_entry(page_t page, entry_t entry, void *count)
{
    (void)page, (void)entry;
    ++*(uint32_t *)count;
}

/* The trackers are not locked: looking into a table that is out locks them. */
static void audit_out(const struct space *space, struct audit_report *report)
{
    uint32_t out = 0;

    for (page_t page = layout.user.first; page < layout.user.end; page += MMU_ENTRIES) {
        uint32_t slot = entry_slot_number(entry_read(object_directory(space, page))), entries = 0;

        if (!table_home_is_out(space, page))
            continue;
        out++;
        report->checked++;
        if (swap_references(slot) == 1)
            (void)table_home_look(space, page, page + MMU_ENTRIES, count_entry, &entries);
        if (swap_references(slot) != 1 || (entries == 0 && !table_home_stays(page, MMU_LEVELS)))
            audit_fail(report, "E6", "the table for 0x%08lx is in swap slot %u, of %u references, with %u entries",
                       (unsigned long)page_address(page), slot, swap_references(slot), entries);
    }
    if (out != space->home.out)
        audit_fail(report, "E6", "the space of root %u counts %u tables that are out, its directory has %u",
                   space->root.no, space->home.out, out);
}

/* ---- E4, E7: pins, and places that are owned -------------------------------------------------------------------- */

static void audit_pins(page_t page, uint32_t in_use, struct audit_report *report)
{
    report->checked++;
    if (pinned_page_is_there(page) ? pinned_page_pins(page) != in_use || in_use == 0 : in_use != 0)
        audit_fail(report, "E4", "page 0x%08lx has %u pins and %u entries in use", (unsigned long)page_address(page),
                   pinned_page_is_there(page) ? pinned_page_pins(page) : 0, in_use);
}

/* The pins that each page of the list should have: a pointer whose object has no table in memory pins nothing. */
static uint32_t list_pins[LISTS];

/* Whether an object shows a table behind its directory. */
static bool shows_table(const struct pg_tracker *tracker)
{
    for (uint32_t page = 1; page < tracker->pcount && page < TRACKED_WHOLE; page++)
        if (entry_present(kernel_entry(page_of(tracker->pt_ptr) + page)))
            return true;
    return false;
}

static void count_pins_of(const struct pg_tracker *tracker)
{
    struct span places = lists_places_of(span_of(page_of(tracker->pt_ptr), tracker->pcount));

    if (shows_table(tracker))
        for (page_t place = places.first; place < places.end && place < lists_places(); place++)
            list_pins[place / POINTERS_A_PAGE]++;
}

static void count_list_pins(void)
{
    memset(list_pins, 0, sizeof list_pins);
    for (uint32_t n = 0; n * TRACKERS_A_PAGE < trackers_end(); n++) {
        struct span numbers = trackers_of_page(n);

        for (page_t i = numbers.first; i < numbers.end; i++)
            if (i != MASTER_TRACKER && tracker_at((uint32_t)i)->pt_ptr != 0)
                count_pins_of(tracker_at((uint32_t)i));
    }
}

static void audit_list(uint32_t n, struct audit_report *report)
{
    bool there = pinned_page_is_there(trackers_list_page(n));

    audit_pins(trackers_list_page(n), list_pins[n], report);
    if (there && places_owned(n) != lists_owned[n])
        audit_fail(report, "E7", "page %u of the list has %u pointers, counted are %u", n, places_owned(n),
                   lists_owned[n]);
}

static void audit_pinned_pages(struct audit_report *report)
{
    lock_state state = lock_take(&trackers_lock);

    count_list_pins();
    for (uint32_t n = 0; n * TRACKERS_A_PAGE < trackers_end(); n++) {
        struct span numbers = trackers_of_page(n);
        uint32_t    in_use  = 0;

        for (page_t i = numbers.first; i < numbers.end; i++)
            in_use += tracker_at((uint32_t)i)->pt_ptr != 0;
        audit_pins(trackers_page(n), in_use, report);
    }
    for (uint32_t n = 0; n * POINTERS_A_PAGE < lists_places(); n++)
        audit_list(n, report);
    lock_drop(&trackers_lock, state);
}

/* ---- E5: the master table -------------------------------------------------------------------------------- */

/* The n-th entry of the directory, and the table that it leads to. */
static void audit_master(uint32_t n, struct audit_report *report)
{
    const struct page_table_info *master = master_table();
    entry_t                       table  = entry_read(&master->directory[n]);

    if (entry_kind(table, MMU_LEVELS) != ENTRY_TABLE || entry_frame(table).no != frame_of(layout.master).no + 1 + n)
        audit_fail(report, "E5", "directory entry %u of the master table is %08x", n, table.raw);
    for (uint32_t page = n * MMU_ENTRIES; page < (n + 1) * MMU_ENTRIES; page++) {
        entry_t e = entry_read(&master->entries[page]);

        if (!entry_present(e) && entry_kind(e, 1) != ENTRY_BLOCKED &&
            e.raw != entry_absent(ENTRY_IDENTITY, page, (struct rights){ 0, 0 }).raw)
            audit_fail(report, "E5", "the entry of page 0x%05x, not present, is %08x", page, e.raw);
    }
    report->checked += MMU_ENTRIES;
}

/* ---- All invariants ------------------------------------------------------------------------------------------ */

static void audit_objects(struct audit_report *report)
{
    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s)) {
        lock_state tables = lock_take((struct lock *)&s->tables_lock), state;

        audit_out(s, report);
        state = lock_take(&trackers_lock);
        audit_object(s, report);
        lock_drop(&trackers_lock, state);
        lock_drop((struct lock *)&s->tables_lock, tables);
    }
    audit_trackers(report);
    audit_pinned_pages(report);
}

void table_homes_audit(struct audit_report *report)
{
    audit_objects(report);
    for (uint32_t n = 0; n < MMU_ENTRIES; n++)
        audit_master(n, report);
}

/*
 * E1 to E4, E6 and E7 at once, since spaces, trackers and the list are counted against each other; then a table at a
 * time.
 */
bool table_homes_audit_part(uint32_t n, struct audit_report *report)
{
    if (n == 0)
        audit_objects(report);
    else
        audit_master(n - 1, report);
    return n == MMU_ENTRIES;
}

const struct invariant tracker_invariants[] = {
    { "E1", "tables.h", "a page-table object lies in its region, and the places of its extent are its own" },
    { "E2", "tables.h", "a space's link and its tracker name the same page-table object" },
    { "E3", "tables.h", "an object shows its directory, then each table at its place, and ends with the last" },
    { "E4", "tables.h", "pages of trackers and of the list have a pin for each entry in use that is needed" },
    { "E5", "tables.h", "an absent entry of the master table names the frame of its own page" },
    { "E6", "out.h",    "a table that is out has a swap slot of its own, and its space counts it" },
    { "E7", "out.h",    "owned places are counted for each page of the list" },
    { 0 },
};
