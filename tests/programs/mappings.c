/*
 * mappings.c - answers of mmap, mremap, mprotect, madvise, msync and mincore to right arguments and to wrong ones.
 *
 * Each line is the call and its result: 0, or an errno by number. Addresses are never printed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errnos.h"

#define P 4096

static char *fresh(size_t pages, int rights, int flags)
{
    char *at = mmap(NULL, pages * P, rights, MAP_ANONYMOUS | flags, -1, 0);

    if (at == MAP_FAILED)
        exit(1);
    return at;
}

/* One letter a page: the answer of mincore. */
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

/* The bytes at the start of each page, as digits; a dot where a read faults. */
static void bytes(const char *what, char *at, size_t pages)
{
    int pipes[2];

    if (pipe(pipes) != 0)
        exit(1);
    printf("%s: ", what);
    for (size_t i = 0; i < pages; i++) {
        char byte;

        if (write(pipes[1], at + i * P, 1) == 1 && read(pipes[0], &byte, 1) == 1)
            putchar('0' + byte);
        else
            putchar('.');
    }
    putchar('\n');
    close(pipes[0]);
    close(pipes[1]);
}

static char *numbered(size_t pages, int flags)
{
    char *at = fresh(pages, PROT_READ | PROT_WRITE, flags);

    for (size_t i = 0; i < pages; i++)
        at[i * P] = (char)(i + 1);
    return at;
}

