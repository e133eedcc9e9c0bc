/*
 * timer.h (i386) - the programmable interval timer: alarms by its channel 0, a reference to measure by in channel 2.
 *
 * Both channels count down, TIMER_CLOCK times a second, 16 bits each. Channel 0 raises TIMER_LINE when it has come to 0
 * and is then quiet; channel 2, whose output a PC leads to its speaker, goes round for ever and disturbs nobody.
 *
 * Source   Intel 8254 data sheet; the PC's input clock is 1 193 182 Hz.
 */
#ifndef QUIRE_ARCH_TIMER_H
#define QUIRE_ARCH_TIMER_H

#include "base/types.h"

#define TIMER_LINE  0
#define TIMER_CLOCK 1193182u
#define TIMER_MOST  65535u

/* Channel 2 begins to go round, and the speaker is silent. */
void timer_begin_reference(void);
/* How far it has come since, modulo 2^16: counted upwards. */
uint16_t timer_reference(void);
/* Less than one turn has passed since it began: good until it is asked for the first time after that. */
bool timer_reference_is_first_turn(void);

/* Channel 0 raises its line after `counts` (1 .. TIMER_MOST), once, instead of what it was set to before. */
void timer_set_alarm(uint32_t counts);
/* Channel 0 stands still. */
void timer_stop(void);

#endif
