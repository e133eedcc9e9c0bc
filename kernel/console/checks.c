/*
 * checks.c - the auditor at the console.
 */
#include "console/commands.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "memory/audit.h"
#include "memory/check/corrupt.h"

static int list_invariants(void)
{
    EACH_ROW(row, invariants)
        print("%s  %-8s  %s\n", row->id, row->where, row->text);
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

/* ---- break -------------------------------------------------------------------------------------- */

/* Why a corruption cannot be seen here; NULL if it can. */
static const char *why_impossible(const struct corruption *corruption)
{
    if (corruption->only & ON_HOST)
        return "only the software MMU of the host port can look";
    if ((corruption->only & IF_CHECKED) && !IS_CHECKED)
        return "only checked builds look";
    return NULL;
}

static bool names_invariant(const struct audit_report *report, const char *id)
{
    uint32_t kept = report->failed < AUDIT_FAILURES ? report->failed : AUDIT_FAILURES;

    for (uint32_t i = 0; i < kept; i++)
        if (strcmp(report->failures[i].id, id) == 0)
            return true;
    return false;
}

/* Corrupt, audit, restore, audit. Nothing is printed in between: printing may need what is corrupted. */
static int break_one(const struct corruption *corruption)
{
    static struct audit_report corrupted, restored;
    const char                *reason = why_impossible(corruption);

    if (reason != NULL || !corruption->corrupt()) {
        print("break %s impossible: %s\n", corruption->id,
              reason ? reason : "no memory, or nothing of the kind here");
        return 0;
    }
    audit_full(&corrupted);
    corruption->restore();
    audit_full(&restored);

    print("broke %s: %s\n", corruption->id, corruption->how);
    audit_print(&corrupted);
    print("restored %s; ", corruption->id);
    audit_print(&restored);
    print("break %s %s\n", corruption->id,
          names_invariant(&corrupted, corruption->id) && restored.failed == 0 ? "named" : "MISSED");
    return names_invariant(&corrupted, corruption->id) && restored.failed == 0 ? 0 : -EIO;
}

static void list_corruptions(void)
{
    EACH_ROW(row, corruptions)
        print("  %s  %s\n", row->id, row->how);
}

static int break_all(void)
{
    int err = 0;

    EACH_ROW(row, corruptions)
        if (break_one(row) != 0)
            err = -EIO;
    return err;
}

int run_break(int count, char **words)
{
    const struct invariant *wanted = count == 2 ? audit_find(words[1]) : NULL;

    if (count == 1) {
        list_corruptions();
        return 0;
    }
    if (strcmp(words[1], "all") == 0)
        return break_all();
    EACH_ROW(row, corruptions)
        if (wanted != NULL && strcmp(row->id, wanted->id) == 0)
            return break_one(row);
    print("break: expected an invariant, as \"audit list\" shows them, or \"all\", not \"%s\"\n", words[1]);
    return -ENOENT;
}
