/*
 * checks.c - the auditor, where it is linked. See checks.h.
 */
#include "init/checks.h"

#include "base/print.h"
#include "claims/told.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"

void checks_note_boot(const struct boot_info *info) { told_note(info); }

bool checks_audit(struct audit_report *report)
{
    audit_full(report);
    return true;
}

void checks_print(void)
{
    static struct audit_report report;

    if (!frames_are_open()) {
        print("  audit: memory was not open yet\n");
        return;
    }
    audit_full(&report);
    audit_print(&report);
}
