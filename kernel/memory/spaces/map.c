/*
 * map.c - mmap, munmap, mprotect: decided first, then done.
 */
#include "memory/spaces/map.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "memory/tables/cursor.h"
#include "memory/spaces/fault.h"
#include "memory/frames/frame.h"
#include "memory/pageout/transfer.h"
#include "memory/spaces/map_region.h"
#include "memory/start.h"

/* ---- Promises --------------------------------------------------------------------------------- */

size_t map_committed;
int    map_overcommit;

static struct lock commit_lock = LOCK("promised pages", RANK_COMMIT);
static size_t      all_pages;                   /* [c] of RAM, as the memory map has them */

void map_start(void)
{
    map_committed = 0;
    all_pages     = memmap_ram(memory_map());
    faults_start();
    objects_start();
}

/*
 * Mode 0 refuses more pages than there are frames, and pages of the swap device; mode 2 promises at most half of RAM
 * and the device, as Linux does by default.
 */
static bool may_promise(size_t pages)
{
    deep_assert(lock_held(&commit_lock) && map_overcommit >= 0 && map_overcommit <= 2);
    switch (map_overcommit) {
    case 1:  return true;
    case 2:  return map_committed + pages <= all_pages / 2 + swap_room();
    default: return pages <= all_pages + swap_room();
    }
}

int map_charge(struct space *space, size_t pages)
{
    lock_state state = lock_take(&commit_lock);
    int        err   = may_promise(pages) ? 0 : -ENOMEM;

    deep_assert(space != &kernel_space && space->charged <= map_committed);
    if (err == 0) {
        map_committed  += pages;
        space->charged += pages;
    }
    deep_assert(space->charged <= map_committed);
    lock_drop(&commit_lock, state);
    return err;
}

void map_uncharge(struct space *space, size_t pages)
{
    lock_state state = lock_take(&commit_lock);

    assert(map_committed >= pages && space->charged >= pages);
    map_committed  -= pages;
    space->charged -= pages;
    lock_drop(&commit_lock, state);
}

/* ---- Placing ------------------------------------------------------------------------------------- */

static struct span user_span(void) { return layout.user; }

/* A program's range of whole pages. Returns 0, or the errno that Linux gives for it. */
static int span_from(vaddr_t start, size_t bytes, int outside, struct span *out)
{
    if (!is_aligned(start, PAGE_SIZE))
        return -EINVAL;
    if (bytes == 0)
        return -EINVAL;
    if (!checked_span(start, bytes, user_span().end, out))
        return outside;
    return 0;
}

static bool span_is_free(const struct space *space, struct span span)
{
    const struct region *region = region_at_or_above(&space->map, span.first);

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(!span_empty(span));
    return region == NULL || region->span.first >= span.end;
}

bool map_place(struct space *space, vaddr_t hint, size_t pages, page_t *out)
{
    struct span user  = user_span();
    page_t      first = page_of(hint);
    struct span below = { user.first, page_of(space->limits.map_end) };

    deep_assert(pages > 0);
    if (hint != 0 && first >= user.first && pages <= user.end - user.first && first <= user.end - pages &&
        span_is_free(space, span_of(first, pages))) {
        *out = first;
        return true;
    }
    if (below.end > user.end || below.end < user.first)
        below.end = user.end;
    return region_gap(&space->map, pages, 1, below, true, out) || region_gap(&space->map, pages, 1, user, true, out);
}

static int request_place(struct space *space, const struct map_request *request, size_t pages, struct span *out)
{
    page_t first;
    int    err;

    deep_assert(pages > 0 && pages <= span_pages(user_span()));
    if (!(request->flags & (MAP_IS_FIXED | MAP_NO_REPLACE))) {
        if (!map_place(space, request->address, pages, &first))
            return -ENOMEM;
        *out = span_of(first, pages);
        return 0;
    }
    err = span_from(request->address, pages * PAGE_SIZE, -ENOMEM, out);
    if (err != 0)
        return err;
    if (out->first < user_span().first)
        return -EPERM;
    if ((request->flags & MAP_NO_REPLACE) && !span_is_free(space, *out))
        return -EEXIST;
    return 0;
}

/* In line, though map_refusal() asks as well: map_create() is what programs wait for. */
#define IN_LINE static inline __attribute__((always_inline))

/* ---- mmap --------------------------------------------------------------------------------------------- */

