/*
 * cursor.c - editing page tables: everything that can fail in cursor_open(), the flush in cursor_close().
 *
 * Lock order: a cursor holds tables_lock; inside it come the list of spaces (sharing a new
 * kernel table) and the pool.
 */
#include "memory/tables/cursor_tables.h"

#include "base/check.h"
#include "base/range.h"
#include "base/rwlock.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"
#include "memory/tables/table.h"
#include "memory/tables/table_access.h"
#include "memory/tables/watch.h"

/* Compiled to be small: edits that no program waits for. */
#define SELDOM __attribute__((cold))

/* ---- The table in view --------------------------------------------------------------- */

/* Bring the count of the table in view up to date (C1). */
static void cursor_settle(struct cursor *c)
{
    uint32_t count;

    if (c->more == 0 || cursor_of_kernel(c) || MMU_LEVELS == 1)
        return;                         /* kernel tables and roots are not counted */
    count = frame_link(c->table_frame) + (uint32_t)c->more;
    assert(count <= MMU_ENTRIES);
    frame_set_link(c->table_frame, count);
    c->sweep |= count == 0;
    c->more = 0;
}

/* Bring the last-level table of a page into view; where it is missing, note the pages that lack it. */
static void cursor_look(struct cursor *c, page_t page)
{
    unsigned level;
    entry_t *at;
    page_t   reach;

    cursor_settle(c);
    at    = table_walk(c->space, page, &level, &c->table_frame);
    reach = level > 1 ? mmu_reach(level) : MMU_ENTRIES;
    c->in_view.first = round_down(page, reach);
    c->in_view.end   = c->in_view.first + reach;
    c->table  = level > 1 ? NULL : at - (page - c->in_view.first);
    c->large  = level > 1 ? entry_read(at) : entry_empty();
    c->global = cursor_of_kernel(c) && page_may_be_global(page);
}

/* The entry of a page, NULL where there is no table. */
entry_t *cursor_find(struct cursor *c, page_t page)
{
    assert(span_has(c->span, page));
    if (!span_has(c->in_view, page))
        cursor_look(c, page);
    return c->table != NULL ? &c->table[page - c->in_view.first] : NULL;
}

/* ---- Forgetting translations, and giving frames back --------------------------------- */

/* Flush the pages of aliases that repeat noted pages: the processor may have cached both. */
static void flush_twins(const struct cursor *c)
{
    /* bound: regions of the document times CURSOR_PAGES */
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *twin = &layout.regions[i];

        if (twin->backing != BACKING_ALIAS)
            continue;
        for (uint32_t j = 0; j < c->flush_count; j++)
            if (c->flush[j] - twin->alias < span_pages(twin->span))
                mmu_flush_page(twin->span.first + (c->flush[j] - twin->alias));
    }
}

static void flush_noted(struct cursor *c)
{
    if (c->flush_count == 0)
        return;
    if (!space_is_current(c->space)) {
        /* No processor has cached any of its entries. */
    } else if (c->flush_count > CURSOR_PAGES) {
        if (cursor_of_kernel(c))
            mmu_flush_all();
        else
            mmu_flush_space();
    } else {
        /* bound: CURSOR_PAGES */
        for (uint32_t i = 0; i < c->flush_count; i++)
            mmu_flush_page(c->flush[i]);
        if (cursor_of_kernel(c))
            flush_twins(c);
    }
    c->flush_count = 0;
}

/* After the flush no processor reaches the frames through the tables. */
static void drop_freed(struct cursor *c)
{
    deep_assert(c->freed_count <= CURSOR_FREED && c->flush_count == 0);
    frame_put_all(c->freed, c->freed_count);
    c->freed_count = 0;
}

/* The end of a batch: every processor sees what was edited, and the lock is dropped. */
static void cursor_let_go(struct cursor *c)
{
    deep_assert(lock_held(&c->space->tables_lock));
    deep_assert(c->more == 0 || cursor_of_kernel(c) || MMU_LEVELS == 1);
    flush_noted(c);
    if (c->resident < 0)
        c->space->peak = space_peak(c->space);
    c->space->resident += (uint32_t)c->resident;
    lock_drop(&c->space->tables_lock, c->state);
    drop_freed(c);
}

void cursor_note_flush(struct cursor *c, page_t page)
{
    deep_assert(span_has(c->span, page) || TABLES_IN_SELF_MAP);
    if (c->flush_count < CURSOR_PAGES)
        c->flush[c->flush_count++] = page;
    else
        c->flush_count = CURSOR_PAGES + 1;
}

void cursor_note_freed(struct cursor *c, frame_t frame)
{
    deep_assert(frame_exists(frame));
    if (c->freed_count == CURSOR_FREED) {
        flush_noted(c);
        drop_freed(c);
    }
    c->freed[c->freed_count++] = frame;
}

/* ---- Opening and closing ----------------------------------------------------------------- */

