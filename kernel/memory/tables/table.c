/*
 * table.c - how a page-table entry is reached, and walking down to it.
 */
#include "base/check.h"
#include "memory/tables/table.h"

#include "cpu.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "memory/tables/table_access.h"

/*
 * The self-map shows the tables of the root that is in use: its own part, and the kernel's, which
 * all roots share below their own entries (C3). So kernel space is seen through another's root but for the
 * programs' part, and stacks where each space has its own, which are that other's.
 */
static inline bool in_self_map(const struct space *space, page_t page, unsigned level)
{
    if (!TABLES_IN_SELF_MAP)
        return false;
    if (frame_is(mmu_active(), space->root))
        return true;
    return space == &kernel_space && level < MMU_LEVELS && !page_is_users(page) && !page_is_own_stack(page) &&
           !span_has(layout.purpose[PURPOSE_TABLES]->span, page);
}

/*
 * In the self-map the last-level entries of all pages lie in a row (A16). A table of
 * a higher level is seen there like any page, so its entries are the entries of those pages.
 */
static entry_t *self_entry(page_t page, unsigned level)
{
    vaddr_t start = page_address(layout.purpose[PURPOSE_TABLES]->span.first);
    vaddr_t at    = start + page * sizeof(entry_t);

    deep_assert(level >= 1 && level <= MMU_LEVELS);
    while (--level > 0)
        at = start + page_of(at) * sizeof(entry_t);
    return pointer_to(at);
}

static enum slot slot_of(unsigned level)
{
    deep_assert(level >= 1 && level <= MMU_LEVELS);
    return level == MMU_LEVELS ? SLOT_ROOT : level == 1 ? SLOT_TABLE : SLOT_MIDDLE;
}

/* One step down: the entry of `level` in the table that an entry above leads to. */
static inline entry_t *table_step(bool self, const struct space *space, frame_t table, page_t page, unsigned level)
{
    if (self)
        return self_entry(page, level);
    if (TABLE_HOMES && space != &kernel_space && (level == MMU_LEVELS || page_is_users(page)))
        return table_home_entries(space, page, level) + mmu_index(page, level);
    return (entry_t *)frame_view(table, slot_of(level)) + mmu_index(page, level);
}

#define IN_LINE static inline __attribute__((always_inline))

/* In line, so that the common walk, down to the last level, has its loop unrolled: half the instructions. */
IN_LINE entry_t *tables_walk(const struct space *space, page_t page, unsigned lowest, unsigned *reached,
                             frame_t *table)
{
    bool     self = in_self_map(space, page, lowest);
    unsigned level = MMU_LEVELS;
    frame_t  in = space->root;
    entry_t *at = table_step(self, space, in, page, level);

    while (level > lowest) {
        entry_t e = entry_read(at);

        if (entry_kind(e, level) != ENTRY_TABLE)
            break;
        in = entry_frame(e);
        at = table_step(self, space, in, page, --level);
    }
    *reached = level;
    *table   = in;
    return at;
}

entry_t *table_walk(const struct space *space, page_t page, unsigned *level, frame_t *table)
{
    deep_assert(page < layout.space_end && frame_exists(space->root));
    return tables_walk(space, page, 1, level, table);
}

entry_t *entry_at(const struct space *space, page_t page, unsigned level)
{
    unsigned reached;
    frame_t  table;
    entry_t *at = tables_walk(space, page, level, &reached, &table);

    deep_assert(page < layout.space_end && level >= 1 && level <= MMU_LEVELS);
    return reached == level ? at : NULL;
}

bool table_seen_at(page_t page, unsigned level, page_t *seen)
{
    if (!TABLES_IN_SELF_MAP)
        return false;
    *seen = page_of(address_of(self_entry(page, level)));
    return true;
}

entry_t table_lookup(const struct space *space, page_t page, unsigned *level)
{
    frame_t table;
    entry_t e = entry_read(table_walk(space, page, level, &table));

    if (!TABLES_GO_OUT || *level == 1 || entry_kind(e, *level) != ENTRY_SWAP)
        return e;
    *level = 1;
    return table_home_entry(space, page);
}

/* ---- Audit ------------------------------------------------------------------------------ */

struct table_audit {
    const struct space  *space;
    struct audit_report *report;
};

static bool audit_entry(const struct table_audit *audit, page_t page, unsigned level);
static bool audit_leaf(const struct table_audit *audit, page_t page, entry_t e);

/* C1 of one table and of those below it. */
static void audit_table(const struct table_audit *audit, page_t first, unsigned level, frame_t table)
{
    const entry_t *at;
    uint32_t       filled = 0;

    assert(level >= 1 && level < MMU_LEVELS + 1);
    if (level == 1 && (at = entry_at(audit->space, first, 1)) != NULL) {
        for (uint32_t i = 0; i < MMU_ENTRIES; i++)
            filled += audit_leaf(audit, first + i, entry_read(&at[i]));
        audit->report->checked += MMU_ENTRIES;
    }
    for (uint32_t i = 0; i < MMU_ENTRIES && level > 1; i++)
        filled += audit_entry(audit, first + i * mmu_reach(level), level);
    if (audit->space != &kernel_space && filled != frame_link(table))
        audit_fail(audit->report, "C1", "table frame %u for 0x%08lx has %u entries, its record says %u",
                   table.no, (unsigned long)page_address(first), filled, frame_link(table));
}

bool root_entry_is_own(const struct space *space, page_t page)
{
    bool users = root_entry_is_users(page);

    if (page_is_own_stack(page))
        return true;
    return space == &kernel_space ? !users || layout_kernel_has_own() || KERNEL_HAS_MASTER : users;
}

const struct layout_region *region_row(const struct space *space, page_t page)
{
    deep_assert(page < layout.space_end);
    return space == &kernel_space ? layout_kernel_region_of(page) : layout_region_of(page);
}

/* Whether a page is kernel memory that its row does not open to programs (firmware opens the kernel's constants). */
static bool is_kernels_alone(const struct space *space, page_t page)
{
    return (space == &kernel_space || !page_is_users(page)) && region_row(space, page)->rights.user == 0;
}

/* C2 of one entry that leads to no table; true when it is not empty. */
static bool audit_leaf(const struct table_audit *audit, page_t page, entry_t e)
{
    if (entry_present(e) && entry_rights(e).user != 0 && is_kernels_alone(audit->space, page))
        audit_fail(audit->report, "C2", "page 0x%08lx of the kernel part is open to programs",
                   (unsigned long)page_address(page));
    return entry_kind(e, 1) != ENTRY_EMPTY;
}

static bool audit_entry(const struct table_audit *audit, page_t page, unsigned level)
{
    entry_t e = entry_read(entry_at(audit->space, page, level));

    audit->report->checked++;
    if (entry_kind(e, level) != ENTRY_TABLE)
        return audit_leaf(audit, page, e);
    audit_table(audit, page, level - 1, entry_frame(e));
    return true;
}

/*
 * Whether the root's entry that begins at page leads to tables of this space alone. The reference of a root
 * to itself and repeated entries lead to tables looked at elsewhere.
 */
static bool is_own_part(const struct space *space, page_t page)
{
    const struct layout_region *home = region_row(space, page);

    return home->backing != BACKING_TABLES && home->backing != BACKING_ALIAS && root_entry_is_own(space, page);
}

void tables_audit(const struct space *space, struct audit_report *report)
{
    struct table_audit audit = { space, report };

    for (page_t page = 0; page < layout.space_end; page += mmu_reach(MMU_LEVELS))
        if (is_own_part(space, page))
            audit_entry(&audit, page, MMU_LEVELS);
}
