/*
 * locked.c - mlock, mlock2, munlock, mlockall, munlockall and MAP_LOCKED: errors, limits, and the figures of /proc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errnos.h"

#define P 4096

static char *fresh(size_t pages, int rights, int flags)
{
    return mmap(NULL, pages * P, rights, MAP_ANONYMOUS | flags, -1, 0);
}

static void show(const char *what, char *at, size_t pages)
{
    unsigned char there[64];

    if (mincore(at, pages * P, there) != 0) {
        printf("%s: errno %d\n", what, errno);
        return;
    }
    printf("%s: ", what);
    for (size_t i = 0; i < pages; i++)
        putchar(there[i] & 1 ? '1' : '0');
    putchar('\n');
}

/* VmLck in kB. */
static long locked(void)
{
    char  line[256];
    long  found = -1;
    FILE *file = fopen("/proc/self/status", "r");

    while (fgets(line, sizeof line, file))
        sscanf(line, "VmLck: %ld", &found);
    fclose(file);
    return found;
}

/* The regions of a range, as pages from `at` on, whether they are locked, and the locked part by /proc. */
static void regions(const char *what, char *at, size_t pages)
{
    char          line[512];
    unsigned long start, end, from = (unsigned long)at, inside = 0;
    FILE         *file = fopen("/proc/self/smaps", "r");

    printf("%s:", what);
    while (fgets(line, sizeof line, file)) {
        long size;

        if (sscanf(line, "%lx-%lx ", &start, &end) == 2 && strchr(line, '-') < strchr(line, ' ')) {
            inside = start >= from && end <= from + pages * P;
            if (inside)
                printf(" [%lu,%lu)", (start - from) / P, (end - from) / P);
        } else if (inside && sscanf(line, "Locked: %ld", &size) == 1) {
            printf(" %ld", size);
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            printf(strstr(line, " lo") ? " lo" : "");
        }
    }
    printf("\n");
    fclose(file);
}

static void ranges(void)
{
    char *p = fresh(8, PROT_READ | PROT_WRITE, MAP_PRIVATE), *none = fresh(2, PROT_NONE, MAP_PRIVATE);
    int   file = open("/tmp/locked", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *short_file;

    if (ftruncate(file, P) != 0)
        exit(1);
    short_file = mmap(0, 2 * P, 3, MAP_SHARED, file, 0);
    memset(p, 1, 8 * P);
    madvise(p, 8 * P, MADV_DONTNEED);
    SAY(mlock(p + 2 * P + 5, P));
    show("two pages hold a page that is not aligned", p, 8);
    printf("locked: %ld\n", locked());
    regions("three regions", p, 8);
    SAY(munlock(p + 2 * P, 1));
    regions("the upper one is left", p, 8);
    SAY(mlock(p, 8 * P));
    SAY(mlock(p, 8 * P));
    printf("counted once: %ld\n", locked());
    SAY(mprotect(p + 4 * P, P, PROT_READ));
    regions("with other rights in the middle", p, 8);
    SAY(munmap(p + 4 * P, P));
    printf("without it: %ld\n", locked());
    SAY(munlock(p, 8 * P));
    printf("locked above the hole: %ld\n", locked());
    SAY(mlock(p, 8 * P));
    printf("below it too: %ld\n", locked());
    SAY(msync(p, P, MS_INVALIDATE));
    SAY(msync(p, P, MS_SYNC));
    SAY(madvise(p, P, MADV_DONTNEED));
    SAY(madvise(p, P, MADV_FREE));
    SAY(madvise(p, P, 20));
    SAY(madvise(p, P, 24));
    show("not needed although locked", p, 2);
    SAY(munlock(p, 4 * P));
    SAY(munlock(p + 5 * P, 3 * P));
    SAY(mlock(p, 0));
    SAY(mlock((void *)0x1000, P));
    SAY(mlock((void *)0xFFFFF000, P));
    SAY(mlock(p, 0xFFFFFFFF));
    SAY(mlock((void *)0xC0000000, P));
    SAY(munlock((void *)0x1000, P));
    SAY(munlock(p, 0xFFFFF000));
    SAY(mlock(none, P));
    SAY(munlock(none, 2 * P));
    SAY(mlock(short_file, 2 * P));
    SAY(munlock(short_file, 2 * P));
    SAY(syscall(SYS_mlock2, p, P, 2));
    SAY(syscall(SYS_mlock2, p, 4 * P, 1));
    printf("on fault: %ld\n", locked());
    SAY(munlock(p, 4 * P));
    p = fresh(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    SAY(syscall(SYS_mlock2, p, 4 * P, 1));
    p[P] = 1;
    show("locked from their first use on", p, 4);
    SAY(munlock(p, 4 * P));
    printf("nothing is left: %ld\n", locked());
}

static void mapped_locked(void)
{
    char *p = fresh(4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_LOCKED), *q;

    show("MAP_LOCKED", p, 4);
    printf("locked: %ld\n", locked());
    fflush(stdout);
    if (fork() == 0) {
        printf("a child has %ld\n", locked());
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    q = mremap(p, 4 * P, 8 * P, MREMAP_MAYMOVE);
    show("grown", q, 8);
    printf("locked: %ld\n", locked());
    p = mremap(q, 8 * P, 2 * P, 0);
    printf("shrunk: %ld\n", locked());
    SAY(munmap(p, 2 * P));
    printf("gone: %ld\n", locked());
}

static void everything(void)
{
    char *p, *q;

    SAY(mlockall(0));
    SAY(mlockall(8));
    SAY(mlockall(MCL_ONFAULT));
    SAY(mlockall(MCL_FUTURE));
    p = fresh(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    show("in future", p, 4);
    printf("locked: %ld\n", locked());
    SAY(mlockall(MCL_FUTURE | MCL_ONFAULT));
    q = fresh(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    show("on fault in future", q, 4);
    printf("locked: %ld\n", locked());
    SAY(mlockall(MCL_CURRENT));
    show("all there is", q, 4);
    SAY(munlockall());
    printf("locked: %ld\n", locked());
    p = fresh(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    show("no longer", p, 4);
}

static void limits(void)
{
    struct rlimit two = { 2 * P, 2 * P }, none = { 0, 0 };
    char         *p = fresh(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    if (setrlimit(RLIMIT_MEMLOCK, &two) != 0 || mlock(p, 4 * P) != 0)
        printf("root has a limit\n");
    munlockall();
    if (setuid(1000) != 0)
        exit(1);
    SAY(mlock(p, 3 * P));
    SAY(mlock(p, 2 * P));
    SAY(mlock(p, 2 * P));
    SAY(mlock(p + 2 * P, P));
    SAY(mlock(p + P, 2 * P));
    SAY(mmap(0, P, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
    SAY(mremap(p, 2 * P, 6 * P, MREMAP_MAYMOVE));
    SAY(mlockall(MCL_CURRENT));
    SAY(mlockall(MCL_FUTURE));
    SAY(mmap(0, P, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    printf("the break stays: %d\n", sbrk(1 << 20) == (void *)-1);
    SAY(munlockall());
    setrlimit(RLIMIT_MEMLOCK, &none);
    SAY(mlock(p, P));
    SAY(mlock(p, 0));
    SAY(munlock(p, P));
    SAY(mlockall(MCL_CURRENT));
    SAY(mmap(0, P, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
}

int main(void)
{
    static char room[1 << 16];

    setvbuf(stdout, room, _IOFBF, sizeof room);
    ranges();
    mapped_locked();
    everything();
    unlink("/tmp/locked");
    limits();
    return 0;
}
