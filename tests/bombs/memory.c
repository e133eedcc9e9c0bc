/*
 * memory.c - bombs of memory: pages, regions, tables and what is mapped. See bombs.h.
 */
#include "bombs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static char *pages(size_t bytes)
{
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void touched(void)
{
    for (;;) {
        char *page = pages(PAGE);

        count_or_hold(page != MAP_FAILED);
        *page = 1;
    }
}

/* Every second page has other rights, so each is a mapping. */
static void mappings(void)
{
    int rights = 0;

    UNTIL_REFUSED(mmap(NULL, PAGE, (rights ^= 1) ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
                  MAP_FAILED);
}

/* A page in each 4 MiB has a page table to itself; so does each process. */
static void page_tables(void)
{
    for (;;) {
        for (uintptr_t at = 0x10000000; at < 0x90000000; at += 0x400000)
            if (mmap((void *)at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
                (void *)at)
                *(volatile char *)at;
        pid_t child = fork();

        if (child == 0)
            wait_for_ever();
        count_or_hold(child > 0);
    }
}

static void copy_on_write(void)
{
    enum { BYTES = 4 * 1024 * 1024 };
    char *memory = pages(BYTES);

    memset(memory, 1, BYTES);
    for (;;) {
        pid_t child = fork();

        if (child == 0) {
            for (unsigned at = 0; at < BYTES; at += PAGE)
                memory[at] = 2;
            wait_for_ever();
        }
        count_or_hold(child > 0);
    }
}

static void growth(void)
{
    size_t size   = PAGE;
    char  *memory = pages(size);

    for (;;) {
        char *larger = mremap(memory, size, 2 * size, MREMAP_MAYMOVE);

        count_or_hold(larger != MAP_FAILED);
        memory = larger;
        memset(memory + size, 1, size);
        size *= 2;
    }
}

static void break_grows(void)
{
    UNTIL_REFUSED(sbrk(64 * 1024) != (void *)-1 && memset((char *)sbrk(0) - 64 * 1024, 1, 64 * 1024));
}

static int __attribute__((noinline)) deeper(int level)
{
    volatile char room[2000];

    memset((char *)room, level, sizeof room);
    told->made++;
    return deeper(level + 1) + room[level % 7];
}

static void recursion(void)
{
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

    setrlimit(RLIMIT_STACK, &limit);
    deeper(0);
}

static void locked(void)
{
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

    setrlimit(RLIMIT_MEMLOCK, &limit);
    for (;;) {
        char *memory = pages(64 * PAGE);

        count_or_hold(memory != MAP_FAILED && mlock(memory, 64 * PAGE) == 0);
    }
}

static void shared_memory(void)
{
    for (;;) {
        char *memory = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        count_or_hold(memory != MAP_FAILED);
        memset(memory, 1, 16 * PAGE);
    }
}

/* Each second page has other rights, so that each page is a region. */
static void protect_splits(void)
{
    char *at = mmap(NULL, 1 << 29, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    for (;; at += 2 * PAGE)
        count_or_hold(at != MAP_FAILED && mprotect(at, PAGE, PROT_READ | PROT_WRITE) == 0);
}

/* Touched memory moves back and forth, and shared memory is seen once more each time. */
static void remap_storm(void)
{
    char *shared = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *own    = mmap((char *)0x60000000, 64 * PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    memset(shared, 1, 16 * PAGE);
    memset(own, 1, 64 * PAGE);
    for (;;) {
        own = mremap(own, 64 * PAGE, 64 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, own - 128 * PAGE);
        count_or_hold(own != MAP_FAILED && mremap(shared, 0, 16 * PAGE, MREMAP_MAYMOVE) != MAP_FAILED);
        own = mremap(own, 64 * PAGE, 64 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, own + 128 * PAGE);
    }
}

/* One file, mapped by many processes as often as they may. */
static void map_again_and_again(void)
{
    int file = open("mapped", O_RDWR | O_CREAT, 0600);

    while (mmap(NULL, PAGE, PROT_READ, told->made & 1 ? MAP_SHARED : MAP_PRIVATE, file, 0) != MAP_FAILED)
        told->made++;
    wait_for_ever();
}

static void file_mappings(void)
{
    truncate("mapped", PAGE);
    UNTIL_REFUSED(child_that(map_again_and_again));
}

/* A byte in each 4 MiB of each file. */
static void sparse_files(void)
{
    char name[16];

    for (unsigned n = 0;; n++) {
        int file;

        snprintf(name, sizeof name, "s%u", n);
        file = open(name, O_RDWR | O_CREAT, 0600);
        for (off64_t at = 0; at < (off64_t)1 << 40; at += 1ll << 34)
            count_or_hold(file >= 0 && pwrite64(file, "x", 1, at) == 1);
        close(file);
    }
}

const struct bomb bombs_of_memory[] = {
    { "touched", touched }, { "mappings", mappings }, { "page-tables", page_tables },
    { "copy-on-write", copy_on_write }, { "mremap-growth", growth }, { "break", break_grows },
    { "recursion", recursion }, { "mlock", locked }, { "shared-memory", shared_memory },
    { "protect-splits", protect_splits }, { "remap-storm", remap_storm }, { "file-mappings", file_mappings },
    { "sparse-files", sparse_files },
    { NULL, NULL }
};
