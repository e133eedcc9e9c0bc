/*
 * test_costs_kernel.c - what the kernel's own memory costs: windows, heap, stacks, frames, objects, swap slots.
 *
 * The numbers are in test_costs_kernel.txt.
 */
#include "map_world.h"

#include "costs.h"
#include "memory/heap/heap_slab.h"
#include "memory/heap/stack.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/object.h"
#include "memory/spaces/object_parts.h"
#include "memory/tables/cursor.h"
#include "memory/tables/run.h"

static const size_t sizes[] = { 1, 2, 63, 64, 65, 128, 129, 257 };

/* ---- Windows ------------------------------------------------------------------------------------------- */

static void windows_are_filled_in_batches(void)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct region region;
        size_t        n = sizes[i];

        COST("kernel_map of # pages", n,
             assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "n", n, i % 3, OWNER_TEST), 0));
        assert_int_equal(span_pages(region.span), n + i % 3);
        COST("kernel_unmap of # pages", n, kernel_unmap(&region));
        COST("kernel_map_device of # pages", n,
             assert_int_equal(kernel_map_device(&region, "n", 0xF0000000, n * PAGE_SIZE, CACHE_OFF), 0));
        COST("kernel_unmap of a device of # pages", n, kernel_unmap(&region));
        frame_fail_at((uint32_t)n);
        COST("kernel_map of # pages, of which the last is not to be had", n,
             assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "n", n, 0, OWNER_TEST), -ENOMEM));
    }
}

/* ---- Heap ---------------------------------------------------------------------------------------------- */

static void blocks_of_each_size(void)
{
    static void *blocks[120];

    for (size_t bytes = 1; bytes <= 40000; bytes += bytes / 3 + 1) {
        size_t count = bytes <= HEAP_SMALL ? COUNT_OF(blocks) : 3;

        COST("take a block of # bytes", bytes, blocks[0] = heap_alloc(bytes, 0));
        COST("take more", bytes, ({
            for (size_t n = 1; n < count; n++)
                assert_non_null(blocks[n] = heap_alloc(bytes, HEAP_ZERO));
        }));
        COST("give every second back", bytes, ({
            for (size_t n = 1; n < count; n += 2)
                heap_free(blocks[n]);
        }));
        COST("make one a byte longer", bytes, assert_non_null(blocks[0] = heap_resize(blocks[0], bytes + 1)));
        COST("make it half as long", bytes, assert_non_null(blocks[0] = heap_resize(blocks[0], bytes / 2)));
        COST("give the rest back", bytes, ({
            for (size_t n = 0; n < count; n += 2)
                heap_free(blocks[n]);
        }));
        COST("empty the magazines", bytes, heap_drain());
    }
}

/* However many pages come free at once: the books of the slab area go a few at a time. */
static void many_slabs_come_and_go(void)
{
    static void *blocks[700];

    COST("take 700 blocks of half a page", 0, ({
        for (size_t n = 0; n < COUNT_OF(blocks); n++)
            assert_non_null(blocks[n] = heap_alloc(2000, 0));
    }));
    COST("give them back from the first on", 0, ({
        for (size_t n = 0; n < COUNT_OF(blocks); n++)
            heap_free(blocks[n]);
    }));
    COST("empty the magazines", 0, heap_drain());
}

static void the_heap_is_looked_at(void)
{
    struct heap_taker   rows[20];
    struct heap_sums    sums;
    struct audit_report report = { 0 };
    void               *big = heap_alloc(9000, 0), *small = heap_alloc(100, 0);

    COST("the sums of the heap", 0, heap_sums(&sums));
    COST("the takers of the heap", 0, heap_takers(rows, COUNT_OF(rows)));
    COST("the audit of the heap", 0, heap_audit(&report));
    for (uint32_t part = 0; part < 3; part++)
        COST("part # of the audit of the heap", part, heap_audit_part(part, &report));
    COST("the size of a small block", 0, heap_size(small));
    COST("the size of a big block", 0, heap_size(big));
    assert_int_equal(report.failed, 0);
    heap_free(big);
    heap_free(small);
}

