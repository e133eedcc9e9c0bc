/* pack_smaller.c - an archive for places where room is scarcer than time: compressed with zlib. See pack.h. */
#include "libquire/arena.h"
#include "libquire/pack.h"
#include "libquire/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 9 };      /* zlib.h, deflateInit2(): 16 asks for gzip's frame */

/* Compress `from` into one block; NULL without memory. */
static uint8_t *squeeze(const uint8_t *from, uint64_t bytes, uint64_t *size)
{
    z_stream z = { .next_in = (uint8_t *)from, .avail_in = (unsigned)bytes };
    uint8_t *to = NULL;

    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    *size = deflateBound(&z, bytes);
    to = malloc(*size);
    z.next_out = to;
    z.avail_out = (unsigned)*size;
    if (to != NULL && deflate(&z, Z_FINISH) != Z_STREAM_END) {
        free(to);
        to = NULL;
    }
    *size = z.total_out;
    deflateEnd(&z);
    return to;
}

/* A descriptor of a file in memory with these bytes, or -1. */
static int memory_file(const uint8_t *bytes, uint64_t size)
{
    int fd = memfd_create("quire-archive", MFD_CLOEXEC);

    for (uint64_t done = 0; fd >= 0 && done < size;) {
        ssize_t put = write(fd, bytes + done, size - done);

        if (put <= 0) {
            close(fd);
            return -1;
        }
        done += (uint64_t)put;
    }
    return fd;
}

int pack_smaller(int *fd, uint64_t *size)
{
    void *whole = *size < UINT32_MAX / 2 ? mmap(NULL, *size, PROT_READ, MAP_PRIVATE, *fd, 0) : MAP_FAILED;
    uint64_t less = 0;
    uint8_t *bytes;
    int smaller;

    if (whole == MAP_FAILED)
        return tell(SANDBOX_FAILED, "the archive is too large to be compressed");
    bytes = squeeze(whole, *size, &less);
    munmap(whole, *size);
    smaller = bytes != NULL ? memory_file(bytes, less) : -1;
    free(bytes);
    if (smaller < 0)
        return tell(SANDBOX_FAILED, "no memory to compress the archive");
    close(*fd);
    *fd = smaller;
    *size = less;
    return 0;
}
