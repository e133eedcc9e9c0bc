/*
 * report.c - the report on memory. See report.h.
 */
#include "init/report.h"
#include "init/checks.h"

#include "arch/contract.h"
#include "base/check.h"
#include "base/print.h"
#include "base/string.h"
#include "base/symbol.h"
#include "files/path/missing.h"
#include "linux/call.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"
#include "memory/heap/stack.h"
#include "memory/spaces/fault.h"

enum { NAME_COLUMN = 10, LINE = 110, PATHS_TOLD = 24 };
_Static_assert(MISSING_TEXT + 13 <= LINE, "a path that was not found has room in a line");

static bool              sampling;
static struct frame_sums peak;
static uint32_t          peak_used;

static uint32_t used_now(void) { return peak.ram - frames_owned(OWNER_FREE); }

void report_sample(void)
{
    if (!sampling || (peak.ram != 0 && used_now() <= peak_used))
        return;
    frames_sums(&peak);                         /* from a timer: its cost is small, however much RAM there is */
    peak_used = peak.ram - peak.owned[OWNER_FREE];
}

void report_begin(void)
{
    sampling = true;
    report_sample();
}

static void write_owner(void (*line)(const char *text), const char *name, uint32_t most, uint32_t last,
                        const char *what)
{
    char text[LINE];

    format_text(text, sizeof text, "  %-*s %9u %9u KiB   %9u %9u KiB   %s", NAME_COLUMN, name, most,
                most * (uint32_t)(PAGE_SIZE / KiB), last, last * (uint32_t)(PAGE_SIZE / KiB), what);
    line(text);
}

static void write_owners(void (*line)(const char *text))
{
    struct frame_sums last;
    uint32_t          sum_most = 0, sum_last = 0;

    report_sample();
    frames_sums(&last);
    line("memory by owner    at the peak             at the end");
    for (unsigned i = 0; i < OWNER_COUNT; i++) {
        if (i == OWNER_ABSENT || (peak.owned[i] == 0 && last.owned[i] == 0))
            continue;
        write_owner(line, owner_names[i], peak.owned[i], last.owned[i], owner_texts[i]);
        sum_most += peak.owned[i];
        sum_last += last.owned[i];
    }
    write_owner(line, "sum", sum_most, sum_last,
                sum_most == last.ram && sum_last == last.ram ? "all RAM, at both times" : "DIFFERS from all RAM");
}

static void write_faults(void (*line)(const char *text))
{
    char text[LINE];

    line("page faults");
    for (unsigned i = 0; i < FAULT_ACTIONS; i++) {
        if (fault_counts[i] == 0)
            continue;
        format_text(text, sizeof text, "  %9llu  %s", (unsigned long long)fault_counts[i], fault_action_names[i]);
        line(text);
    }
}

static void (*unknown_line)(const char *text);
static bool unknown_any;

static void write_unknown(const char *what)
{
    char text[LINE];

    if (!unknown_any)
        unknown_line("system calls that are not there: name, number, times asked for");
    unknown_any = true;
    format_text(text, sizeof text, "  %s", what);
    unknown_line(text);
}

static void write_deepest_stack(void (*line)(const char *text))
{
    size_t used = stacks_deepest(), room = layout.purpose[PURPOSE_STACKS]->unit * PAGE_SIZE;
    char   text[LINE];

    format_text(text, sizeof text, "kernel stacks: %u of %u bytes used at the deepest", (unsigned)used, (unsigned)room);
    if (used != 0)
        line(text);
}

/* Only checked kernels have measured it. */
static void write_longest_stretch(void (*line)(const char *text))
{
    struct stretch longest;
    char           callers[LINE - 50], text[LINE];

    if (!stretch_longest(&longest))
        return;
    symbols_in_words(longest.callers, STRETCH_CALLERS, callers, sizeof callers);
    format_text(text, sizeof text, "interrupts: off for %llu ticks at the longest, by %s",
                (unsigned long long)longest.ticks, callers);
    line(text);
    (void)leg_longest(&longest);
    symbols_in_words(longest.callers, STRETCH_CALLERS, callers, sizeof callers);
    format_text(text, sizeof text, "kernel: no others ran for %llu ticks at the longest, until %s",
                (unsigned long long)longest.ticks, callers);
    line(text);
}

static void (*missing_line)(const char *text);
static uint32_t missing_told;

static void write_missing_path(const char *path, uint32_t times, void *none)
{
    char text[LINE];

    (void)none;
    if (missing_told == 0)
        missing_line("paths that were looked for and not found: times, path");
    if (missing_told++ < PATHS_TOLD) {
        format_text(text, sizeof text, "  %9u  %s", times, path);
        missing_line(text);
    }
}

/* Write which paths programs have looked for in vain: often the cause of a program's failure. */
static void write_missing(void (*line)(const char *text))
{
    char text[LINE];

    missing_line = line;
    missing_told = 0;
    missing_each(write_missing_path, NULL);
    if (missing_told > PATHS_TOLD) {
        format_text(text, sizeof text, "  and %u paths more", missing_told - PATHS_TOLD + missing_lost());
        line(text);
    }
    missing_end();
}

void report_write(void (*line)(const char *text))
{
    assert(line != NULL);
    write_longest_stretch(line);                /* before the report's own work is the longest */
    write_owners(line);
    write_deepest_stack(line);
    write_faults(line);
    unknown_line = line;
    unknown_any  = false;
    linux_report_unknown(write_unknown);
    if (!unknown_any)
        line("no system call was asked for that is not there");
    write_missing(line);
}

/* Audit the whole of memory, when no program runs any more. */
void report_audit(void (*line)(const char *text))
{
    struct audit_report report = { 0 };
    char                text[sizeof report.failures[0].text + 16];

    if (!checks_audit(&report)) {
        line("audit: this kernel has no auditor");
        return;
    }
    if (report.failed == 0) {
        format_text(text, sizeof text, "audit: clean, %u checks", report.checked);
        line(text);
        return;
    }
    for (uint32_t i = 0; i < report.failed && i < AUDIT_FAILURES; i++) {
        format_text(text, sizeof text, "audit: %s %s", report.failures[i].id, report.failures[i].text);
        line(text);
    }
}
