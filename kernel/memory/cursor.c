/*
 * cursor.c - editing page tables: everything that can fail in cursor_open(), the flush in cursor_close().
 *
 * Lock order: a cursor holds tables_lock; inside it come the list of spaces (sharing a new
 * kernel table) and the pool.
 */
#include "memory/cursor.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/frame.h"
#include "memory/layout.h"
#include "memory/slot.h"
#include "memory/space.h"
#include "memory/table.h"

static bool of_kernel(const struct cursor *c) { return c->space == &kernel_space; }

/* ---- The table in view --------------------------------------------------------------- */

/* Bring the count of the table in view up to date (C1). */
static void settle(struct cursor *c)
{
    uint32_t count;

    if (c->more == 0 || of_kernel(c) || MMU_LEVELS == 1)
        return;                         /* kernel tables and roots are not counted */
    count = frame_link(c->table_frame) + (uint32_t)c->more;
    assert(count <= MMU_ENTRIES);
    frame_set_link(c->table_frame, count);
    c->sweep |= count == 0;
    c->more = 0;
}

/* Look at the last-level table of a page; where it is missing, note how far that goes. */
static void look(struct cursor *c, page_t page)
{
    unsigned level;
    entry_t *at;
    page_t   reach;

    settle(c);
    at    = table_walk(c->space, page, &level, &c->table_frame);
    reach = level > 1 ? mmu_reach(level) : MMU_ENTRIES;
    c->in_view.first = round_down(page, reach);
    c->in_view.end   = c->in_view.first + reach;
    c->table  = level > 1 ? NULL : at - (page - c->in_view.first);
    c->large  = level > 1 ? entry_read(at) : entry_empty();
    c->global = of_kernel(c) && mmu_features.global;
}

/* The entry of a page, NULL where there is no table. */
static entry_t *seek(struct cursor *c, page_t page)
{
    assert(span_has(c->span, page));
    if (!span_has(c->in_view, page))
        look(c, page);
    return c->table != NULL ? &c->table[page - c->in_view.first] : NULL;
}

static entry_t *seek_table(struct cursor *c, page_t page)
{
    entry_t *at = seek(c, page);

    assert(at != NULL);                 /* opened with CURSOR_BUILD, and not inside a large page */
    return at;
}

/* ---- Forgetting translations, and giving frames back --------------------------------- */

/* Where an alias repeats a region, the processor may have cached both. */
static void flush_twins(const struct cursor *c)
{
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
        /* No processor has cached anything of it. */
    } else if (c->flush_count > CURSOR_PAGES) {
        if (of_kernel(c))
            mmu_flush_all();
        else
            mmu_flush_space();
    } else {
        for (uint32_t i = 0; i < c->flush_count; i++)
            mmu_flush_page(c->flush[i]);
        if (of_kernel(c))
            flush_twins(c);
    }
    c->flush_count = 0;
}

static void drop_freed(struct cursor *c)
{
    flush_noted(c);
    for (uint32_t i = 0; i < c->freed_count; i++)
        frame_put(c->freed[i]);
    c->freed_count = 0;
}

static void note_flush(struct cursor *c, page_t page)
{
    if (c->flush_count < CURSOR_PAGES)
        c->flush[c->flush_count++] = page;
    else
        c->flush_count = CURSOR_PAGES + 1;
}

static void note_freed(struct cursor *c, frame_t frame)
{
    if (c->freed_count == CURSOR_FREED)
        drop_freed(c);
    c->freed[c->freed_count++] = frame;
}

/* ---- Tables: those that are missing, those that are empty ------------------------------ */

/* A root entry of kernel space changed: the aliases of the range repeat it, every space gets it. */
static void share(struct cursor *c, page_t page, entry_t entry)
{
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *twin = &layout.regions[i];
        page_t other = twin->span.first + (page - twin->alias);

        if (twin->backing == BACKING_ALIAS && page - twin->alias < span_pages(twin->span)) {
            entry_write(entry_at(c->space, other, MMU_LEVELS), entry);
            space_share_entry(other, entry);
        }
    }
    space_share_entry(page, entry);
}

