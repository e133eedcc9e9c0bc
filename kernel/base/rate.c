/*
 * rate.c - see rate.h.
 */
#include "base/rate.h"

#include "base/check.h"

#define SECOND 1000000000ull

void rate_set(struct rate *rate, uint64_t hertz, uint64_t ticks, uint64_t now)
{
    assert(hertz >= RATE_SLOWEST && hertz <= RATE_FASTEST);
    rate->factor = (uint32_t)((SECOND << RATE_SHIFT) / hertz);
    rate->offset = now - rate_span(rate, ticks);        /* may wrap, as rate_time() does */
}

uint64_t rate_learn(uint64_t ticks, uint64_t counts, uint32_t reference)
{
    uint64_t hertz;

    /* bound: 64 */
    while (ticks > UINT64_MAX / reference) {            /* halve both: the quotient keeps 32 bits and more */
        ticks  >>= 1;
        counts >>= 1;
    }
    if (counts == 0)
        return 0;
    hertz = ticks * reference / counts;
    return hertz >= RATE_SLOWEST && hertz <= RATE_FASTEST ? hertz : 0;
}

uint64_t rate_counts(struct reading from, struct reading to, const struct rate *rate, uint32_t reference)
{
    uint64_t span     = rate_span(rate, to.ticks - from.ticks);
    uint64_t expected = span / SECOND * reference + span % SECOND * reference / SECOND;
    uint16_t seen     = (uint16_t)(to.counts - from.counts);
    int16_t  beyond   = (int16_t)(uint16_t)(seen - (uint16_t)expected);     /* at most half a turn to either side */

    return beyond < 0 && expected < (uint64_t)-beyond ? 0 : expected + (uint64_t)(int64_t)beyond;
}
