/*
 * test_mmu_firmware.c - the firmware seed's machine: exact rights, keys, tables of variable length.
 *
 * slot.c, table.c and cursor.c are compiled here once more, for one level and the firmware format, over the
 * same software MMU. What x86 cannot express is shown here: execute-only pages, pages that
 * programs may use and the kernel may not, constants that cannot be executed.
 */
#define MMU_FORMAT_FIRMWARE
#define LAYOUT_NAME "firmware"          /* keeps the constants of a compiled document out */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/string.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/cursor.h"
#include "memory/frame.h"
#include "memory/layout.h"
#include "memory/slot.h"
#include "memory/space.h"

#include "machine.c"
#include "mmu.c"
#include "walk_firmware.c"
#include "memory/slot.c"
#include "memory/table.c"
#include "memory/cursor.c"
#include "memory/cursor_tables.c"

#define R   MAY_READ
#define W   MAY_WRITE
#define X   MAY_EXECUTE
#define RW  (R | W)

/*
 * The kernel part, bottom to top, as the seed draws it; a page or two of each. Then the slots, and
 * tables that the kernel sees at their physical address. Programs have the rest.
 */
enum { TEXT = 0, RODATA = 2, DATA = 3, ORIGINAL = 4, STACK = 5, SHARED = 6, HEAP = 7, IO = 12,
       SLOTS = 16, TABLES = 44, USER = 64, END = 256 };

static const struct layout_region rows[] = {
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

static const struct layout_boot_map identity[] = { { { 0, USER }, 0, true } };

const struct layout layout = {
    .name = "firmware on its own machine", .regions = rows, .region_count = COUNT_OF(rows), .common_count = COUNT_OF(rows),
    .boot_maps = identity, .boot_map_count = 1, .access = ACCESS_IDENTITY,
    .purpose = { [PURPOSE_SLOTS] = &rows[8], [PURPOSE_USER] = &rows[10] },
    .policy = { .polarity = ONE_IS_USED, .search = SEARCH_FIRST }, .user = { USER, END }, .space_end = END,
};

/* ---- What space.c, kernel_space.c and audit.c are on other machines ------------------------------- */

struct space kernel_space;

static struct space *listed[4];
static unsigned      listed_count;

bool space_is_current(const struct space *space)
{
    return space == &kernel_space || frame_is(mmu_active(), space->root);
}

void space_share_entry(page_t page, entry_t entry)
{
    for (unsigned i = 0; i < listed_count; i++)
        entry_write(entry_at(listed[i], page, MMU_LEVELS), entry);
}

int early_table_frame(frame_t *out)
{
    (void)out;
    return -ENOMEM;                     /* there are no tables below the root */
}

void audit_fail(struct audit_report *report, const char *id, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    printf(" (%s)\n", id);
    report->failed++;
}

/* ---- The machine ------------------------------------------------------------------------------- */

static uint64_t bitmap[8], summary[512];
static struct frame_record records[END];
static struct memmap map;

static uint32_t *table_words(frame_t root) { return (uint32_t *)&machine_ram[frame_address(root)]; }

static void start_pool(void)
{
    memmap_start(&map, MMU_FRAMES_END);
    memmap_add(&map, 0, END * PAGE_SIZE, true);
    memmap_own(&map, 0, SLOTS * PAGE_SIZE, OWNER_IMAGE);
    memmap_own(&map, SLOTS * PAGE_SIZE, TABLES * PAGE_SIZE, OWNER_HELD);    /* slots hide their addresses */
    memmap_own(&map, TABLES * PAGE_SIZE, (TABLES + 1) * PAGE_SIZE, OWNER_TABLES);
    assert_true(frames_bitmap_bytes(&layout.policy, END) <= sizeof bitmap);
    assert_true(frames_summary_bytes(END) <= sizeof summary);
    frames_open(&map, &layout.policy, USER, bitmap, summary, records);
}

static void map_row(const struct layout_region *row)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, &kernel_space, row->span, CURSOR_BUILD), 0);
    for (page_t page = row->span.first; page < row->span.end; page++)
        if (!entry_present(cursor_read(&c, page)))
            cursor_map(&c, page, (frame_t){ (uint32_t)page }, row->rights, CACHE_BACK);
    cursor_close(&c);
}

