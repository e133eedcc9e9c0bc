/*
 * cursor_run.c - many pages of a program in one loop: those that fork copies to the child, those that an exit discards,
 * and those that mprotect gives other rights; and the single page that a first touch needs.
 */
#include "memory/tables/cursor_tables.h"

#include "base/check.h"
#include "base/rwlock.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "memory/pageout/swap.h"
#include "memory/tables/table.h"
#include "memory/tables/watch.h"

/*
 * References that cursor_copy_out() takes at once. A swap slot takes longer than a frame: so many are shared in one
 * call, and one that is dropped counts as so many frames more.
 */
enum { SHARED_AT_ONCE = 32, SLOTS_AT_ONCE = 16, SLOT_MORE = 5 };

static inline void note_freed(struct cursor *c, frame_t frame)
{
    if (c->freed_count < CURSOR_FREED)
        c->freed[c->freed_count++] = frame;
    else
        cursor_note_freed(c, frame);
}

/* How many of the `count` pages from `page` on lie in the table in view. */
static size_t in_table(const struct cursor *c, page_t page, size_t count)
{
    size_t left = c->in_view.end - page;

    deep_assert(span_has(c->in_view, page));
    return count < left ? count : left;
}

const entry_t *cursor_entries(struct cursor *c, page_t page, size_t *count)
{
    const entry_t *at = cursor_find(c, page);

    *count = in_table(c, page, c->span.end - page);
    return at;
}

/* Take the right to write from an entry; returns the entry as it is then. */
static entry_t set_apart(const struct cursor *c, page_t page, entry_t *at, entry_t e)
{
    struct rights rights = entry_rights(e);
    entry_t       less;

    deep_assert(entry_rights(e).user & MAY_WRITE);
    rights.kernel &= ~MAY_WRITE;
    rights.user   &= ~MAY_WRITE;
    while (!entry_change(at, e, less = entry_with_rights(e, rights)))
        e = entry_read(at);
    entry_changed(c->space, page, e, less);
    return less;
}

/* The page is out, or is nothing that is copied. */
static void __attribute__((noinline)) copy_slot(entry_t e, entry_t *out, struct cursor_run *run)
{
    if (!cursor_owns_slot(e))
        return;
    swap_share(entry_slot_number(e));
    *out = e;
    run->filled++;
    run->swapped++;
}

struct cursor_run cursor_copy_out(struct cursor *c, page_t page, entry_t *out, size_t count)
{
    struct cursor_run run = { .count = 1 };
    entry_t *at      = cursor_find(c, page);
    bool     changed = false;
    frame_t  frames[SHARED_AT_ONCE];
    uint32_t noted = 0;

    assert(!cursor_of_kernel(c) && count > 0 && page + count <= c->span.end);
    assert(at != NULL);
    run.count = in_table(c, page, count);
    /* bound: MMU_ENTRIES */
    for (const entry_t *first = at, *end = at + run.count; at < end; at++, out++, page++) {
        entry_t e = entry_read(at);

        *out = entry_empty();
        if (!cursor_owns_frame(e)) {
            copy_slot(e, out, &run);
            if (run.swapped == SLOTS_AT_ONCE)
                end = at + 1;
            run.count = (size_t)(end - first);
            continue;
        }
        if (entry_rights(e).user & MAY_WRITE) {
            e = set_apart(c, page, at, e);
            changed = true;
        }
        *out = e;
        run.filled++;
        run.present += entry_present(e);
        frames[noted++] = entry_frame(e);
        if (noted == SHARED_AT_ONCE) {
            frame_share_all(frames, noted);
            noted = 0;
        }
    }
    frame_share_all(frames, noted);
    if (changed)
        c->flush_count = CURSOR_PAGES + 1;
    return run;
}

/*
 * The table's count is brought up to date here, and not by cursor_settle(), after which the close would take away a
 * table that is empty now.
 */
struct cursor_run cursor_take_out(struct cursor *c, page_t page, entry_t *out, size_t count)
{
    struct cursor_run run = { .count = 1 };
    entry_t          *at  = cursor_entry(c, page);

