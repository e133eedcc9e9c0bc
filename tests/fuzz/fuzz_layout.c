/*
 * fuzz_layout.c - no text, however wrong, may break the layout compiler.
 *
 * A document that passes its checks is also emitted and drawn in full, because the
 * emitters rely on the checks. Bytes changed at random seldom make another
 * document, so half of the changes here are a writer's: a cell, a row or a number of one
 * place put in another.
 */
#include "layout/document.h"
#include "layout/emit.h"
#include "layout/picture.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t limit);

static FILE *nowhere(void)
{
    static FILE *out;

    if (out == NULL && (out = fopen("/dev/null", "w")) == NULL)
        abort();
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *out = nowhere();
    struct document document;
    struct source source;

    if (source_from(&source, "fuzz.md", (const char *)data, size, out) &&
        document_compile(&document, &source)) {
        emit_constants(&document, out);
        emit_tables(&document, out);
        emit_linker_script(&document, out);
        emit_boot_tables(&document, out);
        picture_text(&document, out);
        picture_svg(&document, out);
    }
    source_free(&source);
    return 0;
}

/* ---- Changes that a writer might make -------------------------------------------------- */

struct piece {
    size_t from, length;
};

/* The piece between two of the given marks that holds the byte at `at`. */
static struct piece piece_at(const uint8_t *data, size_t size, size_t at, const char *marks)
{
    size_t from = at, to = at;

    while (from > 0 && strchr(marks, data[from - 1]) == NULL)
        from--;
    while (to < size && strchr(marks, data[to]) == NULL)
        to++;
    return (struct piece){ from, to - from };
}

/* Put a copy of one piece in the place of the other; the new size, or 0 when it would not fit. */
static size_t replace(uint8_t *data, size_t size, size_t limit, struct piece old, struct piece new)
{
    uint8_t *copy;

    if (size - old.length + new.length > limit)
        return 0;
    copy = malloc(new.length + 1);
    if (copy == NULL)
        abort();
    memcpy(copy, data + new.from, new.length);
    memmove(data + old.from + new.length, data + old.from + old.length, size - old.from - old.length);
    memcpy(data + old.from, copy, new.length);
    free(copy);
    return size - old.length + new.length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned seed)
{
    static const char *const marks[] = { "|\n", "|\n", "\n", "| \n" };  /* cells, rows, words */
    const char *between = marks[seed / 2 % 4];
    struct piece old, new;
    size_t changed = 0;

    if (seed % 2 == 0 && size > 0) {
        old = piece_at(data, size, seed / 8 % size, between);
        new = piece_at(data, size, (size_t)seed * 2654435761u / 64 % size, between);
        if (seed / 8 % 8 == 0)
            new.length = 0;
        else if (seed / 8 % 8 == 1)
            old.length = 0;
        changed = replace(data, size, limit, old, new);
    }
    return changed != 0 ? changed : LLVMFuzzerMutate(data, size, limit);
}
