/*
 * short.c - a program that holds more memory than there is: pages leave and come back, and what it sees never changes.
 *
 *   short hold MIB           fill so many, and look at all of them twice
 *   short fork MIB           and children that look, change theirs, and end
 *   short locked MIB         and what is locked stays
 *   short sums MIB           and what mincore, pagemap, smaps, status, meminfo and vmstat say of it agrees
 *   short random MIB SEED    operations at random, by a process and its children
 *   short noise MIB          contents that do not shrink: until memory is out
 *   short file MIB           a file in memory grows, while the rest is programs' pages
 *   short shared MIB         files in memory and shared memory, that two processes write and look at, and then free
 *
 * Each page's contents follow from a number of its own. The longest stretch without interrupts is printed where a
 * checked kernel tells it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, WORDS = PAGE / 4 };

static uint32_t *memory;
static uint32_t *number;                        /* of each page: what it holds; 0: zeros */
static size_t    pages;

static void die(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

static void *map(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at == MAP_FAILED)
        die("mmap");
    return at;
}

/* ---- Contents: most shrink well, some a little, one in 32 not at all ------------------------------- */

static uint32_t word_of(uint32_t n, unsigned i)
{
    if (n == 0)
        return 0;
    switch (n % 32) {
    case 0:  return (n * 2654435761u ^ i * 2246822519u) * (i | 1) ^ (n + i) >> 7;
    case 1: case 2: case 3:
        return i % 6 == 0 ? n * 2654435761u ^ i * 2246822519u : n;
    default: return i % 5 == 0 ? n + (i & 15) : 0;
    }
}

static void fill(size_t page, uint32_t n)
{
    uint32_t *at = memory + page * WORDS;

    number[page] = n;
    for (unsigned i = 0; i < WORDS; i++)
        at[i] = word_of(n, i);
}

static void look(size_t page)
{
    const uint32_t *at = memory + page * WORDS;

    for (unsigned i = 0; i < WORDS; i++)
        if (at[i] != word_of(number[page], i)) {
            printf("page %zu, word %u: %08x is %08x\n", page, i, word_of(number[page], i), at[i]);
            exit(1);
        }
}

static void fill_all(void)
{
    for (size_t page = 0; page < pages; page++)
        fill(page, (uint32_t)page * 7 + 5);
}

static void look_at_all(void)
{
    for (size_t page = 0; page < pages; page++)
        look(page);
}

/* ---- What others say --------------------------------------------------------------------------------- */

/* The sum of the numbers behind a word at the beginnings of a file's lines. */
static unsigned long sum_of(const char *path, const char *word)
{
    unsigned long sum = 0;
    char          line[256];
    FILE         *file = fopen(path, "r");

    if (file == NULL)
        die(path);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, word, strlen(word)) == 0)
            sum += strtoul(line + strlen(word), NULL, 10);
    fclose(file);
    return sum;
}

static void stretch(const char *what)
{
    int     file = open("/proc/quire/stretch", what != NULL ? O_RDONLY : O_WRONLY);
    char    line[256];
    ssize_t got;

    if (file < 0)
        return;
    if (what == NULL)
        (void)!write(file, "1", 1);
    else if ((got = read(file, line, sizeof line)) > 1)
        printf("%s %.*s", what, (int)got, line);
    close(file);
}

/* Pages of `memory` that pagemap calls present (bit 63), or swapped (bit 62). */
static size_t marked(unsigned bit)
{
    size_t   count = 0;
    int      file = open("/proc/self/pagemap", O_RDONLY);
    uint64_t entry;

    for (size_t page = 0; page < pages; page++) {
        if (pread(file, &entry, sizeof entry, (off_t)((uintptr_t)memory / PAGE + page) * 8) != sizeof entry)
            die("pagemap");
        count += entry >> bit & 1;
    }
    close(file);
    return count;
}

static size_t in_core(const void *at, size_t count)
{
    static unsigned char there[1 << 16];
    size_t               sum = 0;

    if (mincore((void *)at, count * PAGE, there) != 0)
        die("mincore");
    for (size_t n = 0; n < count; n++)
        sum += there[n] & 1;
    return sum;
}

/* ---- The operations ------------------------------------------------------------------------------------ */

static void hold(void)
{
    fill_all();
    look_at_all();
    look_at_all();
    printf("%zu pages held\n", pages);
}

static void wait_for_children(int count)
{
    int status;

    while (count-- > 0)
        if (wait(&status) < 0 || status != 0) {
            printf("a child ended with %x\n", status);
            exit(1);
        }
}

static void with_children(void)
{
    fill_all();
    for (int child = 0; child < 3; child++) {
        pid_t id = fork();

        if (id < 0)
            die("fork");
        if (id == 0) {
            for (size_t page = (size_t)child; page < pages; page += 5)
                fill(page, (uint32_t)page * 13 + 1 + (uint32_t)child);
            look_at_all();
            exit(0);
        }
    }
    look_at_all();
    wait_for_children(3);
    look_at_all();
    printf("%zu pages, and three children's\n", pages);
}

