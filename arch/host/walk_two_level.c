/*
 * walk_two_level.c - what a 32-bit processor does on a TLB miss, without PAE.
 *
 * Written from the processor's manual with bits of its own, not with the functions of mmu.h: those are
 * under test.
 *
 * Source   Intel SDM vol. 3A, "32-Bit Paging", "Access Rights", "Accessed and Dirty Flags",
 *          "Paging-Structure Caches".
 */
#include "machine.h"

#ifndef MMU_FORMAT_FIRMWARE

#include "memory/audit.h"

enum { P = 1, RW = 2, US = 4, A = 32, D = 64, PS = 128, G = 256, ENTRIES = 1024 };

/* The processor's cache of directory entries that lead to tables: kept until a flush. */
static uint32_t remembered[ENTRIES];

static uint32_t *table_at(uint32_t address)
{
    return (uint32_t *)(machine_ram + (address & ~0xFFFu));
}

static bool in_ram(const uint32_t *word)
{
    return (uint64_t)((const uint8_t *)word - machine_ram) < (uint64_t)machine_frames * PAGE_SIZE;
}

/* Beyond RAM reads yield ones, as on a bus without a device. */
static uint32_t read_word(const uint32_t *table, uint32_t index)
{
    return in_ram(&table[index]) ? table[index] : UINT32_MAX;
}

static void set_bits(uint32_t *word, uint32_t bits)
{
    if (in_ram(word))
        __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

static struct translation translation(uint32_t frame, uint32_t both, uint32_t leaf)
{
    uint8_t rights = MAY_READ | MAY_EXECUTE | (both & RW ? MAY_WRITE : 0);

    return (struct translation){ .frame = { frame }, .kernel = rights, .user = both & US ? rights : 0,
                                 .global = leaf & G, .dirty = leaf & D };
}

/* CR0.WP is set: the kernel, too, writes only where RW says so. SMEP and SMAP are off. */
static bool entry_permits(uint32_t both, const struct access *access)
{
    return (!access->user || both & US) && (!access->write || both & RW);
}

static bool use_leaf(uint32_t *leaf, uint32_t both, const struct access *access, bool *present)
{
    *present = true;
    if (access == NULL)
        return true;
    if (!entry_permits(both, access))
        return false;
    set_bits(leaf, A | (access->write ? D : 0));
    return true;
}

static uint32_t directory_entry(uint32_t *directory, uint32_t index, const struct access *access)
{
    if (access != NULL && remembered[index] != 0)
        return remembered[index];
    return read_word(directory, index);
}

bool mmu_walk(page_t page, const struct access *access, struct translation *out, bool *present)
{
    uint32_t *directory = table_at(mmu_active().no << PAGE_SHIFT), *table;
    uint32_t  high = (uint32_t)page >> 10, low = page & 1023;
    uint32_t  upper = directory_entry(directory, high, access), leaf;

    *present = false;
    if (!(upper & P))
        return false;
    if (upper & PS) {
        if (!use_leaf(&directory[high], upper, access, present))
            return false;
        *out = translation((upper >> 12 & ~1023u) + low, upper, directory[high]);
        out->large = true;
        return true;
    }
    if (access != NULL && remembered[high] == 0) {
        set_bits(&directory[high], A);
        remembered[high] = upper | A;
    }
    table = table_at(upper);
    leaf  = read_word(table, low);
    if (!(leaf & P) || !use_leaf(&table[low], upper & leaf, access, present))
        return false;
    *out = translation(leaf >> 12, upper & leaf, table[low]);
    return true;
}

void mmu_walk_forget(void)
{
    __builtin_memset(remembered, 0, sizeof remembered);
}

void mmu_walk_audit(struct audit_report *report)
{
    const uint32_t *directory = table_at(mmu_active().no << PAGE_SHIFT);

    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (remembered[i] == 0)
            continue;
        report->checked++;
        if ((remembered[i] ^ directory[i]) & ~(uint32_t)(A | D | 0xE00))
            audit_fail(report, "C4", "directory entry %u is cached as %08x, the table says %08x", i,
                       remembered[i], directory[i]);
    }
}

#endif
