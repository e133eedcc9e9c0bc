/*
 * timer.h (i386) - the programmable interval timer: alarms by its channel 0, a reference to measure by in channel 2.
 *
 * Both channels count down, TIMER_CLOCK times a second, 16 bits each. Channel 0 raises TIMER_LINE when it has come to 0
 * and is then quiet; channel 2, whose output a PC leads to its speaker, goes round for ever, silently.
 *
 * Locking  interrupts off. Cost: two to four accesses to ports.
 * Source   Intel 8254 data sheet; the PC's input clock is 1 193 182 Hz.
 */
#ifndef QUIRE_ARCH_TIMER_H
#define QUIRE_ARCH_TIMER_H

#include "base/types.h"

#define TIMER_LINE  0
#define TIMER_CLOCK 1193182u
#define TIMER_MOST  65535u

/* Start channel 2 at 0, with the speaker off. */
void timer_begin_reference(void);
/* The counts of channel 2 since timer_begin_reference(), modulo 2^16: counted upwards. */
uint16_t timer_reference(void);
/* Whether channel 2 has made less than one turn, 55 ms, since timer_begin_reference(). */
bool timer_reference_is_first_turn(void);

/* Channel 0 raises its line after `counts` (1 .. TIMER_MOST), once, instead of what it was set to before. */
void timer_set_alarm(uint32_t counts);
/* Stop channel 0: its line is not raised until it is set again. */
void timer_stop(void);

#endif
