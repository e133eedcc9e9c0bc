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

uint32_t objects_out;

void object_count_out(struct object *object, int more)
{
    deep_assert(rwlock_held_to_write(&object->lock) || object->references == 0);
    object->out += (uint32_t)more;
    __atomic_add_fetch(&objects_out, (uint32_t)more, __ATOMIC_RELAXED);
}

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
