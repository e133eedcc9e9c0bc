/*
 * checks.c - the auditor, where it is linked. See checks.h.
 */
#include "init/checks.h"

#include "base/print.h"
#include "base/string.h"
#include "claims/told.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"
#include "power.h"
#include "process/torture.h"

void checks_note_boot(const struct boot_info *info)
{
    const char *problem = torture_note(info->text);

    if (problem != NULL) {
        print("quire: cannot start: %s\n", problem);
        power_exit(POWER_STATUS_REFUSED);
    }
    told_note(info);
}

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
