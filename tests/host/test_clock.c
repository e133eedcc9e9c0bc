/*
 * test_clock.c - the kernel's clock over a port whose time advances when a test says so.
 *
 * The port's one alarm is as arch/contract.h has it: it rings once, also in the middle of an advance of time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/process/clock.c"

#define MICROSECOND 1000ull
#define MILLISECOND 1000000ull
enum { MANY = 10000 };

static uint64_t time_now, alarm_moment, reach;
static unsigned rings, hurries, let_in, halts;
static uint64_t halt_takes, look_takes;         /* how late a halt ends, and how long a look at the clock takes */
static void   (*on_ring)(void);

uint64_t clock_counter(void)            { return time_now; }
uint64_t clock_read_wall(void)          { return 1700000000000000000; }
paddr_t  alarm_registers(void)          { return 0; }
void     schedule_hurry(void)           { hurries++; }

void interrupts_let_in(void)
{
    let_in++;
    time_now += look_takes;
}

void alarm_start(volatile void *registers, void (*ring)(void))
{
    assert_null(registers);
    on_ring = ring;
}

void alarm_set(uint64_t moment) { alarm_moment = moment; }

/* Time advances to `until`; the alarm rings on the way, and work that an interrupt left over is done after it. */
static void pass_time(uint64_t until)
{
    while (alarm_moment <= until || (alarm_moment != NEVER && until - time_now > reach)) {
        uint64_t next = alarm_moment < time_now ? time_now : alarm_moment;

        if (next - time_now > reach)
            next = time_now + reach;
        time_now     = next;
        alarm_moment = NEVER;
        rings++;
        on_ring();
        clock_catch_up();
    }
    time_now = until;
}

/* Halted until the alarm, and a little longer. */
void cpu_wait(void)
{
    assert_true(alarm_moment != NEVER);
    halts++;
    time_now     = (alarm_moment < time_now ? time_now : alarm_moment) + halt_takes;
    alarm_moment = NEVER;
    rings++;
    on_ring();
}

/* ---- Timers that write down when they fired ---------------------------------------------------------- */

static struct entry { struct timer timer; unsigned fired; uint64_t at, interval; } entries[MANY];

static void note_fired(struct timer *timer)
{
    struct entry *e = (struct entry *)timer;

    e->fired++;
    e->at = time_now;
    if (e->interval != 0) {
        uint64_t due = timer->due;

        interval_pass(&due, e->interval, time_now);
        timer_arm(timer, due);
    }
}

static void arm(unsigned i, uint64_t due, uint64_t interval)
{
    entries[i].timer.fire = note_fired;
    entries[i].interval   = interval;
    timer_arm(&entries[i].timer, due);
}

static int power_on(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        if (entries[i].timer.armed)
            timer_disarm(&entries[i].timer);
    for (unsigned i = 0; i < MANY; i++)
        entries[i] = (struct entry){ .fired = 0 };
    pass_time(time_now + 1000 * MILLISECOND);           /* an alarm may be left */
    reach = UINT64_MAX;
    rings = hurries = let_in = halts = 0;
    halt_takes = look_takes = 0;
    return 0;
}

static int start(void **state)
{
    (void)state;
    alarm_moment = NEVER;
    reach        = UINT64_MAX;
    clock_start();
    return 0;
}

/* ---- What must hold ----------------------------------------------------------------------------------- */

static void who_waits_for_nothing_is_not_rung(void **state)
{
    (void)state;
    pass_time(time_now + 3600000 * MILLISECOND);
    assert_int_equal(rings, 0);
}

static void a_timer_fires_at_its_moment_and_once(void **state)
{
    uint64_t begin = time_now;

    (void)state;
    arm(0, begin + 1500 * MICROSECOND, 0);
    pass_time(begin + 1000 * MILLISECOND);
    assert_int_equal(entries[0].fired, 1);
    assert_int_equal(entries[0].at, begin + 1500 * MICROSECOND);
    assert_int_equal(rings, 1);
}

static void an_earlier_one_moves_the_alarm_and_the_later_one_follows(void **state)
{
    uint64_t begin = time_now;

    (void)state;
    arm(0, begin + 500 * MILLISECOND, 0);
    arm(1, begin + 3 * MILLISECOND, 0);
    pass_time(begin + 1000 * MILLISECOND);
    assert_int_equal(entries[1].at, begin + 3 * MILLISECOND);
    assert_int_equal(entries[0].at, begin + 500 * MILLISECOND);
    assert_int_equal(rings, 2);
}

