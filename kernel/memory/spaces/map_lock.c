/*
 * map_lock.c - mlock and its relatives: pages that are brought in and stay.
 *
 * Each region says whether it is locked. How many pages that makes the space counts along (map_region.c).
 */
#include "memory/spaces/map.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/pageout/hand.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/map_region.h"

/* ---- Counting ------------------------------------------------------------------------------- */

static size_t pages_locked(const struct space *space, struct span within)
{
    size_t pages = 0;

    deep_assert(rwlock_held_to_write(&space->map_lock));
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held */
    for (const struct region *r = region_at_or_above(&space->map, within.first);
         r != NULL && r->span.first < within.end; r = region_next(r)) {
        page_t first = r->span.first > within.first ? r->span.first : within.first;
        page_t end   = r->span.end < within.end ? r->span.end : within.end;

        pages += r->locked != 0 ? end - first : 0;
        point_of_rest();
    }
    return pages;
}

bool map_may_lock(const struct space *space, size_t more)
{
    size_t most = space->limits.locked / PAGE_SIZE;

    return space->limits.locked == SIZE_MAX || (more <= most && space->locked <= most - more);
}

/* ---- Bringing in ---------------------------------------------------------------------------------- */

/* The access that brings in a locked page: a private page is made the program's own now, not at its first write. */
static uint8_t touch_for(const struct region *region)
{
    uint8_t rights = region->rights.user;

    deep_assert(region->locked == REGION_LOCKED);
    if ((rights & MAY_WRITE) && !region->shared)
        return MAY_WRITE;
    return rights & MAY_READ ? MAY_READ : rights & MAY_WRITE ? MAY_WRITE : MAY_EXECUTE;
}

/* The next part of a span whose pages must be brought in, and the access to do it with; false when there is none. */
static bool next_locked(struct space *space, struct span within, struct span *part, uint8_t *access)
{
    const struct region *region;

    deep_assert(!span_empty(within));
    rwlock_read(&space->map_lock);
    region = region_at_or_above(&space->map, within.first);
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held */
    while (region != NULL && region->span.first < within.end && region->locked != REGION_LOCKED) {
        region = region_next(region);
        point_of_rest();
    }
    if (region != NULL && region->span.first < within.end) {
        part->first = region->span.first > within.first ? region->span.first : within.first;
        part->end   = region->span.end < within.end ? region->span.end : within.end;
        *access     = touch_for(region);
    } else {
        region = NULL;
    }
    rwlock_read_drop(&space->map_lock);
    return region != NULL;
}

/* With `all`, the first page that cannot be brought in ends this with Linux's errno; without, it is passed over. */
static int bring_in(struct space *space, struct span span, bool all)
{
    struct fault_verdict verdict;
    struct span          part;
    uint8_t              access;

    deep_assert(!rwlock_held(&space->map_lock));
    /* A region may go on beyond the span, which is then empty at the end. */
    while (!span_empty(span) && next_locked(space, span, &part, &access)) {
        deep_assert(!span_empty(part) && span_covers(span, part));
        for (page_t page = part.first; page < part.end; page++) {
            int err = fault_with_room(space, page_address(page), access, &verdict);

            if (err == -ENOMEM)
                return -EAGAIN;
            if (caller_is_ending())
                return -EINTR;
            if (err != 0 && !all)
                return -ENOMEM;
            if (err != 0)
                break;                      /* no right, or past the file's end: the same holds for the pages behind */
            point_of_rest();
        }
        span.first = part.end;
    }
    return 0;
}

void map_bring_in(struct space *space, struct span span)
{
    int err;

    may_sleep();
    err = bring_in(space, span, true);
    (void)err;                              /* as many as there is memory for: Linux reports no failure either */
}

/* ---- Locking and unlocking -------------------------------------------------------------------------- */

static int set_part(struct space *space, struct region *region, struct span part, uint8_t locked)
{
    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(!span_empty(part) && span_covers(region->span, part));
    deep_assert(locked <= REGION_LOCKED_ON_FAULT);
    if (region->locked == locked || map_is_physical(region))
        return 0;
    region = map_isolate(space, region, part);
    if (region == NULL)
        return -ENOMEM;
    map_set_locked(space, region, locked);
    map_join(space, region);
    return 0;
}

