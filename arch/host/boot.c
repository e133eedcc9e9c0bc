/*
 * boot.c - the state after a boot: the image's frames, firmware's ranges, and the first tables.
 *
 * tools/layout/emit_boot.c makes these tables for the processor. Here they are made from the compiled
 * document, with the same result: a directory, a last-level table for each 4 MiB that a
 * boot mapping touches, the table of the slots, the reference to the directory itself, and aliases.
 */
#include "machine.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "cpu.h"
#include "image.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"

static struct boot_info info;

extern char image_boot_end_frame[];          /* image.c */

/* ---- Boot tables --------------------------------------------------------------------------- */

static frame_t next_table;              /* frames of the image's data, one after the other       */
static frame_t next_boot_table;         /* frames of the image's boot part                       */
static uint32_t end_of_boot;

static entry_t *table_in_ram(frame_t table)
{
    return (entry_t *)&machine_ram[frame_address(table)];
}

static uint32_t end_of_data(void)
{
    const struct layout_region *data = layout.purpose[PURPOSE_DATA];

    return (uint32_t)(data->frame + span_pages(data->span));
}

/* True when a region below the entry is open to programs. */
static bool lets_programs_through(page_t page)
{
    page_t      reach = mmu_reach(MMU_LEVELS);
    struct span part  = span_of(page - page % reach, reach);

    for (uint32_t i = 0; i < layout.region_count; i++)
        if (layout.regions[i].rights.user != 0 && layout.regions[i].backing == BACKING_IMAGE &&
            span_meets(layout.regions[i].span, part))
            return true;
    return false;
}

static frame_t take_table(frame_t *next, uint32_t end)
{
    frame_t table = { next->no++ };

    assert(next->no <= end);
    memset(table_in_ram(table), 0, PAGE_SIZE);
    return table;
}

static const struct rights everything = { MAY_READ | MAY_WRITE | MAY_EXECUTE, 0 };

static frame_t root_of_boot;

static entry_t *root_entry(page_t page)
{
    return &table_in_ram(root_of_boot)[mmu_index(page, MMU_LEVELS)];
}

static entry_t *leaf_table(page_t page, bool keep)
{
    entry_t *upper = root_entry(page);

    if (entry_kind(*upper, MMU_LEVELS) == ENTRY_EMPTY)
        *upper = entry_table(keep ? take_table(&next_table, end_of_data()) : take_table(&next_boot_table, end_of_boot),
                             lets_programs_through(page));
    return table_in_ram(entry_frame(*upper));
}

static void make_boot_map(const struct layout_boot_map *map)
{
    for (page_t page = map->span.first; page < map->span.end; page++) {
        frame_t frame = { frame_of(map->physical).no + (uint32_t)(page - map->span.first) };

        leaf_table(page, map->keep)[mmu_index(page, 1)] = entry_leaf(frame, everything, CACHE_BACK, false, 1);
    }
}

/* Kept mappings first: a table with mappings of both kinds must outlive boot. */
static void make_boot_maps(void)
{
    for (int keep = 1; keep >= 0; keep--)
        for (uint32_t i = 0; i < layout.boot_map_count; i++)
            if (layout.boot_maps[i].keep == keep)
                make_boot_map(&layout.boot_maps[i]);
}

/* Returns the frame of the first table, for slots_start(). */
static frame_t make_slot_table(void)
{
    struct span slots = layout.purpose[PURPOSE_SLOTS]->span;
    frame_t     first = next_table;

    for (page_t page = slots.first; page < slots.end; page += mmu_reach(MMU_LEVELS))
        leaf_table(page, true);
    return first;
}

static void make_self_and_aliases(void)
{
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *region = &layout.regions[i];

        if (region->backing == BACKING_TABLES)
            *root_entry(region->span.first) = entry_self(root_of_boot);
        if (region->backing == BACKING_ALIAS)
            for (page_t page = region->span.first; page < region->span.end; page += mmu_reach(MMU_LEVELS))
                *root_entry(page) = *root_entry(region->alias + (page - region->span.first));
    }
}

