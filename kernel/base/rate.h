/*
 * rate.h - how fast a counter runs: from its ticks to nanoseconds, and how that is learnt.
 *
 * A counter whose speed nobody has told is watched beside a reference, a counter of 16 bits that goes round and whose
 * speed is known. Two readings of both, some time apart, say how many ticks went by in how many of the reference's
 * counts. The longer the time between, the better the rate is known; and once it is known roughly it also says how
 * often the reference has gone round meanwhile, so that the time between may grow.
 *
 * Pure, and of no locks. Cost: rate_span() two multiplications; what learns, divisions of 64 bits.
 */
#ifndef QUIRE_BASE_RATE_H
#define QUIRE_BASE_RATE_H

#include "base/types.h"

/* The factor is 32 bits for every speed from RATE_SLOWEST up; at 4 GHz it is still good to a part in 16 million. */
enum { RATE_SHIFT = 26, RATE_SLOWEST = 16000000 };
#define RATE_FASTEST 1000000000000ull           /* a thousand times what there is; slower ones fit all sums below */

/* A line: nanoseconds = offset + ticks * factor / 2^RATE_SHIFT. Zeros: time stands still at 0. */
struct rate {
    uint64_t offset;
    uint32_t factor;
};

/* How long so many ticks take. Exact where the answer fits 64 bits, for 584 years. */
static inline uint64_t rate_span(const struct rate *rate, uint64_t ticks)
{
    uint64_t high = (ticks >> 32) * rate->factor, low = (uint64_t)(uint32_t)ticks * rate->factor;

    return (high << (32 - RATE_SHIFT)) + (low >> RATE_SHIFT);
}

/* The moment at which the counter stands, or stood, at `ticks`. */
static inline uint64_t rate_time(const struct rate *rate, uint64_t ticks)
{
    return rate->offset + rate_span(rate, ticks);
}

/* From `ticks` on the counter runs at `hertz` (RATE_SLOWEST to RATE_FASTEST), and then it is `now`: no step. */
void rate_set(struct rate *rate, uint64_t hertz, uint64_t ticks, uint64_t now);

/* Both counters at one moment; the reference counts upwards here. */
struct reading {
    uint64_t ticks;
    uint16_t counts;
};

/*
 * How many ticks go by in a second, when the reference makes `reference` counts in one and has made `counts` between
 * two readings. 0 where that is no speed for a struct rate: nothing was counted, or it is too slow or too fast.
 */
uint64_t rate_learn(uint64_t ticks, uint64_t counts, uint32_t reference);

/*
 * What the reference has counted between two readings, full turns included: of the numbers that fit, the one nearest to
 * what the rate known so far says. Right while that is off by less than half a turn.
 */
uint64_t rate_counts(struct reading from, struct reading to, const struct rate *rate, uint32_t reference);

#endif
