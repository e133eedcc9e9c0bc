/*
 * audit_cross.c - what must be true between the parts of the memory manager: X1..X4.
 *
 * The tables say which frames are in use, and so do the frame records; here the two are compared. The
 * auditor may not allocate, so it keeps no counter for each frame: it takes a *census* of either side,
 * which has for each owner the number of references and a fingerprint of the frames they go to. Two censuses that
 * differ are narrowed down by halves to the lowest frame that disagrees.
 */
#include "memory/audit.h"
#include "memory/frames/frame.h"
#include "memory/pageout/swap.h"
#include "memory/pageout/transfer.h"
#include "memory/spaces/object.h"
#include "memory/spaces/space.h"
#include "memory/start.h"
#include "memory/tables/table.h"
#include "memory/tables/tables_out.h"

struct census {
    uint32_t limit;                         /* frames at and above it are left out      */
    uint64_t references[OWNER_COUNT];
    uint64_t fingerprint[OWNER_COUNT];      /* sum over references of mix(frame)        */
    uint32_t slots;                         /* references to swap slots, and their fingerprint */
    uint64_t slot_print;
    uint32_t looked;
    struct audit_report *report;            /* for X3, NULL when only counting          */
};

/* Spread a number over 64 bits, so that sums of different frames are very unlikely to agree (splitmix64). */
static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15ull;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ x >> 27) * 0x94D049BB133111EBull;
    return x ^ x >> 31;
}

static void census_count(struct census *census, frame_t frame, uint32_t references)
{
    enum owner owner;

    if (frame.no >= census->limit || frame.no >= frames_end() || frame_is_pinned(frame))
        return;
    owner = frame_owner(frame);
    census->references[owner]  += references;
    census->fingerprint[owner] += references * mix(frame.no);
}

static void count_slot(struct census *census, uint32_t slot, uint32_t references)
{
    census->slots      += references;
    census->slot_print += references * mix(slot);
}

/* ---- One side: entries ----------------------------------------------------------------- */

#define OWNER_BIT(name) (1u << OWNER_##name)

/* The owners whose frames the entries of a region may show, as bits; 0: any. */
static uint32_t fitting_owners(const struct layout_region *home)
{
    const uint32_t taken = OWNER_BIT(HEAP) | OWNER_BIT(STACK) | OWNER_BIT(PROCESS) | OWNER_BIT(USER) |
                           OWNER_BIT(SHARED) | OWNER_BIT(FILE) | OWNER_BIT(CACHE) | OWNER_BIT(TEST);

    switch (home->backing) {
    case BACKING_DEMAND:
        if (home->purpose == PURPOSE_RECORDS)
            return OWNER_BIT(RECORDS) | OWNER_BIT(BITMAP);
        if (home->purpose == PURPOSE_TRACKERS)
            return OWNER_BIT(TRACKERS);
        return home->purpose == PURPOSE_STACKS ? OWNER_BIT(STACK) : taken;
    case BACKING_WINDOW:
        return OWNER_BIT(TABLES) | OWNER_BIT(PROCESS);
    case BACKING_OBJECTS:
        return OWNER_BIT(TABLES);
    case BACKING_USER:
        return OWNER_BIT(USER) | OWNER_BIT(SHARED) | OWNER_BIT(FILE) | OWNER_BIT(TEST) |
               OWNER_BIT(ABSENT) | OWNER_BIT(HELD);         /* map_pages() */
    case BACKING_DEVICE:
        return OWNER_BIT(ABSENT) | OWNER_BIT(HELD);
    case BACKING_IMAGE:
        return home->purpose == PURPOSE_BOOT ? 0 : OWNER_BIT(IMAGE);
    default:
        return 0;
    }
}

/* True where an entry holds a reference to its frame; elsewhere it merely shows it. */
static bool holds_reference(const struct layout_region *home)
{
    return home->backing == BACKING_DEMAND || home->backing == BACKING_USER;
}

static void count_leaf(struct census *census, const struct layout_region *home, page_t page, frame_t frame)
{
    enum owner owner = frame.no < frames_end() ? frame_owner(frame) : OWNER_ABSENT;
    uint32_t   fit   = fitting_owners(home);

    if (holds_reference(home))
        census_count(census, frame, 1);
    if (census->report != NULL && fit != 0 && (fit >> owner & 1) == 0)
        audit_fail(census->report, "X3", "page 0x%08lx of %s shows frame %u, whose owner is %s",
                   (unsigned long)page_address(page), home->name, frame.no, owner_names[owner]);
}

static void count_out(page_t page, entry_t entry, void *census)
{
    (void)page;
    count_slot(census, entry_slot_number(entry), 1);
}

static void count_entries(struct census *census, const struct space *space, struct span span, unsigned level);

static void count_entry(struct census *census, const struct space *space, page_t page, unsigned level)
{
    const struct layout_region *home  = region_row(space, page);
    const entry_t              *at    = entry_at(space, page, level);
    entry_t                     e     = at != NULL ? entry_read(at) : entry_empty();
    page_t                      first = page - page % mmu_reach(level);

    /* The self-reference shows the tables, an alias another region: both are counted elsewhere. */
    if (level == MMU_LEVELS && (home->backing == BACKING_TABLES || home->backing == BACKING_ALIAS))
        return;
    census->looked++;
    switch (entry_kind(e, level)) {
    case ENTRY_TABLE:
        census_count(census, entry_frame(e), 1);
        count_entries(census, space, span_of(first, mmu_reach(level)), level - 1);
        break;
    case ENTRY_PRESENT:
    case ENTRY_BLOCKED:
        if (level == 1)
            count_leaf(census, home, page, entry_frame(e));
        break;
    case ENTRY_SWAP:
        count_slot(census, entry_slot_number(e), 1);
        if (level > 1)
            (void)table_home_look(space, first, first + MMU_ENTRIES, count_out, census);
        break;
    default:
        break;
    }
}