static void kinds_of_mapping(void)
{
    char *p    = fresh(4, PROT_READ, MAP_PRIVATE);
    int   file = open("/tmp/mapped", O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open("/tmp/mapped", O_RDONLY);
    int   writer = open("/tmp/mapped", O_WRONLY), zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR);
    int   pipes[2];

    if (pipe(pipes) != 0 || ftruncate(file, 3 * P) != 0)
        exit(1);
    SAY(mmap(0, 0, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SAY(mmap(0, P, 3, MAP_ANONYMOUS, -1, 0));
    SAY(mmap(0, P, 3, 4 | MAP_ANONYMOUS, -1, 0));
    SAY(mmap(0, P, 3, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
    SAY(mmap(0, P, 3, MAP_SHARED | MAP_PRIVATE, file, 0));
    SAY(mmap(0, P, 3, MAP_SHARED_VALIDATE, file, 0));
    SAY(mmap(0, P, 3, MAP_SHARED_VALIDATE | MAP_SYNC, file, 0));
    SAY(mmap(0, P, 3, MAP_SHARED_VALIDATE | 0x200000, file, 0));
    SAY(mmap(0, P, 3, MAP_SHARED | 0x200000, file, 0));
    SAY(mmap(0, P, 3, MAP_PRIVATE, -1, 0));
    SAY(mmap(0, P, 3, MAP_PRIVATE, 999, 0));
    SAY(mmap(0, P, 3, 0, 999, 0));
    SAY(mmap(0, P, 3, MAP_SHARED, reader, 0));
    SAY(mmap(0, P, 1, MAP_SHARED, reader, 0));
    SAY(mmap(0, P, 3, MAP_PRIVATE, reader, 0));
    SAY(mmap(0, P, 1, MAP_PRIVATE, writer, 0));
    SAY(mmap(0, P, 1, MAP_PRIVATE, pipes[0], 0));
    SAY(mmap(0, P, 1, MAP_PRIVATE, null, 0));
    SAY(mmap(0, P, 1, MAP_SHARED | MAP_GROWSDOWN, file, 0));
    SAY(mmap(0, P, 1, MAP_PRIVATE | MAP_GROWSDOWN, file, 0));
    SAY(mmap(0, P, 3, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));
    SAY(mmap(0, P, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK | MAP_NORESERVE | MAP_POPULATE, -1, 0));
    SAY(mmap(p, P, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    SAY(mmap(p + 1, P, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    SAY(mmap(p + 1, P, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    SAY(mmap(0, 0xFFFFF001, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SAY(syscall(SYS_mmap2, 0, 2 * P, 3, MAP_PRIVATE, file, 0xFFFFF));
    SAY(mprotect(mmap(0, P, 1, MAP_SHARED, reader, 0), P, 3));
    SAY(mprotect(mmap(0, P, 1, MAP_PRIVATE, reader, 0), P, 3));

    p = mmap(0, 2 * P, 3, MAP_SHARED, zero, 0);
    if (fork() == 0) {
        p[P] = 7;
        _exit(0);
    }
    wait(NULL);
    printf("a child wrote to shared zeros: %d\n", p[P]);
    p = mmap(0, 2 * P, 3, MAP_PRIVATE, zero, P);
    if (fork() == 0) {
        p[P] = 7;
        _exit(p[P] - 7);
    }
    wait(NULL);
    printf("and to private ones: %d\n", p[P]);
    SAY(mmap(0, P, 1, MAP_SHARED, open("/dev/zero", O_RDONLY), 0));
    SAY(mmap(0, P, 3, MAP_SHARED, open("/dev/zero", O_RDONLY), 0));
    show("populated", mmap(0, 4 * P, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0), 4);
    show("populated, but do not block",
         mmap(0, 4 * P, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_NONBLOCK, -1, 0), 4);
}

static void protection(void)
{
    char *p = fresh(8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    char *s = mmap(0, 4 * P, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);

    munmap(p + 4 * P, P);
    SAY(mprotect(p, 8 * P, 1));
    SAY(mprotect(p + 1, P, 1));
    SAY(mprotect(p + 1, 0, 1));
    SAY(mprotect(p, 0, 1));
    SAY(mprotect(p, 0, 0x40));
    SAY(mprotect(p, P, 0x40));
    SAY(mprotect(p, P, 8 | 1));
    SAY(mprotect(p, P, PROT_GROWSDOWN | PROT_GROWSUP | 1));
    SAY(mprotect(p, P, PROT_GROWSDOWN | 1));
    SAY(mprotect(p, P, PROT_GROWSUP | 1));
    SAY(mprotect(p + 4 * P, P, PROT_GROWSDOWN | 1));
    SAY(mprotect(s + 2 * P, P, PROT_GROWSDOWN | 1));
    SAY(mprotect(p, 0xFFFFFFFF, 1));
    SAY(munmap(p, 0));
    SAY(munmap(p + 1, P));
    SAY(munmap(p, 0xFFFFFFFF));
    SAY(munmap(p + 4 * P, P));
}

static void residency(void)
{
    char         *p = fresh(8, PROT_READ | PROT_WRITE, MAP_PRIVATE), *s = fresh(4, PROT_READ | PROT_WRITE, MAP_SHARED);
    unsigned char there[16];

    p[0] = p[3 * P] = 1;
    show("touched the first and the fourth", p, 8);
    mprotect(p, P, PROT_NONE);
    show("out of reach is still there", p, 4);
    (void)*(volatile char *)(p + P);
    show("read only", p, 4);
    madvise(p, 8 * P, MADV_DONTNEED);
    show("not needed", p, 8);
    s[P] = 1;
    show("shared", s, 4);
    if (fork() == 0) {
        s[2 * P] = 1;
        _exit(0);
    }
    wait(NULL);
    show("shared, touched by a child", s, 4);
    munmap(p + 4 * P, P);
    show("with a hole", p, 8);
    SAY(mincore(p + 1, P, there));
    SAY(mincore(p, 0, there));
    SAY(mincore(p, P, (void *)8));
    SAY(mincore(p, P, (void *)0xFFFFFF00));
    SAY(mincore(p, 0xFFFFFFFF, there));
    SAY(mincore((void *)0xFFFFF000, P, there));
    SAY(mincore((void *)0x1000, P, there));
}

static void moving(void)
{
    char *p = numbered(8, MAP_PRIVATE), *q = fresh(16, PROT_NONE, MAP_PRIVATE), *s = numbered(4, MAP_SHARED),
        *moved, *holes;

    SAY(mremap(p, 0, P, MREMAP_MAYMOVE));
    SAY(mremap(p, P, 0, MREMAP_MAYMOVE));
    SAY(mremap(p + 1, P, P, 0));
    SAY(mremap(p, P, P, 8));
    SAY(mremap(p, P, P, MREMAP_FIXED, q));
    SAY(mremap(p, 2 * P, 3 * P, MREMAP_MAYMOVE | MREMAP_FIXED, p + P));
    SAY(mremap(p + P, 2 * P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, p));
    SAY(mremap(p, 2 * P, 2 * P, MREMAP_MAYMOVE | 4, p + P));
    SAY(mremap(p, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, q + 1));
    SAY(mremap(p, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0xFFFFF000));
    SAY(mremap(p, P, 2 * P, MREMAP_MAYMOVE | 4, 0));
    SAY(mremap(p, P, P, 4, 0));
    SAY(mremap((void *)0x10000, P, P, MREMAP_MAYMOVE));
    SAY(mremap(p, P, 0xFFFFF000, MREMAP_MAYMOVE));
    SAY(mremap(p, P, 4 * P, 0));
    holes = fresh(8, PROT_READ, MAP_PRIVATE);
    mprotect(holes + 4 * P, 4 * P, PROT_READ | PROT_WRITE);
    SAY(mremap(holes, 8 * P, 9 * P, MREMAP_MAYMOVE));
    SAY(mremap(holes, 8 * P, 6 * P, 0));
    show("shrunk over two regions", holes, 6);
    show("gone beyond", holes + 6 * P, 1);
    SAY(mremap(holes, 6 * P, 3 * P, MREMAP_MAYMOVE | MREMAP_FIXED, q));
    show("shrunk and moved", holes, 1);

    bytes("before", p, 8);
    SAY((moved = mremap(p + 2 * P, 3 * P, 3 * P, MREMAP_MAYMOVE | MREMAP_FIXED, q + 8 * P)));
    bytes("moved from", p, 8);
    bytes("moved to", q + 8 * P, 3);
    SAY((moved = mremap(p + 5 * P, 2 * P, 2 * P, MREMAP_MAYMOVE | 4, 0)));
    bytes("kept, empty", p + 5 * P, 3);
    bytes("its pages", moved, 2);
    SAY((moved = mremap(s + P, 0, 2 * P, MREMAP_MAYMOVE)));
    bytes("seen twice", moved, 2);
    moved[0] = 9;
    bytes("written through one", s, 4);
    SAY(mremap(s, 0, 2 * P, 0));
    SAY(mremap(s, 0, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, q + 12 * P));
    bytes("seen at a place", q + 12 * P, 2);
    fresh(1, PROT_NONE, MAP_PRIVATE);
    SAY((moved = mremap(s, 4 * P, 8 * P, MREMAP_MAYMOVE)));
    bytes("its start", moved, 4);
    SAY(munmap(moved, 8 * P));
    SAY(mremap(p, P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, q + 14 * P));
    bytes("grown where it was to go", q + 14 * P, 2);
}

static void other_pages(void)
{
    int   file = open("/tmp/mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *p, *private = fresh(4, 3, MAP_PRIVATE);

    if (ftruncate(file, 8 * P) != 0)
        exit(1);
    p = mmap(0, 8 * P, 3, MAP_SHARED, file, 0);
    for (int i = 0; i < 8; i++)
        p[i * P] = (char)(i + 1);
    SAY(syscall(SYS_remap_file_pages, p, 2 * P, 0, 4, 0));
    bytes("the fifth and sixth first", p, 8);
    SAY(syscall(SYS_remap_file_pages, p, 2 * P, 1, 4, 0));
    SAY(syscall(SYS_remap_file_pages, private, P, 0, 0, 0));
    SAY(syscall(SYS_remap_file_pages, 0x10000, P, 0, 0, 0));
    SAY(syscall(SYS_remap_file_pages, p, 0, 0, 0, 0));
    bytes("as before", p, 8);
}

static void advice(void)
{
    static const int all[] = { 0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 99,
                               200, -1 };
    char *kinds[4] = { fresh(4, 3, MAP_PRIVATE), fresh(4, 3, MAP_SHARED), fresh(4, 1, MAP_SHARED), NULL };
    int   file     = open("/tmp/mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *p, *q;

    if (ftruncate(file, 4 * P) != 0)
        exit(1);
    kinds[3] = mmap(0, 4 * P, 3, MAP_PRIVATE, file, 0);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        printf("advice %d:", all[i]);
        for (int k = 0; k < 4; k++)
            printf(" %d", madvise(kinds[k] + P, 2 * P, all[i]) == 0 ? 0 : errno);
        putchar('\n');
    }
    p = numbered(8, MAP_PRIVATE);
    munmap(p + 6 * P, P);
    SAY(madvise(p, 8 * P, MADV_DONTNEED));
    bytes("both sides of the hole are gone", p, 8);
    SAY(madvise(p + 1, P, MADV_NORMAL));
    SAY(madvise(p + 1, P, 77));
    SAY(madvise(p, 0, MADV_DONTNEED));
    SAY(madvise(p, 0, 77));
    SAY(madvise(p, 0xFFFFFFFF, MADV_NORMAL));
    SAY(madvise((void *)0x1000, P, MADV_NORMAL));
    SAY(madvise(p, 8 * P, 23));
    show("as far as the hole", p, 6);

    p = numbered(4, MAP_PRIVATE);
    q = numbered(4, MAP_SHARED);
    madvise(p, 2 * P, 18);
    madvise(p + P, P, 19);
    madvise(p + 3 * P, P, MADV_DONTFORK);
    fflush(stdout);
    if (fork() == 0) {
        bytes("a child sees", p, 4);
        SAY(madvise(q, P, MADV_REMOVE));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    bytes("its parent", p, 4);
    bytes("and what the child took out", q, 4);
}

static void syncing(void)
{
    char *p = fresh(8, 3, MAP_PRIVATE);

    munmap(p + 4 * P, P);
    SAY(msync(p, 4 * P, MS_SYNC));
    SAY(msync(p, 8 * P, MS_SYNC));
    SAY(msync(p, 8 * P, MS_ASYNC));
    SAY(msync(p, 4 * P, 0));
    SAY(msync(p, 0, MS_SYNC));
    SAY(msync(p, P, MS_SYNC | MS_ASYNC));
    SAY(msync(p, P, 8));
    SAY(msync(p + 1, P, MS_SYNC));
    SAY(msync(p, 0xFFFFFFFF, MS_SYNC));
    SAY(msync((void *)0x1000, P, MS_SYNC));
    SAY(msync(p, 4 * P, MS_INVALIDATE));
}

static void barriers(void)
{
    printf("barriers there: %lx\n", syscall(SYS_membarrier, 0, 0) & 0x7F);
    SAY(syscall(SYS_membarrier, 0, 1));
    SAY(syscall(SYS_membarrier, 1, 0));
    SAY(syscall(SYS_membarrier, 8, 0));
    SAY(syscall(SYS_membarrier, 16, 0));
    SAY(syscall(SYS_membarrier, 8, 0));
    SAY(syscall(SYS_membarrier, 32, 0));
    SAY(syscall(SYS_membarrier, 3, 0));
    SAY(syscall(SYS_membarrier, 1 << 20, 0));
}

/*
 * Calls that are wrong in two ways: length and place are told before the file. A socket refuses by itself, when the
 * place is empty already.
 */
static void order(void)
{
    char *p    = fresh(4, 3, MAP_PRIVATE);
    int   file = open("/tmp/mapped", O_WRONLY | O_CREAT, 0600), fixed = MAP_PRIVATE | MAP_FIXED, ends[2], one;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        exit(1);
    one = ends[0];
    SAY(mmap(p + 1, P, 1, fixed, file, 0));
    SAY(mmap(p, P, 1, fixed, file, 0));
    SAY(mmap(p, P, 1, MAP_PRIVATE | MAP_FIXED_NOREPLACE, file, 0));
    SAY(mmap(p + 1, P, 1, fixed, one, 0));
    SAY(mmap(p, 0, 1, fixed, file, 0));
    SAY(mmap(p, P, 1, MAP_FIXED_NOREPLACE, -1, 0));
    SAY(mmap(p, P, 1, MAP_FIXED_NOREPLACE | MAP_ANONYMOUS, -1, 0));
    SAY(mmap(p, P, 1, MAP_ANONYMOUS, -1, 0));
    SAY(mmap(p + 1, P, 1, MAP_FIXED | MAP_ANONYMOUS, -1, 0));
    SAY(mmap(p, P, 1, fixed | MAP_GROWSDOWN, one, 0));
    SAY(mmap(p, P, 3, MAP_SHARED | MAP_FIXED | MAP_GROWSDOWN, file, 0));
    SAY(mincore(p, 4 * P, (unsigned char *)p));
    SAY(mmap(p + P, P, 1, MAP_PRIVATE, one, 0));
    SAY(mincore(p, 4 * P, (unsigned char *)p));
    SAY(mmap(p + P, P, 1, fixed, one, 0));
    SAY(mincore(p, P, (unsigned char *)p));
    SAY(mincore(p, 4 * P, (unsigned char *)p));
}

static void the_break(void)
{
    char *now = sbrk(0);

    printf("moved by a byte: %d\n", (char *)syscall(SYS_brk, now + 1) == now + 1);
    printf("and back: %d\n", (char *)syscall(SYS_brk, now) == now);
    printf("below its start: %d\n", (char *)syscall(SYS_brk, 4096) == now);
    printf("at the end of all: %d\n", (char *)syscall(SYS_brk, -1) == now);
    mmap((void *)(((unsigned long)now + 8 * P) & -P), P, 1, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    printf("into a mapping: %d\n", (char *)syscall(SYS_brk, now + 16 * P) == now);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    kinds_of_mapping();
    protection();
    residency();
    moving();
    other_pages();
    advice();
    syncing();
    barriers();
    order();
    the_break();
    unlink("/tmp/mapped");
    return 0;
}
