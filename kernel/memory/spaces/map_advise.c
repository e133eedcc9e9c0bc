/*
 * map_advise.c - madvise and msync: what a program says of its memory.
 */
#include "memory/spaces/map.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/pageout/hand.h"
#include "memory/pageout/object_out.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/map_region.h"
#include "memory/tables/cursor.h"

/* Linux's numbers, madvise(2). */
enum {
    NORMAL = 0,
    RANDOM = 1,
    SEQUENTIAL = 2,
    WILL_NEED = 3,
    DONT_NEED = 4,
    FREE = 8,
    REMOVE = 9,
    DONT_FORK = 10,
    DO_FORK = 11,
    MERGEABLE = 12,
    UNMERGEABLE = 13,
    HUGE = 14,
    NO_HUGE = 15,
    DONT_DUMP = 16,
    DO_DUMP = 17,
    WIPE_ON_FORK = 18,
    KEEP_ON_FORK = 19,
    COLD = 20,
    PAGE_OUT = 21,
    POPULATE_READ = 22,
    POPULATE_WRITE = 23,
    DONT_NEED_LOCKED = 24,
    COLLAPSE = 25,
};
enum { SYNC_ASYNC = 1, SYNC_INVALIDATE = 2, SYNC_SYNC = 4 };

static bool is_known(int advice)
{
    return (advice >= NORMAL && advice <= DONT_NEED) || (advice >= FREE && advice <= COLLAPSE);
}

/* ---- Advice that is kept ------------------------------------------------------------------------------- */

/* Advice that a region remembers: what it sets and clears. */
static const struct { uint16_t set, clear; } kept[COLLAPSE + 1] = {
    [NORMAL]       = { 0, REGION_TOLD_RANDOM | REGION_TOLD_SEQUENTIAL },
    [RANDOM]       = { REGION_TOLD_RANDOM, REGION_TOLD_SEQUENTIAL },
    [SEQUENTIAL]   = { REGION_TOLD_SEQUENTIAL, REGION_TOLD_RANDOM },
    [MERGEABLE]    = { REGION_TOLD_MERGEABLE, 0 },
    [UNMERGEABLE]  = { 0, REGION_TOLD_MERGEABLE },
    [HUGE]         = { REGION_TOLD_HUGE, REGION_TOLD_NO_HUGE },
    [NO_HUGE]      = { REGION_TOLD_NO_HUGE, REGION_TOLD_HUGE },
    [DONT_DUMP]    = { REGION_TOLD_NO_DUMP, 0 },
    [DO_DUMP]      = { 0, REGION_TOLD_NO_DUMP },
    [WIPE_ON_FORK] = { REGION_TOLD_WIPED, 0 },
    [KEEP_ON_FORK] = { 0, REGION_TOLD_WIPED },
};

/* Linux says EAGAIN where a region cannot be split. */
static int advice_keep(struct space *space, struct region *region, struct span part, uint16_t told, bool not_forked)
{
    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(!span_empty(part) && span_covers(region->span, part));
    if (region->told == told && region->not_forked == not_forked)
        return 0;
    region = map_isolate(space, region, part);
    if (region == NULL)
        return -EAGAIN;
    region->told       = told;
    region->not_forked = not_forked;
    map_join(space, region);
    return 0;
}

static int keep_told(struct space *space, struct region *region, struct span part, int advice)
{
    uint16_t told = (uint16_t)((region->told & ~kept[advice].clear) | kept[advice].set);

    deep_assert(advice >= NORMAL && advice <= COLLAPSE);
    if (advice == WIPE_ON_FORK && (region->file != NULL || region->shared || map_is_special(region)))
        return -EINVAL;
    if (advice == DO_DUMP && map_is_special(region))
        return -EINVAL;
    return advice_keep(space, region, part, told, region->not_forked);
}

static int keep_forked(struct space *space, struct region *region, struct span part, bool not_forked)
{
    if (!not_forked && map_is_physical(region))
        return -EINVAL;                     /* a child never gets physical pages */
    return advice_keep(space, region, part, region->told, not_forked);
}

