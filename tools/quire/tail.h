/*
 * tail.h - the last bytes of a text that is only shown when something went wrong. However much comes, no more is kept.
 */
#ifndef QUIRE_TAIL_H
#define QUIRE_TAIL_H

#include <stdbool.h>
#include <stddef.h>

struct tail {
    char   bytes[16384];
    size_t length;              /* always ended by a NUL                                                  */
    int    matched;             /* letters of "panic: " since the line began; -1: this line has others    */
    bool   last_words;          /* a line began with that: it is first, and what comes after it is kept   */
};

/* Keep the end; the older half goes when there is no room. */
void tail_keep(struct tail *tail, const void *bytes, size_t length);

/* The same for a kernel's words: from a line that begins with "panic: " on, the beginning is kept. */
void tail_keep_words(struct tail *tail, const void *bytes, size_t length);

/*
 * Its last lines, or all that began with "panic: ", indented, visible, on standard error; with the names that a kernel
 * does not know (NULL: none).
 */
struct names;
void tail_show(const struct tail *tail, int lines, const struct names *names);

#endif
