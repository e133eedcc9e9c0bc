/*
 * test_firmware.c - the claims of layouts/firmware/layout.md that an i386 cannot keep, on a machine that can.
 *
 * The rows are those of the compiled document: their rights, their order, the pages and the bytes at which
 * they begin and end. The machine has 256 pages, so the heap and the device region are cut behind their first
 * pages, and programs begin at page 112. Does nothing for documents of other layouts.
 */
#include "firmware_machine.h"

enum { SLOTS = 64, TABLES = 92, USER = 112, END = 256, HEAP_PAGES = 6, DEVICE_PAGES = 4 };
enum { TEXT, RODATA, DATA, ORIGINAL, STACK, SHARED, HEAP, DEVICES, KERNEL_ROWS };

static struct layout_region rows[] = {
    [KERNEL_ROWS]     = { .name = "slots",  .span = { SLOTS, TABLES }, .rights = { RW, 0 }, .backing = BACKING_SLOTS },
    [KERNEL_ROWS + 1] = { .name = "tables", .span = { TABLES, USER }, .rights = { RW, 0 }, .backing = BACKING_FIXED },
    [KERNEL_ROWS + 2] = { .name = "user",   .span = { USER, END },  .rights = { RW, RW | X }, .backing = BACKING_USER },
};

#include "firmware_world.h"

/* The compiled document, called `document`: this machine's layout is made of it. */
#include "document.c"

static bool is_firmware(void)
{
    return document.purpose[PURPOSE_ORIGINAL] != NULL && document.application.stack_most != 0;
}

#define FIRMWARE_ONLY()     \
    do {                    \
        (void)state;        \
        if (!is_firmware()) \
            skip();         \
    } while (0)

static void cut(struct layout_region *row, size_t pages)
{
    if (span_pages(row->span) > pages)
        row->span.end = row->span.first + pages;
}

/* The first eight rows of the document; devices follow the heap's first pages here. */
static void take_rows(void)
{
    for (unsigned i = 0; i < KERNEL_ROWS; i++)
        rows[i] = document.regions[i];
    cut(&rows[HEAP], HEAP_PAGES);
    rows[DEVICES].span = span_of(rows[HEAP].span.end, DEVICE_PAGES);
    assert_true(rows[DEVICES].span.end <= SLOTS);
}

/* As kernel_space.c leaves it: the original has no owner. */
static void start_document(struct space *space)
{
    take_rows();
    start();
    for (page_t page = rows[ORIGINAL].span.first; page < rows[ORIGINAL].span.end; page++)
        protect(&kernel_space, page, (struct rights){ 0, 0 });
    create(space);
}

static void probe_region(unsigned region, struct rights claimed)
{
    struct space space;

    start_document(&space);
    assert_false(span_empty(rows[region].span));
    for (page_t page = rows[region].span.first; page < rows[region].span.end; page++)
        probe(&space, page, claimed);
    destroy(&space);
    end();
}

/* ---- Rights: the design document's table, six accesses to every page ---------------------------------------- */

static void g7_code_is_for_execution_alone(void **state)
{
    FIRMWARE_ONLY();
    probe_region(TEXT, (struct rights){ X, X });
}
static void g8_constants_are_for_reading_alone(void **state)
{
    FIRMWARE_ONLY();
    probe_region(RODATA, (struct rights){ R, R });
}
static void g9_variables_are_the_kernels(void **state)
{
    FIRMWARE_ONLY();
    probe_region(DATA, (struct rights){ RW, 0 });
}
static void g10_the_original_is_nobodys(void **state)
{
    FIRMWARE_ONLY();
    probe_region(ORIGINAL, (struct rights){ 0, 0 });
}
static void g11_the_stack_is_the_kernels(void **state)
{
    FIRMWARE_ONLY();
    probe_region(STACK, (struct rights){ RW, 0 });
}
static void g12_the_kernels_copy_is_its_own(void **state)
{
    FIRMWARE_ONLY();
    probe_region(SHARED, (struct rights){ RW, 0 });
}
static void g13_the_heap_is_the_kernels(void **state)
{
    FIRMWARE_ONLY();
    probe_region(HEAP, (struct rights){ RW, 0 });
}
static void g14_device_pages_are_the_kernels(void **state)
{
    FIRMWARE_ONLY();
    probe_region(DEVICES, (struct rights){ RW, 0 });
}

