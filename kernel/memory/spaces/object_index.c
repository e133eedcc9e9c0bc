/*
 * object_index.c - the tree that finds the frame of a page of an object. object_parts.h says how it is made.
 */
#include "memory/spaces/object_parts.h"

#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/rwlock.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"

uintptr_t *object_leaf(const struct object *object, uint64_t page)
{
    struct object_node *node = object->index;

    if (node == NULL || (object_reach(object->height) != 0 && page >= object_reach(object->height)))
        return NULL;
    for (unsigned level = object->height; level > 1; level--) {
        node = node->child[object_way(page, level)].node;
        if (node == NULL)
            return NULL;
    }
    return &node->child[object_way(page, 1)].leaf;
}

/* One more level on top: the old root becomes its first child. A node without children can stand at any level. */
static int object_grow(struct object *object)
{
    struct object_node *top;

    deep_assert(rwlock_held_to_write(&object->lock) && object->height < OBJECT_HIGHEST);
    if (object->index != NULL && object->index->used == 0) {
        object->height++;
        return 0;
    }
    top = heap_alloc(sizeof *top, HEAP_ZERO);
    if (top == NULL)
        return -ENOMEM;
    if (object->index != NULL) {
        top->child[0].node = object->index;
        top->used = 1;
    }
    object->index = top;
    object->height++;
    return 0;
}

static void free_node(struct object_node *node) { heap_free_sized(node, sizeof *node); }

/* Free the nodes on the way to a page that hold nothing, lowest first. */
static void object_prune(struct object *object, uint64_t page)
{
    struct object_node *path[OBJECT_HIGHEST + 1];
    struct object_node *node = object->index;

    deep_assert(rwlock_held_to_write(&object->lock));
    /* bound: OBJECT_HIGHEST levels */
    for (unsigned level = object->height; level > 0 && node != NULL; level--) {
        path[level] = node;
        if (node->used == 0 || level == 1) {
            for (unsigned up = level; up <= object->height && path[up]->used == 0; up++) {
                if (up == object->height) {
                    object->index  = NULL;
                    object->height = 0;
                    free_node(path[up]);
                    return;
                }
                path[up + 1]->child[object_way(page, up + 1)].node = NULL;
                path[up + 1]->used--;
                free_node(path[up]);
            }
            return;
        }
        node = node->child[object_way(page, level)].node;
    }
}

int object_put(struct object *object, uint64_t page, frame_t frame)
{
    struct object_node *node;

    deep_assert(rwlock_held_to_write(&object->lock) && frame_exists(frame) && page < object->pages);
    /* bound: OBJECT_HIGHEST levels */
    while (object->index == NULL || (object_reach(object->height) != 0 && page >= object_reach(object->height)))
        if (object_grow(object) != 0)
            goto full;
    node = object->index;
    for (unsigned level = object->height; level > 1; level--) {
        struct object_node **child = &node->child[object_way(page, level)].node;

        if (*child == NULL) {
            *child = heap_alloc(sizeof **child, HEAP_ZERO);
            if (*child == NULL)
                goto full;
            node->used++;
        }
        node = *child;
    }
    assert(node->child[object_way(page, 1)].leaf == 0);
    node->child[object_way(page, 1)].leaf = (uintptr_t)frame.no + 1;
    node->used++;
    object->resident++;
    return 0;
full:
    object_prune(object, page);
    return -ENOMEM;
}

/* ---- Becoming smaller ---------------------------------------------------------------------- */

/*
 * Drop the frames of a subtree's pages [from, to), and its empty nodes, with a point of rest behind each leaf's. The
 * lock is held to write, or no other thread can reach the object. Recursion is as deep as the index is high:
 * at most OBJECT_HIGHEST small stack frames.
 */
static void object_cut(struct object *object, struct object_node *node, unsigned level, uint64_t base, uint64_t from,
                       uint64_t to)
{
    uint64_t step = object_reach(level - 1);

    deep_assert(level >= 1 && level <= OBJECT_HIGHEST && node->used <= OBJECT_WAYS);
    for (unsigned i = 0; i < OBJECT_WAYS; i++) {
        uint64_t first = base + i * step;

        if (node->child[i].leaf == 0 || first >= to || (first < from && from - first >= step))
            continue;
        if (level == 1) {
            frame_put((frame_t){ (uint32_t)(node->child[i].leaf - 1) });
            deep_assert(object->resident > 0);
            object->resident--;
        } else {
            object_cut(object, node->child[i].node, level - 1, first, from, to);
            if (node->child[i].node->used != 0)
                continue;
            free_node(node->child[i].node);
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
    object_cut(object, object->index, object->height, 0, from, to);
    if (object->index->used == 0) {
        free_node(object->index);
        object->index  = NULL;
        object->height = 0;
    }
}

/* ---- Data and holes -------------------------------------------------------------------------- */

/* The first page at or after `from` in a subtree that is resident, or that is not; its end if there is none. */
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

static void object_visit(const struct object_node *node, unsigned level, void (*each)(void *, frame_t), void *context)
{
    for (unsigned i = 0; i < OBJECT_WAYS; i++) {
        if (node->child[i].leaf == 0)
            continue;
        if (level > 1)
            object_visit(node->child[i].node, level - 1, each, context);
        else
            each(context, (frame_t){ (uint32_t)(node->child[i].leaf - 1) });
    }
}

void object_index_visit(const struct object *object, void (*each)(void *context, frame_t frame), void *context)
{
    if (object->index != NULL)
        object_visit(object->index, object->height, each, context);
}
