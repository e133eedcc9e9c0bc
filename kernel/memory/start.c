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
#include "memory/pageout/swap.h"
#include "memory/spaces/map.h"
#include "memory/tables/table_access.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"

/* With fewer free frames than this the first command would fail: better to say so now. */
enum { FREE_AT_LEAST = 24 };

_Static_assert(2 * PHYSICAL_ROWS_MOST <= MEMMAP_RANGES, "a document's rows leave room for what firmware says");

/* The end of all physical addresses there can be. */
#define ALL ((paddr_t)MMU_FRAMES_END << PAGE_SHIFT)

static struct memmap map;
static char          problem[224];

const struct memmap *memory_map(void) { return &map; }

/* There is RAM, but the document allows none of it for this; more RAM would not help. */
static const char *no_place(const char *what, uint64_t bytes)
{
    format_text(problem, sizeof problem,
                "layout %s has no place for %s of %u KiB of RAM: %u KiB below 0x%08x, where the kernel "
                "sees memory",
                layout.name, what, (unsigned)(memmap_end(&map) * (PAGE_SIZE / KiB)),
                (unsigned)((bytes + KiB - 1) / KiB), (unsigned)direct_end());
    return problem;
}

/* ---- 1: the map, and the parts of memory in use ------------------------------------------- */

static void add_range(struct memmap *to, const struct boot_range *range)
{
    memmap_add(to, range->base, range->length, range->type == BOOT_USABLE);
}

