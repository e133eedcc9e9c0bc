/*
 * map_move.c - mremap: a mapping grows, shrinks, moves, or is seen in a second place.
 *
 *   wanted                        what happens
 *   no more pages than before     the pages beyond them are unmapped, whatever regions they lie in
 *   more, with room above         the region becomes longer
 *   more, MAY_MOVE                a longer region elsewhere shows the old pages; the old place is unmapped
 *   FIXED                         the same at a given place, which is unmapped first; also with fewer pages
 *   old size 0, shared            a second region shows the object from there on; the first stays
 *   KEEP_OLD (MREMAP_DONTUNMAP)   the pages move, and the old region stays, empty
 */
#include "memory/spaces/map.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/spaces/map_region.h"

enum { MAY_MOVE = 1, MOVE_FIXED = 2, KEEP_OLD = 4 };

/* A move adds regions; as on Linux, it is refused when fewer than these are left of the maximum. */
enum { REGIONS_KEPT = 3 };

struct move {
    struct region *region;              /* the one that holds the first old page          */
    struct span    old;                 /* as the program said; may reach past the region */
    size_t         pages;               /* wanted                                         */
    uint32_t       flags;
    bool           grew;                /* a locked region became longer: bring its new pages in */
};

/* The memory that a move may need, taken before anything has changed. */
struct provisions {
    struct region *node, *spare, *spare_there;
    struct batch  *batch;
};

static int provisions_take(struct provisions *p)
{
    deep_assert(p->node == NULL && p->spare == NULL && p->spare_there == NULL && p->batch == NULL);
    p->node        = map_node();
    p->spare       = map_node();
    p->spare_there = map_node();
    p->batch       = map_batch();
    return p->node != NULL && p->spare != NULL && p->spare_there != NULL && p->batch != NULL ? 0 : -ENOMEM;
}

static void provisions_give_back(struct provisions *p)
{
    map_node_free(p->node);
    map_node_free(p->spare);
    map_node_free(p->spare_there);
    map_batch_free(p->batch);
}

/* ---- Checks ----------------------------------------------------------------------------- */

/* How many of the old pages are kept. */
static size_t move_kept(const struct move *m)
{
    return span_pages(m->old) < m->pages ? span_pages(m->old) : m->pages;
}

/* Pages the program has more afterwards. */
static size_t more_pages(const struct move *m)
{
    return m->flags & KEEP_OLD || span_empty(m->old) ? m->pages : m->pages - move_kept(m);
}

static int check_limits(const struct space *space, const struct move *m)
{
    size_t more = more_pages(m);

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(m->region != NULL && m->region->space == space);
    if (m->region->locked != 0 && more > 0 && !map_may_lock(space, more))
        return -EAGAIN;
    return more > space->limits.whole / PAGE_SIZE || space->pages > space->limits.whole / PAGE_SIZE - more ? -ENOMEM
                                                                                                           : 0;
}

/* Whether the region that holds the old pages can be moved so. What the kernel shows never becomes more. */
static int check_region(const struct space *space, const struct move *m)
{
    const struct region *region = m->region;
    uint64_t             end;

    deep_assert(m->pages > 0 && span_has(m->region->span, m->old.first));
    if (span_empty(m->old) && !region->shared)
        return -EINVAL;
    if (m->old.first + move_kept(m) > region->span.end)
        return -EFAULT;
    if (map_is_special(region) && more_pages(m) > 0)
        return m->flags & KEEP_OLD ? -EINVAL : -EFAULT;
    if (!checked_add(region->offset + (m->old.first - region->span.first), m->pages, &end))
        return -EINVAL;
    return check_limits(space, m);
}

/* ---- Moving ---------------------------------------------------------------------------------- */

static bool grow_in_place(struct space *space, const struct move *m)
{
    struct span   wider = { m->region->span.first, m->old.first + m->pages };
    size_t        more  = m->pages - span_pages(m->old);

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(!span_empty(m->old) && m->pages > span_pages(m->old));
    if (m->old.end != m->region->span.end || wider.end > layout.user.end)
        return false;
    if (map_is_charged(m->region) && map_charge(space, more) != 0)
        return false;
    if (region_resize(&space->map, m->region, wider) != 0) {
        if (map_is_charged(m->region))
            map_uncharge(space, more);
        return false;
    }
    map_count_more(space, m->region, more);
    map_join(space, m->region);
    return true;
}