/* G16: opened for reading, for the kernel only. */
static void g16_the_original_is_opened_for_reading(void **state)
{
    struct space         space;
    struct machine_fault fault;
    uint32_t             value;
    vaddr_t              at;

    FIRMWARE_ONLY();
    start_document(&space);
    at = page_address(rows[ORIGINAL].span.first);
    *(uint32_t *)&machine_ram[at] = 1234;
    assert_false(machine_load(&space, at, false, &value, &fault));
    protect(&kernel_space, page_of(at), rows[ORIGINAL].rights);
    assert_true(machine_load(&space, at, false, &value, &fault) && value == 1234);
    assert_false(machine_store(&space, at, false, 5, &fault) || machine_fetch(&space, at, false, &fault));
    assert_false(machine_load(&space, at, true, &value, &fault));
    protect(&kernel_space, page_of(at), (struct rights){ 0, 0 });
    assert_false(machine_load(&space, at, false, &value, &fault));
    destroy(&space);
    end();
}

/* ---- Tables ------------------------------------------------------------------------------------------ */

/* The application's rows with room for so much heap and stack; the heap and the first page of the stack are mapped. */
static uint32_t entries_for(size_t heap, size_t stack)
{
    struct space space;
    page_t       top  = USER + heap + document.application.guard + stack;
    uint32_t     used;

    start_document(&space);
    for (page_t page = USER; page < USER + heap; page++)
        put_page(&space, page, (struct rights){ 0, RW }, 1);
    put_page(&space, top - 1, (struct rights){ 0, RW }, 2);
    used = table_words(space.root)[0];
    assert_int_equal(used, top);                    /* no entry more than the highest page needs */
    destroy(&space);
    end();
    return used;
}

static void g3_a_table_is_as_long_as_heap_and_stack_ask(void **state)
{
    FIRMWARE_ONLY();
    for (size_t heap = 0; heap < 64; heap += 9)
        for (size_t stack = document.application.stack_first; stack <= document.application.stack_most; stack += 3)
            assert_int_equal(entries_for(heap, stack), entries_for(0, 1) + heap + stack - 1);
}

/* ---- Packing -------------------------------------------------------------------------------------------- */

/*
 * Regions 5, 6 and 7: each begins with the byte after the one below, and together they take no page more than needed.
 */
static void g19_neighbours_share_pages(void **state)
{
    const struct layout_region *low = &rows[STACK], *own = &rows[SHARED], *heap = &rows[HEAP];
    struct space         space;
    struct machine_fault fault;
    size_t               bytes, pages, parts;
    page_t               between;

    FIRMWARE_ONLY();
    start_document(&space);
    assert_int_equal(low->first_byte % PAGE_SIZE, 0);
    assert_int_equal(low->first_byte, rows[ORIGINAL].last_byte + 1);
    assert_int_equal(own->first_byte, low->last_byte + 1);
    assert_int_equal(heap->first_byte, own->last_byte + 1);
    assert_true(own->first_byte % PAGE_SIZE != 0 && heap->first_byte % PAGE_SIZE != 0);
    bytes = heap->first_byte - low->first_byte;
    pages = heap->span.first - low->span.first;
    parts = pages_for(own->first_byte - low->first_byte) + pages_for(heap->first_byte - own->first_byte);
    assert_int_equal(pages, pages_for(bytes));
    assert_true(pages < parts);
    /* The page in which two meet is one page, one frame and one set of rights. */
    between = page_of(own->first_byte);
    assert_int_equal(between, low->span.end - 1);
    assert_true(machine_store(&space, own->first_byte & ~(vaddr_t)3, false, 7, &fault));
    assert_int_equal(*(uint32_t *)&machine_ram[own->first_byte & ~(vaddr_t)3], 7);
    assert_true(machine_store(&space, (own->first_byte & ~(vaddr_t)3) - 4, false, 8, &fault));
    destroy(&space);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(g3_a_table_is_as_long_as_heap_and_stack_ask),
        cmocka_unit_test(g7_code_is_for_execution_alone),
        cmocka_unit_test(g8_constants_are_for_reading_alone),
        cmocka_unit_test(g9_variables_are_the_kernels),
        cmocka_unit_test(g10_the_original_is_nobodys),
        cmocka_unit_test(g11_the_stack_is_the_kernels),
        cmocka_unit_test(g12_the_kernels_copy_is_its_own),
        cmocka_unit_test(g13_the_heap_is_the_kernels),
        cmocka_unit_test(g14_device_pages_are_the_kernels),
        cmocka_unit_test(g16_the_original_is_opened_for_reading),
        cmocka_unit_test(g19_neighbours_share_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
