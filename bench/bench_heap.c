/*
 * bench_heap.c - what the kernel heap costs on the host, in nanoseconds.
 *
 * The same sources as in the kernel, optimised, with the checks that ship, on the machine in plain
 * memory. Where the mimalloc library is installed it runs the same loops in the same process,
 * round by round in turn, so that both see the same machine; each figure is the best round.
 *
 *   pair      take and give back one block of 64 bytes, over and over
 *   replace   1000 blocks live; give a random one back, take another: of 64 bytes, of mixed sizes
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

/* Rounds are short, a few milliseconds, so that some of them have the processor to themselves. */
enum { ROUNDS = 100, PAIRS = 200000, BATCHES = 20, PAGES = 500, LIVE = 1000, CHOICES = 1 << 16 };

typedef void *(*take_function)(size_t);
typedef void (*give_function)(void *);

static take_function other_take;
static give_function other_give;

static uint16_t which[CHOICES];         /* which of the live blocks is replaced           */
static uint16_t sizes[CHOICES];         /* by one of how many bytes                       */
static void    *live[LIVE];

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

static inline void *heap_take(size_t bytes) { return heap_alloc(bytes, 0); }

/* The loops, once for each heap, so that both are called directly. Each returns how often. */
#define LOOPS(heap, TAKE, GIVE)                                                     \
    static unsigned heap##_pair(void)                                               \
    {                                                                               \
        for (unsigned i = 0; i < PAIRS; i++)                                      \
            GIVE(used(TAKE(64)));                                                   \
        return PAIRS;                                                             \
    }                                                                               \
    static unsigned heap##_replace(void)                                            \
    {                                                                               \
        for (unsigned i = 0; i < LIVE; i++)                                         \
            live[i] = TAKE(64);                                                     \
        for (unsigned i = 0; i < PAIRS; i++) {                                    \
            GIVE(live[which[i % CHOICES]]);                                         \
            live[which[i % CHOICES]] = TAKE(64);                                    \
        }                                                                           \
        for (unsigned i = 0; i < LIVE; i++)                                         \
            GIVE(live[i]);                                                          \
        return PAIRS + LIVE;                                                      \
    }                                                                               \
    static unsigned heap##_mixed(void)                                              \
    {                                                                               \
        for (unsigned i = 0; i < LIVE; i++)                                         \
            live[i] = TAKE(sizes[i]);                                               \
        for (unsigned i = 0; i < PAIRS; i++) {                                    \
            GIVE(live[which[i % CHOICES]]);                                         \
            live[which[i % CHOICES]] = TAKE(sizes[i % CHOICES]);                    \
        }                                                                           \
        for (unsigned i = 0; i < LIVE; i++)                                         \
            GIVE(live[i]);                                                          \
        return PAIRS + LIVE;                                                      \
    }                                                                               \
    static unsigned heap##_batch(void)                                              \
    {                                                                               \
        for (unsigned k = 0; k < BATCHES; k++) {                                       \
            for (unsigned i = 0; i < LIVE; i++)                                     \
                live[i] = TAKE(64);                                                 \
            for (unsigned i = 0; i < LIVE; i++)                                     \
                GIVE(live[i]);                                                      \
        }                                                                           \
        return BATCHES * LIVE;                                                         \
    }                                                                               \
    static unsigned heap##_pages(void)                                              \
    {                                                                               \
        for (unsigned i = 0; i < PAGES; i++)                                        \
            GIVE(used(TAKE(8192)));                                                 \
        return PAGES;                                                               \
    }

LOOPS(ours, heap_take, heap_free)
LOOPS(other, other_take, other_give)

static const struct { const char *name; unsigned (*ours)(void), (*other)(void); } loops[] = {
    { "64-byte pair",                    ours_pair,    other_pair },
    { "replace among 1000, 64 bytes",    ours_replace, other_replace },
    { "replace among 1000, mixed sizes", ours_mixed,   other_mixed },
    { "batch of 1000, 64 bytes",         ours_batch,   other_batch },
    { "8 KiB pair",                      ours_pages,   other_pages },
};

static double time_of(unsigned (*loop)(void), double best)
{
    double   begin = now();
    unsigned count = loop();
    double   each = (now() - begin) / count;

    return best == 0 || each < best ? each : best;
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

    for (unsigned i = 0; i < COUNT_OF(loops); i++) {
        double ours = 0, other = 0;

        for (unsigned round = 0; round < ROUNDS; round++) {
            ours = time_of(loops[i].ours, ours);
            if (other_take != NULL && other_give != NULL)
                other = time_of(loops[i].other, other);
        }
        printf("heap     %-32s %8.2f ns", loops[i].name, ours);
        if (other != 0)
            printf("   mimalloc %8.2f ns   ratio %.2f", other, ours / other);
        printf("\n");
    }
    return 0;
}
