/*
 * reports.h - what only the top floor can tell or do, and /proc/quire offers: a snapshot of all memory, and a death on
 * purpose.
 *
 * The floors above say so once, before the first program (proc_set_reports()). In a kernel where nothing was said,
 * /proc/quire/map is empty and /proc/quire/crash refuses (-EPERM).
 */
#ifndef QUIRE_FILES_REPORTS_H
#define QUIRE_FILES_REPORTS_H

#include "base/types.h"

/* Where the lines of a snapshot go. */
struct snapshot_sink {
    void  (*put)(struct snapshot_sink *sink, const char *line, size_t length);      /* NULL: only count  */
    size_t  room;                       /* bytes it can take; what does not fit is counted in the line `cut` */
    size_t  bytes;                      /* of all lines, those that had no room included                     */
};

struct audit_report;

struct machine_reports {
    void (*snapshot_write)(struct snapshot_sink *sink, const char *moment);
    bool (*snapshot_send)(const char *moment);          /* to the host, if it has ordered one */
    int  (*crash)(const char *way);                     /* returns a negative errno, or not   */
    bool (*audit)(struct audit_report *report);         /* false: nobody audits in this kernel */
};

/* The reports stay where they are for ever. */
void proc_set_reports(const struct machine_reports *of_machine);

#endif
