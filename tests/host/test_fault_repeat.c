/*
 * test_fault_repeat.c - a fault that is handled and comes back unchanged is noticed; one that only looks like it is
 * not.
 */
#include "map_world.h"

#include "memory/spaces/fault_repeat.h"
#include "memory/tables/cursor.h"

#define PLACE column(0)

static void allow(struct rights rights)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, &program, span_of(page_of(PLACE), 1), 0), 0);
    cursor_protect(&c, page_of(PLACE), rights);
    cursor_close(&c);
}

static const struct rights reading = { .user = MAY_READ }, writing = { .user = MAY_READ | MAY_WRITE };

/* Faults in a row that are "handled" by doing nothing; how many until it is noticed, 0 if never. */
static unsigned until_noticed(struct fault_repeat *repeat, unsigned most)
{
    for (unsigned n = 1; n <= most; n++) {
        if (fault_comes_back(repeat, &program, PLACE, MAY_WRITE))
            return n;
        fault_handled(repeat, &program);
    }
    return 0;
}

static void a_fault_that_changes_nothing_is_noticed_soon(void)
{
    struct fault_repeat repeat = { 0 };

    paint("w");
    assert_true(writes(&program, PLACE, 1));
    allow(reading);
    assert_int_equal(until_noticed(&repeat, 1000), FAULT_REPEATS_TRUSTED + FAULT_REPEATS_UNCHANGED + 1);
}

static void an_empty_entry_that_stays_empty_is_noticed(void)
{
    struct fault_repeat repeat = { 0 };

    paint("w");
    assert_true(until_noticed(&repeat, 1000) > 0);
}

/* Once it is seen to have changed as many are trusted again, and as many must be unchanged as at first. */
static void a_change_begins_it_anew(void)
{
    struct fault_repeat repeat = { 0 };

    paint("w");
    assert_true(writes(&program, PLACE, 1));
    allow(reading);
    assert_int_equal(until_noticed(&repeat, FAULT_REPEATS_TRUSTED + FAULT_REPEATS_UNCHANGED), 0);
    allow(writing);
    assert_false(fault_comes_back(&repeat, &program, PLACE, MAY_WRITE));
    fault_handled(&repeat, &program);
    assert_int_equal(until_noticed(&repeat, 1000), FAULT_REPEATS_TRUSTED + FAULT_REPEATS_UNCHANGED);
}

/* fork makes it read-only, the fault writable, for ever: the entry is never as the last fault has left it. */
static void a_page_that_is_shared_again_and_again_is_not(void)
{
    struct fault_repeat repeat = { 0 };

    paint("w");
    assert_true(writes(&program, PLACE, 1));
    allow(reading);
    for (unsigned n = 0; n < 1000; n++) {
        assert_false(fault_comes_back(&repeat, &program, PLACE, MAY_WRITE));
        allow(writing);
        fault_handled(&repeat, &program);
        allow(reading);
    }
}

static void other_faults_in_between_begin_it_anew(void)
{
    struct fault_repeat repeat = { 0 };

    paint("w");
    assert_true(writes(&program, PLACE, 1));
    allow(reading);
    for (unsigned n = 0; n < 1000; n++) {
        assert_false(fault_comes_back(&repeat, &program, n % 2 ? PLACE : PLACE + PAGE_SIZE, MAY_WRITE));
        fault_handled(&repeat, &program);
        assert_false(fault_comes_back(&repeat, &program, PLACE, n % 2 ? MAY_READ : MAY_WRITE));
        fault_handled(&repeat, &program);
    }
}

/* A handler of SIGSEGV that returns meets the same refusal again: the fault was not resolved, so nothing is broken. */
static void a_fault_that_is_refused_again_and_again_is_not(void)
{
    struct fault_repeat repeat = { 0 };

    for (unsigned n = 0; n < 1000; n++) {
        assert_false(fault_comes_back(&repeat, &program, PLACE, MAY_READ));
        fault_forget(&repeat);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(a_fault_that_changes_nothing_is_noticed_soon),
        on_machine(an_empty_entry_that_stays_empty_is_noticed),
        on_machine(a_change_begins_it_anew),
        on_machine(a_page_that_is_shared_again_and_again_is_not),
        on_machine(other_faults_in_between_begin_it_anew),
        on_machine(a_fault_that_is_refused_again_and_again_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
