/*
 * cursor.h - the only writer of page-table entries.
 *
 * Open a cursor over a span of one space, edit any number of pages, close it: the flush
 * happens once, at the close, and only then are frames given back that edits have freed.
 *
 *     struct cursor c;
 *     int err = cursor_open(&c, space, span, CURSOR_BUILD);
 *     if (err)
 *         return err;                             // nothing has changed
 *     cursor_map(&c, page, frame, rights, CACHE_BACK);
 *     cursor_close(&c);
 *
 * Opening with CURSOR_BUILD takes all the tables that the span needs, so that no edit
 * can fail. Tables that end up empty in user space are given back at the close; kernel
 * tables stay, because every space refers to them.
 *
 * Owning   a mapped frame's reference passes from the caller to the entry. cursor_remove() passes it
 *          back; cursor_discard() drops it after the flush.
 * Locking  cursor_open() takes the space's tables lock, cursor_close() drops it; interrupts
 *          are off in between. Nothing that sleeps or allocates in between.
 * Flush    only pages whose present entry lost rights or changed frame; one by one up to
 *          CURSOR_PAGES of them, beyond that everything. A change of an upper entry also
 *          flushes the page of the self-map that shows that table. Spaces that run nowhere need none.
 * Cost     O(pages edited) plus one table look-up for each MMU_ENTRIES pages.
 *
 * Invariants (checked by audit.c on whole spaces):
 *   C1  a table frame's link holds the number of its entries that are not empty
 *   C2  no entry of a user table gives kernel memory away: every present user entry lies below user_end
 *   C3  the kernel part of every root is equal (but for scope `process`)
 */
#ifndef QUIRE_MEMORY_CURSOR_H
#define QUIRE_MEMORY_CURSOR_H

#include "base/lock.h"
#include "mmu.h"

struct space;

enum { CURSOR_PAGES = 16, CURSOR_FREED = 32 };

enum { CURSOR_BUILD = 1 };      /* make the tables that are missing */

struct cursor {
    struct space *space;
    struct span   span;
    lock_state    state;
    entry_t      *table;                    /* last-level table in view, or NULL            */
    struct span   in_view;                  /* pages it covers                              */
    uint32_t      flush_count;              /* > CURSOR_PAGES: flush everything             */
    page_t        flush[CURSOR_PAGES];
    uint32_t      freed_count;
    frame_t       freed[CURSOR_FREED];      /* dropped after the flush; full: flush early   */
};

/* Returns 0, or -ENOMEM when a table is missing and no frame is free; then nothing has changed. */
int  cursor_open(struct cursor *c, struct space *space, struct span span, unsigned flags) MUST_CHECK;
void cursor_close(struct cursor *c);

/* The entry of a page; EMPTY where there is no table. */
entry_t cursor_read(struct cursor *c, page_t page);

/* The page must be empty or absent (asserted: not present). Needs CURSOR_BUILD, as the next does. */
void cursor_map(struct cursor *c, page_t page, frame_t frame, struct rights rights, enum cache cache);

/* Put an entry that is not present. The page must not be present. */
void cursor_put(struct cursor *c, page_t page, entry_t absent);

/* Other rights for a present page; others are left alone. No rights at all makes it BLOCKED and back. */
void cursor_protect(struct cursor *c, page_t page, struct rights rights);

/* Another frame for a present page (copy-on-write, migration); returns the old, with its reference. */
frame_t cursor_replace(struct cursor *c, page_t page, frame_t frame, struct rights rights);

/* Make the page empty; returns what was there, with its reference. It is flushed at the close. */
entry_t cursor_remove(struct cursor *c, page_t page);

/* Make the page empty and drop the frame's reference after the flush. */
void cursor_discard(struct cursor *c, page_t page);

/* First page at or after `from` whose entry is not empty, or span.end: skips missing tables whole. */
page_t cursor_next(struct cursor *c, page_t from);

/* Clear the accessed bit, returning it; no flush (an old translation only delays ageing). */
bool cursor_age(struct cursor *c, page_t page, unsigned age);

#endif