/* ---- Stacks -------------------------------------------------------------------------------------------- */

static void stacks_come_and_go(void)
{
    struct stack stacks[5];

    for (unsigned n = 0; n < COUNT_OF(stacks); n++)
        COST("take stack #", n, assert_int_equal(stack_get(&program, &stacks[n]), 0));
    COST("write to a stack", 0, stack_write(&stacks[0], "word", 4));
    COST("how deep stacks are used", 0, stacks_deepest());
    COST("the audit of the stacks", 0, stacks_audit(&(struct audit_report){ 0 }));
    for (unsigned n = 0; n < COUNT_OF(stacks); n++)
        COST("give stack # back", n, stack_put(&stacks[n]));
    for (uint32_t n = 1; n < 6; n++) {
        int err;

        frame_fail_at(n);
        COST("take a stack without frame #", n, err = stack_get(&program, &stacks[0]));
        frame_fail_at(0);
        if (err == 0)
            stack_put(&stacks[0]);
    }
}

/* ---- Frames -------------------------------------------------------------------------------------------- */

static void frames_come_and_go(void)
{
    static frame_t list[300];
    frame_t        first;

    for (size_t n = 1; n <= 300; n = n * 3 + 1) {
        COST("take a run of # frames", n, assert_int_equal(frame_run_get(OWNER_TEST, (uint32_t)n, 1, 0, 0, &first), 0));
        COST("give a run of # frames back", n, frame_run_put(first, (uint32_t)n));
        COST("take # frames", n, ({
            for (size_t k = 0; k < n; k++)
                assert_int_equal(frame_get(OWNER_TEST, k % 2 ? FRAME_ZERO : 0, &list[k]), 0);
        }));
        COST("share # frames", n, ({
            for (size_t k = 0; k < n; k++)
                frame_share(list[k]);
        }));
        COST("drop a reference to # frames", n, frame_put_all(list, n));
        COST("change their owner", n, ({
            for (size_t k = 0; k < n; k++)
                frame_change_owner(list[k], OWNER_TEST, OWNER_USER);
        }));
        COST("give # frames back", n, frame_put_all(list, n));
        COST("clear some ahead", n, ({
            while (frames_idle())
                ;
        }));
        COST("empty the magazine", n, frames_drain());
    }
}

static void spaces_come_and_go(void)
{
    struct space spaces[3];

    for (unsigned n = 0; n < COUNT_OF(spaces); n++)
        COST("create space #", n, assert_int_equal(space_create(&spaces[n]), 0));
    COST("go to a space", 0, space_activate(&spaces[1]));
    COST("go to the same space", 0, space_activate(&spaces[1]));
    COST("go to another", 0, space_activate(&program));
    COST("which is in use", 0, space_active());
    COST("the next space", 0, space_after(&spaces[1]));
    COST("end the space in the middle", 0, space_destroy(&spaces[1]));
    COST("end the last", 0, space_destroy(&spaces[2]));
    COST("end the first", 0, space_destroy(&spaces[0]));
}

/* ---- Objects ------------------------------------------------------------------------------------------- */

static long bring(struct object *object, uint64_t page, const frame_t *frames, size_t count)
{
    (void)object, (void)page, (void)frames;
    return (long)count;
}

static void objects_grow_in_height(void)
{
    static const uint64_t pages[] = { 0, 1, 63, 64, 4095, 4096, 262143, 262144, 1ull << 24, 1ull << 40 };
    struct object        *object = object_create(OWNER_SHARED, UINT64_MAX);
    frame_t               frame;

    assert_non_null(object);
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        COST("page # of an object", (size_t)pages[i], assert_int_equal(object_page(object, pages[i], true, &frame), 0));
        frame_put(frame);
        COST("the same again", 0, assert_int_equal(object_page(object, pages[i], true, &frame), 0));
        frame_put(frame);
    }
    COST("the next that is there", 0, object_next(object, 65, true));
    COST("the next that is not", 0, object_next(object, 63, false));
    COST("punch two pages", 0, object_punch(object, 63, 65));
    COST("cut what is above page 4096", 0, object_resize(object, 4096));
    COST("end the object", 0, object_release(object));
}