static void read_ranges(struct memmap *to, const struct boot_info *info)
{
    assert(info->range_count <= COUNT_OF(info->ranges));
    memmap_start(to, MMU_FRAMES_END);
    for (uint32_t i = 0; i < info->range_count; i++)
        add_range(to, &info->ranges[i]);
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
    if (layout.kernel_offset == 0)              /* what lay in page 0 would have a null pointer */
        memmap_own(to, 0, PAGE_SIZE, OWNER_HELD);
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

/* Memory that the document places, and that must be RAM. */
struct wanted { const char *name; uintptr_t first, end; };

/* The first of it that is none: false, there is none such. */
static bool find_no_ram(const struct start_facts *facts, struct wanted *out)
{
    const paddr_t structures[] = { layout.tss, layout.gdt, layout.idt };

    *out = (struct wanted){ "the image", frame_of(facts->image_start).no,
                            frame_of(facts->image_end + PAGE_SIZE - 1).no };
    if (!are_ram(out->first, out->end))
        return true;
    for (uint32_t i = 0; i < layout.physical_count; i++) {
        const struct layout_physical *row = &layout.physical[i];

        *out = (struct wanted){ row->name, row->first, row->end };
        if ((row->use == PHYSICAL_BITMAP || row->use == PHYSICAL_MASTER) && !are_ram(row->first, row->end))
            return true;
    }
    for (unsigned i = 0; i < COUNT_OF(structures); i++) {
        *out = (struct wanted){ "the processor's tables", frame_of(structures[i]).no, frame_of(structures[i]).no + 1 };
        if (structures[i] != 0 && !are_ram(out->first, out->end))
            return true;
    }
    return false;
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

/* Find memory for a block that is not placed yet, below `shown` if there is room. False: there is none. */
static bool block_place(struct block *block, paddr_t shown, bool window_serves)
{
    paddr_t below = window_serves ? ALL : shown;

    assert(block->bytes > 0);
    return block->placed ||
           memmap_take(&map, block->bytes, PAGE_SIZE, block->from, shown, block->owner, &block->start) == 0 ||
           memmap_take(&map, block->bytes, PAGE_SIZE, block->from, below, block->owner, &block->start) == 0;
}

/* And a pointer to it. */
static bool block_settle(struct block *block, bool window_serves)
{
    if (!block_place(block, direct_end(), window_serves))
        return false;
    block->pointer = physical_pointer(block->start, block->bytes);
    if (block->pointer == NULL)
        return window_serves && show_in_window(block) == 0;
    return true;
}

static void own_rows_of_kernel(struct memmap *to)
{
    own_rows(to, PHYSICAL_KERNEL, OWNER_HELD);
    if (!image_row_is_kernels())
        own_rows(to, PHYSICAL_IMAGE, OWNER_HELD);
}

/* Whether the boot's memory goes to the pool: the direct map shows it, or the document has no row for it. */
static bool boot_is_reclaimed(void)
{
    return layout.purpose[PURPOSE_DIRECT] != NULL || layout.purpose[PURPOSE_BOOT] == NULL;
}

/* ---- How much would do: the same steps on paper, for a machine with more RAM ---------------------
 *
 * Who asks does not start any more: the map is made anew, and what the steps take is taken out of it.
 */

enum {
    PAGE_BY_PAGE = 64 * MiB / PAGE_SIZE,        /* so much more is tried page by page; further away, in strides */
    STRIDE       = 16 * MiB / PAGE_SIZE,
};

/* The map of this machine if its RAM went on to a frame. What lies behind its RAM now would then lie behind that. */
static void describe_with(const struct start_facts *facts, uint32_t ram_end, uint32_t end)
{
    const struct boot_info *info = facts->info;

    assert(ram_end < end && end < MMU_FRAMES_END);
    memmap_start(&map, MMU_FRAMES_END);
    for (uint32_t i = 0; i < info->range_count; i++)
        if (info->ranges[i].base < (uint64_t)ram_end << PAGE_SHIFT)
            add_range(&map, &info->ranges[i]);
    memmap_add(&map, (uint64_t)ram_end << PAGE_SHIFT, (uint64_t)(end - ram_end) << PAGE_SHIFT, true);
    own_what_is_there(&map, facts);
}

/* What the pool gets of the boot's memory. */
static uint32_t frames_of_boot(const struct start_facts *facts)
{
    uint32_t first = frame_of(facts->boot_start).no;

    if (!boot_is_reclaimed() || !are_ram(first, first + 1))
        return 0;
    return (uint32_t)((facts->boot_end - facts->boot_start) >> PAGE_SHIFT);
}

/* What the map has for the pool, with the boot's memory where that joins it. */
static uint32_t frames_for_pool(const struct start_facts *facts)
{
    uint32_t frames = frames_of_boot(facts);

    for (uint32_t i = 0; i < map.count; i++)
        if (map.ranges[i].ram && map.ranges[i].owner == OWNER_FREE)
            frames += map.ranges[i].end.no - map.ranges[i].first.no;
    return frames;
}

/* Whether memory_start() would find enough then. */
static bool would_start(const struct start_facts *facts, uint32_t ram_end, uint32_t end)
{
    struct places places;
    struct wanted no_ram;
    paddr_t       shown, table;
    uint32_t      tables = space_start_needs(end, &shown);

    describe_with(facts, ram_end, end);
    if (find_no_ram(facts, &no_ram) || master_prepare(&map) != 0)
        return false;
    places = places_measure(facts);
    own_rows_of_kernel(&map);
    while (tables > 0 && (memmap_take(&map, PAGE_SIZE, PAGE_SIZE, 0, shown, OWNER_TABLES, &table) == 0 ||
                          memmap_take(&map, PAGE_SIZE, PAGE_SIZE, 0, ALL, OWNER_TABLES, &table) == 0))
        tables--;
    if (tables > 0 || !block_place(&places.bitmap, shown, false) || !block_place(&places.summary, shown, false) ||
        !block_place(&places.records, shown, layout.purpose[PURPOSE_RECORDS] != NULL))
        return false;
    own_rows(&map, PHYSICAL_IMAGE, OWNER_HELD);
    return frames_for_pool(facts) >= FREE_AT_LEAST + (layout_kernel_has_own() ? 1u : 0u);
}

/* The same as enough_frames(), where `low` is not enough. Within a stride, more than enough is enough, too. */
static uint32_t enough_far_away(const struct start_facts *facts, uint32_t ram_end, uint32_t low)
{
    uint32_t high = low;

    assert(ram_end <= low);
    do {
        low = high;
        if (low >= MMU_FRAMES_END - 1)
            return 0;
        high = MMU_FRAMES_END - 1 - low > STRIDE ? low + STRIDE : MMU_FRAMES_END - 1;
    } while (!would_start(facts, ram_end, high));

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (would_start(facts, ram_end, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* Where the RAM must end for the machine to start, if it goes on from `ram_end`; 0 where no end of it would do. */
static uint32_t enough_frames(const struct start_facts *facts, uint32_t ram_end)
{
    assert(ram_end >= MiB / PAGE_SIZE);
    for (uint32_t end = ram_end + 1; end <= ram_end + PAGE_BY_PAGE && end < MMU_FRAMES_END; end++)
        if (would_start(facts, ram_end, end))
            return end;
    return enough_far_away(facts, ram_end, ram_end + PAGE_BY_PAGE);
}

/* The least RAM that would do, in KiB; 0 where no more RAM would help. */
static uint32_t enough_kib(const struct start_facts *facts)
{
    uint32_t ram_end = memmap_end(&map), end;

    if (ram_end < MiB / PAGE_SIZE)
        ram_end = MiB / PAGE_SIZE;              /* it goes on behind the PC's hole for video memory and ROMs */
    end = enough_frames(facts, ram_end);
    if (end == 0)
        return 0;
    describe_with(facts, ram_end, end);
    return memmap_ram(&map) * (PAGE_SIZE / KiB);
}

/* For all that is lacking; `what` needs RAM behind its end (NULL: nothing does). */
static const char *too_little(const struct start_facts *facts, const struct wanted *what)
{
    uint32_t found = memmap_ram(&map) * (PAGE_SIZE / KiB), enough = enough_kib(facts);
    size_t   used;

    if (enough > 0)
        format_text(problem, sizeof problem,
                    "too little memory for layout %s: %u KiB of RAM found, at least %u KiB needed", layout.name, found,
                    enough);
    else
        format_text(problem, sizeof problem,
                    "layout %s leaves too little to hand out of %u KiB of RAM, and of any more in its place",
                    layout.name, found);
    used = strlen(problem);
    if (what != NULL)
        format_text(problem + used, sizeof problem - used, ", for %s, from 0x%08x to 0x%08x", what->name,
                    (unsigned)(what->first << PAGE_SHIFT), (unsigned)((what->end << PAGE_SHIFT) - 1));
    return problem;
}

/* A document may have a row where this machine has no RAM: behind its end, or in a hole. */
static const char *is_no_ram(const struct start_facts *facts, const struct wanted *what)
{
    uint32_t ram_end = memmap_end(&map);

    assert(what->first < what->end);
    if (what->end > ram_end && (what->first >= ram_end || are_ram(what->first, ram_end)))
        return too_little(facts, what);
    format_text(problem, sizeof problem,
                "layout %s wants RAM for %s, from 0x%08x to 0x%08x: this machine has none there", layout.name,
                what->name, (unsigned)(what->first << PAGE_SHIFT), (unsigned)((what->end << PAGE_SHIFT) - 1));
    return problem;
}

/* Where kernel space's tables have a fixed place, that memory must have no owner. */
static const char *keep_master(const struct start_facts *facts)
{
    switch (master_prepare(&map)) {
    case 0:       return NULL;
    case -EEXIST: return "the boot loader has put something where this layout keeps its page tables";
    default:      return too_little(facts, NULL);
    }
}

/* There is no room for a block: because the kernel does not see all RAM, or because there is too little. */
static const char *no_room(const struct start_facts *facts, const char *what, const struct block *block)
{
    return direct_frames < memmap_end(&map) ? no_place(what, block->bytes) : too_little(facts, NULL);
}

/* ---- 3 to 5 ----------------------------------------------------------------------------------- */

static const char *open_pool(const struct start_facts *facts, struct places *places)
{
    bool window = layout.purpose[PURPOSE_RECORDS] != NULL;

    assert(!frames_are_open());
    if (!block_settle(&places->bitmap, false))
        return no_room(facts, "the frame bitmap", &places->bitmap);
    if (!block_settle(&places->summary, false))
        return no_room(facts, "the bitmap's summary", &places->summary);
    if (!block_settle(&places->records, window))
        return window ? too_little(facts, NULL) : no_room(facts, "the records", &places->records);
    own_rows(&map, PHYSICAL_IMAGE, OWNER_HELD);
    frames_open(&map, &layout.policy, direct_frames, places->bitmap.pointer, places->summary.pointer,
                places->records.pointer);
    return NULL;
}

/* The last step: what is said about a machine that is too small is made of what lies there. */
static void reclaim_boot(const struct start_facts *facts)
{
    uint32_t count = frames_of_boot(facts);

    assert(frames_are_open());
    if (count > 0)
        frame_reclaim(frame_of(facts->boot_start), count, OWNER_BOOT);
}

const char *memory_start(const struct start_facts *facts)
{
    struct places places;
    struct wanted no_ram;
    const char   *wrong;

    memory_describe(&map, facts);
    if (memmap_ram(&map) == 0)
        return "the boot loader gave no memory map with usable memory";
    slots_start(facts->slot_table);
    if (find_no_ram(facts, &no_ram))
        return is_no_ram(facts, &no_ram);
    wrong = keep_master(facts);
    if (wrong != NULL)
        return wrong;
    places = places_measure(facts);
    own_rows_of_kernel(&map);
    if (space_start(facts->root, &map) != 0)
        return too_little(facts, NULL);
    if (facts->guard != 0)
        space_guard(facts->guard);
    wrong = open_pool(facts, &places);
    if (wrong != NULL)
        return wrong;
    if (layout_kernel_has_own() && frames_free() == 0)
        return too_little(facts, NULL);
    if (layout_kernel_has_own())
        space_take_over();
    if (table_homes_start() != 0)
        return too_little(facts, NULL);
    stacks_start();
    heap_start();
    swap_start();
    map_start();
    if (frames_free() + frames_of_boot(facts) < FREE_AT_LEAST)
        return too_little(facts, NULL);
    reclaim_boot(facts);
    return NULL;
}
