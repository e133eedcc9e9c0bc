/*
 * fuzz_inflate.c - whatever claims to be a gzip file, reading it ends, stays inside, and says why it failed.
 *
 * The first byte chooses the sizes of the pieces in which it is read.
 */
#include <stdlib.h>
#include <string.h>

#include "files/root/inflate.h"
#include "memory/heap/heap.h"

enum { MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void *heap_alloc(size_t bytes, unsigned flags) { return flags & HEAP_ZERO ? calloc(1, bytes) : malloc(bytes); }
void  heap_free_sized(void *block, size_t bytes)
{
    (void)bytes;
    free(block);
}

struct memory {
    struct source  source;
    const uint8_t *bytes;
    size_t         left;
};

static long read_memory(struct source *source, void *to, size_t bytes)
{
    struct memory *self = (struct memory *)source;

    if (bytes > self->left)
        bytes = self->left;
    memcpy(to, self->bytes, bytes);
    self->bytes += bytes;
    self->left  -= bytes;
    return (long)bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[4096];
    struct memory  memory = { { read_memory, NULL, NULL }, data + 1, size - 1 };
    struct source *source;
    size_t         total = 0, most;
    long           got;

    if (size < 1)
        return 0;
    most   = 1 + data[0] * 16;
    source = inflate_open(&memory.source);
    do {
        got = source->read(source, block, most);
        if (got > 0)
            total += (size_t)got;
    } while (got > 0 && total < MOST);
    if ((got < 0) != (source->problem != NULL))
        abort();
    inflate_close(source);
    return 0;
}