static void with_locked(void)
{
    size_t    count = 256;
    uint32_t *kept = map(count * PAGE);

    for (size_t n = 0; n < count; n++)
        kept[n * WORDS] = (uint32_t)n;
    if (mlock(kept, count * PAGE) != 0)
        die("mlock");
    fill_all();
    if (in_core(kept, count) != count)
        printf("%zu of %zu locked pages are there\n", in_core(kept, count), count);
    look_at_all();
    for (size_t n = 0; n < count; n++)
        if (kept[n * WORDS] != n)
            printf("a locked page has changed\n");
    if (in_core(kept, count) != count)
        printf("%zu of %zu locked pages are there\n", in_core(kept, count), count);
    printf("%zu pages, and locked ones\n", pages);
}

static void say(const char *what, int holds) { printf("%s: %s\n", what, holds ? "yes" : "no"); }

static void sums(void)
{
    size_t out, there;

    fill_all();
    look_at_all();
    there = marked(63);
    out   = marked(62);
    say("all pages are in memory or out", there + out == pages && out > 0);
    say("mincore says the same", in_core(memory, pages) == there);
    say("smaps says so", sum_of("/proc/self/smaps", "Swap:") >= out * 4);
    say("and as much as status, and what is out of the program's file",
        sum_of("/proc/self/smaps", "Swap:") - sum_of("/proc/self/status", "VmSwap:") < 4 * 512);
    say("nobody else has pages out but files that nobody reads",
        sum_of("/proc/meminfo", "Zswapped:") - sum_of("/proc/self/status", "VmSwap:") < 4 * 512);
    say("they take less than they are", sum_of("/proc/meminfo", "Zswap:") * 2 < sum_of("/proc/meminfo", "Zswapped:"));
    say("as many more went than came", sum_of("/proc/vmstat", "pswpout ") >= out + sum_of("/proc/vmstat", "pswpin "));
}

static void until_memory_is_out(void)
{
    for (size_t page = 0; page < pages; page++)
        fill(page, (uint32_t)(page + 1) * 32);
    printf("there was memory for all\n");
}

static void grow_file(void)
{
    static char part[1 << 16];
    int         file = memfd_create("short", 0);
    size_t      parts = pages * PAGE / sizeof part / 4;

    fill_all();
    for (size_t n = 0; n < parts; n++) {
        memset(part, (int)n, sizeof part);
        if (write(file, part, sizeof part) != sizeof part)
            die("write");
    }
    look_at_all();
    for (size_t n = 0; n < parts; n++)
        if (pread(file, part, sizeof part, (off_t)(n * sizeof part)) != sizeof part || part[77] != (char)n)
            die("the file");
    printf("%zu pages, and a file of a quarter as many\n", pages);
}

/* ---- What several show ------------------------------------------------------------------------------------ */

enum { FILES = 20 };                            /* that are written with write(): of a third of the pages */

static char file_name[] = "/tmp/short-0";

static void name_file(size_t n) { file_name[sizeof file_name - 2] = (char)('a' + n); }

/* The numbers of all pages are shared as well: pages of the files come first. */
static void put_pages(size_t first, size_t step)
{
    static uint32_t page[WORDS];

    for (size_t n = 0; n < FILES; n++) {
        int file;

        name_file(n);
        file = open(file_name, O_RDWR | O_CREAT, 0600);
        for (size_t at = n * (pages / 3 / FILES) + first; at < (n + 1) * (pages / 3 / FILES); at += step) {
            number[at] += (uint32_t)(at * 7 + 5);
            for (unsigned i = 0; i < WORDS; i++)
                page[i] = word_of(number[at], i);
            if (pwrite(file, page, PAGE, (off_t)(at - n * (pages / 3 / FILES)) * PAGE) != PAGE)
                die("pwrite");
        }
        close(file);
    }
    for (size_t at = pages / 3 + first; at < pages; at += step)
        fill(at, number[at] + (uint32_t)(at * 7 + 5));
}

static void look_at_files(void)
{
    static uint32_t page[WORDS];

    for (size_t n = 0; n < FILES; n++) {
        int file;

        name_file(n);
        file = open(file_name, O_RDONLY);
        for (size_t at = n * (pages / 3 / FILES); at < (n + 1) * (pages / 3 / FILES); at++) {
            if (read(file, page, PAGE) != PAGE)
                die("read");
            for (unsigned i = 0; i < WORDS; i++)
                if (page[i] != word_of(number[at], i)) {
                    printf("page %zu of the files, word %u: %08x is %08x\n", at, i, word_of(number[at], i), page[i]);
                    exit(1);
                }
        }
        close(file);
    }
}

static void look_at_shared(void)
{
    look_at_files();
    for (size_t at = pages / 3; at < pages; at++)
        look(at);
}

