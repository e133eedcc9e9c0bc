/*
 * test_wait_within.c - wakes inside of wakes, and wakes that begin again while one is under way.
 */
#include "process_notes.h"

enum { AT_ONCE = 32, MANY = 100 };

static struct wait_queue outer, inner;
static unsigned          calls_made, inner_calls, all_bits;
static struct waiter    *waiters;

static void do_errands(void)
{
    schedule_hurry();
    assert_true(schedule_preempt());
}

static bool notes_bits(struct waiter *waiter, unsigned bits)
{
    (void)waiter;
    calls_made++;
    all_bits = bits;
    return false;
}

static bool takes(struct waiter *waiter, unsigned bits)
{
    (void)waiter;
    inner_calls++;
    all_bits = bits;
    return true;
}

static bool wakes_inner(struct waiter *waiter, unsigned bits)
{
    (void)waiter;
    calls_made++;
    return wake_within(&inner, bits + 1);
}

static bool inner_takes;

static bool is_inner(struct waiter *waiter, unsigned bits)
{
    (void)waiter;
    inner_calls++;
    all_bits = bits;
    return inner_takes;
}

static void start_anew(void)
{
    outer = inner = (struct wait_queue){ 0 };
    calls_made = inner_calls = all_bits = 0;
    waiters = heap_alloc(MANY * sizeof *waiters, HEAP_ZERO);
    assert_non_null(waiters);
}

static void end_all(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        wait_unlink(&waiters[i]);
    assert_null(outer.waiters.first);
    assert_null(inner.waiters.first);
    assert_null(wakes_broken());
    heap_free(waiters);
    exit_with(0);
}

/* What the inner queue's waiters say of an event is what the outer one's says. */
static void wakes_inside(void)
{
    start_anew();
    wait_link_call(&waiters[0], &outer, wakes_inner, false);
    assert_false(wake_for(&outer, 4));                  /* nobody waits inside */
    wait_link_call(&waiters[1], &inner, is_inner, false);
    inner_takes = false;
    assert_false(wake_for(&outer, 4));
    assert_int_equal(inner_calls, 1);
    assert_int_equal(all_bits, 5);
    inner_takes = true;
    assert_true(wake_for(&outer, 6));
    assert_int_equal(inner_calls, 2);
    assert_int_equal(all_bits, 7);
    wake_all(&outer);
    assert_int_equal(all_bits, 1);
    assert_int_equal(calls_made, 4);
    assert_int_equal(inner_calls, 3);
    end_all(2);
}

static void a_wake_inside_of_a_wake_answers_for_it(void) { begin(wakes_inside); }

/* All steps of a wake and of those inside count together. */
static void wakes_many_inside(void)
{
    start_anew();
    wait_link_call(&waiters[0], &outer, wakes_inner, false);
    for (unsigned i = 1; i < MANY; i++)
        wait_link_call(&waiters[i], &inner, is_inner, false);
    inner_takes = false;
    assert_true(wake_for(&outer, 4));                   /* somebody may still take it */
    assert_int_equal(inner_calls, AT_ONCE - 1);
    do_errands();
    assert_int_equal(inner_calls, MANY - 1);
    assert_null(inner.next_to_wake);
    end_all(MANY);
}

static void steps_inside_count_with_those_outside(void) { begin(wakes_many_inside); }

/* A wake while another is under way begins anew, for the reasons of both; one without a reason is for all. */
static void wakes_again(unsigned first, unsigned second, unsigned both)
{
    start_anew();
    for (unsigned i = 0; i < MANY; i++)
        wait_link_call(&waiters[i], &outer, notes_bits, false);
    assert_true(wake_for(&outer, first));
    assert_int_equal(calls_made, AT_ONCE);
    assert_int_equal(all_bits, first);
    assert_true(wake_for(&outer, second));
    assert_int_equal(calls_made, 2 * AT_ONCE);
    assert_int_equal(all_bits, both);
    assert_null(wakes_broken());
    do_errands();
    assert_int_equal(calls_made, MANY + AT_ONCE);
    assert_int_equal(all_bits, both);
    assert_null(outer.next_to_wake);
    end_all(MANY);
}

static void wakes_for_both(void)        { wakes_again(4, 3, 7); }
static void wakes_for_the_first(void)   { wakes_again(4, 0, 0); }
static void wakes_for_the_second(void)  { wakes_again(0, 3, 0); }

static void a_wake_that_begins_again_has_the_reasons_of_both(void)
{
    begin(wakes_for_both);
    begin(wakes_for_the_first);
    begin(wakes_for_the_second);
}

/* Who takes the event is the only exclusive one that is asked, however far behind others wait. */
static void exclusive_ones(void)
{
    start_anew();
    for (unsigned i = 0; i < MANY; i++)
        wait_link_call(&waiters[i], &outer, i == 50 || i == 60 ? takes : notes_bits, i == 50 || i == 60);
    assert_true(wake_for(&outer, 1));
    do_errands();
    assert_int_equal(calls_made, MANY - 2);
    assert_int_equal(inner_calls, 1);
    assert_true(wake_for(&outer, 1));                   /* the next event is another wake's */
    do_errands();
    assert_int_equal(inner_calls, 2);
    end_all(MANY);
}

static void one_exclusive_waiter_takes_the_event(void) { begin(exclusive_ones); }

/* The waiter at which a wake is to go on leaves: the next one is, or the wake is over. */
static void leaves_meanwhile(void)
{
    start_anew();
    for (unsigned i = 0; i < AT_ONCE + 2; i++)
        wait_link_call(&waiters[i], &outer, notes_bits, false);
    assert_true(wake_for(&outer, 1));
    assert_ptr_equal(outer.next_to_wake, &waiters[AT_ONCE]);
    wait_unlink(&waiters[AT_ONCE]);
    assert_ptr_equal(outer.next_to_wake, &waiters[AT_ONCE + 1]);
    assert_null(wakes_broken());
    wait_unlink(&waiters[AT_ONCE + 1]);
    assert_null(outer.next_to_wake);
    assert_null(wakes_broken());
    do_errands();
    assert_int_equal(calls_made, AT_ONCE);
    end_all(AT_ONCE);
}

static void who_leaves_before_it_is_woken_is_left_out(void) { begin(leaves_meanwhile); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_wake_inside_of_a_wake_answers_for_it),
        in_world(steps_inside_count_with_those_outside),
        in_world(a_wake_that_begins_again_has_the_reasons_of_both),
        in_world(one_exclusive_waiter_takes_the_event),
        in_world(who_leaves_before_it_is_woken_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
