/*
 * cursor_tables.h - functions that the files cursor*.c share; no other file includes this.
 *
 * Locking  the cursor is open: its space's tables lock is held.
 */
#ifndef QUIRE_MEMORY_CURSOR_TABLES_H
#define QUIRE_MEMORY_CURSOR_TABLES_H

#include "base/check.h"
#include "memory/frames/frame.h"
#include "memory/tables/cursor.h"
#include "memory/spaces/space.h"

static inline bool cursor_of_kernel(const struct cursor *c) { return c->space == &kernel_space; }

/*
 * Make all tables of level `lowest` and above that the span lacks. Returns 0, and no table is in view;
 * or -ENOMEM, and nothing has changed.
 */
int cursor_build(struct cursor *c, unsigned lowest) MUST_CHECK;

/* Take the process's empty tables out of the span, lower levels first. */
void cursor_sweep(struct cursor *c);

/* The first page at or after `page` whose entry of the root is not empty; `end` if there is none before. */
page_t cursor_skip_empty(const struct space *space, page_t page, page_t end);

/*
 * A page that the cursor has just found to have no table: where to go on, at most `end`. Where its table is out and its
 * entries are to be dropped, some of those that are chosen (all: NULL) are, as table_home_drop() says.
 */
page_t cursor_pass(const struct cursor *c, page_t page, page_t end, bool drop, const struct page_choice *choice);

/*
 * A root entry of kernel space has changed: write it to the aliases of its range, and to the root in use. Other spaces
 * take it over when they are next used (space_catch_up()), so that the cost is the document's aliases alone.
 */
void cursor_share(struct cursor *c, page_t page, entry_t entry);

/* The last-level entry of a page of the span, NULL where there is no table; the table is then in view. */
entry_t *cursor_find(struct cursor *c, page_t page);

/* The same where the table is there: the cursor was opened with CURSOR_BUILD, and no large page is in the way. */
static inline entry_t *cursor_entry(struct cursor *c, page_t page)
{
    entry_t *at = cursor_find(c, page);

    assert(at != NULL);
    return at;
}

/* How many of the `count` pages from `page` on lie in the table in view. */
static inline size_t cursor_in_table(const struct cursor *c, page_t page, size_t count)
{
    size_t left = c->in_view.end - page;

    deep_assert(span_has(c->in_view, page));
    return count < left ? count : left;
}

static inline bool no_rights(struct rights rights) { return (rights.kernel | rights.user) == 0; }

/* Whether a last-level entry holds a reference to a frame; whether nothing is there, in a master table or any other. */
static inline bool cursor_owns_frame(entry_t e) { return entry_present(e) || entry_kind(e, 1) == ENTRY_BLOCKED; }
/* Whether it holds a reference to a swap slot. */
static inline bool cursor_owns_slot(entry_t e) { return entry_kind(e, 1) == ENTRY_SWAP; }
static inline bool cursor_is_empty(entry_t e)
{
    return entry_kind(e, 1) == ENTRY_EMPTY || entry_kind(e, 1) == ENTRY_IDENTITY;
}

/* Whether entry_with_rights() has made one present entry of another with fewer rights: each is a bit that is set. */
static inline bool entry_loses_rights(entry_t old, entry_t new) { return old.raw & ~new.raw; }

/*
 * A point of rest between two edits: the tables lock is dropped and taken again, what has been edited so far is
 * flushed, and frames are given back. Tables that are empty stay until the close. May sleep.
 */
void cursor_rest(struct cursor *c);

/* A SWAP entry has gone: its reference to the slot ends. */
void cursor_drop_slot(struct space *space, entry_t entry);

/* Note a page that the close is to flush; a frame whose reference is to be dropped after the flush. */
void cursor_note_flush(struct cursor *c, page_t page);
void cursor_note_freed(struct cursor *c, frame_t frame);

/* The first, in line for runs: pages beyond CURSOR_PAGES make no difference. */
static inline void cursor_note_loss(struct cursor *c, page_t page)
{
    if (c->flush_count <= CURSOR_PAGES)
        cursor_note_flush(c, page);
}

/* The entries of the table in view that are not empty. Where a root is the only table, they are not counted (C1). */
static inline size_t cursor_filled(const struct cursor *c)
{
    return MMU_LEVELS == 1 ? MMU_ENTRIES : frame_link(c->table_frame) + (uint32_t)c->more;
}

/*
 * The short way for up to CURSOR_PAGES pages of one table. True: the table is there, t->at is the entry of the first
 * page, and the tables lock is held until cursor_touch_leave(). Else *done says whether there is no table, nor one that
 * is out, and so nothing to edit.
 */
bool cursor_few(struct cursor_touch *t, struct space *space, struct span span, bool *done) MUST_CHECK;

#endif
