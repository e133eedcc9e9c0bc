/*
 * object_cut.c - what is taken away from an object, for good or for a while: pages found in all tables that show them;
 * and what is looked for in it.
 */
#include "memory/spaces/object_parts.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/spaces/space.h"
#include "memory/tables/cursor.h"
#include "memory/tables/slot.h"

/* ---- The index becomes smaller ------------------------------------------------------------------ */

static void object_drop_leaf(struct object *object, uintptr_t leaf)
{
    if (leaf_is_out(leaf)) {
        object_count_out(object, -1);
        swap_put(leaf_slot(leaf));
        return;
    }
    frame_put(leaf_frame(leaf));
    deep_assert(object->resident > 0);
    object->resident--;
}

/*
 * Drop the frames of a subtree's pages [from, to), and its empty nodes, with a point of rest behind each leaf's. The
 * lock is held to write, or no other thread can reach the object. Recursion is as deep as the index is high:
 * at most OBJECT_HIGHEST small stack frames.
 */
static void cut_node(struct object *object, struct object_node *node, unsigned level, uint64_t base, uint64_t from,
                     uint64_t to)
{
    uint64_t step = object_reach(level - 1);

    deep_assert(level >= 1 && level <= OBJECT_HIGHEST && node->used <= OBJECT_WAYS);
    for (unsigned i = 0; i < OBJECT_WAYS; i++) {
        uint64_t first = base + i * step;

        if (node->child[i].leaf == 0 || first >= to || (first < from && from - first >= step))
            continue;
        if (level == 1) {
            object_drop_leaf(object, node->child[i].leaf);
        } else {
            cut_node(object, node->child[i].node, level - 1, first, from, to);
            if (node->child[i].node->used != 0)
                continue;
            heap_free_sized(node->child[i].node, sizeof *node);
        }
        node->child[i].leaf = 0;
        node->used--;
    }
    if (level == 1)
        point_of_rest();
}

void object_cut_index(struct object *object, uint64_t from, uint64_t to)
{
    may_sleep();
    deep_assert(from <= to);
    if (object->index == NULL)
        return;
    cut_node(object, object->index, object->height, 0, from, to);
    if (object->index->used == 0) {
        heap_free_sized(object->index, sizeof *object->index);
        object->index  = NULL;
        object->height = 0;
    }
}

/* ---- And so does the object ------------------------------------------------------------------------- */

struct span object_shown(const struct region *region, uint64_t from, uint64_t to)
{
    uint64_t first = from > region->offset ? from - region->offset : 0, pages = span_pages(region->span);
    uint64_t end   = to > region->offset ? to - region->offset : 0;

    deep_assert(region->object != NULL);

    if (end > pages)
        end = pages;
    if (first > end)
        first = end;
    return (struct span){ region->span.first + (page_t)first, region->span.first + (page_t)end };
}

/* The object's pages that are to go: all that a region shows of them, or the object's own frames alone. */
struct cutting {
    const struct object *object;
    const struct region *region;
    uint64_t             from, to;
    bool                 copies;            /* the copies that private mappings have made as well */
};

/* A private mapping's own copy is no page of the object any more. */
static bool is_object_page(page_t page, entry_t entry, const void *how)
{
    const struct cutting *cut  = how;
    const uintptr_t      *leaf = object_leaf(cut->object, cut->region->offset + (page - cut->region->span.first));

    if (entry_kind(entry, 1) == ENTRY_SWAP)
        return cut->copies;                     /* such a copy that went out */
    return cut->copies || (leaf != NULL && leaf_has_frame(*leaf) && frame_is(entry_frame(entry), leaf_frame(*leaf)));
}

/*
 * Take pages that a region shows out of its space's tables, in batches. Its map lock is not held: at a point of rest
 * others may cut the region or make it longer. But none can leave the object's list, and so none that is in it be
 * freed, or come into it. So what the region shows is asked anew for each batch.
 */
static void unmap_region(struct cutting cut)
{
    uint64_t from = cut.from;

    deep_assert(rwlock_held_to_write(&cut.object->lock) && cut.region->object == cut.object);
    for (;;) {
        struct span span = object_shown(cut.region, from, cut.to);
        page_t      next;

        if (span_empty(span))
            return;
        next = pages_discard_some(cut.region->space, span, is_object_page, &cut);
        from = cut.region->offset + (next - cut.region->span.first);
        point_of_rest();
    }
}

void object_unmap(struct object *object, uint64_t from, uint64_t to, bool copies)
{
    may_sleep();
    for (const struct region *r = object->mappings; r != NULL && from < to; r = r->next_mapping) {
        unmap_region((struct cutting){ object, r, from, to, copies });
        point_of_rest();
    }
}

