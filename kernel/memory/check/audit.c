/*
 * audit.c - the list of invariants, the full pass, and the slices of an idle CPU.
 *
 * Each part checks the invariants that its header states; those between parts are checked in audit_cross.c. This file
 * lists all of them, and calls the parts in turn.
 */
#include "memory/audit.h"

#include "base/print.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/object.h"
#include "memory/spaces/region.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"
#include "memory/start.h"
#include "memory/tables/table_access.h"

const struct invariant memory_invariants[] = {
    { "P1", "memmap.h", "ranges of the memory map are sorted, not empty, disjoint" },
    { "P2", "memmap.h", "neighbours in the memory map that meet differ in owner or in being RAM" },
    { "P3", "memmap.h", "no range of the memory map reaches past its limit" },
    { "F1", "frame.h",  "bit, record and owner of each frame agree" },
    { "F2", "frame.h",  "free counts of areas equal the bits, and each area is in the set of its class" },
    { "F3", "frame.h",  "sums by owner equal the records counted, and add up to all RAM" },
    { "F4", "frame.h",  "no frame outside RAM is free in the bitmap" },
    { "F5", "frame.h",  "a free frame holds the poison, or zeros if its record says so" },
    { "C1", "cursor.h", "a table's link holds the number of its entries that are not empty" },
    { "C2", "cursor.h", "no entry opens to programs what the document has for the kernel alone" },
    { "C3", "cursor.h", "the kernel part of every root is equal, but for its reference to itself and stacks of its "
                        "own" },
    { "C4", "cursor.h", "every cached translation agrees with the tables (software MMU only)" },
    { "R1", "region.h", "regions are ordered, disjoint, not empty, inside the tree's limits" },
    { "R2", "region.h", "heights of siblings differ by at most one, and each node stores its own" },
    { "R3", "region.h", "gap and widest of each node are the free pages there really are" },
    { "R4", "region.h", "the count of regions is right, and parents and children name each other" },
    { "S1", "space.h",  "every present kernel entry lies in a region and allows no more than it" },
    { "S2", "space.h",  "no kernel entry is writable and executable where the hardware can tell" },
    { "S3", "space.h",  "every present user entry lies in a region and allows no more than it" },
    { "S4", "space.h",  "table frames, resident and locked pages counted equal those there are" },
    { "S5", "space.h",  "guards, holes, the original of shared data are not mapped" },
    { "H1", "heap.h",   "each slab's count of blocks out equals their states, and it is in the right list" },
    { "H2", "heap.h",   "a page of the slab area is mapped if and only if it belongs to a slab" },
    { "H3", "heap.h",   "blocks in magazines are free nowhere else, and of the right class" },
    { "H4", "heap.h",   "free blocks carry their tag, live ones their guard" },
    { "H5", "heap.h",   "frames of owner HEAP equal the pages the heap counts" },
    { "K1", "stack.h",  "a stack in use has all its pages, a free one none, a guard never any" },
    { "K2", "stack.h",  "frames of owner STACK equal the pages of stacks in use" },
    { "K3", "stack.h",  "a pool of stacks counts those in use, and is not kept for none" },
    { "O1", "object.h", "an object's index names frames of the object's owner, or swap slots, none beyond its end" },
    { "O2", "object.h", "the frames and the swap slots in an object's index are as many as it counts" },
    { "O3", "object.h", "an object lists exactly the regions that map it" },
    { "O4", "object.h", "a page that is being filled is out, or a hole that the pager has, and in one filling" },
    { "G1", "swap.h",   "a swap slot is free and listed, or has a part of a frame" },
    { "G2", "swap.h",   "swap slots in use, and their frames, are as many as are counted" },
    { "G3", "swap.h",   "a page of the swap device is free and listed, in use, or bad" },
    { "X1", "audit.h",  "frames of owner TABLES are the tables that walking all spaces reaches, each once" },
    { "X2", "audit.h",  "a frame of owner TRACKERS, HEAP, STACK, USER or SHARED has as many references as name it" },
    { "X3", "audit.h",  "an entry of a window names a frame of an owner that belongs there" },
    { "X4", "audit.h",  "memory map and frame records agree on what is RAM" },
    { "X5", "audit.h",  "a swap slot has as many references as entries, pages of objects and transfers name it" },
    { 0 },
};

