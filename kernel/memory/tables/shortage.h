/*
 * shortage.h - what a process can lack besides memory, in words: for the message that says why one could not be made.
 *
 * Each row asks one question. A layout adds rows where its page tables need more than frames (base/rows.h).
 */
#ifndef QUIRE_MEMORY_SHORTAGE_H
#define QUIRE_MEMORY_SHORTAGE_H

#include "base/rows.h"

struct shortage {
    const char *words;              /* "no page is left in the window" */
    bool      (*is_there)(void);    /* whether that is lacking now     */
};

extern const struct shortage *const shortages[];

#endif
