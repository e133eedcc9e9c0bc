/*
 * disturb.h - what a program must not notice, done to its space for no reason: for tests (process/torture.h).
 *
 * A private page leaves memory, or gets another frame; entries go that a fault can make again: those of zeros, and of
 * objects' pages. Regions that are locked, or show physical memory, are left alone. So are the DISTURB_SPARED pages
 * that were asked for last, by disturb_spare(): an instruction may need so many at once, and would never end.
 *
 * Locking  the map lock of the space is taken as a reader: the caller holds none that sleeps but mutexes. All calls but
 *          disturb_spare() may sleep.
 * Cost     a page: a look at up to 256 entries or tables, and page_out.h; all entries: those of the whole space.
 */
#ifndef QUIRE_MEMORY_DISTURB_H
#define QUIRE_MEMORY_DISTURB_H

#include "base/types.h"

struct space;

/* More than an instruction needs: its own bytes, two operands and the stack, each across a border. */
enum { DISTURB_SPARED = 8 };

/* Somebody has asked for this page. */
void disturb_spare(const struct space *space, page_t page);

/*
 * Let the next page go, or have another frame; *at says where the last search ended. Return 1, or 0 where no page may,
 * or it did not shrink, or there was no frame.
 */
unsigned disturb_evict(struct space *space, page_t *at);
unsigned disturb_move(struct space *space, page_t *at);

/* Drop all entries that a fault can make again, and the tables that are empty then. Returns how many. */
unsigned disturb_entries(struct space *space);

#endif
