/*
 * fuzz_inflate.c - whatever claims to be a gzip file, reading it ends, stays inside, and says why it failed.
 *
 * The first byte chooses the sizes of the pieces in which it is read.
 */
#include "../host/memory_source.h"
#include "../host/no_heap.h"

enum { MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[4096];
    struct memory  memory = { { read_memory, NULL, NULL }, data + 1, size - 1, SIZE_MAX };
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
