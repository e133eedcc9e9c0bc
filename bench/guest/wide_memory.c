/*
 * wide_memory.c - regions of many pages: rights, moves, what lies in memory, files.
 */
#include "wide.h"

enum { ADVISE_DONTNEED = 4, MAP_FIXED = 0x10, REMAP_MAYMOVE = 1, REMAP_FIXED = 2 };

/* Rights of `pages` pages taken away and given back, in the middle of a larger region. */
static count protect_pages(word pages, word times, int rewritten)
{
    char *at = map_private(2 * pages), *middle = at + pages / 2 * PAGE;
    count start, cost;

    write_pages(at, 2 * pages);
    start = now();
    for (word i = 0; i < times; i++) {
        call(SYS_MPROTECT, (word)middle, pages * PAGE, PROT_READ, 0);
        call(SYS_MPROTECT, (word)middle, pages * PAGE, PROT_READ | PROT_WRITE, 0);
        if (rewritten)
            write_pages(middle, pages);
    }
    cost = now() - start;
    unmap(at, 2 * pages);
    return cost;
}

count protect_64(word times)
{
    return protect_pages(64, times, 0);
}

count protect_256(word times)
{
    return protect_pages(256, times, 0);
}

count protect_rewritten(word times)
{
    return protect_pages(64, times, 1);
}

/* 256 pages moved to and fro between two places. */
count remap_256(word times)
{
    char *places = map_private(512), *from = places, *to = places + 256 * PAGE;
    count start, cost;

    write_pages(from, 256);
    unmap(to, 256);
    start = now();
    for (word i = 0; i < times; i++) {
        char *was = from;

        good(call5(SYS_MREMAP, (word)from, 256 * PAGE, 256 * PAGE, REMAP_MAYMOVE | REMAP_FIXED, (word)to), "mremap");
        from = to;
        to   = was;
    }
    cost = now() - start;
    unmap(from, 256);
    return cost;
}

count dontneed_16(word times)
{
    char *at = map_private(16);
    count start, cost;

    write_pages(at, 16);
    start = now();
    for (word i = 0; i < times; i++) {
        good(call(SYS_MADVISE, (word)at, 16 * PAGE, ADVISE_DONTNEED, 0), "madvise");
        write_pages(at, 16);
    }
    cost = now() - start;
    unmap(at, 16);
    return cost;
}

count mincore_256(word times)
{
    static char present[256];
    char *at = map_private(256);
    count start, cost;

    write_pages(at, 256);
    start = now();
    for (word i = 0; i < times; i++)
        good(call(SYS_MINCORE, (word)at, 256 * PAGE, (word)present, 0), "mincore");
    cost = now() - start;
    unmap(at, 256);
    return cost;
}

count shared_fault(word pages)
{
    char *at = map(pages, MAP_SHARED | MAP_ANONYMOUS, -1);
    count start = now(), cost;

    write_pages(at, pages);
    cost = now() - start;
    unmap(at, pages);
    return cost;
}

/* 4 MiB of written pages given back at once. */
count unmap_1024(word times)
{
    count cost = 0;

    for (word i = 0; i < times; i++) {
        char *at = map_private(1024);
        count start;

        write_pages(at, 1024);
        start = now();
        unmap(at, 1024);
        cost += now() - start;
    }
    return cost;
}

/* A written page in the middle of a region replaced by an untouched one. */
count map_fixed_over(word times)
{
    char *at = map_private(16), *middle = at + 8 * PAGE;
    count start = now(), cost;

    for (word i = 0; i < times; i++) {
        write_pages(middle, 1);
        good(call_mmap((word)middle, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1u),
             "mmap");
    }
    cost = now() - start;
    unmap(at, 16);
    return cost;
}

count map_file_pair(word times)
{
    int fd = open_file("/wide.mapped", O_RDWR | O_CREAT);
    count start, cost;

    good(call(SYS_FTRUNCATE, (word)fd, 16 * PAGE, 0, 0), "ftruncate");
    start = now();
    for (word i = 0; i < times; i++)
        unmap(map(16, MAP_SHARED, fd), 16);
    cost = now() - start;
    close_file(fd);
    call(SYS_UNLINK, (word)"/wide.mapped", 0, 0, 0);
    return cost;
}
