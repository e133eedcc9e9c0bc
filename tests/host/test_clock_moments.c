/*
 * test_clock_moments.c - to the nanosecond: when the alarm is set, how many timers an interrupt fires, and how much
 * earlier a halted processor is rung as halts are seen to end late.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/process/clock.c"

static uint64_t time_now = 1000000, alarm_moment, halt_takes, halted_until;
static unsigned settings, hurries, let_in, halts, fired;
static void   (*on_ring)(void);

uint64_t clock_counter(void)            { return time_now; }
uint64_t clock_read_wall(void)          { return 1700000000000000000; }
paddr_t  alarm_registers(void)          { return 0; }
void     schedule_hurry(void)           { hurries++; }
void     interrupts_let_in(void)        { let_in++; }

void alarm_start(volatile void *registers, void (*ring)(void))
{
    assert_null(registers);
    on_ring = ring;
}

void alarm_set(uint64_t moment)
{
    alarm_moment = moment;
    settings++;
}

/* The alarm rings now. */
static void ring(void)
{
    alarm_moment = NEVER;
    on_ring();
}

void cpu_wait(void)
{
    halts++;
    halted_until = alarm_moment;
    if (alarm_moment == NEVER)
        return;                                 /* another interrupt */
    time_now = alarm_moment + halt_takes;
    ring();
}

static struct timer timers[8];

static void note_fired(struct timer *timer) { fired |= 1u << (timer - timers); }

static void arm(unsigned n, uint64_t due)
{
    timers[n].fire = note_fired;
    timer_arm(&timers[n], due);
}

static void disarm_all(void)
{
    for (unsigned n = 0; n < 8; n++)
        timer_disarm(&timers[n]);
    fired = 0;
}

/* Nothing is armed, the alarm has rung, and its pause is over. */
static int begin(void **state)
{
    (void)state;
    clock_start();
    disarm_all();
    lead = 0;
    ring();
    time_now += 1000000;
    alarm_moment = NEVER;
    settings = hurries = let_in = halts = 0;
    assert_false(clock_is_behind);
    return 0;
}

/* ---- When the alarm is set --------------------------------------------------------------------------------- */

static void between_two_alarms_lie_twenty_microseconds(void **state)
{
    (void)state;
    ring();
    arm(0, time_now);
    assert_int_equal(alarm_moment, time_now + 20000);
    disarm_all();
    for (uint64_t after = 19999; after <= 20001; after++) {
        ring();
        arm(0, time_now + after);
        assert_int_equal(alarm_moment, time_now + (after > 20000 ? after : 20000));
        disarm_all();
    }
}

static void an_alarm_is_moved_only_to_an_earlier_moment(void **state)
{
    (void)state;
    arm(0, time_now + 100000);
    assert_int_equal(settings, 1);
    arm(1, time_now + 100000);
    arm(2, time_now + 100001);
    assert_int_equal(settings, 1);
    arm(3, time_now + 99999);
    assert_int_equal(settings, 2);
    assert_int_equal(alarm_moment, time_now + 99999);
    timer_disarm(&timers[3]);
    assert_int_equal(settings, 2);
    time_now += 99999;
    ring();                                     /* for nobody: the next is set */
    assert_int_equal(fired, 0);
    assert_int_equal(alarm_moment, time_now + 20000);
}

static void a_timer_that_is_armed_again_is_due_at_the_new_moment_alone(void **state)
{
    (void)state;
    arm(0, time_now + 100000);
    arm(0, time_now + 300000);
    assert_null(timers_broken());
    time_now += 100000;
    ring();
    assert_int_equal(fired, 0);
    assert_int_equal(alarm_moment, time_now + 200000);
    time_now += 200000;
    ring();
    assert_int_equal(fired, 1);
    assert_int_equal(alarm_moment, NEVER);
}

static void an_alarm_fires_what_is_due_to_the_nanosecond(void **state)
{
    (void)state;
    arm(0, time_now + 100000);
    arm(1, time_now + 100001);
    time_now += 99999;
    ring();
    assert_int_equal(fired, 0);
    time_now += 1;
    ring();
    assert_int_equal(fired, 1);
    time_now += 1;
    ring();
    assert_int_equal(fired, 3);
}

/* ---- How many an interrupt fires ------------------------------------------------------------------------------ */

static unsigned count_fired(void) { return (unsigned)__builtin_popcount(fired); }

static void an_interrupt_fires_four_timers(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 3; n++)
        arm(n, time_now + 10);
    time_now += 10;
    ring();
    assert_int_equal(count_fired(), 3);
    assert_false(clock_is_behind);
    assert_int_equal(hurries, 0);
    disarm_all();
    time_now += 100000;
    for (unsigned n = 0; n < 6; n++)
        arm(n, time_now + 10);
    time_now += 10;
    ring();
    assert_int_equal(count_fired(), 4);
    assert_true(clock_is_behind);
    assert_int_equal(hurries, 1);
    assert_int_equal(alarm_moment, NEVER);      /* what is left over needs no alarm */
    assert_int_equal(let_in, 0);
    clock_catch_up();
    assert_int_equal(count_fired(), 6);
    assert_false(clock_is_behind);
    assert_int_equal(let_in, 1);
    clock_catch_up();
    assert_int_equal(let_in, 1);
}

static void what_becomes_due_while_others_are_left_over_has_its_own_alarm(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 5; n++)
        arm(n, time_now + 10);
    arm(5, time_now + 30000);
    time_now += 10;
    ring();
    assert_int_equal(count_fired(), 4);
    time_now += 40000;                          /* the fifth is fired so late */
    clock_catch_up();
    assert_int_equal(count_fired(), 5);
    assert_int_equal(alarm_moment, time_now - 40000 - 10 + 30000);
    ring();
    assert_int_equal(count_fired(), 6);
}

