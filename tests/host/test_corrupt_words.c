/*
 * test_corrupt_words.c - each corruption, and every word that the auditor says of it: test_corrupt_words.txt.
 *
 * On a machine that has just started, and on one whose program has memory of every kind; for each, what corrupts finds
 * another frame, another block and another slot than the one before.
 */
#include "map_world.h"

#include "kept_lines.h"
#include "memory/check/corrupt.h"
#include "memory/heap/stack.h"
#include "memory/layout.h"
#include "memory/start.h"

enum { PAGE_OUT = 21, MOST = 12 };

static bool busy;

/* Frames of the test's own, so that none is taken for that of the corruption before. */
static frame_t  aside[64];
static unsigned aside_count;

static void set_aside(unsigned count)
{
    while (aside_count < count)
        assert_int_equal(frame_get(OWNER_CACHE, 0, &aside[aside_count++]), 0);
}

static void take_back(void)
{
    while (aside_count > 0)
        frame_put(aside[--aside_count]);
}

static void make_busy(void)
{
    struct map_request shared = request(column(20), 5, R | W, MAP_IS_FIXED | MAP_IS_SHARED);
    vaddr_t            out;

    paint("wwwwwwww..rr");
    assert_int_equal(map_create(&program, &shared, &out), 0);
    for (size_t n = 0; n < 8; n++)
        assert_true(writes(&program, column(n), (uint32_t)n));
    assert_true(writes(&program, column(21), 5));
    assert_int_equal(map_advise(&program, column(0), 3 * PAGE_SIZE, PAGE_OUT), 0);
    (void)word_at(column(10));
}

/* Use what may be corrupted, so that the processor knows it. */
static void use(enum purpose purpose)
{
    volatile uint32_t   *at = pointer_to(page_address(layout.purpose[purpose]->span.first));
    struct machine_fault fault;
    uint32_t             word;

    (void)!MACHINE_FAULTS(&fault, word = *at);
    (void)!MACHINE_FAULTS(&fault, *at = *at);
    (void)machine_load(&kernel_space, page_address(layout.purpose[purpose]->span.first), true, &word, &fault);
}

static void use_all(void)
{
    use(PURPOSE_TEXT);
    use(PURPOSE_RODATA);
    use(PURPOSE_DATA);
    space_activate(&program);
}

static void tell(const struct corruption *row)
{
    struct audit_report report;

    audit_full(&report);
    machine_tlb_audit(&report);
    for (uint32_t i = 0; i < report.failed && i < AUDIT_FAILURES; i++)
        kept_line("%s: %s %s", row->id, report.failures[i].id, report.failures[i].text);
    kept_line("%s: %u in all; %s", row->id, report.failed, row->how);
}

static void each_corruption(void)
{
    unsigned number = 0;

    if (busy)
        make_busy();
    EACH_ROW(row, corruptions) {
        set_aside(++number % COUNT_OF(aside));
        use_all();
        assert_clean();
        if (!row->corrupt()) {
            kept_line("%s: not here", row->id);
            continue;
        }
        tell(row);
        use_all();
        row->restore();
        assert_clean();
        if (number % 16 == 0)
            take_back();
    }
    take_back();
}

static void so_it_is_on_a_busy_machine(void)
{
    busy = true;
    each_corruption();
    busy = false;
}

static unsigned count_spaces(void)
{
    unsigned count = 0;

    for (const struct space *s = space_after(NULL); s != NULL; s = space_after(s))
        count++;
    return count;
}

/* What there is no memory for leaves no space, no table and no frame behind. */
static void what_cannot_be_corrupted_leaves_nothing(void)
{
    EACH_ROW(row, corruptions)
        for (uint32_t nth = 1; nth < MOST; nth++)
            for (unsigned blocks = 0; blocks < 2; blocks++) {
                uint32_t free, free_after, spaces = count_spaces();
                bool     did;

                if (row->corrupt())                     /* tables of the kernel stay */
                    row->restore();
                heap_drain();
                free = frames_free();
                if (blocks)
                    heap_fail_at(nth);
                else
                    frame_fail_at(nth);
                did = row->corrupt();
                heap_fail_at(0);
                frame_fail_at(0);
                if (did)
                    row->restore();
                heap_drain();
                free_after = frames_free();
                if (free != free_after || spaces != count_spaces())
                    fail_msg("%s, %u: %u frames free, then %u", row->id, nth, free, free_after);
                assert_clean();
            }
}

