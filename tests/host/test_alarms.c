/*
 * test_alarms.c - alarm(), and timer_create()'s family: which alarm rings when, and its reports.
 */
#include "process_world.h"

static unsigned passed;

static void begin(void (*program)(void))
{
    passed = 0;
    run_program(program);
}

static struct process *self(void) { return current_process(); }

/* So many ticks, and the signals of each. */
static void ticks(unsigned count)
{
    while (count-- > 0) {
        tick();
        back();
    }
}

/* ---- alarm() --------------------------------------------------------------------------------------------- */

static void sets_alarms(void)
{
    struct alarm_state state;

    on_signal(SIGALRM, 100, SA_NODEFER);
    state = process_alarm_state(self());
    assert_int_equal(state.left, 0);
    assert_int_equal(state.interval, 0);
    process_set_alarm(self(), 3 * TICK, 0);
    assert_int_equal(process_alarm_state(self()).left, 3 * TICK);
    ticks(1);
    assert_int_equal(process_alarm_state(self()).left, 2 * TICK);
    ticks(1);
    assert_int_equal(handlers_run, 0);
    ticks(1);
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.number, SIGALRM);
    assert_int_equal(handled[0].info.code, 128);
    assert_int_equal(process_alarm_state(self()).left, 0);
    ticks(5);
    assert_int_equal(handlers_run, 1);          /* once */
    process_set_alarm(self(), TICK, 2 * TICK);
    assert_int_equal(process_alarm_state(self()).interval, 2 * TICK);
    ticks(1);
    assert_int_equal(handlers_run, 2);
    assert_int_equal(process_alarm_state(self()).left, 2 * TICK);
    ticks(1);
    assert_int_equal(handlers_run, 2);
    ticks(1);
    assert_int_equal(handlers_run, 3);
    process_set_alarm(self(), 0, 7);            /* off, and no interval stays */
    assert_int_equal(process_alarm_state(self()).left, 0);
    assert_int_equal(process_alarm_state(self()).interval, 0);
    ticks(5);
    assert_int_equal(handlers_run, 3);
    process_set_alarm(self(), TICK, 0);
    the_time += TICK;
    assert_int_equal(process_alarm_state(self()).left, 1);      /* due, and not fired: not nothing */
    the_time += TICK;
    assert_int_equal(process_alarm_state(self()).left, 1);
    process_set_alarm(self(), UINT64_MAX - 5, 0);               /* as far as the clock can count */
    assert_true(self()->alarm.due == NEVER - 1);
    process_set_alarm(self(), NEVER - 1 - clock_now(), 0);
    assert_true(self()->alarm.due == NEVER - 1);
}

static void an_alarm_rings_when_it_is_due_and_by_its_interval(void) { begin(sets_alarms); }

/* Nobody hears of it, so that a short interval is as good as one of a millisecond. */
static void has_a_short_alarm(void)
{
    on_signal(SIGALRM, SIG_IGN, 0);
    process_set_alarm(self(), 100000, 100000);
    pass_time(100000);
    assert_in_range(process_alarm_state(self()).left, 1000000, 1100000);
    assert_int_equal(process_alarm_state(self()).interval, 100000);
    process_set_alarm(self(), 2000000, 2000000);
    pass_time(2000000);
    assert_int_equal(process_alarm_state(self()).left, 2000000);
    process_set_alarm(self(), 0, 0);
}

static void an_alarm_that_nobody_hears_leaves_time_to_others(void) { begin(has_a_short_alarm); }

/* The more timers there are the longer each rests that nobody hears, an alarm as well. */
static void has_very_many_timers(void)
{
    enum { MANY = 1000, EACH = 100000 };
    struct alarm_state old, state;

    on_signal(SIGALRM, SIG_IGN, 0);
    on_signal(40, SIG_IGN, 0);
    self()->limits[RLIMIT_SIGPENDING].soft = MANY;
    for (int i = 0; i < MANY; i++)
        assert_int_equal(process_timer_create(self(), &(struct timer_request){ .signal = 40 }), i);
    assert_int_equal(process_timer_set(self(), 0, false, 1, 1, &old), 0);
    process_set_alarm(self(), 1, 1);
    pass_time(1);
    assert_int_equal(process_timer_get(self(), 0, &state), 0);
    assert_in_range(state.left, MANY * EACH, (MANY + 10) * EACH);
    assert_in_range(process_alarm_state(self()).left, MANY * EACH, (MANY + 10) * EACH);
    process_timers_clear(self());
    process_set_alarm(self(), EACH, EACH);
    pass_time(EACH);
    assert_in_range(process_alarm_state(self()).left, 1000000, 1000000 + 10 * EACH);
    process_set_alarm(self(), 0, 0);
}