static void request_describe(const struct map_request *request, struct span span, struct region *out)
{
    deep_assert(!span_empty(span) && span_covers(user_span(), span));
    memset(out, 0, sizeof *out);
    out->span      = span;
    out->rights    = map_rights(request->rights);
    out->may       = request->may;
    out->backing   = BACKING_USER;
    out->shared    = request->flags & MAP_IS_SHARED;
    out->uncharged = request->flags & MAP_NO_RESERVE;
    out->grows     = request->flags & MAP_GROWS_DOWN ? REGION_GROWS_DOWN : 0;
    out->locked    = request->flags & MAP_IS_LOCKED ? REGION_LOCKED : 0;
    out->name      = request->name;
    out->object    = request->object;
    out->offset    = request->offset;
    out->file      = request->file;
}

/* Limits of the process; pages that a fixed mapping replaces are given back, but count until then, as on Linux. */
static int within_limits(const struct space *space, const struct region *wanted, size_t pages)
{
    deep_assert(rwlock_held_to_write(&space->map_lock));
    if (pages > space->limits.whole / PAGE_SIZE || space->pages > space->limits.whole / PAGE_SIZE - pages)
        return -ENOMEM;
    if (map_is_charged(wanted) && (pages > space->limits.data / PAGE_SIZE ||
                                   space->charged > space->limits.data / PAGE_SIZE - pages))
        return -ENOMEM;
    return 0;
}

/* What Linux looks at before it looks at the file. */
static int decide_place(struct space *space, const struct map_request *request, size_t pages, struct region *wanted)
{
    struct span span;
    int         err;

    deep_assert(space->lock_future <= REGION_LOCKED_ON_FAULT);
    if (space->map.count > REGIONS_MAXIMUM)         /* mmap() may pass it by one, as on Linux */
        return -ENOMEM;
    err = request_place(space, request, pages, &span);
    if (err != 0)
        return err;
    request_describe(request, span, wanted);
    if (wanted->locked != 0 && space->limits.locked == 0)
        return -EPERM;
    if (space->lock_future > wanted->locked)
        wanted->locked = space->lock_future;
    return wanted->locked != 0 && !map_may_lock(space, pages) ? -EAGAIN : 0;
}

/* Check and set up all that can fail, in the region's own node. *spare is what map_cut() may need. */
static int decide_create(struct space *space, const struct map_request *request, size_t pages, struct region *wanted,
                         struct region **spare)
{
    int err = decide_place(space, request, pages, wanted);

    deep_assert(rwlock_held_to_write(&space->map_lock));
    if (err == 0)
        err = within_limits(space, wanted, pages);
    if (err == 0 && (request->flags & MAP_IS_FIXED) &&
        map_cut_splits(map_first(space, wanted->span), wanted->span) && (*spare = map_node()) == NULL)
        err = -ENOMEM;
    if (err == 0 && map_is_charged(wanted))
        err = map_charge(space, pages);
    return err;
}

/* *locked: the new pages are to be brought in. */
static int request_create(struct space *space, const struct map_request *request, size_t pages, struct span *out,
                          bool *locked)
{
    struct region *node, *spare = NULL;
    int            err;

    rwlock_write(&space->map_lock);
    node = map_node_kept(space);
    err  = node == NULL ? -ENOMEM : decide_create(space, request, pages, node, &spare);
    if (err == 0) {
        *out    = node->span;
        *locked = node->locked == REGION_LOCKED;
        if (request->flags & MAP_IS_FIXED)
            map_cut(space, map_first(space, node->span), node->span, &spare);
        map_enter(space, node);
        map_join(space, node);
    } else if (node != NULL) {
        map_node_keep(space, node);
    }
    rwlock_write_drop(&space->map_lock);
    map_node_free(spare);
    return err;
}

/* MAP_POPULATE: as many pages as there is memory for; Linux does not report a failure either. */
static void populate_now(struct space *space, struct span span, uint8_t access)
{
    struct fault_verdict verdict;

    deep_assert(!rwlock_held(&space->map_lock));
    deep_assert(access == MAY_READ || access == MAY_WRITE);
    for (page_t page = span.first; page < span.end; page++) {
        if (space_fault(space, page_address(page), access, &verdict) != 0)
            break;
        point_of_rest();
    }
}

/* Returns 0, -EINVAL, -ENOMEM or -EOVERFLOW. */
IN_LINE int request_pages(const struct map_request *request, size_t *pages)
{
    uint64_t end;

    deep_assert(request != NULL && pages != NULL);
    *pages = pages_for(request->bytes);
    if (request->bytes == 0)
        return -EINVAL;
    if (*pages > SIZE_MAX / PAGE_SIZE)
        return -ENOMEM;
    if (!checked_add(request->offset, *pages, &end) || end > SIZE_MAX)
        return -EOVERFLOW;
    return *pages > span_pages(user_span()) ? -ENOMEM : 0;
}

