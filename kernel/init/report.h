/*
 * report.h - the report on memory, written when the first program has ended.
 */
#ifndef QUIRE_INIT_REPORT_H
#define QUIRE_INIT_REPORT_H

#include "process/above.h"             /* report_sample() */

/* Take the first sample; without it, report_sample() does nothing. */
void report_begin(void);

/* Write the report, line by line. */
void report_write(void (*line)(const char *text));

/* Audit all of memory and write the verdict: a line when clean, else one for each failure. */
void report_audit(void (*line)(const char *text));

#endif
