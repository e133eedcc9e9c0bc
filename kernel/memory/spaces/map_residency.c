/*
 * map_residency.c - mincore: which pages are in memory, whether this program shows them yet or not.
 */
#include "memory/spaces/map.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/spaces/object.h"

enum { STEP = 16 };                         /* pages of an object looked up at once */

/* Mark the pages that the object behind a region has in memory, whichever program brought them in. */
static void residency_look_behind(const struct region *region, struct span span, uint8_t *there)
{
    frame_t  frames[STEP];
    uint64_t index = region->offset + (span.first - region->span.first);

    object_resident(region->object, index, frames, span_pages(span));
    for (size_t i = 0; i < span_pages(span); i++) {
        there[i] = frame_exists(frames[i]);
        if (there[i])
            frame_put(frames[i]);
    }
}

static bool is_in_memory(entry_t entry) { return entry_present(entry) || entry_kind(entry, 1) == ENTRY_BLOCKED; }

/* Mark the pages that the program's own tables show, also those that it has no right to reach now. */
static void look_at_entries(struct space *space, struct span span, uint8_t *there)
{
    struct cursor c;
    int           err = cursor_open(&c, space, span, 0);

    assert(err == 0);                       /* nothing is built */
    /* bound: STEP */
    for (page_t page = cursor_next(&c, span.first); page < span.end; page = cursor_next(&c, page + 1))
        there[page - span.first] |= is_in_memory(cursor_read(&c, page));
    cursor_close(&c);
}

static void residency_look(struct space *space, const struct region *region, struct span span, uint8_t *there)
{
    deep_assert(rwlock_held(&space->map_lock) && span_covers(region->span, span) && span_pages(span) <= STEP);
    /* bound: STEP */
    for (size_t i = 0; i < span_pages(span); i++)
        there[i] = 0;
    if (region->object != NULL)
        residency_look_behind(region, span, there);
    look_at_entries(space, span, there);
}

int map_residency(struct space *space, struct span span, uint8_t *there)
{
    int err = 0;

    may_sleep();
    rwlock_read(&space->map_lock);
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held */
    for (page_t at = span.first; at < span.end && err == 0; ) {
        const struct region *region = region_find(&space->map, at);
        struct span          part   = { at, at + STEP < span.end ? at + STEP : span.end };

        if (region == NULL) {
            err = -ENOMEM;
            break;
        }
        if (part.end > region->span.end)
            part.end = region->span.end;
        residency_look(space, region, part, there + (at - span.first));
        at = part.end;
        point_of_rest();
    }
    rwlock_read_drop(&space->map_lock);
    return err;
}