static void timers_that_nobody_hears_rest_longer_the_more_there_are(void) { begin(has_very_many_timers); }

/* ---- timer_create() -------------------------------------------------------------------------------------- */

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

static void has_timers(void)
{
    struct alarm_state state;
    int id, other;

    on_signal(40, 100, SA_NODEFER);
    assert_int_equal(process_timer_get(self(), 0, &state), -EINVAL);
    id    = create((struct timer_request){ .signal = 40 });
    other = create((struct timer_request){ .signal = 40, .has_value = true, .value = 77 });
    assert_int_equal(id, 0);
    assert_int_equal(other, 1);
    assert_int_equal(get(id).left, 0);
    assert_int_equal(set(id, false, 2 * TICK, 0).left, 0);
    assert_int_equal(get(id).left, 2 * TICK);
    set(other, false, 3 * TICK, 0);
    ticks(1);
    assert_int_equal(get(id).left, TICK);
    ticks(1);
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.number, 40);
    assert_int_equal(handled[0].info.code, -2);
    assert_int_equal(handled[0].info.timer, id);
    assert_int_equal(handled[0].info.value, id);                /* without a value: its number */
    assert_int_equal(handled[0].info.overrun, 0);
    assert_int_equal(get(id).left, 0);
    ticks(1);
    assert_int_equal(handlers_run, 2);
    assert_int_equal(handled[1].info.value, 77);
    ticks(5);
    assert_int_equal(handlers_run, 2);
    state = set(id, false, 5 * TICK, 3 * TICK);
    assert_int_equal(state.interval, 0);
    state = set(id, false, 4 * TICK, 2 * TICK);                 /* the old setting is returned */
    assert_int_equal(state.left, 5 * TICK);
    assert_int_equal(state.interval, 3 * TICK);
    set(id, false, 0, 9);
    assert_int_equal(get(id).left, 0);
    assert_int_equal(get(id).interval, 0);
    ticks(10);
    assert_int_equal(handlers_run, 2);
    assert_int_equal(process_timer_delete(self(), id), 0);
    assert_int_equal(process_timer_delete(self(), id), -EINVAL);
    assert_int_equal(process_timer_set(self(), id, false, 1, 1, &state), -EINVAL);
    assert_int_equal(process_timer_get(self(), other, &state), 0);
    assert_int_equal(create((struct timer_request){ .signal = 40 }), id);
    set(id, false, TICK, 0);
    set(other, false, TICK, TICK);
    process_timers_clear(self());
    assert_null(self()->timers);
    process_timers_clear(self());
    ticks(5);
    assert_int_equal(handlers_run, 2);
    create((struct timer_request){ .signal = 40 });             /* the remaining timers end with the process */
    create((struct timer_request){ .signal = 41 });
    set(1, false, TICK, TICK);
}

static void timers_of_a_process_fire_and_are_deleted(void) { begin(has_timers); }

static void goes_by_intervals(void)
{
    int id = create((struct timer_request){ .signal = 40 });

    on_signal(40, 100, SA_NODEFER);
    set(id, false, 2 * TICK, 3 * TICK);
    ticks(2);
    assert_int_equal(handlers_run, 1);
    assert_int_equal(get(id).left, 3 * TICK);
    assert_int_equal(get(id).interval, 3 * TICK);
    ticks(2);
    assert_int_equal(get(id).left, TICK);
    ticks(1);
    assert_int_equal(handlers_run, 2);
    signal_set_mask(1ull << 39);                /* blocked: the signal waits, and time passes */
    ticks(4);
    assert_int_equal(handlers_run, 2);
    assert_int_equal(get(id).left, 2 * TICK);   /* the rest of the current interval */
    ticks(2 + 3 + 3 + 1);                       /* due at 3, 6, 9, 12 of these 13 */
    signal_set_mask(0);
    back();
    assert_int_equal(handlers_run, 3);
    assert_int_equal(handled[2].info.overrun, 3);
    assert_int_equal(get(id).overrun, 3);
    assert_int_equal(get(id).left, 2 * TICK);
    ticks(2);
    assert_int_equal(handlers_run, 4);
    assert_int_equal(handled[3].info.overrun, 0);
    assert_int_equal(get(id).overrun, 0);
    process_timers_clear(self());
}

static void expiries_that_nobody_heard_of_are_counted(void) { begin(goes_by_intervals); }

