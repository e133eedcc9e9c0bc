/*
 * test_numbers_check.c - the check of numbers, with the set and the table that it compares broken by hand.
 */
#include "heap_world.h"

#include "kernel/process/numbers.c"

struct lock process_lock = LOCK("processes", RANK_PROCESSES);

static struct number  number;
static struct process process;

/* One number, of a process in no group: what the check finds good. */
static void enter(int32_t before)
{
    process = (struct process){ 0 };
    last    = before;
    assert_int_equal(number_take(&number), 0);
    assert_int_equal(number.value, before + 1);
    number.process = &process;
    process.id     = number.value;
    assert_null(numbers_broken());
}

static void leave(void)
{
    assert_null(numbers_broken());
    number.process = NULL;
    number_drop(&number);
    assert_null(numbers_broken());
}

static void a_number_of_any_list_is_looked_at(void)
{
    for (uint32_t value = LISTS - 1; value <= LISTS + 1; value++) {
        enter((int32_t)value - 1);
        process.id++;
        assert_string_equal(numbers_broken(), "N3");
        process.id--;
        leave();
    }
}

static void uses_are_what_there_is_and_not_nothing(void)
{
    enter(10);
    number.uses = 2;
    assert_string_equal(numbers_broken(), "N2");
    number.uses = 0;
    assert_string_equal(numbers_broken(), "N2");
    number.process = NULL;
    assert_string_equal(numbers_broken(), "N2");                /* nobody's, and still in the table */
    number.process = &process;
    number.uses = 1;
    leave();
}

static void set_and_table_have_the_same(void)
{
    enter(20);
    bitset_add(&in_use, 500);
    assert_string_equal(numbers_broken(), "N1");                /* in the set alone */
    bitset_remove(&in_use, 500);
    bitset_remove(&in_use, 21);
    assert_string_equal(numbers_broken(), "N1");                /* in the table alone */
    bitset_add(&in_use, 500);
    assert_string_equal(numbers_broken(), "N1");                /* as many in both, but others */
    bitset_remove(&in_use, 500);
    bitset_add(&in_use, 21);
    in_use.full[0] |= 1;
    assert_string_equal(numbers_broken(), "N1");                /* the same, in a set that is broken itself */
    in_use.full[0] &= ~1u;
    leave();
}

static void a_number_is_found_from_any_place_before_it(void)
{
    enter(30);
    for (int32_t from = -2; from <= 31; from++)
        assert_ptr_equal(number_next(from), &number);
    for (int32_t from = 32; from < 40; from++)
        assert_null(number_next(from));
    assert_null(number_next(NUMBERS - 1));
    assert_null(number_next(NUMBERS));
    assert_null(number_next(INT32_MAX));
    leave();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(a_number_of_any_list_is_looked_at),
        on_machine(uses_are_what_there_is_and_not_nothing),
        on_machine(set_and_table_have_the_same),
        on_machine(a_number_is_found_from_any_place_before_it),
    };

    (void)!lock_take(&process_lock);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
