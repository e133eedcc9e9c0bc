/*
 * clean.h - for tests on a whole machine: every invariant holds, and the machine's cache agrees with the tables.
 */
#ifndef QUIRE_TESTS_CLEAN_H
#define QUIRE_TESTS_CLEAN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine.h"
#include "memory/audit.h"

static inline void assert_clean(void)
{
    struct audit_report report;

    audit_full(&report);
    machine_tlb_audit(&report);
    if (report.failed != 0)
        fail_msg("%s: %s", report.failures[0].id, report.failures[0].text);
}

#endif
