/*
 * map_residency.c - mincore: which pages are in memory, whether this program shows them yet or not.
 */
#include "memory/spaces/map.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/tables/cursor.h"
#include "memory/spaces/object.h"

/* Pages looked at with the tables locked. */
enum { STEP = 4 * CURSOR_BATCH };

static bool is_in_memory(entry_t entry) { return entry_present(entry) || entry_kind(entry, 1) == ENTRY_BLOCKED; }

/* Mark the pages that the program's own tables show, also those that it has no right to reach now. */
static void look_at_entries(struct space *space, struct span span, uint8_t *there)
{
    struct cursor c;
    int           err = cursor_open(&c, space, span, 0);
    size_t        count;

    assert(err == 0);                       /* nothing is built */
    /* bound: STEP */
    for (page_t page = span.first; page < span.end; page += count) {
        const entry_t *at = cursor_entries(&c, page, &count);

        if (at == NULL)
            there += count;
        else
            for (size_t left = count; left > 0; left--)
                *there++ |= is_in_memory(entry_read(at++));
    }
    cursor_close(&c);
}

static void residency_look(struct space *space, const struct region *region, struct span span, uint8_t *there)
{
    deep_assert(rwlock_held(&space->map_lock) && span_covers(region->span, span) && span_pages(span) <= STEP);
    memset(there, 0, span_pages(span));
    if (region->object != NULL)                 /* what it has in memory, whichever program brought that in */
        (void)object_residency(region->object, region->offset + (span.first - region->span.first), span_pages(span),
                               there);
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
