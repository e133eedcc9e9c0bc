/*
 * test_audit.c - each invariant broken on purpose, and seen named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/print.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/tables/cursor.h"
#include "memory/tables/table.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/check/corrupt.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"

enum { RAM = 16 << 20 };

/* Memory in use of every kind, so that each corruption has something to corrupt. */
static void boot(void)
{
    static char *blocks[64];
    struct stack stack;

    assert_null(machine_boot(RAM));
    for (unsigned i = 0; i < COUNT_OF(blocks); i++)
        assert_non_null(blocks[i] = heap_alloc(16 + 40 * i, 0));
    for (unsigned i = 0; i < COUNT_OF(blocks); i += 2)
        heap_free(blocks[i]);
    assert_int_equal(stack_get(&kernel_space, &stack), 0);
}

/* All of the kernel's audit, and the software MMU's cache. */
static void audit_all(struct audit_report *report)
{
    audit_full(report);
    machine_tlb_audit(report);
}

static uint32_t kept(const struct audit_report *report)
{
    return report->failed < AUDIT_FAILURES ? report->failed : AUDIT_FAILURES;
}

static bool names(const struct audit_report *report, const char *id)
{
    for (uint32_t i = 0; i < kept(report); i++)
        if (strcmp(report->failures[i].id, id) == 0)
            return true;
    return false;
}

static void assert_clean(const char *when)
{
    struct audit_report report;

    audit_all(&report);
    if (report.failed != 0)
        fail_msg("%s: %s %s", when, report.failures[0].id, report.failures[0].text);
}

/* An entry that programs may use where only the kernel may is wrong in two ways. */
static bool may_come_along(const char *broken, const char *named)
{
    return strcmp(broken, named) == 0 || (strcmp(broken, "C2") == 0 && strcmp(named, "S1") == 0);
}

static void break_and_restore(const struct corruption *corruption)
{
    struct audit_report report;

    audit_all(&report);
    corruption->restore();
    if (!names(&report, corruption->id))
        fail_msg("%s was broken (%s) and not named", corruption->id, corruption->how);
    for (uint32_t i = 0; i < kept(&report); i++)
        if (!may_come_along(corruption->id, report.failures[i].id))
            fail_msg("%s was broken, %s named: %s", corruption->id, report.failures[i].id,
                     report.failures[i].text);
}

static void each_invariant_broken_is_named_alone(void **state)
{
    uint32_t broken = 0;

    (void)state;
    boot();
    assert_clean("at the start");
    EACH_ROW(row, corruptions) {
        if (!row->corrupt())
            continue;
        break_and_restore(row);
        assert_clean(row->id);
        broken++;
    }
    /* Only S2 may be out of reach: two-level tables cannot tell execution apart. */
    assert_int_equal(broken, audit_invariants() - 1);
    machine_stop();
}

static const struct corruption *corruption_of(const struct invariant *invariant)
{
    EACH_ROW(corruption, corruptions)
        if (invariant != NULL && strcmp(corruption->id, invariant->id) == 0)
            return corruption;
    return NULL;
}

static void each_invariant_has_a_corruption(void **state)
{
    (void)state;
    EACH_ROW(invariant, invariants) {
        assert_non_null(corruption_of(invariant));
        assert_ptr_equal(audit_find(invariant->id), invariant);
    }
    EACH_ROW(corruption, corruptions)
        assert_ptr_equal(corruption_of(audit_find(corruption->id)), corruption);
}

static void invariants_are_found_by_id(void **state)
{
    (void)state;
    assert_string_equal(audit_find("x2")->id, "X2");
    assert_null(audit_find(""));
    assert_null(audit_find("X"));
    assert_null(audit_find("X9"));
    assert_null(audit_find("X22"));
}

/* Steps until everything has been looked at once; more than this would be a loop that never gets round. */
enum { STEPS = 4096 };

static uint32_t steps_to_find(const char *id)
{
    struct audit_report report;

    for (uint32_t step = 1; step <= STEPS; step++)
        if (!audit_step(&report) && names(&report, id))
            return step;
    return 0;
}

