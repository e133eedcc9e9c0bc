/*
 * load.c - how busy the machine has been.
 */
#include "process/load.h"

/* After so many samples of 0 (33 minutes) older samples do not show in two decimals. */
enum { LOAD_MISSED_MOST = 400 };

/* The share of an average that remains after one interval: LOAD_ONE / e^(5 s / 1, 5, 15 minutes). */
static const uint32_t fading[LOADS] = { 1884, 2014, 2037 };

static void take_sample(struct load *load, uint32_t threads)
{
    uint64_t active = (uint64_t)threads << LOAD_SHIFT;

    for (unsigned i = 0; i < LOADS; i++) {
        uint64_t sum = load->average[i] * (uint64_t)fading[i] + active * (LOAD_ONE - fading[i]);

        if (active >= load->average[i])
            sum += LOAD_ONE - 1;                /* upwards, so that one thread comes to 1.00 */
        load->average[i] = (uint32_t)(sum >> LOAD_SHIFT);
    }
}

void load_measure(struct load *load, uint64_t now, uint32_t threads)
{
    if (load->due == 0)
        load->due = now + LOAD_INTERVAL;
    for (unsigned missed = 0; now >= load->due && missed < LOAD_MISSED_MOST; missed++) {
        bool last = now - load->due < LOAD_INTERVAL;

        take_sample(load, last ? threads : 0);
        load->due += LOAD_INTERVAL;
    }
    if (now >= load->due)
        load->due = now + LOAD_INTERVAL;
}
