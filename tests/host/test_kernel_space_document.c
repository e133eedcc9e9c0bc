/*
 * test_kernel_space_document.c - what kernel space shows after the start: rows to the page, and nothing that boot left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/range.h"
#include "clean.h"
#include "cpu.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"
#include "memory/tables/slot.h"
#include "memory/tables/table.h"
#include "own_document.h"

static struct start_facts facts;

static void boot(uint64_t bytes, bool no_large)
{
    struct machine_config config = { .ram_bytes = bytes, .no_large = no_large };
    const char           *wrong;

    machine_start(&config, &facts);
    wrong = memory_start(&facts);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    assert_clean();
}

static bool reads(page_t page)
{
    struct machine_fault fault;

    return !MACHINE_FAULTS(&fault, (void)*(volatile uint32_t *)pointer_to(page_address(page)));
}

static bool writes(page_t page)
{
    struct machine_fault fault;
    volatile uint32_t   *at = pointer_to(page_address(page));

    return !MACHINE_FAULTS(&fault, *at = *at);
}

static unsigned level_of(page_t page)
{
    lock_state state = lock_take(&kernel_space.tables_lock);
    unsigned   level;

    (void)table_lookup(&kernel_space, page, &level);
    lock_drop(&kernel_space.tables_lock, state);
    return level;
}

/* The page that shows a frame, one to one. */
static page_t shown(uint64_t physical) { return page_of(layout.kernel_offset) + (page_t)(physical >> PAGE_SHIFT); }

static void check_frames(uint64_t first, uint64_t end)
{
    for (uint64_t at = first; at < end; at += 37 * PAGE_SIZE) {
        *(uint32_t *)&machine_ram[at] = (uint32_t)at ^ 0xA5u;
        assert_int_equal(*(volatile uint32_t *)pointer_to(page_address(shown(at))), (uint32_t)at ^ 0xA5u);
        *(uint32_t *)&machine_ram[at] = FRAME_POISON;
    }
}

/* ---- RAM, one to one ---------------------------------------------------------------------------------------- */

static void all_ram_is_shown_and_nothing_behind_it(void **state)
{
    static const uint64_t sizes[] = { 8 << 20, (8 << 20) + PAGE_SIZE, (12 << 20) - PAGE_SIZE, 17 << 20 };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(sizes); i++)
        for (unsigned no_large = 0; no_large < 2; no_large++) {
            read_document();
            boot(sizes[i], no_large);
            assert_int_equal(direct_end(), sizes[i]);
            check_frames(6 << 20, sizes[i]);
            assert_true(reads(shown(sizes[i] - PAGE_SIZE)));
            assert_false(reads(shown(sizes[i])));
            assert_false(reads(shown(sizes[i]) + 1024));
            assert_int_equal(level_of(shown(5 << 20)), no_large ? 1 : MMU_LARGE_LEVEL);
            assert_int_equal(level_of(shown(1 << 20)), 1);              /* the boot's own table */
            machine_stop();
        }
}

/* The row ends in the middle of what a large page would show, and of what boot has mapped. */
static void a_row_ends_to_the_page(void **state)
{
    static const size_t pages[] = { 16, 700, 2048, 2100 };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(pages); i++) {
        page_t end;

        read_document();
        own_row_cut(PURPOSE_DIRECT, pages[i]);
        end = own_row(PURPOSE_DIRECT)->span.end;
        boot(24 << 20, false);
        assert_int_equal(direct_end(), (uint64_t)(end - page_of(layout.kernel_offset)) << PAGE_SHIFT);
        assert_true(reads(end - 1));
        assert_false(reads(end));
        assert_false(reads(end + 5));
        assert_false(reads(round_down(end, 1024) + 1023));
        machine_stop();
    }
}

/* ---- What boot left ------------------------------------------------------------------------------------------ */

static void what_only_boot_needed_is_gone(void **state)
{
    (void)state;
    read_document();
    boot(16 << 20, false);
    for (uint32_t i = 0; i < layout.boot_map_count; i++)
        if (!layout.boot_maps[i].keep)
            for (page_t page = layout.boot_maps[i].span.first; page < layout.boot_maps[i].span.end; page += 77)
                assert_false(reads(page));
    machine_stop();
}

