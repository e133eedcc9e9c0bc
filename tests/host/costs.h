/*
 * costs.h - what calls cost, counted: how often they let interrupts in, rest, flush, and take or give back memory.
 *
 * Each COST() is a line that is kept (kept_lines.h). A batch that is one page longer, a flush that is left out, a lock
 * that is taken once more: each is another number.
 *
 * Included once by each test program, behind map_world.h.
 */
#ifndef QUIRE_TESTS_COSTS_H
#define QUIRE_TESTS_COSTS_H

#include "cpu.h"
#include "kept_lines.h"

static struct {
    bool              on;
    unsigned          let_in, rests;
    struct frame_sums frames;
    struct heap_sums  heap;
} costs;

void host_interrupts_on(void) { costs.let_in += costs.on; }
static void count_rest(void)  { costs.rests++; }

static inline void costs_begin(void)
{
    frames_sums(&costs.frames);
    heap_sums(&costs.heap);
    memset(&machine_counts, 0, sizeof machine_counts);
    costs.let_in = costs.rests = 0;
    machine_at_rest(count_rest);
    costs.on = true;
}

static inline void costs_end(const char *what, size_t number)
{
    int               before = (int)strcspn(what, "#");
    struct frame_sums frames;
    struct heap_sums  heap;
    char              digits[24] = "";

    costs.on = false;
    machine_at_rest(NULL);
    heap_sums(&heap);
    frames_sums(&frames);
    if (what[before] == '#')
        snprintf(digits, sizeof digits, "%zu", number);
    kept_line("%.*s%s%s: %u let in, %u rests, flushes %u %u %u, frames +%u -%u, blocks +%u -%u", before, what, digits,
              what + before + (what[before] == '#'), costs.let_in, costs.rests, (unsigned)machine_counts.page_flushes,
              (unsigned)machine_counts.space_flushes, (unsigned)machine_counts.all_flushes,
              (unsigned)(frames.gets - costs.frames.gets), (unsigned)(frames.puts - costs.frames.puts),
              (unsigned)(heap.allocs - costs.heap.allocs), (unsigned)(heap.frees - costs.heap.frees));
}

/* What a statement costs; in the words for it, # is the number. */
#define COST(what, number, statement) (costs_begin(), (void)(statement), costs_end(what, number))

#endif
