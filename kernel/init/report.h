/*
 * report.h - what became of the memory: told when the first program has ended.
 */
#ifndef QUIRE_PROCESS_REPORT_H
#define QUIRE_PROCESS_REPORT_H

#include "base/types.h"

/*
 * Look at how many frames are in use now, and keep the owners' sums if there were never more. Called at each tick
 * and when a program starts or ends: a peak between two looks shows in the total alone.
 */
void report_sample(void);

/* From the first sample on; without it, report_sample() does nothing. */
void report_begin(void);

/* Write the report, line by line. */
void report_write(void (*line)(const char *text));

/* Audit all of memory and write the verdict: a line when clean, else one for each failure. */
void report_audit(void (*line)(const char *text));

/*
 * A line for whoever started the machine for the program: why it died. To the host if there is a channel, else to the consoles.
 * Not from an interrupt.
 */
void report_say(const char *line);

#endif
