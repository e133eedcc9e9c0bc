/*
 * test_numbers.c - numbers of processes and threads: each has one user, and none is given out while it is still in use.
 */
#include "heap_world.h"

#include "base/error.h"
#include "process/family.h"
#include "process/numbers.h"

struct lock process_lock = LOCK("processes", RANK_PROCESSES);      /* all functions called here need it held */

static void number_free(struct number *number) { free(number); }

static struct number *taken(void)
{
    struct number *number = malloc(sizeof *number);

    assert_int_equal(number_take(number), 0);
    number->unused = number_free;
    return number;
}

static void give_back(struct number *number)
{
    number->process = NULL;
    number->thread  = NULL;
    number_drop(number);
}

static void the_first_is_one(void)
{
    struct number one, again;

    assert_int_equal(number_take_first(&one), 0);
    assert_int_equal(one.value, 1);
    assert_int_equal(number_take_first(&again), -EAGAIN);
    assert_ptr_equal(number_find(1), &one);
    assert_null(number_find(2));
    give_back(&one);
    assert_null(number_find(1));
}

/* A number that was given back is not given again before all others have been. */
static void numbers_go_round(void)
{
    int32_t first = 0;

    for (int i = 0; i < 2 * NUMBERS; i++) {
        struct number *number = taken();

        if (i == 0)
            first = number->value;
        assert_true(number->value >= 2 && number->value < NUMBERS);
        if (i > 0 && i < NUMBERS - 2)
            assert_int_not_equal(number->value, first);
        if (i == NUMBERS - 2)
            assert_int_equal(number->value, first);
        give_back(number);
    }
}

static void a_group_keeps_its_leaders_number(void)
{
    struct process member = { 0 };
    struct number *number = taken();

    number->process = &member;
    member.id = member.group = number->value;
    number_hold(number);
    list_insert(&number->group, &member.group_link);
    assert_true(numbers_ok());
    number->process = NULL;                     /* the leader is gone, the member stays */
    number_drop(number);
    assert_ptr_equal(number_find(member.group), number);
    assert_true(numbers_ok());
    list_remove(&member.group_link);
    give_back(number);
    assert_null(number_find(member.group));
}

static void all_numbers_may_be_in_use(void)
{
    static struct number all[NUMBERS];
    struct process       somebody[2] = { { 0 } };
    struct number        none;
    uint32_t             count = 0;

    while (number_take(&all[count]) == 0)
        all[count++].process = &somebody[0];    /* only so that it has one: they are not looked at */
    assert_int_equal(count, NUMBERS - 2);
    assert_int_equal(number_take(&none), -EAGAIN);
    for (int32_t value = 2; value < NUMBERS; value++) {
        assert_int_equal(number_find(value)->value, value);
        assert_int_equal(number_next(value)->value, value);
    }
    give_back(number_find(4711));
    assert_int_equal(number_next(4711)->value, 4712);
    assert_int_equal(number_take(&none), 0);
    assert_int_equal(none.value, 4711);
    give_back(&none);
    for (uint32_t i = 0; i < count; i++)
        if (all[i].value != 4711)
            give_back(&all[i]);
    assert_null(number_next(0));
    assert_true(numbers_ok());
}

static void the_check_sees_what_is_wrong(void)
{
    struct process process = { 0 };
    struct number *number  = taken();

    assert_false(numbers_ok());                 /* N2: the number is not in use yet */
    number->process = &process;
    process.id      = number->value + 1;
    assert_false(numbers_ok());                 /* N3 */
    process.id = number->value;
    assert_true(numbers_ok());
    number->uses++;
    assert_false(numbers_ok());                 /* N2 */
    number->uses--;
    give_back(number);
}

static uint32_t freed;
static void count_freed(struct number *number) { (void)number; freed++; }

/* What it lies in goes with the last use and not before. */
static void the_last_use_frees(void)
{
    struct number number;

    assert_int_equal(number_take(&number), 0);
    number.unused = count_freed;
    number_hold(&number);
    number_drop(&number);
    assert_int_equal(freed, 0);
    number_drop(&number);
    assert_int_equal(freed, 1);
    assert_null(number_find(number.value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(the_first_is_one),
        on_machine(numbers_go_round),
        on_machine(a_group_keeps_its_leaders_number),
        on_machine(all_numbers_may_be_in_use),
        on_machine(the_check_sees_what_is_wrong),
        on_machine(the_last_use_frees),
    };

    (void)!lock_take(&process_lock);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
