/*
 * report.h - a guest's report, taken apart: struct quire_report of libquire.h.
 *
 * The kernel reports in lines for people (kernel/init/report.c), which are parsed here, on the host: invalid lines of a
 * guest become words, and the length of the lines is limited before. All text is made visible (visible.h), so it is
 * UTF-8 without controls.
 */
#ifndef QUIRE_REPORT_H
#define QUIRE_REPORT_H

#include "libquire.h"

#include <stddef.h>

/* The report with these lines. It and all that it points to belong to the arena, and stay until that ends. */
struct quire_report *report_read(const char *bytes, size_t length, int status);

#endif
