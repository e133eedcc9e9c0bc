/*
 * test_window_document.c - windows of kernel space under documents that say `at most`, and onto devices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "clean.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/spaces/space.h"
#include "memory/tables/cursor.h"
#include "memory/tables/table.h"
#include "own_document.h"

enum { RAM = 16 << 20, RAM_FRAMES = RAM / PAGE_SIZE };

/* A document whose windows take so many pages at most; 0: as many as there are. */
static void boot(size_t devices, size_t heap)
{
    const char *wrong;

    read_document();
    own_row(PURPOSE_DEVICES)->maximum = devices;
    own_row(PURPOSE_HEAP)->maximum    = heap;
    wrong = machine_boot(RAM);
    if (wrong != NULL)
        fail_msg("%s", wrong);
}

static void end(void)
{
    assert_clean();
    machine_stop();
}

/* Registers of a device behind all RAM, out of its window's own distance. */
static paddr_t behind_ram(size_t page) { return (paddr_t)(RAM_FRAMES + page) << PAGE_SHIFT; }

static int map_device(struct region *region, size_t pages)
{
    return kernel_map_device(region, "device", behind_ram(0), pages * PAGE_SIZE, CACHE_OFF);
}

static void device_windows_take_at_most_what_the_document_says(void **state)
{
    struct region first, second, third;

    (void)state;
    boot(5, 0);
    assert_int_equal(map_device(&first, 6), -ENOMEM);
    assert_int_equal(map_device(&first, 3), 0);
    assert_int_equal(map_device(&second, 3), -ENOMEM);
    assert_int_equal(map_device(&second, 2), 0);
    assert_int_equal(map_device(&third, 1), -ENOMEM);
    assert_clean();
    kernel_unmap(&first);
    assert_int_equal(map_device(&third, 4), -ENOMEM);
    assert_int_equal(map_device(&third, 3), 0);
    kernel_unmap(&second);
    kernel_unmap(&third);
    assert_int_equal(map_device(&first, 5), 0);
    kernel_unmap(&first);
    end();
}

static void other_windows_are_not_counted_with_them(void **state)
{
    struct region heap, device;

    (void)state;
    boot(2, 0);
    assert_int_equal(kernel_map(&heap, PURPOSE_HEAP, "heap", 4, 1, OWNER_TEST), 0);
    assert_int_equal(map_device(&device, 2), 0);
    kernel_unmap(&heap);
    assert_int_equal(map_device(&heap, 1), -ENOMEM);
    kernel_unmap(&device);
    end();
}

/* Where there is no frame for a table the window's pages are given back. */
static void a_device_window_that_fails_is_not_counted(void **state)
{
    struct region device;
    int           err = -ENOMEM;

    (void)state;
    boot(3, 0);
    for (uint32_t n = 1; err != 0; n++) {
        size_t before = kernel_space.map.count;

        frame_fail_at(n);
        err = map_device(&device, 3);
        frame_fail_at(0);
        assert_true(err == 0 || err == -ENOMEM);
        assert_int_equal(kernel_space.map.count, before + (err == 0));
        assert_true(n < 10);
    }
    kernel_unmap(&device);
    end();
}

static void the_heap_takes_at_most_what_the_document_says(void **state)
{
    struct region region;
    uint32_t      before;

    (void)state;
    boot(0, 0);
    before = frames_owned(OWNER_HEAP);
    own_row(PURPOSE_HEAP)->maximum = before + 5;
    assert_false(kernel_heap_is_over());
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "over", 6, 0, OWNER_HEAP), -ENOMEM);
    assert_int_equal(frames_owned(OWNER_HEAP), before);
    assert_clean();
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "all", 5, 0, OWNER_HEAP), 0);
    assert_false(kernel_heap_is_over());
    own_row(PURPOSE_HEAP)->maximum--;
    assert_true(kernel_heap_is_over());
    kernel_unmap(&region);
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "nobody's", 6, 0, OWNER_TEST), 0);   /* not the heap's */
    kernel_unmap(&region);
    own_row(PURPOSE_HEAP)->maximum = 0;
    assert_false(kernel_heap_is_over());
    end();
}