/* ---- Advice that is followed at once ------------------------------------------------------------------------- */

static int advice_forget(struct space *space, const struct region *region, struct span part, int advice)
{
    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(span_covers(region->span, part));
    if (map_is_special(region) || (region->locked != 0 && advice != DONT_NEED_LOCKED))
        return -EINVAL;
    if (advice == FREE && (region->object != NULL || region->shared))
        return -EINVAL;
    map_discard(space, part);
    return 0;
}

/* Make a hole in the object itself: every mapping and every read() of it sees zeros. */
static int advice_punch(const struct region *region, struct span part)
{
    uint64_t first = region->offset + (part.first - region->span.first);

    deep_assert(span_covers(region->span, part) && part.first >= region->span.first);
    if (region->locked != 0 || region->object == NULL || map_is_special(region))
        return -EINVAL;
    if (!region->shared || !(region->may & MAY_WRITE))
        return -EACCES;
    if (!object_can_punch(region->object, first))
        return -EOPNOTSUPP;
    object_punch(region->object, first, first + span_pages(part));
    return 0;
}

/* Those that cannot go stay: Linux reports no failure either. Pages that others show, or it may not write, stay. */
static void advice_page_out(struct space *space, const struct region *region, struct span part)
{
    if (!region->shared)
        pages_out(space, region, part);
    else if (region->object != NULL && (region->may & MAY_WRITE))
        object_pages_out(region, part);
}

static int advise_part(struct space *space, struct region *region, struct span part, int advice)
{
    deep_assert(is_known(advice) && region->space == space);
    switch (advice) {
    case FREE: case DONT_NEED: case DONT_NEED_LOCKED:
        return advice_forget(space, region, part, advice);
    case REMOVE:
        return advice_punch(region, part);
    case DONT_FORK: case DO_FORK:
        return keep_forked(space, region, part, advice == DONT_FORK);
    case COLD: case PAGE_OUT:
        if (region->locked != 0 || map_is_special(region))
            return -EINVAL;
        if (advice == PAGE_OUT)
            advice_page_out(space, region, part);
        else
            pages_make_cold(region, part);
        return 0;
    case WILL_NEED:
        return 0;                           /* what is out: advice_bring_in() */
    case COLLAPSE:
        return -EINVAL;                     /* no program's page is ever a large one */
    default:
        return keep_told(space, region, part, advice);
    }
}

/* Each region of the span in turn; holes are passed over and reported at the end, as Linux does. */
static int advise_span(struct space *space, struct span span, int advice)
{
    bool   hole = false;
    page_t at   = span.first;

    deep_assert(rwlock_held_to_write(&space->map_lock));
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held */
    while (at < span.end) {
        struct region *region = region_at_or_above(&space->map, at);
        struct span    part;
        int            err;

        if (region == NULL || region->span.first >= span.end)
            return -ENOMEM;
        hole |= region->span.first > at;
        part.first = region->span.first > at ? region->span.first : at;
        part.end   = region->span.end < span.end ? region->span.end : span.end;
        deep_assert(!span_empty(part) && part.first >= at);
        err = advise_part(space, region, part, advice);
        if (err != 0)
            return err;
        at = part.end;
        point_of_rest();
    }
    return hole ? -ENOMEM : 0;
}

/* Holes are ENOMEM, regions without the right EINVAL, pages past the end of a file EFAULT. */
static int populate_error(const struct fault_verdict *verdict)
{
    enum { BUS = 7, NO_REGION = 1 };

    deep_assert(verdict->signal != 0);
    return verdict->signal == BUS ? -EFAULT : verdict->code == NO_REGION ? -ENOMEM : -EINVAL;
}

static int advice_populate(struct space *space, struct span span, uint8_t access)
{
    struct fault_verdict verdict;

    deep_assert(!rwlock_held(&space->map_lock));
    deep_assert(access == MAY_READ || access == MAY_WRITE);
    for (page_t page = span.first; page < span.end; page++) {
        int err = fault_with_room(space, page_address(page), access, &verdict);

        if (err != 0)
            return err == -EFAULT ? populate_error(&verdict) : err;
        if (caller_is_ending())
            return -EINTR;
        point_of_rest();
    }
    return 0;
}

