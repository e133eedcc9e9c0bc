/*
 * test_process_corrupt.c - breaking the invariants of processes leaves nothing behind, with memory and without; and
 * what the auditor says of things that no corruption breaks.
 */
#define WITH_CORRUPTIONS
#include "process_notes.h"

#include "process/process_corrupt.c"

static void assert_nothing_left(const char *id, struct heap_sums before, uint32_t processes)
{
    struct heap_sums after = sums();

    if (after.live_blocks != before.live_blocks || after.live_bytes != before.live_bytes)
        fail_msg("%s: %u blocks more", id, (unsigned)(after.live_blocks - before.live_blocks));
    for (unsigned i = 0; i < COUNT_OF(family); i++)
        if (family[i] != NULL)
            fail_msg("%s: a specimen is left", id);
    if (early.armed || late.armed)
        fail_msg("%s: a timer is left", id);
    if (queue.waiters.first != NULL || queue.waiters.last != NULL || queue.next_to_wake != NULL)
        fail_msg("%s: a waiter is left", id);
    assert_int_equal(processes_alive(), processes);
    assert_int_equal(schedule_ready(), 0);
    assert_int_equal(current_thread()->phase, THREAD_RUNNING);
    check_families();
}

static void nothing_is_left_of_what_was_broken(void)
{
    for (int times = 0; times < 2; times++)
        for (const struct corruption *row = process_corruptions; row->id != NULL; row++) {
            struct heap_sums before = sums();

            assert_true(row->corrupt());
            row->restore();
            assert_nothing_left(row->id, before, 0);
            pass_time(1000000000);
        }
}

/* Each block that a specimen is made of is refused once. */
static void without_memory_nothing_is_broken_or_left(void)
{
    for (const struct corruption *row = process_corruptions; row->id != NULL; row++)
        for (unsigned n = 1; n <= 12; n++) {
            struct heap_sums before = sums();
            bool             broken;

            heap_drain();
            heap_fail_at(n);
            broken = row->corrupt();
            heap_fail_at(0);
            if (broken)
                row->restore();
            assert_nothing_left(row->id, before, 0);
        }
}

/* ---- What the auditor says -------------------------------------------------------------------------------- */

static struct audit_report report;

static const char *first_text(const char *id)
{
    audit_full(&report);
    assert_true(report.failed >= 1);
    assert_string_equal(report.failures[0].id, id);
    return report.failures[0].text;
}

static void has_something_broken(void)
{
    struct thread *self = current_thread();
    uint32_t       references = self->credentials->references;
    struct number *number = self->number;

    check_families();
    self->credentials->references = 0;
    assert_string_equal(first_text("U3"), "process 1");
    self->credentials->references = references;
    check_families();
    self->mutex_waiter.queue = &queue.waiters;                  /* which does not know it */
    assert_string_equal(first_text("Y3"), "process 1");
    self->mutex_waiter.queue = NULL;
    self->waiter.queue = &queue.waiters;
    assert_string_equal(first_text("Y3"), "process 1");
    self->waiter.queue = NULL;
    number->uses++;
    assert_string_equal(first_text("N2"), "found in what all processes share");
    assert_int_equal(report.failed, 1);                         /* and processes are not walked */
    number->uses--;
    check_families();
}

static void what_is_broken_is_told_with_its_process(void) { begin(has_something_broken); }

static void a_waiter_of_the_boot_stack_is_looked_at(void)
{
    current_thread()->waiter.queue = &queue.waiters;
    assert_string_equal(first_text("Y3"), "found in what all processes share");
    current_thread()->waiter.queue = NULL;
    check_families();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(nothing_is_left_of_what_was_broken),
        in_world(without_memory_nothing_is_broken_or_left),
        in_world(what_is_broken_is_told_with_its_process),
        in_world(a_waiter_of_the_boot_stack_is_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