static bool is_missing(const struct cursor *c, page_t page, unsigned level)
{
    const entry_t *at = entry_at(c->space, page, level);

    return at == NULL || entry_kind(entry_read(at), level) != ENTRY_TABLE;
}

/* A table came into its parent, or went. Kernel tables are not counted. */
static void count_in_parent(const struct cursor *c, page_t page, unsigned level, int more)
{
    unsigned top;
    frame_t  parent;

    if (of_kernel(c) || level == MMU_LEVELS)
        return;
    top    = level + 1;
    parent = entry_frame(entry_read(entry_at(c->space, page, top)));
    frame_set_link(parent, frame_link(parent) + (uint32_t)more);
}

/* Let the entry of `level` that translates page lead to a new, empty table. */
static void install(struct cursor *c, page_t page, unsigned level, frame_t table)
{
    entry_t entry = entry_table(table, page_is_users(page));

    if (!of_kernel(c))
        frame_set_link(table, 0);
    count_in_parent(c, page, level, +1);
    entry_write(entry_at(c->space, page, level), entry);
    if (of_kernel(c) && level == MMU_LEVELS)
        share(c, page, entry);
    c->space->table_frames++;
}

/* Take an empty table out of the entry of `level`; its frame goes after the flush. */
static void uninstall(struct cursor *c, page_t page, unsigned level)
{
    entry_t old = entry_exchange(entry_at(c->space, page, level), entry_empty());
    page_t  seen;

    count_in_parent(c, page, level, -1);
    c->space->table_frames--;
    if (table_seen_at(page, level - 1, &seen))
        note_flush(c, seen);
    else if (c->flush_count == 0)
        note_flush(c, page);            /* flushing any page makes the processor forget upper entries */
    note_freed(c, entry_frame(old));
}

/*
 * Frames for missing tables hang together by their own first entries until they are used:
 * before there is a pool there are no frame records, so the bytes of the frames must do.
 */
static entry_t *first_entry(frame_t table)
{
    return frame_view(table, SLOT_TABLE);
}

static int take_table(frame_t *chain)
{
    frame_t table;
    int     err = frames_are_open() ? frame_get(OWNER_TABLES, FRAME_ZERO, &table) : early_table_frame(&table);

    if (err != 0)
        return err;
    if (frame_exists(*chain))
        entry_write(first_entry(table), entry_absent(ENTRY_TRANSIT, chain->no, (struct rights){ 0, 0 }));
    *chain = table;
    return 0;
}

static frame_t from_chain(frame_t *chain)
{
    frame_t  table = *chain;
    entry_t *first = first_entry(table);
    entry_t  next  = entry_read(first);

    entry_write(first, entry_empty());
    *chain = entry_kind(next, 1) == ENTRY_TRANSIT ? entry_frame(next) : NO_FRAME;
    return table;
}

/* Before there is a pool a machine without room for its tables cannot be run: nothing is given back. */
static void give_back(frame_t chain)
{
    while (frame_exists(chain)) {
        frame_t table = from_chain(&chain);

        if (frames_are_open())
            frame_put(table);
    }
}

/* The first of the pages that one entry of `level` covers. */
static page_t stretch(page_t page, unsigned level) { return round_down(page, mmu_reach(level)); }

/* Take frames for all missing tables of the span, or none. */
static int take_tables(struct cursor *c, unsigned lowest, frame_t *chain)
{
    for (unsigned level = MMU_LEVELS; level > lowest; level--)
        for (page_t page = stretch(c->span.first, level); page < c->span.end; page += mmu_reach(level))
            if (is_missing(c, page, level) && take_table(chain) != 0) {
                give_back(*chain);
                return -ENOMEM;
            }
    return 0;
}

/* Upper levels first, so that the lower find their place. */
static void install_tables(struct cursor *c, unsigned lowest, frame_t chain)
{
    for (unsigned level = MMU_LEVELS; level > lowest; level--)
        for (page_t page = stretch(c->span.first, level); page < c->span.end; page += mmu_reach(level))
            if (is_missing(c, page, level))
                install(c, page, level, from_chain(&chain));
}

