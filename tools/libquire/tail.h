/*
 * tail.h - the last bytes of a text that is shown only after an error. The memory for it is limited.
 */
#ifndef QUIRE_TAIL_H
#define QUIRE_TAIL_H

#include <stdbool.h>
#include <stddef.h>

struct tail {
    char   bytes[16384];
    size_t length;              /* a NUL always follows                                                   */
    int    matched;             /* letters of "panic: " since the line began; -1: this line has others    */
    bool   last_words;          /* a line began with "panic: ": it is first, the bytes after it are kept   */
};

/* Append bytes; the older half is dropped when there is no room. */
void tail_keep(struct tail *tail, const void *bytes, size_t length);

/* The same for a kernel's log: from a line that begins with "panic: " on, the first bytes are kept. */
void tail_keep_words(struct tail *tail, const void *bytes, size_t length);

/* Say a line of a guest or of QEMU, made visible; or as a detail of the line before (arena.h). */
void tell_visibly(const char *line, size_t length);
void tell_detail(const char *line, size_t length);

/*
 * Say the last lines, or all from "panic: " on, as details; with the names that a kernel does not contain (NULL: none).
 */
struct names;
void tail_show(const struct tail *tail, int lines, const struct names *names);

#endif
