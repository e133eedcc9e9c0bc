/*
 * map_copy.c - the same pages in a second place: what fork and mremap do.
 *
 * Two cursors cannot be open at once (one lock each, of one rank), so entries go through a batch: copied out by one
 * cursor, each frame gaining a reference, copied in by another. A failure in the middle leaves the
 * source as it was, but for rights to write that the next fault gives back.
 */
#include "memory/spaces/map.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/spaces/map_region.h"

/* Entries in a batch: as many as fit the largest small block of the heap. */
enum { BATCH = (HEAP_SMALL - sizeof(page_t) - sizeof(struct cursor_run)) / sizeof(entry_t) };

struct batch {
    page_t            first;
    struct cursor_run run;
    entry_t           entries[BATCH];
};

struct batch *map_batch(void) { return heap_alloc(sizeof(struct batch), 0); }

void map_batch_free(struct batch *batch)
{
    if (batch != NULL)
        heap_free_sized(batch, sizeof *batch);
}

/* Fill the batch from the first page at or after `page` that is not empty; leave it empty at the end of the span. */
static void batch_copy_out(struct batch *batch, struct space *space, struct span span, page_t page, bool apart)
{
    struct cursor c;
    int           err = cursor_open(&c, space, (struct span){ page, span.end }, 0);

    assert(err == 0);
    deep_assert(rwlock_held_to_write(&space->map_lock));
    batch->first = cursor_next(&c, page);
    batch->run   = (struct cursor_run){ 0 };
    if (batch->first < span.end)
        batch->run = cursor_copy_out(&c, batch->first, batch->entries,
                                     span.end - batch->first < BATCH ? span.end - batch->first : BATCH, apart);
    cursor_close(&c);
}

/* Drop the references of entries that no space has taken over. */
static void batch_drop(const struct batch *batch)
{
    for (size_t i = 0; i < batch->run.count; i++)
        if (entry_kind(batch->entries[i], 1) != ENTRY_EMPTY)
            frame_put(entry_frame(batch->entries[i]));
}

/* Returns 0, or -ENOMEM; then the batch's references are dropped. */
static int batch_copy_in(const struct batch *batch, struct space *space, page_t shift)
{
    struct cursor c;

    deep_assert(batch->run.count > 0 && batch->run.count <= BATCH);
    if (cursor_open(&c, space, span_of(batch->first + shift, batch->run.count), CURSOR_BUILD) != 0) {
        batch_drop(batch);
        return -ENOMEM;
    }
    cursor_copy_in(&c, batch->first + shift, batch->entries, batch->run);
    cursor_close(&c);
    return 0;
}

/* Every frame that a span of `from` shows is shown by `to` as well, `shift` pages further up. */
int map_copy_pages(struct batch *batch, struct space *from, struct span span, struct space *to, page_t shift,
                   bool apart)
{
    deep_assert(!span_empty(span));
    for (page_t page = span.first; page < span.end; page = batch->first + batch->run.count) {
        batch_copy_out(batch, from, span, page, apart);
        if (batch->run.count > 0 && batch_copy_in(batch, to, shift) != 0)
            return -ENOMEM;
    }
    return 0;
}

/* ---- fork --------------------------------------------------------------------------------- */

static int copy_region(struct batch *batch, struct space *child, struct space *parent, const struct region *region)
{
    struct region *node = map_node();

    deep_assert(rwlock_held_to_write(&parent->map_lock) && region->space == parent);
    if (node == NULL)
        return -ENOMEM;
    if (map_is_charged(region) && map_charge(child, span_pages(region->span)) != 0) {
        map_node_free(node);
        return -ENOMEM;
    }
    *node = *region;
    node->locked = 0;                       /* locks are not inherited, mlock(2) */
    map_enter(child, node);
    if (region->told & REGION_TOLD_WIPED)
        return 0;
    if (region->shared)                     /* the object has the pages; faults bring them back */
        return 0;
    return map_copy_pages(batch, parent, region->span, child, 0, true);
}

int map_copy(struct space *child, struct space *parent)
{
    struct batch *batch = map_batch();
    int           err = 0;

    may_sleep();
    assert(child != parent && child->map.count == 0 && child->resident == 0);
    if (batch == NULL)
        return -ENOMEM;
    rwlock_write(&parent->map_lock);
    child->limits   = parent->limits;
    child->barriers = parent->barriers;
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held; and their pages */
    for (const struct region *r = region_at_or_above(&parent->map, 0); r != NULL && err == 0; r = region_next(r))
        if (!r->not_forked)
            err = copy_region(batch, child, parent, r);
    rwlock_write_drop(&parent->map_lock);
    map_batch_free(batch);
    if (err != 0)
        map_clear(child);
    return err;
}
