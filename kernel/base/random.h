/*
 * random.h - bytes nobody can guess: ChaCha20 keyed by what the machine has to offer.
 *
 * The key is mixed from the processor's random instruction where there is one, from cycle counts and
 * the clock; after each request the generator replaces its own key, so that what it gave out cannot be
 * found again. On an emulated machine without that instruction the start is as random as its clock is, no more.
 *
 * Locking  RANK_RANDOM inside, so callable from anywhere but with the scheduler's, timers' or print()'s lock held.
 * Cost     a ChaCha20 block for each 64 bytes, and one more for the new key; interrupts are off meanwhile.
 * Source   RFC 8439, "ChaCha20 and Poly1305 for IETF Protocols", section 2.3.
 */
#ifndef QUIRE_BASE_RANDOM_H
#define QUIRE_BASE_RANDOM_H

#include "base/types.h"

/* At most RANDOM_MOST bytes a call (asserted), since a lock is held meanwhile: more are fetched in pieces. */
enum { RANDOM_MOST = 512 };
void random_bytes(void *out, size_t count);
void random_stir(const void *bytes, size_t count);      /* what programs write to /dev/urandom */

#endif
