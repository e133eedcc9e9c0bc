/*
 * object_fill.c - pages that an object's pager brings, or that come back from a swap slot, and threads that wait for
 * them.
 *
 * The thread that finds a page away enters a filling in the object's list, lets the pager work without a lock, and puts
 * the frames in their places. Threads that want one of these pages meanwhile wait for the filling. A truncation does
 * not wait: it marks the filling, whose frames then go back to the pool.
 */
#include "memory/spaces/object_parts.h"

#include "base/error.h"
#include "base/lock.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/pageout/object_out.h"

/* Pages that the first of a sequence brings in; each next filling brings in twice as many, up to FILL_MOST. */
enum { FILL_FIRST = 2 };

struct filling *object_filling(const struct object *object, uint64_t page)
{
    for (struct filling *f = object->fillings; f != NULL; f = f->next)
        if (!f->cut && page >= f->page && page - f->page < f->count)
            return f;
    return NULL;
}

void object_cut_fillings(struct object *object, uint64_t from, uint64_t to)
{
    deep_assert(rwlock_held_to_write(&object->lock));
    for (struct filling *f = object->fillings; f != NULL; f = f->next)
        f->cut |= f->page < to && f->page + f->count > from;
}

/* ---- References. The lock is held to write. --------------------------------------------------------- */

static void filling_drop(struct object *object, struct filling *filling)
{
    assert(rwlock_held_to_write(&object->lock) && filling->references > 0);
    if (--filling->references == 0)
        heap_free_sized(filling, sizeof *filling);
}

static void unlist_filling(struct object *object, const struct filling *filling)
{
    struct filling **at = &object->fillings;

    deep_assert(filling->references > 0);
    while (*at != filling)                      /* bound: threads that fill pages of the object; no spin lock */
        at = &(*at)->next;
    *at = filling->next;
}

/* ---- Beginning -------------------------------------------------------------------------------------- */

static bool is_to_be_filled(const struct object *object, uint64_t page)
{
    const uintptr_t *leaf = object_leaf(object, page);

    return object_is_away(object, page) && (leaf == NULL || *leaf == 0) && object_filling(object, page) == NULL;
}

/* How many pages from this one on are to be filled at once, by the sequence seen. */
static uint32_t fill_ahead(struct object *object, uint64_t page)
{
    uint32_t most = FILL_FIRST, count = 1;

    deep_assert(rwlock_held_to_write(&object->lock) && object->ahead <= FILL_MOST);
    if (page == object->expected)
        most = object->ahead * 2 > FILL_MOST ? FILL_MOST : object->ahead * 2;
    if (most < FILL_FIRST)
        most = FILL_FIRST;
    while (count < most && is_to_be_filled(object, page + count))
        count++;
    object->ahead    = most;
    object->expected = page + count;
    return count;
}

/* Where a page is that is out, or NO_SLOT. */
static uint32_t slot_of(const struct object *object, uint64_t page)
{
    const uintptr_t *leaf = object_leaf(object, page);

    return leaf != NULL && leaf_is_out(*leaf) ? leaf_slot(*leaf) : NO_SLOT;
}

/* With as many frames as can be had, but one at least. NULL without memory. The lock is held to write. */
static struct filling *begin_filling(struct object *object, uint64_t page)
{
    struct filling *filling = heap_alloc(sizeof *filling, HEAP_ZERO);
    uint32_t        slot    = slot_of(object, page);
    uint32_t        wanted  = slot != NO_SLOT ? 1 : fill_ahead(object, page);

    deep_assert(rwlock_held_to_write(&object->lock) && object_filling(object, page) == NULL);
    if (filling == NULL)
        return NULL;
    filling->page = page;
    filling->slot = slot;
    while (filling->count < wanted && frame_get(object->owner, 0, &filling->frames[filling->count]) == 0)
        filling->count++;
    if (filling->count == 0) {
        heap_free_sized(filling, sizeof *filling);
        return NULL;
    }
    if (slot != NO_SLOT)
        swap_share(slot);
    filling->references = 1;
    filling->next       = object->fillings;
    object->fillings    = filling;
    return filling;
}

