/*
 * map_copy.c - the same pages in a second place: as well, as fork has them, or instead, as mremap has them.
 *
 * The locks of two spaces' tables cannot be held at once (they have one rank), so entries go through a batch: copied
 * out of one space, each frame gaining a reference, and into the other. Within a space they are taken out with their
 * references. A failure in the middle leaves the source as it was, but for rights to write that the next fault gives
 * back; entries that have moved move back, into tables that have been left for them.
 */
#include "memory/spaces/map.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/map_region.h"

/* Entries of one table that go together. */
enum { BATCH = 4 * CURSOR_BATCH };

struct batch {
    page_t            first;                /* of the entries                                    */
    page_t            next;                 /* where the next batch begins                       */
    struct cursor_run run;                  /* nothing filled: there is nothing before `next`    */
    entry_t           entries[BATCH];
};
_Static_assert(sizeof(struct batch) <= HEAP_SMALL, "a batch is a small block of the heap");

struct batch *map_batch(void) { return heap_alloc(sizeof(struct batch), 0); }

void map_batch_free(struct batch *batch)
{
    if (batch != NULL)
        heap_free_sized(batch, sizeof *batch);
}

/* Returns 0; -ENOMEM where a table is out (memory/tables/tables_out.h) and cannot come back. */
static int batch_take_out(struct batch *batch, struct space *space, struct span span)
{
    struct cursor c;
    int           err = cursor_open(&c, space, span, CURSOR_BACK);

    deep_assert(batch->first == span.first);
    if (err != 0)
        return err;
    batch->run = (struct cursor_run){ 0 };
    if (cursor_next_near(&c, &batch->first))
        batch->run = cursor_take_out(&c, batch->first, batch->entries,
                                     span.end - batch->first < BATCH ? span.end - batch->first : BATCH);
    cursor_close(&c);
    return 0;
}

/* Fill the batch from the start of the span on, as far as one table has entries. Returns 0 or -ENOMEM, as above. */
static int batch_fill(struct batch *batch, struct space *space, struct span span, bool moves)
{
    int err = 0;

    deep_assert(rwlock_held_to_write(&space->map_lock));
    batch->first = span.first;
    if (moves)
        err = batch_take_out(batch, space, span);
    else
        batch->run = pages_copy_out(space, span, batch->entries, BATCH, &batch->first);
    batch->next = batch->first + batch->run.count;
    if (err == 0 && batch->next == span.first)
        err = -ENOMEM;
    deep_assert(err != 0 || (batch->next > span.first && batch->next <= span.end));
    return err;
}

/* Drop the references of entries that no space has taken over. */
static void batch_drop(const struct batch *batch)
{
    for (size_t i = 0; i < batch->run.count; i++) {
        entry_t entry = batch->entries[i];

        if (entry_kind(entry, 1) == ENTRY_SWAP)
            swap_put(entry_slot_number(entry));
        else if (entry_kind(entry, 1) != ENTRY_EMPTY)
            frame_put(entry_frame(entry));
    }
}

/* Returns 0, or -ENOMEM; then the batch still has its references. */
static int batch_copy_in(const struct batch *batch, struct space *space, page_t shift)
{
    struct cursor c;

    deep_assert(batch->run.count > 0 && batch->run.count <= BATCH);
    if (pages_copy_in(space, batch->first + shift, batch->entries, batch->run))
        return 0;
    if (cursor_open(&c, space, span_of(batch->first + shift, batch->run.count), CURSOR_BUILD) != 0)
        return -ENOMEM;
    cursor_copy_in(&c, batch->first + shift, batch->entries, batch->run);
    cursor_close(&c);
    return 0;
}

/*
 * Between two batches lies a point of rest: what the batch took out is in its place then, or given back, or where it
 * came from. Returns 0 or -ENOMEM.
 */
static int in_batches(struct batch *batch, struct space *from, struct span span, struct space *to, page_t shift)
{
    bool moves = from == to;

    deep_assert(!span_empty(span));
    for (page_t page = span.first; page < span.end; page = batch->next) {
        if (batch_fill(batch, from, (struct span){ page, span.end }, moves) != 0)
            return -ENOMEM;
        if (batch->run.filled > 0 && batch_copy_in(batch, to, shift) != 0) {
            int back = moves ? batch_copy_in(batch, to, 0) : 0;

            assert(back == 0);                  /* into a table that is there */
            if (!moves)
                batch_drop(batch);
            return -ENOMEM;
        }
        point_of_rest();
    }
    return 0;
}