/* ---- Blocks of the heap: what is refused has changed nothing -------------------------------------------- */

enum { BLOCKS = 64 };

static void blocks_end_with_the_heaps_maximum(void **state)
{
    static void *blocks[BLOCKS];
    unsigned     count = 0;
    uint32_t     before, most;

    (void)state;
    boot(0, 0);
    heap_free(heap_alloc(3 * PAGE_SIZE, 0));
    before = frames_owned(OWNER_HEAP);
    most   = before + 20;
    own_row(PURPOSE_HEAP)->maximum = most;
    while (count < BLOCKS && (blocks[count] = heap_alloc(3 * PAGE_SIZE, 0)) != NULL)
        count++;
    assert_in_range(count, 5, 7);
    assert_true(frames_owned(OWNER_HEAP) <= most && frames_owned(OWNER_HEAP) + 3 > most);
    assert_clean();
    heap_free(blocks[--count]);
    assert_non_null(blocks[count] = heap_alloc(3 * PAGE_SIZE, 0));
    for (unsigned i = 0; i <= count; i++)
        heap_free(blocks[i]);
    own_row(PURPOSE_HEAP)->maximum = 0;
    end();
}

/* ---- Where a device window lies --------------------------------------------------------------------------- */

/* At the image's own distance where the window reaches that far and the place is free; else the lowest room. */
static void a_device_shows_at_its_own_distance_where_it_can(void **state)
{
    struct region own, other, lowest, far;
    struct span   window;
    page_t        wanted;
    paddr_t       at;

    (void)state;
    boot(0, 0);
    window = own_row(PURPOSE_DEVICES)->span;
    wanted = window.first + 9;
    if (wanted <= page_of(layout.kernel_offset) + RAM_FRAMES) {
        machine_stop();
        skip();
    }
    at = (paddr_t)(wanted - page_of(layout.kernel_offset)) << PAGE_SHIFT;
    assert_int_equal(kernel_map_device(&own, "own", at, 2 * PAGE_SIZE, CACHE_OFF), 0);
    assert_int_equal(own.span.first, wanted);
    assert_int_equal(span_pages(own.span), 2);
    assert_int_equal(own.offset, at >> PAGE_SHIFT);
    assert_int_equal(kernel_map_device(&other, "again", at, PAGE_SIZE, CACHE_THROUGH), 0);
    assert_int_equal(other.span.first, window.first);
    assert_int_equal(map_device(&lowest, 1), 0);
    assert_int_equal(lowest.span.first, window.first + 1);
    at = (paddr_t)(window.end - 1 - page_of(layout.kernel_offset)) << PAGE_SHIFT;
    assert_int_equal(kernel_map_device(&far, "half behind it", at, 2 * PAGE_SIZE, CACHE_OFF), 0);
    assert_int_equal(far.span.first, window.first + 2);
    kernel_unmap(&far);
    assert_int_equal(kernel_map_device(&far, "its last page", at, PAGE_SIZE, CACHE_OFF), 0);
    assert_int_equal(far.span.first, window.end - 1);
    assert_clean();
    kernel_unmap(&own);
    kernel_unmap(&other);
    kernel_unmap(&lowest);
    kernel_unmap(&far);
    end();
}

static int map_at(paddr_t start, size_t bytes)
{
    struct region region;
    int           err = kernel_map_device(&region, "device", start, bytes, CACHE_OFF);

    if (err == 0)
        kernel_unmap(&region);
    return err;
}

