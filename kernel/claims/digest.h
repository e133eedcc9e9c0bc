/*
 * digest.h - what a probe must leave as it was: frames and their owners, kernel space's tables, blocks of the heap,
 * spaces, and the variables by which the machine is steered.
 *
 * Checked kernels take a digest before and after each probe (claims.c). What is made once and for good (a console that
 * is a process, a table for a window) exists already when the probe is run a second time: only what differs then as
 * well has been left behind. Left out are the places of the heap's blocks (these are counted), short views, and counts
 * of calls.
 *
 * Locking  none held; takes the pool's, the heap's and kernel space's locks one after the other.
 * Cost     O(frames + entries of kernel space).
 */
#ifndef QUIRE_CLAIMS_DIGEST_H
#define QUIRE_CLAIMS_DIGEST_H

#include "memory/frames/frame.h"

struct digest {
    uint32_t owned[OWNER_COUNT];        /* frames by owner                                             */
    uint32_t frames;                    /* a sum over number, owner and references of each in use      */
    uint32_t tables;                    /* a sum over page, frame and rights of each entry             */
    uint32_t blocks, bytes;             /* that callers of the heap hold                               */
    uint32_t spaces;
    uint32_t root, program;             /* CR3, and the space of the program that would run            */
    uint32_t search, fail_at;           /* of the pool: its search policy, and frame_fail_at()         */
};

void digest_take(struct digest *out);

/* The first difference, in words that stay until the next call. NULL: there is none. */
const char *digest_differs(const struct digest *before, const struct digest *after);

#endif
