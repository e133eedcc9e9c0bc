/*
 * layout_text.h - documents as text, for the tests of the layout compiler.
 *
 * The documents are those that ship, with one change: tests run at the top of the tree.
 */
#ifndef QUIRE_TESTS_LAYOUT_TEXT_H
#define QUIRE_TESTS_LAYOUT_TEXT_H

#include "layout/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define HH "higher-half"
#define PT "pat"
#define QU "quire"
#define MO "movos"
#define TR "tracker"
#define FW "firmware"

/* The alignment of columns is not compared: runs of blanks become one. */
static inline void squeeze(char *text)
{
    char *out = text;

    for (const char *in = text; *in != '\0'; in++)
        if (in[0] != ' ' || in[1] != ' ')
            *out++ = *in;
    *out = '\0';
}

/* A file of the tree. Freed by the caller. */
static inline char *kept_text(const char *path)
{
    char *text = calloc(1, BYTES_LIMIT);
    FILE *file = fopen(path, "r");

    if (file == NULL)
        fail_msg("%s: not found; this test runs at the top of the tree", path);
    assert_non_null(text);
    assert_true(fread(text, 1, BYTES_LIMIT - 1, file) > 0);
    fclose(file);
    return text;
}

/* A document of layouts/; the caller frees it. */
static inline char *document_text(const char *name)
{
    char path[64], *text;

    snprintf(path, sizeof(path), "layouts/%s/layout.md", name);
    text = kept_text(path);
    squeeze(text);
    return text;
}

/* A new text with the first `from` replaced; both are freed by the caller. */
static inline char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *out;

    if (at == NULL)
        fail_msg("the document has no `%s`", from);
    assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
    return out;
}

static inline unsigned line_of(const char *text, const char *what)
{
    const char *at = strstr(text, what);
    unsigned line = 1;

    if (at == NULL)
        fail_msg("no `%s` to count lines to", what);
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

/* All complaints about a text, and how many there are. The caller frees it. */
static inline char *complaints_about(const char *text, size_t bytes, unsigned *errors)
{
    struct document document;
    struct source source;
    size_t size;
    char *said;
    FILE *out = open_memstream(&said, &size);

    assert_non_null(out);
    if (source_from(&source, "mine.md", text, bytes, out))
        document_compile(&document, &source);
    *errors = source.errors;
    source_free(&source);
    fclose(out);
    return said;
}

#endif