/* A wait with a limit that ends before it: a thousand of them cost one alarm that finds nothing. */
static void what_is_disarmed_does_not_move_the_alarm(void **state)
{
    uint64_t begin = time_now;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        arm(0, time_now + 10 * MILLISECOND, 0);
        pass_time(time_now + MICROSECOND);
        timer_disarm(&entries[0].timer);
    }
    pass_time(begin + 1000 * MILLISECOND);
    assert_int_equal(entries[0].fired, 0);
    assert_int_equal(rings, 1);
}

/* A port that cannot wait for long at once, as the interval timer: an alarm on the way finds nothing due. */
static void an_alarm_that_rings_on_the_way_is_set_again(void **state)
{
    uint64_t begin = time_now;

    (void)state;
    reach = 50 * MILLISECOND;
    arm(0, begin + 333 * MILLISECOND, 0);
    pass_time(begin + 400 * MILLISECOND);
    assert_int_equal(entries[0].at, begin + 333 * MILLISECOND);
    assert_int_equal(entries[0].fired, 1);
    assert_int_equal(rings, 7);
}

static void what_is_due_already_is_soon(void **state)
{
    uint64_t begin = time_now;

    (void)state;
    arm(0, begin - MILLISECOND, 0);
    pass_time(begin + MILLISECOND);
    assert_int_equal(entries[0].fired, 1);
    assert_true(entries[0].at - begin <= PAUSE);
}

/* An interval of a nanosecond: the interrupts it makes lie PAUSE apart, and all other timers come in time. */
static void short_intervals_leave_time_between(void **state)
{
    uint64_t begin = time_now;

    (void)state;
    arm(0, begin + 1, 1);
    arm(1, begin + 5 * MILLISECOND, 0);
    pass_time(begin + 10 * MILLISECOND);
    assert_true(rings <= 10 * MILLISECOND / PAUSE + 1);
    assert_true(entries[0].fired > 10 * MILLISECOND / PAUSE / 2);
    assert_true(entries[1].at - begin < 5 * MILLISECOND + 2 * PAUSE);
}

/* Ten thousand at one moment: an interrupt fires a few, and the work after it the others, with interrupts on. */
static void all_timers_fire_however_many_are_due(void **state)
{
    uint64_t begin = time_now;

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        arm(i, begin + MILLISECOND, 0);
    pass_time(begin + 2 * MILLISECOND);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(entries[i].fired, 1);
    assert_int_equal(rings, 1);
    assert_int_equal(hurries, 1);
    assert_true(let_in >= MANY / TIMERS_AT_ONCE);
    assert_null(timers_broken());
}

/* Ten thousand with intervals of a second, each at a moment of its own: each comes in its time, again and again. */
static void ten_thousand_timers_keep_their_times(void **state)
{
    uint64_t begin = time_now;

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        arm(i, begin + (i + 1) * 100 * MICROSECOND, 1000 * MILLISECOND);
    pass_time(begin + 3000 * MILLISECOND);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(entries[i].fired, 3);
        assert_int_equal(entries[i].at, begin + 2000 * MILLISECOND + (i + 1) * 100 * MICROSECOND);
    }
}

/* The idle thread's waits of a millisecond: their ends, once it is known how late a halt ends. */
static uint64_t latest_after_halts(uint64_t takes)
{
    uint64_t latest = 0;

    halt_takes = takes;
    look_takes = MICROSECOND;
    for (unsigned i = 0; i < 200; i++) {
        entries[0] = (struct entry){ .fired = 0 };
        arm(0, time_now + MILLISECOND, 0);
        while (entries[0].fired == 0)
            clock_idle();
        assert_true(entries[0].at >= entries[0].timer.due);
        if (i > 100 && entries[0].at - entries[0].timer.due > latest)
            latest = entries[0].at - entries[0].timer.due;
    }
    return latest;
}

static void a_halted_processor_is_back_in_time(void **state)
{
    (void)state;
    assert_true(latest_after_halts(0) <= MICROSECOND);
    assert_true(latest_after_halts(60 * MICROSECOND) <= 5 * MICROSECOND);
    assert_true(halts <= 2 * 2 * 200);
    assert_true(let_in < 2 * 200 * 100);                /* and the clock is polled for no longer than necessary */
}

