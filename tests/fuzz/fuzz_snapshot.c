/*
 * fuzz_snapshot.c - no snapshot of memory, however wrong, may break its reader and its drawings.
 *
 * The lines come from a guest, which may be mad. An accepted snapshot is drawn in full, and no line of the drawing may
 * be longer than it promises. Half of the changes put a word of one line in the place of another's, because bytes
 * changed at random seldom make another line that is believed.
 */
#include "map/draw.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t limit);

/* Both drawings in memory: the one of characters must keep to its width, the one for paper must be complete. */
static void draw(const struct picture *picture, struct source *source)
{
    char *text, *svg;
    size_t text_size, svg_size;
    FILE *to_text = open_memstream(&text, &text_size), *to_svg = open_memstream(&svg, &svg_size);

    if (to_text == NULL || to_svg == NULL)
        abort();
    draw_text(picture, to_text);
    draw_svg(picture, source, 0, to_svg);
    if (fclose(to_text) != 0 || fclose(to_svg) != 0)
        abort();
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n')
        if (strcspn(at, "\n") > DRAW_COLUMNS)
            abort();
    if (svg_size < 7 || strcmp(svg + svg_size - 7, "</svg>\n") != 0)
        abort();
    free(text);
    free(svg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    struct source source = { .path = "fuzz" };
    struct snapshot snapshot;
    struct picture picture;
    char *lines = malloc(size + 1);

    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    if (lines == NULL || nowhere == NULL)
        abort();
    source.complaints = nowhere;
    memcpy(lines, data, size);
    if (snapshot_read(&snapshot, &source, lines, size)) {
        picture_make(&picture, &source, &snapshot);
        draw(&picture, &source);
    }
    source_free(&source);
    free(lines);
    return 0;
}

/* ---- Words put where others were --------------------------------------------------------- */

static size_t word_start(const uint8_t *data, size_t at)
{
    while (at > 0 && data[at - 1] != ' ' && data[at - 1] != '\n')
        at--;
    return at;
}

static size_t word_length(const uint8_t *data, size_t size, size_t start)
{
    size_t end = start;

    while (end < size && data[end] != ' ' && data[end] != '\n')
        end++;
    return end - start;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned seed)
{
    char word[64];
    size_t from, to, length, old;

    if (seed % 2 != 0 || size == 0)
        return LLVMFuzzerMutate(data, size, limit);
    from   = word_start(data, seed / 2 % size);
    to     = word_start(data, (size_t)seed * 2654435761u / 64 % size);
    length = word_length(data, size, from);
    old    = word_length(data, size, to);
    if (length > sizeof(word) || size - old + length > limit)
        return LLVMFuzzerMutate(data, size, limit);
    memcpy(word, data + from, length);
    memmove(data + to + length, data + to + old, size - to - old);
    memcpy(data + to, word, length);
    return size - old + length;
}
