/*
 * audit.h - the live auditor: what must be true of all of memory, checked.
 *
 * The auditor knows the numbered invariants of the memory manager's headers. A full pass
 * checks all of them; a step checks one slice and goes on from there the next time, so that an
 * idle CPU audits the machine for ever. The auditor changes nothing, allocates nothing, and reports
 * the first few failures with an invariant's id, address and frame.
 *
 * Locking  takes each structure's own lock for the slice it looks at; a full pass inside
 *          a panic takes none.
 * Cost     a step: at most AUDIT_SLICE entries or records. A full pass: all of memory.
 */
#ifndef QUIRE_MEMORY_AUDIT_H
#define QUIRE_MEMORY_AUDIT_H

#include "base/types.h"

enum { AUDIT_FAILURES = 8, AUDIT_SLICE = 512 };

/* One line for each invariant: id, header that states it, sentence. */
struct invariant {
    const char *id, *where, *text;
};
extern const struct invariant invariants[];
extern const uint32_t invariant_count;

struct audit_failure {
    const char *id;             /* "F3", "S1"...                              */
    char        text[112];      /* what was found, what was expected          */
};

struct audit_report {
    uint32_t failed;            /* all failures; the first few are kept       */
    uint32_t checked;           /* entries, records and nodes looked at       */
    struct audit_failure failures[AUDIT_FAILURES];
};

/*
 * Called by the checks: note a failure of invariant `id`. Each part of kernel/memory has
 * a NAME_audit(report), which checks its numbered invariants and calls this, and a NAME_ok(),
 * which is true when NAME_audit() finds nothing.
 */
void audit_fail(struct audit_report *report, const char *id, const char *format, ...) PRINTF_LIKE(3, 4);

/* All invariants, now. Returns true when all hold. */
bool audit_full(struct audit_report *report);

/* The next slice. Returns false when it found a failure, which is in the report. */
bool audit_step(struct audit_report *report);

/* Print a report: one line when clean, else one line a failure. */
void audit_print(const struct audit_report *report);

#endif
