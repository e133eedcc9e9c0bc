/*
 * stretches.c - the longest work that a program can ask of the memory manager, and how long each keeps interrupts off.
 *
 *   stretches MIB REGIONS [NAME...]      all of them, or those named
 *
 * MIB of memory are touched page by page; REGIONS is how many regions a process has at the most. A line for each:
 * "NAME TICKS FUNCTION < CALLER < ...", out of /proc/quire/stretch, which a checked kernel alone fills.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stretch.h"

enum { PAGE = 4096 };
#define MIB (1024ul * 1024)

static size_t bytes, regions;
static char  *self;

static char *map(size_t size, int rights, int flags)
{
    char *at = mmap(NULL, size, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

    if (at == MAP_FAILED)
        die("mmap");
    return at;
}

static void touch(char *at, size_t size, size_t step)
{
    for (size_t i = 0; i < size; i += step)
        at[i] = 1;
}

static char *touched(void)
{
    char *at = map(bytes, PROT_READ | PROT_WRITE, 0);

    touch(at, bytes, PAGE);
    return at;
}

/* ---- What is measured ----------------------------------------------------------------------------- */

static void do_touch(void)    { touched(); }

static void do_unmap(void)
{
    char *at = touched();

    forget();
    munmap(at, bytes);
}

static void do_replace(void)
{
    char *at = touched();

    forget();
    if (mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
        die("mmap");
}

static void do_protect(void)
{
    char *at = touched();

    forget();
    mprotect(at, bytes, PROT_READ);
    mprotect(at, bytes, PROT_NONE);
    mprotect(at, bytes, PROT_READ | PROT_WRITE);
}

static void do_move(void)
{
    char *at = touched();

    forget();
    if (mremap(at, bytes, bytes + 16 * MIB, MREMAP_MAYMOVE) == MAP_FAILED)
        die("mremap");
}

static void do_forget(void)
{
    char *at = touched();

    forget();
    madvise(at, bytes, MADV_DONTNEED);
}

static void do_lock(void)
{
    char *at = touched();

    forget();
    mlock(at, bytes);
    munlock(at, bytes);
}

static void do_fork(void)
{
    touched();
    forget();
    if (fork() == 0)
        _exit(0);
    wait(NULL);
}

static void do_exec(void)
{
    touched();
    forget();
    if (fork() == 0) {
        touched();
        execl(self, self, "1", "1", "nothing", (char *)NULL);
        _exit(1);
    }
    wait(NULL);
}

/* A page in each stretch of a table, in nearly all that a program has. */
static char *thin(size_t *size)
{
    char *at = MAP_FAILED;

    for (*size = 2560 * MIB; at == MAP_FAILED; *size -= 64 * MIB)
        at = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *size += 64 * MIB;
    touch(at, *size, 4 * MIB);
    return at;
}

static void do_thin(void)
{
    size_t size;
    char  *at = thin(&size);

    forget();
    mprotect(at, size, PROT_READ);
    if (fork() == 0)
        _exit(0);
    wait(NULL);
    munmap(at, size);
}

static void do_nothing_there(void)
{
    char *at;

    forget();
    at = map(1024 * MIB, PROT_READ | PROT_WRITE, 0);
    mprotect(at, 1024 * MIB, PROT_READ);
    munmap(at, 1024 * MIB);
}

/* Neighbours differ, so that each page is a region of its own. */
static char *many(void)
{
    char *at = map(regions * PAGE, PROT_READ | PROT_WRITE, 0);

    for (size_t i = 0; i < regions; i += 2)
        mprotect(at + i * PAGE, PAGE, PROT_READ);
    return at;
}

static void do_many_unmap(void)
{
    char *at = many();

    forget();
    munmap(at, regions * PAGE);
}

static void do_many_protect(void)
{
    char *at = many();

    forget();
    mprotect(at, regions * PAGE, PROT_READ | PROT_EXEC);
}

static void do_many_advise(void)
{
    char *at = many();

    forget();
    madvise(at, regions * PAGE, MADV_DONTFORK);
    madvise(at, regions * PAGE, MADV_DOFORK);
    msync(at, regions * PAGE, MS_ASYNC);
}

static void do_many_lock(void)
{
    char *at = many();

    forget();
    mlock(at, PAGE);
    mlockall(MCL_CURRENT | MCL_ONFAULT);
    munlock(at, regions * PAGE);
    munlockall();
}

static void do_many_fork(void)
{
    many();
    forget();
    if (fork() == 0)
        _exit(0);
    wait(NULL);
}

static void do_many_read(void)
{
    static char       buffer[65536];
    static const char names[2][24] = { "/proc/self/status", "/proc/meminfo" };

    many();
    forget();
    for (int i = 0; i < 2; i++) {
        int file = open(names[i], O_RDONLY);

        while (read(file, buffer, sizeof buffer) > 0)
            ;
        close(file);
    }
}

/* ---- Files -------------------------------------------------------------------------------------- */

static char *shown(int *file)
{
    char *at;

    *file = memfd_create("large", 0);
    if (*file < 0 || ftruncate(*file, bytes) != 0)
        die("memfd");
    at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
    if (at == MAP_FAILED)
        die("mmap");
    touch(at, bytes, PAGE);
    return at;
}

static void do_truncate(void)
{
    int file;

    shown(&file);
    forget();
    ftruncate(file, 0);
}

static void do_punch(void)
{
    int file;

    shown(&file);
    forget();
    fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, bytes);
}

static void do_close(void)
{
    int   file;
    char *at = shown(&file);

    munmap(at, bytes);
    forget();
    close(file);
}

static void do_many_truncate(void)
{
    int file = memfd_create("often", 0);

    ftruncate(file, 2 * PAGE);
    for (size_t i = 0; i < regions; i++) {
        char *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);

        if (at == MAP_FAILED)
            break;
        (void)*(volatile char *)at;
    }
    forget();
    ftruncate(file, 0);
    fcntl(file, F_ADD_SEALS, F_SEAL_WRITE);
    _exit(0);
}

/* ------------------------------------------------------------------------------------------------ */

static const struct operation acts[] = {
    { "touch", do_touch }, { "unmap", do_unmap }, { "replace", do_replace }, { "protect", do_protect },
    { "move", do_move }, { "forget", do_forget }, { "lock", do_lock }, { "fork", do_fork }, { "exec", do_exec },
    { "thin", do_thin }, { "nothing-there", do_nothing_there },
    { "many-unmap", do_many_unmap }, { "many-protect", do_many_protect }, { "many-advise", do_many_advise },
    { "many-lock", do_many_lock }, { "many-fork", do_many_fork }, { "many-read", do_many_read },
    { "truncate", do_truncate }, { "punch", do_punch }, { "close", do_close }, { "many-truncate", do_many_truncate },
};

/* Run an operation in a process of its own, whose end counts as well. */
static void act(unsigned i)
{
    forget();
    if (fork() == 0) {
        acts[i].act();
        _exit(0);
    }
    wait(NULL);
    tell(acts[i].name);
}

int main(int count, char **words)
{
    struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

    if (count < 3)
        return 2;
    self    = words[0];
    bytes   = strtoul(words[1], NULL, 10) * MIB;
    regions = strtoul(words[2], NULL, 10);
    setrlimit(RLIMIT_MEMLOCK, &all);
    for (unsigned i = 0; i < sizeof acts / sizeof *acts; i++)
        if (count == 3 || is_named(acts[i].name, words + 3))
            act(i);
    return 0;
}