int cursor_open(struct cursor *c, struct space *space, struct span span, unsigned flags)
{
    int err = 0;

    assert(!span_empty(span) && span.end <= layout.space_end);
    c->space       = space;
    c->span        = span;
    c->state       = lock_take(&space->tables_lock);
    c->in_view     = (struct span){ 0, 0 };
    c->more        = 0;
    c->resident    = 0;
    c->sweep       = false;
    c->flush_count = 0;
    c->freed_count = 0;
    if (flags & CURSOR_BUILD) {
        if (MMU_VARIABLE)
            mmu_cover(entry_at(space, 0, MMU_LEVELS), span.end);
        cursor_look(c, span.first);            /* mostly the span is short and has its table */
        if (c->table == NULL || span.end > c->in_view.end)
            err = cursor_build(c, flags & CURSOR_LARGE ? MMU_LARGE_LEVEL : 1);
    } else if (TABLES_GO_OUT && (flags & CURSOR_BACK) && table_home_is_out(space, span.first)) {
        c->span.end = span.first + 1;
        err         = cursor_build(c, 1);
        c->span.end = span.end;
        c->sweep    = false;                    /* cursor_take_out() may leave tables empty */
    }
    if (err != 0)
        lock_drop(&space->tables_lock, c->state);
    return err;
}

void cursor_close(struct cursor *c)
{
    deep_assert(lock_held(&c->space->tables_lock));
    cursor_settle(c);
    if (c->sweep && !cursor_of_kernel(c))
        cursor_sweep(c);
    if (MMU_VARIABLE && !cursor_of_kernel(c))
        mmu_trim(entry_at(c->space, 0, MMU_LEVELS));
    cursor_let_go(c);
}

void cursor_rest(struct cursor *c)
{
    may_sleep_dropping(&c->space->tables_lock, c->state);
    deep_assert(lock_held(&c->space->tables_lock) && !cursor_of_kernel(c));
    cursor_settle(c);
    cursor_let_go(c);
    c->resident = 0;
    if (point_of_rest())
        c->in_view = (struct span){ 0, 0 };         /* others may have looked at other tables meanwhile */
    c->state = lock_take(&c->space->tables_lock);
}

/* ---- Edits: none can fail ------------------------------------------------------------------- */

entry_watch entry_watcher;

/* With one level only, kernel pages are entries of every root. */
static void share_leaf(struct cursor *c, page_t page, entry_t *at)
{
    if (MMU_LEVELS == 1 && cursor_of_kernel(c))
        cursor_share(c, page, entry_read(at));
}

/* Pages of processes that are present are counted. */
static void count_present(struct cursor *c, page_t page, int more)
{
    deep_assert(more >= -1 && more <= 1);
    if (!cursor_of_kernel(c) && page_is_users(page))
        c->resident += more;
}

/*
 * What an entry says where nothing is. In a master table (table_access.h) that is the page's own frame, not present.
 */
static entry_t nothing_at(const struct cursor *c, page_t page)
{
    if (KERNEL_HAS_MASTER && cursor_of_kernel(c))
        return entry_absent(ENTRY_IDENTITY, (uint32_t)page, (struct rights){ 0, 0 });
    return entry_empty();
}

entry_t cursor_read(struct cursor *c, page_t page)
{
    const entry_t *at = cursor_find(c, page);

    deep_assert(lock_held(&c->space->tables_lock));
    return at != NULL ? entry_read(at) : c->large;
}

void cursor_map(struct cursor *c, page_t page, frame_t frame, struct rights rights, enum cache cache)
{
    entry_t *at  = cursor_entry(c, page);
    entry_t  old = entry_read(at);

    assert(!cursor_owns_frame(old) && frame.no < MMU_FRAMES_END);
    c->more += cursor_is_empty(old);
    if (no_rights(rights)) {
        entry_write(at, entry_absent(ENTRY_BLOCKED, frame.no, rights));
    } else {
        entry_write(at, entry_leaf(frame, rights, cache, c->global, 1));
        count_present(c, page, +1);
    }
    share_leaf(c, page, at);
    entry_changed(c->space, page, old, entry_read(at));
}

void cursor_put(struct cursor *c, page_t page, entry_t absent)
{
    entry_t *at  = cursor_entry(c, page);
    entry_t  old = entry_read(at);

    assert(!cursor_owns_frame(old) && !entry_present(absent));
    c->more += cursor_is_empty(old) - cursor_is_empty(absent);
    entry_write(at, absent);
    share_leaf(c, page, at);
    entry_changed(c->space, page, old, absent);
}

