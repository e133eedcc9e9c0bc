/*
 * crash.c - stopping the machine on purpose, to see what it says of it.
 *
 * The first few are bugs that the processor notices, the others bugs that our own checks notice. Misuse
 * of frames and of the heap is refused and harmless, so those return to the prompt.
 */
#include "console/commands.h"

#include "arch/contract.h"
#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/print.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/layout.h"
#include "memory/frames/next_page.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"
#include "process/schedule.h"

static volatile uint32_t *word_at(vaddr_t address) { return pointer_to(address); }

static vaddr_t start_of(enum purpose purpose) { return page_address(layout.purpose[purpose]->span.first); }

static void crash_null(void)         { print("read %x\n", *word_at(0)); }
static void crash_write_text(void)   { *word_at(start_of(PURPOSE_TEXT)) = 0; }
static void crash_write_rodata(void) { *word_at(start_of(PURPOSE_RODATA)) = 0; }
static void crash_hole(void)
{
    print("read %x\n", *word_at(page_address(layout.purpose[PURPOSE_HEAP]->span.end - 1)));
}
enum { ASKED_FOR_AT_THE_CONSOLE = true };
static void crash_assert(void)       { assert(!ASKED_FOR_AT_THE_CONSOLE); }
static void crash_invalid(void)      { __builtin_trap(); }

static void crash_vector(void)       { cpu_raise_unexpected(); }
static void crash_segment(void)      { cpu_load_nonsense(); }

/* The panic about the hole finds the region tree gone, and so does its audit. */
static void crash_in_panic(void)
{
    kernel_space.map.root = (struct region *)sizeof(struct region);
    crash_hole();
}

static void crash_lock(void)
{
    static struct lock lock = LOCK("a lock to be taken twice", RANK_MAP);
    lock_state state = lock_take(&lock);

    lock_drop(&lock, lock_take(&lock));
    lock_drop(&lock, state);
}

/* The same by a checked build alone, which knows which locks a CPU holds; others do nothing wrong here. */
static void crash_order(void)
{
    static struct lock outer = LOCK("the outer", RANK_MAP), inner = LOCK("the inner", RANK_POOL);
    lock_state         state = lock_take(&inner);

    lock_drop(&outer, lock_take(&outer));
    lock_drop(&inner, state);
    print("still here: this build does not look at the order of locks\n");
}

static void crash_sleep(void)
{
    static struct lock  lock  = LOCK("a spin lock", RANK_MAP);
    static struct mutex mutex = MUTEX("a lock that sleeps");
    lock_state          state = lock_take(&lock);

    mutex_take(&mutex);
    mutex_drop(&mutex);
    lock_drop(&lock, state);
    print("still here: this build does not look at what may sleep\n");
}

/* Each call keeps a page of its own, so the guard is met soon and cannot be jumped over. */
static uint32_t __attribute__((noinline)) dive(uint32_t depth)
{
    volatile uint32_t room[64];

    room[depth % COUNT_OF(room)] = depth;
    if (depth == UINT32_MAX)
        return 0;
    return dive(depth + 1) + room[depth % COUNT_OF(room)];
}

static void crash_overflow(void) { print("came back with %u\n", dive(0)); }

static void overflow_here(void *unused)
{
    (void)unused;
    crash_overflow();
}

static void crash_stack(void)
{
    struct stack stack;

    if (stack_get(&kernel_space, &stack) != 0)
        print("no stack to be had\n");
    else
        stack_call(stack.top, overflow_here, NULL);
}

/* K10. Where the document has an error instead, the pages are given back. */
static void crash_pages(void)
{
    uint32_t count = 0;
    frame_t  last  = NO_FRAME;
    paddr_t  page;

    while ((page = get_next_page()) != 0) {
        frame_set_link(frame_of(page), last.no);
        last = frame_of(page);
        count++;
    }
    while (frame_exists(last)) {
        page = frame_address(last);
        last = (frame_t){ frame_link(last) };
        free_page(page);
    }
    print("still here: after %u pages there were no more, and all are back\n", count);
}

static void crash_double_free(void)
{
    frame_t frame;

    if (frame_get(OWNER_TEST, 0, &frame) != 0)
        return;
    frame_put(frame);
    frame_put(frame);
    print("still here: giving frame %u back twice changed nothing\n", frame.no);
}

static void crash_heap_double_free(void)
{
    char *volatile block = heap_alloc(48, 0);

    heap_free(block);
    heap_free(block);
    print("still here: freeing a block twice changed nothing\n");
}

static void crash_heap_overflow(void)
{
    char *volatile block = heap_alloc(40, 0);

    if (block == NULL)
        return;
    memset(block + 40, 'x', 1);
    heap_free(block);
    print("still here: writing past the end of a block was noticed\n");
}

static const struct {
    const char *word, *text;
    void      (*run)(void);
} crashes[] = {
    { "null",             "read address 0",                                      crash_null },
    { "write-text",       "write to the kernel's code",                          crash_write_text },
    { "write-rodata",     "write to a constant",                                 crash_write_rodata },
    { "hole",             "read kernel space where nothing is mapped",           crash_hole },
    { "in-panic",         "the same, with no regions for the panic to look at",  crash_in_panic },
    { "invalid",          "run an instruction that is none",                     crash_invalid },
    { "vector",           "raise an interrupt that nobody has asked for",        crash_vector },
    { "segment",          "load a segment register with nonsense",               crash_segment },
    { "overflow",         "recursion until the boot stack is full",              crash_overflow },
    { "stack",            "the same on a stack of the stacks window",            crash_stack },
    { "assert",           "an assertion that does not hold",                     crash_assert },
    { "lock",             "take a lock twice",                                   crash_lock },
    { "order",            "take two locks against their order (a checked build)",    crash_order },
    { "sleep",            "sleep with a spin lock held (a checked build)",       crash_sleep },
    { "pages",            "take pages until there are none",                     crash_pages },
    { "double-free",      "give a frame back twice (refused)",                   crash_double_free },
    { "heap-double-free", "free a block of the heap twice (refused)",            crash_heap_double_free },
    { "heap-overflow",    "write past the end of a block (noticed)",             crash_heap_overflow },
};

int run_crash(int count, char **words)
{
    for (uint32_t i = 0; count == 2 && i < COUNT_OF(crashes); i++) {
        if (strcmp(crashes[i].word, words[1]) == 0) {
            crashes[i].run();
            return 0;
        }
    }
    if (count == 2)
        print("crash: expected one of the words below, not \"%s\"\n", words[1]);
    for (uint32_t i = 0; i < COUNT_OF(crashes); i++)
        print("  %-18s%s\n", crashes[i].word, crashes[i].text);
    return count == 2 ? -EINVAL : 0;
}