void object_cut(struct object *object, uint64_t from, uint64_t to, bool copies)
{
    may_sleep();
    deep_assert(rwlock_held_to_write(&object->lock));
    object->cuts++;
    if (object->fillings != NULL)               /* most files that become shorter have neither */
        object_cut_fillings(object, from, to);
    if (object->mappings != NULL)
        object_unmap(object, from, to, copies);
    object_cut_index(object, from, to);
}

void object_punch(struct object *object, uint64_t from, uint64_t to)
{
    may_sleep();
    rwlock_write(&object->lock);
    assert(from >= object->paged);
    object_cut(object, from, to, false);
    rwlock_write_drop(&object->lock);
}

/* ---- Data and holes -------------------------------------------------------------------------- */

/*
 * The first page at or after `from` in a subtree that is resident, or that is not; its end if there is none. What is
 * out counts as resident.
 */
static uint64_t object_seek(const struct object_node *node, unsigned level, uint64_t base, uint64_t from, bool resident)
{
    uint64_t step = object_reach(level - 1);

    deep_assert(level >= 1 && level <= OBJECT_HIGHEST && from < base + OBJECT_WAYS * step);
    for (unsigned i = from > base ? (unsigned)((from - base) / step) : 0; i < OBJECT_WAYS; i++) {
        uint64_t first = base + i * step, found;

        if (node->child[i].leaf == 0) {
            if (!resident)
                return first > from ? first : from;
            continue;
        }
        if (level == 1 ? resident : false)
            return first;
        if (level == 1)
            continue;
        found = object_seek(node->child[i].node, level - 1, first, from, resident);
        if (found - first < step)
            return found;
    }
    return base + OBJECT_WAYS * step;
}

uint64_t object_index_next(const struct object *object, uint64_t from, bool resident)
{
    uint64_t covered = object->index == NULL ? 0 : object_reach(object->height);

    deep_assert(rwlock_held(&object->lock));
    if (object->index == NULL || (covered != 0 && from >= covered))
        return resident ? object->pages : from;
    from = object_seek(object->index, object->height, 0, from, resident);
    return resident && covered != 0 && from >= covered ? object->pages : from;
}

uint64_t object_next(struct object *object, uint64_t from, bool resident)
{
    uint64_t found = from;

    may_sleep();
    rwlock_read(&object->lock);
    if (from < object->paged && !resident)
        from = found = object->paged;
    if (from >= object->paged)
        found = object_index_next(object, from, resident);
    if (found > object->pages)
        found = object->pages;
    rwlock_read_drop(&object->lock);
    return found;
}

int object_zero(struct object *object, uint64_t from, uint64_t to)
{
    int err = 0;

    may_sleep();
    while (from < to && err == 0) {
        uint64_t page = from >> PAGE_SHIFT;
        uint64_t end  = (page + 1) << PAGE_SHIFT;
        frame_t  frame;

        if (end > to)
            end = to;
        err = object_page(object, page, false, &frame);
        if (err == 0 && frame_exists(frame)) {
            frame_clear_part(frame, (size_t)(from % PAGE_SIZE), (size_t)(end - from));
            frame_put(frame);
        }
        if (err == -ENXIO)
            return 0;                           /* the object ends here */
        from = end;
        point_of_rest();
    }
    return err;
}

size_t object_residency(struct object *object, uint64_t page, size_t count, uint8_t *there)
{
    size_t out = 0;

    may_sleep();
    deep_assert(object->references > 0);
    rwlock_read(&object->lock);
    for (; count > 0; count--, page++) {
        const uintptr_t *leaf = object_leaf(object, page);
        uintptr_t        is   = leaf != NULL ? *leaf : 0;

        out += leaf_is_out(is);
        if (there != NULL)
            *there++ = leaf_has_frame(is);
        if (object_way(page, 1) == 0)
            point_of_rest();
    }
    rwlock_read_drop(&object->lock);
    return out;
}

static void object_visit(const struct object_node *node, unsigned level, object_each_frame frame, object_each_slot slot,
                         void *context)
{
    for (unsigned i = 0; i < OBJECT_WAYS; i++) {
        if (node->child[i].leaf == 0)
            continue;
        if (level > 1)
            object_visit(node->child[i].node, level - 1, frame, slot, context);
        else if (leaf_has_frame(node->child[i].leaf))
            frame(context, leaf_frame(node->child[i].leaf));
        else
            slot(context, leaf_slot(node->child[i].leaf));
    }
}

void object_holds(const struct object *object, object_each_frame frame, object_each_slot slot, void *context)
{
    if (object->index != NULL)
        object_visit(object->index, object->height, frame, slot, context);
    for (const struct filling *f = object->fillings; f != NULL; f = f->next) {
        for (uint32_t i = 0; i < f->count; i++)
            frame(context, f->frames[i]);
        if (f->slot != NO_SLOT)
            slot(context, f->slot);
    }
}
