/*
 * map_copy.c - the same pages in a second place: fork and mremap.
 *
 * Two cursors cannot be open at once (one lock each, of one rank), so entries go through a batch: lent by one
 * cursor, each frame gaining a reference, borrowed by another. A failure in the middle leaves the
 * source as it was, but for rights to write that the next fault gives back.
 */
#include "memory/spaces/map.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/spaces/map_region.h"

/* Entries of one table that go together: as many as fit the largest small block of the heap. */
enum { BATCH = (HEAP_SMALL - sizeof(page_t) - sizeof(struct cursor_run)) / sizeof(entry_t) };

struct batch {
    page_t            first;
    struct cursor_run run;
    entry_t           entries[BATCH];
};

/* Fill the batch from `page` on, with nothing at the end of the span. */
static void lend(struct batch *batch, struct space *space, struct span span, page_t page, bool apart)
{
    struct cursor c;
    int           err = cursor_open(&c, space, (struct span){ page, span.end }, 0);

    assert(err == 0);
    batch->first = cursor_next(&c, page);
    batch->run   = (struct cursor_run){ 0 };
    if (batch->first < span.end)
        batch->run = cursor_lend(&c, batch->first, batch->entries,
                                 span.end - batch->first < BATCH ? span.end - batch->first : BATCH, apart);
    cursor_close(&c);
}

/* Nobody borrows what was lent. */
static void take_back(const struct batch *batch)
{
    for (size_t i = 0; i < batch->run.count; i++)
        if (entry_kind(batch->entries[i], 1) != ENTRY_EMPTY)
            frame_put(entry_frame(batch->entries[i]));
}

/* Returns 0, or -ENOMEM; then the batch's references are dropped. */
static int borrow(const struct batch *batch, struct space *space, page_t shift)
{
    struct cursor c;

    if (cursor_open(&c, space, span_of(batch->first + shift, batch->run.count), CURSOR_BUILD) != 0) {
        take_back(batch);
        return -ENOMEM;
    }
    cursor_borrow(&c, batch->first + shift, batch->entries, batch->run);
    cursor_close(&c);
    return 0;
}

/* Every frame that a span of `from` shows is shown by `to` as well, `shift` pages further up. */
static int copy_pages(struct batch *batch, struct space *from, struct span span, struct space *to, page_t shift, bool apart)
{
    for (page_t page = span.first; page < span.end; page = batch->first + batch->run.count) {
        lend(batch, from, span, page, apart);
        if (batch->run.count > 0 && borrow(batch, to, shift) != 0)
            return -ENOMEM;
    }
    return 0;
}

/* ---- fork --------------------------------------------------------------------------------- */

static int copy_region(struct batch *batch, struct space *child, struct space *parent, const struct region *region)
{
    struct region *node = map_node();

    if (node == NULL)
        return -ENOMEM;
    if (map_is_charged(region) && map_charge(child, span_pages(region->span)) != 0) {
        map_node_free(node);
        return -ENOMEM;
    }
    *node = *region;
    map_enter(child, node);
    if (region->shared)                     /* the object has the pages; faults bring them back */
        return 0;
    return copy_pages(batch, parent, region->span, child, 0, true);
}

int map_copy(struct space *child, struct space *parent)
{
    struct batch *batch = heap_alloc(sizeof *batch, 0);
    lock_state    state;
    int           err = 0;

    if (batch == NULL)
        return -ENOMEM;
    child->limits = parent->limits;
    state = lock_take(&parent->map_lock);
    for (const struct region *r = region_at_or_above(&parent->map, 0); r != NULL && err == 0; r = region_next(r))
        if (!r->not_forked)
            err = copy_region(batch, child, parent, r);
    lock_drop(&parent->map_lock, state);
    heap_free_sized(batch, sizeof *batch);
    if (err != 0)
        map_clear(child);
    return err;
}

/* ---- mremap ----------------------------------------------------------------------------------- */

enum { MAY_MOVE = 1, MOVE_FIXED = 2 };

struct move {
    struct region *region;
    struct span    old;
    size_t         pages;               /* wanted */
};

/* What both ways of moving need, taken while failing is harmless. */
struct provisions {
    struct region *node, *spare;
    struct batch  *batch;
};

static int provide(struct provisions *p)
{
    p->node  = map_node();
    p->spare = map_node();
    p->batch = heap_alloc(sizeof *p->batch, 0);
    return p->node != NULL && p->spare != NULL && p->batch != NULL ? 0 : -ENOMEM;
}

static int grow_in_place(struct space *space, const struct move *m)
{
    struct span   wider = { m->region->span.first, m->old.first + m->pages };
    size_t        more  = m->pages - span_pages(m->old);

    if (m->old.end != m->region->span.end || wider.end > layout.user.end)
        return -ENOMEM;
    if (map_is_charged(m->region) && map_charge(space, more) != 0)
        return -ENOMEM;
    if (region_resize(&space->map, m->region, wider) != 0) {
        if (map_is_charged(m->region))
            map_uncharge(space, more);
        return -ENOMEM;
    }
    space->pages += more;
    map_join(space, m->region);
    return 0;
}

