/*
 * test_slot_document.c - physical memory by its address: one to one as far as that goes, and where a region of a
 * document shows some of it elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clean.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/tables/slot.h"
#include "own_document.h"

static struct layout_region *a_hole(void)
{
    for (uint32_t i = 0; i < own_layout.region_count; i++)
        if (own_regions[i].backing == BACKING_NONE && span_pages(own_regions[i].span) >= 4)
            return &own_regions[i];
    return NULL;
}

static void start(void)
{
    const char *wrong;

    read_document();
    wrong = machine_boot(16 * MiB);
    if (wrong != NULL)
        fail_msg("%s", wrong);
}

/* Only the row is asked, so no page need be mapped there. */
static void a_region_shows_what_its_row_says_to_the_byte(void **state)
{
    struct layout_region *row;
    paddr_t first, end;
    char   *at;

    (void)state;
    start();
    row = a_hole();
    if (row != NULL) {
        first = direct_end() + 5 * PAGE_SIZE;
        end   = first + span_pages(row->span) * PAGE_SIZE;
        at    = pointer_to(page_address(row->span.first));
        assert_null(physical_pointer(first, 1));
        row->backing = BACKING_FIXED;
        row->frame   = (uint32_t)(first >> PAGE_SHIFT);
        assert_ptr_equal(physical_pointer(first, 1), at);
        assert_ptr_equal(physical_pointer(first + 7, 100), at + 7);
        assert_ptr_equal(physical_pointer(first, (size_t)(end - first)), at);
        assert_ptr_equal(physical_pointer(end - 1, 1), at + (end - first) - 1);
        assert_null(physical_pointer(end - 1, 2));
        assert_null(physical_pointer(end, 1));
        assert_null(physical_pointer(first - 1, 1));
        assert_null(physical_pointer(first - 1, 2));
    }
    machine_stop();
}

static void one_to_one_goes_as_far_as_it_is_said_to(void **state)
{
    (void)state;
    start();
    if (direct_end() > 0) {
        assert_ptr_equal(physical_pointer(direct_end() - 8, 8),
                         pointer_to(layout.kernel_offset + (vaddr_t)(direct_end() - 8)));
        assert_ptr_equal(physical_pointer(PAGE_SIZE, 1), pointer_to(layout.kernel_offset + PAGE_SIZE));
        assert_null(physical_pointer(direct_end() - 8, 9));
    }
    assert_null(physical_pointer(direct_end(), 1));
    assert_null(physical_pointer(UINT64_MAX - 5, 7));           /* comes round */
    machine_stop();
}

/* What boot has mapped for good, from physical 0 on, in order and without a gap; at the image's distance alone. */
static void boot_tables_show_as_much_as_they_have_in_a_row(void **state)
{
    static const struct { uint32_t physical, pages; bool keep, elsewhere; } all[] = {
        { 0, 100, false, false }, { 0, 300, true, true }, { 0, 512, true, false }, { 512, 512, false, false },
        { 512, 256, true, false }, { 700, 300, true, false }, { 100, 50, true, false }, { 1001, 100, true, false },
        { 1000, 24, true, true },
    };
    static const uint32_t ends[] = { 0, 0, 512, 512, 768, 1000, 1000, 1000, 1000 };
    struct layout_boot_map maps[COUNT_OF(all)];

    (void)state;
    read_document();
    for (uint32_t i = 0; i < COUNT_OF(all); i++) {
        page_t first = page_of(layout.kernel_offset) + all[i].physical + (all[i].elsewhere ? 4096 : 0);

        maps[i] = (struct layout_boot_map){ .span = { first, first + all[i].pages }, .keep = all[i].keep,
                                            .physical = (paddr_t)all[i].physical * PAGE_SIZE };
        own_layout.boot_maps      = maps;
        own_layout.boot_map_count = i + 1;
        slots_start(NULL);
        assert_int_equal(direct_end(), (paddr_t)ends[i] * PAGE_SIZE);
    }
    read_document();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_shows_what_its_row_says_to_the_byte),
        cmocka_unit_test(one_to_one_goes_as_far_as_it_is_said_to),
        cmocka_unit_test(boot_tables_show_as_much_as_they_have_in_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
