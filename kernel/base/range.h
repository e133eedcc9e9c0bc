/*
 * range.h - arithmetic on numbers that come from outside.
 *
 * Addresses, lengths and counts from boot loaders, files and programs go
 * through these helpers and no other arithmetic. Each returns false when the
 * true result does not fit, and then leaves *out alone.
 */
#ifndef QUIRE_BASE_RANGE_H
#define QUIRE_BASE_RANGE_H

#include "base/types.h"

static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

static inline bool checked_multiply(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

/* Round up to a power of two. */
static inline bool checked_round_up(uint64_t value, uint64_t unit, uint64_t *out)
{
    uint64_t sum;

    if (!checked_add(value, unit - 1, &sum))
        return false;
    *out = sum & ~(unit - 1);
    return true;
}

static inline uint64_t round_down(uint64_t value, uint64_t unit) { return value & ~(unit - 1); }
static inline bool     is_aligned(uint64_t value, uint64_t unit) { return (value & (unit - 1)) == 0; }

/*
 * The pages that [address, address + bytes) touches, bytes > 0, all of them
 * below limit. False when the range wraps or leaves [0, limit).
 */
static inline bool checked_span(vaddr_t address, size_t bytes, page_t limit, struct span *out)
{
    uint64_t end;

    if (bytes == 0 || !checked_add(address, bytes, &end) || !checked_round_up(end, PAGE_SIZE, &end))
        return false;
    if ((end >> PAGE_SHIFT) > limit)
        return false;
    *out = (struct span){ page_of(address), (page_t)(end >> PAGE_SHIFT) };
    return true;
}

#endif