/* On failure the lock is dropped. */
static int build(struct cursor *c, unsigned lowest)
{
    frame_t chain = NO_FRAME;

    if (take_tables(c, lowest, &chain) != 0) {
        lock_drop(&c->space->tables_lock, c->state);
        return -ENOMEM;
    }
    install_tables(c, lowest, chain);
    c->in_view = (struct span){ 0, 0 };         /* the slot that showed it may have been used */
    c->sweep   = true;
    return 0;
}

/*
 * The first page at or after `page`, or `end`, that some entry of the root leads to. The entries of a root lie
 * side by side, however the layout reaches them.
 */
static page_t skip_empty_roots(const struct cursor *c, page_t page, page_t end)
{
    const entry_t *at = page < end ? entry_at(c->space, page, MMU_LEVELS) : NULL;

    while (page < end && entry_kind(entry_read(at++), MMU_LEVELS) == ENTRY_EMPTY)
        page = stretch(page, MMU_LEVELS) + mmu_reach(MMU_LEVELS);
    return page < end ? page : end;
}

/* Give the process's empty tables of the span back, lower levels first. */
static void sweep(struct cursor *c)
{
    for (unsigned level = 2; level <= MMU_LEVELS; level++)
        for (page_t page = c->span.first; (page = skip_empty_roots(c, page, c->span.end)) < c->span.end;
             page = stretch(page, level) + mmu_reach(level)) {
            const entry_t *at = entry_at(c->space, page, level);
            entry_t        e  = at != NULL ? entry_read(at) : entry_empty();

            if (entry_kind(e, level) == ENTRY_TABLE && frame_link(entry_frame(e)) == 0)
                uninstall(c, page, level);
        }
}

/* ---- Opening and closing ----------------------------------------------------------------- */

int cursor_open(struct cursor *c, struct space *space, struct span span, unsigned flags)
{
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
        look(c, span.first);            /* mostly the span is short and its table is there */
        if (c->table == NULL || span.end > c->in_view.end)
            return build(c, flags & CURSOR_LARGE ? MMU_LARGE_LEVEL : 1);
    }
    return 0;
}

void cursor_close(struct cursor *c)
{
    settle(c);
    if (c->sweep && !of_kernel(c))
        sweep(c);
    if (MMU_VARIABLE && !of_kernel(c))
        mmu_trim(entry_at(c->space, 0, MMU_LEVELS));
    drop_freed(c);
    c->space->resident += (uint32_t)c->resident;
    lock_drop(&c->space->tables_lock, c->state);
}

/* ---- Edits: none can fail ------------------------------------------------------------------- */

/* With one level only, kernel pages are entries of every root. */
static void share_leaf(struct cursor *c, page_t page, entry_t *at)
{
    if (MMU_LEVELS == 1 && of_kernel(c))
        share(c, page, entry_read(at));
}

/* Pages of processes that are present are counted. */
static void count_present(struct cursor *c, page_t page, int more)
{
    if (!of_kernel(c) && page_is_users(page))
        c->resident += more;
}

static bool owns_frame(entry_t e) { return entry_present(e) || entry_kind(e, 1) == ENTRY_BLOCKED; }

static bool is_empty(entry_t e) { return entry_kind(e, 1) == ENTRY_EMPTY; }

static bool no_rights(struct rights rights) { return (rights.kernel | rights.user) == 0; }

entry_t cursor_read(struct cursor *c, page_t page)
{
    const entry_t *at = seek(c, page);

    return at != NULL ? entry_read(at) : c->large;
}

void cursor_map(struct cursor *c, page_t page, frame_t frame, struct rights rights, enum cache cache)
{
    entry_t *at  = seek_table(c, page);
    entry_t  old = entry_read(at);

    assert(!owns_frame(old) && frame.no < MMU_FRAMES_END);
    c->more += is_empty(old);
    if (no_rights(rights)) {
        entry_write(at, entry_absent(ENTRY_BLOCKED, frame.no, rights));
    } else {
        entry_write(at, entry_leaf(frame, rights, cache, c->global, 1));
        count_present(c, page, +1);
    }
    share_leaf(c, page, at);
}

