/*
 * test_timer_moments.c - to the nanosecond: when a process's timers and its alarm are due, how long one rests that
 * nobody hears, and what is left to wait for.
 */
#include "process_notes.h"

enum { UNHEARD = 1000000, QUIET = 10000000, QUIET_EACH = 100000 };      /* nanoseconds */

static struct process *self(void) { return current_process(); }

static int create(struct timer_request request)
{
    int id = process_timer_create(self(), &request);

    assert_true(id >= 0);
    return id;
}

static struct alarm_state set(int id, bool absolute, uint64_t value, uint64_t interval)
{
    struct alarm_state old;

    assert_int_equal(process_timer_set(self(), id, absolute, value, interval, &old), 0);
    return old;
}

static struct alarm_state get(int id)
{
    struct alarm_state state;

    assert_int_equal(process_timer_get(self(), id, &state), 0);
    return state;
}

static uint64_t left(int id)        { return get(id).left; }
static uint64_t alarm_left(void)    { return process_alarm_state(self()).left; }

/* ---- Nobody hears ------------------------------------------------------------------------------------------------ */

/* What is left after an expiry at its moment. */
static uint64_t left_after_alarm(uint64_t interval)
{
    uint64_t is_left;

    pass_time(TICK);                            /* no alarm has rung just now */
    process_set_alarm(self(), 30000, interval);
    pass_time(30000);
    is_left = alarm_left();
    process_set_alarm(self(), 0, 0);
    return is_left;
}

static uint64_t left_after_expiry(int id, uint64_t interval)
{
    pass_time(TICK);
    set(id, false, 30000, interval);
    pass_time(30000);
    return left(id);
}

static void has_intervals(void)
{
    int id;

    on_signal(SIGALRM, SIG_IGN, 0);
    on_signal(40, SIG_IGN, 0);
    assert_int_equal(left_after_alarm(UNHEARD), UNHEARD);
    assert_int_equal(left_after_alarm(UNHEARD - 1), 2 * (UNHEARD - 1));
    assert_int_equal(left_after_alarm(UNHEARD / 4), 5 * (UNHEARD / 4));
    assert_int_equal(left_after_alarm(1), UNHEARD + 1);
    id = create((struct timer_request){ .signal = 40 });
    assert_int_equal(left_after_expiry(id, QUIET), QUIET);
    assert_int_equal(left_after_expiry(id, QUIET + 1), QUIET + 1);
    assert_int_equal(left_after_expiry(id, QUIET - 1), 2 * (QUIET - 1));
    assert_int_equal(left_after_expiry(id, 1), QUIET + 1);
    on_signal(40, 100, SA_NODEFER);
    pass_time(QUIET + 1);
    back();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.overrun, QUIET + 1);       /* an interval is a nanosecond */
    process_timers_clear(self());
}

static void short_intervals_rest_where_nobody_hears(void) { begin(has_intervals); }

static void has_ten_thousand_timers(void)
{
    on_signal(SIGALRM, SIG_IGN, 0);
    for (unsigned n = 0; n < 9998; n++)
        create((struct timer_request){ .signal = 40 });
    assert_int_equal(left_after_alarm(1), 9999 * QUIET_EACH + 1);               /* the process counts as well */
    create((struct timer_request){ .signal = 40 });
    assert_int_equal(left_after_alarm(1), 1000000001);
    create((struct timer_request){ .signal = 40 });
    create((struct timer_request){ .signal = 40 });
    assert_int_equal(left_after_alarm(1), 1000000001);                          /* a second is enough for all */
    assert_int_equal(process_timer_delete(self(), 5), 0);
    assert_int_equal(process_timer_delete(self(), 6), 0);
    assert_int_equal(process_timer_delete(self(), 7), 0);
    assert_int_equal(left_after_alarm(1), 9999 * QUIET_EACH + 1);
    ids[0] = fork_into(does_nothing);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    process_timers_clear(self());
    assert_int_equal(left_after_alarm(1), UNHEARD + 1);
}

static void nobody_is_rung_for_longer_than_a_second(void) { begin(has_ten_thousand_timers); }

/* What was missed before it was set anew is forgotten. */
static void misses_and_is_set(void)
{
    int id = create((struct timer_request){ .signal = 40 });

    on_signal(40, SIG_IGN, 0);
    left_after_expiry(id, QUIET / 4);
    on_signal(40, 100, SA_NODEFER);
    set(id, false, TICK, 0);
    pass_time(TICK);
    back();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.overrun, 0);
    on_signal(40, SIG_IGN, 0);
    left_after_expiry(id, QUIET / 4);
    on_signal(40, 100, SA_NODEFER);
    pass_time(2 * QUIET);
    back();
    assert_int_equal(handlers_run, 2);
    assert_int_equal(handled[1].info.overrun, 5 + 3);           /* five before it rang again, three since */
    assert_int_equal(get(id).overrun, 8);
    assert_int_equal(set(id, false, TICK, 0).overrun, 8);
    assert_int_equal(get(id).overrun, 0);
    process_timers_clear(self());
}

static void a_timer_set_anew_has_missed_nothing(void) { begin(misses_and_is_set); }

