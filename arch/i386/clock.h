/*
 * clock.h (i386) - what the clock has for the port's alarms. Time itself is in arch/contract.h.
 */
#ifndef QUIRE_ARCH_CLOCK_H
#define QUIRE_ARCH_CLOCK_H

#include "base/types.h"

/*
 * Both tell the kernel of a rate that has changed: clock_changed() in arch/contract.h, with interrupts off.
 */

/*
 * Once, after clock_begin(), with interrupts off: the clock runs from here on. Where neither a hypervisor nor the
 * processor gives the rate, it is measured now: a millisecond where the start was too short, or too long, for that, and
 * another one whenever the machine did not run in between.
 */
void clock_settle(void);

/* Called whenever an alarm is set, with interrupts off: a few times the rate is measured anew, over a longer time. */
void clock_improve(uint64_t now);

#endif
