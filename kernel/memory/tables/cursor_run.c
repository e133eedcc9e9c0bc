/*
 * cursor_run.c - many pages of a program in one loop: those that fork copies to the child, and those that an exit
 * discards; and the single page that a first touch needs.
 */
#include "memory/tables/cursor_tables.h"

#include "base/check.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "memory/tables/table.h"
#include "memory/tables/watch.h"

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

struct cursor_run cursor_copy_out(struct cursor *c, page_t page, entry_t *out, size_t count, bool apart)
{
    struct cursor_run run = { .count = 1 };
    entry_t *at      = cursor_find(c, page);
    bool     changed = false;
    frame_t  frames[CURSOR_FREED];
    uint32_t noted = 0;

    assert(!cursor_of_kernel(c) && count > 0 && page + count <= c->span.end);
    *out = entry_empty();
    if (at == NULL)
        return run;
    run.count = in_table(c, page, count);
    /* bound: MMU_ENTRIES */
    for (const entry_t *end = at + run.count; at < end; at++, out++, page++) {
        entry_t e = entry_read(at);

        *out = entry_empty();
        if (!cursor_owns_frame(e))
            continue;
        if (apart && (entry_rights(e).user & MAY_WRITE)) {
            e = set_apart(c, page, at, e);
            changed = true;
        }
        *out = e;
        run.filled++;
        run.present += entry_present(e);
        frames[noted++] = entry_frame(e);
        if (noted == CURSOR_FREED) {
            frame_share_all(frames, noted);
            noted = 0;
        }
    }
    frame_share_all(frames, noted);
    if (changed)
        c->flush_count = CURSOR_PAGES + 1;
    return run;
}

/* How many entries of the table in view are not empty. Where a root is the only table, nothing counts them (C1). */
static size_t cursor_filled(const struct cursor *c)
{
    return MMU_LEVELS == 1 ? MMU_ENTRIES : frame_link(c->table_frame) + (uint32_t)c->more;
}

void cursor_copy_in(struct cursor *c, page_t page, const entry_t *entries, struct cursor_run run)
{
    assert(!cursor_of_kernel(c));
    deep_assert(run.present <= run.filled && run.filled <= run.count);
    /* bound: MMU_ENTRIES in each of two tables */
    for (size_t left = run.count; left > 0; ) {
        entry_t *at    = cursor_entry(c, page);
        size_t   part  = in_table(c, page, left);
        bool     fresh = part == run.count && cursor_filled(c) == 0;

        if (fresh) {                                /* the table is empty, and no processor uses it yet */
            memcpy(at, entries, part * sizeof *at);
            c->more += (int32_t)run.filled;
            for (size_t i = 0; IS_CHECKED && i < part; i++)
                entry_changed(c->space, page + i, entry_empty(), entries[i]);
        }
        for (size_t i = 0; i < part && !fresh; i++) {
            if (cursor_is_empty(entries[i]))
                continue;
            assert(cursor_is_empty(entry_read(&at[i])));
            entry_write(&at[i], entries[i]);
            entry_changed(c->space, page + i, entry_empty(), entries[i]);
            c->more++;
        }
        page    += part;
        entries += part;
        left    -= part;
    }
    c->resident += (int32_t)run.present;
}

/* Empty the entries [at, end) of the table in view, of which `left` are not empty; `at` is the entry of `page`. */
static void discard_entries(struct cursor *c, page_t page, entry_t *at, const entry_t *end, size_t left)
{
    bool current = space_is_current(c->space);

    deep_assert(span_has(c->in_view, page) && at <= end);
    /* bound: MMU_ENTRIES */
    for (; at < end && left > 0; at++, page++) {
        entry_t old = entry_read(at);

        if (cursor_is_empty(old))
            continue;
        old = entry_exchange(at, entry_empty());
        entry_changed(c->space, page, old, entry_empty());
        assert(entry_kind(old, 1) != ENTRY_SWAP);
        c->more--;
        left--;
        if (!cursor_owns_frame(old))
            continue;
        if (entry_present(old)) {
            c->resident--;
            if (current)
                cursor_note_flush(c, page);
        }
        note_freed(c, entry_frame(old));
    }
}

void cursor_discard_span(struct cursor *c, struct span span)
{
    assert(!cursor_of_kernel(c) && span_covers(c->span, span));
    /* bound: pages of the program's span that have entries: docs/locks.md */
    for (page_t next = span.first; next < span.end; ) {
        page_t   page = cursor_next(c, next);
        entry_t *at;

        if (page >= span.end)
            break;
        at   = cursor_entry(c, page);
        next = page + in_table(c, page, span.end - page);
        discard_entries(c, page, at, at + (next - page), cursor_filled(c));
    }
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
    if (level == 1) {
        t->entry = entry_read(t->at);
        return true;
    }
    lock_drop(&space->tables_lock, t->state);
    return false;
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
        frame_set_link(t->table, frame_link(t->table) + 1);
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
