/*
 * cursor.h - the only writer of page-table entries.
 *
 * Open a cursor over a span of one space, edit any number of pages, close it: the flush happens at the close, and only
 * after a flush, and when the lock is dropped, are frames given back that edits have freed. Where more than
 * CURSOR_FREED frames wait for that, the cursor flushes early and gives them back before the close.
 *
 *     struct cursor c;
 *     int err = cursor_open(&c, space, span, CURSOR_BUILD);
 *     if (err)
 *         return err;                             // nothing has changed
 *     cursor_map(&c, page, frame, rights, CACHE_BACK);
 *     cursor_close(&c);
 *
 * Opening with CURSOR_BUILD takes all the tables that the span needs, so that no edit
 * can fail. Tables of a process that become empty are given back at the close, unless by cursor_take_out(); kernel
 * tables stay, because every space refers to them. Where the layout lets tables of programs leave memory, one that is
 * out counts as missing, though its pages are not EMPTY: CURSOR_BUILD brings it back, pages_discard() and
 * pages_discard_some() reach into it (layouts/tracker/out.h).
 *
 * Owning   a mapped frame's reference passes from the caller to the entry. cursor_remove() passes it
 *          back; cursor_discard() drops it after the flush. A BLOCKED entry owns its frame as well, and a SWAP entry a
 *          reference to its slot (pageout/swap.h).
 * Locking  cursor_open() takes the space's tables lock, cursor_close() drops it; interrupts
 *          are off in between. The caller neither sleeps in between nor opens a second cursor, which the
 *          heap may do; frames may be taken.
 * Flush    only pages whose present entry lost rights, changed its frame or was removed; one by one up to
 *          CURSOR_PAGES of them, beyond that the whole space. With a table that is given back goes the page of
 *          the self-map that shows the table; with a page that an alias repeats, the page of the alias. A space
 *          that no processor uses needs no flush, nor does mapping a page that was not present: such entries are
 *          never cached.
 * Cost     O(pages edited) plus one table look-up for each MMU_ENTRIES pages.
 *
 * What a last-level entry can be, and which edit makes it another:
 *
 *                    cursor_map(), cursor_copy_in()              cursor_protect() with no rights
 *     EMPTY, GUARD --------------------------------> PRESENT ----------------------------------> BLOCKED
 *       |  ^ ^     <--------------------------------   | ^   <----------------------------------    |
 *       v  | |       cursor_remove(), _discard()       +-+         rights again, or a touch         |
 *      SWAP  |                      cursor_replace(): another frame                                 |
 *            +------------------ cursor_remove(), cursor_discard() ---------------------------------+
 *
 * A BLOCKED page becomes SWAP by cursor_touch_put_away(), and present again by cursor_touch_bring_in(). GUARD and other
 * absent kinds come by cursor_put(). In a master table EMPTY is written as IDENTITY.
 *
 * A span may lie in kernel space's alias of another region only for reading: edit the original.
 *
 * Invariants (checked by tables_audit() and the auditor on whole spaces):
 *   C1  the link of a process's table frame (not of its root) holds the number of entries that are not empty
 *   C2  no entry of a user table gives kernel memory away: every present user entry lies in user space, or in
 *       a region of the kernel's that the document opens to programs
 *   C3  the kernel part of every root is equal (but for its reference to itself, and stacks of its own)
 *   C4  every translation that a CPU has cached agrees with the tables (host port: machine_tlb_audit)
 */
#ifndef QUIRE_MEMORY_CURSOR_H
#define QUIRE_MEMORY_CURSOR_H

#include "base/lock.h"
#include "mmu.h"

struct space;

/*
 * Pages flushed singly: beyond that, forgetting everything and walking again costs less. Frames kept
 * back until the flush: more would only grow the cursor, which lives on the stack.
 */
enum { CURSOR_PAGES = 16, CURSOR_FREED = 64 };

/* Pages that one batch of long work edits: so few that interrupts are off only for a short time. */
enum { CURSOR_BATCH = 64 };

enum {
    CURSOR_BUILD = 1,           /* make the tables that are missing                                      */
    CURSOR_LARGE = 2,           /* only down to the level of large pages: for them, and for cursor_hang()  */
    CURSOR_BACK  = 4,           /* bring the first page's table back, if it is out: then it can fail, too  */
};

struct cursor {
    struct space *space;
    struct span   span;
    lock_state    state;
    entry_t      *table;                    /* last-level table in view, or NULL            */
    struct span   in_view;                  /* pages it covers; or that lack a table        */
    frame_t       table_frame;              /* of the table in view                         */
    entry_t       large;                    /* no table in view: the large page's entry, or EMPTY */
    int32_t       more;                     /* entries filled in view less entries emptied  */
    int32_t       resident;                 /* user pages made present less pages removed   */
    bool          global;                   /* leaves in view are the same in every space   */
    bool          sweep;                    /* some table of the span may be empty          */
    uint32_t      flush_count;              /* > CURSOR_PAGES: flush everything             */
    page_t        flush[CURSOR_PAGES];
    uint32_t      freed_count;
    frame_t       freed[CURSOR_FREED];      /* dropped after the flush; full: flush early   */
};

