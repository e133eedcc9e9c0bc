/*
 * memmap.h - physical memory by ranges: what there is, and what it already holds.
 *
 * Firmware may list ranges unsorted, overlapping, empty, wrapping or above what this
 * kernel can name. memmap_add() takes them one by one in any order; the map stays
 * sorted, disjoint and page aligned. Where ranges overlap the stricter kind wins: a
 * byte is RAM only if some range says so and none says otherwise. Usable ranges shrink to
 * whole frames, all others grow to whole frames.
 *
 * Then memory_start() carves out the parts that are in use (image, modules), and takes those that the
 * kernel needs before there is a pool (memmap_take()). frames_open() reads the result.
 *
 * Owning   the caller owns the struct; nothing is allocated.
 * Locking  none: used by one CPU before the pool is open, constant afterwards.
 * Cost     O(ranges) a call; O(ranges squared) for a range that covers many others.
 * Source   ACPI specification, "System Address Map"; claims K1, K5, A4, A5, M5.
 *
 * Invariants (memmap_ok):
 *   P1  ranges are sorted by address, not empty, page aligned and disjoint
 *   P2  neighbours that meet differ in owner or in being RAM
 *   P3  no range reaches past limit
 */
#ifndef QUIRE_MEMORY_MEMMAP_H
#define QUIRE_MEMORY_MEMMAP_H

#include "base/types.h"
#include "memory/frames/owner.h"

enum { MEMMAP_RANGES = 128 };

struct memmap_range {
    frame_t    first, end;          /* [first, end)                                          */
    bool       ram;                 /* the firmware listed it as usable memory               */
    enum owner owner;               /* OWNER_FREE: for the pool; else the owner that has it  */
};

struct memmap {
    uint32_t count;
    uint32_t limit;                 /* frame numbers at and above this are ignored           */
    uint64_t beyond;                /* usable bytes at or above limit, for the report        */
    uint64_t lost;                  /* usable bytes given up: parts of frames, full table;
                                     * may count a byte twice when firmware lists it twice   */
    struct memmap_range ranges[MEMMAP_RANGES + 2];      /* two to work in: at rest count <= MEMMAP_RANGES */
};

/* An empty map of frames below limit (2^20 on i386 without PAE). */
void memmap_start(struct memmap *map, uint32_t limit);

/*
 * Add what the firmware says of [base, base + length): usable RAM, or memory not to be used.
 * A range that wraps is cut at the end of the address space; an empty one is ignored.
 *
 * When the table is full, the entry that costs least is given up: the smallest free piece of RAM (counted in `lost`),
 * or the smallest gap between two reserved ranges, which become one; where there is neither, RAM that has an owner is
 * forgotten. So some RAM may stay unused, but no reserved memory is ever handed out. The same may happen in
 * memmap_own() and memmap_take() when they split a range.
 */
void memmap_add(struct memmap *map, uint64_t base, uint64_t length, bool usable);

/*
 * Say that [start, end) belongs to owner; parts that are not RAM, and parts
 * that already have another owner than FREE, stay as they are.
 * For what is in memory at boot: the image, modules, device ranges (OWNER_HELD).
 */
void memmap_own(struct memmap *map, paddr_t start, paddr_t end, enum owner owner);

/*
 * Find `bytes` of free RAM in [from, below), aligned to `align` (a power of two, at
 * least PAGE_SIZE), lowest address first, and give it to owner.
 * Returns 0, or -ENOMEM when there is none (the map is then unchanged).
 */
int memmap_take(struct memmap *map, uint64_t bytes, uint64_t align, paddr_t from, paddr_t below,
                enum owner owner, paddr_t *start) MUST_CHECK;

/* Frames listed as RAM; and the number one past the highest of them. */
uint32_t memmap_ram(const struct memmap *map);
uint32_t memmap_end(const struct memmap *map);

/* The range that holds a frame, NULL if none does. */
const struct memmap_range *memmap_find(const struct memmap *map, frame_t frame);

struct audit_report;
void memmap_audit(const struct memmap *map, struct audit_report *report);   /* P1..P3 */
bool memmap_ok(const struct memmap *map);

#endif