static void no_page_of_ram_shows_through_a_device_window(void **state)
{
    (void)state;
    boot(0, 0);
    assert_int_equal(map_at(behind_ram(0), PAGE_SIZE), 0);
    assert_int_equal(map_at(RAM - PAGE_SIZE, PAGE_SIZE), -EINVAL);
    assert_int_equal(map_at(RAM - PAGE_SIZE, 2 * PAGE_SIZE), -EINVAL);      /* the first of two is */
    assert_int_equal(map_at(0xA0000, 0x60000), 0);                          /* the hole between 640 KiB and 1 MiB */
    assert_int_equal(map_at(0xA0000, 0x60001), -EINVAL);                    /* the last of many is */
    assert_int_equal(map_at(0x9F000, PAGE_SIZE + 1), -EINVAL);
    assert_int_equal(map_at((paddr_t)(MMU_FRAMES_END - 1) << PAGE_SHIFT, PAGE_SIZE), 0);
    assert_int_equal(map_at((paddr_t)(MMU_FRAMES_END - 1) << PAGE_SHIFT, PAGE_SIZE + 1), -EINVAL);
    assert_int_equal(map_at((paddr_t)MMU_FRAMES_END << PAGE_SHIFT, 1), -EINVAL);
    end();
}

/* ---- Windows that are full, or not there; and pages of several batches ------------------------------------------- */

static bool is_mapped(page_t page)
{
    lock_state state = lock_take(&kernel_space.tables_lock);
    unsigned   level;
    bool       there = entry_present(table_lookup(&kernel_space, page, &level));

    lock_drop(&kernel_space.tables_lock, state);
    return there;
}

static void a_window_ends_with_its_last_page(void **state)
{
    struct region device;

    (void)state;
    read_document();
    own_row_cut(PURPOSE_DEVICES, 20);
    assert_null(machine_boot(RAM));
    assert_int_equal(map_device(&device, 21), -ENOMEM);
    assert_int_equal(map_device(&device, 20), 0);
    assert_int_equal(device.span.first, own_row(PURPOSE_DEVICES)->span.first);
    kernel_unmap(&device);
    for (enum purpose purpose = 0; purpose < PURPOSE_COUNT; purpose++)
        if (layout.purpose[purpose] == NULL)
            assert_int_equal(kernel_map(&device, purpose, "nowhere", 1, 0, OWNER_TEST), -ENOMEM);
    machine_stop();
}

static void pages_of_several_batches_are_all_there_or_none(void **state)
{
    static const size_t counts[] = { 1, CURSOR_BATCH - 1, CURSOR_BATCH, CURSOR_BATCH + 1, 2 * CURSOR_BATCH,
                                     2 * CURSOR_BATCH + 1 };

    (void)state;
    boot(0, 0);
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        for (size_t guard = 0; guard <= 2; guard += 2) {
            struct region region;
            page_t        first;

            assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "pages", counts[i], guard, OWNER_TEST), 0);
            first = region.span.first + guard;
            assert_int_equal(span_pages(region.span), counts[i] + guard);
            assert_int_equal(frames_owned(OWNER_TEST), counts[i]);
            for (size_t n = 0; n < guard; n++)
                assert_false(is_mapped(region.span.first + n));
            for (size_t n = 0; n < counts[i]; n++)
                assert_true(is_mapped(first + n));
            assert_false(is_mapped(first + counts[i]));
            kernel_unmap(&region);
            assert_int_equal(frames_owned(OWNER_TEST), 0);
            for (size_t n = 0; n < counts[i]; n++)
                assert_false(is_mapped(first + n));
            for (uint32_t n = 1; n <= counts[i]; n += 31) {
                frame_fail_at(n);
                assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "pages", counts[i], guard, OWNER_TEST), -ENOMEM);
                frame_fail_at(0);
                assert_int_equal(frames_owned(OWNER_TEST), 0);
            }
        }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_windows_take_at_most_what_the_document_says),
        cmocka_unit_test(other_windows_are_not_counted_with_them),
        cmocka_unit_test(a_device_window_that_fails_is_not_counted),
        cmocka_unit_test(the_heap_takes_at_most_what_the_document_says),
        cmocka_unit_test(blocks_end_with_the_heaps_maximum),
        cmocka_unit_test(a_device_shows_at_its_own_distance_where_it_can),
        cmocka_unit_test(no_page_of_ram_shows_through_a_device_window),
        cmocka_unit_test(a_window_ends_with_its_last_page),
        cmocka_unit_test(pages_of_several_batches_are_all_there_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
