/*
 * checks.h - what a kernel can do beyond running programs: its console, and looking at itself.
 *
 * Two files answer these calls. checks.c does in the whole kernel, and console.c. In the kernel that `./quire run`
 * boots (sources.mk: run) run_only.c does: console, claims, checks, snapshots and the names of functions are not linked
 * into it, and it says so where it is asked.
 */
#ifndef QUIRE_INIT_CHECKS_H
#define QUIRE_INIT_CHECKS_H

#include "base/types.h"

struct audit_report;

/* Audit all of memory. False: there is no auditor, and nothing is in the report. */
bool checks_audit(struct audit_report *report);

/* The same for a panic: printed. */
void checks_print(void);

/* What the boot loader told, for those who look at it later: a boot_info goes away with boot's memory. */
struct boot_info;
void checks_note_boot(const struct boot_info *info);

/*
 * The kernel's own command line, which may have commands to begin with (run=); the text is cut.
 */
void console_start(char *command_line) NORETURN;

#endif