/* What is due when the idle thread looks is fired without the alarm, which then rings for the next. */
static void what_follows_a_timer_that_fires_without_an_alarm_rings(void **state)
{
    uint64_t begin;

    (void)state;
    arm(0, time_now + 2 * MILLISECOND, 0);
    arm(1, time_now + 5 * MILLISECOND, 0);
    time_now += 3 * MILLISECOND;                        /* with interrupts off: no alarm came in */
    begin = time_now;
    alarm_moment = NEVER;
    clock_idle();
    assert_int_equal(entries[0].fired, 1);
    assert_int_equal(entries[0].at, begin);
    assert_int_equal(rings, 0);
    pass_time(begin + 100 * MILLISECOND);
    assert_int_equal(entries[1].fired, 1);
    assert_int_equal(entries[1].at, begin + 2 * MILLISECOND);
    assert_int_equal(rings, 1);
}

/* A halt that ends as early as it can: what is left is waited for awake, and the timer fires without an alarm. */
static void the_rest_of_a_short_halt_is_waited_for_awake(void **state)
{
    unsigned looks;

    (void)state;
    latest_after_halts(60 * MICROSECOND);
    looks = let_in;
    halt_takes = 0;
    entries[0] = (struct entry){ .fired = 0 };
    arm(0, time_now + MILLISECOND, 0);
    while (entries[0].fired == 0)
        clock_idle();
    assert_in_range(entries[0].at, entries[0].timer.due, entries[0].timer.due + MICROSECOND);
    assert_in_range(let_in - looks, 1, 61);
    assert_null(timers_broken());
    arm(1, time_now + MILLISECOND, 0);              /* and the alarm is set for the next */
    pass_time(time_now + 2 * MILLISECOND);
    assert_int_equal(entries[1].fired, 1);
}

/* An alarm that interrupts work comes when it is due, and says nothing about halts. */
static void only_halts_teach_how_late_halts_end(void **state)
{
    uint64_t known;

    (void)state;
    latest_after_halts(60 * MICROSECOND);
    known = lead;
    assert_in_range(known, 50 * MICROSECOND, 60 * MICROSECOND);
    for (unsigned i = 0; i < 10; i++) {
        entries[0] = (struct entry){ .fired = 0 };
        arm(0, time_now + MILLISECOND, 0);
        pass_time(time_now + 2 * MILLISECOND);
        assert_int_equal(entries[0].fired, 1);
    }
    assert_int_equal(lead, known);
}

/* A host that takes a hundred times as long to wake is busy: the clock is not polled for that long. */
static void a_busy_host_is_not_waited_for_awake(void **state)
{
    (void)state;
    assert_true(latest_after_halts(6 * MILLISECOND) >= 5 * MILLISECOND);
    assert_true(let_in * MICROSECOND <= 200ull * LEAD_MOST);
}

static void the_wall_clock_goes_with_the_other(void **state)
{
    uint64_t wall = clock_wall();

    /* Since the machine was switched on. */
    assert_in_range(wall / 1000000000, 1700000000, 1700000000 + clock_now() / 1000000000 + 1);

    (void)state;
    time_now += 5 * MILLISECOND;
    assert_int_equal(clock_wall() - wall, 5 * MILLISECOND);
    clock_set_wall(1000);
    time_now += 7;
    assert_int_equal(clock_wall(), 1007);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(who_waits_for_nothing_is_not_rung, power_on),
        cmocka_unit_test_setup(a_timer_fires_at_its_moment_and_once, power_on),
        cmocka_unit_test_setup(an_earlier_one_moves_the_alarm_and_the_later_one_follows, power_on),
        cmocka_unit_test_setup(what_is_disarmed_does_not_move_the_alarm, power_on),
        cmocka_unit_test_setup(an_alarm_that_rings_on_the_way_is_set_again, power_on),
        cmocka_unit_test_setup(what_is_due_already_is_soon, power_on),
        cmocka_unit_test_setup(short_intervals_leave_time_between, power_on),
        cmocka_unit_test_setup(all_timers_fire_however_many_are_due, power_on),
        cmocka_unit_test_setup(ten_thousand_timers_keep_their_times, power_on),
        cmocka_unit_test_setup(a_halted_processor_is_back_in_time, power_on),
        cmocka_unit_test_setup(what_follows_a_timer_that_fires_without_an_alarm_rings, power_on),
        cmocka_unit_test_setup(the_rest_of_a_short_halt_is_waited_for_awake, power_on),
        cmocka_unit_test_setup(only_halts_teach_how_late_halts_end, power_on),
        cmocka_unit_test_setup(a_busy_host_is_not_waited_for_awake, power_on),
        cmocka_unit_test_setup(the_wall_clock_goes_with_the_other, power_on),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