/* ---- Memory maps that leave no room -------------------------------------------------------------------- */

static bool corrupts(const char *id)
{
    EACH_ROW(row, corruptions)
        if (strcmp(row->id, id) == 0) {
            bool did = row->corrupt();

            if (did) {
                tell(row);
                row->restore();
            } else {
                kept_line("%s: not here", id);
            }
            assert_clean();
            return did;
        }
    fail_msg("no row %s", id);
    return false;
}

static void boot_with(const struct boot_range *ranges, uint32_t count, uint64_t bytes)
{
    struct machine_config config = { .ram_bytes = bytes, .ranges = ranges, .range_count = count };
    struct start_facts    facts;
    const char           *wrong;

    machine_start(&config, &facts);
    wrong = memory_start(&facts);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    assert_clean();
}

/* Many ranges of one frame each, behind RAM: the map is full, or has one place left. */
static void a_map_that_is_full_gets_no_more_ranges(void **state)
{
    static struct boot_range ranges[BOOT_RANGES] = { { 0, 640 * KiB, BOOT_USABLE }, { MiB, 15 * MiB, BOOT_USABLE } };
    uint32_t                 count = 2;

    (void)state;
    for (; count < COUNT_OF(ranges); count++)
        ranges[count] = (struct boot_range){ (20 * MiB) + 2 * count * PAGE_SIZE, PAGE_SIZE, BOOT_RESERVED };
    boot_with(ranges, 2, 16 * MiB);
    count = 2 + MEMMAP_RANGES - memory_map()->count;
    machine_stop();
    for (uint32_t less = 0; less < 3; less++) {
        boot_with(ranges, count - less, 16 * MiB);
        assert_int_equal(memory_map()->count, MEMMAP_RANGES - less);
        assert_int_equal(corrupts("P1"), less > 0);
        assert_int_equal(corrupts("P2"), less > 0);
        assert_true(corrupts("P3"));
        assert_true(corrupts("X4"));
        machine_stop();
    }
}

/* The map begins with ranges of one frame, which cannot be cut in two; and all of it is RAM, to its last frame. */
static void small_ranges_and_ram_without_holes(void **state)
{
    static const struct boot_range small[] = {
        { 0, PAGE_SIZE, BOOT_USABLE }, { PAGE_SIZE, PAGE_SIZE, BOOT_RESERVED },
        { 2 * PAGE_SIZE, PAGE_SIZE, BOOT_USABLE }, { 4 * PAGE_SIZE, PAGE_SIZE, BOOT_USABLE },
        { MiB, 15 * MiB, BOOT_USABLE },
    };
    static const uint64_t ends[] = { 16 * MiB, 16 * MiB + PAGE_SIZE, 16 * MiB - PAGE_SIZE };

    (void)state;
    boot_with(small, COUNT_OF(small), 16 * MiB);
    corrupts("P2");
    corrupts("F4");
    corrupts("X4");
    machine_stop();
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct boot_range all[] = { { 0, ends[i], BOOT_USABLE } };

        boot_with(all, 1, ends[i]);
        kept_line("RAM up to frame 0x%x", frames_end());
        corrupts("F4");
        machine_stop();
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(each_corruption),
        on_machine(so_it_is_on_a_busy_machine),
        on_machine(what_cannot_be_corrupted_leaves_nothing),
        cmocka_unit_test(a_map_that_is_full_gets_no_more_ranges),
        cmocka_unit_test(small_ranges_and_ram_without_holes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Other documents have other numbers. */
int main(void) { return layout.access == ACCESS_DIRECT ? kept_run("test_corrupt_words", run_all) : 0; }
