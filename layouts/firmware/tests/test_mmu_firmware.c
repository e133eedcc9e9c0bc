/*
 * test_mmu_firmware.c - the machine of the firmware design document: exact rights, keys, tables of variable
 * length.
 *
 * Tests rights that x86 does not have: execute-only pages, pages that programs may use and the kernel may
 * not, constants that cannot be executed. test_firmware.c has the rows of the compiled document.
 */
#include "firmware_machine.h"

/*
 * The kernel part, bottom to top, as the design document draws it, with a page or two of each region; then the slots,
 * and tables at their physical addresses. Programs have the rest.
 */
enum { TEXT = 0, RODATA = 2, DATA = 3, ORIGINAL = 4, STACK = 5, SHARED = 6, HEAP = 7, IO = 12,
       SLOTS = 16, TABLES = 44, USER = 64, END = 256 };

static struct layout_region rows[] = {
    { .name = "text",     .span = { TEXT, RODATA },     .rights = { X, X },   .backing = BACKING_IMAGE },
    { .name = "rodata",   .span = { RODATA, DATA },     .rights = { R, R },   .backing = BACKING_IMAGE },
    { .name = "data",     .span = { DATA, ORIGINAL },   .rights = { RW, 0 },  .backing = BACKING_IMAGE },
    { .name = "original", .span = { ORIGINAL, STACK },  .rights = { 0, 0 },   .backing = BACKING_IMAGE },
    { .name = "stack",    .span = { STACK, SHARED },    .rights = { RW, 0 },  .backing = BACKING_IMAGE },
    { .name = "shared",   .span = { SHARED, HEAP },     .rights = { RW, 0 },  .backing = BACKING_IMAGE },
    { .name = "heap",     .span = { HEAP, IO },         .rights = { RW, 0 },  .backing = BACKING_DEMAND },
    { .name = "io",       .span = { IO, SLOTS },        .rights = { RW, 0 },  .backing = BACKING_DEVICE },
    { .name = "slots",    .span = { SLOTS, TABLES },    .rights = { RW, 0 },  .backing = BACKING_SLOTS },
    { .name = "tables",   .span = { TABLES, USER },     .rights = { RW, 0 },  .backing = BACKING_FIXED },
    { .name = "user",     .span = { USER, END },        .rights = { RW, RW | X }, .backing = BACKING_USER },
};

#include "firmware_world.h"

/* ---- Tests ------------------------------------------------------------------------------------- */

/* G7 to G14: 8 regions, {kernel, user}, {read, write, execute}. */
static void forty_eight_probes_give_the_documents_table(void **state)
{
    struct space space;

    (void)state;
    start();
    create(&space);
    for (unsigned row = 0; row < 8; row++)
        for (page_t page = rows[row].span.first; page < rows[row].span.end; page++)
            probe(&space, page, rows[row].rights);
    destroy(&space);
    end();
}

/* Rights are exactly those asked for, except that kernel and program share one set where both have any. */
static void every_combination_of_rights_is_exact(void **state)
{
    struct space space;
    unsigned     identical = 0;

    (void)state;
    start();
    create(&space);
    for (unsigned kernel = 0; kernel < 8; kernel++)
        for (unsigned user = 0; user < 8; user++) {
            struct rights want = { (uint8_t)kernel, (uint8_t)user }, got = mmu_allow(want);

            assert_true(rights_within(want, got));
            if (kernel == 0 || user == 0 || kernel == user)
                assert_true(got.kernel == kernel && got.user == user && ++identical);
            put_page(&space, 100, want, 1);
            probe(&space, 100, got);
            discard(&space, 100);
        }
    assert_int_equal(identical, 8 + 8 - 1 + 7);
    destroy(&space);
    end();
}

/* G15 to G17: no access for the kernel either, but while a process is created; then read-only. */
static void the_original_opens_only_for_a_moment(void **state)
{
    struct space         space;
    struct machine_fault fault;
    uint32_t             value;
    vaddr_t              at = page_address(ORIGINAL);

    (void)state;
    start();
    create(&space);
    *(uint32_t *)&machine_ram[at] = 1234;
    assert_false(machine_load(&space, at, false, &value, &fault));
    protect(&kernel_space, ORIGINAL, (struct rights){ R, 0 });
    assert_true(machine_load(&space, at, false, &value, &fault) && value == 1234);
    assert_false(machine_store(&space, at, false, 5, &fault));
    assert_false(machine_load(&space, at, true, &value, &fault));
    protect(&kernel_space, ORIGINAL, (struct rights){ 0, 0 });
    assert_false(machine_load(&space, at, false, &value, &fault));
    assert_int_equal(*(uint32_t *)&machine_ram[at], 1234);
    destroy(&space);
    end();
}

/* G3: less heap or stack gives a smaller table; nothing beyond its end translates. */
static void a_table_is_as_long_as_its_last_page_needs(void **state)
{
    struct space         space, large;
    struct machine_fault fault;
    uint32_t             value;

    (void)state;
    start();
    create(&space);
    create(&large);
    put_page(&space, 70, (struct rights){ 0, RW }, 1);
    put_page(&large, 255, (struct rights){ 0, RW }, 2);
    assert_int_equal(table_words(space.root)[0], 71);
    assert_int_equal(table_words(large.root)[0], 256);
    table_words(space.root)[1 + 200] = table_words(large.root)[1 + 255];
    assert_false(machine_load(&space, page_address(200), true, &value, &fault));
    table_words(space.root)[1 + 200] = 0;
    assert_true(machine_load(&large, page_address(255), true, &value, &fault) && value == 2);
    put_page(&space, 90, (struct rights){ 0, RW }, 3);
    discard(&space, 90);
    assert_int_equal(table_words(space.root)[0], 71);
    destroy(&large);
    destroy(&space);
    end();
}