/* From the lowest page up to the first hole; regions below stay changed: as Linux does. */
static int set_locked(struct space *space, struct span span, uint8_t locked)
{
    deep_assert(rwlock_held_to_write(&space->map_lock));
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held */
    for (page_t at = span.first; at < span.end; ) {
        struct region *region = region_find(&space->map, at);
        struct span    part   = { at, span.end };
        int            err;

        if (region == NULL)
            return -ENOMEM;
        if (part.end > region->span.end)
            part.end = region->span.end;
        deep_assert(part.end > at);
        err = set_part(space, region, part, locked);
        if (err != 0)
            return err;
        at = part.end;
        point_of_rest();
    }
    return 0;
}

/*
 * The pages that hold any byte of a range. Returns 0; -EINVAL when it wraps, -ENOMEM when it leaves user space. A
 * length that cannot be rounded up is no length to Linux.
 */
static int span_around(vaddr_t start, size_t bytes, struct span *out)
{
    size_t   skew = start % PAGE_SIZE;
    uint64_t whole;

    *out = span_of(page_of(start), 0);
    if (!checked_add(bytes, skew, &whole) || !checked_round_up(whole, PAGE_SIZE, &whole) || whole > SIZE_MAX ||
        whole == 0)
        return 0;
    if (whole - 1 >= SIZE_MAX - (start - skew))
        return -EINVAL;
    return checked_span(start - skew, (size_t)whole, layout.user.end, out) ? 0 : -ENOMEM;
}

/* Pages that are locked already are not counted twice. */
static int lock_span(struct space *space, struct span span, uint8_t locked)
{
    size_t before = pages_locked(space, span);

    deep_assert(!span_empty(span) && before <= span_pages(span));
    return map_may_lock(space, span_pages(span) - before) ? set_locked(space, span, locked) : -ENOMEM;
}

int map_lock(struct space *space, vaddr_t start, size_t bytes, bool on_fault)
{
    struct span span;
    int         err;

    may_sleep();
    if (space->limits.locked == 0)
        return -EPERM;
    err = span_around(start, bytes, &span);
    if (err != 0 || span_empty(span))
        return err;
    rwlock_write(&space->map_lock);
    err = lock_span(space, span, on_fault ? REGION_LOCKED_ON_FAULT : REGION_LOCKED);
    rwlock_write_drop(&space->map_lock);
    return err == 0 ? bring_in(space, span, false) : err;
}

int map_unlock(struct space *space, vaddr_t start, size_t bytes)
{
    struct span span;
    int         err = span_around(start, bytes, &span);

    may_sleep();
    if (err != 0 || span_empty(span))
        return err;
    rwlock_write(&space->map_lock);
    err = set_locked(space, span, 0);
    rwlock_write_drop(&space->map_lock);
    return err;
}

/* Mark every region; whole regions are not split, so this needs no memory. */
static void set_all(struct space *space, uint8_t locked)
{
    struct region *region = region_at_or_above(&space->map, 0);

    deep_assert(rwlock_held_to_write(&space->map_lock));
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held */
    while (region != NULL) {
        if (!map_is_physical(region))
            map_set_locked(space, region, locked);
        region = region_next(map_join(space, region));
        point_of_rest();
    }
}

int map_lock_all(struct space *space, bool now, bool future, bool on_fault)
{
    uint8_t locked = on_fault ? REGION_LOCKED_ON_FAULT : REGION_LOCKED;
    int     err    = 0;

    may_sleep();
    if (space->limits.locked == 0)
        return -EPERM;
    rwlock_write(&space->map_lock);
    if (now && space->limits.locked != SIZE_MAX && space->pages > space->limits.locked / PAGE_SIZE) {
        err = -ENOMEM;
    } else {
        space->lock_future = future ? locked : 0;
        if (now)
            set_all(space, locked);
    }
    rwlock_write_drop(&space->map_lock);
    if (err == 0 && now)
        map_bring_in(space, layout.user);
    return err;
}

void map_unlock_all(struct space *space)
{
    may_sleep();
    rwlock_write(&space->map_lock);
    space->lock_future = 0;
    set_all(space, 0);
    rwlock_write_drop(&space->map_lock);
}
