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
#include "memory/layout.h"

#define KIB 1024u
/* KiB of RAM; and of what lies below 1 MiB and is none. */
enum { LEAST = 512, MOST = 16384, STEP = 512, HOLE = 384 };

/* 640 KiB, and from 1 MiB on: so much RAM is found in a machine whose last byte is there. */
static uint32_t found_in(uint32_t kib) { return kib <= 640 ? kib : kib < 1024 ? 640 : kib - HOLE; }
static uint32_t size_with(uint32_t found) { return found <= 640 ? found : found + HOLE; }

static const char *start(uint32_t kib)
{
    struct boot_range     ranges[] = { { 0, (kib < 640 ? kib : 640) * (uint64_t)KIB, BOOT_USABLE },
                                       { 1u << 20, kib > 1024 ? (kib - 1024) * (uint64_t)KIB : 0, BOOT_USABLE } };
    struct machine_config config   = { .ram_bytes = MOST * (uint64_t)KIB * 2, .ranges = ranges,
                                       .range_count = kib > 1024 ? 2 : 1 };
    struct start_facts    facts;

    machine_start(&config, &facts);
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

static void a_machine_starts_or_says_how_much_it_needs(void **state)
{
    uint32_t least = 0, said_last = 0;

    (void)state;
    for (uint32_t kib = MOST; kib >= LEAST; kib -= STEP) {
        const char *words = start(kib);
        uint32_t    found;

        if (words == NULL) {
            assert_int_equal(said_last, 0);             /* none with more memory has failed */
            least = kib;
            it_works();
        } else if (strstr(words, "too little") != NULL) {
            said_last = needed(words, &found);
            assert_int_equal(found, found_in(kib));
            assert_true(said_last > found);
            assert_true(said_last <= found_in(least) + STEP + HOLE);    /* not more than the least that started */
        }
        machine_stop();
    }
    assert_in_range(least, LEAST, MOST);
}

/* A user who follows the message may get another number, but not for ever. */
static void who_obeys_is_satisfied_soon(void **state)
{
    uint32_t kib = LEAST * 2, told = 0;

    (void)state;
    for (const char *words; (words = start(kib)) != NULL; told++) {
        uint32_t found, needs = strstr(words, "too little") != NULL ? needed(words, &found) : found_in(kib) + STEP;

        assert_true(told < 100);                        /* where the pool begins at 8 MiB it is told step by step */
        assert_true(needs > found_in(kib));
        kib = size_with(needs);
        machine_stop();
    }
    it_works();
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_starts_or_says_how_much_it_needs),
        cmocka_unit_test(who_obeys_is_satisfied_soon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