static void the_image_has_the_documents_rights(void **state)
{
    struct span text, rodata, data;

    (void)state;
    read_document();
    boot(16 << 20, false);
    text   = own_row(PURPOSE_TEXT)->span;
    rodata = own_row(PURPOSE_RODATA)->span;
    data   = own_row(PURPOSE_DATA)->span;
    assert_true(reads(text.first) && reads(text.end - 1) && !writes(text.first) && !writes(text.end - 1));
    assert_true(reads(rodata.first) && reads(rodata.end - 1) && !writes(rodata.first) && !writes(rodata.end - 1));
    assert_true(writes(data.first) && writes(data.end - 2));
    assert_true(reads(data.end - 1) && !writes(data.end - 1));          /* the guard of the first stack */
    assert_int_equal(page_of(facts.guard), data.end - 1);
    machine_stop();
}

/* ---- Rows that programs may reach ----------------------------------------------------------------------------- */

/* Whether the root's entry for a page is open to programs. */
static bool lets_programs_through(page_t page)
{
    lock_state state = lock_take(&kernel_space.tables_lock);
    entry_t    e     = entry_read(entry_at(&kernel_space, page, MMU_LEVELS));
    frame_t    frame = entry_frame(e);

    lock_drop(&kernel_space.tables_lock, state);
    assert_int_equal(entry_kind(e, MMU_LEVELS), ENTRY_TABLE);
    return (e.raw & (entry_table(frame, true).raw ^ entry_table(frame, false).raw)) != 0;
}

static bool program_reads(page_t page)
{
    struct machine_fault fault;
    uint32_t             value;

    return machine_load(&kernel_space, page_address(page), true, &value, &fault);
}

static void tables_let_programs_through_to_rows_that_they_may_reach(void **state)
{
    (void)state;
    for (unsigned open = 0; open < 2; open++) {
        struct region heap, device;

        read_document();
        own_row(PURPOSE_HEAP)->rights.user = open ? MAY_READ : 0;
        boot(16 << 20, false);
        assert_int_equal(kernel_map(&heap, PURPOSE_HEAP, "heap", 3000, 0, OWNER_TEST), 0);  /* several tables */
        assert_int_equal(kernel_map_device(&device, "device", 0xFEC00000, PAGE_SIZE, CACHE_OFF), 0);
        for (page_t page = heap.span.first; page < heap.span.end; page += 500) {
            assert_int_equal(lets_programs_through(page), open);
            assert_int_equal(program_reads(page), open);
        }
        assert_false(lets_programs_through(device.span.first));
        assert_false(program_reads(device.span.first));
        assert_false(lets_programs_through(own_row(PURPOSE_TEXT)->span.first));
        kernel_unmap(&heap);
        kernel_unmap(&device);
        assert_clean();
        machine_stop();
    }
}

/* ---- How many tables a start takes ----------------------------------------------------------------------------- */

/* As many as space_start_needs() says, wherever RAM ends. */
static void a_start_takes_the_tables_that_it_asks_for(void **state)
{
    (void)state;
    for (uint64_t mebibytes = 3; mebibytes <= 40; mebibytes += 3)
        for (unsigned no_large = 0; no_large < 2; no_large++) {
            struct machine_config config = { .ram_bytes = (mebibytes << 20) + 5 * PAGE_SIZE, .no_large = no_large };
            uint32_t              needs, boots;
            paddr_t               sees;

            read_document();
            machine_start(&config, &facts);
            needs = space_start_needs((uint32_t)(config.ram_bytes >> PAGE_SHIFT), &sees);
            assert_null(memory_start(&facts));
            assert_int_equal(sees, direct_end());
            boots = 0;
            for (page_t page = 0; page < layout.space_end; page += 1024) {
                bool kept = span_meets(own_row(PURPOSE_SLOTS)->span, span_of(page, 1024));

                for (uint32_t i = 0; i < layout.boot_map_count; i++)
                    kept |= layout.boot_maps[i].keep && span_meets(layout.boot_maps[i].span, span_of(page, 1024));
                boots += kept;
            }
            assert_int_equal(kernel_space.table_frames, 1 + boots + frames_owned(OWNER_TABLES));
            assert_in_range(frames_owned(OWNER_TABLES), needs, needs + 3);              /* and those of the heap */
            machine_stop();
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ram_is_shown_and_nothing_behind_it),
        cmocka_unit_test(a_row_ends_to_the_page),
        cmocka_unit_test(what_only_boot_needed_is_gone),
        cmocka_unit_test(the_image_has_the_documents_rights),
        cmocka_unit_test(tables_let_programs_through_to_rows_that_they_may_reach),
        cmocka_unit_test(a_start_takes_the_tables_that_it_asks_for),
    };

    /* Other documents have their own ways to show memory. */
    return document.access == ACCESS_DIRECT ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
