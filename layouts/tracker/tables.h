/*
 * tables.h - page tables as objects that grow and move; layouts whose table access is `tracked`.
 *
 * A *page-table object* is a struct page_table_info: one page of directory, and behind it the entries of all pages
 * in a row. The entry of a page is found by arithmetic, without a look at the directory. A complete object has every
 * entry an address space can have, in 4 MiB and 4 KiB of addresses; so no process gets a complete one.
 *
 *     object + 0x0000     page A: the directory, the frame that CR3 names
 *     object + 0x1000     page B: entries of the first 4 MiB of user space; the entry of user page P is at
 *                         object + 0x1000 + 4 * (P - first page of user space)
 *     ...                 one page of entries for each 4 MiB, up to the highest that has a table
 *
 * The *extent* of an object is how many pages of addresses it has: at least two, and as many as lead to its last
 * table. A page of the extent whose table does not exist has no frame. Objects lie in the region `objects`; tracker.h
 * says where each object is, list.h what is free.
 *
 * Growing  A table beyond the extent makes the object longer. If the pages behind it are taken, the object is moved
 *          first: its frames are mapped at another place, every reference to it is changed, and the old addresses are
 *          given back. Nothing is copied: only its addresses change, so its contents cannot differ afterwards, CR3
 *          goes on naming the directory's frame, and moving needs no memory but perhaps a page of the list. All that
 *          hold a pointer into an object are known to this file: the space (home.info), the tracker, the list; a cursor
 *          looks again after it has built tables.
 * Shrinking  When the last table of an object goes, the extent ends with the one before it.
 *
 * Kernel space has an object of the same shape, complete and at a fixed place: master.h.
 *
 * Locking  trackers_lock, inside the space's tables lock and outside kernel space's. A space's home is changed only
 *          under both of the first two.
 * Cost     the entry of a page: an addition. Growing: a word for every second page gained (list.h). Moving: O(extent),
 *          one flush. Shrinking: the directory's entries down to the last table, unless page B is all that is left.
 * Errors   -ENOMEM when there is no frame for a page of trackers or of the list, or no room in `objects`.
 * Source   claims T1 to T4, T11 to T14.
 *
 * Out      A table that translates nothing may leave memory (out.h). Its place stays, and shows nothing meanwhile.
 *
 * Invariants (audit.c; E6 and E7 are out.h's):
 *   E1  an object lies inside `objects`, from an even page on, and the places of its extent are its own
 *   E2  a space's link and its tracker name the same object; trackers in use are as many as spaces, kernel's included
 *   E3  page A shows the root, page 1 + n of the extent the table of the n-th 4 MiB, or nothing; the last has a table,
 *       in memory or out
 *   E4  a page of trackers has a pin for each tracker in use, one of the list for each pointer to an object that has a
 *       table in memory; it is there only if it has any
 *   E5  each entry of the master table that is not present names the frame of its own page, each of its
 *       directory leads to its own table
 */
#ifndef QUIRE_MEMORY_TABLE_TRACKED_H
#define QUIRE_MEMORY_TABLE_TRACKED_H

#include "base/lock.h"
#include "cpu.h"
#include "layouts/tracker/out.h"
#include "memory/layout.h"
#include "mmu.h"

struct space;

struct page_table_info {
    entry_t directory[MMU_ENTRIES];
    entry_t entries[MMU_ENTRIES * MMU_ENTRIES];
} __attribute__((aligned(PAGE_SIZE)));

/* Pages of a complete object, and of the least one. */
enum { TRACKED_WHOLE = 1 + MMU_ENTRIES, TRACKED_LEAST = 2 };

_Static_assert(MMU_LEVELS == 2 && sizeof(entry_t) == 4, "an object is a directory and one level of tables");
_Static_assert(sizeof(struct page_table_info) == 4 * MiB + 4 * KiB, "T1");
_Static_assert(offsetof(struct page_table_info, directory) == 0, "T1");
_Static_assert(offsetof(struct page_table_info, entries) == PAGE_SIZE, "T1");

/* Whether the table that the entry of `level` for `page` leads to stays as long as the space. */
bool table_home_stays(page_t page, unsigned level);

/* Whether a space, of whose tables no other than page B is out, has none but those that stay, and nothing in them. */
bool table_home_is_bare(const struct space *space);

/* Objects, trackers and the list. Rank HOMES. */
extern struct lock trackers_lock;

struct tracked_counts {
    uint32_t objects, pages;        /* now: objects of processes, and the pages of their extents */
    uint32_t grown, shrunk, moved;  /* ever                                                      */
    uint32_t refused;               /* ever: no room or no memory                                */
    uint32_t out;                   /* ever: tables that left memory                             */
};
struct tracked_counts tracked_counts(void);

#endif