/* ---- What is left ----------------------------------------------------------------------------------------- */

static void is_late(void)
{
    int once = create((struct timer_request){ .signal = 40 });
    int often = create((struct timer_request){ .signal = 40 });
    int quiet_once = create((struct timer_request){ .signal = 0 });
    int quiet_often = create((struct timer_request){ .signal = 0 });

    set(once, false, TICK, 0);
    set(often, false, TICK, 3 * TICK);
    set(quiet_once, false, TICK, 0);
    set(quiet_often, false, TICK, 3 * TICK);
    the_time += TICK - 1;
    assert_int_equal(left(once), 1);
    assert_int_equal(left(quiet_once), 1);
    assert_int_equal(left(quiet_often), 1);
    the_time += 1;                              /* due, and no interrupt has come */
    assert_int_equal(left(once), 1);
    assert_int_equal(left(often), 1);
    assert_int_equal(left(quiet_once), 0);
    assert_int_equal(left(quiet_often), 3 * TICK);
    the_time += 1;
    assert_int_equal(left(once), 1);
    assert_int_equal(left(often), 1);
    assert_int_equal(left(quiet_once), 0);
    assert_int_equal(left(quiet_often), 3 * TICK - 1);
    signal_set_mask(1ull << 39);
    pass_time(2 * TICK);                        /* now their signals wait */
    assert_int_equal(left(once), 0);
    assert_int_equal(left(often), TICK - 1);
    set(once, false, 0, 0);
    assert_int_equal(left(once), 0);
    process_timers_clear(self());
    signal_set_mask(0);
    on_signal(40, SIG_IGN, 0);
}

static void what_is_due_and_has_not_rung_is_not_nothing(void) { begin(is_late); }

static void goes_to_the_end_of_time(void)
{
    int id = create((struct timer_request){ .signal = 0 });

    for (uint64_t before = 0; before < 4; before++) {
        set(id, false, NEVER - before - clock_now(), 0);
        assert_true(left(id) + clock_now() == (before < 1 ? NEVER - 1 : NEVER - before));
        process_set_alarm(self(), NEVER - before - clock_now(), 0);
        assert_true(self()->alarm.due == (before < 1 ? NEVER - 1 : NEVER - before));
    }
    set(id, false, NEVER, 0);
    assert_true(left(id) + clock_now() == NEVER - 1);
    process_set_alarm(self(), 0, 0);
    process_timers_clear(self());
}

static void no_timer_is_due_never(void) { begin(goes_to_the_end_of_time); }

static void is_told_a_moment(void)
{
    int mono = create((struct timer_request){ .signal = 0 });
    int wall = create((struct timer_request){ .signal = 0, .wall = true });

    set(mono, true, clock_now() + 5, 0);
    set(wall, true, clock_wall() + 7, 0);
    assert_int_equal(left(mono), 5);
    assert_int_equal(left(wall), 7);
    set(mono, true, clock_now(), 0);
    set(wall, true, clock_wall(), 9);
    assert_int_equal(left(mono), 0);
    assert_int_equal(left(wall), 9);            /* the moment is now, and the next is so far ahead */
    set(mono, true, clock_now() - 1, 9);
    assert_int_equal(left(mono), 9);
    set(wall, false, 11, 0);                    /* from now on: by no clock */
    assert_int_equal(left(wall), 11);
    process_timers_clear(self());
}

static void a_moment_that_has_passed_is_now(void) { begin(is_told_a_moment); }

/* ---- A timer goes on when its signal is taken -------------------------------------------------------------------- */

static void takes_late(void)
{
    int id = create((struct timer_request){ .signal = 40 });

    on_signal(40, 100, SA_NODEFER);
    for (uint64_t late = 0; late <= 3; late++) {
        handlers_run = 0;
        pass_time(TICK);
        signal_set_mask(1ull << 39);
        set(id, false, TICK, TICK);
        pass_time(TICK + late * TICK);
        signal_set_mask(0);
        back();                                 /* at its moment, or so many intervals later */
        assert_int_equal(handlers_run, 1);
        assert_int_equal(handled[0].info.overrun, late);
        assert_int_equal(get(id).overrun, late);
        assert_int_equal(left(id), TICK);
        handlers_run = 0;
        pass_time(TICK - 1);
        back();
        assert_int_equal(handlers_run, 0);
        pass_time(1);
        back();
        assert_int_equal(handlers_run, 1);
        assert_int_equal(handled[0].info.overrun, 0);
        set(id, false, 0, 0);
    }
    process_timers_clear(self());
}

static void the_intervals_that_a_signal_was_late_are_its_overrun(void) { begin(takes_late); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(short_intervals_rest_where_nobody_hears),
        in_world(nobody_is_rung_for_longer_than_a_second),
        in_world(a_timer_set_anew_has_missed_nothing),
        in_world(what_is_due_and_has_not_rung_is_not_nothing),
        in_world(no_timer_is_due_never),
        in_world(a_moment_that_has_passed_is_now),
        in_world(the_intervals_that_a_signal_was_late_are_its_overrun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
