/*
 * random.h - random bytes that cannot be guessed: ChaCha20 with a key of the machine's own.
 *
 * The key is mixed from the processor's random instruction, where there is one, and from cycle counts; with each
 * request the generator replaces its own key, so that bytes given out earlier cannot be computed again. The request's
 * bytes come from a key of its own, or, where they are few, are that. On a machine without that instruction the first
 * key is as random as its cycle counter, no more.
 *
 * Locking  RANK_RANDOM inside: callable from interrupts, and with any lock of a lower rank held.
 * Cost     a ChaCha20 block, some 4 000 instructions, for the new key, and one more for each 64 bytes beyond 32; eight
 *          more the first time. Interrupts are off for one block.
 * Source   RFC 8439, "ChaCha20 and Poly1305 for IETF Protocols", section 2.3.
 */
#ifndef QUIRE_BASE_RANDOM_H
#define QUIRE_BASE_RANDOM_H

#include "base/types.h"

/* At most RANDOM_MOST bytes a call (asserted): callers take more in pieces, and rest in between. */
enum { RANDOM_MOST = 512 };
void random_bytes(void *out, size_t count);
void random_stir(const void *bytes, size_t count);      /* mix in bytes written to /dev/urandom */

#endif
