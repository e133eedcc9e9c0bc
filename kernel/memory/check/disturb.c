/*
 * disturb.c - pages that leave and frames that move for no reason. See disturb.h.
 */
#include "memory/check/disturb.h"

#include "base/check.h"
#include "base/rwlock.h"
#include "memory/frames/frame.h"
#include "memory/pageout/page_out.h"
#include "memory/pageout/transfer.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/map.h"
#include "memory/spaces/space.h"
#include "memory/tables/cursor.h"
#include "memory/tables/slot.h"

/* ---- Which page ------------------------------------------------------------------------------------------ */

enum { LOOKS = 256 };                   /* entries, or tables that are missing, for one page */

static struct { const struct space *space; page_t page; } recent[DISTURB_SPARED];       /* [a] */
static uint32_t recent_next;                                                            /* [a] */

void disturb_spare(const struct space *space, page_t page)
{
    uint32_t at = __atomic_fetch_add(&recent_next, 1, __ATOMIC_RELAXED) % DISTURB_SPARED;

    assert(space != &kernel_space);
    recent[at].space = space;
    recent[at].page  = page;
}

static bool is_recent(const struct space *space, page_t page)
{
    for (unsigned i = 0; i < DISTURB_SPARED; i++)
        if (recent[i].space == space && recent[i].page == page)
            return true;
    return false;
}

/* The first page of a region, from *page on, that may go; *looks are left. False: none. */
static bool find_in_region(struct space *space, const struct region *region, page_t *page, unsigned *looks)
{
    struct cursor c;
    bool          found = false;
    int           err;

    deep_assert(*page < region->span.end && *looks > 0);
    if (*page < region->span.first)
        *page = region->span.first;
    err = cursor_open(&c, space, (struct span){ *page, region->span.end }, 0);
    assert(err == 0);                           /* without CURSOR_BUILD nothing can fail */
    while (!found && *page < region->span.end && *looks > 0) {  /* bound: LOOKS */
        --*looks;
        if (!cursor_next_near(&c, page))
            continue;
        found = page_may_go(cursor_read(&c, *page)) && !is_recent(space, *page);
        *page += !found;
    }
    cursor_close(&c);
    return found;
}

/* The next page that may go, from *page on, and around once. NULL: none was found. The map is locked. */
static const struct region *find_page(struct space *space, page_t *page)
{
    unsigned looks = LOOKS;

    assert(rwlock_held(&space->map_lock));
    for (unsigned round = 0; round < 2; round++) {
        const struct region *region = region_at_or_above(&space->map, *page);

        for (; region != NULL && looks > 0; region = region_next(region))
            if (region_may_go(region) && find_in_region(space, region, page, &looks))
                return region;
        if (region == NULL && looks > 0)
            *page = 0;
    }
    return NULL;
}

/* ---- What is done to it ------------------------------------------------------------------------------------ */

/*
 * The steps of a page that goes (docs/pageout.md), without packing: blocked and flushed, it does not change while it is
 * copied; a touch in between makes it present again, and it stays. The frame is taken where the entry is written (X2).
 */
static bool block_page(struct space *space, const struct region *region, page_t page, entry_t *blocked)
{
    struct cursor_touch t;
    bool                may;

    deep_assert(region_may_go(region) && span_has(region->span, page));
    if (!cursor_touch(&t, space, page))
        return false;
    may = page_may_go(t.entry) && !transfer_is_of(space, page);     /* who writes it knows its BLOCKED entry */
    if (may)
        *blocked = cursor_touch_block(&t, region->rights);
    cursor_touch_leave(&t);
    return may;
}

static bool move_page(struct space *space, const struct region *region, page_t page)
{
    struct cursor c;
    entry_t       blocked, old;
    frame_t       to;
    bool          moves;

    assert(rwlock_held(&space->map_lock));
    if (!block_page(space, region, page, &blocked) || cursor_open(&c, space, span_of(page, 1), CURSOR_BUILD) != 0)
        return false;
    moves = cursor_read(&c, page).raw == blocked.raw && frame_get(OWNER_USER, 0, &to) == 0;
    if (moves) {
        frame_copy(to, entry_frame(blocked));
        old = cursor_remove(&c, page);
        cursor_map(&c, page, to, region->rights, CACHE_BACK);
    }
    cursor_close(&c);
    if (moves)
        frame_put(entry_frame(old));
    return moves;
}

/* Take up the search where the last one ended. Returns how many pages it was done to: 1 or 0. */
static unsigned one_page(struct space *space, page_t *at,
                         bool (*act)(struct space *space, const struct region *region, page_t page))
{
    page_t               page = __atomic_load_n(at, __ATOMIC_RELAXED);
    const struct region *region;
    unsigned             done;

    may_sleep();
    assert(space != &kernel_space);
    rwlock_read(&space->map_lock);
    region = find_page(space, &page);
    done   = region != NULL && act(space, region, page);
    rwlock_read_drop(&space->map_lock);
    __atomic_store_n(at, page + 1, __ATOMIC_RELAXED);
    return done;
}

static bool evict_page(struct space *space, const struct region *region, page_t page)
{
    deep_assert(region_may_go(region) && span_has(region->span, page));
    return page_out(space, region, page) == PAGE_OUT_DONE;
}

unsigned disturb_evict(struct space *space, page_t *at) { return one_page(space, at, evict_page); }
unsigned disturb_move(struct space *space, page_t *at)  { return one_page(space, at, move_page); }

/* ---- Entries ----------------------------------------------------------------------------------------------- */

struct shown { const struct space *space; const struct region *region; };

/* A fault makes the entry again, with the same frame behind it: that of the region's object, or the one of zeros. */
static bool comes_again(page_t page, entry_t entry, const void *how)
{
    const struct shown  *shown  = how;
    const struct region *region = shown->region;

    deep_assert(span_has(region->span, page) && region->locked == 0);
    if (!entry_present(entry) || is_recent(shown->space, page))
        return false;
    if (is_zero_frame(entry_frame(entry)))
        return true;
    return region->object != NULL && frame_exists(entry_frame(entry)) && frame_owner(entry_frame(entry)) != OWNER_USER;
}

unsigned disturb_entries(struct space *space)
{
    uint32_t before = space->resident;

    may_sleep();
    assert(space != &kernel_space);
    rwlock_read(&space->map_lock);
    for (const struct region *region = region_at_or_above(&space->map, 0); region != NULL;
         region = region_next(region)) {
        struct shown shown = { space, region };
        struct span  span  = region->span;

        while (region->locked == 0 && !map_is_physical(region) && !span_empty(span)) {
            span.first = pages_discard_some(space, span, comes_again, &shown);
            point_of_rest();
        }
    }
    rwlock_read_drop(&space->map_lock);
    return before > space->resident ? before - space->resident : 0;
}
