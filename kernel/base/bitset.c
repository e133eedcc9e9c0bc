/*
 * bitset.c - sets of small numbers.
 */
#include "base/bitset.h"

#include "base/check.h"

static uint32_t bit_of(uint32_t number)                          { return 1u << number % BITSET_WORD; }
static uint32_t words_of(const struct bitset *set)               { return set->size / BITSET_WORD; }
static bool     is_full(const struct bitset *set, uint32_t w)    { return set->full[w / BITSET_WORD] & bit_of(w); }
static bool     is_some(const struct bitset *set, uint32_t w)    { return set->some[w / BITSET_WORD] & bit_of(w); }

/* The bits, of the word that `from` lies in, of numbers at or above `from`. */
static uint32_t word_at_or_above(uint32_t from) { return ~0u << from % BITSET_WORD; }

void bitset_add(struct bitset *set, uint32_t number)
{
    uint32_t w = number / BITSET_WORD;

    assert(number < set->size);
    set->bits[w] |= bit_of(number);
    set->some[w / BITSET_WORD] |= bit_of(w);
    if (set->bits[w] == ~0u)
        set->full[w / BITSET_WORD] |= bit_of(w);
}

void bitset_remove(struct bitset *set, uint32_t number)
{
    uint32_t w = number / BITSET_WORD;

    assert(number < set->size);
    set->bits[w] &= ~bit_of(number);
    set->full[w / BITSET_WORD] &= ~bit_of(w);
    if (set->bits[w] == 0)
        set->some[w / BITSET_WORD] &= ~bit_of(w);
}

/* The first word at or above w and below `end` that is not empty; `end` when there is none. */
static uint32_t next_used_word(const struct bitset *set, uint32_t w, uint32_t end)
{
    uint32_t mask = word_at_or_above(w);

    for (uint32_t i = w / BITSET_WORD; i * BITSET_WORD < end; i++, mask = ~0u)
        if (set->some[i] & mask)
            return i * BITSET_WORD + (uint32_t)__builtin_ctz(set->some[i] & mask);
    return end;
}

uint32_t bitset_next_below(const struct bitset *set, uint32_t from, uint32_t end)
{
    uint32_t w = from / BITSET_WORD, taken, found;

    assert(end <= set->size);
    if (from >= end)
        return end;
    taken = set->bits[w] & word_at_or_above(from);
    if (taken == 0) {
        w = next_used_word(set, w + 1, (end + BITSET_WORD - 1) / BITSET_WORD);
        if (w * BITSET_WORD >= end)
            return end;
        taken = set->bits[w];
    }
    found = w * BITSET_WORD + (uint32_t)__builtin_ctz(taken);
    return found < end ? found : end;
}

uint32_t bitset_next(const struct bitset *set, uint32_t from) { return bitset_next_below(set, from, set->size); }

/* The first word at or above w that is not full. */
static uint32_t next_open_word(const struct bitset *set, uint32_t w)
{
    uint32_t mask = word_at_or_above(w);

    for (uint32_t i = w / BITSET_WORD; i * BITSET_WORD < words_of(set); i++, mask = ~0u)
        if (~set->full[i] & mask)
            return i * BITSET_WORD + (uint32_t)__builtin_ctz(~set->full[i] & mask);
    return words_of(set);
}

uint32_t bitset_next_free(const struct bitset *set, uint32_t from)
{
    uint32_t w = from / BITSET_WORD, free;

    if (from >= set->size)
        return set->size;
    free = ~set->bits[w] & word_at_or_above(from);
    if (free == 0) {
        w = next_open_word(set, w + 1);
        if (w >= words_of(set))
            return set->size;
        free = ~set->bits[w];
    }
    return w * BITSET_WORD + (uint32_t)__builtin_ctz(free);
}

void bitset_copy(struct bitset *to, const struct bitset *from, uint32_t first, uint32_t end)
{
    assert(first % BITSET_WORD == 0 && end % BITSET_WORD == 0 && end <= to->size && end <= from->size);
    for (uint32_t w = first / BITSET_WORD; w < end / BITSET_WORD; w++) {
        to->bits[w] = from->bits[w];
        if (is_full(from, w))
            to->full[w / BITSET_WORD] |= bit_of(w);
        if (is_some(from, w))
            to->some[w / BITSET_WORD] |= bit_of(w);
    }
}

bool bitset_ok(const struct bitset *set)
{
    for (uint32_t w = 0; w < (words_of(set) + BITSET_WORD - 1) / BITSET_WORD * BITSET_WORD; w++) {
        if (w < words_of(set) && (is_full(set, w) != (set->bits[w] == ~0u) || is_some(set, w) != (set->bits[w] != 0)))
            return false;                                                      /* B1 */
        if (w >= words_of(set) && (is_full(set, w) || is_some(set, w)))        /* B2 */
            return false;
    }
    return true;
}
