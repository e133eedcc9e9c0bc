/*
 * tracker.h - where each page-table object is, and how long: eight bytes for each.
 *
 * Trackers have numbers. Tracker n is the (n % 512)-th of page n / 512 of trackers; tracker 0 is the master
 * table's. A tracker that is not in use has no pointer. The pages lie at the start of the region `trackers`, each at
 * its own address, and are there only while one of their trackers is in use: the first is made before there is
 * a pool (master.h), the others as spaces come and go.
 *
 * The same region holds the pages of the list (list.h). Both kinds are *pinned pages*: frames of owner TRACKERS
 * whose record counts pins, one for each entry in use. While there is a pin the page must not be taken away, whatever
 * memory is needed for; a page without a pin is given back (T10).
 *
 * Names are the design document's: pt_ptr, pcount, pagetables. It calls the page pt_alloc_page once and
 * pg_alloc_page twice; the code has the latter.
 *
 * Locking  trackers_lock is held by the caller.
 * Cost     O(1), and a search for a free tracker from the lowest that may be free.
 * Source   claims T9, T10, T15 to T17.
 */
#ifndef QUIRE_MEMORY_TRACKER_H
#define QUIRE_MEMORY_TRACKER_H

#include "layouts/tracker/tables.h"

struct pg_tracker {
    uint32_t pt_ptr;                /* address of the object, 0: not in use */
    uint32_t pcount;                /* pages of its extent                  */
};

enum { TRACKERS_A_PAGE = 512, MASTER_TRACKER = 0 };

struct pg_alloc_page {
    struct pg_tracker pagetables[TRACKERS_A_PAGE];
} __attribute__((aligned(PAGE_SIZE)));

_Static_assert(sizeof(struct pg_tracker) == 8, "T15");
_Static_assert(sizeof(struct pg_alloc_page) == PAGE_SIZE, "T16");

/* How many trackers there can be: one for each object that fits, and the master table's. */
uint32_t trackers_end(void);

/* Called by table_homes_start(). */
void trackers_start(void);

/* A tracker whose page is there; NULL where it is not. */
struct pg_tracker *tracker_at(uint32_t number);

/* A tracker that is not in use; its page is made if need be. tracker_set() puts it to use. Returns 0 or -ENOMEM. */
int  tracker_find(uint32_t *number) MUST_CHECK;
void tracker_set(uint32_t number, uint32_t pt_ptr, uint32_t pcount);
void tracker_clear(uint32_t number);

/* ---- Pinned pages ---------------------------------------------------------------------------- */

page_t trackers_page(uint32_t n);           /* the n-th page of trackers                        */
page_t trackers_list_page(uint32_t n);      /* the n-th page of the list                        */

bool pinned_page_is_there(page_t page);
int  pinned_page_make(page_t page) MUST_CHECK;  /* filled with zeros and without a pin; 0 or -ENOMEM */
void pinned_page_pin(page_t page, uint32_t pins);
void pinned_page_unpin(page_t page, uint32_t pins);     /* it goes with its last pin                */
uint32_t pinned_page_pins(page_t page);

/* Take a page away. Returns 0; -EBUSY, and it stays, while it is pinned; -ENOENT if it is not there. */
int  pinned_page_out(page_t page);

#endif
