/*
 * swap.h - where the contents of pages are that are not in memory: swap slots, in compressed RAM or on the swap device.
 *
 * A swap slot has a number, which an entry of kind SWAP names. Below SLOT_DEVICE it holds the packed bytes of one page
 * (base/compress.h), or of a page table (layouts/tracker/out.h), in a frame of owner COMPRESSED, each of which is cut
 * into equal parts: as many as 2 to SWAP_PARTS. A page that does not shrink to SWAP_MOST bytes has no place there, as
 * nothing would be won. From SLOT_DEVICE on it is a page of the swap device, if there is one: slot SLOT_DEVICE + n is
 * the device's page n + 1, behind its header.
 *
 * Owning   swap_store(), and a transfer that has written a page (pageout/transfer.h), hand the caller one reference to
 *          the slot; swap_put() ends it, and with the last the slot is free. Each SWAP entry holds one, which fork
 *          shares, and each page of an object that is out. With the last slot in use all frames go back to the pool.
 * Locking  a spin lock (RANK_SWAP) inside; callable with the tables locked. No call sleeps.
 * Cost     O(CPUs), the bytes copied (at most SWAP_MOST), at most one frame or two taken or given back; at the very
 *          last swap_put() TABLES_AT_ONCE, the others later (swap_leaves_frames()). Frames may come from the reserve:
 *          two pages that go out free one more.
 *
 * Invariants (swap_audit, audit_cross):
 *   G1  the free slots are listed once each, and all others have a part of a frame, which is marked as in use
 *   G2  slots in use, parts in use, and frames of owner COMPRESSED are as many as are counted
 *   G3  each slot of the device is listed as free, or in use, or bad, and there are as many of each as are counted
 *   X5  a slot has as many references as entries of programs, pages of objects, and transfers name it
 */
#ifndef QUIRE_MEMORY_SWAP_H
#define QUIRE_MEMORY_SWAP_H

#include "base/types.h"

enum { SWAP_PARTS = 16, SWAP_MOST = 2036, SWAP_TABLES = 256 };          /* tables of either kind of slot, at most */
enum { SLOT_DEVICE = SWAP_TABLES * (PAGE_SIZE / 8) };           /* 512 MiB of pages in either place, at most     */
#define NO_SLOT UINT32_MAX

/* A packed page's slot takes no more frames than these: for parts, for a table of slots and for the directory. */
enum { FRAMES_A_SLOT = 3 };

static inline bool slot_is_on_device(uint32_t slot) { return slot >= SLOT_DEVICE; }

struct swap_sums {
    uint32_t used;                      /* slots in use, of both kinds                       */
    uint32_t device, written, bad;      /* slots on the device that can be used; in use; bad ones beside them */
    uint32_t frames;                    /* of owner COMPRESSED                               */
    uint64_t bytes;                     /* packed, in use                                    */
    uint64_t out, in, refused;          /* pages since the start: gone out, come back, not shrunk enough */
};

void swap_start(void);                  /* by memory_start(): no slot is in use              */

/*
 * Store packed bytes, at most SWAP_MOST. Returns 0, or -ENOMEM: no slot or no frame is left, or packed pages have three
 * in four of the frames that programs could have.
 */
int swap_store(const void *bytes, size_t count, uint32_t *slot) MUST_CHECK;

/* Copy the bytes of a slot that is not on the device to a buffer of SWAP_MOST bytes; returns how many. */
size_t swap_load(uint32_t slot, void *bytes);

/* The same without being counted as a page that comes back; and as many other bytes for a slot of one reference. */
size_t swap_peek(uint32_t slot, void *bytes);
void   swap_rewrite(uint32_t slot, void *bytes);

void     swap_share(uint32_t slot);
void     swap_put(uint32_t slot);
uint32_t swap_references(uint32_t slot);        /* 0: free */
uint32_t swap_after(uint32_t slot);             /* the next one there is; NO_SLOT: the first, or no more */

/*
 * More tables have been dropped than may be given back with a spin lock held: swap_drop_some() is to be called, before
 * a program goes on. Defined in a room above: process/swap_off.c. Good with any lock held.
 */
void swap_leaves_frames(void);
bool swap_drop_some(void);              /* gives some of their frames back; false: there are more. No lock is held */

bool swap_is_full(void);                /* packed pages have three in four of the frames      */
void swap_note_refused(void);                   /* a page did not shrink              */
void swap_sums(struct swap_sums *out);
/* As large as the device, and what is packed: what more has room in RAM depends on how it packs. */
static inline uint32_t swap_total(const struct swap_sums *sums) { return sums->device + sums->used - sums->written; }
static inline bool swap_is_empty(const struct swap_sums *sums) { return sums->used == 0; }

struct audit_report;
void swap_audit(struct audit_report *report);   /* G1 to G3 */

#endif
