/*
 * map_advise.c - madvise and msync: what a program says of its memory.
 */
#include "memory/spaces/map.h"

#include "base/error.h"
#include "base/range.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/map_region.h"

/* Linux's numbers, madvise(2). */
enum {
    NORMAL = 0, RANDOM = 1, SEQUENTIAL = 2, WILL_NEED = 3, DONT_NEED = 4, FREE = 8, DONT_FORK = 10, DO_FORK = 11,
    MERGEABLE = 12, UNMERGEABLE = 13, HUGE = 14, NO_HUGE = 15, DONT_DUMP = 16, DO_DUMP = 17, COLD = 20, PAGE_OUT = 21,
    POPULATE_READ = 22, POPULATE_WRITE = 23,
};
enum { SYNC_ASYNC = 1, SYNC_INVALIDATE = 2, SYNC_SYNC = 4 };

static bool is_known(int advice)
{
    return (advice >= NORMAL && advice <= DONT_NEED) || advice == FREE || (advice >= DONT_FORK && advice <= DO_DUMP) ||
           (advice >= COLD && advice <= POPULATE_WRITE);
}

/* Say of the part of one region that a child does not get it, or does. Nothing has changed on an error. */
static int set_forked(struct space *space, struct region *region, struct span part, bool not_forked)
{
    struct region *low = map_node(), *high = map_node();
    int            err = low == NULL || high == NULL ? -ENOMEM : 0;

    if (err == 0) {
        region = map_split(space, region, part.first, &low);
        if (region->span.end > part.end)
            map_split(space, region, part.end, &high);
        region->not_forked = not_forked;
        map_join(space, region);
    }
    map_node_free(low);
    map_node_free(high);
    return err;
}

static int advise_part(struct space *space, struct region *region, struct span part, int advice)
{
    switch (advice) {
    case FREE:
        if (region->object != NULL || region->shared)
            return -EINVAL;
        map_discard(space, part);
        return 0;
    case DONT_NEED:
        map_discard(space, part);
        return 0;
    case DONT_FORK: case DO_FORK:
        return set_forked(space, region, part, advice == DONT_FORK);
    default:
        return 0;                           /* advice that changes nothing here */
    }
}

/* Each region of the span in turn; holes are passed over and reported at the end, as Linux does. */
static int advise(struct space *space, struct span span, int advice)
{
    bool   hole = false;
    page_t at   = span.first;

    while (at < span.end) {
        struct region *region = region_at_or_above(&space->map, at);
        struct span    part;
        int            err;

        if (region == NULL || region->span.first >= span.end)
            return -ENOMEM;
        hole |= region->span.first > at;
        part.first = region->span.first > at ? region->span.first : at;
        part.end   = region->span.end < span.end ? region->span.end : span.end;
        err = advise_part(space, region, part, advice);
        if (err != 0)
            return err;
        at = part.end;
    }
    return hole ? -ENOMEM : 0;
}

static int populate(struct space *space, struct span span, uint8_t access)
{
    struct fault_verdict verdict;

    for (page_t page = span.first; page < span.end; page++) {
        int err = space_fault(space, page_address(page), access, &verdict);

        if (err != 0)
            return err == -EFAULT && verdict.code == 1 ? -ENOMEM : err;
    }
    return 0;
}

int map_advise(struct space *space, vaddr_t start, size_t bytes, int advice)
{
    struct span span;
    lock_state  state;
    int         err;

    if (!is_known(advice) || !is_aligned(start, PAGE_SIZE))
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (!checked_span(start, bytes, layout.user.end, &span))
        return start + bytes < start ? -EINVAL : -ENOMEM;
    if (advice == POPULATE_READ || advice == POPULATE_WRITE)
        return populate(space, span, advice == POPULATE_WRITE ? MAY_WRITE : MAY_READ);
    state = lock_take(&space->map_lock);
    err   = advise(space, span, advice);
    lock_drop(&space->map_lock, state);
    return err;
}

/* Contents of files are in memory, which mappings share: there is nowhere further to write to. */
int map_sync(struct space *space, vaddr_t start, size_t bytes, int flags)
{
    struct span span;
    lock_state  state;
    int         err = 0;

    if (flags & ~(SYNC_ASYNC | SYNC_INVALIDATE | SYNC_SYNC) || (flags & (SYNC_ASYNC | SYNC_SYNC)) == (SYNC_ASYNC | SYNC_SYNC) ||
        !is_aligned(start, PAGE_SIZE))
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (!checked_span(start, bytes, layout.user.end, &span))
        return -ENOMEM;
    state = lock_take(&space->map_lock);
    for (page_t at = span.first; at < span.end && err == 0; ) {
        const struct region *region = region_find(&space->map, at);

        if (region == NULL)
            err = -ENOMEM;
        else
            at = region->span.end;
    }
    lock_drop(&space->map_lock, state);
    return err;
}
