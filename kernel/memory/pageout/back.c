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
#include "memory/spaces/space.h"
#include "memory/tables/cursor.h"

static bool is_there(entry_t entry)
{
    return entry_kind(entry, 1) == ENTRY_SWAP && slot_is_on_device(entry_slot_number(entry));
}

/*
 * Look at some pages of a region from *page on. True where one is on the device: then *page is that, and *transfer
 * reads it, or is NULL. Else *page is where to go on.
 */
static bool look_at_some(struct space *space, const struct region *region, page_t *page, struct transfer **transfer)
{
    struct cursor c;
    bool          found = false;
    int           err;

    deep_assert(rwlock_held(&space->map_lock) && *page < region->span.end);
    if (*page < region->span.first)
        *page = region->span.first;
    err = cursor_open(&c, space, (struct span){ *page, region->span.end }, 0);
    assert(err == 0);                           /* without CURSOR_BUILD nothing can fail */
    /* bound: CURSOR_BATCH */
    for (unsigned n = 0; n < CURSOR_BATCH && *page < region->span.end && !found; n++)
        if (cursor_next_near(&c, page)) {
            entry_t entry = cursor_read(&c, *page);

            found = is_there(entry);
            if (found)
                *transfer = transfer_read(entry_slot_number(entry));
            else
                ++*page;
        }
    cursor_close(&c);
    return found;
}

/* The next page from *page on that is on the device. False: there is none. */
static bool find_next(struct space *space, page_t *page, struct transfer **transfer)
{
    const struct region *region;
    bool                 found = false;

    rwlock_read(&space->map_lock);
    while (!found && (region = region_at_or_above(&space->map, *page)) != NULL) {
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
    int              err  = 0;

    may_sleep();
    deep_assert(rwlock_none_held() && space != &kernel_space);
    while (err == 0 && find_next(space, &page, &transfer)) {    /* bound: sleeps in each step */
        err = bring_page(space, page, transfer);
        if (err == 0 && is_to_end())
            err = -EINTR;
    }
    return err;
}
