/*
 * asleep.c - many processes with a piece of memory each, most of them asleep: none loses a word of it.
 *
 *   asleep PROCESSES KIB     so many, with so many KiB each, all there at once
 *
 * Each fills its memory, says so, and sleeps. When all do, the tables that each has in memory are counted (VmPTE, less
 * the directory), and each looks at its memory and ends. Printed is how many there were, how many found all their
 * words, and the tables that were in memory: of the process that had fewest, of all, of the one that had most.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, WORDS = PAGE / 4, MOST = 4096 };

static pid_t children[MOST];

static uint32_t word_of(uint32_t process, uint32_t page, uint32_t i)
{
    return i % 128 == 0 ? process << 12 | page : (page & 15) * 0x01010101u;         /* it shrinks well */
}

static void live(uint32_t process, size_t pages, int ready, int go)
{
    const int how    = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    uint32_t *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, how, -1, 0);
    char      byte   = 'r';

    if (memory == MAP_FAILED)
        _exit(2);
    for (size_t page = 0; page < pages; page++)
        for (unsigned i = 0; i < WORDS; i++)
            memory[page * WORDS + i] = word_of(process, (uint32_t)page, i);
    if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
        _exit(3);
    for (size_t page = 0; page < pages; page++)
        for (unsigned i = 0; i < WORDS; i++)
            if (memory[page * WORDS + i] != word_of(process, (uint32_t)page, i))
                _exit(1);
    _exit(0);
}

/* KiB of page tables, the directory included. */
static int tables_of(pid_t id)
{
    char  name[64], line[256];
    int   kibibytes = 0;
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/status", (int)id);
    file = fopen(name, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmPTE: %d", &kibibytes) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kibibytes;
}

int main(int count, char **words)
{
    unsigned wanted = count > 2 ? (unsigned)atoi(words[1]) : 0, made = 0, right = 0, died = 0;
    size_t   pages  = count > 2 ? (size_t)atoi(words[2]) * 1024 / PAGE : 0;
    int      ready[2], go[2], most = 0, least = 1 << 30, sum = 0, status;
    char     byte;

    if (wanted == 0 || wanted > MOST || pages == 0 || pipe(ready) != 0 || pipe(go) != 0)
        return 2;
    for (; made < wanted; made++) {
        children[made] = fork();
        if (children[made] == 0) {
            close(go[1]);
            live(made, pages, ready[1], go[0]);
        }
        if (children[made] < 0) {
            printf("fork %u: %s\n", made, strerror(errno));
            break;
        }
        if (read(ready[0], &byte, 1) != 1)
            break;
    }
    for (unsigned i = 0; i < made; i++) {
        int tables = tables_of(children[i]) / 4 - 1;

        most  = tables > most ? tables : most;
        least = tables < least ? tables : least;
        sum  += tables;
    }
    for (unsigned i = 0; i < made; i++) {
        if (write(go[1], "g", 1) != 1)
            break;
        if (wait(&status) < 0)
            break;
        right += WIFEXITED(status) && WEXITSTATUS(status) == 0;
        died  += !WIFEXITED(status);
    }
    printf("%u processes, %u right, %u killed; tables in memory: at least %d, %d in all, at most %d\n", made, right,
           died, least, sum, most);
    return right == wanted ? 0 : 1;
}
