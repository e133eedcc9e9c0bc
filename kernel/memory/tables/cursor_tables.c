/*
 * cursor_tables.c - the tables that a cursor's span lacks, and those that it has emptied.
 *
 * Making tables comes in two steps: take every frame that is needed, which may fail, then put them
 * in their places, which may not.
 */
#include "memory/tables/cursor_tables.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"
#include "memory/tables/slot.h"
#include "memory/tables/table.h"
#include "memory/tables/table_access.h"

void cursor_share(struct cursor *c, page_t page, entry_t entry)
{
    deep_assert(cursor_of_kernel(c));
    /* bound: regions of the document */
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *twin = &layout.regions[i];
        page_t other = twin->span.first + (page - twin->alias);

        if (twin->backing == BACKING_ALIAS && page - twin->alias < span_pages(twin->span)) {
            entry_write(entry_at(c->space, other, MMU_LEVELS), entry);
            space_share_entry(other);
        }
    }
    space_share_entry(page);
}

/* The first of the pages that one entry of `level` covers. */
static page_t stretch(page_t page, unsigned level) { return round_down(page, mmu_reach(level)); }

static bool is_missing(const struct cursor *c, page_t page, unsigned level)
{
    const entry_t *at = entry_at(c->space, page, level);

    return at == NULL || entry_kind(entry_read(at), level) != ENTRY_TABLE;
}

/* Count the entries of the table above (C1), which gained or lost one. Kernel tables are not counted. */
static void count_in_parent(const struct cursor *c, page_t page, unsigned level, int more)
{
    unsigned top;
    frame_t  parent;

    if (cursor_of_kernel(c) || level == MMU_LEVELS)
        return;
    top    = level + 1;
    parent = entry_frame(entry_read(entry_at(c->space, page, top)));
    frame_set_link(parent, frame_link(parent) + (uint32_t)more);
}

/*
 * Upper entries of the programs' part let programs through; the last entry decides. So do upper entries of the
 * kernel's part where the document opens a region below them to programs.
 */
static bool lets_programs_through(const struct cursor *c, page_t page, unsigned level)
{
    page_t first = stretch(page, level), end = first + mmu_reach(level);

    if (!cursor_of_kernel(c))
        return !page_is_own_stack(page);
    for (page_t at = first; at < end; ) {
        const struct layout_region *row = layout_kernel_region_of(at);

        if (row->rights.user != 0)
            return true;
        at = row->span.end;
    }
    return false;
}

/* Let the entry of `level` that translates page lead to a table, `filled` of whose entries are not empty. */
static void table_install(struct cursor *c, page_t page, unsigned level, frame_t table, uint32_t filled)
{
    entry_t entry = entry_table(table, lets_programs_through(c, page, level));

    if (TABLES_GO_OUT && !cursor_of_kernel(c) && table_home_is_out(c->space, page))
        filled = table_home_bring_in(c->space, page, table);
    assert(entry_kind(entry_read(entry_at(c->space, page, level)), level) == ENTRY_EMPTY);
    deep_assert(frame_exists(table) && filled <= MMU_ENTRIES);
    if (!cursor_of_kernel(c))
        frame_set_link(table, filled);
    count_in_parent(c, page, level, +1);
    if (!cursor_of_kernel(c))
        table_home_enter(c->space, page, level, table);
    entry_write(entry_at(c->space, page, level), entry);
    if (cursor_of_kernel(c) && level == MMU_LEVELS && !page_is_own_stack(page))
        cursor_share(c, page, entry);
    c->space->table_frames++;
}

/* Take an empty table out of the entry of `level`; its frame goes after the flush. */
static void table_uninstall(struct cursor *c, page_t page, unsigned level)
{
    entry_t old = entry_exchange(entry_at(c->space, page, level), entry_empty());
    page_t  seen;

    deep_assert(!cursor_of_kernel(c) && frame_link(entry_frame(old)) == 0);
    count_in_parent(c, page, level, -1);
    table_home_leave(c->space, page, level, entry_frame(old));      /* only processes' tables are given back */
    c->space->table_frames--;
    if (table_seen_at(page, level - 1, &seen))
        cursor_note_flush(c, seen);
    else if (c->flush_count == 0 && !TABLE_HOME_FLUSHES)
        cursor_note_flush(c, page);     /* flushing any page makes the processor forget upper entries */
    cursor_note_freed(c, entry_frame(old));
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

    deep_assert(frame_exists(table));
    entry_write(first, entry_empty());
    *chain = entry_kind(next, 1) == ENTRY_TRANSIT ? entry_frame(next) : NO_FRAME;
    return table;
}

/* Before there is a pool nothing is given back: a machine without room for its first tables does not start. */
static void tables_give_back(frame_t chain)
{
    while (frame_exists(chain)) {
        frame_t table = from_chain(&chain);

        if (frames_are_open())
            frame_put(table);
    }
}

