/*
 * audit.h - the live auditor: the invariants of all of memory, checked.
 *
 * The auditor knows the numbered invariants of the memory manager's headers. A full pass checks all of them but C4,
 * which arch/host checks. A step checks one slice and goes on from there the next time, so that an idle CPU audits the
 * machine for ever: the memory map, frames, kernel space's tables, heap, stacks, homes of tables, and the parts above
 * memory. Spaces of processes, objects and the cross checks are left to full passes. The auditor changes nothing,
 * allocates nothing, and reports the first few failures with an invariant's id, address and frame.
 *
 * Besides the invariants of each part there are cross checks between the parts (audit_cross.c):
 *
 *   X1  frames of owner TABLES are exactly the tables that walking all spaces reaches, each once
 *   X2  a frame of owner TRACKERS, HEAP, STACK, USER or SHARED has as many references as entries and
 *       objects name it, unless it is pinned
 *   X3  an entry of a window names a frame of an owner that belongs there: never a free one,
 *       never another part's, and no RAM through a device window
 *   X4  memory map and frame records agree on what is RAM
 *   X5  a swap slot has as many references as entries, pages of objects, and transfers name it
 *
 * Locking  takes each structure's own lock for the part it looks at; inside a panic
 *          locks_ignore() has been called and none is taken. A full pass compares parts with
 *          each other, so memory must not change meanwhile: the caller sees to that.
 * Cost     a step: one area of frames (frames_audit_area()), the tables below one upper entry of kernel space, 64 KiB
 *          of the heap, one small structure, or a piece of table_homes_audit_part(). A full pass: all of memory, once
 *          for each frame record and each entry.
 */
#ifndef QUIRE_MEMORY_AUDIT_H
#define QUIRE_MEMORY_AUDIT_H

#include "base/rows.h"

enum { AUDIT_FAILURES = 8 };

struct audit_report;

/* One line for each invariant: id, header that states it, sentence. */
struct invariant {
    const char *id, *where, *text;
};
extern const struct invariant *const invariants[];      /* sets (rows.h): memory's own, and a layout's */

/* A check of a part above memory (processes, files): made in each full pass, and in one step. */
struct audit_part {
    const char *name;
    void      (*audit)(struct audit_report *report);
};
extern const struct audit_part *const audits[];         /* sets (rows.h) */

struct audit_failure {
    const char *id;             /* "F3", "S1"...                              */
    char        text[112];      /* what was found                             */
};

struct audit_report {
    uint32_t failed;            /* all failures; the first few are kept       */
    uint32_t checked;           /* entries, records and nodes looked at       */
    struct audit_failure failures[AUDIT_FAILURES];
};

/*
 * Called by the checks: note a failure of invariant `id`. Each part of kernel/memory has
 * a NAME_audit(report), which checks its numbered invariants and calls this; where tests ask for one, a NAME_ok() is
 * true when NAME_audit() finds no failure.
 */
void audit_fail(struct audit_report *report, const char *id, const char *format, ...) PRINTF_LIKE(3, 4);

/* All invariants but C4, which arch/host checks, now. Returns true when all hold. */
bool audit_full(struct audit_report *report);

/* The next slice. Returns false when it found a failure, which is in the report. */
bool audit_step(struct audit_report *report);

/* The cross checks X1..X5, of which audit_full() is the usual caller. */
void audit_cross(struct audit_report *report);

uint32_t audit_invariants(void);        /* how many there are */

/* The invariant with this id, letter case ignored; NULL if there is none. */
const struct invariant *audit_find(const char *id);

/* Print a report: one line when clean, else one line a failure. */
void audit_print(const struct audit_report *report);

#endif
