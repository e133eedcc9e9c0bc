/* source.c - reading a document, keeping its memory, reporting its errors. See source.h. */
#include "source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct kept {
    struct kept *next;
    max_align_t  bytes[];
};

__attribute__((noreturn)) static void no_memory(void)
{
    fprintf(stderr, "quire: out of memory\n");
    exit(2);
}

void *source_keep(struct source *s, size_t bytes)
{
    struct kept *kept = calloc(1, sizeof(*kept) + bytes);

    if (kept == NULL)
        no_memory();
    kept->next = s->kept;
    s->kept = kept;
    return kept->bytes;
}

char *source_text(struct source *s, const char *from, size_t length)
{
    char *text = source_keep(s, length + 1);

    memcpy(text, from, length);
    return text;
}

char *source_print(struct source *s, const char *format, ...)
{
    va_list arguments;
    char *text;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text = source_keep(s, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void complain(struct source *s, uint32_t line, const char *format, ...)
{
    va_list arguments;

    s->errors++;
    if (s->errors == COMPLAINTS_SHOWN + 1)
        fprintf(s->complaints, "%s: more errors follow; they are not shown\n", s->path);
    if (s->errors > COMPLAINTS_SHOWN)
        return;
    if (line == 0)
        fprintf(s->complaints, "%s: ", s->path);
    else
        fprintf(s->complaints, "%s:%u: ", s->path, line);
    va_start(arguments, format);
    vfprintf(s->complaints, format, arguments);
    va_end(arguments);
    fputc('\n', s->complaints);
}

static uint32_t count_lines(const char *text, size_t bytes)
{
    uint32_t count = 0;

    for (size_t i = 0; i < bytes; i++)
        count += text[i] == '\n';
    return count + (bytes > 0 && text[bytes - 1] != '\n');
}

/* Cut the text at its line ends; LF and CR LF both do. */
static void cut_lines(struct source *s, char *text, size_t bytes)
{
    char *at = text, *end = text + bytes;

    s->line_count = count_lines(text, bytes);
    s->lines = source_keep(s, (s->line_count + 1) * sizeof(*s->lines));
    for (uint32_t n = 0; n < s->line_count; n++) {
        char *stop = memchr(at, '\n', (size_t)(end - at));

        if (stop == NULL)
            stop = end;
        *stop = '\0';
        s->lines[n] = at;
        if (stop > at && stop[-1] == '\r')
            stop[-1] = '\0';
        if (stop - at > LINE_LIMIT) {
            complain(s, n + 1, "this line has %zu characters; at most %d make sense", (size_t)(stop - at),
                     LINE_LIMIT);
            *at = '\0';
        }
        at = stop + 1;
    }
}

/* What some editors write before the first character of a text in UTF-8. */
static const char order_mark[] = "\xEF\xBB\xBF";

bool source_from(struct source *s, const char *path, const char *text, size_t bytes, FILE *complaints)
{
    const char *nul;

    *s = (struct source){ .path = path, .complaints = complaints };
    if (bytes >= BYTES_LIMIT) {
        complain(s, 0, "the document has at least %d bytes; expected fewer", BYTES_LIMIT);
        return false;
    }
    nul = memchr(text, '\0', bytes);
    if (nul != NULL) {
        complain(s, count_lines(text, (size_t)(nul - text) + 1), "a NUL byte; expected text");
        return false;
    }
    if (bytes >= sizeof order_mark - 1 && memcmp(text, order_mark, sizeof order_mark - 1) == 0) {
        text  += sizeof order_mark - 1;
        bytes -= sizeof order_mark - 1;
    }
    cut_lines(s, source_text(s, text, bytes), bytes);
    return true;
}

/* Read a file into `text`; the buffer holds one byte more than the largest document. */
static bool read_file(struct source *s, char *text, size_t *bytes)
{
    FILE *file = fopen(s->path, "r");
    bool good = file != NULL;

    if (good) {
        *bytes = fread(text, 1, BYTES_LIMIT, file);
        good = !ferror(file);
    }
    if (!good)
        complain(s, 0, "%s", strerror(errno));
    if (file != NULL)
        fclose(file);
    return good;
}

bool source_open(struct source *s, const char *path, FILE *complaints)
{
    char *text = malloc(BYTES_LIMIT);
    size_t bytes;
    bool good;

    if (text == NULL)
        no_memory();
    *s = (struct source){ .path = path, .complaints = complaints };
    good = read_file(s, text, &bytes) && source_from(s, path, text, bytes, complaints);
    free(text);
    return good;
}

void source_free(struct source *s)
{
    while (s->kept != NULL) {
        struct kept *kept = s->kept;

        s->kept = kept->next;
        free(kept);
    }
}
