/*
 * reports.h - functions of kernel/init that /proc/quire offers: a snapshot of all memory, and a panic on purpose.
 *
 * kernel/init sets them once, before the first program (proc_set_reports()). In a kernel that does not set them
 * /proc/quire/map is empty and /proc/quire/crash refuses (-EPERM).
 */
#ifndef QUIRE_FILES_REPORTS_H
#define QUIRE_FILES_REPORTS_H

#include "base/types.h"

/* A receiver of the lines of a snapshot. */
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
    bool (*audit)(struct audit_report *report);         /* false: this kernel has no auditor */
};

/* The reports stay where they are for ever. */
void proc_set_reports(const struct machine_reports *of_machine);

#endif
