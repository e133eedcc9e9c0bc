/*
 * space_audit.c - a walk of a space's tables, which checks that they agree with its regions.
 */
#include "base/range.h"
#include "memory/audit.h"
#include "memory/spaces/space.h"
#include "memory/tables/table.h"
#include "memory/tables/tables_out.h"

static bool hardware_tells_execute(void)
{
    return !(mmu_allow((struct rights){ .kernel = MAY_READ }).kernel & MAY_EXECUTE);
}

static bool in_guard(const struct region *region, page_t page)
{
    return page - region->span.first < region->guard && !(region->grows & REGION_GROWS_DOWN);
}

/* One present entry against the region it lies in: S1 to S3, S5. */
static void audit_leaf(const struct space *space, page_t page, entry_t e, struct audit_report *report)
{
    bool                 kernel = space == &kernel_space || !page_is_users(page);
    const struct region *region = region_find(kernel ? &kernel_space.map : &space->map, page);
    struct rights        have   = entry_rights(e);
    const char          *id     = kernel ? "S1" : "S3";

    if (region == NULL) {
        audit_fail(report, region_row(space, page)->backing == BACKING_NONE ? "S5" : id,
                   "page 0x%08lx is mapped (frame %u) but lies in no region", (unsigned long)page_address(page),
                   entry_frame(e).no);
        return;
    }
    if (region->home != NULL && region->home->purpose == PURPOSE_ORIGINAL)
        audit_fail(report, "S5", "page 0x%08lx of %s can be reached", (unsigned long)page_address(page), region->name);
    if (in_guard(region, page))
        audit_fail(report, "S5", "guard page 0x%08lx of %s is mapped", (unsigned long)page_address(page), region->name);
    if (!rights_within(have, mmu_allow(region->rights)))
        audit_fail(report, id, "page 0x%08lx allows %x/%x, region %s %x/%x", (unsigned long)page_address(page),
                   have.kernel, have.user, region->name, region->rights.kernel, region->rights.user);
    if (kernel && hardware_tells_execute() && (have.kernel & MAY_WRITE) && (have.kernel & MAY_EXECUTE))
        audit_fail(report, "S2", "page 0x%08lx of %s is writable and executable", (unsigned long)page_address(page),
                   region->name);
}

/* What a walk of a space's tables counts. */
struct walk {
    const struct space  *space;
    struct audit_report *report;
    uint32_t             tables, resident, swapped;
};

static void walk_level(struct walk *walk, struct span span, unsigned level);

/* The entries of one last table lie in a row, and most are empty: they are read in place. */
static void walk_last_level(struct walk *walk, struct span span)
{
    const entry_t *at = entry_at(walk->space, span.first, 1);

    walk->report->checked += MMU_ENTRIES;
    for (page_t page = span.first; page < span.end; page++, at++) {
        entry_t e = entry_read(at);

        walk->swapped += entry_kind(e, 1) == ENTRY_SWAP;
        if (!entry_present(e))
            continue;
        walk->resident += walk->space != &kernel_space && page_is_users(page);
        audit_leaf(walk->space, page, e, walk->report);
    }
}

static void count_out(page_t page, entry_t entry, void *with)
{
    struct walk *walk = with;

    (void)page, (void)entry;
    walk->swapped++;
}

/* One entry of an upper table, or of a root that is the only table. */
static void walk_entry(struct walk *walk, page_t page, unsigned level)
{
    const entry_t *at = entry_at(walk->space, page, level);
    entry_t        e  = at != NULL ? entry_read(at) : entry_empty();
    page_t         reach = mmu_reach(level);

    walk->report->checked++;
    switch (entry_kind(e, level)) {
    case ENTRY_TABLE:
        walk->tables++;
        if (level == 2)
            walk_last_level(walk, span_of(round_down(page, reach), reach));
        else
            walk_level(walk, span_of(round_down(page, reach), reach), level - 1);
        break;
    case ENTRY_PRESENT:
        walk->resident += walk->space != &kernel_space && page_is_users(page) ? reach : 0;
        audit_leaf(walk->space, page, e, walk->report);
        if (reach > 1)
            audit_leaf(walk->space, page + reach - 1, e, walk->report);
        break;
    case ENTRY_SWAP:
        page = round_down(page, reach);
        if (level == 1 || !table_home_look(walk->space, page, page + reach, count_out, walk))
            walk->swapped++;                        /* a page; else a table is out */
        break;
    default:
        break;
    }
}

