/*
 * benchmark.c - what operations cost, counted by the processor.
 *
 * Under QEMU's instruction clock (-icount shift=0,sleep=off) a tick is an instruction, and
 * figures repeat exactly. One line each: `cost NAME TICKS`, for programs to read.
 */
#include "console/commands.h"

#include "base/print.h"
#include "console/show.h"
#include "cpu.h"
#include "memory/audit.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"

enum { ROUNDS = 64 };

static void do_nothing(void) { __asm__ volatile("" : : : "memory"); }

static void frame_pair(void)
{
    frame_t frame;

    if (frame_get(OWNER_TEST, 0, &frame) == 0)
        frame_put(frame);
}

static void frame_pair_zeroed(void)
{
    frame_t frame;

    if (frame_get(OWNER_TEST, FRAME_ZERO, &frame) == 0)
        frame_put(frame);
}

static void run_pair_of_64(void)
{
    frame_t first;

    if (frame_run_get(OWNER_TEST, 64, 64, 0, 0, &first) == 0)
        frame_run_put(first, 64);
}

static void heap_pair(size_t bytes)
{
    void *volatile block = heap_alloc(bytes, 0);

    heap_free(block);
}

static void heap_pair_64(void)    { heap_pair(64); }
static void heap_pair_2048(void)  { heap_pair(2048); }
static void heap_pair_16384(void) { heap_pair(16384); }

static void stack_pair(void)
{
    struct stack stack;

    if (stack_get(&kernel_space, &stack) == 0)
        stack_put(&stack);
}

static void page_pair(void)
{
    struct region region;

    if (kernel_map(&region, PURPOSE_HEAP, "benchmark", 1, 0, OWNER_TEST) == 0)
        kernel_unmap(&region);
}

/* Only the table work of a page: a cursor, one edit, the flush. */
static page_t benchmark_page;

static void cursor_protect_twice(void)
{
    const struct rights read_only = { .kernel = MAY_READ }, both = { .kernel = MAY_READ | MAY_WRITE };
    struct cursor c;

    if (cursor_open(&c, &kernel_space, span_of(benchmark_page, 1), 0) != 0)
        return;
    cursor_protect(&c, benchmark_page, read_only);
    cursor_protect(&c, benchmark_page, both);
    cursor_close(&c);
}

static void look_up_page(void)
{
    unsigned level;

    (void)look_up(&kernel_space, benchmark_page, &level);
}

static void space_pair(void)
{
    static struct space space;

    if (space_create(&space) == 0)
        space_destroy(&space);
}

/* ---- Counting ------------------------------------------------------------------------------ */

static uint64_t ticks_of(void (*work)(void))
{
    uint64_t start = cpu_ticks();

    for (unsigned i = 0; i < ROUNDS; i++)
        work();
    return cpu_ticks() - start;
}

/* The work once for warmth, then ROUNDS times; the loop and the call are taken off. */
static void print_cost(const char *name, void (*work)(void))
{
    uint64_t loop, all;

    work();
    loop = ticks_of(do_nothing);
    all  = ticks_of(work);
    print("cost %s %llu\n", name, (unsigned long long)((all > loop ? all - loop : 0) / ROUNDS));
}

static void cost_of_audit(void)
{
    struct audit_report report;
    uint64_t            start = cpu_ticks();

    audit_full(&report);
    print("cost audit %llu\n", (unsigned long long)(cpu_ticks() - start));
}

int run_benchmark(int count, char **words)
{
    struct region region;

    (void)count, (void)words;
    print_cost("frame_get+frame_put", frame_pair);
    print_cost("frame_get_zeroed+frame_put", frame_pair_zeroed);
    print_cost("frame_run_get_64+put", run_pair_of_64);
    print_cost("heap_64", heap_pair_64);
    print_cost("heap_2048", heap_pair_2048);
    print_cost("heap_16384", heap_pair_16384);
    print_cost("stack_get+stack_put", stack_pair);
    print_cost("kernel_map+kernel_unmap", page_pair);
    print_cost("space_create+space_destroy", space_pair);
    if (kernel_map(&region, PURPOSE_HEAP, "benchmark", 1, 0, OWNER_TEST) == 0) {
        benchmark_page = region.span.first;
        print_cost("cursor_protect_twice", cursor_protect_twice);
        print_cost("table_lookup", look_up_page);
        kernel_unmap(&region);
    }
    cost_of_audit();
    return 0;
}
