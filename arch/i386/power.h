/*
 * power.h (i386) - the machine's end: leaving the emulator, switching off, reset, halt.
 *
 * QEMU's isa-debug-exit device, put at port 0xF4, ends the emulator with exit status
 * (value << 1) | 1, so a status is never 0 and POWER_STATUS_GOOD shows as 1. On a
 * machine without that device the write is lost, and the function given to power_off_by() is called.
 */
#ifndef QUIRE_ARCH_POWER_H
#define QUIRE_ARCH_POWER_H

#define POWER_EXIT_PORT         0xF4

/* The status that is written, and the emulator's exit status. */
#define POWER_STATUS_GOOD       0       /* 1                                                        */
#define POWER_STATUS_BAD        1       /* 3: ended in order, but not well                          */
#define POWER_STATUS_REFUSED    2       /* 5: this machine cannot be run: too little RAM, for one   */
#define POWER_STATUS_PANIC      3       /* 7                                                        */

#ifndef __ASSEMBLER__

#include "arch/contract.h"

#endif
#endif