static void tell_of_shared(int file, size_t third)
{
    struct stat   node;
    struct statfs system;

    fstat(file, &node);
    statfs("/tmp", &system);
    say("pages that are out are the file's", node.st_blocks == (blkcnt_t)third * 8);
    say("and the file system's", system.f_blocks - system.f_bfree >= 3 * third);
    say("smaps tells of them", sum_of("/proc/self/smaps", "Swap:") > third * 3);
    say("what SwapPss and status tell is private", sum_of("/proc/self/smaps", "SwapPss:") < 256 &&
                                                   sum_of("/proc/self/status", "VmSwap:") < 256);
    say("mincore says that they are not there", in_core(memory + third * WORDS, 2 * third) < 2 * third * 3 / 4);
}

static void shared(void)
{
    size_t        third = pages / 3;
    unsigned long free, left;
    int           file;

    munmap(number, pages * sizeof *number);
    number = mmap(NULL, pages * sizeof *number, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(number, 0, pages * sizeof *number);
    (void)sum_of("/proc/meminfo", "MemFree:");
    free = sum_of("/proc/meminfo", "MemFree:");
    file = memfd_create("short", 0);
    if (ftruncate(file, (off_t)(third * PAGE)) != 0)
        die("ftruncate");
    if (mmap(memory + third * WORDS, third * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) ==
        MAP_FAILED)
        die("mmap of a file");
    if (mmap(memory + 2 * third * WORDS, third * PAGE, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED)
        die("mmap");
    put_pages(0, 1);
    tell_of_shared(file, third);
    if (fork() == 0) {
        look_at_shared();
        put_pages(3, 7);
        exit(0);
    }
    wait_for_children(1);
    look_at_shared();
    for (size_t n = 0; n < FILES; n++) {
        name_file(n);
        unlink(file_name);
    }
    close(file);
    munmap(memory + third * WORDS, 2 * third * PAGE);
    left = sum_of("/proc/meminfo", "MemFree:");
    say("nothing is out but files that nobody reads", sum_of("/proc/meminfo", "Zswapped:") < 4 * 512);
    say("and as much is free as before", left + 256 >= free);
    printf("%zu pages, shared; %lu KiB were free, %lu KiB are\n", pages, free, left);
}

/* ---- At random ------------------------------------------------------------------------------------------- */

static uint64_t chance;
static unsigned children;

static size_t below(size_t end)
{
    chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
    return (size_t)(chance >> 20) % end;
}

static void collect(int how)
{
    int status;

    for (; waitpid(-1, &status, how) > 0; children--)
        if (status != 0) {
            printf("a child ended with %x\n", status);
            exit(1);
        }
}

static void one_step(bool parent)
{
    size_t page = below(pages), count = 1 + below(40);
    char  *at = (char *)(memory + page * WORDS);

    if (page + count > pages)
        count = pages - page;
    switch (below(16)) {
    case 0:
        madvise(at, count * PAGE, MADV_PAGEOUT);
        break;
    case 1:
        madvise(at, count * PAGE, MADV_DONTNEED);
        memset(number + page, 0, count * sizeof *number);
        break;
    case 2:
        mprotect(at, count * PAGE, PROT_READ);
        look(page);
        mprotect(at, count * PAGE, PROT_READ | PROT_WRITE);
        break;
    case 3:
        if (!parent || children == 2)
            break;
        children++;
        if (fork() == 0) {
            for (int n = 0; n < 100; n++)
                one_step(false);
            look_at_all();
            exit(0);
        }
        break;
    case 4: {
        void *other = mremap(at, count * PAGE, count * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                             map(count * PAGE));
        if (other == MAP_FAILED || mremap(other, count * PAGE, count * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) != at)
            die("mremap");
        break;
    }
    case 5:
        if (mlock(at, count * PAGE) == 0)
            munlock(at, count * PAGE);
        break;
    case 6: case 7: case 8: case 9: case 10:
        for (size_t n = page; n < page + count; n++)
            fill(n, (uint32_t)below(UINT32_MAX));
        break;
    default:
        for (size_t n = page; n < page + count; n++)
            look(n);
    }
    collect(WNOHANG);
}

static void at_random(uint64_t seed)
{
    chance = seed * 0x9E3779B97F4A7C15u + 1;
    for (int n = 0; n < 2000; n++)
        one_step(true);
    collect(0);
    look_at_all();
    printf("%zu pages at random\n", pages);
}

int main(int argc, char **argv)
{
    const char *how = argc > 2 ? argv[1] : "";

    setvbuf(stdout, NULL, _IOLBF, 0);
    stretch(NULL);
    pages  = argc > 2 ? (size_t)atoi(argv[2]) * 256 : 0;
    memory = map(pages * PAGE);
    number = map(pages * sizeof *number);
    if (strcmp(how, "hold") == 0)
        hold();
    else if (strcmp(how, "fork") == 0)
        with_children();
    else if (strcmp(how, "locked") == 0)
        with_locked();
    else if (strcmp(how, "sums") == 0)
        sums();
    else if (strcmp(how, "noise") == 0)
        until_memory_is_out();
    else if (strcmp(how, "file") == 0)
        grow_file();
    else if (strcmp(how, "shared") == 0)
        shared();
    else if (strcmp(how, "random") == 0 && argc > 3)
        at_random(strtoull(argv[3], NULL, 10));
    else
        return 2;
    munmap(memory, pages * PAGE);
    stretch("longest");
    return 0;
}
