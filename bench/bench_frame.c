/*
 * bench_frame.c - what the frame pool costs on the host, in nanoseconds.
 *
 * The same sources as in the kernel, optimised, with the checks that ship. Each figure
 * is the best of many short rounds: on a shared machine the others only ever add.
 *
 *   repeated   get and put of one frame, over and over, one CPU or two
 *   random     half of all frames in use; give a random one back, take one. One exchange waits for the one before, so
 *              that a miss of the cache is seen whole. `bare` is the same loop without the pool: it writes one word of
 *              a table as large as the records, the line that an exchange touches. What grows with memory is how long
 *              that line takes.
 *   churn      8 GiB, a random walk of the load; then: the share of whole free areas that are
 *              left of those that could be, with all used frames packed together
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "cpu.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"

static const struct layout_policy policy = { .polarity = ONE_IS_USED, .search = SEARCH_FULLEST, .magazine = 64 };

enum { ROUNDS = 500 };

static uint32_t *held;                  /* frames in use */
static uint32_t held_count;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t seed = 88172645463325252ull;

static uint32_t random_below(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) * limit >> 32);
}

/* Memory as the kernel's direct map has it: in large pages, where the host will. */
static void *block(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at == MAP_FAILED)
        exit(2);
    madvise(at, bytes, MADV_HUGEPAGE);
    return at;
}

struct machine {
    void  *bitmap, *summary, *records;
    size_t bitmap_bytes, summary_bytes, record_bytes;
};

/* A machine with so much RAM, all of it free. */
static struct machine machine_of(uint64_t bytes)
{
    struct memmap map;
    struct machine m;
    uint32_t end;

    memmap_start(&map, UINT32_MAX - 1);
    memmap_add(&map, 0, bytes, true);
    end = memmap_end(&map);
    m.bitmap_bytes = frames_bitmap_bytes(&policy, end);
    m.summary_bytes = frames_summary_bytes(end);
    m.record_bytes = frames_record_bytes(end);
    m.bitmap = block(m.bitmap_bytes);
    m.summary = block(m.summary_bytes);
    m.records = block(m.record_bytes);
    frames_open(&map, &policy, end, m.bitmap, m.summary, m.records);
    held = block((size_t)end * sizeof *held);
    held_count = 0;
    return m;
}

static void machine_end(struct machine *m)
{
    munmap(held, (size_t)frames_end() * sizeof *held);
    munmap(m->bitmap, m->bitmap_bytes);
    munmap(m->summary, m->summary_bytes);
    munmap(m->records, m->record_bytes);
}

static uint32_t take(void)
{
    frame_t frame;

    if (frame_get(OWNER_USER, 0, &frame) != 0)
        exit(3);
    return frame.no;
}

static void fill(uint32_t count)
{
    while (held_count < count)
        held[held_count++] = take();
}

/* ---- Repeated --------------------------------------------------------------------------- */

enum { PAIRS = 20000 };

static void pairs(void)
{
    for (uint32_t n = 0; n < PAIRS; n++)
        frame_put((frame_t){ take() });
}

static void *pairs_on(void *cpu)
{
    host_cpu = (unsigned)(uintptr_t)cpu;
    pairs();
    return NULL;
}

static double repeated(unsigned cpus)
{
    double best = 1e18;

    for (int round = 0; round < ROUNDS; round++) {
        pthread_t other;
        double start = now(), ns;

        if (cpus == 2)
            pthread_create(&other, NULL, pairs_on, (void *)1);
        pairs();
        if (cpus == 2)
            pthread_join(other, NULL);
        ns = (now() - start) / PAIRS;
        best = ns < best ? ns : best;
    }
    return best;
}

/* ---- Random ----------------------------------------------------------------------------- */

enum { EXCHANGES = 10000 };

static uint64_t *table;                 /* as large as the records */

