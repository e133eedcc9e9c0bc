/*
 * map_sum.h - a sum of all that a program's memory is: regions with all that they say, entries, frames' references, and
 * what is counted. Included behind map_world.h.
 */
#ifndef QUIRE_TESTS_MAP_SUM_H
#define QUIRE_TESTS_MAP_SUM_H

#include "memory/spaces/object.h"

static uint32_t sum;

static inline void begin_sum(void) { sum = 2166136261u; }

static inline void add(uint64_t number)
{
    for (unsigned i = 0; i < 8; i++, number >>= 8)
        sum = (sum ^ (number & 0xFF)) * 16777619u;
}

/* Of a tree that is balanced as it is, its form is added as well. */
static inline void add_region(const struct space *space, const struct region *r)
{
    add(r->span.first);
    add(r->span.end);
    add(r->rights.user | r->rights.kernel << 4 | r->may << 8 | r->shared << 12 | r->uncharged << 13 |
        r->not_forked << 14 | r->grows << 16 | r->locked << 20);
    add(r->told);
    add(r->object != NULL ? r->offset : 0);
    add((r->object != NULL) | (r->name != NULL) << 1 | (r->space == space) << 2);
    add(r->gap);
    add(r->widest);
    add((uint64_t)r->height | (uint64_t)(r->parent != NULL ? r->parent->span.first : 0) << 32);
}

/* Frames are not added by their numbers, which any history may change, but by what is known of them. */
static inline void add_page(struct space *space, page_t page)
{
    entry_t e = entry_at_page(space, page_address(page));

    add(entry_kind(e, 1));
    if (entry_kind(e, 1) != ENTRY_PRESENT && entry_kind(e, 1) != ENTRY_BLOCKED)
        return;
    add(entry_rights(e).user | entry_rights(e).kernel << 4);
    add(frame_owner(entry_frame(e)) | frame_references(entry_frame(e)) << 8);
    add(*(uint32_t *)&machine_ram[frame_address(entry_frame(e)) % ((uint64_t)machine_frames << PAGE_SHIFT)]);
}

static inline void add_object(const struct object *o)
{
    add(o->references);
    add(o->pages);
    add(o->resident | (uint64_t)o->writers << 32);
    add(o->cuts);
}

/* At most so many pages of each region are looked at. */
static inline void add_space(struct space *space, size_t pages)
{
    struct heap_sums heap;

    for (const struct region *r = region_at_or_above(&space->map, 0); r != NULL; r = region_next(r)) {
        add_region(space, r);
        for (page_t page = r->span.first; page < r->span.end && page < r->span.first + pages; page++)
            add_page(space, page);
    }
    add(space->map.count);
    add(space->resident | (uint64_t)space->swapped << 32);
    add(space->pages | (uint64_t)space->charged << 32);
    add(space->locked | (uint64_t)space->most_pages << 32);
    add(space->table_frames | (uint64_t)space->lock_future << 32);
    add(map_committed);
    add(space->limits.break_end);
    heap_sums(&heap);
    add(heap.live_blocks - (space->spare != NULL));         /* a node that is kept is no region */
}

#endif
