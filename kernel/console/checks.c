/*
 * checks.c - the auditor at the console.
 */
#include "console/commands.h"

#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "memory/audit.h"

static int list_invariants(void)
{
    for (uint32_t i = 0; i < invariant_count; i++)
        print("%s  %-8s  %s\n", invariants[i].id, invariants[i].where, invariants[i].text);
    return 0;
}

int run_audit(int count, char **words)
{
    struct audit_report report;

    if (count == 2 && strcmp(words[1], "list") == 0)
        return list_invariants();
    if (count == 2) {
        print("audit: expected nothing or \"list\", not \"%s\"\n", words[1]);
        return -EINVAL;
    }
    audit_full(&report);
    audit_print(&report);
    return report.failed == 0 ? 0 : -EIO;
}
