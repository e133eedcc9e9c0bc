/*
 * clock.h (i386) - what the clock has for the port's alarms. Time itself is in arch/contract.h.
 */
#ifndef QUIRE_ARCH_CLOCK_H
#define QUIRE_ARCH_CLOCK_H

#include "base/types.h"

/* The clock runs from here on. The second of the two readings that it needs is taken, unless the rate is given. */
void clock_settle(void);

/* Called at each alarm: now and then the rate is measured anew, over a longer time. Interrupts are off. */
void clock_improve(uint64_t now);

#endif