static double random_exchange(bool bare)
{
    double best = 1e18;

    for (int round = 0; round < ROUNDS; round++) {
        double start = now(), ns;

        for (uint32_t n = 0; n < EXCHANGES; n++) {
            uint32_t at = random_below(held_count);

            __builtin_ia32_lfence();
            if (bare) {
                table[held[at]]++;
            } else {
                frame_put((frame_t){ held[at] });
                held[at] = take();
            }
        }
        ns = (now() - start) / EXCHANGES;
        best = ns < best ? ns : best;
    }
    return best;
}

static void shuffle(void)
{
    for (uint32_t n = held_count; n > 1; n--) {
        uint32_t at = random_below(n), other = held[n - 1];

        held[n - 1] = held[at];
        held[at] = other;
    }
}

static void random_at(uint64_t gib)
{
    struct machine m = machine_of(gib * GiB);
    size_t table_bytes = frames_end() * sizeof *table;
    double exchange, bare;

    fill(frames_end() / 2);
    shuffle();
    table = block(table_bytes);
    for (uint32_t n = 0; n < frames_end(); n++)
        table[n] = n;
    exchange = random_exchange(false);
    bare = random_exchange(true);
    munmap(table, table_bytes);
    printf("  random, half full, %2u GiB   %7.1f ns   bare %7.1f   difference %5.1f\n", (unsigned)gib, exchange, bare,
           exchange - bare);
    if (gib == 64)
        printf("  search structure            %8.3f bits a frame, records %u bytes\n",
               (double)(m.bitmap_bytes + m.summary_bytes) * 8 / frames_end(),
               (unsigned)sizeof(struct frame_record));
    machine_end(&m);
}

/* ---- Churn ------------------------------------------------------------------------------ */

static double whole_areas_left(void)
{
    struct frame_sums sums;
    struct frame_runs runs;

    frames_drain();
    frames_sums(&sums);
    frames_runs(&runs);
    return (double)runs.free_areas / ((sums.ram - held_count) / 512);
}

/*
 * The load goes up and down by a tenth of memory around one half. What is given back
 * is random, in blocks of `together` neighbours in time: programs end as a whole.
 */
static double churn(uint32_t together, double *ns)
{
    struct machine m = machine_of(8 * GiB);
    uint32_t half = frames_end() / 2, tenth = frames_end() / 10;
    uint64_t calls = 0;
    double left, start;

    fill(half);
    start = now();
    for (int cycle = 0; cycle < 20; cycle++) {
        while (held_count > half - tenth) {
            uint32_t at = random_below(held_count / together) * together;

            for (uint32_t n = 0; n < together; n++) {
                frame_put((frame_t){ held[at + n] });
                held[at + n] = held[held_count - together + n];
            }
            held_count -= together;
            calls += together;
        }
        calls += half - held_count;
        fill(half);
    }
    *ns = (now() - start) / (double)calls;
    left = whole_areas_left();
    machine_end(&m);
    return left;
}

/* Random exchanges only, many times over. */
static double churn_exchange(void)
{
    struct machine m = machine_of(8 * GiB);
    double left;

    fill(frames_end() / 2);
    for (uint32_t n = 0; n < 20000000; n++) {
        uint32_t at = random_below(held_count);

        frame_put((frame_t){ held[at] });
        held[at] = take();
    }
    left = whole_areas_left();
    machine_end(&m);
    return left;
}

int main(void)
{
    struct machine m = machine_of(1 * GiB);
    double ns;

    printf("frame pool, host\n");
    printf("  get and put, 1 CPU          %7.2f ns\n", repeated(1));
    printf("  get and put, 2 CPUs         %7.2f ns\n", repeated(2));
    machine_end(&m);
    random_at(1);
    random_at(4);
    random_at(64);
    printf("  churn 8 GiB, exchanges      %8.3f of whole areas left\n", churn_exchange());
    for (uint32_t together = 1; together <= 4096; together *= 16) {
        double left = churn(together, &ns);

        printf("  churn 8 GiB, by %4u        %8.3f of whole areas left, %.1f ns a call\n", together,
               left, ns);
    }
    return 0;
}