static void a_pager_is_asked_for_more_each_time(void)
{
    static const struct object_operations operations = { .fill = bring };
    struct object *object = object_create_paged(OWNER_FILE, 100, &operations, NULL);
    frame_t        frame, frames[20];

    assert_non_null(object);
    for (uint64_t page = 0; page < 100; page += 7) {
        COST("page # from the pager", (size_t)page, assert_int_equal(object_page(object, page, false, &frame), 0));
        frame_put(frame);
    }
    COST("twenty pages that are there", 0, object_resident(object, 0, frames, COUNT_OF(frames)));
    for (size_t n = 0; n < COUNT_OF(frames); n++)
        if (frame_exists(frames[n]))
            frame_put(frames[n]);
    COST("wait for nobody", 0, object_await(object, 3));
    COST("end it", 0, object_release(object));
}

/* ---- Swap slots ---------------------------------------------------------------------------------------- */

static void slots_come_and_go(void)
{
    static uint8_t bytes[SWAP_MOST];
    uint32_t       slots[40];

    for (size_t n = 1; n <= SWAP_MOST; n += n / 2 + 60) {
        for (size_t k = 0; k < COUNT_OF(slots); k++)
            if (k == 0 || k == 1 || k + 1 == COUNT_OF(slots))
                COST("store # bytes", n, assert_int_equal(swap_store(bytes, n, &slots[k]), 0));
            else
                assert_int_equal(swap_store(bytes, n, &slots[k]), 0);
        COST("load # bytes", n, assert_int_equal(swap_load(slots[3], bytes), n));
        COST("share a slot", n, swap_share(slots[3]));
        COST("drop a reference to it", n, swap_put(slots[3]));
        COST("free every second slot", n, ({
            for (size_t k = 0; k < COUNT_OF(slots); k += 2)
                swap_put(slots[k]);
        }));
        COST("the audit of the slots", n, swap_audit(&(struct audit_report){ 0 }));
        COST("free the others", n, ({
            for (size_t k = 1; k < COUNT_OF(slots); k += 2)
                swap_put(slots[k]);
        }));
    }
}

/* ---- Looking ------------------------------------------------------------------------------------------- */

static void tables_are_looked_at(void)
{
    struct page_run run;
    page_t          end;

    assert_int_equal(map_fixed(0, 1500, R | W), 0);
    for (size_t n = 0; n < 1500; n += n < 40 ? 3 : 111)
        assert_true(writes(&program, column(n), 1));
    COST("all runs of a space", 0, ({
        for (end = page_of(column(3000)); page_run_below(&program, page_of(column(0)), &end, 0, &run); )
            ;
    }));
    COST("the audit of a space", 0, space_audit(&program, &(struct audit_report){ 0 }));
    COST("the audit across all parts", 0, audit_cross(&(struct audit_report){ 0 }));
    COST("the audit of objects", 0, objects_audit(&(struct audit_report){ 0 }));
    assert_int_equal(unmap(0, 1500), 0);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(windows_are_filled_in_batches),
        on_machine(blocks_of_each_size),
        on_machine(many_slabs_come_and_go),
        on_machine(the_heap_is_looked_at),
        on_machine(stacks_come_and_go),
        on_machine(frames_come_and_go),
        on_machine(spaces_come_and_go),
        on_machine(objects_grow_in_height),
        on_machine(a_pager_is_asked_for_more_each_time),
        on_machine(slots_come_and_go),
        on_machine(tables_are_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Other documents have other ways to reach tables, and other costs. */
int main(void) { return layout.access == ACCESS_DIRECT ? kept_run("test_costs_kernel", run_all) : 0; }
