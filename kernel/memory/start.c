/*
 * start.c - from a memory map to a working memory manager, in one order.
 */
#include "memory/start.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/range.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/spaces/map.h"
#include "memory/tables/table_access.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"

/* With fewer free frames than this the first command would fail: better to say so now. */
enum { FREE_AT_LEAST = 24 };

_Static_assert(2 * PHYSICAL_ROWS_MOST <= MEMMAP_RANGES, "a document's rows leave room for what firmware says");

static struct memmap map;
static char          problem[224];

const struct memmap *memory_map(void) { return &map; }

/* Whether a machine with more RAM would hand that out. */
static bool more_would_help(void)
{
    uint32_t end = memmap_end(&map);

    for (uint32_t i = 0; i < layout.physical_count; i++)
        if (layout.physical[i].use == PHYSICAL_POOL && layout.physical[i].end > end)
            return true;
    return false;
}

static const char *too_little(uint64_t bytes_short)
{
    uint64_t found = (uint64_t)memmap_ram(&map) * PAGE_SIZE;

    format_text(problem, sizeof problem, "too little memory for layout %s: %u KiB of RAM found, at least %u KiB needed",
                layout.name, (unsigned)(found / KiB), (unsigned)((found + bytes_short + KiB - 1) / KiB));
    return problem;
}

/* There is RAM, but the document allows none of it for this; more RAM would not help. */
static const char *no_place(const char *what, uint64_t bytes)
{
    format_text(problem, sizeof problem,
                "layout %s has no place for %s of %u KiB of RAM: %u KiB below 0x%08x, where the kernel "
                "sees memory",
                layout.name, what, (unsigned)(memmap_end(&map) * (PAGE_SIZE / KiB)),
                (unsigned)((bytes + KiB - 1) / KiB), (unsigned)direct_end);
    return problem;
}

/* A document may have a row where this machine has no RAM: behind its end, or in a hole. */
static const char *row_is_no_ram(const char *name, uintptr_t first, uintptr_t end)
{
    assert(first < end);
    if (first >= memmap_end(&map)) {
        size_t used = strlen(too_little((uint64_t)(end - memmap_end(&map)) << PAGE_SHIFT));

        format_text(problem + used, sizeof problem - used, ", for %s, from 0x%08x to 0x%08x", name,
                    (unsigned)(first << PAGE_SHIFT), (unsigned)((end << PAGE_SHIFT) - 1));
        return problem;
    }
    format_text(problem, sizeof problem,
                "layout %s wants RAM for %s, from 0x%08x to 0x%08x: this machine has none there", layout.name, name,
                (unsigned)(first << PAGE_SHIFT), (unsigned)((end << PAGE_SHIFT) - 1));
    return problem;
}

/* ---- 1: the map, and the parts of memory in use ------------------------------------------- */

static void read_ranges(struct memmap *to, const struct boot_info *info)
{
    assert(info->range_count <= COUNT_OF(info->ranges));
    memmap_start(to, MMU_FRAMES_END);
    for (uint32_t i = 0; i < info->range_count; i++)
        memmap_add(to, info->ranges[i].base, info->ranges[i].length, info->ranges[i].type == BOOT_USABLE);
}

static void own_frames(struct memmap *to, uintptr_t first, uintptr_t end, enum owner owner)
{
    memmap_own(to, (paddr_t)first << PAGE_SHIFT, (paddr_t)end << PAGE_SHIFT, owner);
}

static void own_rows(struct memmap *to, enum physical_use use, enum owner owner)
{
    for (uint32_t i = 0; i < layout.physical_count; i++)
        if (layout.physical[i].use == use)
            own_frames(to, layout.physical[i].first, layout.physical[i].end, owner);
}

static void own_structure(struct memmap *to, paddr_t place)
{
    if (place != 0)
        memmap_own(to, round_down(place, PAGE_SIZE), round_down(place, PAGE_SIZE) + PAGE_SIZE, OWNER_IMAGE);
}

static void own_what_is_there(struct memmap *to, const struct start_facts *facts)
{
    const struct boot_info *info = facts->info;

    assert(facts->image_start < facts->image_end && facts->boot_start <= facts->boot_end);
    memmap_own(to, facts->boot_start, facts->boot_end, OWNER_BOOT);
    memmap_own(to, facts->image_start, facts->image_end, OWNER_IMAGE);
    for (uint32_t i = 0; i < info->module_count; i++)
        if (info->modules[i].start < info->modules[i].end)
            memmap_own(to, info->modules[i].start, info->modules[i].end, OWNER_BOOT);
    for (uint32_t i = 0; i < facts->device_count; i++)
        memmap_own(to, facts->devices[i].start, facts->devices[i].end, OWNER_HELD);
    own_structure(to, layout.tss);
    own_structure(to, layout.gdt);
    own_structure(to, layout.idt);
    own_rows(to, PHYSICAL_HARDWARE, OWNER_HELD);
    own_rows(to, PHYSICAL_BITMAP, OWNER_BITMAP);
}

