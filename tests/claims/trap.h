/*
 * trap.h - the i386's traps, as arch/i386/trap.h has them, but for the register that has the address of a page fault:
 * the processor here is a program (processor.h).
 */
#ifndef QUIRE_TESTS_CLAIMS_TRAP_H
#define QUIRE_TESTS_CLAIMS_TRAP_H

#define trap_address trap_address_of_an_i386
#include "cpu.h"
#include "arch/i386/trap.h"
#undef trap_address

vaddr_t trap_address(void);

static inline void interrupts_on(void) { interrupts_restore(0); }
static inline void interrupts_shut(void) { (void)interrupts_off(); }
static inline void stretch_ends(void)  { }

#endif