/*
 * Returns 0, or -ENOMEM when a table is missing and there is no frame for it, or no place where the layout gives tables
 * a place of their own; then nothing has changed, and the cursor is not open. Without CURSOR_BUILD or CURSOR_BACK it
 * cannot fail.
 */
int  cursor_open(struct cursor *c, struct space *space, struct span span, unsigned flags) MUST_CHECK;
void cursor_close(struct cursor *c);

/*
 * The entry of a page; EMPTY where there is no table, IDENTITY where there is nothing in a master table. Inside a large
 * page: the large page's entry.
 */
entry_t cursor_read(struct cursor *c, page_t page);

/*
 * To read many: the entries from a page of the span on, *count of them, as far as one table or the span has them; NULL
 * where there is no table, and then as many pages lack one. Good until another page is asked for.
 */
const entry_t *cursor_entries(struct cursor *c, page_t page, size_t *count);

/*
 * Map a frame at a page that is neither present nor BLOCKED. The cursor was opened with CURSOR_BUILD.
 * No rights at all makes the page BLOCKED from the start.
 */
void cursor_map(struct cursor *c, page_t page, frame_t frame, struct rights rights, enum cache cache);

/*
 * Of `count` pages from `page` on, a program's and all of one table: map at each that is empty the frame that `frames`
 * has for it, with some rights. A frame that is mapped is NO_FRAME there then; where it was before, nothing is mapped.
 * The cursor was opened with CURSOR_BUILD. Cost: some ten instructions for each page.
 */
void cursor_map_run(struct cursor *c, page_t page, frame_t *frames, size_t count, struct rights rights);

/* Write an entry that is not present, at a page that is neither present nor BLOCKED. Needs CURSOR_BUILD as well. */
void cursor_put(struct cursor *c, page_t page, entry_t absent);

/*
 * Map MMU_ENTRIES frames with one entry; page and frame are multiples of that, no table is in the way, and
 * mmu_features.large. Kernel space only; such pages are never edited again.
 */
void cursor_map_large(struct cursor *c, page_t page, frame_t frame, struct rights rights, enum cache cache);

/*
 * Hang in a table that was filled beforehand (memory/spaces/populate.h): MMU_ENTRIES present entries, whose frames'
 * references and the table's own are then the space's. The pages it shows are empty so far, a process's, and all in its
 * space's part; the cursor was opened with CURSOR_BUILD and CURSOR_LARGE. Returns 0, or -ENOMEM where the layout has no
 * place left for a table.
 */
int  cursor_hang(struct cursor *c, page_t page, frame_t table) MUST_CHECK;

/*
 * Give a page other rights. No rights at all make a present page BLOCKED (memory of CACHE_BACK only), rights make a
 * BLOCKED page present again; pages of other kinds are left alone.
 */
void cursor_protect(struct cursor *c, page_t page, struct rights rights);

/* Another frame for a present page, flushed at the close; returns the old one, with its reference. */
frame_t cursor_replace(struct cursor *c, page_t page, frame_t frame, struct rights rights);

/* Make the page empty; returns the old entry, with the reference to its frame. The page is flushed at the close. */
entry_t cursor_remove(struct cursor *c, page_t page);

/* Make the page empty and drop the frame's reference after the flush, or that to a swap slot. */
void cursor_discard(struct cursor *c, page_t page);

/*
 * First page at or after `from` whose entry is not empty, or span.end: skips missing tables whole. cursor_next_near()
 * looks no further than one table, or one stretch without tables: true when *page, moved on, is such a page; false when
 * nothing is before *page, where the next look begins. Cost: the entries of a table, or of the root.
 */
page_t cursor_next(struct cursor *c, page_t from);
bool   cursor_next_near(struct cursor *c, page_t *page);