static void walk_level(struct walk *walk, struct span span, unsigned level)
{
    page_t reach = mmu_reach(level);

    for (page_t page = span.first; page < span.end; page += reach) {
        const struct layout_region *home = region_row(walk->space, page);

        /* The self-reference shows tables already counted; an alias repeats another region's. */
        if (level == MMU_LEVELS && (home->backing == BACKING_TABLES || home->backing == BACKING_ALIAS ||
                                    !root_entry_is_own(walk->space, page)))
            continue;
        walk_entry(walk, page, level);
    }
}

/*
 * C3: the kernel part of every root equals kernel space's, but for the entries that are each space's own. A space
 * that is not in use hears of the latest changes first, as it would before it is used.
 */
static void audit_kernel_part(const struct space *space, struct audit_report *report)
{
    page_t reach = mmu_reach(MMU_LEVELS);

    if (space != space_of_program())
        space_catch_up((struct space *)space);
    for (page_t page = 0; page < layout.space_end; page += reach) {
        const struct layout_region *home = layout_region_of(page);
        entry_t mine, kernels;

        if (home->backing == BACKING_TABLES || root_entry_is_own(space, page))
            continue;
        mine    = entry_read(entry_at(space, page, MMU_LEVELS));
        kernels = entry_read(entry_at(&kernel_space, page, MMU_LEVELS));
        report->checked++;
        if (!frame_is(entry_frame(mine), entry_frame(kernels)) || entry_present(mine) != entry_present(kernels))
            audit_fail(report, "C3", "kernel entry for 0x%08lx differs from kernel space's",
                       (unsigned long)page_address(page));
    }
}

/* The rest of S4. */
static void audit_locked(const struct space *space, struct audit_report *report)
{
    size_t locked = 0;

    for (const struct region *r = region_at_or_above(&space->map, 0); r != NULL; r = region_next(r))
        locked += r->locked != 0 ? span_pages(r->span) : 0;
    report->checked++;
    if (locked != space->locked)
        audit_fail(report, "S4", "%lu locked pages counted, regions have %lu", (unsigned long)space->locked,
                   (unsigned long)locked);
}

void space_audit(const struct space *space, struct audit_report *report)
{
    bool        kernel = space == &kernel_space;
    struct walk walk   = { .space = space, .report = report, .tables = 1 };
    struct span part   = { 0, layout.space_end };
    lock_state  map    = space_look(space);
    lock_state  tables = lock_take((struct lock *)&space->tables_lock);

    walk_level(&walk, part, MMU_LEVELS);
    tables_audit(space, report);
    if (!kernel)
        audit_kernel_part(space, report);
    if (!kernel)
        audit_locked(space, report);
    if (walk.tables != space->table_frames)
        audit_fail(report, "S4", "%u table frames counted, %u walked", space->table_frames, walk.tables);
    if (walk.resident != space->resident)
        audit_fail(report, "S4", "%u resident pages counted, %u walked", space->resident, walk.resident);
    if (walk.swapped != space->swapped)
        audit_fail(report, "S4", "%u pages that are out counted, %u walked", space->swapped, walk.swapped);
    lock_drop((struct lock *)&space->tables_lock, tables);
    space_look_end(space, map);
    region_tree_audit(&space->map, report);
}

void space_audit_part(const struct space *space, struct span part, struct audit_report *report)
{
    struct walk walk   = { .space = space, .report = report };
    lock_state  map    = space_look(space);
    lock_state  tables = lock_take((struct lock *)&space->tables_lock);

    walk_level(&walk, part, MMU_LEVELS);
    lock_drop((struct lock *)&space->tables_lock, tables);
    space_look_end(space, map);
}

bool space_ok(const struct space *space)
{
    struct audit_report report = { 0 };

    space_audit(space, &report);
    return report.failed == 0;
}
