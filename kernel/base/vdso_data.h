/*
 * vdso_data.h - the page from which programs read the time by themselves.
 *
 * The kernel writes the page, all programs can read it, and none can write it. It says what makes the processor's
 * counter into time (a line of base/rate.h) and how far the time of the day is from that; there is nothing else on it,
 * and nothing that a program could not find out by asking for the time twice. A program reads the counter between
 * vdso_data_begin() and vdso_data_is_whole(), and begins anew when the kernel wrote meanwhile: the sum is the one that
 * clock_now() and clock_wall() would have made at that moment, from the same numbers.
 *
 * The functions that read are compiled into the program's side (arch/<port>/vdso) as well as the kernel, so what they
 * include is inline.
 *
 * Locking  one writer at a time, its caller's lock. Readers take none. Where programs run on the processor that
 *          writes, interrupts are off from before the kernel's own line changes until the page is written: time by the
 *          page and by calls, mixed, then never falls back.
 * Cost     reading: two multiplications.
 *
 * Invariant:
 *   V1  `sequence` is odd while the kernel writes; 0 before it first did. Two equal even values: what was read between
 *       them belongs together
 */
#ifndef QUIRE_BASE_VDSO_DATA_H
#define QUIRE_BASE_VDSO_DATA_H

#include "base/rate.h"

struct vdso_data {
    uint32_t sequence;                  /* [a] V1                                                          */
    uint32_t factor;                    /* of the line; 0: the counter gives no time, programs ask the kernel */
    uint64_t offset[2];                 /* of the line: [0] for clock_now(), [1] for clock_wall()           */
};

/* The writer's. wall: clock_wall() - clock_now(). */
static inline void vdso_data_write(struct vdso_data *data, const struct rate *rate, uint64_t wall)
{
    uint32_t sequence = data->sequence;

    __atomic_store_n(&data->sequence, sequence + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    data->factor    = rate->factor;
    data->offset[0] = rate->offset;
    data->offset[1] = rate->offset + wall;
    __atomic_store_n(&data->sequence, sequence + 2, __ATOMIC_RELEASE);
}

/* The readers'. vdso_data_begin() returns `seen` of vdso_data_is_whole(): if that is false the time does not count. */
static inline uint32_t vdso_data_begin(const struct vdso_data *data)
{
    return __atomic_load_n(&data->sequence, __ATOMIC_ACQUIRE) & ~1u;    /* an odd one is never seen again */
}

static inline bool vdso_data_is_whole(const struct vdso_data *data, uint32_t seen)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&data->sequence, __ATOMIC_RELAXED) == seen;
}

/* Whether the counter gives the time. */
static inline bool vdso_data_has_time(const struct vdso_data *data) { return data->factor != 0; }

/* Nanoseconds at the moment at which the counter was at `ticks`: since moment 0, or with `wall` since 1970. */
static inline uint64_t vdso_data_time(const struct vdso_data *data, uint64_t ticks, bool wall)
{
    return rate_time(&(struct rate){ data->offset[wall], data->factor }, ticks);
}

#endif