int map_refusal(struct space *space, const struct map_request *request)
{
    struct region wanted;
    size_t        pages;
    int           err = request_pages(request, &pages);

    may_sleep();
    if (err != 0)
        return err;
    rwlock_write(&space->map_lock);
    err = decide_place(space, request, pages, &wanted);
    rwlock_write_drop(&space->map_lock);
    return err;
}

/* The request is right in itself. */
static int create(struct space *space, const struct map_request *request, size_t pages, vaddr_t *out)
{
    struct span span;
    bool        locked = false;
    int         err    = request_create(space, request, pages, &span, &locked);

    if (err != 0)
        return err;
    if (locked)
        map_bring_in(space, span);
    else if ((request->flags & MAP_POPULATE_NOW) && request->rights != 0)
        populate_now(space, span, request->rights & MAY_WRITE ? MAY_WRITE : MAY_READ);
    *out = page_address(span.first);
    return 0;
}

/* Shared anonymous memory: the region holds the object, if there is one in the end. */
static int create_with_object(struct space *space, const struct map_request *request, size_t pages, vaddr_t *out)
{
    struct map_request wanted = *request;
    int                err;

    deep_assert((request->flags & MAP_IS_SHARED) && request->object == NULL);
    wanted.object = object_create(OWNER_SHARED, pages);
    wanted.offset = 0;
    if (wanted.object == NULL)
        return -ENOMEM;
    wanted.object->number = object_new_number();
    err = create(space, &wanted, pages, out);
    object_release(wanted.object);
    return err;
}

int map_create(struct space *space, const struct map_request *request, vaddr_t *out)
{
    size_t pages;
    int    err = request_pages(request, &pages);

    may_sleep();
    assert((request->rights & ~(MAY_READ | MAY_WRITE | MAY_EXECUTE)) == 0);
    deep_assert(!rwlock_held(&space->map_lock));
    if (err != 0)
        return err;
    if ((request->flags & MAP_IS_SHARED) && request->object == NULL)
        return create_with_object(space, request, pages, out);
    return create(space, request, pages, out);
}

/* ---- munmap -------------------------------------------------------------------------------------------- */

int map_remove(struct space *space, vaddr_t start, size_t bytes)
{
    struct region *first, *spare = NULL;
    struct span    span;
    int            err = span_from(start, bytes, -EINVAL, &span);

    may_sleep();
    deep_assert(space != &kernel_space);
    if (err != 0)
        return err;
    rwlock_write(&space->map_lock);
    first = map_first(space, span);
    if (map_cut_splits(first, span) && (!map_may_split(space) || (spare = map_node()) == NULL))
        err = -ENOMEM;
    else
        map_cut(space, first, span, &spare);
    rwlock_write_drop(&space->map_lock);
    return err;
}

void map_clear(struct space *space)
{
    may_sleep();
    rwlock_write(&space->map_lock);
    map_cut_all(space);
    rwlock_write_drop(&space->map_lock);
}

/* ---- mprotect --------------------------------------------------------------------------------------------- */

/*
 * Give a region other rights and bring its entries in line. Private pages gain the right to write here only where
 * nobody else can show them; of others the fault decides. Shared pages gain it. At the points of rest on the way some
 * entries have the old rights and some the new, so the region has both until all is done (S3).
 */
static void protect_region(struct region *region, struct rights rights)
{
    deep_assert(rwlock_held_to_write(&region->space->map_lock) && region->height > 0);
    region->rights = map_rights(region->rights.user | rights.user);
    pages_protect(region->space, region->span, rights, !region->shared);
    region->rights = rights;
}

/* Give the part of one region that lies in the span other rights. Nothing has changed on an error. */
static int protect_part(struct space *space, struct region *region, struct span part, uint8_t rights,
                        struct region **after)
{
    struct region *spares[2] = { NULL, NULL };
    bool           counts    = !region->uncharged && !region->shared && (rights & MAY_WRITE);   /* map_is_charged() */
    int            err       = 0;

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(region->space == space && !span_empty(part) && span_covers(region->span, part));
    if (rights & ~region->may)
        return -EACCES;
    if (!span_covers(part, region->span) && !map_may_split(space))
        return -ENOMEM;
    if (region->span.first < part.first)
        err = (spares[0] = map_node()) == NULL ? -ENOMEM : 0;
    if (err == 0 && region->span.end > part.end)
        err = (spares[1] = map_node()) == NULL ? -ENOMEM : 0;
    if (err == 0 && counts && !map_is_charged(region))
        err = map_charge(space, span_pages(part));
    if (err != 0) {
        map_node_free(spares[0]);
        map_node_free(spares[1]);
        return err;
    }
    if (map_is_charged(region) && !counts)
        map_uncharge(space, span_pages(part));
    region = map_split(space, region, part.first, &spares[0]);
    if (region->span.end > part.end)
        map_split(space, region, part.end, &spares[1]);
    protect_region(region, map_rights(rights));
    *after = map_join(space, region);
    return 0;
}

