/*
 * load.h - how busy the machine has been: the averages over 1, 5 and 15 minutes.
 *
 * Every LOAD_INTERVAL nanoseconds the number of threads that run or could run is taken into three averages, of
 * which older samples fade exponentially. Numbers are fixed point: LOAD_ONE stands for one thread.
 *
 * Locking  the caller's. Cost: nothing between samples; LOAD_MISSED_MOST steps at most after a long silence.
 * Source   Linux, getloadavg(3), proc(5): /proc/loadavg; struct sysinfo has the same numbers with 16 bits of fraction.
 */
#ifndef QUIRE_PROCESS_LOAD_H
#define QUIRE_PROCESS_LOAD_H

#include "base/types.h"

enum { LOADS = 3, LOAD_SHIFT = 11, LOAD_ONE = 1 << LOAD_SHIFT };
#define LOAD_INTERVAL 5000000000ull

struct load {
    uint64_t due;                       /* when the next sample is taken; 0: none has been asked for yet */
    uint32_t average[LOADS];
};

/*
 * May be called at any time: takes the samples that are due. Of several that are due, only the last counts `threads`;
 * the earlier ones were missed because no thread ran, and count 0.
 */
void load_measure(struct load *load, uint64_t now, uint32_t threads);

#endif