/* Take frames for all missing tables of the span, and their homes where the layout has homes; or neither. */
static int take_tables(struct cursor *c, unsigned lowest, frame_t *chain)
{
    size_t taken = 0;
    int    err   = 0;

    /* bound: tables that the span lacks: two, as spans are short; more of devices, and at the start */
    for (unsigned level = MMU_LEVELS; level > lowest; level--)
        for (page_t page = stretch(c->span.first, level); page < c->span.end && err == 0; page += mmu_reach(level))
            if (is_missing(c, page, level)) {
                err = take_table(chain);
                taken += err == 0;
            }
    if (err == 0 && taken > 0 && !cursor_of_kernel(c))
        err = table_home_reserve(c->space, c->span, taken);
    if (err != 0)
        tables_give_back(*chain);
    return err;
}

/* Upper levels first, so that the lower find their place. */
static void install_tables(struct cursor *c, unsigned lowest, frame_t chain)
{
    /* bound: tables that the span lacks: two, as spans are short; more of devices, and at the start */
    for (unsigned level = MMU_LEVELS; level > lowest; level--)
        for (page_t page = stretch(c->span.first, level); page < c->span.end; page += mmu_reach(level))
            if (is_missing(c, page, level))
                table_install(c, page, level, from_chain(&chain), 0);
}

int cursor_build(struct cursor *c, unsigned lowest)
{
    frame_t chain = NO_FRAME;

    deep_assert(lowest >= 1 && lowest <= MMU_LEVELS);
    if (take_tables(c, lowest, &chain) != 0)
        return -ENOMEM;
    install_tables(c, lowest, chain);
    c->in_view = (struct span){ 0, 0 };         /* the slot that showed the table may have been used */
    c->sweep   = true;
    return 0;
}

int cursor_hang(struct cursor *c, page_t page, frame_t table)
{
    unsigned level = MMU_LEVELS > 1 ? 2 : 1;
    int      err   = table_home_reserve(c->space, c->span, 1);

    assert(!cursor_of_kernel(c) && page_is_users(page) && MMU_LEVELS > 1);
    deep_assert(page % MMU_ENTRIES == 0 && frame_owner(table) == OWNER_TABLES);
    if (err != 0)
        return err;
    table_install(c, page, level, table, MMU_ENTRIES);
    c->resident += MMU_ENTRIES;
    c->in_view   = (struct span){ 0, 0 };
    return 0;
}

/* The entries of a root lie side by side, however the layout reaches them. */
page_t cursor_skip_empty(const struct space *space, page_t page, page_t end)
{
    const entry_t *at = page < end ? entry_at(space, page, MMU_LEVELS) : NULL;

    while (page < end && entry_kind(entry_read(at++), MMU_LEVELS) == ENTRY_EMPTY)
        page = stretch(page, MMU_LEVELS) + mmu_reach(MMU_LEVELS);
    return page < end ? page : end;
}

page_t cursor_pass(const struct cursor *c, page_t page, page_t end, bool drop, const struct page_choice *choice)
{
    deep_assert(c->table == NULL && page < end);
    if (TABLES_GO_OUT && drop && cursor_owns_slot(c->large))
        return table_home_drop(c->space, page, page + cursor_in_table(c, page, end - page), choice);
    return cursor_skip_empty(c->space, c->in_view.end, end);
}

void cursor_sweep(struct cursor *c)
{
    deep_assert(!cursor_of_kernel(c));
    /* bound: tables of the span, which is one batch's: a table, or what was built at once */
    for (unsigned level = 2; level <= MMU_LEVELS; level++)
        for (page_t page = c->span.first; (page = cursor_skip_empty(c->space, page, c->span.end)) < c->span.end;
             page = stretch(page, level) + mmu_reach(level)) {
            const entry_t *at = entry_at(c->space, page, level);
            entry_t        e  = at != NULL ? entry_read(at) : entry_empty();

            if (entry_kind(e, level) == ENTRY_TABLE && frame_link(entry_frame(e)) == 0 &&
                !table_home_stays(page, level))
                table_uninstall(c, page, level);
        }
}

/* ---- A few pages of one table ---------------------------------------------------------------------------- */

bool cursor_few(struct cursor_touch *t, struct space *space, struct span span, bool *done)
{
    deep_assert(!span_empty(span));
    *done = false;
    if (MMU_LEVELS == 1 || span_pages(span) > CURSOR_PAGES ||
        round_down(span.first, MMU_ENTRIES) != round_down(span.end - 1, MMU_ENTRIES))
        return false;
    if (cursor_touch(t, space, span.first))
        return true;
    *done = !TABLES_GO_OUT || !cursor_owns_slot(t->entry);      /* of the upper entry: the table is out */
    return false;
}
