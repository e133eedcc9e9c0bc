/*
 * list.h - lists of page tables: which object lies at which place of the region `objects`.
 *
 * A *place* is two pages of `objects`, as long as the least object; an object begins at the start of a place and
 * owns the places of its whole extent. The list has one pointer for each place, to the object that owns it, or 0. Its
 * pages hold 1024 pointers each, lie in the region `trackers` behind the pages of trackers, and exist only where
 * there are objects: each pointer pins its page (tracker.h), a page that is not there lists nothing.
 *
 * So one look says what lies right behind an object, and free addresses need no other record.
 *
 * New objects are placed from the bottom, objects that are moved from the top: an object that has grown is likely to be
 * long, and should not lie between small ones.
 *
 * Locking  trackers_lock is held by the caller.
 * Cost     looking, entering, leaving: O(places). Searching upwards: O(places) from the lowest that may be free on,
 *          where pages that are not there or full are one step; downwards: one step for each object and each hole's
 *          place.
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

/* The pointer of a place: the address of the object that owns it, or 0. */
uint32_t lists_at(uint32_t place);

/* True when all of these are places and none is owned. */
bool lists_free(struct span places);

/* A run of free places for that many pages, the lowest or the highest; false if there is none. */
bool lists_find(size_t pages, bool from_top, struct span *places);

/* Make the pages of the list that these places lack. Returns 0, or -ENOMEM and nothing has changed. */
int  lists_prepare(struct span places) MUST_CHECK;

/* Prepared and free places become an object's; an object's become free. */
void lists_enter(struct span places, uint32_t object);
void lists_leave(struct span places);

#endif