void cursor_put(struct cursor *c, page_t page, entry_t absent)
{
    entry_t *at  = seek_table(c, page);
    entry_t  old = entry_read(at);

    assert(!owns_frame(old) && !entry_present(absent));
    c->more += is_empty(old) - is_empty(absent);
    entry_write(at, absent);
    share_leaf(c, page, at);
}

void cursor_map_large(struct cursor *c, page_t page, frame_t frame, struct rights rights, enum cache cache)
{
    page_t   reach = mmu_reach(MMU_LARGE_LEVEL);
    entry_t *at    = entry_at(c->space, page, MMU_LARGE_LEVEL);
    entry_t  entry = entry_leaf(frame, rights, cache, mmu_features.global && of_kernel(c), MMU_LARGE_LEVEL);

    assert(of_kernel(c) && mmu_features.large && MMU_LARGE_LEVEL > 1);
    assert(is_aligned(page, reach) && is_aligned(frame.no, reach));
    assert(span_covers(c->span, span_of(page, reach)));
    assert(at != NULL && entry_kind(entry_read(at), MMU_LARGE_LEVEL) == ENTRY_EMPTY);
    entry_write(at, entry);
    c->in_view = (struct span){ 0, 0 };
    if (MMU_LARGE_LEVEL == MMU_LEVELS)
        share(c, page, entry);
}

/* The processor may set bits in the old entry until the moment the new one is there. */
static entry_t with_rights(entry_t e, struct rights rights, bool global)
{
    if (!entry_present(e))
        return entry_unblock(e, rights, global);
    if (no_rights(rights))
        return entry_block(e, entry_rights(e));
    e = entry_with_rights(e, rights);
    return global ? entry_with_global(e) : e;           /* boot tables know nothing of global pages */
}

void cursor_protect(struct cursor *c, page_t page, struct rights rights)
{
    entry_t *at = seek(c, page);
    entry_t  old, new;

    if (at == NULL) {
        assert(!entry_present(c->large));
        return;
    }
    do {
        old = entry_read(at);
        if (!owns_frame(old) || (!entry_present(old) && no_rights(rights)))
            return;
        assert(!no_rights(rights) || entry_cache(old) == CACHE_BACK);
        new = with_rights(old, rights, c->global);
    } while (!entry_change(at, old, new));
    share_leaf(c, page, at);
    count_present(c, page, entry_present(new) - entry_present(old));
    if (entry_present(old) && !rights_within(entry_rights(old), entry_rights(new)))
        note_flush(c, page);
}

frame_t cursor_replace(struct cursor *c, page_t page, frame_t frame, struct rights rights)
{
    entry_t *at  = seek_table(c, page);
    entry_t  old = entry_read(at);

    assert(entry_present(old) && !no_rights(rights) && frame.no < MMU_FRAMES_END);
    old = entry_exchange(at, entry_leaf(frame, rights, entry_cache(old), c->global, 1));
    share_leaf(c, page, at);
    note_flush(c, page);
    return entry_frame(old);
}

entry_t cursor_remove(struct cursor *c, page_t page)
{
    entry_t *at = seek(c, page);
    entry_t  old;

    if (at == NULL) {
        assert(!entry_present(c->large));
        return c->large;
    }
    old = entry_exchange(at, entry_empty());
    share_leaf(c, page, at);
    c->more -= !is_empty(old);
    if (entry_present(old)) {
        count_present(c, page, -1);
        note_flush(c, page);
    }
    return old;
}

void cursor_discard(struct cursor *c, page_t page)
{
    entry_t old = cursor_remove(c, page);

    assert(entry_kind(old, 1) != ENTRY_SWAP);
    if (owns_frame(old))
        note_freed(c, entry_frame(old));
}

page_t cursor_next(struct cursor *c, page_t from)
{
    for (page_t page = from; page < c->span.end; ) {
        const entry_t *at   = seek(c, page);
        page_t         stop = c->in_view.end < c->span.end ? c->in_view.end : c->span.end;

        if (at == NULL && entry_present(c->large))
            return page;
        if (at == NULL) {
            page = skip_empty_roots(c, stop, c->span.end);
            continue;
        }
        for (; page < stop; page++, at++)
            if (!is_empty(entry_read(at)))
                return page;
    }
    return c->span.end;
}