/*
 * Whether a page is out. *next is the next that may be: regions of which nothing is out are passed over. The map is
 * locked.
 */
static bool is_out(struct space *space, page_t page, page_t *next)
{
    const struct region *region = region_at_or_above(&space->map, page);
    struct object       *object = region != NULL ? region->object : NULL;
    struct cursor_touch  t;

    deep_assert(rwlock_held(&space->map_lock));
    if (region == NULL || region->span.first > page || (space->swapped == 0 && (object == NULL || object->out == 0))) {
        *next = region == NULL ? layout.user.end : region->span.first > page ? region->span.first : region->span.end;
        return false;
    }
    *next = page + 1;
    if (object != NULL && object_residency(object, region->offset + (page - region->span.first), 1, NULL) > 0)
        return true;
    if (!cursor_touch(&t, space, page))
        return false;
    cursor_touch_leave(&t);
    return entry_kind(t.entry, 1) == ENTRY_SWAP;
}

/* Pages of the span that are out come back, as by a read, as far as there is memory. Holes have been reported. */
static void advice_bring_in(struct space *space, struct span span)
{
    struct fault_verdict verdict;
    page_t               next;

    for (; span.first < span.end && !caller_is_ending(); span.first = next) {
        bool out;

        rwlock_read(&space->map_lock);
        out = is_out(space, span.first, &next);
        rwlock_read_drop(&space->map_lock);
        if (out && space_fault(space, page_address(span.first), MAY_READ, &verdict) == -ENOMEM)
            return;
        point_of_rest();
    }
}

int map_advise(struct space *space, vaddr_t start, size_t bytes, int advice)
{
    struct span span;
    int         err;

    may_sleep();
    if (!is_known(advice) || !is_aligned(start, PAGE_SIZE))
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (!checked_span(start, bytes, layout.user.end, &span))
        return start + bytes < start ? -EINVAL : -ENOMEM;
    if (advice == POPULATE_READ || advice == POPULATE_WRITE)
        return advice_populate(space, span, advice == POPULATE_WRITE ? MAY_WRITE : MAY_READ);
    rwlock_write(&space->map_lock);
    err = advise_span(space, span, advice);
    rwlock_write_drop(&space->map_lock);
    if (advice == WILL_NEED)
        advice_bring_in(space, span);
    return err;
}

/*
 * Contents of files are in memory that mappings share, so there is nothing to write back. Holes are passed over and
 * reported at the end, as Linux does.
 */
static int sync_span(const struct space *space, struct span span, int flags)
{
    const struct region *region = region_at_or_above(&space->map, span.first);
    page_t               at     = span.first;
    bool                 hole   = false;

    for (; region != NULL && region->span.first < span.end; region = region_next(region)) {
        if ((flags & SYNC_INVALIDATE) && region->locked != 0)
            return -EBUSY;
        hole |= region->span.first > at;
        at = region->span.end;
        point_of_rest();
    }
    return hole || at < span.end ? -ENOMEM : 0;
}

int map_sync(struct space *space, vaddr_t start, size_t bytes, int flags)
{
    struct span span;
    int         err;

    may_sleep();
    if (flags & ~(SYNC_ASYNC | SYNC_INVALIDATE | SYNC_SYNC) ||
        (flags & (SYNC_ASYNC | SYNC_SYNC)) == (SYNC_ASYNC | SYNC_SYNC) || !is_aligned(start, PAGE_SIZE))
        return -EINVAL;
    if (bytes == 0 || bytes > SIZE_MAX - PAGE_SIZE + 1)     /* Linux rounds the latter up to no bytes */
        return 0;
    if (!checked_span(start, bytes, layout.user.end, &span))
        return -ENOMEM;
    rwlock_read(&space->map_lock);
    err = sync_span(space, span, flags);
    rwlock_read_drop(&space->map_lock);
    return err;
}
