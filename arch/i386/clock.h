/*
 * clock.h (i386) - where time comes from: the interval timer, and the real-time clock.
 *
 * The tick is 100 Hz. Between ticks the timer's own counter is read, so clock_counter() moves in
 * steps of 838 ns and needs no calibration, which would cost start-up time.
 *
 * Source   Intel 8254 data sheet, "Counter Latch Command"; Motorola MC146818 data sheet.
 */
#ifndef QUIRE_ARCH_CLOCK_H
#define QUIRE_ARCH_CLOCK_H

#include "base/types.h"

/* Call `tick` at every tick from now on, with interrupts off. */
void clock_tick(void (*tick)(void));

/* Nanoseconds since clock_tick(); may fall back by up to a tick while an interrupt is waiting. 0 before. */
uint64_t clock_counter(void);

/* Nanoseconds since 1970 by the real-time clock; 0 when there is none. */
uint64_t clock_read_wall(void);

#endif