/* Once the pages are shown elsewhere: remove the old region, or leave it empty, as if it had never been touched. */
static void leave_old(struct space *space, const struct move *m, struct provisions *p)
{
    deep_assert(rwlock_held_to_write(&space->map_lock));
    if (!(m->flags & KEEP_OLD)) {
        if (!span_empty(m->old))
            map_cut(space, map_first(space, m->old), m->old, &p->spare);
        return;
    }
    map_discard(space, m->old);
    map_set_locked(space, m->region, 0);
    map_join(space, m->region);
}

/* Enter the new region and show the old pages there; then leave_old(). */
static int move_to(struct space *space, const struct move *m, page_t to, struct provisions *p)
{
    struct region *node = p->node;
    int            err  = 0;

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(node != NULL && span_covers(layout.user, span_of(to, m->pages)));
    deep_assert(m->region != NULL && span_has(m->region->span, m->old.first));
    if (map_is_charged(m->region) && map_charge(space, m->pages) != 0)
        return -ENOMEM;
    *node = *m->region;
    node->span    = span_of(to, m->pages);
    node->offset += m->old.first - m->region->span.first;
    map_enter(space, node);
    p->node = NULL;
    if (move_kept(m) > 0)
        err = map_copy_pages(p->batch, m->region, span_of(m->old.first, move_kept(m)), space, to - m->old.first);
    if (err != 0) {
        map_discard(space, node->span);
        map_drop(space, node);
        return err;
    }
    leave_old(space, m, p);
    deep_assert(region_find(&space->map, to) != NULL);
    map_join(space, region_find(&space->map, to));
    return 0;
}

static bool has_room(const struct space *space) { return space->map.count < REGIONS_MAXIMUM - REGIONS_KEPT; }

static int move_fixed(struct space *space, struct move *m, vaddr_t place, struct provisions *p)
{
    struct span to, user = layout.user;
    int         err;

    deep_assert(m->flags & MOVE_FIXED);
    if (!is_aligned(place, PAGE_SIZE) || !checked_span(place, m->pages * PAGE_SIZE, user.end, &to) ||
        span_meets(to, m->old))
        return -EINVAL;
    if (to.first < user.first)
        return -EPERM;
    if (span_has(to, m->old.first))     /* an old size of 0: the place would take the page that is to be shown again */
        return to.first == m->old.first ? -EFAULT : -EINVAL;
    err = check_region(space, m);
    if (err != 0)
        return err;
    if (!has_room(space))
        return -ENOMEM;
    map_cut(space, map_first(space, to), to, &p->spare_there);
    deep_assert(!span_has(to, m->old.first));
    m->region = region_find(&space->map, m->old.first);     /* the cut may have split it */
    return move_to(space, m, to.first, p);
}

/* Near the hint, as mmap() would put it; else the highest place below map_end, else anywhere. */
static int move_freely(struct space *space, struct move *m, vaddr_t hint, struct provisions *p, page_t *to)
{
    if (!has_room(space) || !map_place(space, hint, m->pages, to))
        return -ENOMEM;
    return move_to(space, m, *to, p);
}

static int move_shrink(struct space *space, const struct move *m, struct provisions *p)
{
    struct span rest = { m->old.first + m->pages, m->old.end };

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(m->pages <= span_pages(m->old));
    if (span_empty(rest))
        return 0;
    if (map_cut_splits(map_first(space, rest), rest) && !map_may_split(space))
        return -ENOMEM;
    map_cut(space, map_first(space, rest), rest, &p->spare);
    return 0;
}

static int move_resize(struct space *space, struct move *m, struct provisions *p, page_t *out)
{
    int err;

    deep_assert(!(m->flags & (MOVE_FIXED | KEEP_OLD)));
    if (span_pages(m->old) >= m->pages)
        return move_shrink(space, m, p);
    err = check_region(space, m);
    if (err != 0)
        return err;
    if (!span_empty(m->old) && grow_in_place(space, m))
        return 0;
    return m->flags & MAY_MOVE ? move_freely(space, m, 0, p, out) : -ENOMEM;
}

static int keep_old(struct space *space, struct move *m, vaddr_t hint, struct provisions *p, page_t *out)
{
    struct span there;
    int         err = -EINVAL;

    deep_assert((m->flags & KEEP_OLD) && span_pages(m->old) == m->pages);
    if (is_aligned(hint, PAGE_SIZE) && checked_span(hint, m->pages * PAGE_SIZE, layout.user.end, &there) &&
        !span_meets(there, m->old))
        err = check_region(space, m);
    return err != 0 ? err : move_freely(space, m, hint, p, out);
}

/* ---- The call ------------------------------------------------------------------------------------ */