    assert(!cursor_of_kernel(c) && count > 0 && page + count <= c->span.end);
    count = in_table(c, page, count);
    /* bound: MMU_ENTRIES */
    for (size_t i = 0; i < count; i++) {
        entry_t e = entry_read(&at[i]);

        out[i] = entry_empty();
        if (!cursor_owns_frame(e) && !cursor_owns_slot(e))
            continue;
        out[i] = e = entry_exchange(&at[i], entry_empty());
        entry_changed(c->space, page + i, e, entry_empty());
        run.count = i + 1;
        run.filled++;
        if (entry_present(e)) {
            run.present++;
            cursor_note_loss(c, page + i);
        } else {
            run.swapped += cursor_owns_slot(e);
        }
    }
    if (MMU_LEVELS > 1)
        frame_set_link(c->table_frame, frame_link(c->table_frame) - run.filled);
    c->resident       -= (int32_t)run.present;
    c->space->swapped -= run.swapped;
    return run;
}

/* Write entries of one table at pages that are empty: no processor has any of them cached. */
static void copy_in_table(struct cursor *c, page_t page, const entry_t *entries, size_t count)
{
    entry_t *at = cursor_entry(c, page);

    for (size_t i = 0; IS_CHECKED && i < count; i++)
        assert(cursor_is_empty(entry_read(&at[i])));
    memcpy(at, entries, count * sizeof *at);
    for (size_t i = 0; IS_CHECKED && i < count; i++)
        entry_changed(c->space, page + i, entry_empty(), entries[i]);
}

static uint32_t filled_among(const entry_t *entries, size_t count)
{
    uint32_t filled = 0;

    for (size_t i = 0; i < count; i++)
        filled += !cursor_is_empty(entries[i]);
    return filled;
}

void cursor_copy_in(struct cursor *c, page_t page, const entry_t *entries, struct cursor_run run)
{
    assert(!cursor_of_kernel(c) && run.count <= MMU_ENTRIES);
    deep_assert(run.present <= run.filled && run.filled == filled_among(entries, run.count));
    /* bound: two tables */
    for (size_t left = run.count; left > 0; ) {
        size_t part;

        (void)cursor_entry(c, page);            /* brings the table into view */
        part = in_table(c, page, left);
        copy_in_table(c, page, entries, part);
        c->more += (int32_t)(part == run.count ? run.filled : filled_among(entries, part));
        page    += part;
        entries += part;
        left    -= part;
    }
    c->resident += (int32_t)run.present;
    c->space->swapped += run.swapped;
}

/*
 * Empty the entries of [page, end), all in the table in view. Stops when so many frames have been freed; returns the
 * page that it has come to.
 */
static page_t discard_entries(struct cursor *c, page_t page, page_t end, uint32_t most)
{
    bool     current = space_is_current(c->space);
    entry_t *at      = cursor_entry(c, page);
    size_t   left    = cursor_filled(c);

    deep_assert(span_has(c->in_view, page) && page < end && end <= c->in_view.end);
    c->sweep |= left == 0;                          /* cursor_take_out() has left it so */
    /* bound: MMU_ENTRIES */
    for (; page < end && left > 0; at++, page++) {
        entry_t old = entry_read(at);

        if (old.raw == entry_empty().raw)               /* in a process's table no other entry is nothing */
            continue;
        if (most-- == 0)
            return page;
        old = entry_exchange(at, entry_empty());
        entry_changed(c->space, page, old, entry_empty());
        c->more--;
        left--;
        if (!cursor_owns_frame(old)) {
            if (cursor_owns_slot(old)) {
                cursor_drop_slot(c->space, old);
                most -= most < SLOT_MORE ? most : SLOT_MORE;
            }
            continue;
        }
        if (entry_present(old)) {
            c->resident--;
            if (current)
                cursor_note_loss(c, page);
        }
        note_freed(c, entry_frame(old));
    }
    return end;
}

void cursor_discard_span(struct cursor *c, struct span span)
{
    assert(!cursor_of_kernel(c) && span_covers(c->span, span));
    /* bound: pages of the span: of a program that is being made, or of none */
    for (page_t next = span.first; next < span.end; ) {
        page_t page = cursor_next(c, next);

        if (page >= span.end)
            break;
        next = page + in_table(c, page, span.end - page);
        next = discard_entries(c, page, next, MMU_ENTRIES);
    }
}

void cursor_drop_slot(struct space *space, entry_t entry)
{
    deep_assert(lock_held(&space->tables_lock) && space->swapped > 0);
    space->swapped--;
    swap_put(entry_slot_number(entry));
}

