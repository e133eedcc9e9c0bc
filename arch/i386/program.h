/*
 * program.h (i386) - programs at privilege level 3: their traps, and the way back to them.
 */
#ifndef QUIRE_ARCH_PROGRAM_H
#define QUIRE_ARCH_PROGRAM_H

#include "trap.h"

/* Deal with programs' exceptions, page faults and system calls from now on. */
void programs_start(void);

/*
 * The last thing before a program goes on: signals are delivered, a turn that is over ends. Called with
 * interrupts off; returns with interrupts off.
 */
void trap_leave(struct trap_frame *frame);

#endif
