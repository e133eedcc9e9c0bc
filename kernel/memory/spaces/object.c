/*
 * object.c - the pages of files and of shared memory, found by number.
 */
#include "memory/spaces/object_parts.h"

#include "base/check.h"
#include "base/error.h"
#include "base/rwlock.h"
#include "memory/frames/frame_many.h"
#include "memory/heap/heap.h"
#include "memory/spaces/space.h"

void object_hold(struct object *object)
{
    uint32_t before = __atomic_fetch_add(&object->references, 1, __ATOMIC_RELAXED);

    assert(before > 0);
}

/* ---- Pages ------------------------------------------------------------------------------- */

static frame_t leaf_held(uintptr_t leaf)
{
    frame_t frame = { (uint32_t)(leaf - 1) };

    deep_assert(leaf_is_plain(leaf));
    frame_share(frame);
    return frame;
}

/* A new frame of zeros for a hole. The lock is held. */
static int object_fill(struct object *object, uint64_t page, frame_t *out)
{
    frame_t frame;
    int     err = frame_get(object->owner, FRAME_ZERO, &frame);

    deep_assert(rwlock_held_to_write(&object->lock));
    if (err != 0)
        return err;
    err = object_put(object, page, frame);
    if (err != 0) {
        frame_put(frame);
        return err;
    }
    frame_share(frame);
    *out = frame;
    return 0;
}

/* Returns 0, -ENXIO, -EAGAIN for a hole, or -EBUSY where its contents are elsewhere. The lock is held. */
static int find_page(const struct object *object, uint64_t page, frame_t *out)
{
    uintptr_t *leaf = object_leaf(object, page);

    deep_assert(rwlock_held(&object->lock) && object->references > 0);
    if (page >= object->pages)
        return -ENXIO;
    if (leaf == NULL || !leaf_is_plain(*leaf)) {
        if (leaf == NULL || *leaf == 0)
            return object_is_away(object, page) ? -EBUSY : -EAGAIN;
        if (leaf_is_out(*leaf))
            return -EBUSY;
        /* Readers at one time write the same; who has set the marks holds the lock to write when looking at them. */
        __atomic_store_n(leaf, *leaf & LEAF_NUMBER, __ATOMIC_RELAXED);
    }
    *out = leaf_held(*leaf);
    return 0;
}

/* The index may have changed while the caller waited to become the writer: look again. */
static int find_or_fill(struct object *object, uint64_t page, frame_t *out)
{
    int err;

    rwlock_write(&object->lock);
    err = find_page(object, page, out);
    if (err == -EAGAIN)
        err = object_fill(object, page, out);
    rwlock_write_drop(&object->lock);
    return err;
}

int object_page_here(struct object *object, uint64_t page, bool make, frame_t *out)
{
    int err;

    may_sleep();
    rwlock_read(&object->lock);
    err = find_page(object, page, out);
    rwlock_read_drop(&object->lock);
    if (err != -EAGAIN)
        return err;
    if (make)
        return find_or_fill(object, page, out);
    *out = NO_FRAME;
    return 0;
}

int object_page(struct object *object, uint64_t page, bool make, frame_t *out)
{
    int err;

    may_sleep();
    /* Once more only where a page that was brought in has gone again meanwhile, or others brought it in. */
    while ((err = object_page_here(object, page, make, out)) == -EBUSY)
        if ((err = object_bring_in(object, page)) != 0)
            break;
    return err;
}

/* Of pages whose leaves lie side by side: those that are resident, each with a reference. */
static void hold_leaves(const uintptr_t *leaf, frame_t *out, size_t count)
{
    for (const frame_t *end = out + count; out < end; out++, leaf++) {
        *out = NO_FRAME;
        if (!leaf_is_plain(*leaf))
            continue;
        *out = leaf_frame(*leaf);
        frame_share_in_line(*out);
    }
}

