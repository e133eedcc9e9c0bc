/*
 * report_json.h - a report as text that programs read: --report=json.
 *
 *   program    the program and its arguments
 *   status     exit status of `quire run`
 *   memory     for each owner of frames: name, purpose, and frames and KiB at the peak and at the end; "sum" is all RAM
 *   faults     how often each action of the page-fault table was taken
 *   calls      system calls that are not implemented: name, number, times
 *   paths      paths that were looked for and not found: path, times; paths_more: how many are not listed
 *   audit      clean; then checks, or failures, each with the invariant's id; null when there was none
 *   words      all other lines, such as why the program died
 */
#ifndef QUIRE_REPORT_JSON_H
#define QUIRE_REPORT_JSON_H

#include "libquire.h"

/* JSON that ends with a line's end. The arguments are made visible (visible.h). The caller drops it (arena.h). */
char *report_json(const struct quire_report *report, char *const *argv, int argc);

#endif
