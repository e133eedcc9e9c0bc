/*
 * back.c - pages that come back from the swap device for good. See back.h.
 */
#include "memory/pageout/back.h"

#include "base/check.h"
#include "base/error.h"
#include "base/rwlock.h"
#include "memory/pageout/hand.h"
#include "memory/pageout/page_out.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/object_parts.h"
#include "memory/spaces/space.h"
#include "memory/tables/cursor.h"

/* ---- Of a space ------------------------------------------------------------------------------------------------- */

static bool is_there(entry_t entry)
{
    return entry_kind(entry, 1) == ENTRY_SWAP && slot_is_on_device(entry_slot_number(entry));
}

/*
 * Look at some pages of a region from *page on, in one table. 1 where one is on the device: then *page is that, and
 * *transfer reads it, or is NULL. 0: *page is where to go on. -ENOMEM: the table is out, and cannot come back.
 */
static int look_at_some(struct space *space, const struct region *region, page_t *page, struct transfer **transfer)
{
    struct cursor c;
    int           found = 0;

    deep_assert(rwlock_held(&space->map_lock) && *page < region->span.end);
    if (*page < region->span.first)
        *page = region->span.first;
    if (cursor_open(&c, space, (struct span){ *page, region->span.end }, CURSOR_BACK) != 0)
        return -ENOMEM;
    /* bound: CURSOR_BATCH */
    for (unsigned n = 0; n < CURSOR_BATCH && *page < region->span.end && cursor_next_near(&c, page); n++, ++*page) {
        entry_t entry = cursor_read(&c, *page);

        if (is_there(entry)) {
            *transfer = transfer_read(entry_slot_number(entry), true);
            found = 1;
            break;
        }
    }
    cursor_close(&c);
    return found;
}

/* The next page from *page on that is on the device: 1. 0: there is none. Or -ENOMEM. */
static int find_next(struct space *space, page_t *page, struct transfer **transfer)
{
    const struct region *region;
    int                  found = 0;

    rwlock_read(&space->map_lock);
    while (found == 0 && (region = region_at_or_above(&space->map, *page)) != NULL) {
        found = look_at_some(space, region, page, transfer);
        point_of_rest();
    }
    rwlock_read_drop(&space->map_lock);
    return found;
}

static int show_read(struct space *space, page_t page, struct transfer *transfer)
{
    const struct region *region;
    int                  err = 0;

    rwlock_read(&space->map_lock);
    region = region_find(&space->map, page);
    if (region != NULL)
        err = page_in_read(space, region, page, transfer);
    rwlock_read_drop(&space->map_lock);
    return err;
}

/* Where there is no transfer, or the entry is another by now, the page is looked at again. */
static int bring_page(struct space *space, page_t page, struct transfer *transfer)
{
    int err;

    deep_assert(rwlock_none_held());
    if (transfer == NULL) {
        transfer_await_free();
        return 0;
    }
    err = transfer_wait(transfer);
    if (err == 0)
        do                                      /* bound: each turn lets pages go */
            err = show_read(space, page, transfer);
        while (room_was_made(err));
    transfer_put(transfer);
    return err;
}

int space_bring_back(struct space *space, bool (*is_to_end)(void))
{
    struct transfer *transfer;
    page_t           page = 0;
    int              err;

    may_sleep();
    deep_assert(rwlock_none_held() && space != &kernel_space);
    while ((err = find_next(space, &page, &transfer)) != 0) {   /* bound: sleeps in each step, or lets pages go */
        if (err > 0)
            err = bring_page(space, page, transfer);
        else if (room_was_made(err))
            err = 0;
        if (err == 0 && is_to_end())
            err = -EINTR;
        if (err != 0)
            break;
    }
    return err;
}

/* ---- Of objects ------------------------------------------------------------------------------------------------- */

/* The next page from *page on that is on the device. False: there is none. */
static bool find_in_object(struct object *object, uint64_t *page)
{
    bool found = false;

    deep_assert(object->references > 0);
    rwlock_read(&object->lock);
    while (object->out > 0 && !found && (*page = object_index_next(object, *page, true)) < object->pages) {
        uintptr_t leaf = *object_leaf(object, *page);

        found  = leaf_is_out(leaf) && slot_is_on_device(leaf_slot(leaf));
        *page += !found;
        point_of_rest();
    }
    rwlock_read_drop(&object->lock);
    return found;
}

/* What has gone again, or been cut off, when its turn comes is looked at again. */
static int bring_object_back(struct object *object, bool (*is_to_end)(void))
{
    uint64_t page = 0;
    int      err  = 0;

    while (err == 0 && find_in_object(object, &page)) {         /* bound: sleeps in each step */
        do                                      /* bound: each turn lets pages go */
            err = object_bring_in(object, page);
        while (room_was_made(err));
        if (err == 0 && is_to_end())
            err = -EINTR;
    }
    return err;
}

int objects_bring_back(bool (*is_to_end)(void))
{
    struct object *object = object_next_held(NULL);
    int            err    = 0;

    may_sleep();
    deep_assert(rwlock_none_held());
    for (; object != NULL && err == 0; object = object_next_held(object))
        err = bring_object_back(object, is_to_end);
    if (object != NULL)
        object_release(object);
    return err;
}