static void steps_find_what_a_full_audit_finds(void **state)
{
    static const char *const ids[] = { "P1", "F1", "F2", "F4", "S1", "S5", "H1", "H4", "K1",
                                       "W1", "W2", "W3", "W4", "E1", "E2", "E3", "E4", "E5", "E6", "E7" };

    (void)state;
    boot();
    for (uint32_t i = 0; i < COUNT_OF(ids); i++) {
        const struct invariant *invariant = audit_find(ids[i]);
        const struct corruption  *corruption;
        uint32_t                steps;

        if (invariant == NULL)
            continue;                           /* a corruption that this layout has no structure for */
        corruption = corruption_of(invariant);
        assert_true(corruption->corrupt());
        steps = steps_to_find(ids[i]);
        corruption->restore();
        if (steps == 0)
            fail_msg("%s: not found in %d steps", ids[i], STEPS);
    }
    machine_stop();
}

static void steps_over_a_clean_machine_find_nothing(void **state)
{
    struct audit_report report;

    (void)state;
    boot();
    for (uint32_t step = 0; step < STEPS; step++) {
        assert_true(audit_step(&report));
        assert_int_equal(report.failed, 0);
    }
    machine_stop();
}

static void an_audit_changes_nothing(void **state)
{
    struct frame_sums   frames[2];
    struct heap_sums    heap[2];
    struct audit_report report;

    (void)state;
    boot();
    memset(frames, 0, sizeof frames);
    memset(heap, 0, sizeof heap);
    frames_sums(&frames[0]);
    heap_sums(&heap[0]);
    assert_true(audit_full(&report));
    frames_sums(&frames[1]);
    heap_sums(&heap[1]);
    assert_memory_equal(&frames[0], &frames[1], sizeof frames[0]);
    assert_memory_equal(&heap[0], &heap[1], sizeof heap[0]);
    machine_stop();
}

/* The lowest of three frames with a reference too many is the one that X2 names. */
static void the_first_frame_at_odds_is_named(void **state)
{
    struct region       regions[3];
    frame_t             lowest = NO_FRAME;
    struct audit_report report;
    char                expected[32];

    (void)state;
    boot();
    for (unsigned i = 0; i < COUNT_OF(regions); i++)
        assert_int_equal(kernel_map(&regions[i], PURPOSE_HEAP, "odd", 1, 0, OWNER_USER), 0);
    for (uint32_t n = 0; n < frames_end(); n++) {
        if (frame_owner((frame_t){ n }) != OWNER_USER)
            continue;
        frame_share((frame_t){ n });
        if (!frame_exists(lowest))
            lowest = (frame_t){ n };
    }
    assert_true(frame_exists(lowest));
    assert_false(audit_full(&report));
    snprintf(expected, sizeof expected, "is frame %u", lowest.no);
    assert_int_equal(report.failed, 1);
    assert_non_null(strstr(report.failures[0].text, expected));
    assert_non_null(strstr(report.failures[0].text, "entries hold 3 references, records 6"));
    machine_stop();
}

/* Map a page for owner USER; returns its frame. */
static frame_t map_user(struct region *region)
{
    struct cursor c;
    frame_t       frame;

    assert_int_equal(kernel_map(region, PURPOSE_HEAP, "user's", 1, 0, OWNER_USER), 0);
    assert_int_equal(cursor_open(&c, &kernel_space, region->span, 0), 0);
    frame = entry_frame(cursor_read(&c, region->span.first));
    cursor_close(&c);
    return frame;
}

/* One frame has a reference too many, another an entry too many: the sums agree, only fingerprints tell. */
static void swapped_references_are_noticed(void **state)
{
    struct region       regions[3];
    frame_t             shared, seen_twice;
    struct cursor       c;
    struct audit_report report;

    (void)state;
    boot();
    shared = map_user(&regions[0]);
    seen_twice = map_user(&regions[1]);
    map_user(&regions[2]);
    assert_true(audit_full(&report));

    frame_share(shared);
    assert_int_equal(cursor_open(&c, &kernel_space, regions[2].span, 0), 0);
    frame_put(cursor_replace(&c, regions[2].span.first, seen_twice, regions[2].rights));
    cursor_close(&c);
    assert_false(audit_full(&report));
    assert_int_equal(report.failed, 1);
    assert_string_equal(report.failures[0].id, "X2");
    assert_non_null(strstr(report.failures[0].text, "entries hold 3 references, records 3"));
    machine_stop();
}

