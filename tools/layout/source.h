/*
 * source.h - the text of a layout document, its memory, and complaints about it.
 *
 * A source owns everything that is made from it: strings and arrays obtained with
 * source_keep() live until source_free(), so nothing else in the compiler frees
 * anything. When the host has no memory left the program ends with a message.
 *
 * Complaints go to a stream as `FILE:LINE: text`; the first COMPLAINTS_SHOWN are
 * printed, all are counted. The compiler never stops at the first one.
 */
#ifndef QUIRE_LAYOUT_SOURCE_H
#define QUIRE_LAYOUT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

enum {
    COMPLAINTS_SHOWN = 20,
    BYTES_LIMIT = 1024 * 1024,      /* a document is smaller than this                    */
    LINE_LIMIT  = 1000,             /* characters; the widest line a table may reasonably have */
};

struct kept;

struct source {
    const char  *path;              /* as the user wrote it                     */
    char       **lines;             /* lines[0] is line 1; without line ends    */
    uint32_t     line_count;
    FILE        *complaints;
    unsigned     errors;
    struct kept *kept;
};

/*
 * Start a source from a file or from memory (which is copied). Returns false, after a
 * complaint, when the text is unreadable, too big, or has NUL bytes. source_free() is
 * needed in either case. A byte order mark of UTF-8 in front of the text is left out.
 */
bool source_open(struct source *s, const char *path, FILE *complaints);
bool source_from(struct source *s, const char *path, const char *text, size_t bytes, FILE *complaints);
void source_free(struct source *s);

/* Complain. Line 0 means the document as a whole. */
void complain(struct source *s, uint32_t line, const char *format, ...) PRINTF_LIKE(3, 4);

/* Zeroed memory, and strings in it, for the life of the source. */
void *source_keep(struct source *s, size_t bytes);
char *source_text(struct source *s, const char *from, size_t length);
char *source_print(struct source *s, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
