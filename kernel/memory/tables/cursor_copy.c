/*
 * cursor_copy.c - entries in a second place: those of a parent that its child has too, and those that move.
 */
#include "memory/tables/cursor_tables.h"

#include "base/check.h"
#include "base/range.h"
#include "base/string.h"
#include "memory/frames/frame_many.h"
#include "memory/pageout/swap.h"
#include "memory/tables/table.h"
#include "memory/tables/watch.h"

/* Swap slots that pages_copy_out() shares at once: one takes longer than a frame. */
enum { SLOTS_AT_ONCE = 16 };

/* ---- Fork: copied out, and then in ------------------------------------------------------------------------ */

/* Take the right to write from an entry; returns the entry as it is then. */
static entry_t set_apart(const struct space *space, page_t page, entry_t *at, entry_t e)
{
    struct rights rights = entry_rights(e);
    entry_t       less;

    deep_assert(rights.user & MAY_WRITE);
    rights.kernel &= ~MAY_WRITE;
    rights.user   &= ~MAY_WRITE;
    while (!entry_change(at, e, less = entry_with_rights(e, rights)))
        e = entry_read(at);
    entry_changed(space, page, e, less);
    return less;
}

/*
 * An entry that is not present: its page is out, or shown to nobody for a while, or is nothing that is copied, and then
 * *out stays. Returns how many of the run are out.
 */
static size_t __attribute__((noinline)) copy_absent(entry_t e, entry_t *out, struct cursor_run *run)
{
    bool slot = cursor_owns_slot(e);

    if (!slot && !cursor_owns_frame(e))
        return run->swapped;
    if (slot)
        swap_share(entry_slot_number(e));
    else
        frame_share(entry_frame(e));
    *out = e;
    run->filled++;
    run->swapped += slot;
    return run->swapped;
}

/*
 * Copy the entries [at, end) of a table, the first of which is the page's. One loop that copies, counts and takes the
 * right to write: a fork of a large program consists of this. *changed: some entry has lost the right.
 */
static struct cursor_run copy_entries(const struct space *space, page_t page, entry_t *at, const entry_t *end,
                                      entry_t *out, bool *changed)
{
    struct cursor_run run     = { 0 };
    entry_t          *first   = at;
    size_t            present = 0;

    /* bound: MMU_ENTRIES */
    for (; at < end; at++, out++) {
        entry_t e = entry_read(at);

        if (!entry_present(e)) {
            *out = entry_empty();
            if (e.raw != entry_empty().raw && copy_absent(e, out, &run) == SLOTS_AT_ONCE)
                end = at + 1;
            continue;
        }
        if (entry_rights(e).kernel & MAY_WRITE) {       /* the kernel may, where the program may: map_rights() */
            e = set_apart(space, page + (page_t)(at - first), at, e);
            *changed = true;
        }
        *out = e;
        present++;
        frame_share_in_line(entry_frame(e));
    }
    run.count    = (size_t)(at - first);
    run.filled  += present;
    run.present  = present;
    return run;
}

/* Bring back the table of the span's first page, which is out. False: memory is lacking. */
static bool bring_back(struct space *space, struct span span)
{
    struct cursor c;

    if (cursor_open(&c, space, span, CURSOR_BACK) != 0)
        return false;
    cursor_close(&c);
    return true;
}

struct cursor_run pages_copy_out(struct space *space, struct span span, entry_t *out, size_t most, page_t *first)
{
    struct cursor_run run     = { 0 };
    lock_state        state   = lock_take(&space->tables_lock);
    bool              changed = false;
    unsigned          level;
    frame_t           table;
    entry_t          *at      = table_walk(space, span.first, &level, &table);
    page_t            page    = span.first, reach, stop;

    assert(space != &kernel_space && !span_empty(span) && most > 0);
    *first = page;
    if (level > 1 && cursor_owns_slot(entry_read(at))) {
        lock_drop(&space->tables_lock, state);
        if (!bring_back(space, span))
            return run;
        state = lock_take(&space->tables_lock);
        at    = table_walk(space, page, &level, &table);
    }
    reach = level > 1 ? mmu_reach(level) : MMU_ENTRIES;
    stop  = (page_t)round_down(page, reach) + reach;
    if (stop > span.end)
        stop = span.end;
    if (level > 1) {
        page = cursor_skip_empty(space, stop, span.end);
    } else {
        while (page < stop && cursor_is_empty(entry_read(at)))      /* bound: MMU_ENTRIES */
            at++, page++;
        run = copy_entries(space, page, at, at + (stop - page < most ? stop - page : most), out, &changed);
    }
    if (changed && space_is_current(space))
        mmu_flush_space();
    lock_drop(&space->tables_lock, state);
    *first = page;
    return run;
}

/* Write entries of one table at pages that are empty: no processor has any of them cached. */
static void copy_in_table(const struct space *space, page_t page, entry_t *at, const entry_t *entries, size_t count)
{
    for (size_t i = 0; IS_CHECKED && i < count; i++)
        assert(cursor_is_empty(entry_read(&at[i])));
    memcpy(at, entries, count * sizeof *at);
    for (size_t i = 0; IS_CHECKED && i < count; i++)
        entry_changed(space, page + i, entry_empty(), entries[i]);
}

static uint32_t filled_among(const entry_t *entries, size_t count)
{
    uint32_t filled = 0;

    for (size_t i = 0; i < count; i++)
        filled += !cursor_is_empty(entries[i]);
    return filled;
}

bool pages_copy_in(struct space *space, page_t page, const entry_t *entries, struct cursor_run run)
{
    struct cursor_touch t;

    deep_assert(run.count > 0 && run.present <= run.filled && run.filled == filled_among(entries, run.count));
    if (MMU_LEVELS == 1 || round_down(page, MMU_ENTRIES) != round_down(page + run.count - 1, MMU_ENTRIES) ||
        !cursor_touch(&t, space, page))
        return false;
    copy_in_table(space, page, t.at, entries, run.count);
    frame_count_link(t.table, (int)run.filled);
    space->resident += run.present;
    space->swapped  += run.swapped;
    cursor_touch_leave(&t);
    return true;
}

void cursor_copy_in(struct cursor *c, page_t page, const entry_t *entries, struct cursor_run run)
{
    assert(!cursor_of_kernel(c) && run.count <= MMU_ENTRIES);
    deep_assert(run.present <= run.filled && run.filled == filled_among(entries, run.count));
    /* bound: two tables */
    for (size_t left = run.count; left > 0; ) {
        entry_t *at   = cursor_entry(c, page);          /* brings the table into view */
        size_t   part = cursor_in_table(c, page, left);

        copy_in_table(c->space, page, at, entries, part);
        c->more += (int32_t)(part == run.count ? run.filled : filled_among(entries, part));
        page    += part;
        entries += part;
        left    -= part;
    }
    c->resident       += (int32_t)run.present;
    c->space->swapped += run.swapped;
}

/* ---- mremap: taken out, and then in --------------------------------------------------------------------------- */

/*
 * The table's count is brought up to date here, and not by cursor_settle(), after which the close would take away a
 * table that is empty now.
 */
struct cursor_run cursor_take_out(struct cursor *c, page_t page, entry_t *out, size_t count)
{
    struct cursor_run run = { .count = 1 };
    entry_t          *at  = cursor_entry(c, page);

    assert(!cursor_of_kernel(c) && count > 0 && page + count <= c->span.end);
    count = cursor_in_table(c, page, count);
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
