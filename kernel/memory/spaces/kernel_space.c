/*
 * kernel_space.c - from the boot tables to the tables that the document describes.
 *
 * The boot code maps what it needs, all of it writable. Here each region of the document becomes a
 * region of kernel space, the image's sections get their rights, the direct map grows over
 * the RAM there is, and what only boot needed disappears.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/tables/table_access.h"
#include "memory/frames/next_page.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "memory/tables/table.h"

struct space kernel_space;
struct lock  kernel_map_lock;

/* The document's regions that exist from the start; windows get theirs as they are used. */
static struct region standing[STANDING_REGIONS];
static uint32_t      standing_count;

static struct memmap *early_map;        /* gives the frames of tables before the pool is open */

int early_table_frame(frame_t *out)
{
    paddr_t start, end;

    assert(early_map != NULL);
    assert(!frames_are_open());
    end = (paddr_t)early_map->limit << PAGE_SHIFT;
    if ((direct_frames == 0 ||
         memmap_take(early_map, PAGE_SIZE, PAGE_SIZE, 0, direct_end(), OWNER_TABLES, &start) != 0) &&
        memmap_take(early_map, PAGE_SIZE, PAGE_SIZE, 0, end, OWNER_TABLES, &start) != 0)
        return -ENOMEM;
    *out = frame_of(start);
    frame_clear(*out);
    return 0;
}

static bool home_stands(const struct layout_region *home)
{
    if (span_empty(home->span))
        return false;
    switch (home->backing) {
    case BACKING_FIXED: case BACKING_IMAGE: case BACKING_TABLES: case BACKING_SLOTS: case BACKING_WINDOW:
    case BACKING_ALIAS: case BACKING_OBJECTS:
        return true;
    default:
        return home->purpose == PURPOSE_RECORDS || home->purpose == PURPOSE_TRACKERS;
    }
}

static void enter_standing_regions(void)
{
    region_tree_start(&kernel_space.map, (struct span){ 0, layout.space_end });
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *home = &layout.regions[i];
        struct region              *region = &standing[standing_count];
        int                         err;

        if (!home_stands(home))
            continue;
        assert(standing_count < STANDING_REGIONS);
        *region = (struct region){ .span = home->span, .rights = home->rights, .backing = home->backing,
                                   .name = home->name, .home = home };
        err = region_insert(&kernel_space.map, region);
        assert(err == 0);                       /* the layout compiler has seen to it */
        standing_count++;
    }
}

static uint32_t count_tables(void)
{
    uint32_t tables = 1;

    assert(frame_exists(kernel_space.root));
    for (page_t page = 0; page < layout.space_end; page += mmu_reach(MMU_LEVELS)) {
        const struct layout_region *home = layout_kernel_region_of(page);

        if (home->backing != BACKING_TABLES && home->backing != BACKING_ALIAS &&
            entry_kind(entry_read(entry_at(&kernel_space, page, MMU_LEVELS)), MMU_LEVELS) == ENTRY_TABLE)
            tables++;
    }
    return tables;
}

/* Whether a mapping that is kept needs the table to which the root's entry for a page leads. */
static bool is_kept_table(page_t page)
{
    page_t      reach = mmu_reach(MMU_LEVELS);
    struct span part  = span_of(round_down(page, reach), reach);

    assert(page < layout.space_end);
    for (uint32_t i = 0; i < layout.boot_map_count; i++)
        if (layout.boot_maps[i].keep && span_meets(layout.boot_maps[i].span, part))
            return true;
    return false;
}

static void remove_boot_map(struct span span)
{
    assert(span.end <= layout.space_end);
    for (page_t page = span.first; page < span.end; ) {
        bool     kept = is_kept_table(page);
        entry_t *at   = entry_at(&kernel_space, page, kept ? 1 : MMU_LEVELS);

        entry_write(at, entry_empty());
        page += kept ? 1 : mmu_reach(MMU_LEVELS) - page % mmu_reach(MMU_LEVELS);
    }
}

/*
 * A mapping that is kept may hold regions in which nothing is ever mapped (page 0), and may reach further than the
 * image does, whose end is not known before the linker has been.
 */
