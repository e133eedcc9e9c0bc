/*
 * page_out.h - pages of programs that leave memory, and come back.
 *
 * What goes is private memory: a frame of owner USER. Its contents are packed into a swap slot (pageout/swap.h), or,
 * where they do not shrink enough or packed pages have their share of RAM, written to the swap device if there is
 * one; and the entry names the slot. Where several entries show the frame since a fork, each goes out by itself, into
 * a slot of its own, as there is no list of those entries; the frame is free with the last. So such a page is packed
 * only where that many packed pages take less than half a frame, and not where frames are so few that a slot may take
 * the last of them (FRAMES_A_SLOT). Pages of locked regions stay, and those that nobody may read; pages of objects go
 * as object_out.h says.
 *
 * While a page is on its way out its entry is BLOCKED: the program's next touch faults, makes the page present again,
 * and the page stays. So no lock of the tables is held while the page is packed or written, and no change is lost. Its
 * map stays locked meanwhile: a page that is blocked still, or again, cannot have been written to. Several pages may be
 * on their way to the device at once (struct writes).
 *
 * A page that comes back is a frame of its own for each program, also where a fork has made several entries name the
 * slot: unpacking costs less than keeping track of who has come first.
 *
 * Locking  the map lock of the space is held, as a reader or the writer; inside it a lock for the working memory
 *          (RWLOCK_CODER), of which there is one; it is not held while the device works. All calls may sleep, but for
 *          page_in_read().
 * Cost     packing: some 20 to 80 thousand instructions a page; unpacking: up to 20 thousand. Interrupts are off for
 *          the copy of a page at most.
 */
#ifndef QUIRE_MEMORY_PAGE_OUT_H
#define QUIRE_MEMORY_PAGE_OUT_H

#include "memory/pageout/transfer.h"
#include "mmu.h"

struct region;
struct space;

enum page_out {
    PAGE_OUT_DONE,
    PAGE_OUT_STAYS,             /* it is not one that may go, or it does not shrink enough, or was touched meanwhile */
    PAGE_OUT_FULL,              /* there is no slot, or no frame, left for it */
    PAGE_OUT_WRITES,            /* it is on its way to the device             */
    PAGE_OUT_BUSY,              /* it would be, but others use all transfers  */
};

/* Entries that show a frame which goes: with more even the smallest parts (SWAP_PARTS to a frame) win too little. */
enum { PAGE_SHOWN_MOST = 8 };

/* The age of a page that did not shrink: at most what an entry has room for (arch/contract.h). */
enum { PAGE_REFUSED = 3 };

/* Whether pages of a region may go at all; whether that of an entry may. For the latter the tables are locked. */
bool region_may_go(const struct region *region);
bool page_may_go(entry_t entry);

/* Pages of one region that are on their way to the device. */
struct page_write { page_t page; entry_t blocked; struct transfer *transfer; };
struct writes {
    unsigned          count;
    struct page_write under_way[TRANSFERS_OUT];
};

/*
 * Let a page of a region go, or begin to; *gone is increased by the pages that have gone. The same for all that were
 * begun: wait for them; returns how many have gone. The map stays locked in between.
 */
enum page_out page_out_begin(struct space *space, const struct region *region, page_t page, struct writes *writes,
                             size_t *gone);
size_t        page_out_end(struct space *space, const struct region *region, struct writes *writes);

/* Let one page of a region go: DONE, STAYS, FULL or BUSY. */
enum page_out page_out(struct space *space, const struct region *region, page_t page);

/* Let the pages [span) of a region go, with points of rest, until the caller is to end. Returns how many have gone. */
size_t pages_out(struct space *space, const struct region *region, struct span span);

/*
 * Bring a page of a region back, if it is out and packed. Returns 0, or -ENOMEM. Where the entry has become another
 * meanwhile nothing is done: the access is merely tried again. page_in_read() does the same for a page that is on the
 * device, with a transfer that has read it; -EIO: it could not be read. Pages nearby that the transfer has read as well
 * come with it, while frames are not short.
 */
int page_in(struct space *space, const struct region *region, page_t page) MUST_CHECK;
int page_in_read(struct space *space, const struct region *region, page_t page, struct transfer *transfer) MUST_CHECK;

#endif
