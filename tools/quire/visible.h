/*
 * visible.h - words that come from the guest, on their way to a terminal of ours.
 *
 * What a program writes to its own standard output goes out as it is, as it would here. All else that carries a guest's
 * bytes (a kernel's last words, reports, log lines) is shown: lines, tabs and readable characters as they are, whatever
 * could move a cursor, change a terminal or hide text as ^X or \xNN.
 */
#ifndef QUIRE_VISIBLE_H
#define QUIRE_VISIBLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { VISIBLE_MOST = 4 };      /* bytes that one byte may become */

/* Into `to`, which has room for VISIBLE_MOST times `count` bytes. Returns the length; there is no NUL. */
size_t visible(const void *bytes, size_t count, char *to);

void visible_print(FILE *out, const void *bytes, size_t count);

#endif