int map_copy_pages(struct batch *batch, const struct region *region, struct span span, struct space *to, page_t shift)
{
    struct object *object = region->object;
    struct space  *space  = region->space;
    int            err;

    may_sleep();
    deep_assert(span_covers(region->span, span));
    if (object != NULL)
        rwlock_read(&object->lock);
    err = in_batches(batch, space, span, to, shift);
    if (err != 0 && space == to) {
        int back = in_batches(batch, to, span_of(span.first + shift, span_pages(span)), to, -shift);

        assert(back == 0);                      /* into tables that are there */
    }
    if (object != NULL)
        rwlock_read_drop(&object->lock);
    return err;
}

/* ---- fork --------------------------------------------------------------------------------- */

/* A parent's region, for the child; what it refers to is left out yet. */
static struct region *copy_node(const struct region *like)
{
    struct region *node = map_node();

    deep_assert(like->height > 0);
    if (node == NULL)
        return NULL;
    *node = *like;
    node->locked = 0;                       /* locks are not inherited, mlock(2) */
    node->object = NULL;
    node->file   = NULL;
    node->next_mapping = node->previous_mapping = NULL;
    return node;
}

/*
 * Give the child a tree of the same shape, of all regions: so nothing is sought or balanced. They say what pages mean,
 * and as yet refer to nothing.
 */
static int copy_tree(struct space *child, const struct space *parent)
{
    const struct region *next = parent->map.root;
    struct region       *at   = NULL;

    assert(child->map.root == NULL);
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held */
    while (next != NULL) {
        struct region *node = copy_node(next);

        if (node == NULL) {
            map_tree_free(region_graft_end(at));
            return -ENOMEM;
        }
        node->space = child;
        next = region_graft(&at, next, node);
        point_of_rest();
    }
    region_tree_become(&child->map, at, parent->map.count);
    return 0;
}

/* Let the child's region refer to what the parent's does, and show its private pages. */
static int copy_region(struct batch *batch, const struct region *region, struct region *copy)
{
    struct space *child = copy->space;

    deep_assert(rwlock_held_to_write(&region->space->map_lock) && region->space != child);
    if (map_is_charged(region) && map_charge(child, span_pages(region->span)) != 0)
        return -ENOMEM;
    map_enter_copy(copy, region);
    if (region->told & REGION_TOLD_WIPED)
        return 0;
    /* The object has the pages, and a program that may never write has none of its own; faults bring them back. */
    if (region->shared || (region->object != NULL && !(region->may & MAY_WRITE)))
        return 0;
    return map_copy_pages(batch, region, region->span, child, 0);
}

static int copy_regions(struct batch *batch, struct space *child, const struct space *parent)
{
    struct region *copy = region_at_or_above(&child->map, 0), *next;
    int            err  = 0;

    deep_assert(child->map.count == parent->map.count);
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held; and their pages */
    for (const struct region *r = region_at_or_above(&parent->map, 0); r != NULL && err == 0; r = region_next(r)) {
        assert(copy->span.first == r->span.first);
        next = region_next(copy);
        if (r->not_forked) {
            region_remove(&child->map, copy);
            map_node_free(copy);
        } else {
            err = copy_region(batch, r, copy);
        }
        copy = next;
        point_of_rest();
    }
    return err;
}

int map_copy(struct space *child, struct space *parent)
{
    struct batch *batch = map_batch();
    int           err;

    may_sleep();
    assert(child != parent && child->map.count == 0 && child->resident == 0);
    if (batch == NULL)
        return -ENOMEM;
    rwlock_write(&parent->map_lock);
    child->limits   = parent->limits;
    child->barriers = parent->barriers;
    err = copy_tree(child, parent);
    if (err == 0)
        err = copy_regions(batch, child, parent);
    rwlock_write_drop(&parent->map_lock);
    map_batch_free(batch);
    if (err != 0)
        map_clear(child);
    return err;
}