static int move_elsewhere(struct space *space, struct move *m, vaddr_t place, struct provisions *p, page_t *out)
{
    bool locked;
    int  err;

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(m->pages > 0 && m->pages <= span_pages(layout.user));
    m->region = region_find(&space->map, m->old.first);
    if (m->region == NULL)
        return -EFAULT;
    locked = m->region->locked == REGION_LOCKED;
    *out   = m->old.first;
    if (m->flags & MOVE_FIXED) {
        *out = page_of(place);
        err  = move_fixed(space, m, place, p);
    } else if (m->flags & KEEP_OLD) {
        err = keep_old(space, m, place, p, out);
    } else {
        err = move_resize(space, m, p, out);
    }
    m->grew = err == 0 && locked && m->pages > span_pages(m->old);
    return err;
}

static int check_arguments(vaddr_t old, size_t old_bytes, size_t new_bytes, uint32_t flags)
{
    if (!is_aligned(old, PAGE_SIZE) || new_bytes == 0 || flags & ~(uint32_t)(MAY_MOVE | MOVE_FIXED | KEEP_OLD))
        return -EINVAL;
    if ((flags & (MOVE_FIXED | KEEP_OLD)) && !(flags & MAY_MOVE))
        return -EINVAL;
    return (flags & KEEP_OLD) && old_bytes != new_bytes ? -EINVAL : 0;
}

/* The old range as the program gave it: it may be empty, and reach past the pages that are mapped. */
static int old_span(vaddr_t old, size_t old_bytes, struct span *out)
{
    *out = span_of(page_of(old), 0);
    if (out->first >= layout.user.end)
        return -EFAULT;
    return old_bytes == 0 || checked_span(old, old_bytes, layout.user.end, out) ? 0 : -EINVAL;
}

int map_move(struct space *space, vaddr_t old, size_t old_bytes, size_t new_bytes, uint32_t flags, vaddr_t place,
             vaddr_t *out)
{
    struct move       m = { .pages = pages_for(new_bytes), .flags = flags };
    struct provisions p = { 0 };
    page_t            page = 0;
    int               err  = check_arguments(old, old_bytes, new_bytes, flags);

    may_sleep();
    if (err == 0)
        err = old_span(old, old_bytes, &m.old);
    if (err != 0)
        return err;
    if (m.pages > span_pages(layout.user))
        return flags & MOVE_FIXED ? -EINVAL : -ENOMEM;
    err = provisions_take(&p);
    if (err == 0) {
        rwlock_write(&space->map_lock);
        err = move_elsewhere(space, &m, place, &p, &page);
        rwlock_write_drop(&space->map_lock);
    }
    provisions_give_back(&p);
    if (err != 0)
        return err;
    *out = page_address(page);
    if (m.grew)
        map_bring_in(space, span_of(page, m.pages));
    return 0;
}

/* ---- remap_file_pages ------------------------------------------------------------------------------ */

/* The same region again, with another part of its object behind it. */
static int show_other(struct space *space, struct span span, uint64_t offset, struct region *node,
                      struct region **spare)
{
    struct region *region = region_find(&space->map, span.first);

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(node != NULL && *spare != NULL && !span_empty(span));
    if (region == NULL || !region->shared || map_is_physical(region) || span.end > region->span.end)
        return -EINVAL;
    if (!map_may_split(space))
        return -ENOMEM;
    *node = *region;
    node->span   = span;
    node->offset = offset;
    object_hold(node->object);              /* the cut may take the last region that shows it */
    if (node->file != NULL)
        map_file_hold(node->file);
    map_cut(space, map_first(space, span), span, spare);
    map_enter(space, node);
    object_release(node->object);
    if (node->file != NULL)
        map_file_release(node->file);
    map_join(space, node);
    return 0;
}

int map_show_other(struct space *space, vaddr_t start, size_t bytes, uint64_t offset)
{
    struct region *node, *spare;
    struct span    span;
    uint64_t       end;
    int            err = -ENOMEM;

    may_sleep();
    start = (vaddr_t)round_down(start, PAGE_SIZE);
    bytes = (size_t)round_down(bytes, PAGE_SIZE);
    if (bytes == 0 || !checked_span(start, bytes, layout.user.end, &span) ||
        !checked_add(offset, span_pages(span), &end))
        return -EINVAL;
    node  = map_node();
    spare = map_node();
    if (node != NULL && spare != NULL) {
        rwlock_write(&space->map_lock);
        err = show_other(space, span, offset, node, &spare);
        rwlock_write_drop(&space->map_lock);
    }
    if (err != 0)
        map_node_free(node);
    map_node_free(spare);
    return err;
}
