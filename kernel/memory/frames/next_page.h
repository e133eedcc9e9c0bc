/*
 * next_page.h - pages by address, one at a time: the two calls around which the pat layout's document is built.
 *
 * The kernel itself uses frame.h. These calls are the document's form of it: a page is named by its physical address,
 * the caller names no owner, and giving back a wrong page does no harm. Frames taken here belong to OWNER_PAGES until
 * their taker calls frame_change_owner().
 *
 * Locking  as frame_get(): callable with any lock below RANK_POOL held and from interrupts.
 * Cost     as frame_get(): constant, and a page of zeros written where the frame was not zeroed ahead.
 * Source   claims K6..K12.
 */
#ifndef QUIRE_MEMORY_NEXT_PAGE_H
#define QUIRE_MEMORY_NEXT_PAGE_H

#include "base/types.h"

/*
 * The next available page, all zero (K6, K8); FRAME_SPARE's reserve serves as well. Without a page the machine stops
 * where the document says `exhaustion | panic` (K10); elsewhere the result is 0. So this is for needs of the kernel
 * that no program can bring about; for those there is try_next_page().
 */
paddr_t get_next_page(void);

/* The same for all other needs, without the reserve. Returns 0, or -ENOMEM: then *out is unchanged. */
int try_next_page(paddr_t *out) MUST_CHECK;

/*
 * Give a page back. False only if the address is not aligned (K12); then nothing has changed. For a page that is free
 * already, that is no memory, or that has another owner, the answer is true as well: the page stays as it is, and the
 * call is counted and printed as a misuse of the pool (frame_sums.misuses).
 */
bool free_page(paddr_t address);

#endif