/* ---- However many pages, in batches ------------------------------------------------------------------ */

/* What a batch does to the entries of [page, end), all in the table in view; returns where the next batch begins. */
typedef page_t (*batch_edit)(struct cursor *c, page_t page, page_t end, const void *how);
static page_t protect_batch(struct cursor *c, page_t page, page_t end, const void *how);

/*
 * A cursor for each table, which at its close takes the table away if it is empty then. All of the table's pages, with
 * points of rest, or one batch without.
 */
static page_t edit_table(struct space *space, struct span span, batch_edit edit, const void *how, bool whole)
{
    struct cursor c;
    page_t        page = span.first;
    int           err  = cursor_open(&c, space, span, 0);

    assert(err == 0);                               /* without CURSOR_BUILD nothing can fail */
    if (cursor_find(&c, page) != NULL) {
        c.span.end = page + in_table(&c, page, span_pages(span));
        while ((page = edit(&c, page, c.span.end, how)) < c.span.end && whole)     /* bound: rests in each step */
            cursor_rest(&c);
    } else if (TABLES_GO_OUT && cursor_owns_slot(c.large) && edit != protect_batch) {
        page = table_home_drop(space, page, page + in_table(&c, page, span_pages(span)), how);
    } else {
        page = cursor_skip_empty(&c, c.in_view.end, span.end);
    }
    c.span.end = page;
    deep_assert(page > span.first && page <= span.end);
    cursor_close(&c);
    return page;
}

static void edit_in_batches(struct space *space, struct span span, batch_edit edit, const void *how)
{
    while (!span_empty(span)) {
        span.first = edit_table(space, span, edit, how, true);
        point_of_rest();
    }
}

static page_t discard_batch(struct cursor *c, page_t page, page_t end, const void *none)
{
    (void)none;
    deep_assert(c->freed_count == 0);               /* the batch before has given its frames back */
    return discard_entries(c, page, end, CURSOR_FREED - MMU_LEVELS);       /* and tables that are empty then */
}

/* ---- A few pages of one table ---------------------------------------------------------------------------- */

/* pages_discard(), where it leaves some entry in the table. False: some of the pages, or the table, are left to do. */
static bool discard_few(struct space *space, struct span span)
{
    struct cursor_touch t;
    frame_t             freed[CURSOR_PAGES];
    uint32_t            count = 0, present = 0, filled;
    bool                done;

    if (!cursor_few(&t, space, span, &done))
        return done;
    filled = frame_link(t.table);
    done   = filled > span_pages(span);
    /* bound: CURSOR_PAGES */
    for (; done && t.page < span.end; t.page++, t.at++) {
        entry_t old = entry_read(t.at);

        if (cursor_is_empty(old))
            continue;
        done = cursor_owns_frame(old);
        if (!done)
            break;
        old = entry_exchange(t.at, entry_empty());
        entry_changed(space, t.page, old, entry_empty());
        freed[count++] = entry_frame(old);
        if (entry_present(old) && present++ == 0)
            space->peak = space_peak(space);
        if (entry_present(old) && space_is_current(space))
            mmu_flush_page(t.page);
    }
    frame_set_link(t.table, filled - count);
    space->resident -= present;
    cursor_touch_leave(&t);
    frame_put_all(freed, count);
    return done;
}

void pages_discard(struct space *space, struct span span)
{
    may_sleep();
    assert(space != &kernel_space && !span_empty(span));
    if (discard_few(space, span))
        point_of_rest();
    else
        edit_in_batches(space, span, discard_batch, NULL);
}

static page_t filter_batch(struct cursor *c, page_t page, page_t end, const void *with)
{
    const struct page_choice *filter = with;
    const entry_t            *at     = cursor_entry(c, page);
    uint32_t                  most   = CURSOR_BATCH - MMU_LEVELS;

    deep_assert(span_has(c->in_view, page) && page < end && end <= c->in_view.end);
    /* bound: MMU_ENTRIES */
    for (; page < end; at++, page++) {
        entry_t e = entry_read(at);

        if (!cursor_owns_frame(e) && !cursor_owns_slot(e))
            continue;
        if (most-- == 0)
            return page;
        if (filter->is(page, e, filter->how))
            cursor_discard(c, page);
    }
    return end;
}

