/*
 * panic.h (i386) - the end, with everything that helps to find out why.
 *
 * A panic prints the reason, the registers, the address in question (what the document and
 * kernel space say of it, what the page tables say), a backtrace with names, and what the
 * auditor thinks of memory. Then the machine stands still, or leaves the emulator
 * with POWER_STATUS_PANIC if the command line says `panic=exit`.
 *
 * Each part is printed even if the one before it fails: a trap inside a panic is reported in
 * one line and the next part follows.
 */
#ifndef QUIRE_ARCH_PANIC_H
#define QUIRE_ARCH_PANIC_H

#include "base/check.h"
#include "trap.h"

void panic(const char *format, ...) NORETURN PRINTF_LIKE(1, 2);
void panic_trap(const struct trap_frame *frame) NORETURN;

/* What is to be done last, before the machine stands still or leaves: it must end, whatever is broken. NULL: nothing. */
void panic_last(void (*act)(void));

/* Look for `panic=exit` among the words of the command line. */
void panic_options(const char *command_line);

/*
 * Functions that called each other, innermost first; a function that called itself again and
 * again takes one line. Any stack, also a broken one: memory is probed, and there is an end.
 */
enum { BACKTRACE_LINES = 24, BACKTRACE_FRAMES = 4096 };
void backtrace(uint32_t eip, uint32_t ebp);

#endif
