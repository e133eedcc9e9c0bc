/*
 * parts.c - the kernel heap and the kernel stacks at the console.
 */
#include "console/commands.h"

#include "arch/contract.h"
#include "base/error.h"
#include "base/print.h"
#include "console/show.h"
#include "console/words.h"
#include "cpu.h"
#include "memory/heap/heap.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"

int run_heap(int count, char **words)
{
    struct heap_sums sums;

    (void)count, (void)words;
    heap_sums(&sums);
    print("pages   slabs %u, big blocks %u, bookkeeping %u\n", sums.slab_pages, sums.big_pages,
          sums.bookkeeping_pages);
    print("blocks  %u live, %u of them big, holding %llu bytes asked for\n", sums.live_blocks,
          sums.big_blocks, (unsigned long long)sums.live_bytes);
    print("calls   %llu allocations, %llu frees, %llu failed\n", (unsigned long long)sums.allocs,
          (unsigned long long)sums.frees, (unsigned long long)sums.failures);
    print("misuse refused\n");
    for (unsigned i = 0; i < HEAP_MISUSES; i++)
        print("  %-20s %u\n", heap_misuse_names[i], sums.misuse[i]);
    return 0;
}

/* ---- Stacks -------------------------------------------------------------------------------- */

static void note_place(void *seen)
{
    volatile char here = 0;

    *(vaddr_t *)seen = address_of((const void *)&here);
}

/* Run a function on a stack and see where its variables are. */
static bool runs_on(const struct stack *stack)
{
    vaddr_t seen = 0;

    stack_call(stack->top, note_place, &seen);
    return seen >= stack->bottom && seen < stack->top;
}

/* Take `wanted` stacks, show the last one working, give all back. */
static int try_stacks(struct stack *stacks, uint32_t wanted)
{
    uint32_t taken = 0;
    int      err   = 0;
    bool     works = false;

    while (taken < wanted && (err = stack_get(&kernel_space, &stacks[taken])) == 0)
        taken++;
    if (taken > 0)
        works = runs_on(&stacks[taken - 1]);
    if (err != 0)
        print("stack %u of %u: %s\n", taken + 1, wanted,
              err == -EAGAIN ? "every slot is in use" : "not enough memory");
    if (taken > 0)
        print("took %u; the last is slot %u, %s to %s, and code %s on it\n", taken, stacks[taken - 1].slot,
              show_address(stacks[taken - 1].bottom).text, show_address(stacks[taken - 1].top - 1).text,
              works ? "runs" : "DOES NOT RUN");
    while (taken > 0)
        stack_put(&stacks[--taken]);
    return err;
}

int run_stacks(int count, char **words)
{
    struct stack *stacks;
    uint64_t      wanted;
    int           err;

    if (count == 1) {
        print("%u of %u stacks in use\n", stacks_used(&kernel_space), stacks_total());
        return 0;
    }
    if (!number_argument(words[1], "N", 1, (uint64_t)stacks_total() + 1, &wanted))
        return -EINVAL;
    stacks = heap_alloc((size_t)wanted * sizeof *stacks, 0);
    if (stacks == NULL) {
        print("not enough memory to keep a list of %u stacks\n", (unsigned)wanted);
        return -ENOMEM;
    }
    err = try_stacks(stacks, (uint32_t)wanted);
    heap_free(stacks);
    return err;
}