/* Set anew while its signal waits: that one is not its any more. */
static void sets_anew(void)
{
    int id = create((struct timer_request){ .signal = 40 });

    on_signal(40, 100, SA_NODEFER);
    signal_set_mask(1ull << 39);
    set(id, false, TICK, TICK);
    ticks(3);
    set(id, false, 2 * TICK, 0);
    assert_int_equal(get(id).overrun, 0);
    assert_int_equal(get(id).left, 2 * TICK);
    ticks(2);
    signal_set_mask(0);
    back();
    assert_int_equal(handlers_run, 2);
    assert_int_equal(handled[0].info.overrun, 0);
    assert_int_equal(get(id).left, 0);
    process_timers_clear(self());
}

static void a_timer_that_is_set_anew_begins_anew(void) { begin(sets_anew); }

static void nobody_listens(void)
{
    int id = create((struct timer_request){ .signal = 40 });

    on_signal(40, SIG_IGN, 0);
    set(id, false, TICK, TICK);
    ticks(5);
    assert_true(self()->timers != NULL && get(id).interval == TICK);
    on_signal(40, 100, SA_NODEFER);
    ticks(1);
    assert_int_equal(handlers_run, 1);
    assert_true(handled[0].info.overrun >= 4);  /* the expirations that were ignored */
    set(id, false, TICK, TICK / 10);            /* shorter than a tick: not before the next */
    on_signal(40, SIG_IGN, 0);
    ticks(3);
    on_signal(40, 100, SA_NODEFER);
    ticks(2);
    assert_true(handlers_run >= 2);
    assert_true(handled[1].info.overrun >= 20);
    set(id, false, TICK, 0);
    on_signal(40, SIG_IGN, 0);
    ticks(2);
    assert_int_equal(get(id).left, 0);
    process_timers_clear(self());
}

static void a_timer_goes_on_though_its_signal_is_ignored(void) { begin(nobody_listens); }

static void asks_without_signals(void)
{
    int id = create((struct timer_request){ .signal = 0 });

    set(id, false, 3 * TICK, 0);
    assert_int_equal(get(id).left, 3 * TICK);
    ticks(2);
    assert_int_equal(get(id).left, TICK);
    ticks(1);
    assert_int_equal(get(id).left, 0);
    ticks(1);
    assert_int_equal(get(id).left, 0);
    set(id, false, 2 * TICK, 3 * TICK);
    ticks(3);
    assert_int_equal(get(id).left, 2 * TICK);
    ticks(2);
    assert_int_equal(get(id).left, 3 * TICK);
    set(id, false, TICK, 7 * (uint64_t)TICK + 1);
    for (unsigned passed_since = 0; passed_since < 14; passed_since++) {        /* the interval is no number of ticks */
        ticks(1);
        assert_int_equal(get(id).left, passed_since < 8 ? (7 - passed_since) * (uint64_t)TICK + 1
                                                        : (14 - passed_since) * (uint64_t)TICK + 2);
    }
    assert_int_equal(handlers_run, 0);
    process_timers_clear(self());
}

static void a_timer_without_a_signal_tells_the_time(void) { begin(asks_without_signals); }

static void goes_by_the_wall(void)
{
    int mono = create((struct timer_request){ .signal = 40 });
    int wall = create((struct timer_request){ .signal = 41, .wall = true });

    on_signal(40, 100, SA_NODEFER);
    on_signal(41, 101, SA_NODEFER);
    ticks(2);
    set(mono, true, clock_now() + 2 * TICK, 0);
    set(wall, true, clock_wall() + 3 * TICK, 0);
    assert_int_equal(get(mono).left, 2 * TICK);
    assert_int_equal(get(wall).left, 3 * TICK);
    ticks(2);
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.number, 40);
    ticks(1);
    assert_int_equal(handlers_run, 2);
    assert_int_equal(handled[1].info.number, 41);
    set(mono, true, 1, 0);                      /* long past: at the next tick */
    set(wall, true, clock_wall(), 0);
    assert_int_equal(get(mono).left, 1);
    ticks(1);
    assert_int_equal(handlers_run, 4);
    process_timers_clear(self());
}

static void a_moment_is_by_its_own_clock(void) { begin(goes_by_the_wall); }

static int32_t other_thread;

static void thread_that_listens(void)
{
    other_thread = current_thread()->id;
    sleep_for(1000 * (uint64_t)TICK);
    sleep_for(1000 * (uint64_t)TICK);
}