static void failures_beyond_the_report_are_counted(void **state)
{
    struct audit_report report = { 0 };

    (void)state;
    for (int i = 0; i < 3 * AUDIT_FAILURES; i++)
        audit_fail(&report, "F1", "number %d %0200d", i, 1);
    assert_int_equal(report.failed, 3 * AUDIT_FAILURES);
    assert_int_equal(strlen(report.failures[AUDIT_FAILURES - 1].text), sizeof report.failures[0].text - 1);
}

/* A page in the middle of a table of the kernel's: its own address is told, no neighbour's. */
static void a_kernel_page_that_is_open_is_named(void **state)
{
    const struct span   heap = layout.purpose[PURPOSE_HEAP]->span;
    struct audit_report report;
    page_t              page = heap.first;
    entry_t            *at = NULL, old = { 0 };
    char                text[120];
    lock_state          lock;

    (void)state;
    boot();
    lock = lock_take(&kernel_space.tables_lock);
    for (; page < heap.end; page++)
        if (mmu_index(page, 1) > 2 && (at = entry_at(&kernel_space, page, 1)) != NULL && entry_present(entry_read(at)))
            break;
    assert_true(page < heap.end);
    old = entry_read(at);
    entry_write(at, entry_with_rights(old, (struct rights){ MAY_READ | MAY_WRITE, MAY_READ }));
    lock_drop(&kernel_space.tables_lock, lock);
    audit_full(&report);
    lock = lock_take(&kernel_space.tables_lock);        /* a slot may have shown the table, and shows another by now */
    entry_write(entry_at(&kernel_space, page, 1), old);
    lock_drop(&kernel_space.tables_lock, lock);
    snprintf(text, sizeof text, "page 0x%08lx of the kernel part is open to programs",
             (unsigned long)page_address(page));
    assert_true(names(&report, "C2"));
    for (uint32_t i = 0; i < kept(&report); i++)
        if (strcmp(report.failures[i].id, "C2") == 0)
            assert_string_equal(report.failures[i].text, text);
    assert_clean("the page is closed again");
    machine_stop();
}

static char   said[4096];
static size_t said_length;

static void hear(const char *text, size_t length)
{
    if (said_length + length >= sizeof said)
        said_length = 0;
    memcpy(said + said_length, text, length);
    said_length += length;
    said[said_length] = 0;
}

static const char *printed(const struct audit_report *report)
{
    static bool hears;

    if (!hears)
        print_to(hear);                     /* for good */
    hears       = true;
    said_length = 0;
    audit_print(report);
    return said;
}

static void a_report_is_printed_line_by_line(void **state)
{
    struct audit_report report = { .checked = 1234 };
    char                clean[100];
    unsigned            lines = 0;

    (void)state;
    snprintf(clean, sizeof clean, "audit: clean, %u invariants, 1234 checks\n", audit_invariants());
    assert_string_equal(printed(&report), clean);
    audit_fail(&report, "F1", "frame 7");
    assert_ptr_equal(strstr(printed(&report), "audit: 1 failure in 1234 checks\n  F1 frame 7\n     frame.h: "), said);
    assert_non_null(strstr(said, audit_find("F1")->text));
    audit_fail(&report, "F1", "frame 8");
    audit_fail(&report, "R1", "region 9");
    assert_ptr_equal(strstr(printed(&report), "audit: 3 failures in 1234 checks\n"), said);
    for (const char *at = said; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 1 + 3 + 2);                 /* the words of an invariant once, in front of its failures */
    assert_null(strstr(said, "more"));
    for (int i = 3; i < AUDIT_FAILURES + 2; i++)
        audit_fail(&report, "F1", "frame %d", i);
    assert_non_null(strstr(printed(&report), "\n  and 2 more\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_invariant_broken_is_named_alone),
        cmocka_unit_test(each_invariant_has_a_corruption),
        cmocka_unit_test(invariants_are_found_by_id),
        cmocka_unit_test(steps_find_what_a_full_audit_finds),
        cmocka_unit_test(steps_over_a_clean_machine_find_nothing),
        cmocka_unit_test(an_audit_changes_nothing),
        cmocka_unit_test(the_first_frame_at_odds_is_named),
        cmocka_unit_test(swapped_references_are_noticed),
        cmocka_unit_test(failures_beyond_the_report_are_counted),
        cmocka_unit_test(a_kernel_page_that_is_open_is_named),
        cmocka_unit_test(a_report_is_printed_line_by_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
