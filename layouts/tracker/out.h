/*
 * out.h - tables of programs that leave memory, and come back; the pages of the list with them (T10).
 *
 * A last-level table whose entries are all SWAP or EMPTY translates nothing. Where its space does not run it goes: its
 * entries are packed into a swap slot (memory/pageout/swap.h), the directory's entry becomes a SWAP entry that names
 * the slot, and the frame is free. Page A, the directory, stays, as do the object's addresses and its tracker. So
 * whoever follows the tables finds an entry of an upper level that leads to no table and is not EMPTY: the table is
 * *out*.
 *
 * Packed, a table is a bit for each entry, set for SWAP entries, and their slots in order: each as its difference from
 * the one before, in groups of seven bits. To take entries out never makes that longer; so dropping pages of a table
 * that is out needs no memory, and cannot fail.
 *
 * Who meets a table that is out
 *   cursor with CURSOR_BUILD    brings it back, as it makes one that is missing; it may fail for want of a frame
 *   fork, mremap                bring each back that they come to, by such a cursor. They are the writer of the map
 *                               lock, and have it to themselves then: only a reader of the map lets tables go
 *   munmap, exit, truncation    drop the entries where they are: table_home_drop()
 *   mprotect, mincore, the hand pass it over, as one that is missing: no page is present
 *   smaps, pagemap, the audit   look into it: table_home_look(), table_home_entry()
 *
 * An object none of whose tables is in is *asleep*: its places pin no page of the list (list.h).
 *
 * Locking  the space's tables lock is held, but in table_home_go(), which takes it; trackers_lock inside. None sleeps.
 * Cost     going and coming: some fifteen instructions an entry. Dropping: at most so many at once as keep interrupts
 *          off for a short time.
 *
 * Invariants (audit.c):
 *   E6  a directory's SWAP entry names a slot of its own that unpacks to a table; a space counts those that are out
 *   E7  a page of the list counts the places that are owned in it, whether it is there or not
 */
#ifndef QUIRE_LAYOUTS_TRACKER_OUT_H
#define QUIRE_LAYOUTS_TRACKER_OUT_H

#include "memory/tables/tables_out.h"

/* Whether the table that translates a page is out. */
bool table_home_is_out(const struct space *space, page_t page);

/*
 * Write the entries of a table that is out to a fresh frame of zeros, and end the slot: the directory's entry is
 * empty then. Returns how many there are. table_home_reserve() has been asked, table_home_enter() comes next.
 */
uint32_t table_home_bring_in(struct space *space, page_t page, frame_t table);

/* The entry of a page whose table is out. */
entry_t table_home_entry(const struct space *space, page_t page);

/*
 * Drop entries of [first, end), in one table that is out: all, or those that are chosen; a number of them at once.
 * Returns the page where to go on. A table that is empty then is gone, but for page B.
 */
page_t table_home_drop(struct space *space, page_t first, page_t end, const struct page_choice *choice) MUST_CHECK;

#endif