/*
 * With grows_down the range begins at the start of the region that holds its first page, or is the first above it
 * below the range's end; that region must be one that grows (PROT_GROWSDOWN). Returns 0, -ENOMEM or -EINVAL.
 */
static int begin_at_growing(const struct space *space, struct span *span)
{
    const struct region *region = region_at_or_above(&space->map, span->first);

    deep_assert(rwlock_held_to_write(&space->map_lock));
    if (region == NULL || region->span.first >= span->end)
        return -ENOMEM;
    span->first = region->span.first;
    return region->grows & REGION_GROWS_DOWN ? 0 : -EINVAL;
}

/* From the lowest page up to the first hole or refusal; regions below stay changed: as Linux does. */
static int protect_span(struct space *space, struct span span, uint8_t rights)
{
    page_t at = span.first;

    deep_assert(rwlock_held_to_write(&space->map_lock));
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held */
    while (at < span.end) {
        struct region *region = region_find(&space->map, at);
        struct span    part   = { at, span.end };
        int            err;

        if (region == NULL)
            return -ENOMEM;
        if (part.end > region->span.end)
            part.end = region->span.end;
        deep_assert(part.end > at);
        if (region->rights.user != rights) {
            err = protect_part(space, region, part, rights, &region);
            if (err != 0)
                return err;
        }
        at = part.end;
        point_of_rest();
    }
    return 0;
}

static int protect_range(struct space *space, vaddr_t start, size_t bytes, uint8_t rights, bool grows_down)
{
    struct span span;
    int         err;

    deep_assert((rights & ~(MAY_READ | MAY_WRITE | MAY_EXECUTE)) == 0);
    if (bytes == 0)
        return is_aligned(start, PAGE_SIZE) ? 0 : -EINVAL;
    err = span_from(start, bytes, -ENOMEM, &span);
    if (err != 0)
        return err;
    rwlock_write(&space->map_lock);
    if (grows_down)
        err = begin_at_growing(space, &span);
    if (err == 0)
        err = protect_span(space, span, rights);
    rwlock_write_drop(&space->map_lock);
    return err;
}

int map_protect(struct space *space, vaddr_t start, size_t bytes, uint8_t rights)
{
    return protect_range(space, start, bytes, rights, false);
}

int map_protect_growing(struct space *space, vaddr_t start, size_t bytes, uint8_t rights)
{
    return protect_range(space, start, bytes, rights, true);
}

/* ---- brk ----------------------------------------------------------------------------------------------------- */

static int extend_break(struct space *space, vaddr_t from, vaddr_t to)
{
    struct map_request request = {
        .address = from, .bytes = to - from, .rights = MAY_READ | MAY_WRITE, .may = MAY_READ | MAY_WRITE | MAY_EXECUTE,
        .flags = MAP_IS_FIXED | MAP_NO_REPLACE,
    };
    vaddr_t out;

    deep_assert(from < to && is_aligned(from, PAGE_SIZE) && is_aligned(to, PAGE_SIZE));
    return map_create(space, &request, &out);
}

/* The break is kept in bytes and may lie inside a page, which is mapped whole. Returns whether it may move, and has. */
static bool move_break(struct space *space, vaddr_t wanted)
{
    struct map_limits *limits = &space->limits;
    uint64_t           new_end, old_end;
    int                err = 0;

    deep_assert(rwlock_held_to_write(&space->break_lock) && limits->break_start <= limits->break_end);
    if (wanted < limits->break_start || wanted - limits->break_start > limits->data ||
        (limits->break_most != 0 && wanted > limits->break_most) ||
        !checked_round_up(wanted, PAGE_SIZE, &new_end) || !checked_round_up(limits->break_end, PAGE_SIZE, &old_end) ||
        (new_end >> PAGE_SHIFT) > user_span().end)
        return false;
    if (new_end > old_end)
        err = extend_break(space, (vaddr_t)old_end, (vaddr_t)new_end);
    else if (new_end < old_end)
        err = map_remove(space, (vaddr_t)new_end, (size_t)(old_end - new_end));
    return err == 0;
}

vaddr_t map_break(struct space *space, vaddr_t wanted)
{
    vaddr_t now;

    may_sleep();
    rwlock_write(&space->break_lock);
    if (move_break(space, wanted))
        space->limits.break_end = wanted;
    now = space->limits.break_end;
    rwlock_write_drop(&space->break_lock);
    return now;
}