/* Enter the new region and show the old pages there; then the old is cut out. */
static int move_to(struct space *space, const struct move *m, page_t to, struct provisions *p)
{
    size_t         kept = span_pages(m->old) < m->pages ? span_pages(m->old) : m->pages;
    struct region *node = p->node;
    int            err;

    if (map_is_charged(m->region) && map_charge(space, m->pages) != 0)
        return -ENOMEM;
    *node = *m->region;
    node->span    = span_of(to, m->pages);
    node->offset += m->old.first - m->region->span.first;
    map_enter(space, node);
    p->node = NULL;
    err = copy_pages(p->batch, space, span_of(m->old.first, kept), space, to - m->old.first, false);
    if (err != 0) {
        map_discard(space, node->span);
        map_drop(space, node);
        return err;
    }
    map_cut(space, m->old, &p->spare);
    map_join(space, region_find(&space->map, to));
    return 0;
}

static int check_limits(const struct space *space, const struct move *m)
{
    size_t more = m->pages > span_pages(m->old) ? m->pages - span_pages(m->old) : 0;

    return more > space->limits.whole / PAGE_SIZE || space->pages > space->limits.whole / PAGE_SIZE - more ? -ENOMEM : 0;
}

static int find_old(struct space *space, vaddr_t old, size_t old_bytes, struct move *m)
{
    if (!checked_span(old, old_bytes, layout.user.end, &m->old))
        return -EINVAL;
    m->region = region_find(&space->map, m->old.first);
    return m->region == NULL || m->old.end > m->region->span.end ? -EFAULT : 0;
}

static int move_fixed(struct space *space, struct move *m, vaddr_t place, struct provisions *p)
{
    struct span    to, user = layout.purpose[PURPOSE_USER]->span;
    struct region *spare = NULL;

    if (!is_aligned(place, PAGE_SIZE) || !checked_span(place, m->pages * PAGE_SIZE, user.end, &to) || span_meets(to, m->old))
        return -EINVAL;
    if (to.first < user.first)
        return -EPERM;
    if (map_cut_splits(space, to) && (spare = map_node()) == NULL)
        return -ENOMEM;
    map_cut(space, to, &spare);
    m->region = region_find(&space->map, m->old.first);     /* the cut may have split it */
    return move_to(space, m, to.first, p);
}

static int move_freely(struct space *space, struct move *m, struct provisions *p, page_t *to)
{
    struct span user = layout.purpose[PURPOSE_USER]->span, below = { user.first, page_of(space->limits.map_end) };

    if (below.end > user.end || below.end <= below.first)
        below = user;
    if (!region_gap(&space->map, m->pages, 1, below, true, to) && !region_gap(&space->map, m->pages, 1, user, true, to))
        return -ENOMEM;
    return move_to(space, m, *to, p);
}

static int resize(struct space *space, vaddr_t old, size_t old_bytes, uint32_t flags, vaddr_t place, struct move *m,
                  struct provisions *p, page_t *out)
{
    int err = find_old(space, old, old_bytes, m);

    if (err == 0)
        err = check_limits(space, m);
    if (err != 0)
        return err;
    *out = m->old.first;
    if (flags & MOVE_FIXED) {
        *out = page_of(place);
        return move_fixed(space, m, place, p);
    }
    if (m->pages <= span_pages(m->old)) {
        if (m->pages < span_pages(m->old))
            map_cut(space, (struct span){ m->old.first + m->pages, m->old.end }, &p->spare);
        return 0;
    }
    if (grow_in_place(space, m) == 0)
        return 0;
    return flags & MAY_MOVE ? move_freely(space, m, p, out) : -ENOMEM;
}

int map_move(struct space *space, vaddr_t old, size_t old_bytes, size_t new_bytes, uint32_t flags, vaddr_t place, vaddr_t *out)
{
    struct move       m = { .pages = pages_for(new_bytes) };
    struct provisions p = { 0 };
    page_t            page = 0;
    lock_state        state;
    int               err;

    if (!is_aligned(old, PAGE_SIZE) || flags & ~(uint32_t)(MAY_MOVE | MOVE_FIXED) || new_bytes == 0 || old_bytes == 0 ||
        ((flags & MOVE_FIXED) && !(flags & MAY_MOVE)))
        return -EINVAL;
    if (m.pages > span_pages(layout.user))
        return -ENOMEM;
    err = provide(&p);
    if (err == 0) {
        state = lock_take(&space->map_lock);
        err   = resize(space, old, old_bytes, flags, place, &m, &p, &page);
        lock_drop(&space->map_lock, state);
    }
    map_node_free(p.node);
    map_node_free(p.spare);
    heap_free(p.batch);
    if (err == 0)
        *out = page_address(page);
    return err;
}
