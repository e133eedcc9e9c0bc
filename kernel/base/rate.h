/*
 * rate.h - how fast a counter runs: from its ticks to nanoseconds, and how that is learnt.
 *
 * A counter whose speed is unknown is compared with a reference, a counter of 16 bits that goes round and whose speed
 * is known. Two readings of both, some time apart, say how many ticks the counter has made in how many counts of the
 * reference. The longer the time between, the better the rate is known; and once the rate is known roughly it also says
 * how often the reference has gone round meanwhile, so that the time between may grow.
 *
 * Locking  the caller's; no function touches any memory but its arguments.
 * Cost     rate_span() and rate_time(): two multiplications. The others: divisions of 64 bits.
 */
#ifndef QUIRE_BASE_RATE_H
#define QUIRE_BASE_RATE_H

#include "base/types.h"

/* In hertz. The factor fits 32 bits from RATE_SLOWEST up; at 4 GHz it is still good to a part in 16 million. */
enum { RATE_SHIFT = 26, RATE_SLOWEST = 16000000 };
#define RATE_FASTEST 1000000000000ull           /* hertz; no processor is so fast, and no sum below overflows */

/* A line: nanoseconds = offset + ticks * factor / 2^RATE_SHIFT. Zeros: time stands still at 0. */
struct rate {
    uint64_t offset;
    uint32_t factor;
};

/* The nanoseconds that `ticks` take, rounded down; modulo 2^64, which is 584 years. */
static inline uint64_t rate_span(const struct rate *rate, uint64_t ticks)
{
    uint64_t high = (ticks >> 32) * rate->factor, low = (uint64_t)(uint32_t)ticks * rate->factor;

    return (high << (32 - RATE_SHIFT)) + (low >> RATE_SHIFT);
}

/* The moment, in nanoseconds, at which the counter is, was or will be at `ticks`. */
static inline uint64_t rate_time(const struct rate *rate, uint64_t ticks)
{
    return rate->offset + rate_span(rate, ticks);
}

/*
 * Set the line: the counter runs at `hertz` (RATE_SLOWEST to RATE_FASTEST), and rate_time(ticks) is `now`, in
 * nanoseconds. With `now` from the line as it was, the line bends there and has no step.
 */
void rate_set(struct rate *rate, uint64_t hertz, uint64_t ticks, uint64_t now);

/* Both counters at one moment; the reference counts upwards here. */
struct reading {
    uint64_t ticks;
    uint16_t counts;
};

/*
 * The counter's speed in hertz: it made `ticks` ticks while the reference, which makes `reference` counts a second (not
 * 0), made `counts`. 0 where that is no speed for a struct rate: `counts` is 0, or the speed is too low or too high.
 */
uint64_t rate_learn(uint64_t ticks, uint64_t counts, uint32_t reference);

/*
 * The counts of the reference between two readings, full turns included: of the numbers that agree modulo 2^16 with the
 * readings, the one nearest to what the rate known so far says. Right while that rate is off by less than half a turn.
 */
uint64_t rate_counts(struct reading from, struct reading to, const struct rate *rate, uint32_t reference);

#endif