static char upper_case(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

const struct invariant *audit_find(const char *id)
{
    EACH_ROW(row, invariants)
        if (upper_case(id[0]) == row->id[0] && id[0] != 0 && id[1] == row->id[1] && id[2] == 0)
            return row;
    return NULL;
}

uint32_t audit_invariants(void)
{
    uint32_t count = 0;

    EACH_ROW(row, invariants)
        count++;
    return count;
}

void audit_fail(struct audit_report *report, const char *id, const char *format, ...)
{
    va_list list;

    if (report->failed < AUDIT_FAILURES) {
        struct audit_failure *failure = &report->failures[report->failed];

        failure->id = id;
        va_start(list, format);
        format_list(failure->text, sizeof failure->text, format, list);
        va_end(list);
    }
    report->failed++;
}

bool audit_full(struct audit_report *report)
{
    *report = (struct audit_report){ 0 };
    memmap_audit(memory_map(), report);
    frames_audit(report);
    for (const struct space *s = space_after(NULL); s != NULL; s = space_after(s))
        space_audit(s, report);
    heap_audit(report);
    stacks_audit(report);
    objects_audit(report);
    swap_audit(report);
    table_homes_audit(report);
    audit_cross(report);
    EACH_ROW(part, audits)
        part->audit(report);
    return report->failed == 0;
}

/* ---- In slices ------------------------------------------------------------------------- */

/* Where the next step goes on. Only the idle loop of one CPU steps, so this needs no lock. */
static struct {
    uint32_t            part;
    uint64_t            at;         /* area of frames, page or piece, by part          */
} next;

/* Each step checks a piece from next.at on and returns true when its part is finished. */
static bool step_map(struct audit_report *report)
{
    memmap_audit(memory_map(), report);
    return true;
}

static bool step_frames(struct audit_report *report)
{
    if (next.at < frames_areas())
        frames_audit_area((uint32_t)next.at++, report);
    return next.at >= frames_areas();
}

static bool step_kernel_tables(struct audit_report *report)
{
    page_t first = (page_t)next.at;
    page_t reach = mmu_reach(MMU_LEVELS);
    page_t stop  = layout.space_end - first > reach ? first + reach : layout.space_end;

    space_audit_part(&kernel_space, (struct span){ first, stop }, report);
    next.at = stop;
    return stop == layout.space_end;
}

static bool step_heap(struct audit_report *report)
{
    return heap_audit_part((uint32_t)next.at++, report);
}

static bool step_stacks(struct audit_report *report)
{
    stacks_audit(report);
    return true;
}

static bool step_homes(struct audit_report *report)
{
    return table_homes_audit_part((uint32_t)next.at++, report);
}

/* All parts above memory at once: they are small, or else the machine is not idle. */
static bool step_above(struct audit_report *report)
{
    EACH_ROW(part, audits)
        part->audit(report);
    return true;
}

bool audit_step(struct audit_report *report)
{
    static bool (*const parts[])(struct audit_report *) = {
        step_map, step_frames, step_kernel_tables, step_heap, step_stacks, step_homes, step_above
    };

    *report = (struct audit_report){ 0 };
    if (parts[next.part](report)) {
        next.part = (next.part + 1) % COUNT_OF(parts);
        next.at = 0;
    }
    return report->failed == 0;
}

void audit_print(const struct audit_report *report)
{
    uint32_t kept = report->failed < AUDIT_FAILURES ? report->failed : AUDIT_FAILURES;

    if (report->failed == 0) {
        print("audit: clean, %u invariants, %u checks\n", audit_invariants(), report->checked);
        return;
    }
    print("audit: %u failure%s in %u checks\n", report->failed, report->failed == 1 ? "" : "s",
          report->checked);
    for (uint32_t i = 0; i < kept; i++) {
        const struct invariant *broken = audit_find(report->failures[i].id);

        print("  %s %s\n", report->failures[i].id, report->failures[i].text);
        if (broken != NULL && (i == 0 || report->failures[i - 1].id != report->failures[i].id))
            print("     %s: %s\n", broken->where, broken->text);
    }
    if (report->failed > kept)
        print("  and %u more\n", report->failed - kept);
}