void object_resident(struct object *object, uint64_t page, frame_t *out, size_t count)
{
    may_sleep();
    rwlock_read(&object->lock);
    /* bound: `count`, which is FAULT_AROUND */
    while (count > 0) {
        const uintptr_t *leaf = page < object->pages ? object_leaf(object, page) : NULL;
        size_t           part = leaf != NULL ? OBJECT_WAYS - object_way(page, 1) : 1;

        if (part > count)
            part = count;
        if (leaf != NULL && part > object->pages - page)
            part = (size_t)(object->pages - page);
        if (leaf != NULL)
            hold_leaves(leaf, out, part);
        else
            *out = NO_FRAME;
        page  += part;
        out   += part;
        count -= part;
    }
    rwlock_read_drop(&object->lock);
}

static int adopt_here(struct object *object, uint64_t page, frame_t frame)
{
    const uintptr_t *leaf;
    int              err;

    rwlock_write(&object->lock);
    leaf = object_leaf(object, page);
    err  = page >= object->pages                  ? -ENXIO
         : leaf != NULL && *leaf != 0             ? -EEXIST
         : object_filling(object, page) != NULL   ? -EBUSY
                                                  : object_put(object, page, frame);
    rwlock_write_drop(&object->lock);
    return err;
}

int object_adopt(struct object *object, uint64_t page, frame_t frame)
{
    int err;

    may_sleep();
    deep_assert(frame_exists(frame) && frame_owner(frame) == object->owner);
    while ((err = adopt_here(object, page, frame)) == -EBUSY)
        object_await(object, page);
    return err;
}

/* ---- Sizes ------------------------------------------------------------------------------------- */

/*
 * Until all is cut off the object is as long as before, with holes (O1). Behind its end there is nothing to cut, and a
 * file that is written grows page by page: to look for it would cost each page a way through the index.
 */
void object_resize(struct object *object, uint64_t pages)
{
    may_sleep();
    rwlock_write(&object->lock);
    if (pages < object->pages) {
        object_cut(object, pages, UINT64_MAX, true);
    }
    object->pages = pages;
    if (object->paged > pages)                  /* what lies behind is zeros when the object becomes larger again */
        object->paged = pages;
    deep_assert(object->resident + object->out <= pages);
    rwlock_write_drop(&object->lock);
}

void object_release(struct object *object)
{
    uint32_t before = __atomic_fetch_sub(&object->references, 1, __ATOMIC_ACQ_REL);

    may_sleep();
    assert(before > 0);
    if (before > 1)
        return;
    assert(object->mappings == NULL && object->writers == 0 && object->fillings == NULL);
    object_cut_index(object, 0, UINT64_MAX);    /* the auditor finds it in the list until it holds no frame */
    assert(object->resident == 0 && object->out == 0);
    object_unlist(object);
    if (object->operations != NULL && object->operations->end != NULL)
        object->operations->end(object);
    if (object->on_heap)
        heap_free_sized(object, sizeof *object);
}

/* ---- Its mappings ------------------------------------------------------------------------------ */

bool object_is_writer(const struct region *region) { return region->shared && (region->may & MAY_WRITE); }

void object_link(struct object *object, struct region *region)
{
    may_sleep();
    rwlock_write(&object->lock);
    region->object           = object;
    region->previous_mapping = NULL;
    region->next_mapping     = object->mappings;
    if (object->mappings != NULL)
        object->mappings->previous_mapping = region;
    object->mappings = region;
    object->writers += object_is_writer(region);
    rwlock_write_drop(&object->lock);
}

void object_unlink(struct object *object, struct region *region)
{
    may_sleep();
    rwlock_write(&object->lock);
    if (region->previous_mapping != NULL)
        region->previous_mapping->next_mapping = region->next_mapping;
    else
        object->mappings = region->next_mapping;
    if (region->next_mapping != NULL)
        region->next_mapping->previous_mapping = region->previous_mapping;
    region->next_mapping = region->previous_mapping = NULL;
    object->writers -= object_is_writer(region);
    rwlock_write_drop(&object->lock);
}