static void trim_boot_map(const struct layout_boot_map *map)
{
    for (page_t page = map->span.first; page < map->span.end; page++) {
        const struct layout_region *home = layout_kernel_region_of(page);

        if (home->backing == BACKING_NONE || home->backing == BACKING_DEMAND)
            entry_write(entry_at(&kernel_space, page, 1), entry_empty());
    }
}

static void remove_boot_maps(void)
{
    for (uint32_t i = 0; i < layout.boot_map_count; i++)
        if (layout.boot_maps[i].keep)
            trim_boot_map(&layout.boot_maps[i]);
        else
            remove_boot_map(layout.boot_maps[i].span);
    mmu_flush_all();
}

static frame_t fixed_frame(const struct layout_region *home, page_t page)
{
    assert(home->backing == BACKING_FIXED && span_has(home->span, page));
    return (frame_t){ (uint32_t)(home->frame + (page - home->span.first)) };
}

/* Map MMU_ENTRIES frames with one entry if the processor can and the pages begin a large page; true when it did. */
static bool map_large(const struct layout_region *home, page_t page, page_t end)
{
    page_t        reach = mmu_reach(MMU_LARGE_LEVEL);
    frame_t       frame = fixed_frame(home, page);
    struct cursor c;

    if (!mmu_features.large || page % reach != 0 || end < page + reach || frame.no % reach != 0 ||
        entry_at(&kernel_space, page, 1) != NULL ||
        cursor_open(&c, &kernel_space, span_of(page, reach), CURSOR_BUILD | CURSOR_LARGE) != 0)
        return false;
    cursor_map_large(&c, page, frame, home->rights, CACHE_BACK);
    cursor_close(&c);
    return true;
}

/* Map the pages of a part of a fixed region that lie before `end`, and unmap the others. Returns 0 or -ENOMEM. */
static int map_small(const struct layout_region *home, struct span part, page_t end)
{
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, part, part.first < end ? CURSOR_BUILD : 0);

    assert(span_covers(home->span, part));
    if (err != 0)
        return err;
    /* bound: pages of a row, at boot */
    for (page_t page = part.first; page < part.end; page++) {
        bool there = entry_present(cursor_read(&c, page));

        if (page < end && !there)
            cursor_map(&c, page, fixed_frame(home, page), home->rights, CACHE_BACK);
        else if (page < end)
            cursor_protect(&c, page, home->rights);
        else if (there)
            cursor_remove(&c, page);
    }
    cursor_close(&c);
    return 0;
}

/*
 * A fixed region shows physical memory at a constant distance. All of it is mapped when it lies in what the
 * boot code has mapped for good (A1: the first 4 MiB, RAM or not); the direct map ends with the RAM.
 */
static page_t fixed_end(const struct layout_region *home, uint32_t ram_end)
{
    size_t have = ram_end > home->frame ? ram_end - home->frame : 0;

    if (home->purpose != PURPOSE_DIRECT || have >= span_pages(home->span))
        return home->span.end;
    return home->span.first + have;
}

static int map_fixed(const struct layout_region *home, uint32_t ram_end)
{
    page_t reach = mmu_reach(MMU_LARGE_LEVEL);
    page_t end   = fixed_end(home, ram_end);
    page_t next;

    assert(end <= home->span.end);
    for (page_t page = home->span.first; page < home->span.end; page = next) {
        int err;

        next = (page / reach + 1) * reach;
        if (next > home->span.end)
            next = home->span.end;
        if (page >= end && entry_at(&kernel_space, page, 1) == NULL)
            break;
        if (!map_large(home, page, end) && (err = map_small(home, (struct span){ page, next }, end)) != 0)
            return err;
        if (home->purpose == PURPOSE_DIRECT && page < end)
            direct_frames = (uint32_t)(home->frame + ((next < end ? next : end) - home->span.first));
    }
    return 0;
}

/* Whether the boot code has left a table to which the root's entry for a page leads. */
static bool has_boot_table(page_t page)
{
    page_t reach = mmu_reach(MMU_LEVELS);

    return KERNEL_HAS_MASTER || is_kept_table(page) ||
           span_meets(layout.purpose[PURPOSE_SLOTS]->span, span_of(round_down(page, reach), reach));
}

