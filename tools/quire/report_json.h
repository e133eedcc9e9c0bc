/*
 * report_json.h - a guest's report as a structure that programs read: --report=json.
 *
 * The kernel reports in lines for people (kernel/init/report.c), which are parsed here, on the host: invalid lines of a
 * guest become "words", and the length of the lines is limited before.
 * The text is made visible (visible.h), so the result is UTF-8 without controls.
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

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct report_json {
    char *const *argv;
    int          argc;
    int          status;
    const char  *text;          /* the report's lines as they came */
    size_t       length;
};

/* False: the structure could not be written, or there is no memory. */
bool report_json_write(FILE *out, const struct report_json *report);

#endif
