/*
 * leaving.c - `leaving MIB`: pages that a child shows as well are let go where few frames are left, MIB of them; calls
 * must find memory after that, and the child its pages. `leaving killed`: a process that dies while a call of its own
 * goes over many pages does not go over all of them first. `leaving tables`: many slots come free at once, and the swap
 * device leaves and comes back; what the kernel says of how long interrupts were off.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, WORDS = PAGE / 4, PAGES = 4096, FILLED = 200, FEW_KIB = 320 };

static unsigned long kilobytes(const char *name)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    unsigned long value = 0;

    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtoul(line + strlen(name), NULL, 10);
    fclose(file);
    return value;
}

static unsigned noise(unsigned x)
{
    x = (x ^ x >> 16) * 0x7feb352d;
    x = (x ^ x >> 15) * 0x846ca68b;
    return x ^ x >> 16;
}

/* ---- Frames are few ----------------------------------------------------------------------------------------- */

/* What packs to a fifth of a page. */
static void fill(unsigned *words, unsigned pages)
{
    for (unsigned i = 0; i < pages * WORDS; i++)
        if (i % WORDS < FILLED)
            words[i] = noise(i);
}

static unsigned wrong(const unsigned *words, unsigned pages)
{
    unsigned bad = 0;

    for (unsigned i = 0; i < pages * WORDS; i++)
        bad += words[i] != (i % WORDS < FILLED ? noise(i) : 0);
    return bad;
}

/* The child, when it has been written a byte. */
static void look(const int *to_child, const unsigned *words, unsigned pages)
{
    char byte;

    close(to_child[1]);
    if (read(to_child[0], &byte, 1) != 1)
        _exit(2);
    printf("the child's words: %u wrong\n", wrong(words, pages));
    fflush(stdout);
    _exit(0);
}

/* Noise, which does not pack, until few frames are free. */
static void use_up(void)
{
    unsigned *words = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    for (unsigned i = 0; kilobytes("MemFree:") > FEW_KIB; )
        for (unsigned end = i + 8 * WORDS; i < end; i++)
            words[i] = noise(i);
}

static int let_go(unsigned mebibytes)
{
    unsigned pages = mebibytes * 256;
    unsigned *words = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int to_child[2], status = -1;

    fill(words, pages);
    if (pipe(to_child) != 0)
        return 1;
    if (fork() == 0)
        look(to_child, words, pages);
    use_up();
    if (madvise(words, pages * PAGE, MADV_PAGEOUT) != 0)
        return 1;
    if (write(to_child[1], "x", 1) != 1) {
        perror("write");
        return 1;
    }
    wait(&status);
    printf("status %x, own words: %u wrong\n", status, wrong(words, pages));
    return 0;
}

/* ---- Killed --------------------------------------------------------------------------------------------------- */

static unsigned char *pages;            /* PAGES, shared */

static int in_memory(void)
{
    static unsigned char there[PAGES];
    int count = 0;

    mincore(pages, PAGES * PAGE, there);
    for (int i = 0; i < PAGES; i++)
        count += there[i] & 1;
    return count;
}

static void show_all(void)
{
    for (int i = 0; i < PAGES; i++)
        *(volatile unsigned char *)(pages + i * PAGE) = 1;
}

/* The process dies in a millisecond, whatever it does then. */
static void die_soon(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
    struct itimerspec when = { .it_value = { 0, 1000000 } };
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &when, NULL) != 0)
        _exit(3);
}

static void populate(void) { die_soon(); madvise(pages, PAGES * PAGE, MADV_POPULATE_WRITE); }
static void need(void)     { die_soon(); madvise(pages, PAGES * PAGE, MADV_WILLNEED); }
static void lock(void)     { die_soon(); mlock(pages, PAGES * PAGE); }
static void page_out(void) { show_all(); die_soon(); madvise(pages, PAGES * PAGE, MADV_PAGEOUT); }
static void all_out(void)  { show_all(); madvise(pages, PAGES * PAGE, MADV_PAGEOUT); }

static int in_child(void (*act)(void))
{
    int status = -1;

    if (fork() == 0) {
        act();
        _exit(0);
    }
    wait(&status);
    return status;
}

static void tell(const char *what, void (*act)(void), int at_least, int below)
{
    int status = in_child(act), count = in_memory();

    printf("%s: signal %d, %s\n", what, status & 127, count >= at_least && count < below ? "half done" : "all done");
    if (count < at_least || count >= below)
        printf("%d pages are there\n", count);
    fflush(stdout);
}

static int be_killed(void)
{
    pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    tell("populate", populate, 0, PAGES);
    tell("page-out", page_out, 1, PAGES + 1);
    in_child(all_out);
    tell("willneed", need, 0, PAGES);
    in_child(all_out);
    tell("mlock", lock, 0, PAGES);
    return 0;
}

/* ---- Tables of slots ------------------------------------------------------------------------------------------- */

static int fill_tables(void)
{
    enum { MANY = 25600, PORTION = 256 };               /* 50 tables */
    char line[256], *many = mmap(NULL, MANY * PAGE, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    unsigned long swapped;
    FILE *file;

    for (int i = 0; i < MANY; i += PORTION) {
        for (int n = i; n < i + PORTION; n++)
            many[n * PAGE] = 1;
        madvise(many + i * PAGE, PORTION * PAGE, MADV_PAGEOUT);
    }
    swapped = kilobytes("SwapTotal:") - kilobytes("SwapFree:");
    munmap(many, MANY * PAGE);
    printf("%lu pages out, then %lu KiB\n", swapped / 4, kilobytes("SwapTotal:") - kilobytes("SwapFree:"));
    printf("off %d", swapoff("/dev/vda"));
    printf(", on %d\n", swapon("/dev/vda", 0));
    file = fopen("/proc/quire/stretch", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        printf("longest %s", line);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "tables") == 0)
        return fill_tables();
    return argc > 1 && strcmp(argv[1], "killed") != 0 ? let_go((unsigned)atoi(argv[1])) : be_killed();
}
