/*
 * line_discipline_output.h - one byte of output as the screen gets it. Internal to the discipline.
 */
#ifndef QUIRE_FILES_LINE_DISCIPLINE_OUTPUT_H
#define QUIRE_FILES_LINE_DISCIPLINE_OUTPUT_H

#include "files/terminal/line_discipline.h"

enum { OUTPUT_LONGEST = 8 };            /* a tab's spaces */

/* The bytes that one byte of output becomes: writes 0 to OUTPUT_LONGEST, and returns how many. */
size_t line_discipline_put_output(struct line_discipline *d, uint8_t c, char out[OUTPUT_LONGEST]);

/* A lower-case letter of Latin-1, as Linux's terminals know them. */
static inline bool line_discipline_is_lower(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xDF && c != 0xF7);
}

#endif