page_t pages_discard_some(struct space *space, struct span span, page_filter is, const void *how)
{
    struct page_choice filter = { is, how };

    assert(space != &kernel_space && !span_empty(span));
    return edit_table(space, span, filter_batch, &filter, false);
}

/* ---- Other rights: mprotect ------------------------------------------------------------------------------ */

/* Rights, and their bits in a present entry: 0 for no rights, and where the format has no bit for them. */
struct given {
    struct rights rights;
    uint32_t      bits;
};

struct protection {
    struct given all, less;             /* the second for pages that do not get the right to write */
    bool         grants;                /* some may get it                                         */
};

static struct given give(struct rights rights)
{
    return (struct given){ rights, entry_with_rights(entry_empty(), rights).raw };
}

/* What the page of an entry gets: all, if it had the right to write, or is its program's alone. */
static inline const struct given *given_to(const struct protection *to, entry_t e)
{
    return !to->grants || (entry_rights(e).user & MAY_WRITE) || frame_is_sole(entry_frame(e), OWNER_USER) ? &to->all
                                                                                                          : &to->less;
}

/*
 * The short way, of a present entry that stays present. False where the processor has set a bit in it meanwhile. *less:
 * it has lost rights.
 */
static inline bool protect_present(struct space *space, page_t page, entry_t *at, entry_t old, uint32_t bits,
                                   bool *less)
{
    entry_t new = { entry_with_rights(old, (struct rights){ 0, 0 }).raw | bits };

    if (bits == 0 || !entry_present(old) || !entry_change(at, old, new))
        return false;
    *less = entry_loses_rights(old, new);
    entry_changed(space, page, old, new);
    return true;
}

static page_t protect_batch(struct cursor *c, page_t page, page_t end, const void *how)
{
    entry_t *at   = cursor_entry(c, page);
    size_t   left = cursor_filled(c);
    size_t   most = left < CURSOR_BATCH ? left : CURSOR_BATCH;

    deep_assert(span_has(c->in_view, page) && page < end && end <= c->in_view.end);
    /* bound: MMU_ENTRIES */
    for (; page < end && most > 0; at++, page++) {
        entry_t             e = entry_read(at);
        const struct given *given;
        bool                less;

        if (cursor_is_empty(e))
            continue;
        most--;
        if (!cursor_owns_frame(e))
            continue;
        given = given_to(how, e);
        if (!protect_present(c->space, page, at, e, given->bits, &less))
            cursor_protect(c, page, given->rights);
        else if (less)
            cursor_note_loss(c, page);
    }
    return left > CURSOR_BATCH ? page : end;
}

/* pages_protect(). False: some of the pages are left to do. */
static bool protect_few(struct space *space, struct span span, const struct protection *to)
{
    struct cursor_touch t;
    bool                done, less;

    if (!cursor_few(&t, space, span, &done))
        return done;
    done = true;
    /* bound: CURSOR_PAGES */
    for (; done && t.page < span.end; t.page++, t.at++) {
        entry_t e = entry_read(t.at);

        if (!cursor_owns_frame(e))
            continue;
        done = protect_present(space, t.page, t.at, e, given_to(to, e)->bits, &less);
        if (done && less && space_is_current(space))
            mmu_flush_page(t.page);
    }
    cursor_touch_leave(&t);
    return done;
}

void pages_protect(struct space *space, struct span span, struct rights rights, bool apart)
{
    struct protection to = { .all = give(rights), .grants = apart && (rights.user & MAY_WRITE) };

    may_sleep();
    assert(space != &kernel_space && !span_empty(span));
    rights.kernel &= ~MAY_WRITE;
    rights.user   &= ~MAY_WRITE;
    to.less = give(rights);
    if (protect_few(space, span, &to))
        point_of_rest();
    else
        edit_in_batches(space, span, protect_batch, &to);
}

/* ---- One page ------------------------------------------------------------------------------------ */

bool cursor_touch(struct cursor_touch *t, struct space *space, page_t page)
{
    unsigned level;

    deep_assert(space != &kernel_space && page_is_users(page));
    t->space  = space;
    t->page   = page;
    t->within = false;
    t->state  = lock_take(&space->tables_lock);
    t->at    = table_walk(space, page, &level, &t->table);
    if (level == 1 || TABLES_GO_OUT)
        t->entry = entry_read(t->at);
    if (level > 1)
        lock_drop(&space->tables_lock, t->state);
    return level == 1;
}

