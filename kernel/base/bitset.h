/*
 * bitset.h - sets of small numbers: which of them are taken, and which is the next free one.
 *
 * A set holds numbers from 0 to size - 1 as one bit each, in words of 32. A second level has two bits for each word:
 * one is set when the whole word is taken, the other when any of it is. So the search for a free number passes over
 * 1024 taken ones in one step, and that for a taken one over 1024 free ones.
 *
 * Memory   the caller's: BITSET_WORDS(size) words, zeroed for an empty set.
 * Locking  the caller's.
 * Cost     has, add, remove O(1); next and next_free at most size / 1024 + 2 steps.
 *
 *   B1  the bits of the second level for a word are set if and only if it is full, and if and only if it is not empty
 *   B2  bits of the second level beyond the last word are clear
 */
#ifndef QUIRE_BASE_BITSET_H
#define QUIRE_BASE_BITSET_H

#include "base/types.h"

enum { BITSET_WORD = 32 };

struct bitset {
    uint32_t  size;                     /* a multiple of BITSET_WORD */
    uint32_t *bits, *full, *some;
};

/* How many words of memory a set of `size` numbers takes. */
#define BITSET_WORDS(size)      ((size) / BITSET_WORD + 2 * BITSET_SUMMARIES(size))
#define BITSET_SUMMARIES(size)  (((size) / BITSET_WORD + BITSET_WORD - 1) / BITSET_WORD)

/* A set in this memory, whose contents must satisfy B1 and B2. */
static inline struct bitset bitset_in(uint32_t *words, uint32_t size)
{
    uint32_t *full = words + size / BITSET_WORD;

    return (struct bitset){ size, words, full, full + BITSET_SUMMARIES(size) };
}

/* `number` is below size. */
static inline bool bitset_has(const struct bitset *set, uint32_t number)
{
    return set->bits[number / BITSET_WORD] >> number % BITSET_WORD & 1;
}
void bitset_add(struct bitset *set, uint32_t number);
void bitset_remove(struct bitset *set, uint32_t number);

/* The lowest number at or above `from` that is in the set, or that is not; `size` when there is none. */
uint32_t bitset_next(const struct bitset *set, uint32_t from);
uint32_t bitset_next_free(const struct bitset *set, uint32_t from);

/*
 * As bitset_next(), as far as `end`, at most the size; `end` when there is none. At most (end - from) / 1024 + 3 steps.
 */
uint32_t bitset_next_below(const struct bitset *set, uint32_t from, uint32_t end);

/*
 * The members of `from` in [first, end) become members of `to`, which has none there. Both borders are multiples of
 * BITSET_WORD, and within the size of both sets.
 */
void bitset_copy(struct bitset *to, const struct bitset *from, uint32_t first, uint32_t end);

bool bitset_ok(const struct bitset *set);

#endif
