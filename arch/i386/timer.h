/*
 * timer.h (i386) - a steady tick from the programmable interval timer.
 *
 * Off until timer_start(): without threads no tick is needed, and a machine without a tick costs nothing.
 *
 * Source   Intel 8254 data sheet; the PC's input clock is 1 193 182 Hz.
 */
#ifndef QUIRE_ARCH_TIMER_H
#define QUIRE_ARCH_TIMER_H

#include "base/types.h"

#define TIMER_LINE  0
#define TIMER_CLOCK 1193182u

/* Call `tick` `hertz` times a second (19 .. TIMER_CLOCK / 2), with interrupts off. */
void timer_start(uint32_t hertz, void (*tick)(void));

uint32_t timer_ticks(void);     /* since the last timer_start() */

#endif