/* Whether map_fixed() needs a table for the pages from `page` on that have an entry of the root in common. */
static bool needs_table(const struct layout_region *home, page_t page, page_t end)
{
    page_t reach = mmu_reach(MMU_LEVELS);
    bool   large = mmu_features.large && page % reach == 0 && end >= page + reach &&
                 fixed_frame(home, page).no % reach == 0;

    return page < end && !large && !has_boot_table(page);
}

uint32_t space_start_needs(uint32_t ram_end, paddr_t *shown)
{
    page_t   reach = mmu_reach(MMU_LEVELS), last = layout.space_end;
    uint32_t tables = 0;

    *shown = direct_end();
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *home = &layout.regions[i];
        page_t end = home->backing == BACKING_FIXED ? fixed_end(home, ram_end) : home->span.end;

        if (home->purpose == PURPOSE_DIRECT)
            *shown = (paddr_t)(home->frame + (end - home->span.first)) << PAGE_SHIFT;
        if (home->backing == BACKING_WINDOW)
            tables += !has_boot_table(home->span.first);
        if (home->backing != BACKING_FIXED)
            continue;
        for (page_t page = home->span.first; page < end; page = round_down(page, reach) + reach)
            if (round_down(page, reach) != last && needs_table(home, page, end)) {
                last = round_down(page, reach);         /* two neighbours may have one table */
                tables++;
            }
    }
    return tables;
}

/*
 * The original of shared variables has no rights until a process is being made. Code may begin at address 0, but null
 * pointers must not find it: where a processor cannot allow execution without reading, page 0 has no rights either.
 */
static struct rights rights_at_first(const struct layout_region *home, page_t page)
{
    if (home->purpose == PURPOSE_ORIGINAL || (page == 0 && (mmu_allow(home->rights).kernel & MAY_READ)))
        return (struct rights){ 0, 0 };
    return home->rights;
}

/* The window of bookkeeping needs its table before the first process, and no other table later. */
static int make_tables(struct span span)
{
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, span, CURSOR_BUILD);

    assert(!span_empty(span));
    if (err == 0)
        cursor_close(&c);
    return err;
}

static void protect_image(const struct layout_region *home)
{
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, home->span, 0);

    assert(err == 0);
    assert(home->backing == BACKING_IMAGE);
    /* bound: pages of a row, at boot */
    for (page_t page = home->span.first; page < home->span.end; page++)
        cursor_protect(&c, page, rights_at_first(home, page));
    cursor_close(&c);
}

int space_start(frame_t root, struct memmap *map)
{
    uint32_t ram_end = memmap_end(map);

    assert(ram_end > 0 && frame_exists(root));
    standing_count = 0;
    early_map      = map;
    master_start(&root);            /* in some layouts a new root, without the mappings that only the boot needed */
    program_space  = &kernel_space;
    kernel_space   = (struct space){ .root = root };
    kernel_map_lock = (struct lock)LOCK("regions of kernel space", RANK_MAP);
    kernel_space.tables_lock = (struct lock)LOCK("tables of kernel space", RANK_KERNEL);
    if (layout.access != ACCESS_TRACKED)
        remove_boot_maps();
    enter_standing_regions();
    kernel_space.table_frames = count_tables();

    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *home = &layout.regions[i];
        int err = 0;

        if (home->backing == BACKING_IMAGE && !span_empty(home->span))
            protect_image(home);
        else if (home->backing == BACKING_FIXED)
            err = map_fixed(home, ram_end);
        else if (home->backing == BACKING_WINDOW)
            err = make_tables(home->span);
        if (err != 0)
            return err;
    }
    return 0;
}

/* Read-only is enough: a stack overflows by writing. Unmapped it would be missing from the first 4 MiB (A1). */
void space_guard(vaddr_t address)
{
    page_t        page = page_of(address);
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, span_of(page, 1), 0);

    assert(err == 0);
    assert(layout_kernel_region_of(page)->backing == BACKING_IMAGE);
    cursor_protect(&c, page, (struct rights){ .kernel = MAY_READ });
    cursor_close(&c);
}

void space_take_over(void)
{
    frame_t root = frame_of(get_next_page());

    assert(layout_kernel_has_own() && frame_exists(root));
    frame_change_owner(root, OWNER_PAGES, OWNER_TABLES);
    frame_copy(root, kernel_space.root);
    kernel_space.root = root;
    mmu_take_over(root);
}