static void make_tables(struct start_facts *facts)
{
    frame_t slots;

    root_of_boot = take_table(&next_table, end_of_data());
    make_boot_maps();
    slots = make_slot_table();
    make_self_and_aliases();
    facts->root       = root_of_boot;
    facts->slot_table = pointer_to(layout.kernel_offset + (vaddr_t)frame_address(slots));
}


/* ---- Firmware and the image ------------------------------------------------------------------ */

static void fill_info(const struct machine_config *config)
{
    static const struct boot_range usual = { 0, 640 * KiB, BOOT_USABLE };

    info = (struct boot_info){ .range_count = config->range_count };
    if (config->ranges != NULL) {
        assert(config->range_count <= BOOT_RANGES);
        memcpy(info.ranges, config->ranges, config->range_count * sizeof info.ranges[0]);
        return;
    }
    info.range_count = 2;
    info.ranges[0]   = usual;
    info.ranges[1]   = (struct boot_range){ MiB, config->ram_bytes - MiB, BOOT_USABLE };
    snprintf(info.loader, sizeof info.loader, "host machine");
}

/* Fill the image with words that say where they lie, so that a mapping of a wrong frame is noticed. */
static void fill_image(paddr_t start, paddr_t end)
{
    for (paddr_t at = start; at < end; at += sizeof(uint32_t))
        *(uint32_t *)&machine_ram[at] = 0x1A9E0000u ^ (uint32_t)at;
}

static void describe_image(struct start_facts *facts)
{
    const struct layout_region *boot = layout.purpose[PURPOSE_BOOT], *text = layout.purpose[PURPOSE_TEXT];
    const struct layout_region *data = layout.purpose[PURPOSE_DATA], *last = layout.purpose[PURPOSE_SHARED];

    facts->boot_end    = (paddr_t)(uintptr_t)image_boot_end_frame << PAGE_SHIFT;
    facts->boot_start  = facts->boot_end - IMAGE_BOOT_PAGES * PAGE_SIZE;
    facts->image_start = boot != NULL ? facts->boot_start : (paddr_t)text->frame << PAGE_SHIFT;
    last               = last != NULL ? last : data;
    facts->image_end   = (paddr_t)(last->frame + span_pages(last->span)) << PAGE_SHIFT;
    facts->guard       = layout.purpose[PURPOSE_STACK] == NULL ? page_address(data->span.end - 1) : 0;
    next_table         = (frame_t){ (uint32_t)data->frame };
    next_boot_table    = (frame_t){ frame_of(facts->boot_start).no + 1 };
    end_of_boot        = frame_of(facts->boot_end).no;
}

uint64_t machine_pool_start(void)
{
    uintptr_t image = layout.purpose[PURPOSE_TEXT]->frame;

    for (uint32_t i = 0; i < layout.physical_count; i++)
        if (layout.physical[i].use == PHYSICAL_POOL && layout.physical[i].first >= image)
            return (uint64_t)layout.physical[i].first << PAGE_SHIFT;
    return (uint64_t)image << PAGE_SHIFT;
}

void machine_start(const struct machine_config *config, struct start_facts *facts)
{
    machine_power_on(config);
    frames_close();                         /* of the machine before this one */
    fill_info(config);
    *facts = (struct start_facts){ .info = &info };
    describe_image(facts);
    assert(facts->image_end <= config->ram_bytes);
    fill_image(facts->image_start, facts->image_end);
    make_tables(facts);
    mmu_activate(facts->root);
}

const char *machine_boot(uint64_t ram_bytes)
{
    struct machine_config config = { .ram_bytes = ram_bytes };
    struct start_facts    facts;

    machine_start(&config, &facts);
    return memory_start(&facts);
}
