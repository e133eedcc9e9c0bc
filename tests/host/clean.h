/*
 * clean.h - for tests on a whole machine: every invariant holds, the machine's cache agrees with the tables, nobody has
 * given back a frame that was not his to give (that is refused, counted, and else without a trace), and interrupts are
 * on again.
 */
#ifndef QUIRE_TESTS_CLEAN_H
#define QUIRE_TESTS_CLEAN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"

/* Misuses of the frame pool since it began that the test has meant. */
static uint32_t misuses_meant;

static inline void assert_clean(void)
{
    struct audit_report report;
    struct frame_sums   sums;

    audit_full(&report);
    machine_tlb_audit(&report);
    if (report.failed != 0)
        fail_msg("%s: %s", report.failures[0].id, report.failures[0].text);
    frames_sums(&sums);
    assert_int_equal(sums.misuses, misuses_meant);
    assert_false(host_interrupts_off);
}

#endif
