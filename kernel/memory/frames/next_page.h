/*
 * next_page.h - pages by address, one at a time: the two calls around which the pat layout's document is built.
 *
 * frame.h is what the kernel itself uses. These calls say the same in fewer words: a page is its physical
 * address, the caller need not name an owner, and giving back needs no thought. Frames taken here belong to
 * OWNER_PAGES until their taker calls frame_change_owner().
 *
 * Locking  as frame_get(): callable with any lock held and from interrupts.
 * Cost     as frame_get(): constant, and a page of zeros written where the frame was not zeroed ahead.
 * Source   claims K6..K12.
 */
#ifndef QUIRE_MEMORY_NEXT_PAGE_H
#define QUIRE_MEMORY_NEXT_PAGE_H

#include "base/types.h"

/*
 * The next available page, all zero (K6, K8). For the kernel's own needs, where the lack of a page is a mistake
 * in the kernel's sums: where the document says `exhaustion | panic` it is one (K10). Elsewhere the result is 0.
 * Nothing that a program can bring about may call it: there is try_next_page().
 */
paddr_t get_next_page(void);

/* The same for everybody else. Returns 0, or -ENOMEM: then *out is unchanged. */
int try_next_page(paddr_t *out) MUST_CHECK;

/*
 * Give a page back. False only if the address is not aligned (K12); nothing has happened then. A page that
 * is free already, that is no memory at all, or that somebody else has taken, is a success as well: nothing happens to
 * it, and it is counted and printed as a misuse of the pool (frame_sums.misuses).
 */
bool free_page(paddr_t address);

#endif
