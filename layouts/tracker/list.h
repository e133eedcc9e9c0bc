/*
 * list.h - lists of page tables: which object lies at which place of the region `objects`.
 *
 * A *place* is two pages of `objects`, as long as the least object; an object begins at the start of a place and
 * owns the places of its whole extent. The list has one pointer for each place, to the object that owns it, or 0. Its
 * pages hold 1024 pointers each, lie in the region `trackers` behind the pages of trackers, and exist only where
 * there are objects: each pointer to an object that has a table in memory pins its page (tracker.h).
 *
 * A page of which no object has a table in memory goes, and is *out*: only the number of its pointers is kept. Its
 * contents are those of the trackers, so it is made again from them when a table comes back, when it gets another
 * pointer, or to be searched.
 *
 * So one look says what lies right behind an object, and free addresses need no other record.
 *
 * New objects are placed from the bottom, objects that are moved from the top: an object that has grown is likely to be
 * long, and should not lie between small ones. Where there is such room, it can become as long as any without another
 * move.
 *
 * Locking  trackers_lock is held by the caller.
 * Cost     looking: four instructions a place; entering and leaving: one, and as much again for each page of the list.
 *          Searching begins where the last search ended, or where an object has left since: a step for each
 *          place upwards, where pages that are not there or full are one; a step for each object downwards. A page that
 *          comes back: a look at each tracker.
 * Source   claims T9, T10.
 */
#ifndef QUIRE_MEMORY_TABLE_LIST_H
#define QUIRE_MEMORY_TABLE_LIST_H

#include "layouts/tracker/tables.h"

enum { POINTERS_A_PAGE = 1024, PAGES_A_PLACE = 2 };

/* A page of the list. */
struct page_table_list {
    uint32_t tables[POINTERS_A_PAGE];
} __attribute__((aligned(PAGE_SIZE)));

_Static_assert(sizeof(struct page_table_list) == PAGE_SIZE, "T9");

void lists_start(void);

/* How many places there are; the places that pages of `objects` lie in, whole. */
uint32_t    lists_places(void);
struct span lists_places_of(struct span pages);

/* The pointer of a place: the address of the object that owns it, or 0; 0 where its page is out. */
uint32_t lists_at(uint32_t place);

/* How many places of each page are owned, also while it is out. A place takes two pages of addresses. */
enum { LISTS = MMU_SPACE_END / PAGES_A_PLACE / POINTERS_A_PAGE };
extern uint16_t lists_owned[LISTS];

/* True when all of these are places and none is owned; false where that cannot be seen for want of memory. */
bool lists_free(struct span places);

/* The lowest free place, for a new object; false if there is none, or no memory to see it. */
bool lists_find_lowest(struct span *place);

/*
 * A run of free places for an object of that many pages, as high as can be: if possible one with room behind it for
 * the longest object. False if there is none.
 */
bool lists_find_run(size_t pages, struct span *places);

/* Make the pages of the list that these places lack, one at least. Returns 0, or -ENOMEM and nothing has changed. */
int  lists_prepare(struct span places) MUST_CHECK;

/* Prepared and free places become an object's, with pins; an object's become free, which has pins there or has none. */
void lists_enter(struct span places, uint32_t object);
void lists_leave(struct span places, bool pinned);

/* The places of an object pin their pages, which are there; or no longer do. */
void lists_pin(struct span places);
void lists_unpin(struct span places);

/* Searching may have brought pages back that nothing pins: they go. */
void lists_tidy(void);

#endif
