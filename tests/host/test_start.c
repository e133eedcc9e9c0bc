/*
 * test_start.c - machines of every small size: the memory manager starts, or says how much it needs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "clean.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/frames/memmap.h"
#include "memory/heap/heap.h"
#include "memory/heap/stack.h"
#include "memory/layout.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/map.h"
#include "memory/spaces/object.h"
#include "memory/spaces/space.h"

#define KIB 1024u
/* KiB of RAM, in steps that meet the borders of pages and of 4 MiB in many ways; what lies below 1 MiB and is none. */
enum { LEAST = 640, MOST = 16384, STEP = 124, LARGER = 516, HOLE = 384 };

/* 640 KiB, and from 1 MiB on: so much RAM is found in a machine whose last byte is there. */
static uint32_t found_in(uint32_t kib) { return kib <= 640 ? kib : kib < 1024 ? 640 : kib - HOLE; }
static uint32_t size_with(uint32_t found) { return found <= 640 ? found : found + HOLE; }

static bool no_large;                   /* the processor has no large pages: the direct map takes more tables */

static const char *start(uint32_t kib)
{
    struct boot_range     ranges[] = { { 0, (kib < 640 ? kib : 640) * (uint64_t)KIB, BOOT_USABLE },
                                       { 1u << 20, kib > 1024 ? (kib - 1024) * (uint64_t)KIB : 0, BOOT_USABLE } };
    struct machine_config config   = { .ram_bytes = MOST * (uint64_t)KIB * 2, .ranges = ranges,
                                       .range_count = kib > 1024 ? 2 : 1, .no_large = no_large };
    struct start_facts    facts;
    uint8_t              *boot;

    machine_start(&config, &facts);
    boot = &machine_ram[facts.boot_end - PAGE_SIZE];            /* as a kernel's is: in memory that the pool gets */
    memcpy(boot, facts.info, offsetof(struct boot_info, ranges) + sizeof ranges);
    facts.info = (const struct boot_info *)boot;
    return memory_start(&facts);
}

/* The words, and the two numbers in them. */
static uint32_t needed(const char *words, uint32_t *found)
{
    char     name[32];
    unsigned has, needs;

    if (sscanf(words, "too little memory for layout %31[^:]: %u KiB of RAM found, at least %u KiB needed", name, &has,
               &needs) != 3)
        fail_msg("other words: %s", words);
    assert_string_equal(name, layout.name);
    *found = has;
    return needs;
}

static void it_works(void)
{
    void *block = heap_alloc(3000, HEAP_ZERO);

    assert_non_null(block);
    heap_free(block);
    assert_true(frames_free() > 0);
    assert_clean();
}

/* What the first refusal asks for: neither the image nor the pool need be there yet. */
static uint32_t asked_for(uint32_t kib)
{
    const char *words = start(kib);
    uint32_t    found, needs;

    assert_non_null(words);
    needs = needed(words, &found);
    assert_int_equal(found, found_in(kib));
    machine_stop();
    return needs;
}

/* The number was too low where the pool begins above the image, and was higher at each try. */
static void what_is_asked_for_is_enough_and_a_page_less_is_not(void **state)
{
    uint32_t needs = asked_for(LEAST);

    (void)state;
    assert_null(start(size_with(needs)));
    it_works();
    machine_stop();
    assert_int_equal(asked_for(size_with(needs) - PAGE_SIZE / KIB), needs);
}

static void every_smaller_machine_asks_for_the_same(void **state)
{
    uint32_t needs = asked_for(LEAST);

    (void)state;
    for (uint32_t kib = LEAST + STEP; kib < size_with(needs); kib += STEP)
        assert_int_equal(asked_for(kib), needs);
}

static void so_it_is_without_large_pages(void **state)
{
    no_large = true;
    what_is_asked_for_is_enough_and_a_page_less_is_not(state);
    no_large = false;
}

static void every_larger_machine_starts(void **state)
{
    uint32_t least = size_with(asked_for(LEAST));

    (void)state;
    assert_in_range(least, LEAST, MOST);
    for (uint32_t kib = least; kib <= MOST; kib += LARGER) {
        assert_null(start(kib));
        it_works();
        machine_stop();
    }
}

/* A machine that is switched off in the middle of things: the next one begins with none of them. */
static void a_start_begins_with_nothing(void **state)
{
    struct swap_sums sums;

    (void)state;
    for (unsigned time = 0; time < 2; time++) {
        struct stack   stack;
        struct object *object;

        assert_null(start(MOST));
        assert_int_equal(map_committed, 0);
        assert_null(object_after(NULL));
        swap_sums(&sums);
        assert_int_equal(sums.used, 0);
        assert_int_equal(stacks_used(&kernel_space), 0);
        it_works();
        assert_int_equal(stack_get(&kernel_space, &stack), 0);
        object = object_create(OWNER_SHARED, 3);
        assert_non_null(object);
        assert_ptr_equal(object_after(NULL), object);
        map_committed = 77;
        machine_stop();
    }
    assert_null(start(MOST));
    assert_int_equal(map_committed, 0);
    it_works();
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_is_enough_and_a_page_less_is_not),
        cmocka_unit_test(every_smaller_machine_asks_for_the_same),
        cmocka_unit_test(every_larger_machine_starts),
        cmocka_unit_test(so_it_is_without_large_pages),
        cmocka_unit_test(a_start_begins_with_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
