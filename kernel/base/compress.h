/*
 * compress.h - bytes made fewer, quickly: repetitions within the last 64 KiB are named instead of written again.
 *
 * What is packed is a row of sequences: a token, literals, and a match. The upper half of the token is the number of
 * literals, the lower half the length of the match less PACK_MATCH; 15 in a half means that bytes follow which are
 * added, up to the first that is not 255: those of the literals behind the token, those of the match behind its
 * distance. The distance, two bytes, low one first, says how far back the match begins; it may overlap what it makes.
 * The last sequence ends with its literals.
 *
 * Locking  none: the caller's memory alone is touched.
 * Errors   unpack_bytes() takes any bytes: it neither reads past the input nor writes past the output.
 * Cost     pack_bytes(): some twenty instructions a byte at most, and PACK_TABLE words that are cleared first.
 *          unpack_bytes(): a few instructions a byte.
 * Source   the idea is LZ77, in the block format of LZ4, as its authors describe it.
 */
#ifndef QUIRE_BASE_COMPRESS_H
#define QUIRE_BASE_COMPRESS_H

#include "base/types.h"

enum { PACK_TABLE = 1024, PACK_MATCH = 4, PACK_MOST = 65535 };

/*
 * Pack `bytes` bytes, at most PACK_MOST. Returns how many bytes they have become; 0 where they do not fit into `room`.
 * `table` is working memory, its contents mean nothing before or after.
 */
size_t pack_bytes(const uint8_t *from, size_t bytes, uint8_t *to, size_t room, uint16_t table[PACK_TABLE]);

/* Unpack into exactly `room` bytes. False where the input does not say just these many; then some may be written. */
bool unpack_bytes(const uint8_t *from, size_t bytes, uint8_t *to, size_t room) MUST_CHECK;

#endif
