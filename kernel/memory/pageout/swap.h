/*
 * swap.h - where the contents of pages are that are not in memory: swap slots, in compressed RAM.
 *
 * A swap slot holds the packed bytes of one page (base/compress.h) and has a number, which an entry of kind SWAP names.
 * Slots lie in frames of owner COMPRESSED, each of which is cut into equal parts: as many as 2 to SWAP_PARTS. A page
 * that does not shrink to SWAP_MOST bytes has no place here, as nothing would be won.
 *
 * Owning   swap_store() hands the caller one reference to the slot; swap_put() ends it, and with the last the slot is
 *          free. Each SWAP entry holds one, which fork shares, and each page of an object that is out. With the last
 *          slot in use all frames go back to the pool.
 * Locking  a spin lock (RANK_SWAP) inside; callable with the tables locked. No call sleeps.
 * Cost     O(CPUs), the bytes copied (at most SWAP_MOST), at most one frame or two taken or given back; at the very
 *          last swap_put() as many as SWAP_TABLES. Frames may come from the reserve: two pages that go out free one
 *          more.
 *
 * Invariants (swap_audit, audit_cross):
 *   G1  the free slots are listed once each, and all others have a part of a frame, which is marked as in use
 *   G2  slots in use, parts in use, and frames of owner COMPRESSED are as many as are counted
 *   X5  a slot has as many references as entries of programs and pages of objects name it
 */
#ifndef QUIRE_MEMORY_SWAP_H
#define QUIRE_MEMORY_SWAP_H

#include "base/types.h"

enum { SWAP_PARTS = 16, SWAP_MOST = 2036, SWAP_TABLES = 256 };
#define NO_SLOT UINT32_MAX

struct swap_sums {
    uint32_t used;                      /* slots in use                                      */
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

/* Copy the bytes of a slot to a buffer of SWAP_MOST bytes; returns how many. */
size_t swap_load(uint32_t slot, void *bytes);

void     swap_share(uint32_t slot);
void     swap_put(uint32_t slot);
uint32_t swap_references(uint32_t slot);        /* 0: free */
uint32_t swap_end(void);                        /* one past the highest slot there is */

void swap_note_refused(void);                   /* a page did not shrink              */
void swap_sums(struct swap_sums *out);
static inline bool swap_is_empty(const struct swap_sums *sums) { return sums->used == 0; }

struct audit_report;
void swap_audit(struct audit_report *report);   /* G1, G2 */

#endif