void cursor_touch_within(struct cursor_touch *t, struct cursor *c, page_t page)
{
    assert(!cursor_of_kernel(c));
    t->space  = c->space;
    t->page   = page;
    t->within = true;
    t->at     = cursor_entry(c, page);
    t->table  = c->table_frame;
    t->entry  = entry_read(t->at);
}

void cursor_touch_map(struct cursor_touch *t, frame_t frame, struct rights rights)
{
    assert(cursor_is_empty(t->entry));
    deep_assert(frame_exists(frame) && lock_held(&t->space->tables_lock));
    entry_write(t->at, entry_leaf(frame, rights, CACHE_BACK, false, 1));
    if (MMU_LEVELS > 1)
        frame_count_link(t->table, +1);
    t->space->resident++;
    entry_changed(t->space, t->page, t->entry, entry_read(t->at));
    cursor_touch_leave(t);
}

/* More rights need no flush: the processor looks again before it faults. */
void cursor_touch_allow(struct cursor_touch *t, struct rights rights)
{
    deep_assert(lock_held(&t->space->tables_lock));
    if (entry_present(t->entry)) {
        assert(rights_within(entry_rights(t->entry), mmu_allow(rights)));
        /* bound: the processor sets a bit once */
        while (!entry_change(t->at, t->entry, entry_with_rights(t->entry, rights)))
            t->entry = entry_read(t->at);
    } else {
        assert(entry_kind(t->entry, 1) == ENTRY_BLOCKED);
        entry_write(t->at, entry_unblock(t->entry, rights, false));
        t->space->resident++;
    }
    entry_changed(t->space, t->page, t->entry, entry_read(t->at));
    cursor_touch_leave(t);
}

entry_t cursor_touch_block(struct cursor_touch *t, struct rights keep)
{
    entry_t blocked;

    assert(entry_present(t->entry) && lock_held(&t->space->tables_lock));
    /* bound: the processor sets a bit once */
    while (!entry_change(t->at, t->entry, blocked = entry_block(t->entry, keep)))
        t->entry = entry_read(t->at);
    if (space_is_current(t->space))
        mmu_flush_page(t->page);
    t->space->peak = space_peak(t->space);
    t->space->resident--;
    entry_changed(t->space, t->page, t->entry, blocked);
    t->entry = blocked;
    return blocked;
}

frame_t cursor_touch_put_away(struct cursor_touch *t, uint32_t slot)
{
    frame_t old = entry_frame(t->entry);

    assert(entry_kind(t->entry, 1) == ENTRY_BLOCKED && lock_held(&t->space->tables_lock));
    entry_write(t->at, entry_absent(ENTRY_SWAP, slot, (struct rights){ 0, 0 }));
    t->space->swapped++;
    entry_changed(t->space, t->page, t->entry, entry_read(t->at));
    cursor_touch_leave(t);
    return old;
}

void cursor_touch_bring_in(struct cursor_touch *t, frame_t frame, struct rights rights)
{
    assert(cursor_owns_slot(t->entry) && lock_held(&t->space->tables_lock));
    if (no_rights(rights)) {
        entry_write(t->at, entry_absent(ENTRY_BLOCKED, frame.no, rights));
    } else {
        entry_write(t->at, entry_leaf(frame, rights, CACHE_BACK, false, 1));
        t->space->resident++;
    }
    cursor_drop_slot(t->space, t->entry);
    entry_changed(t->space, t->page, t->entry, entry_read(t->at));
    cursor_touch_leave(t);
}

frame_t cursor_touch_replace(struct cursor_touch *t, frame_t frame, struct rights rights)
{
    frame_t old;

    assert(entry_present(t->entry));
    deep_assert(frame_exists(frame) && !frame_is(entry_frame(t->entry), frame));
    old = entry_frame(entry_exchange(t->at, entry_leaf(frame, rights, CACHE_BACK, false, 1)));
    if (space_is_current(t->space))
        mmu_flush_page(t->page);
    entry_changed(t->space, t->page, t->entry, entry_read(t->at));
    cursor_touch_leave(t);
    return old;
}

void cursor_touch_leave(struct cursor_touch *t)
{
    if (!t->within)
        lock_drop(&t->space->tables_lock, t->state);
}
