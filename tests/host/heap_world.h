/*
 * heap_world.h - shared parts of the tests of the kernel heap: a machine, its output, its sums.
 */
#ifndef QUIRE_TESTS_HEAP_WORLD_H
#define QUIRE_TESTS_HEAP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/print.h"
#include "cpu.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"

/* The kernel's output since forget_text(). */
static char   said[1 << 14];
static size_t said_length;

static void hear(const char *text, size_t length)
{
    for (size_t i = 0; i < length && said_length + 1 < sizeof said; i++)
        said[said_length++] = text[i];
    said[said_length] = 0;
}

static inline void forget_text(void)
{
    said_length = 0;
    said[0] = 0;
}

static inline void boot(unsigned mebibytes)
{
    static bool listening;
    const char *wrong = machine_boot(mebibytes * MiB);

    if (wrong)
        fail_msg("%s", wrong);
    if (!listening)
        print_to(hear);
    listening = true;
    forget_text();
}

/* Each test gets a new machine, from inside the test, because cmocka's handlers come in between. */
static inline void run_on_new_machine(void **state)
{
    void (*test)(void) = *state;

    boot(16);
    test();
}

#define on_machine(test) { #test, run_on_new_machine, NULL, NULL, test }

static inline void assert_sound(void)
{
    struct audit_report report;

    if (!audit_full(&report))
        fail_msg("%s: %s", report.failures[0].id, report.failures[0].text);
    assert_true(heap_ok());
}

/* An address that the compiler knows nothing about: tests go where programs must not. */
static __attribute__((noinline, unused)) uint8_t *hidden(void *block)
{
    __asm__ volatile("" : "+r"(block));
    return block;
}

static inline uint8_t *take(size_t bytes)
{
    uint8_t *block = hidden(heap_alloc(bytes, 0));

    assert_non_null(block);
    return block;
}

static inline struct heap_sums sums(void)
{
    struct heap_sums s;

    heap_sums(&s);
    return s;
}

static inline uint32_t heap_pages(void)
{
    struct heap_sums s = sums();

    assert_int_equal(s.slab_pages + s.big_pages + s.bookkeeping_pages, frames_owned(OWNER_HEAP));
    return frames_owned(OWNER_HEAP);
}

static inline uint32_t misuses(void)
{
    struct heap_sums s = sums();
    uint32_t         all = 0;

    for (int i = 0; i < HEAP_MISUSES; i++)
        all += s.misuse[i];
    return all;
}

static uint64_t heap_world_seed = 0x853C49E6748FEA9Bu;

static inline uint32_t any(uint32_t below)
{
    heap_world_seed ^= heap_world_seed << 13;
    heap_world_seed ^= heap_world_seed >> 7;
    heap_world_seed ^= heap_world_seed << 17;
    return (uint32_t)(heap_world_seed >> 32) % below;
}

#endif
