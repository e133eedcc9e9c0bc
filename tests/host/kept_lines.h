/*
 * kept_lines.h - what a program finds, line by line, against a file of its name: tests/host/NAME.txt.
 *
 * Where the kernel is meant to say or do something else, QUIRE_RECORD=1 and the program write the file anew; the
 * difference is there to be read before it is kept.
 *
 * Included once by each test program.
 */
#ifndef QUIRE_TESTS_KEPT_LINES_H
#define QUIRE_TESTS_KEPT_LINES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    char    *text, *next;                       /* of the file; what it says from the next line on */
    FILE    *record;
    unsigned line;
} kept_lines;

/* The next line. */
static inline __attribute__((format(printf, 1, 2))) void kept_line(const char *format, ...)
{
    char    line[600];
    size_t  length = strcspn(kept_lines.next, "\n");
    va_list list;

    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    kept_lines.line++;
    if (kept_lines.record != NULL)
        fprintf(kept_lines.record, "%s\n", line);
    else if (strlen(line) != length || strncmp(line, kept_lines.next, length) != 0)
        fail_msg("line %u: `%s` was `%.*s` (where that is meant: QUIRE_RECORD=1 and this program)", kept_lines.line,
                 line, (int)length, kept_lines.next);
    kept_lines.next += length + (kept_lines.next[length] != 0);
}

static inline char *kept_text(const char *path)
{
    FILE  *file = fopen(path, "r");
    char  *text;
    size_t bytes = 0;

    if (file != NULL) {
        fseek(file, 0, SEEK_END);
        bytes = (size_t)ftell(file);
        rewind(file);
    }
    text = malloc(bytes + 1);
    if (text == NULL || (file != NULL && fread(text, 1, bytes, file) != bytes))
        abort();
    text[bytes] = 0;
    if (file != NULL)
        fclose(file);
    return text;
}

/* All tests of a program, which find all that its file says, and no more; or write it. */
static inline int kept_run(const char *name, int (*tests)(void))
{
    char path[100];
    int  failed;

    snprintf(path, sizeof path, "tests/host/%s.txt", name);
    kept_lines.text   = kept_lines.next = kept_text(path);
    kept_lines.record = getenv("QUIRE_RECORD") != NULL ? fopen(path, "w") : NULL;
    failed = tests();
    if (kept_lines.record != NULL) {
        fclose(kept_lines.record);
    } else if (failed == 0 && *kept_lines.next != 0) {
        fprintf(stderr, "%s: line %u and those behind it are found no more\n", path, kept_lines.line + 1);
        failed = 1;
    }
    free(kept_lines.text);
    return failed;
}

#endif