/* ---- The end ---------------------------------------------------------------------------------------- */

/* The page that was out has its frame again: what was not cut off is still out. */
static void replace_slot(struct object *object, const struct filling *filling)
{
    uintptr_t *leaf = object_leaf(object, filling->page);

    assert(leaf != NULL && *leaf == (LEAF_OUT | filling->slot));
    *leaf = (uintptr_t)filling->frames[0].no + 1;
    object->resident++;
    object_count_out(object, -1);
    swap_put(filling->slot);
}

/* Put what the pager has brought in its place, give back the other frames. The lock is held to write. */
static void place_frames(struct object *object, struct filling *filling, long brought)
{
    uint32_t placed = 0;

    deep_assert(rwlock_held_to_write(&object->lock) && brought <= (long)filling->count);
    if (!filling->cut && brought > 0 && filling->slot != NO_SLOT) {
        replace_slot(object, filling);
        placed = 1;
    } else if (!filling->cut && brought > 0) {
        while (placed < (uint32_t)brought &&
               object_put(object, filling->page + placed, filling->frames[placed]) == 0)
            placed++;
        if (placed == 0)
            filling->error = -ENOMEM;
    }
    frame_put_all(filling->frames + placed, filling->count - placed);
    if (filling->slot != NO_SLOT)
        swap_put(filling->slot);
}

static int end_filling(struct object *object, struct filling *filling, long brought)
{
    int err;

    assert(brought != 0 && brought <= (long)filling->count);
    rwlock_write(&object->lock);
    if (brought < 0)
        filling->error = (int)brought;
    place_frames(object, filling, brought);
    unlist_filling(object, filling);
    completion_happen(&filling->done);
    err = filling->cut ? 0 : filling->error;
    filling_drop(object, filling);
    rwlock_write_drop(&object->lock);
    return err;
}

/* ---- The calls --------------------------------------------------------------------------------------- */

/* The error that a filling has ended with is about its first page alone. */
static int wait_for_filling(struct object *object, struct filling *filling, uint64_t page)
{
    int err;

    completion_wait(&filling->done);
    deep_assert(page >= filling->page && page - filling->page < filling->count);
    rwlock_write(&object->lock);
    err = page == filling->page && !filling->cut ? filling->error : 0;
    filling_drop(object, filling);
    rwlock_write_drop(&object->lock);
    return err;
}

/* The filling that covers the page, with a reference for the caller, or NULL. */
static struct filling *filling_held(const struct object *object, uint64_t page)
{
    struct filling *filling = object_filling(object, page);

    if (filling != NULL)
        filling->references++;
    return filling;
}

bool object_await(struct object *object, uint64_t page)
{
    struct filling *filling;

    may_sleep();
    deep_assert(rwlock_none_held() && object->references > 0);
    rwlock_write(&object->lock);
    filling = filling_held(object, page);
    rwlock_write_drop(&object->lock);
    return filling != NULL && (wait_for_filling(object, filling, page), true);
}

int object_bring_in(struct object *object, uint64_t page)
{
    struct filling *others, *own = NULL;
    bool            wanted;

    may_sleep();
    deep_assert(rwlock_none_held() && object->references > 0);
    rwlock_write(&object->lock);
    others = filling_held(object, page);
    wanted = others == NULL && (slot_of(object, page) != NO_SLOT || is_to_be_filled(object, page));
    if (wanted)
        own = begin_filling(object, page);
    rwlock_write_drop(&object->lock);
    if (others != NULL)
        return wait_for_filling(object, others, page);
    if (own == NULL)
        return wanted ? -ENOMEM : 0;            /* 0: it has come, or was cut off, meanwhile */
    return end_filling(object, own,
                       own->slot != NO_SLOT ? object_load(own->slot, own->frames[0])
                                            : object->operations->fill(object, page, own->frames, own->count));
}