SELDOM void cursor_map_large(struct cursor *c, page_t page, frame_t frame, struct rights rights, enum cache cache)
{
    page_t   reach = mmu_reach(MMU_LARGE_LEVEL);
    entry_t *at    = entry_at(c->space, page, MMU_LARGE_LEVEL);
    entry_t  entry = entry_leaf(frame, rights, cache, page_may_be_global(page), MMU_LARGE_LEVEL);

    assert(cursor_of_kernel(c) && mmu_features.large && MMU_LARGE_LEVEL > 1);
    assert(is_aligned(page, reach) && is_aligned(frame.no, reach));
    assert(span_covers(c->span, span_of(page, reach)));
    assert(at != NULL && entry_kind(entry_read(at), MMU_LARGE_LEVEL) == ENTRY_EMPTY);
    entry_write(at, entry);
    c->in_view = (struct span){ 0, 0 };
    if (MMU_LARGE_LEVEL == MMU_LEVELS)
        cursor_share(c, page, entry);
}

/* The last-level entry `e` with other rights: BLOCKED without any. */
static entry_t with_rights(entry_t e, struct rights rights, bool global)
{
    deep_assert(entry_present(e) || entry_kind(e, 1) == ENTRY_BLOCKED);
    if (!entry_present(e))
        return entry_unblock(e, rights, global);
    if (no_rights(rights))
        return entry_block(e, entry_rights(e));
    e = entry_with_rights(e, rights);
    return global ? entry_with_global(e) : e;           /* entries of the boot tables are not global */
}

SELDOM void cursor_protect(struct cursor *c, page_t page, struct rights rights)
{
    entry_t *at = cursor_find(c, page);
    entry_t  old, new;

    if (at == NULL) {
        assert(!entry_present(c->large));
        return;
    }
    do {                                /* the processor may set bits in the old entry until the new one is written */
        old = entry_read(at);
        if (!cursor_owns_frame(old) || (!entry_present(old) && no_rights(rights)))
            return;
        assert(!no_rights(rights) || entry_cache(old) == CACHE_BACK);
        new = with_rights(old, rights, c->global);
    } while (!entry_change(at, old, new));
    share_leaf(c, page, at);
    count_present(c, page, entry_present(new) - entry_present(old));
    if (entry_present(old) && (!entry_present(new) || entry_loses_rights(old, new)))
        cursor_note_flush(c, page);
    entry_changed(c->space, page, old, new);
}

SELDOM frame_t cursor_replace(struct cursor *c, page_t page, frame_t frame, struct rights rights)
{
    entry_t *at  = cursor_entry(c, page);
    entry_t  old = entry_read(at);

    assert(entry_present(old) && !no_rights(rights) && frame.no < MMU_FRAMES_END);
    old = entry_exchange(at, entry_leaf(frame, rights, entry_cache(old), c->global, 1));
    share_leaf(c, page, at);
    cursor_note_flush(c, page);
    entry_changed(c->space, page, old, entry_read(at));
    return entry_frame(old);
}

entry_t cursor_remove(struct cursor *c, page_t page)
{
    entry_t *at = cursor_find(c, page);
    entry_t  old;

    if (at == NULL) {
        assert(!entry_present(c->large));
        return c->large;
    }
    old = entry_exchange(at, nothing_at(c, page));
    share_leaf(c, page, at);
    c->more -= !cursor_is_empty(old);
    if (entry_present(old)) {
        count_present(c, page, -1);
        cursor_note_flush(c, page);
    }
    entry_changed(c->space, page, old, entry_read(at));
    return old;
}

void cursor_discard(struct cursor *c, page_t page)
{
    entry_t old = cursor_remove(c, page);

    if (cursor_owns_slot(old))
        cursor_drop_slot(c->space, old);
    if (cursor_owns_frame(old))
        cursor_note_freed(c, entry_frame(old));
}

bool cursor_next_near(struct cursor *c, page_t *page)
{
    const entry_t *at   = cursor_find(c, *page);
    page_t         stop = c->in_view.end < c->span.end ? c->in_view.end : c->span.end;

    deep_assert(span_has(c->span, *page) && span_has(c->in_view, *page));
    if (at == NULL && entry_present(c->large))
        return true;
    if (at == NULL) {
        *page = cursor_skip_empty(c->space, stop, c->span.end);
        return false;
    }
    /* bound: MMU_ENTRIES */
    for (; *page < stop; (*page)++, at++)
        if (!cursor_is_empty(entry_read(at)))
            return true;
    return false;
}

page_t cursor_next(struct cursor *c, page_t from)
{
    page_t page = from;

    deep_assert(from >= c->span.first);
    while (page < c->span.end && !cursor_next_near(c, &page))      /* bound: tables of the span */
        ;
    return page;
}

bool cursor_age(struct cursor *c, page_t page, unsigned age)
{
    entry_t *at = cursor_find(c, page);
    entry_t  old;

    assert(at != NULL || !entry_present(c->large));
    deep_assert(span_has(c->span, page));
    do {
        if (at == NULL || !entry_present(old = entry_read(at)))
            return false;
    } while (!entry_change(at, old, entry_with_age(old, age, false)));
    if (entry_accessed(old))
        cursor_note_flush(c, page);
    return entry_accessed(old);
}
