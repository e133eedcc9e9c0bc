/*
 * test_corrupt_memory.c - corruptions for which there is no memory: they do nothing, say so, and leave nothing. And
 * whatever place in its page a block has, what is broken is its own slab.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/range.h"
#include "clean.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/check/corrupt.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"

enum { MOST = 12, BLOCK = 40, BLOCKS = 600 };

static void assert_clean_after(const char *id, uint32_t n)
{
    struct audit_report report;

    audit_full(&report);
    machine_tlb_audit(&report);
    if (report.failed != 0)
        fail_msg("%s, %u: %s: %s", id, n, report.failures[0].id, report.failures[0].text);
}

static struct frame_sums sums_now(void)
{
    struct frame_sums sums;

    frames_sums(&sums);
    return sums;
}

/* The first, second ... frame or block is refused, until the corruption has what it needs. Returns how many were. */
static unsigned sweep(const struct corruption *row, void (*fail_at)(uint32_t))
{
    struct heap_sums blocks, blocks_after;

    for (uint32_t n = 1; n < MOST; n++) {
        bool did;

        heap_drain();
        heap_sums(&blocks);
        fail_at(n);
        did = row->corrupt();
        fail_at(0);
        if (did)
            row->restore();
        assert_clean_after(row->id, n);
        assert_int_equal(sums_now().owned[OWNER_TEST], 0);
        heap_sums(&blocks_after);
        assert_int_equal(blocks_after.live_blocks, blocks.live_blocks);
        if (did)
            return n - 1;
    }
    return MOST;
}

static void without_memory_nothing_is_broken(void **state)
{
    unsigned without_blocks = 0, without_frames = 0;

    (void)state;
    EACH_ROW(row, corruptions) {
        const char *wrong = machine_boot(24 << 20);
        bool        never;

        if (wrong != NULL)
            fail_msg("%s", wrong);
        never = !row->corrupt();                        /* this machine has nothing of the kind */
        if (!never) {
            row->restore();
            without_blocks += sweep(row, heap_fail_at) > 0;
            without_frames += sweep(row, frame_fail_at) > 0;
        }
        machine_stop();
    }
    assert_true(without_blocks >= 8);
    assert_true(without_frames >= 12);
}

static const struct corruption *h1(void)
{
    EACH_ROW(row, corruptions)
        if (strcmp(row->id, "H1") == 0)
            return row;
    return NULL;
}

/* The block that comes next is the one that the corruption takes: its page is named. */
static void the_slab_that_is_broken_is_the_block_s(void **state)
{
    static void             *held[BLOCKS];
    const struct corruption *row   = h1();
    const char              *wrong = machine_boot(24 << 20);

    (void)state;
    if (wrong != NULL)
        fail_msg("%s", wrong);
    for (unsigned n = 0; n < BLOCKS; n++) {
        struct audit_report report;
        char                slab[40];

        held[n] = heap_alloc(BLOCK, 0);
        assert_non_null(held[n]);
        snprintf(slab, sizeof slab, "slab 0x%08lx counts",
                 (unsigned long)round_down(address_of(held[n]), PAGE_SIZE));
        heap_free(held[n]);
        assert_true(row->corrupt());
        audit_full(&report);
        row->restore();
        assert_true(report.failed > 0);
        assert_memory_equal(report.failures[0].text, slab, strlen(slab));
        held[n] = heap_alloc(BLOCK, 0);
    }
    for (unsigned n = 0; n < BLOCKS; n++)
        heap_free(held[n]);
    assert_clean_after("H1", BLOCKS);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_nothing_is_broken),
        cmocka_unit_test(the_slab_that_is_broken_is_the_block_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
