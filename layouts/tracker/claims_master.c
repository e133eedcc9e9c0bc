/*
 * claims_master.c - the claims of layouts/tracker/layout.md about the kernel's own page table, the master.
 */
#include "claims/probe.h"
#include "layouts/tracker/claims.h"

#include "base/check.h"
#include "cpu.h"
#include "layouts/tracker/master.h"
#include "trap.h"

extern char image_physical_end[];       /* the linker script's */

static uint32_t directory_entry(uint32_t i) { return t_word(T_MASTER + 4 * i); }
static uint32_t entry(page_t page)          { return t_word(T_MASTER + T_DIRECTORY + 4 * page); }

void t5_known_place(struct claim_result *result)
{
    lock_state state = interrupts_off();
    frame_t    loaded;
    uint32_t   own = 0;

    space_activate(&kernel_space);
    loaded = mmu_active();
    interrupts_restore(state);
    for (page_t page = page_of(T_MASTER); page < page_of(T_MASTER) + 0x401; page++)
        own += frame_is(t_shown(page_address(page)), (frame_t){ (uint32_t)page }) &&
               frame_owner((frame_t){ (uint32_t)page }) == OWNER_TABLES;
    claim_saw(result, loaded.no == T_MASTER / PAGE_SIZE && own == 0x401,
              "kernel space's CR3 is 0x%08x; %u page-table frames lie from there on, each at its own address",
              loaded.no * PAGE_SIZE, own);
}

void t6_identity(struct claim_result *result)
{
    uint32_t absent = 0, identity = 0, tables = 0;
    page_t   odd = layout.space_end;

    for (uint32_t i = 0; i < 1024; i++)
        tables += (directory_entry(i) & 1) && directory_entry(i) >> 12 == T_MASTER / PAGE_SIZE + 1 + i;
    for (page_t page = 0; page < layout.space_end; page++) {
        uint32_t e = entry(page);

        if (e & 1)
            continue;
        absent++;
        if (e >> 12 == page)
            identity++;
        else if (odd == layout.space_end)
            odd = page;
    }
    if (odd != layout.space_end)
        return claim_saw(result, false, "the absent entry of page 0x%05lx is %08x", (unsigned long)odd, entry(odd));
    claim_saw(result, tables == 1024 && absent > 0 && absent == identity,
              "%u directory entries lead to the tables in order; %u entries are not present and name their own frame",
              tables, identity);
}

/* The number of entries in a row, from a page on, that are present and name their own frame. */
static uint32_t present_from(page_t first)
{
    page_t page = first;

    while (page < layout.space_end && (entry(page) & 1) && entry(page) >> 12 == page)
        page++;
    return (uint32_t)(page - first);
}

void t7_firmware_present(struct claim_result *result)
{
    uint32_t present = present_from(0), read = 0, word;

    for (page_t page = 0; page < 256; page++)
        read += probe_read(page_address(page), &word);
    claim_saw(result, present >= 256 && read == 256,
              "entries 0 to %u are present in a row, %u of the first 256 pages can be read", present - 1, read);
}

void t8_structures_present(struct claim_result *result)
{
    uint32_t present = present_from(256);
    uint32_t needed  = ((uint32_t)(uintptr_t)image_physical_end - 256 * PAGE_SIZE) / PAGE_SIZE;
    size_t   bytes;
    vaddr_t  bitmap  = address_of(frames_bitmap(&bytes));

    claim_saw(
        result, present >= needed && needed > 0x401 && bitmap >= T_MASTER && bitmap < page_address(256 + present),
        "%u pages behind the first MiB are present in a row, among them this table, the frame bitmap (0x%08lx) and "
        "the image",
        present, (unsigned long)bitmap);
}

void t18_order(struct claim_result *result)
{
    const struct master_sight *page  = master_history(MASTER_TRACKERS), *table = master_history(MASTER_TABLE),
                              *link  = master_history(MASTER_LINKED), *low = master_history(MASTER_LOW),
                              *first = master_history(MASTER_STRUCTURES), *last = master_history(MASTER_ACTIVE);
    bool order = page->trackers && !page->table && !page->linked &&
                 table->table && !table->linked && table->low == 0 && table->structures == 0 &&
                 link->linked && link->low == 0 && link->structures == 0 &&
                 low->low > 0 && low->structures == 0 &&
                 first->low == low->low && first->structures > 0x401 &&
                 last->active && last->low == first->low && last->structures == first->structures;
    bool early = page->active || table->active || link->active || low->active || first->active;

    claim_saw(result, order && !early,
              "trackers, table, link, %u low pages, %u pages of structures were seen to come one by one, "
              "and CR3 %s",
              low->low, first->structures, early ? "too early" : "last");
}