/* A root that maps itself, then everything else through the cursor. */
static void start(void)
{
    struct machine_config config = { .ram_bytes = END * PAGE_SIZE };
    frame_t root = { TABLES };

    machine_power_on(&config);
    table_words(root)[0] = TABLES + 1;
    table_words(root)[1 + TABLES] = entry_leaf(root, (struct rights){ RW, 0 }, CACHE_BACK, false, 1).raw;
    kernel_space = (struct space){ .root = root, .tables_lock = LOCK("tables", RANK_TABLES) };
    listed_count = 0;
    mmu_activate(root);
    slots_start(NULL);
    start_pool();
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].backing != BACKING_SLOTS && rows[i].backing != BACKING_USER)
            map_row(&rows[i]);
}

static void create(struct space *space)
{
    *space = (struct space){ .tables_lock = LOCK("tables of a space", RANK_TABLES) };
    assert_int_equal(frame_get(OWNER_TABLES, FRAME_ZERO | FRAME_LOW, &space->root), 0);
    for (unsigned i = 0; i <= USER; i++)
        table_words(space->root)[i] = table_words(kernel_space.root)[i];
    for (page_t page = SLOTS; page < TABLES; page++)
        table_words(space->root)[1 + page] = 0;             /* each root shows its own */
    listed[listed_count++] = space;
}

static void destroy(struct space *space)
{
    struct cursor c;

    mmu_activate(kernel_space.root);
    assert_int_equal(cursor_open(&c, space, (struct span){ USER, END }, 0), 0);
    for (page_t page = cursor_next(&c, USER); page < END; page = cursor_next(&c, page + 1))
        cursor_discard(&c, page);
    cursor_close(&c);
    assert_int_equal(space->resident, 0);
    assert_int_equal(table_words(space->root)[0], USER);
    listed_count--;
    frame_put(space->root);
}

static void end(void)
{
    struct frame_sums sums;

    assert_true(machine_tlb_ok() && frames_ok());
    frames_sums(&sums);
    assert_int_equal(sums.owned[OWNER_TEST], 0);
    assert_int_equal(sums.owned[OWNER_TABLES], 1);
    machine_stop();
}

static void put_page(struct space *space, page_t page, struct rights rights, uint32_t word)
{
    struct cursor c;
    frame_t       frame;

    assert_int_equal(frame_get(OWNER_TEST, 0, &frame), 0);
    *(uint32_t *)&machine_ram[frame_address(frame)] = word;
    assert_int_equal(cursor_open(&c, space, span_of(page, 1), CURSOR_BUILD), 0);
    cursor_map(&c, page, frame, rights, CACHE_BACK);
    cursor_close(&c);
}

static void discard(struct space *space, page_t page)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, space, span_of(page, 1), 0), 0);
    cursor_discard(&c, page);
    cursor_close(&c);
}

static void protect(struct space *space, page_t page, struct rights rights)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, space, span_of(page, 1), 0), 0);
    cursor_protect(&c, page, rights);
    cursor_close(&c);
}

/* The six probes of a page: exactly what is allowed, no less and no more; what is refused changes nothing. */
static void probe(struct space *space, page_t page, struct rights allowed)
{
    vaddr_t              at = page_address(page) + 16;
    struct machine_fault fault;
    frame_t              frame = { table_words(space->root)[1 + page] >> PAGE_SHIFT };
    uint32_t             value, *word = (uint32_t *)&machine_ram[frame_address(frame) + 16];

    for (int user = 0; user < 2; user++) {
        unsigned may = user ? allowed.user : allowed.kernel;
        bool     stored;

        *word = 0x5EED;
        assert_int_equal(machine_load(space, at, user, &value, &fault), (may & R) != 0);
        if (!(may & R))
            assert_true(fault.user == user && !fault.write && !fault.fetch && fault.address == at);
        stored = machine_store(space, at, user, 0xBAD, &fault);
        assert_int_equal(stored, (may & W) != 0);
        assert_int_equal(*word, stored ? 0xBAD : 0x5EED);
        assert_int_equal(machine_fetch(space, at, user, &fault), (may & X) != 0);
    }
}

/* ---- Tests ------------------------------------------------------------------------------------- */

/* G7 to G14: 8 regions, {kernel, user}, {read, write, execute}. */
static void forty_eight_probes_give_the_seeds_table(void **state)
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

/* What is asked for is had, but that kernel and program share one set of rights where both have any. */
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

/* G15 to G17: closed to the kernel as well, but while a process is created; read-only then. */
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

/* Of the image, which the pool does not know: removed, not discarded. */
static void remove_kernel_page(page_t page)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, &kernel_space, span_of(page, 1), 0), 0);
    assert_true(entry_present(cursor_remove(&c, page)));
    cursor_close(&c);
}

/* G5: kernel pages are the same frames in all tables, also those that come later. */
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

/* The same cache that never forgets: a flush left out is seen here as well. */
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
        cmocka_unit_test(forty_eight_probes_give_the_seeds_table),
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