/* ---- Halts ------------------------------------------------------------------------------------------------------ */

/* A halt for a timer so far ahead, which ends so late; returns how much earlier than that it was to end. */
static uint64_t halt(uint64_t ahead, uint64_t late)
{
    uint64_t due = time_now + ahead, earlier;

    halt_takes = late;
    arm(0, due);
    clock_idle();
    earlier = due - halted_until;
    disarm_all();
    time_now += 1000000;
    ring();                                     /* the alarm that may be left */
    time_now += 1000000;
    return earlier;
}

static void a_halt_that_ends_late_makes_the_next_ones_end_earlier(void **state)
{
    (void)state;
    assert_int_equal(halt(10000000, 80000), 0);
    assert_int_equal(lead, 10000);              /* an eighth of what was seen, and seven of what was known */
    assert_int_equal(halt(10000000, 80000), 10000);
    assert_int_equal(lead, 18750);
    assert_int_equal(halt(10000000, 0), 18750);
    assert_int_equal(lead, 18750 * 7 / 8);
    assert_int_equal(halt(10000000, 150000), 16406);
    assert_int_equal(lead, (16406 * 7 + 150000) / 8);
    lead = 0;
    halt(10000000, 900000);                     /* a busy host: no more than 150 microseconds are believed */
    assert_int_equal(lead, 150000 / 8);
    assert_int_equal(halts, 5);
}

static void of_a_short_halt_an_eighth_is_waited_for_awake(void **state)
{
    (void)state;
    lead = 40000;
    assert_int_equal(halt(160000, 0), 20000);
    lead = 40000;
    assert_int_equal(halt(80000, 0), 10000);
    lead = 40000;
    assert_int_equal(halt(320000, 0), 40000);
    lead = 40000;
    assert_int_equal(halt(400000, 0), 40000);
}

static void a_wait_no_longer_than_the_lead_is_awake(void **state)
{
    (void)state;
    lead = 40000;
    arm(0, time_now + 40000);
    clock_idle();
    assert_int_equal(halts, 0);
    assert_int_equal(let_in, 1);
    arm(0, time_now + 40001);
    clock_idle();
    assert_int_equal(halts, 1);
    assert_int_equal(let_in, 1);
}

static void without_timers_a_halt_ends_with_any_interrupt(void **state)
{
    (void)state;
    lead = 40000;
    clock_idle();
    assert_int_equal(halts, 1);
    assert_int_equal(halted_until, NEVER);
    assert_int_equal(settings, 0);
    assert_int_equal(let_in, 0);
    assert_int_equal(lead, 40000);
}

static void a_halt_moves_the_alarm_only_to_an_earlier_moment(void **state)
{
    (void)state;
    lead = 0;
    arm(0, time_now + 1000000);
    assert_int_equal(settings, 1);
    clock_idle();                               /* without a lead the alarm is right as it is */
    assert_int_equal(settings, 1);
    assert_int_equal(fired, 1);
    time_now += 100000;
    lead = 1000;
    arm(0, time_now + 1000000);
    clock_idle();
    assert_int_equal(settings, 4);              /* armed, moved for the halt, and set for the rest of it */
    assert_int_equal(halts, 2);
}

static void what_is_due_needs_no_alarm(void **state)
{
    (void)state;
    arm(0, time_now + 30000);
    arm(1, time_now + 90000);
    time_now += 30000;
    alarm_moment = NEVER;
    clock_idle();
    assert_int_equal(fired, 1);
    assert_int_equal(halts, 0);
    assert_int_equal(alarm_moment, time_now + 60000);
    time_now += 60000;
    clock_idle();
    assert_int_equal(fired, 3);
    arm(2, time_now + 1);                       /* the pause goes by what was fired here as well */
    assert_int_equal(alarm_moment, time_now + 20000);
}

/* An interrupt before the alarm, in a halt, says nothing of how late that ends. */
static void an_alarm_before_its_time_teaches_nothing(void **state)
{
    (void)state;
    lead = 8000;
    arm(0, time_now + 1000000);
    is_halted = true;
    time_now += 500000;
    ring();
    assert_int_equal(lead, 8000);
    time_now += 500000;
    ring();
    is_halted = false;
    assert_int_equal(lead, 7000);               /* at its moment: late by nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(between_two_alarms_lie_twenty_microseconds, begin),
        cmocka_unit_test_setup(an_alarm_is_moved_only_to_an_earlier_moment, begin),
        cmocka_unit_test_setup(a_timer_that_is_armed_again_is_due_at_the_new_moment_alone, begin),
        cmocka_unit_test_setup(an_alarm_fires_what_is_due_to_the_nanosecond, begin),
        cmocka_unit_test_setup(an_interrupt_fires_four_timers, begin),
        cmocka_unit_test_setup(what_becomes_due_while_others_are_left_over_has_its_own_alarm, begin),
        cmocka_unit_test_setup(a_halt_that_ends_late_makes_the_next_ones_end_earlier, begin),
        cmocka_unit_test_setup(of_a_short_halt_an_eighth_is_waited_for_awake, begin),
        cmocka_unit_test_setup(a_wait_no_longer_than_the_lead_is_awake, begin),
        cmocka_unit_test_setup(without_timers_a_halt_ends_with_any_interrupt, begin),
        cmocka_unit_test_setup(a_halt_moves_the_alarm_only_to_an_earlier_moment, begin),
        cmocka_unit_test_setup(what_is_due_needs_no_alarm, begin),
        cmocka_unit_test_setup(an_alarm_before_its_time_teaches_nothing, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
