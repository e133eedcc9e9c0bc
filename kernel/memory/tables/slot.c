/*
 * slot.c - the bytes of a frame: at their permanent address, or in a slot of this CPU.
 */
#include "memory/tables/slot.h"

#include "base/check.h"
#include "base/range.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/layout.h"
#include "memory/tables/table.h"

_Static_assert(MAX_CPUS * SLOT_COUNT <= SLOT_PAGES_LEAST, "each processor has its slots in any document");

uint32_t direct_frames;

static entry_t *slot_table;             /* maps the slots region; each CPU writes its own entries only */

/* Where the physical memory ends that the boot tables show from byte 0 on, at the image's distance and for good. */
static paddr_t shown_by_boot_tables(void)
{
    paddr_t end = 0;

    for (uint32_t i = 0; i < layout.boot_map_count; i++) {
        const struct layout_boot_map *map = &layout.boot_maps[i];
        paddr_t map_end = map->physical + span_pages(map->span) * PAGE_SIZE;

        if (map->keep && page_address(map->span.first) == layout.kernel_offset + map->physical &&
            map->physical <= end && map_end > end)
            end = map_end;
    }
    return end;
}

void slots_start(entry_t *table)
{
    const struct layout_region *slots = layout.purpose[PURPOSE_SLOTS];

    assert(slots == NULL || span_pages(slots->span) >= SLOT_PAGES_LEAST);
    slot_table = table;
    direct_frames = (uint32_t)(shown_by_boot_tables() >> PAGE_SHIFT);
}

/*
 * The entry of a slot's page. With one level only, slots are entries of the root in use, and roots have permanent
 * addresses; else all roots share the table that slots_start() was given.
 */
static entry_t *slot_entry(page_t page)
{
    entry_t *table = slot_table;

    if (MMU_LEVELS == 1)
        table = pointer_to(layout.kernel_offset + (vaddr_t)frame_address(mmu_active()));
    deep_assert(table != NULL);
    return &table[mmu_index(page, 1)];
}

static entry_t __attribute__((noinline)) new_slot_entry(frame_t frame, page_t page)
{
    return entry_leaf(frame, layout.purpose[PURPOSE_SLOTS]->rights, CACHE_BACK, page_may_be_global(page), 1);
}

/* The slot shows another frame from now on. Only this CPU uses it, so only this CPU's translation has to go. */
static void *__attribute__((noinline)) show_in_slot(frame_t frame, page_t page)
{
    entry_t *at  = slot_entry(page);
    entry_t  old = entry_read(at);

    deep_assert(frame_exists(frame) && frame.no < MMU_FRAMES_END);
    if (entry_present(old)) {
        entry_write(at, entry_with_frame(old, frame));
        mmu_flush_page(page);
    } else {
        entry_write(at, new_slot_entry(frame, page));
    }
    return pointer_to(page_address(page));
}

/* The slot keeps its last frame. */
void *frame_view_in_slot(frame_t frame, enum slot slot)
{
    page_t  page  = layout.purpose[PURPOSE_SLOTS]->span.first + cpu_number() * SLOT_COUNT + slot;
    entry_t shown = entry_read(slot_entry(page));

    deep_assert(frame_exists(frame) && slot < SLOT_COUNT);
    if (!entry_present(shown) || !frame_is(entry_frame(shown), frame))
        return show_in_slot(frame, page);
    return pointer_to(page_address(page));
}

/* The pointer where a fixed region, which may have another distance than the image, shows the bytes; else NULL. */
static void *in_fixed_region(const struct layout_region *region, paddr_t physical, size_t bytes)
{
    paddr_t first = (paddr_t)region->frame << PAGE_SHIFT;

    deep_assert(bytes > 0);
    if (region->backing != BACKING_FIXED || region->purpose == PURPOSE_DIRECT || physical < first ||
        physical + bytes > first + (paddr_t)span_pages(region->span) * PAGE_SIZE)
        return NULL;
    return pointer_to(page_address(region->span.first) + (vaddr_t)(physical - first));
}

void *physical_pointer(paddr_t physical, size_t bytes)
{
    uint64_t end;
    void    *pointer = NULL;

    if (!checked_add(physical, bytes, &end))
        return NULL;
    if (end <= direct_end())
        return pointer_to(layout.kernel_offset + (vaddr_t)physical);
    for (uint32_t i = 0; i < layout.region_count && pointer == NULL; i++)
        pointer = in_fixed_region(&layout.regions[i], physical, bytes);
    return pointer;
}

void frame_clear(frame_t frame)
{
    unsigned long state = interrupts_off();

    page_clear(frame_view(frame, SLOT_TO));
    interrupts_restore(state);
}

void frame_clear_part(frame_t frame, size_t from, size_t bytes)
{
    unsigned long state = interrupts_off();

    assert(from <= PAGE_SIZE && bytes <= PAGE_SIZE - from);
    memset((char *)frame_view(frame, SLOT_TO) + from, 0, bytes);
    interrupts_restore(state);
}

void frame_copy(frame_t to, frame_t from)
{
    unsigned long state = interrupts_off();

    deep_assert(!frame_is(to, from));
    page_copy(frame_view(to, SLOT_TO), frame_view(from, SLOT_FROM));
    interrupts_restore(state);
}
