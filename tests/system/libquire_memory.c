/*
 * libquire_memory.c - libquire without memory: each allocation of a run fails once. The process goes on, and nothing of
 * the run is left: no block of the library's, no descriptor, no child.
 *
 * malloc(3) and its like are this program's, for the C library and for libelf and libarchive as well.
 */
#include "libquire.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define require(x) ((x) ? (void)0 : (fprintf(stderr, "line %d: %s\n", __LINE__, #x), exit(1)))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void  __libc_free(void *block);

static long until_failure;              /* how many allocations still succeed */
static long blocks;                     /* that are not given back */
static bool failed;

static bool fails(void)
{
    if (until_failure-- != 0)
        return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

static void *counted(void *block) { blocks += block != NULL; return block; }

void *malloc(size_t size)               { return fails() ? NULL : counted(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return fails() ? NULL : counted(__libc_calloc(count, size)); }

void *realloc(void *block, size_t size)
{
    if (fails())
        return NULL;
    return block == NULL ? counted(__libc_realloc(block, size)) : __libc_realloc(block, size);
}

void free(void *block)
{
    blocks -= block != NULL;
    __libc_free(block);
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Returns the status; -1 when there was not even an object. */
static int run(const char *program, const char *folder)
{
    const char *argv[] = { program, "argument", NULL };
    struct quire *q = quire_new(argv);
    int status;

    if (q == NULL)
        return -1;
    if (quire_file(q, folder, "/brought") != 0 || quire_environment(q, "NAME=value") != 0 ||
        quire_input(q, "input", 5) != 0 || quire_start(q) != 0)
        require(quire_error(q)[0] != '\0');
    else
        require(quire_wait(q, -1) == 1);
    status = quire_status(q);
    require(status < 119 || quire_error(q)[0] != '\0');
    quire_free(q);
    return status;
}

int main(int argc, char **argv)
{
    int before, usual, status = -1;
    long at, found;

    require(argc == 3);
    until_failure = -1;
    usual  = run(argv[1], argv[2]);
    before = open_descriptors();
    found  = blocks;                    /* what the C library keeps for the next time */
    for (at = 0, failed = true; failed; at++) {
        failed = false;
        until_failure = at;
        status = run(argv[1], argv[2]);
        until_failure = -1;
        require(!failed || status == -1 || status >= 119);
        require(open_descriptors() == before);
        require(blocks == found);
    }
    require(status == usual && at > 100);
    printf("good, %ld times, status %d\n", at - 1, usual);
    return 0;
}
