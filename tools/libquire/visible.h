/*
 * visible.h - making text of the guest safe for a terminal of the host.
 *
 * A program's standard output is not changed. All other bytes of a guest (a kernel's last words, reports, log lines)
 * are made visible: lines, tabs and readable characters stay, bytes that could move a cursor, change a terminal or hide
 * text become ^X or \xNN.
 */
#ifndef QUIRE_VISIBLE_H
#define QUIRE_VISIBLE_H

#include <stddef.h>
#include <stdint.h>

enum { VISIBLE_MOST = 4 };      /* the most bytes that one byte becomes */

/* Write the text into `to`, which has room for VISIBLE_MOST times `count` bytes. Returns the length, without a NUL. */
size_t visible(const void *bytes, size_t count, char *to);

#endif
