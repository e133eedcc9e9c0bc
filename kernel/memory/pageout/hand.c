/*
 * hand.c - the hand of the clock: entries of a window are looked at, then those pages go that were found cold.
 */
#include "memory/pageout/hand.h"

#include "base/check.h"
#include "base/range.h"
#include "base/rwlock.h"
#include "memory/pageout/object_out.h"
#include "memory/pageout/page_out.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/space.h"
#include "memory/tables/cursor.h"
#include "memory/tables/tables_out.h"

struct cold {
    size_t count;
    page_t pages[HAND_WINDOW];
};

/* Look at a page: it is cold if nobody has used it since the last look. A used one may have changed. */
static bool is_cold(struct cursor *c, page_t page)
{
    entry_t  entry = cursor_read(c, page);
    unsigned age;

    if (!page_may_go(entry))
        return false;
    age = entry_age(entry);
    if (!entry_accessed(entry))
        return age == 0;
    cursor_age(c, page, age > 0 ? age - 1 : 0);
    return false;
}

/* The pages of a region that lie in the window. */
static void find_cold(struct hand *hand, struct space *space, struct span span, struct cold *cold)
{
    struct cursor c;
    int           err = cursor_open(&c, space, span, 0);

    assert(err == 0);                           /* without CURSOR_BUILD nothing can fail */
    deep_assert(span_covers(hand->window, span));
    for (page_t page = cursor_next(&c, span.first); page < span.end; page = cursor_next(&c, page + 1)) {
        hand->looked++;                         /* bound: HAND_WINDOW */
        assert(cold->count < HAND_WINDOW);
        if (is_cold(&c, page))
            cold->pages[cold->count++] = page;
        if (page + 1 == span.end)
            break;
    }
    cursor_close(&c);
}

static void let_go(struct hand *hand, struct space *space, const struct region *region, const struct cold *cold)
{
    struct writes writes = { .count = 0 };

    for (size_t i = 0; i < cold->count && !hand->full; i++) {
        hand->full = page_out_begin(space, region, cold->pages[i], &writes, &hand->gone) == PAGE_OUT_FULL;
        point_of_rest();
    }
    hand->gone += page_out_end(space, region, &writes);
}

static void look_at_region(struct hand *hand, struct space *space, const struct region *region)
{
    struct span span = hand->window;
    struct cold cold = { .count = 0 };

    if (span.first < region->span.first)
        span.first = region->span.first;
    if (span.end > region->span.end)
        span.end = region->span.end;
    find_cold(hand, space, span, &cold);
    let_go(hand, space, region, &cold);
}

/* Where the next window begins for this space at the earliest: what lacks a table, or may not go, is passed over. */
static void note_next(struct hand *hand, struct space *space, const struct region *region)
{
    page_t        next;
    struct cursor c;
    int           err;

    if (region == NULL)
        return;
    deep_assert(!span_empty(region->span));
    next = hand->window.end > region->span.first ? hand->window.end : region->span.first;
    if (!region_may_go(region)) {
        next = region->span.end;
    } else {
        err = cursor_open(&c, space, (struct span){ next, region->span.end }, 0);
        assert(err == 0);
        (void)cursor_next_near(&c, &next);
        cursor_close(&c);
    }
    if (next < hand->next)
        hand->next = next;
}

void hand_look(struct hand *hand, struct space *space)
{
    struct region *region;

    may_sleep();
    assert(space != &kernel_space && !span_empty(hand->window) && span_pages(hand->window) <= HAND_WINDOW);
    rwlock_read(&space->map_lock);
    hand->looked++;
    region = region_at_or_above(&space->map, hand->window.first);
    /* bound: HAND_WINDOW */
    for (; region != NULL && region->span.first < hand->window.end; region = region_next(region)) {
        if (region_may_go(region))
            look_at_region(hand, space, region);
        if (region->span.end > hand->window.end)
            break;
    }
    note_next(hand, space, region);
    hand->gone += table_home_go(space, hand->window.first);
    rwlock_read_drop(&space->map_lock);
}

bool hand_advance(struct hand *hand)
{
    bool on = hand->next != HAND_NONE;

    hand->window.first = on ? hand->next : 0;
    hand->window.end   = round_down(hand->window.first, HAND_WINDOW) + HAND_WINDOW;
    hand->next         = HAND_NONE;
    return on;
}

bool hand_look_at_objects(struct hand *hand)
{
    struct object *object = object_at_hand();
    bool           more;

    may_sleep();
    if (object == NULL)
        return false;
    more = hand_look_at_object(hand, object) || object_hand_passes(object);
    object_release(object);
    return more;
}

int fault_with_room(struct space *space, vaddr_t address, uint8_t access, struct fault_verdict *verdict)
{
    int err;

    do                                          /* bound: each turn lets pages go */
        err = space_fault(space, address, access, verdict);
    while (room_was_made(err));
    return err;
}
