/*
 * test_process_audit.c - the auditor's part about processes: nothing is found while all is well, and each invariant
 * that is broken is named, alone.
 */
#define WITH_CORRUPTIONS
#include "process_world.h"

#include "process/process_corrupt.c"

static bool     was_restored;
static unsigned broken;

static void assert_clean_when(const char *when)
{
    struct audit_report report;

    if (!audit_full(&report))
        fail_msg("%s: %s %s", when, report.failures[0].id, report.failures[0].text);
}

static bool names(const struct audit_report *report, const char *id)
{
    for (uint32_t i = 0; i < report->failed && i < AUDIT_FAILURES; i++)
        if (strcmp(report->failures[i].id, id) == 0)
            return true;
    return false;
}

static void break_each(void)
{
    broken = 0;
    for (const struct corruption *row = process_corruptions; row->id != NULL; row++) {
        struct audit_report report;

        assert_clean_when(row->id);
        assert_true(row->corrupt());
        audit_full(&report);
        row->restore();
        if (!names(&report, row->id))
            fail_msg("%s was broken (%s) and not named", row->id, row->how);
        for (uint32_t i = 0; i < report.failed && i < AUDIT_FAILURES; i++)
            if (strcmp(report.failures[i].id, row->id) != 0)
                fail_msg("%s was broken, %s named: %s", row->id, report.failures[i].id, report.failures[i].text);
        assert_clean_when(row->how);
        broken++;
    }
}

static void exits_at_once(void) { exit_with(0); }
static void sleeps(void) { sleep_for(50 * (uint64_t)TICK); }

static void breaks_each_beside_others(void)
{
    struct timer_request request = { .signal = 40 };

    fork_into(sleeps);
    thread_into(sleeps);
    assert_int_equal(process_timer_create(current_process(), &request), 0);
    process_set_alarm(current_process(), 100 * (uint64_t)TICK, 0);
    give_way();
    break_each();
    process_set_alarm(current_process(), 0, 0);
    exit_with(0);
}

static void each_invariant_broken_is_named_alone(void)
{
    break_each();
    assert_int_equal(broken, 21);
}

static void the_same_beside_programs_that_run(void)
{
    run_program(breaks_each_beside_others);
    assert_int_equal(broken, 21);
}

static void each_invariant_has_a_corruption(void)
{
    unsigned count = 0;

    for (const struct invariant *row = process_invariants; row->id != NULL; row++, count++) {
        assert_string_equal(row->id, process_corruptions[count].id);
        assert_non_null(audit_find(row->id));
    }
    assert_null(process_corruptions[count].id);
}

/* The report names the process, and counts the checks. */
static void is_told_of(void)
{
    struct audit_report report;
    uint32_t            before;

    audit_full(&report);
    before = report.checked;
    fork_into(sleeps);
    audit_full(&report);
    assert_int_equal(report.checked - before >= 3, 1);
    current_process()->thread_count++;
    audit_full(&report);
    current_process()->thread_count--;
    assert_string_equal(report.failures[0].id, "T3");
    assert_string_equal(report.failures[0].text, "process 1");
    run_queue.count++;
    audit_full(&report);
    run_queue.count--;
    assert_string_equal(report.failures[0].text, "found in what all processes share");
    was_restored = true;
}

static void a_finding_says_whose_it_is(void)
{
    was_restored = false;
    run_program(is_told_of);
    assert_true(was_restored);
}

/* A child that its successor does not know any more: in the list of all, and in that of the changed ones. */
static void loses_a_child_of(struct list *list)
{
    struct audit_report report;
    struct list        *last = list->previous;

    assert_ptr_not_equal(list->next, last);
    list->previous = list->next;
    audit_full(&report);
    list->previous = last;
    assert_true(names(&report, "T1"));
    assert_clean_when("the child is known again");
}

static void loses_children(void)
{
    for (int i = 0; i < 2; i++)
        fork_into(exits_at_once);
    loses_a_child_of(&current_process()->children);
    give_way();
    loses_a_child_of(&current_process()->changed_children);
    was_restored = true;
}

static void a_child_that_is_lost_is_found(void)
{
    was_restored = false;
    run_program(loses_children);
    assert_true(was_restored);
}

/* Without memory for its specimens a corruption does nothing, and leaves nothing. */
static void corruptions_without_memory_do_nothing(void)
{
    for (const struct corruption *row = process_corruptions; row->id != NULL; row++)
        for (uint32_t n = 1; n < 8; n++) {
            bool did;

            heap_drain();
            heap_fail_at(n);
            did = row->corrupt();
            heap_fail_at(0);
            if (did) {
                row->restore();
                break;
            }
            assert_int_equal(processes_alive(), 0);
            assert_int_equal(sums().live_blocks, heap_before.live_blocks);
            assert_clean_when(row->id);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(each_invariant_broken_is_named_alone),
        in_world(the_same_beside_programs_that_run),
        in_world(each_invariant_has_a_corruption),
        in_world(a_finding_says_whose_it_is),
        in_world(a_child_that_is_lost_is_found),
        in_world(corruptions_without_memory_do_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