static void sends_to_a_thread(void)
{
    struct timer_request request = { .signal = 40 };
    int id;

    on_signal(40, 100, SA_NODEFER);
    request.thread = 99;
    assert_int_equal(process_timer_create(self(), &request), -EINVAL);
    request.thread = current_thread()->id;
    assert_int_equal(request.thread, 1);
    id = create(request);
    set(id, false, TICK, 0);
    ticks(1);
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].thread, 1);
    assert_int_equal(process_timer_delete(self(), id), 0);
    handlers_run = 0;
    other_thread = thread_into(thread_that_listens);
    request.thread = other_thread;
    id = create(request);
    give_way();
    set(id, false, TICK, 0);
    tick();
    assert_int_equal(self()->pending.pending, 0);
    assert_true(thread_find(other_thread)->pending.pending == 1ull << 39);
    give_way();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].thread, other_thread);
    set(id, false, TICK, TICK);
    struct signal_info kill_it = { .number = SIGKILL };
    self()->survivor = current_thread();
    signal_thread(thread_find(other_thread), &kill_it);
    give_way();
    give_way();
    self()->survivor = NULL;
    assert_null(thread_find(other_thread));
    ticks(3);                                   /* the target has ended: the timer only counts */
    assert_int_equal(handlers_run, 1);
    assert_true(signals_waiting(current_thread()) == 0);
    process_timers_clear(self());
}

static void a_timer_may_be_one_threads(void) { begin(sends_to_a_thread); }

static void has_few_timers(void)
{
    struct timer_request request = { .signal = 40 };

    self()->limits[RLIMIT_SIGPENDING].soft = 3;
    for (int i = 0; i < 3; i++)
        assert_int_equal(create(request), i);
    assert_int_equal(process_timer_create(self(), &request), -EAGAIN);
    self()->limits[RLIMIT_SIGPENDING].soft = 4;
    heap_drain();
    for (unsigned n = 1; n <= 1; n++) {
        heap_fail_at(n);
        assert_int_equal(process_timer_create(self(), &request), -ENOMEM);
    }
    heap_fail_at(0);
    assert_int_equal(create(request), 3);
    process_timers_clear(self());
    heap_drain();
    heap_fail_at(2);
    assert_int_equal(process_timer_create(self(), &request), -ENOMEM);
    heap_fail_at(0);
    assert_null(self()->timers);
}

static void a_process_has_so_many_timers(void) { begin(has_few_timers); }

/* A timer's signals queue beside each other, and beyond the limit: each waits once. */
static void queues_beyond_the_limit(void)
{
    int id[4];

    on_signal(SIGUSR1, 100, SA_NODEFER);
    signal_set_mask(1ull << (SIGUSR1 - 1));
    for (int i = 0; i < 4; i++) {
        id[i] = create((struct timer_request){ .signal = SIGUSR1, .has_value = true, .value = 10u + (unsigned)i });
        set(id[i], false, (uint64_t)(i + 1) * TICK, 0);
    }
    self()->limits[RLIMIT_SIGPENDING].soft = 1;
    ticks(5);
    assert_int_equal(self()->credentials->account->signals, 4);
    signal_set_mask(0);
    back();
    assert_int_equal(handlers_run, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(handled[i].info.value, 10 + i);
    process_timers_clear(self());
}

static void signals_of_timers_come_each_for_itself(void) { begin(queues_beyond_the_limit); }

static void counts_to_the_end(void)
{
    int id = create((struct timer_request){ .signal = 40 });

    on_signal(40, 100, SA_NODEFER);
    signal_set_mask(1ull << 39);
    set(id, false, TICK, 1);                    /* a thousand million a second */
    ticks(1);
    the_time += 5000000000ull;
    signal_set_mask(0);
    back();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.overrun, 0x7FFFFFFF);
    signal_set_mask(1ull << 39);
    ticks(1);
    the_time += 100;
    signal_set_mask(0);
    back();
    assert_int_equal(handlers_run, 2);
    assert_true(handled[1].info.overrun < 0x7FFFFFFF);
    process_timers_clear(self());
}

static void overruns_end_at_the_largest_number(void) { begin(counts_to_the_end); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(an_alarm_rings_when_it_is_due_and_by_its_interval),
        in_world(an_alarm_that_nobody_hears_leaves_time_to_others),
        in_world(timers_that_nobody_hears_rest_longer_the_more_there_are),
        in_world(timers_of_a_process_fire_and_are_deleted),
        in_world(expiries_that_nobody_heard_of_are_counted),
        in_world(a_timer_that_is_set_anew_begins_anew),
        in_world(a_timer_goes_on_though_its_signal_is_ignored),
        in_world(a_timer_without_a_signal_tells_the_time),
        in_world(a_moment_is_by_its_own_clock),
        in_world(a_timer_may_be_one_threads),
        in_world(a_process_has_so_many_timers),
        in_world(signals_of_timers_come_each_for_itself),
        in_world(overruns_end_at_the_largest_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