/* The entries of one last table, where they lie: most are empty. */
static void count_last_level(struct census *census, const struct space *space, struct span span)
{
    const entry_t *at = entry_at(space, span.first, 1);

    census->looked += MMU_ENTRIES;
    for (page_t page = span.first; page < span.end; page++, at++) {
        entry_t e = entry_read(at);

        if (entry_present(e) || entry_kind(e, 1) == ENTRY_BLOCKED)
            count_leaf(census, region_row(space, page), page, entry_frame(e));
        else if (entry_kind(e, 1) == ENTRY_SWAP)
            count_slot(census, entry_slot_number(e), 1);
    }
}

static void count_entries(struct census *census, const struct space *space, struct span span, unsigned level)
{
    if (level == 1) {
        count_last_level(census, space, span);
        return;
    }
    for (page_t page = span.first; page < span.end; page += mmu_reach(level))
        count_entry(census, space, page, level);
}

/* Count the tables of a space's own part; of kernel space also the part that all spaces share. */
static void count_space(struct census *census, const struct space *space)
{
    page_t     reach  = mmu_reach(MMU_LEVELS);
    lock_state state  = lock_take((struct lock *)&space->tables_lock);

    census_count(census, space->root, 1);
    for (page_t page = 0; page < layout.space_end; page += reach)
        if (root_entry_is_own(space, page))
            count_entry(census, space, page, MMU_LEVELS);
    lock_drop((struct lock *)&space->tables_lock, state);
}

static void count_once(void *census, frame_t frame)      { census_count(census, frame, 1); }
static void count_slot_once(void *census, uint32_t slot) { count_slot(census, slot, 1); }

/* The census of the references in tables, in the indexes of objects, and of pages on their way. */
static struct census census_of_entries(uint32_t limit, struct audit_report *report)
{
    struct census census = { .limit = limit, .report = report };

    for (const struct space *s = space_after(NULL); s != NULL; s = space_after(s))
        count_space(&census, s);
    for (const struct object *o = object_after(NULL); o != NULL; o = object_after(o))
        object_holds(o, count_once, count_slot_once, &census);
    transfers_each(count_slot_once, &census);
    return census;
}

/* ---- The other side: records ----------------------------------------------------------- */

static struct census census_of_records(uint32_t limit)
{
    struct census census = { .limit = limit };

    for (uint32_t n = 0; n < frames_end() && n < limit; n++)
        census_count(&census, (frame_t){ n }, frame_references((frame_t){ n }));
    for (uint32_t slot = swap_after(NO_SLOT); slot != NO_SLOT; slot = swap_after(slot))
        count_slot(&census, slot, swap_references(slot));
    census.looked = frames_end();
    return census;
}

/* ---- Comparing ------------------------------------------------------------------------- */

static bool census_agree(const struct census *a, const struct census *b, enum owner owner)
{
    return a->references[owner] == b->references[owner] && a->fingerprint[owner] == b->fingerprint[owner];
}

/* The lowest frame of this owner that entries and records count differently, by halving [0, end). */
static frame_t first_difference(enum owner owner)
{
    uint32_t good = 0, bad = frames_end();      /* below `good` all agree, below `bad` not all */

    while (bad - good > 1) {
        uint32_t      middle  = good + (bad - good) / 2;
        struct census entries = census_of_entries(middle, NULL), records = census_of_records(middle);

        if (census_agree(&entries, &records, owner))
            good = middle;
        else
            bad = middle;
    }
    return (frame_t){ good };
}

static void census_compare(const struct census *entries, const struct census *records, enum owner owner,
                           const char *id, struct audit_report *report)
{
    frame_t frame;

    if (census_agree(entries, records, owner))
        return;
    frame = first_difference(owner);
    audit_fail(report, id, "%s: entries hold %llu references, records %llu; the first at odds is frame %u",
               owner_names[owner], (unsigned long long)entries->references[owner],
               (unsigned long long)records->references[owner], frame.no);
}

/* X4: the records of exactly those frames say RAM that the map calls RAM. */
static void audit_ram(struct audit_report *report)
{
    for (uint32_t n = 0; n < frames_end(); n++) {
        frame_t                    frame = { n };
        const struct memmap_range *range = memmap_find(memory_map(), frame);
        bool                       ram   = range != NULL && range->ram;

        report->checked++;
        if (ram != frame_is_ram(frame))
            audit_fail(report, "X4", "frame %u is %sRAM in the memory map, its record says %s", n,
                       ram ? "" : "not ", owner_names[frame_owner(frame)]);
    }
}

void audit_cross(struct audit_report *report)
{
    struct census entries = census_of_entries(frames_end(), report);
    struct census records = census_of_records(frames_end());

    report->checked += entries.looked + records.looked;
    census_compare(&entries, &records, OWNER_TABLES, "X1", report);
    census_compare(&entries, &records, OWNER_TRACKERS, "X2", report);
    census_compare(&entries, &records, OWNER_HEAP,   "X2", report);
    census_compare(&entries, &records, OWNER_STACK,  "X2", report);
    census_compare(&entries, &records, OWNER_USER,   "X2", report);
    census_compare(&entries, &records, OWNER_SHARED, "X2", report);
    if (entries.slots != records.slots || entries.slot_print != records.slot_print)
        audit_fail(report, "X5", "entries hold %u references to swap slots, the slots count %u",
                   entries.slots, records.slots);
    audit_ram(report);
}
