/*
 * memory_source.h - bytes in memory as the source of an archive, for tests and fuzzers of what is unpacked.
 */
#ifndef QUIRE_TESTS_MEMORY_SOURCE_H
#define QUIRE_TESTS_MEMORY_SOURCE_H

#include <string.h>

#include "files/root/inflate.h"

struct memory {
    struct source  source;
    const uint8_t *bytes;
    size_t         left, most;          /* at most `most` at a time */
};

static inline long read_memory(struct source *source, void *to, size_t bytes)
{
    struct memory *self = (struct memory *)source;

    if (bytes > self->left)
        bytes = self->left;
    if (bytes > self->most)
        bytes = self->most;
    memcpy(to, self->bytes, bytes);
    self->bytes += bytes;
    self->left  -= bytes;
    return (long)bytes;
}

#endif