void memory_describe(struct memmap *to, const struct start_facts *facts)
{
    read_ranges(to, facts->info);
    own_what_is_there(to, facts);
}

static bool are_ram(uintptr_t first, uintptr_t end)
{
    assert(first <= end);
    for (uintptr_t frame = first; frame < end; frame++) {
        const struct memmap_range *range = memmap_find(&map, (frame_t){ (uint32_t)frame });

        if (range == NULL || !range->ram)
            return false;
    }
    return true;
}

/* Check that the rows which the document places in RAM are RAM: NULL, or what is wrong. */
static const char *check_ram(const struct start_facts *facts)
{
    const paddr_t structures[] = { layout.tss, layout.gdt, layout.idt };
    uintptr_t     image = frame_of(facts->image_start).no, image_end = frame_of(facts->image_end + PAGE_SIZE - 1).no;

    if (!are_ram(image, image_end))
        return row_is_no_ram("the image", image, image_end);
    for (uint32_t i = 0; i < layout.physical_count; i++) {
        const struct layout_physical *row = &layout.physical[i];

        if (row->use == PHYSICAL_BITMAP && !are_ram(row->first, row->end))
            return row_is_no_ram(row->name, row->first, row->end);
    }
    for (unsigned i = 0; i < COUNT_OF(structures); i++)
        if (structures[i] != 0 && !are_ram(frame_of(structures[i]).no, frame_of(structures[i]).no + 1))
            return row_is_no_ram("the processor's tables", frame_of(structures[i]).no, frame_of(structures[i]).no + 1);
    return NULL;
}

/* Where kernel space's tables have a fixed place, that memory must be there, and have no owner. */
static const char *keep_master(void)
{
    uint64_t missing;

    switch (master_prepare(&map, &missing)) {
    case 0:       return NULL;
    case -EEXIST: return "the boot loader has put something where this layout keeps its page tables";
    default:      return too_little(missing);
    }
}

/* ---- 2: places for the pool's own data ------------------------------------------------------ */

struct block {
    uint64_t   bytes;
    enum owner owner;
    paddr_t    from;                /* it may not lie below this                         */
    bool       placed;
    paddr_t    start;
    void      *pointer;
};

struct places {
    struct block bitmap, summary, records;
};

/* The rows that a document sets aside for the kernel's structures are used first. */

static void place_in_rows(struct block *block)
{
    assert(block->bytes > 0);
    for (uint32_t i = 0; i < layout.physical_count && !block->placed; i++) {
        const struct layout_physical *row = &layout.physical[i];

        if (row->use == PHYSICAL_KERNEL)
            block->placed = memmap_take(&map, block->bytes, PAGE_SIZE, (paddr_t)row->first << PAGE_SHIFT,
                                        (paddr_t)row->end << PAGE_SHIFT, block->owner, &block->start) == 0;
    }
}

static struct places places_measure(const struct start_facts *facts)
{
    uint32_t                    end    = memmap_end(&map);
    const struct layout_policy *policy = &layout.policy;
    struct places               places = {
        .bitmap  = { .bytes = frames_bitmap_bytes(policy, end), .owner = OWNER_BITMAP },
        .summary = { .bytes = frames_summary_bytes(end), .owner = OWNER_BITMAP },
        .records = { .bytes = frames_record_bytes(end), .owner = OWNER_RECORDS },
    };

    assert(end > 0 && end <= MMU_FRAMES_END);
    if (policy->bitmap_at == BITMAP_FIXED) {
        places.bitmap.start  = policy->bitmap_start;
        places.bitmap.placed = true;
    } else if (policy->bitmap_at == BITMAP_AFTER_IMAGE) {
        places.bitmap.from = facts->image_end;
    } else {
        places.bitmap.from = MiB;           /* the low megabyte is the firmware's and the loaders' (K3) */
        place_in_rows(&places.bitmap);
    }
    place_in_rows(&places.summary);
    place_in_rows(&places.records);
    return places;
}

/*
 * Where the bitmap follows the image, the part of the image's physical row behind the image is for the kernel's first
 * tables and the pool's own data (M5, M6); the rest of it stays unused. Elsewhere the row is for the image and modules
 * alone (A4).
 */
static bool image_row_is_kernels(void) { return layout.policy.bitmap_at == BITMAP_AFTER_IMAGE; }

