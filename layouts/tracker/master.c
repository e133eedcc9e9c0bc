/*
 * master.c - the master page table: its memory, its entries, making it current.
 */
#include "layouts/tracker/master.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/frames/memmap.h"
#include "memory/tables/slot.h"
#include "layouts/tracker/tracker.h"

static frame_t first_trackers;                  /* the frame of the first page of trackers */

static struct master_sight history[MASTER_STEPS];

static frame_t master_frame(void) { return frame_of(layout.master); }

/* ---- Its memory ----------------------------------------------------------------------------- */

int master_prepare(struct memmap *map)
{
    paddr_t start, end = layout.master + sizeof(struct page_table_info);

    for (frame_t frame = master_frame(); frame_address(frame) < end; frame.no++) {
        const struct memmap_range *range = memmap_find(map, frame);

        assert(range != NULL && range->ram);
        if (range->owner != OWNER_FREE)
            return -EEXIST;
    }
    memmap_own(map, layout.master, end, OWNER_TABLES);
    if (memmap_take(map, PAGE_SIZE, PAGE_SIZE, end, direct_end(), OWNER_TRACKERS, &start) != 0)
        return -ENOMEM;
    first_trackers = frame_of(start);
    return 0;
}

/* ---- The steps ------------------------------------------------------------------------------------- */

/* Until the master table is current, the boot tables show memory at its own address. */
static struct pg_alloc_page *trackers_in_place(void) { return pointer_to((vaddr_t)frame_address(first_trackers)); }

static uint32_t count_present(page_t first, page_t end)
{
    uint32_t count = 0;

    for (page_t page = first; page < end; page++)
        count += entry_present(entry_read(&master_table()->entries[page]));
    return count;
}

static bool trackers_are_clean(void)
{
    for (uint32_t i = 1; i < TRACKERS_A_PAGE; i++)
        if (trackers_in_place()->pagetables[i].pt_ptr != 0)
            return false;
    return true;
}

static bool table_is_whole(void)
{
    for (uint32_t i = 0; i < MMU_ENTRIES; i++) {
        entry_t e = entry_read(&master_table()->directory[i]);

        if (entry_kind(e, 2) != ENTRY_TABLE || entry_frame(e).no != master_frame().no + 1 + i)
            return false;
    }
    return true;
}

/* Until the table is complete its entries are arbitrary, so they are not counted. */
static void master_look(enum master_step step)
{
    bool table = table_is_whole();

    history[step] = (struct master_sight){
        .trackers = trackers_are_clean(), .table = table,
        .linked = trackers_in_place()->pagetables[MASTER_TRACKER].pt_ptr == (uint32_t)layout.master,
        .low = table ? count_present(0, page_of(MiB)) : 0,
        .structures = table ? count_present(page_of(MiB), page_of(32 * MiB)) : 0,
        .active = frame_is(mmu_active(), master_frame()),
    };
}

const struct master_sight *master_history(enum master_step step) { return &history[step]; }

/* Every entry names its own frame, and none is present. */
static void fill_identity(void)
{
    struct page_table_info *master = master_table();

    for (uint32_t i = 0; i < MMU_ENTRIES; i++)
        entry_write(&master->directory[i], entry_table((frame_t){ master_frame().no + 1 + i }, false));
    for (uint32_t page = 0; page < MMU_ENTRIES * MMU_ENTRIES; page++)
        master->entries[page] = entry_absent(ENTRY_IDENTITY, page, (struct rights){ 0, 0 });
}

static const struct rights both = { MAY_READ | MAY_WRITE, 0 };

/* Make pages present, but for those that the document has as a hole. */
static void make_present(page_t first, page_t end)
{
    for (page_t page = first; page < end; page++)
        if (layout_kernel_region_of(page)->backing != BACKING_NONE)
            entry_write(&master_table()->entries[page],
                        entry_leaf((frame_t){ (uint32_t)page }, both, CACHE_BACK, false, 1));
}

void master_start(frame_t *root)
{
    const struct layout_region *slots = layout.purpose[PURPOSE_SLOTS], *trackers = layout.purpose[PURPOSE_TRACKERS];

    memset(master_table()->directory, 0, sizeof master_table()->directory);
    page_clear(trackers_in_place());
    master_look(MASTER_TRACKERS);

    fill_identity();
    master_look(MASTER_TABLE);

    trackers_in_place()->pagetables[MASTER_TRACKER] = (struct pg_tracker){ (uint32_t)layout.master, TRACKED_WHOLE };
    master_look(MASTER_LINKED);

    make_present(0, page_of(MiB));
    master_look(MASTER_LOW);

    make_present(page_of(MiB), page_of((vaddr_t)direct_end()));
    entry_write(&master_table()->entries[trackers->span.first], entry_leaf(first_trackers, both, CACHE_BACK, false, 1));
    master_look(MASTER_STRUCTURES);

    mmu_activate(master_frame());
    master_look(MASTER_ACTIVE);

    slots_start(&master_table()->entries[slots->span.first - slots->span.first % MMU_ENTRIES]);
    *root = master_frame();
}
