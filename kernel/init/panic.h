/*
 * panic.h - the report of a failure that the kernel cannot continue after.
 *
 * A panic prints the reason, the registers, the address in question (what the document, kernel
 * space and the page tables say of it), a backtrace with names, and an audit of memory. Then the
 * machine halts, or leaves the emulator with POWER_STATUS_PANIC if the command line says
 * `panic=exit`.
 *
 * Each part is printed even if the one before it fails: a trap inside a panic is reported in
 * one line and the next part follows.
 */
#ifndef QUIRE_INIT_PANIC_H
#define QUIRE_INIT_PANIC_H

#include "base/check.h"

void panic(const char *format, ...) NORETURN PRINTF_LIKE(1, 2);

/* Look for `panic=exit` among the words of the command line. */
void panic_options(const char *command_line);

#endif
