/*
 * cursor_run.c - many pages of a program in one loop: those that an exit discards, and those that mprotect gives other
 * rights; and the single page that a first touch needs.
 */
#include "memory/tables/cursor_tables.h"

#include "base/check.h"
#include "base/rwlock.h"
#include "memory/frames/frame_many.h"
#include "memory/pageout/swap.h"
#include "memory/tables/table.h"
#include "memory/tables/watch.h"

/*
 * What takes as long as giving one frame back: dropping so many references that are not the last. A swap slot that is
 * dropped counts as so many frames more.
 */
enum { SHARED_FOR_ONE = 4, SLOT_MORE = 5 };

/* Pages that are one program's alone lie side by side: behind one, so many are not asked whether others share them. */
enum { ALONE = 8 };

static inline void note_freed(struct cursor *c, frame_t frame)
{
    if (c->freed_count < CURSOR_FREED)
        c->freed[c->freed_count++] = frame;
    else
        cursor_note_freed(c, frame);
}

const entry_t *cursor_entries(struct cursor *c, page_t page, size_t *count)
{
    const entry_t *at = cursor_find(c, page);

    *count = cursor_in_table(c, page, c->span.end - page);
    return at;
}

void cursor_map_run(struct cursor *c, page_t page, frame_t *frames, size_t count, struct rights rights)
{
    entry_t *at     = cursor_entry(c, page);
    int32_t  mapped = 0;

    assert(!cursor_of_kernel(c) && !no_rights(rights));
    assert(page + count <= c->span.end && page + count <= c->in_view.end);
    /* bound: MMU_ENTRIES */
    for (size_t i = 0; i < count; i++) {
        entry_t entry;

        if (!frame_exists(frames[i]) || !cursor_is_empty(entry_read(&at[i])))
            continue;
        entry = entry_leaf(frames[i], rights, CACHE_BACK, false, 1);
        entry_write(&at[i], entry);
        entry_changed(c->space, page + i, entry_empty(), entry);
        frames[i] = NO_FRAME;
        mapped++;
    }
    c->more     += mapped;
    c->resident += mapped;
}

static inline page_t page_at(const struct cursor *c, const entry_t *at)
{
    return c->in_view.first + (page_t)(at - c->table);
}

/* In a process's table no other entry is nothing. */
static inline bool is_nothing(const entry_t *at) { return entry_read(at).raw == entry_empty().raw; }

/* The first entry from `at` on that is something, or `stop`. Most of a table is nothing: four are looked at at once. */
static entry_t *__attribute__((noinline)) skip_nothing(entry_t *at, const entry_t *stop)
{
    deep_assert(entry_empty().raw == 0);
    while (stop - at >= 4 && (at[0].raw | at[1].raw | at[2].raw | at[3].raw) == 0)     /* bound: MMU_ENTRIES */
        at += 4;
    while (at < stop && is_nothing(at))
        at++;
    return at;
}

/*
 * Of a space that no processor uses: empty present entries in a row, at most `most`, as long as others hold their
 * frames too. No processor sets bits in them meanwhile, or reaches the frames through them afterwards: so the
 * references are dropped on the way. Returns how many there were.
 */
static size_t discard_shared(struct cursor *c, entry_t *first, size_t most)
{
    entry_t *at = first;

    deep_assert(!space_is_current(c->space));
    /* bound: MMU_ENTRIES */
    for (const entry_t *end = first + most; at < end; at++) {
        entry_t old = entry_read(at);

        if (!entry_present(old) || !frame_put_shared(entry_frame(old)))
            break;
        entry_write(at, entry_empty());
        entry_changed(c->space, page_at(c, at), old, entry_empty());
    }
    c->more     -= at - first;
    c->resident -= at - first;
    return (size_t)(at - first);
}

/* Empty one entry that is not empty. `most`, as for discard_entries(), becomes less. */
static inline uint32_t discard_entry(struct cursor *c, entry_t *at, bool current, uint32_t most)
{
    entry_t old = entry_exchange(at, entry_empty());

    deep_assert(most > 0 && !cursor_is_empty(old));
    entry_changed(c->space, page_at(c, at), old, entry_empty());
    c->more--;
    most--;
    if (!cursor_owns_frame(old)) {
        if (!cursor_owns_slot(old))
            return most;
        cursor_drop_slot(c->space, old);
        return most < SLOT_MORE ? 0 : most - SLOT_MORE;
    }
    if (entry_present(old)) {
        c->resident--;
        if (current)
            cursor_note_loss(c, page_at(c, at));
    }
    note_freed(c, entry_frame(old));
    return most;
}

/*
 * Empty the entries of [page, end), all in the table in view. Stops when as much has been done as giving `most` frames
 * back would be; returns the page that it has come to.
 */
static page_t discard_entries(struct cursor *c, page_t page, page_t end, uint32_t most)
{
    bool           current = space_is_current(c->space);
    entry_t       *at      = cursor_entry(c, page);
    const entry_t *stop    = at + (end - page);
    const entry_t *ask     = current ? stop : at;       /* from here on: discard_shared() */
    size_t         left    = cursor_filled(c);

    deep_assert(span_has(c->in_view, page) && page < end && end <= c->in_view.end);
    c->sweep |= left == 0;                          /* cursor_take_out() has left it so */
    /* bound: MMU_ENTRIES */
    while (at < stop && left > 0) {
        size_t shared = 0, most_shared = most * SHARED_FOR_ONE;

        if (is_nothing(at)) {
            at = skip_nothing(at + 1, stop);
            continue;
        }
        if (most == 0)
            return page_at(c, at);
        if (at >= ask) {
            shared = discard_shared(c, at, (size_t)(stop - at) < most_shared ? (size_t)(stop - at) : most_shared);
            ask    = shared > 0 ? at : at + ALONE;
        }
        if (shared > 0) {
            most -= (uint32_t)(shared + SHARED_FOR_ONE - 1) / SHARED_FOR_ONE;
            left -= shared;
            at   += shared;
        } else {
            most = discard_entry(c, at++, current, most);
            left--;
        }
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
        next = page + cursor_in_table(c, page, span.end - page);
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
 * A cursor for each table, which at its close takes the table away if it is empty then. The way to the table is the
 * cursor's too; then come all of the table's pages, with points of rest, or one batch without.
 */
static page_t edit_table(struct space *space, struct span span, batch_edit edit, const void *how, bool whole)
{
    struct cursor c;
    page_t        page = span.first;
    int           err  = cursor_open(&c, space, span, 0);

    assert(err == 0);                               /* without CURSOR_BUILD nothing can fail */
    if (cursor_find(&c, page) == NULL)
        page = cursor_pass(&c, page, span.end, edit != protect_batch, how);
    if (page < span.end && cursor_find(&c, page) != NULL) {
        c.span.end = page + cursor_in_table(&c, page, span.end - page);
        while ((page = edit(&c, page, c.span.end, how)) < c.span.end && whole)     /* bound: rests in each step */
            cursor_rest(&c);
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

/* Whether a table with so many entries that are not empty has some beside the `count` from `at` on, and so stays. */
static bool table_stays(const entry_t *at, size_t count, size_t filled)
{
    size_t inside = 0;

    deep_assert(count > 0 && count <= CURSOR_PAGES);
    if (filled > count)
        return true;
    for (size_t i = 0; i < count; i++)
        inside += entry_read(&at[i]).raw != entry_empty().raw;
    return filled > inside;
}

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
    done   = table_stays(t.at, span_pages(span), filled);
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
