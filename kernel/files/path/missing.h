/*
 * missing.h - which paths programs looked for and did not find, for the report.
 *
 * A program that lacks a file often does not say so. Paths whose lookup ended with -ENOENT are counted here, as the
 * program gave them: MISSING_PATHS at most, each cut to MISSING_TEXT bytes. When there are more, a new path replaces
 * the one with the fewest lookups, and of several the one that came first.
 *
 * Locking  counting locks inside (rank OBJECT) and does not sleep. All else is for a moment when no program looks for
 *          files: before the first, or when the machine is about to end. Nothing is counted before missing_begin().
 * Cost     a comparison for each lookup, a test of a pointer for each that finds nothing; while counting, a search
 *          among all that are kept.
 */
#ifndef QUIRE_FILES_MISSING_H
#define QUIRE_FILES_MISSING_H

#include "base/error.h"
#include "base/types.h"

enum { MISSING_PATHS = 96, MISSING_TEXT = 96 };

/* Start to count; without memory nothing is counted. missing_end() stops, and forgets all paths. */
void missing_begin(void);
void missing_end(void);

/* A lookup of this path, which lies in kernel memory, has ended with -ENOENT. */
void missing_count(const char *path);

/* A lookup has ended with `err`, which is returned. */
static inline int missing_note(const char *path, int err)
{
    if (err == -ENOENT)
        missing_count(path);
    return err;
}

/*
 * Those with the most lookups first; among equals the last to come, after which a program may have given up. `text` is
 * printable and may be cut.
 */
void missing_each(void (*visit)(const char *text, uint32_t times, void *with), void *with);

/* How many paths have been replaced by others, and their counts lost. */
uint32_t missing_lost(void);

#endif
