/*
 * checks.h - what a kernel can do beside running programs: its console, and audits.
 *
 * In the whole kernel checks.c and console.c define these functions. In the kernel that `./quire run` boots
 * (sources.mk: run) run_only.c does: console, claims, checks, snapshots and the names of functions are not linked into
 * it, and its functions report that.
 */
#ifndef QUIRE_INIT_CHECKS_H
#define QUIRE_INIT_CHECKS_H

#include "base/types.h"

struct audit_report;

/* Audit all of memory. False: this kernel has no auditor, and the report is not written. */
bool checks_audit(struct audit_report *report);

/* Audit all of memory for a panic, and print the report. */
void checks_print(void);

/*
 * Copy the boot loader's information for later commands: a boot_info is lost with boot memory. Refuses to start where
 * the command line has a word torture= that this kernel does not know (process/torture.h).
 */
struct boot_info;
void checks_note_boot(const struct boot_info *info);

/*
 * Run the console. The kernel's command line may have commands to begin with (run=); its text is changed.
 */
void console_start(char *command_line) NORETURN;

#endif
