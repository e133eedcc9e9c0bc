/*
 * commands.h - the functions behind the commands; each family has its own file.
 */
#ifndef QUIRE_CONSOLE_COMMANDS_H
#define QUIRE_CONSOLE_COMMANDS_H

#include "console/console.h"

/* picture.c: kernel space, drawn */
int run_map(int count, char **words);

/* tables.c: single addresses and pages */
int run_entry(int count, char **words);

/* frames.c: physical memory */
int run_frames(int count, char **words);
int run_frame(int count, char **words);
int run_physical(int count, char **words);
int run_alloc(int count, char **words);
int run_free(int count, char **words);

/* parts.c: the heap and the stacks */
int run_heap(int count, char **words);
int run_stacks(int count, char **words);

/* document.c: what the layout's document says */
int run_layout(int count, char **words);
int run_claims(int count, char **words);

/* checks.c: the auditor, and corruptions for it to find */
int run_audit(int count, char **words);
int run_break(int count, char **words);

/* machine.c: devices, how the kernel was booted, version, leaving */
int run_pci(int count, char **words);
int run_boot(int count, char **words);
int run_version(int count, char **words);
int run_exit(int count, char **words);
int run_reboot(int count, char **words);

/* crash.c: a panic on purpose */
int run_crash(int count, char **words);

/* benchmark.c: what operations cost */
int run_benchmark(int count, char **words);

#endif
