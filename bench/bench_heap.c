/*
 * bench_heap.c - what the kernel heap costs on the host, in nanoseconds.
 *
 * The same sources as in the kernel, optimised, with the checks that ship, on the machine in plain
 * memory. Where the mimalloc library is installed it runs the same loops in the same process,
 * round by round in turn, so that both see the same machine. The figures are medians over the rounds; the ratio
 * is the median of each round's own, which what else the machine does disturbs least.
 *
 *   pair      take and give back one block of 64 bytes, over and over
 *   replace   1000 blocks live all the time; give a random one back, take another: of 64 bytes, of mixed sizes
 *   batch     take 1000 blocks of 64 bytes, give them back in the order taken
 *   pages     take and give back one block of 8 KiB
 *
 * In the last two pages are mapped and unmapped, and most of their time is the machine in plain
 * memory: a signal for each page touched, a call of Linux for each page flushed.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "machine.h"
#include "memory/heap/heap.h"

/* Rounds are short, less than a millisecond, so that most of them have the processor to themselves. */
enum { ROUNDS = 301, PAIRS = 20000, BATCHES = 2, PAGES = 10, LIVE = 1000, CHOICES = 1 << 16 };

typedef void *(*take_function)(size_t);
typedef void (*give_function)(void *);

static take_function other_take;
static give_function other_give;

static uint16_t which[CHOICES];         /* which of the live blocks is replaced           */
static uint16_t sizes[CHOICES];         /* by one of how many bytes                       */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The optimiser must believe that the block is used. */
static inline void *used(void *block)
{
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

static inline void *plain_take(size_t bytes) { return heap_alloc(bytes, 0); }

/* The loops, once for each heap, so that both are called directly. Each returns how often. */
#define LOOPS(heap, TAKE, GIVE)                                                     \
    static unsigned heap##_pair(void)                                               \
    {                                                                               \
        for (unsigned i = 0; i < PAIRS; i++)                                      \
            GIVE(used(TAKE(64)));                                                   \
        return PAIRS;                                                             \
    }                                                                               \
    static void *heap##_same[LIVE], *heap##_mixture[LIVE];                          \
    static void heap##_fill(void)                                                   \
    {                                                                               \
        for (unsigned i = 0; i < LIVE; i++) {                                       \
            heap##_same[i] = TAKE(64);                                              \
            heap##_mixture[i] = TAKE(sizes[i]);                                     \
        }                                                                           \
    }                                                                               \
    static unsigned heap##_replace(void)                                            \
    {                                                                               \
        static unsigned at;                                                         \
                                                                                    \
        for (unsigned i = 0; i < PAIRS; i++, at++) {                                \
            GIVE(heap##_same[which[at % CHOICES]]);                                 \
            heap##_same[which[at % CHOICES]] = TAKE(64);                            \
        }                                                                           \
        return PAIRS;                                                               \
    }                                                                               \
    static unsigned heap##_mixed(void)                                              \
    {                                                                               \
        static unsigned at;                                                         \
                                                                                    \
        for (unsigned i = 0; i < PAIRS; i++, at++) {                                \
            GIVE(heap##_mixture[which[at % CHOICES]]);                              \
            heap##_mixture[which[at % CHOICES]] = TAKE(sizes[at % CHOICES]);        \
        }                                                                           \
        return PAIRS;                                                               \
    }                                                                               \
    static unsigned heap##_batch(void)                                              \
    {                                                                               \
        static void *live[LIVE];                                                    \
                                                                                    \
        for (unsigned k = 0; k < BATCHES; k++) {                                    \
            for (unsigned i = 0; i < LIVE; i++)                                     \
                live[i] = TAKE(64);                                                 \
            for (unsigned i = 0; i < LIVE; i++)                                     \
                GIVE(live[i]);                                                      \
        }                                                                           \
        return BATCHES * LIVE;                                                      \
    }                                                                               \
    static unsigned heap##_pages(void)                                              \
    {                                                                               \
        for (unsigned i = 0; i < PAGES; i++)                                        \
            GIVE(used(TAKE(8192)));                                                 \
        return PAGES;                                                               \
    }

LOOPS(ours, plain_take, heap_free)
LOOPS(other, other_take, other_give)

static const struct { const char *name; unsigned (*ours)(void), (*other)(void); } loops[] = {
    { "64-byte pair",                    ours_pair,    other_pair },
    { "replace among 1000, 64 bytes",    ours_replace, other_replace },
    { "replace among 1000, mixed sizes", ours_mixed,   other_mixed },
    { "batch of 1000, 64 bytes",         ours_batch,   other_batch },
    { "8 KiB pair",                      ours_pages,   other_pages },
};

static double time_of(unsigned (*loop)(void))
{
    double   begin = now();
    unsigned count = loop();

    return (now() - begin) / count;
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;

    return (first > second) - (first < second);
}

static double median(double *of)
{
    qsort(of, ROUNDS, sizeof *of, compare);
    return of[ROUNDS / 2];
}

static void measure(unsigned i, bool both)
{
    static double ours[ROUNDS], other[ROUNDS], ratio[ROUNDS];

    for (unsigned round = 0; round < ROUNDS; round++) {
        ours[round] = time_of(loops[i].ours);
        if (both) {
            other[round] = time_of(loops[i].other);
            ratio[round] = ours[round] / other[round];
        }
    }
    printf("heap     %-32s %8.2f ns", loops[i].name, median(ours));
    if (both)
        printf("   mimalloc %8.2f ns   ratio %.2f", median(other), median(ratio));
    printf("\n");
}

int main(void)
{
    void       *library = dlopen("libmimalloc.so.2", RTLD_NOW | RTLD_LOCAL);
    const char *wrong = machine_boot(64 * MiB);

    if (wrong != NULL) {
        fprintf(stderr, "bench_heap: %s\n", wrong);
        return 1;
    }
    if (library != NULL) {
        other_take = (take_function)dlsym(library, "mi_malloc");
        other_give = (give_function)dlsym(library, "mi_free");
    }
    srand(1);
    for (unsigned i = 0; i < CHOICES; i++) {
        which[i] = (uint16_t)(rand() % LIVE);
        sizes[i] = (uint16_t)(rand() % 8 == 0 ? rand() % 1024 : rand() % 128);
    }
    ours_fill();
    if (other_take != NULL && other_give != NULL)
        other_fill();
    for (unsigned i = 0; i < COUNT_OF(loops); i++)
        measure(i, other_take != NULL && other_give != NULL);
    return 0;
}
