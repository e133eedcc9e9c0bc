/*
 * table.h - the one accessor of page tables.
 *
 * entry_at(space, page, level) answers with the address of an entry, or NULL where a table
 * above it is missing. Nothing else in the kernel knows how a table is reached; the
 * layout's document chooses:
 *
 *   identity  tables are at their physical address
 *   self      the root refers to itself: entries of the current space (and of the kernel
 *             part, the same in all) lie at constant addresses (A16); others through slots
 *   direct    tables are at their place in the direct map; others through slots
 *   slots     the first tables are where the boot code's mapping shows them; others through slots
 *   window    tables of processes are mapped in a window of kernel space, each at a page of its own (M13)
 *   tracked   tables of a space are one contiguous object (T1)
 *
 * Locking  the space's tables lock (RANK_TABLES) is held by the caller.
 * A pointer stays good until entry_at() is asked for another space or another table at
 * the same level on this CPU (all levels between the first and the last count as one), or the
 * lock is dropped.
 * Cost     one look at each level above, and a slot where a table has no permanent address.
 */
#ifndef QUIRE_MEMORY_TABLE_H
#define QUIRE_MEMORY_TABLE_H

#include "memory/layout.h"
#include "mmu.h"

struct space;

/* Whether the root's entry for `page` leads to the programs' part, or to some of it. */
static inline bool root_entry_is_users(page_t page)
{
    page_t reach = mmu_reach(MMU_LEVELS);

    return span_meets(span_of(page & ~(reach - 1), reach), layout.user);
}

/*
 * Whether an entry of kernel space for this page may stay cached when the root changes: where kernel space has
 * something of its own in the programs' part, a program has something else at the same address; and a space's own
 * stacks are no other's.
 */
static inline bool page_may_be_global(page_t page)
{
    return mmu_features.global && !root_entry_is_users(page) && !page_is_own_stack(page);
}

/*
 * Whether a root's entry is this space's to answer for. The kernel's part is kernel space's, and all other roots
 * repeat it; the programs' part is each space's own, and so is the stacks window where the document says so.
 */
bool root_entry_is_own(const struct space *space, page_t page);

/* The document's region that holds a page of this space. */
const struct layout_region *region_row(const struct space *space, page_t page);

/* The entry of `level` that translates `page`, as said above. */
entry_t *entry_at(const struct space *space, page_t page, unsigned level);

/*
 * Follow the tables from the root to the last level. Returns the entry at which that ends: of level 1,
 * or of a higher one that leads to no table. *level is its level, *table the frame of the table it lies in.
 */
entry_t *table_walk(const struct space *space, page_t page, unsigned *level, frame_t *table);

/*
 * What a page translates to in a space, following the tables as hardware would.
 * *level is the level of the returned entry: 1, or higher for a large page or where
 * a table is missing. A table that is out is looked into; to table_walk() and entry_at() it is missing, and its entry
 * of the level above is of kind SWAP.
 */
entry_t table_lookup(const struct space *space, page_t page, unsigned *level);

/*
 * The page of the self-map that shows the table of `level` which translates `page`: when an upper entry
 * changes, its translation must go as well. False where there is no self-map.
 */
bool table_seen_at(page_t page, unsigned level, page_t *seen);

/* C1 and C2 of the tables that are this space's own. The caller holds the tables lock. */
struct audit_report;
void tables_audit(const struct space *space, struct audit_report *report);

/*
 * A frame for a kernel table while there is no pool, filled with zeros, from the boot memory map
 * (kernel_space.c). Returns 0 or -ENOMEM.
 */
int early_table_frame(frame_t *out) MUST_CHECK;

#endif
