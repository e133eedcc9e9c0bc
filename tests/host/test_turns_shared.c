/*
 * test_turns_shared.c - the boot stack serves a console and has turns like others: once so, it is so for good.
 */
#include "process_notes.h"

#define SLICE 50000000ull

static void computes(void)
{
    note('p');
    pass_time(SLICE);
    back();
    note('p');
    pass_time(SLICE);
    back();
    note('p');
}

static void share(void)
{
    schedule_share();
    pass_time(20000000000ull);                  /* chores rest, and no watch of earlier turns is left */
    schedule();                                 /* a new turn of its own */
    order[0] = 0;
}

static void a_program_ends_the_turn_of_the_boot_stack(void)
{
    share();
    start_program(computes);
    assert_int_equal(alarm_moment, the_time + SLICE);
    pass_time(SLICE - 1);
    assert_false(schedule_due);
    pass_time(1);
    assert_true(schedule_due);                  /* its turn is over, as another's would be */
    assert_int_equal(schedule_running(), 1);
    run();
    assert_string_equal(order, "ppp");
}

static void the_boot_stack_ends_the_turn_of_a_program(void)
{
    share();
    start_program(computes);
    note('b');
    schedule();
    note('b');
    schedule();
    note('b');
    schedule();
    note('b');
    run();
    assert_string_equal(order, "bpbpbpb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_program_ends_the_turn_of_the_boot_stack),
        in_world(the_boot_stack_ends_the_turn_of_a_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