/* ---- Runs ----------------------------------------------------------------------------------- */

/* How many of `count` pages from `page` on the table in view shows. */
static size_t in_table(const struct cursor *c, page_t page, size_t count)
{
    size_t left = c->in_view.end - page;

    return count < left ? count : left;
}

/* The same entry without the right to write. */
static entry_t set_apart(entry_t *at, entry_t e)
{
    struct rights rights = entry_rights(e);
    entry_t       less;

    rights.kernel &= ~MAY_WRITE;
    rights.user   &= ~MAY_WRITE;
    while (!entry_change(at, e, less = entry_with_rights(e, rights)))
        e = entry_read(at);
    return less;
}

size_t cursor_lend(struct cursor *c, page_t page, entry_t *out, size_t count, bool apart)
{
    entry_t *at      = seek(c, page);
    bool     changed = false;

    assert(!of_kernel(c) && count > 0 && page + count <= c->span.end);
    if (at == NULL) {
        *out = entry_empty();
        return 1;
    }
    count = in_table(c, page, count);
    for (size_t i = 0; i < count; i++) {
        entry_t e = entry_read(&at[i]);

        if (!owns_frame(e)) {
            out[i] = entry_empty();
            continue;
        }
        if (apart && (entry_rights(e).user & MAY_WRITE)) {
            e = set_apart(&at[i], e);
            changed = true;
        }
        frame_share(entry_frame(e));
        out[i] = e;
    }
    if (changed)
        c->flush_count = CURSOR_PAGES + 1;
    return count;
}

void cursor_borrow(struct cursor *c, page_t page, const entry_t *entries, size_t count)
{
    assert(!of_kernel(c));
    while (count > 0) {
        entry_t *at   = seek_table(c, page);
        size_t   part = in_table(c, page, count);

        for (size_t i = 0; i < part; i++) {
            if (is_empty(entries[i]))
                continue;
            assert(is_empty(entry_read(&at[i])));
            entry_write(&at[i], entries[i]);
            c->more++;
            c->resident += entry_present(entries[i]);
        }
        page    += part;
        entries += part;
        count   -= part;
    }
}

/* Entries of the table in view that are not empty. Tables of processes count them (C1); a lone root does not. */
static size_t filled(const struct cursor *c)
{
    return MMU_LEVELS == 1 ? MMU_ENTRIES : frame_link(c->table_frame) + (uint32_t)c->more;
}

/* A page of a program is made empty: its frame goes at once if nobody can have cached the translation. */
static void discard_entry(struct cursor *c, page_t page, entry_t *at, bool current)
{
    entry_t old = entry_exchange(at, entry_empty());

    assert(entry_kind(old, 1) != ENTRY_SWAP);
    c->more--;
    if (!owns_frame(old))
        return;
    if (entry_present(old)) {
        c->resident--;
        if (current)
            note_flush(c, page);
    }
    if (current)
        note_freed(c, entry_frame(old));
    else
        frame_put(entry_frame(old));
}

void cursor_discard_span(struct cursor *c, struct span span)
{
    bool current = space_is_current(c->space);

    assert(!of_kernel(c) && span_covers(c->span, span));
    for (page_t next = span.first; next < span.end; ) {
        page_t   page = cursor_next(c, next);
        entry_t *at;
        size_t   left;

        if (page >= span.end)
            break;
        at   = seek_table(c, page);
        left = filled(c);
        next = page + in_table(c, page, span.end - page);
        for (; page < next && left > 0; page++, at++)
            if (!is_empty(entry_read(at))) {
                discard_entry(c, page, at, current);
                left--;
            }
    }
}

bool cursor_age(struct cursor *c, page_t page, unsigned age)
{
    entry_t *at = seek(c, page);
    entry_t  old;

    assert(at != NULL || !entry_present(c->large));
    do {
        if (at == NULL || !entry_present(old = entry_read(at)))
            return false;
    } while (!entry_change(at, old, entry_with_age(old, age, false)));
    return entry_accessed(old);
}