/* Pages of the image are not in the pool: they are removed, not discarded. */
static void remove_kernel_page(page_t page)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, &kernel_space, span_of(page, 1), 0), 0);
    assert_true(entry_present(cursor_remove(&c, page)));
    cursor_close(&c);
}

/* G5: kernel pages are the same frames in all tables, also in those made later. */
static void a_new_kernel_page_is_in_every_table(void **state)
{
    struct space         one, two;
    struct machine_fault fault;
    uint32_t             value;

    (void)state;
    start();
    create(&one);
    create(&two);
    remove_kernel_page(HEAP + 4);
    assert_false(machine_load(&two, page_address(HEAP + 4), false, &value, &fault));
    put_page(&kernel_space, HEAP + 4, (struct rights){ RW, 0 }, 77);
    assert_true(machine_load(&one, page_address(HEAP + 4), false, &value, &fault) && value == 77);
    assert_true(machine_store(&two, page_address(HEAP + 4), false, 78, &fault));
    assert_true(machine_load(&one, page_address(HEAP + 4), false, &value, &fault) && value == 78);
    discard(&kernel_space, HEAP + 4);
    assert_false(machine_load(&one, page_address(HEAP + 4), false, &value, &fault));
    destroy(&two);
    destroy(&one);
    end();
}

static void null_faults_though_code_lies_there(void **state)
{
    struct space         space;
    struct machine_fault fault;
    uint32_t             value;

    (void)state;
    start();
    create(&space);
    assert_false(machine_load(&space, 0, true, &value, &fault));
    assert_false(machine_load(&space, 0, false, &value, &fault));
    assert_false(machine_store(&space, 0, false, 1, &fault));
    assert_true(fault.present);
    destroy(&space);
    end();
}

/* ---- An array of pages, as in test_cursor.c, with rights that are exact ------------------------- */

enum { PAGES = 40 };

static struct page {
    bool          mapped;
    struct rights rights;
    uint32_t      word;
} model[PAGES];

static unsigned dice(unsigned sides) { return (unsigned)rand() % sides; }

static struct rights any_rights(void)
{
    uint8_t some = (uint8_t)dice(8);

    switch (dice(3)) {
    case 0:  return (struct rights){ some, some };
    case 1:  return (struct rights){ some, 0 };
    default: return (struct rights){ 0, some };
    }
}

static void edit(struct space *space, unsigned i, uint32_t word)
{
    struct page *page = &model[i];

    if (!page->mapped) {
        *page = (struct page){ true, any_rights(), word };
        put_page(space, USER + i, page->rights, word);
    } else if (dice(3) != 0) {
        page->rights = any_rights();
        protect(space, USER + i, page->rights);
    } else {
        page->mapped = false;
        discard(space, USER + i);
    }
}

static void check(struct space *space, unsigned i)
{
    const struct page   *page = &model[i];
    struct rights        may  = page->mapped ? page->rights : (struct rights){ 0, 0 };
    struct machine_fault fault;
    uint32_t             value;

    for (int user = 0; user < 2; user++) {
        unsigned mine = user ? may.user : may.kernel;
        vaddr_t  at   = page_address(USER + i);

        assert_int_equal(machine_load(space, at, user, &value, &fault), (mine & R) != 0);
        if (mine & R)
            assert_int_equal(value, page->word);
        assert_int_equal(machine_fetch(space, at, user, &fault), (mine & X) != 0);
        assert_int_equal(machine_store(space, at, user, page->word, &fault), (mine & W) != 0);
    }
}

static void edits_leave_what_an_array_would_hold(void **state)
{
    struct space space;
    unsigned     last, present;

    (void)state;
    srand(3);
    memset(model, 0, sizeof model);
    start();
    create(&space);
    for (uint32_t step = 1; step < 2000; step++) {
        if (dice(16) == 0)
            mmu_activate(dice(2) ? space.root : kernel_space.root);
        edit(&space, dice(PAGES), step);
        assert_true(machine_tlb_ok());
        last = present = 0;
        for (unsigned i = 0; i < PAGES; i++) {
            check(&space, i);
            last     = model[i].mapped ? i + 1 : last;
            present += model[i].mapped && (model[i].rights.kernel | model[i].rights.user) != 0;
        }
        assert_int_equal(table_words(space.root)[0], USER + last);
        assert_int_equal(space.resident, present);
    }
    destroy(&space);
    end();
}

/* The translation cache changes by flushes only: a flush that is left out is noticed here, too. */
static void a_missing_flush_is_seen(void **state)
{
    struct space         space;
    struct machine_fault fault;
    uint32_t             value;

    (void)state;
    start();
    create(&space);
    mmu_activate(space.root);
    put_page(&space, 100, (struct rights){ RW, RW }, 7);
    assert_true(machine_load(&space, page_address(100), true, &value, &fault));
    machine_skip_flush(1);
    protect(&space, 100, (struct rights){ 0, RW });
    assert_int_equal(machine_skipped_page(), 100);
    assert_true(machine_load(&space, page_address(100), false, &value, &fault));
    mmu_flush_page(100);
    assert_false(machine_load(&space, page_address(100), false, &value, &fault));
    destroy(&space);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forty_eight_probes_give_the_documents_table),
        cmocka_unit_test(every_combination_of_rights_is_exact),
        cmocka_unit_test(the_original_opens_only_for_a_moment),
        cmocka_unit_test(a_table_is_as_long_as_its_last_page_needs),
        cmocka_unit_test(a_new_kernel_page_is_in_every_table),
        cmocka_unit_test(null_faults_though_code_lies_there),
        cmocka_unit_test(edits_leave_what_an_array_would_hold),
        cmocka_unit_test(a_missing_flush_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