/* Show a block in the records window, where it has no permanent address. Returns 0 or -ENOMEM. */
static int show_in_window(struct block *block)
{
    const struct layout_region *window = layout.purpose[PURPOSE_RECORDS];
    struct span   span = span_of(window->span.first, pages_for(block->bytes));
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, span, CURSOR_BUILD);

    assert(window != NULL && span_covers(window->span, span) && is_aligned(block->start, PAGE_SIZE));
    if (err != 0)
        return err;
    /* bound: pages of the frame records, at boot */
    for (page_t page = span.first; page < span.end; page++)
        cursor_map(&c, page, (frame_t){ frame_of(block->start).no + (uint32_t)(page - span.first) }, window->rights,
                   CACHE_BACK);
    cursor_close(&c);
    block->pointer = pointer_to(page_address(span.first));
    return 0;
}

/* Find memory for a block that is not placed yet, and a pointer to it. False when there is no room. */
static bool block_settle(struct block *block, bool window_serves)
{
    paddr_t below = window_serves ? (paddr_t)MMU_FRAMES_END << PAGE_SHIFT : direct_end;

    if (!block->placed &&
        memmap_take(&map, block->bytes, PAGE_SIZE, block->from, direct_end, block->owner, &block->start) != 0 &&
        memmap_take(&map, block->bytes, PAGE_SIZE, block->from, below, block->owner, &block->start) != 0)
        return false;
    block->pointer = physical_pointer(block->start, block->bytes);
    if (block->pointer == NULL)
        return window_serves && show_in_window(block) == 0;
    return true;
}

/* There is no room for a block: because the kernel does not see all RAM, or because there is too little. */
static const char *no_room(const char *what, const struct block *block)
{
    return (direct_end >> PAGE_SHIFT) < memmap_end(&map) ? no_place(what, block->bytes) : too_little(block->bytes);
}

/* ---- 3 to 5 ----------------------------------------------------------------------------------- */

static const char *open_pool(struct places *places)
{
    bool window = layout.purpose[PURPOSE_RECORDS] != NULL;

    assert(!frames_are_open());
    if (!block_settle(&places->bitmap, false))
        return no_room("the frame bitmap", &places->bitmap);
    if (!block_settle(&places->summary, false))
        return no_room("the bitmap's summary", &places->summary);
    if (!block_settle(&places->records, window))
        return window ? too_little(places->records.bytes) : no_room("the records", &places->records);
    own_rows(&map, PHYSICAL_IMAGE, OWNER_HELD);
    frames_open(&map, &layout.policy, frame_of(direct_end).no, places->bitmap.pointer, places->summary.pointer,
                places->records.pointer);
    return NULL;
}

/* The pool is open, and too small: the machine has too little RAM, or the rows of the pool do. */
static const char *little_left(uint64_t bytes_short)
{
    if (more_would_help())
        return too_little(bytes_short);
    format_text(problem, sizeof problem,
                "layout %s hands out too little: its rows with the use `pool` have %u KiB, %u KiB more are "
                "needed",
                layout.name, (unsigned)(frames_free() * (PAGE_SIZE / KiB)), (unsigned)((bytes_short + KiB - 1) / KiB));
    return problem;
}

/* Give the boot's memory to the pool, if the direct map shows it, or the document has no row for it. */
static void reclaim_boot(const struct start_facts *facts)
{
    frame_t first = frame_of(facts->boot_start);

    assert(frames_are_open());
    if ((layout.purpose[PURPOSE_DIRECT] != NULL || layout.purpose[PURPOSE_BOOT] == NULL) && frame_is_ram(first))
        frame_reclaim(first, (uint32_t)((facts->boot_end - facts->boot_start) >> PAGE_SHIFT), OWNER_BOOT);
}

const char *memory_start(const struct start_facts *facts)
{
    struct places places;
    const char   *wrong;

    memory_describe(&map, facts);
    if (memmap_ram(&map) == 0)
        return "the boot loader gave no memory map with usable memory";
    wrong = check_ram(facts);
    if (wrong != NULL)
        return wrong;
    slots_start(facts->slot_table);
    wrong = keep_master();
    if (wrong != NULL)
        return wrong;
    places = places_measure(facts);
    own_rows(&map, PHYSICAL_KERNEL, OWNER_HELD);
    if (!image_row_is_kernels())
        own_rows(&map, PHYSICAL_IMAGE, OWNER_HELD);

    if (space_start(facts->root, &map) != 0)
        return too_little(PAGE_SIZE);
    if (facts->guard != 0)
        space_guard(facts->guard);
    wrong = open_pool(&places);
    if (wrong != NULL)
        return wrong;
    if (layout_kernel_has_own() && frames_free() == 0)
        return little_left(PAGE_SIZE);
    if (layout_kernel_has_own())
        space_take_over();
    if (table_homes_start() != 0)
        return too_little(PAGE_SIZE);
    stacks_start();
    heap_start();
    map_start();
    reclaim_boot(facts);
    if (frames_free() < FREE_AT_LEAST)
        return little_left((uint64_t)(FREE_AT_LEAST - frames_free()) * PAGE_SIZE);
    return NULL;
}