/*
 * Runs, for work on many pages of programs: the entries of one table are gone through in one loop.
 *
 * pages_copy_out() copies entries of a program's span, from the first that is not empty on, at most so many and no
 * further than one table, to `out`, and gives each frame they name one more reference; the entries and their copies
 * lose the right to write. Of SWAP entries it is the slot that gets a reference; entries of other kinds are copied out
 * as EMPTY. *first is the page of the first entry of the run, and behind the run comes what is left to do; the run is
 * empty where there was no table, or nothing more in it, and *first is what comes behind that; or it is the first page
 * of the span, whose table is out and finds no memory to come back to. pages_copy_in() writes such entries, with their
 * references, to pages that are empty, where they all belong to one table, and that is there; else it returns false and
 * has done nothing. Both take the tables lock themselves, so no cursor is open.
 *
 * cursor_copy_in() does the same with a cursor that was opened with CURSOR_BUILD. cursor_take_out() takes the entries
 * of [page, page + count), which has a table, out instead, with their references, and its run ends behind the last of
 * them. The table stays, even if it is empty now, so that they can be put back, until pages_discard() comes by.
 * cursor_discard_span() is cursor_discard() of each page of a span.
 *
 * pages_discard() and pages_protect() do the same to all pages of a span of a program, however long, in batches: each
 * opens a cursor of its own and closes it again, and behind each lies a point of rest (base/rwlock.h), at which all
 * invariants hold; only a few pages of one table need no cursor. No cursor is open, and the caller sees to it that no
 * other thread edits the span meanwhile: by the map lock. With `apart`, pages_protect() gives the right to write only
 * to pages that had it, or whose frame has one reference and belongs to OWNER_USER. Both may sleep.
 *
 * pages_discard_some() is one batch of pages_discard(), without rest, of those pages for which `is` returns true; it
 * returns the page at which the next batch begins, at most the span's end. The pages name frames.
 */
struct cursor_run {
    size_t   count;                         /* entries looked at                            */
    uint32_t filled, present, swapped;      /* of them, those that are not EMPTY; present; SWAP */
};

struct cursor_run pages_copy_out(struct space *space, struct span span, entry_t *out, size_t most, page_t *first);
bool pages_copy_in(struct space *space, page_t page, const entry_t *entries, struct cursor_run run) MUST_CHECK;
struct cursor_run cursor_take_out(struct cursor *c, page_t page, entry_t *out, size_t count);
void cursor_copy_in(struct cursor *c, page_t page, const entry_t *entries, struct cursor_run run);
void cursor_discard_span(struct cursor *c, struct span span);
void pages_discard(struct space *space, struct span span);
typedef bool (*page_filter)(page_t page, entry_t entry, const void *how);
struct page_choice { page_filter is; const void *how; };
typedef void (*page_visitor)(page_t page, entry_t entry, void *with);
page_t pages_discard_some(struct space *space, struct span span, page_filter is, const void *how) MUST_CHECK;
void pages_protect(struct space *space, struct span span, struct rights rights, bool apart);

/*
 * A smaller cursor, for faults: one page of a program, in a table that is there. cursor_touch() takes the tables
 * lock and says what the entry is; it returns false, and keeps no lock, where there is no table.
 * cursor_touch_within() does the same for a page of a cursor that was opened with CURSOR_BUILD, under the cursor's
 * lock. One of these calls ends it: cursor_touch_map() lets an EMPTY page show a frame, whose reference passes to the
 * entry; cursor_touch_allow() gives a present or BLOCKED page more rights; cursor_touch_replace() gives a present page
 * another frame, and returns the old one with its reference once no processor can reach it; cursor_touch_bring_in()
 * lets a SWAP page show a frame, whose reference passes to the entry, and drops that to the slot (without rights it is
 * BLOCKED then); cursor_touch_put_away() does the opposite with a BLOCKED page, and returns its frame with its
 * reference;
 * cursor_touch_leave() changes nothing. cursor_touch_block() does not end it: it makes a present page BLOCKED, flushes
 * it, and returns the entry.
 */
struct cursor_touch {
    struct space *space;
    page_t        page;
    entry_t      *at, entry;
    frame_t       table;
    bool          within;                   /* a cursor holds the lock, and keeps the lock  */
    lock_state    state;
};

bool    cursor_touch(struct cursor_touch *t, struct space *space, page_t page) MUST_CHECK;
void    cursor_touch_within(struct cursor_touch *t, struct cursor *c, page_t page);
void    cursor_touch_map(struct cursor_touch *t, frame_t frame, struct rights rights);
void    cursor_touch_allow(struct cursor_touch *t, struct rights rights);
frame_t cursor_touch_replace(struct cursor_touch *t, frame_t frame, struct rights rights);
void    cursor_touch_bring_in(struct cursor_touch *t, frame_t frame, struct rights rights);
frame_t cursor_touch_put_away(struct cursor_touch *t, uint32_t slot);
entry_t cursor_touch_block(struct cursor_touch *t, struct rights keep);
void    cursor_touch_leave(struct cursor_touch *t);

/*
 * Note this age in a present page's entry and clear its accessed bit; returns the old accessed bit, false where no
 * page is present. Flushed if it was set: the processor notes no use of a translation that it has cached.
 */
bool cursor_age(struct cursor *c, page_t page, unsigned age);

#endif
