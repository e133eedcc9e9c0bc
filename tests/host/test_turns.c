/*
 * test_turns.c - to the nanosecond: how long a turn is, how long threads are let out of theirs for a lock, what a pause
 * leaves behind, and what is done every five seconds while anything runs.
 */
#include "process_notes.h"

#include "process/errand.h"
#include "process/load.h"

#define SLICE 50000000ull
#define SECOND 1000000000ull

static struct mutex mutex = MUTEX("test");

/* ---- The end of a turn ---------------------------------------------------------------------------------------- */

static void says_b(void)
{
    note('b');
    thread_exit(0);
}

static uint64_t alone_for;
static bool     hurried;                        /* something has to be done in the middle of its turn */
static uint64_t alarm_in;                       /* after it has made another ready */

static void has_been_alone(void)
{
    uint64_t began = the_time;

    the_time += alone_for / 2;
    if (hurried)
        schedule_hurry();
    back();
    the_time += alone_for - alone_for / 2;
    thread_into(says_b);
    note('a');
    alarm_in = alarm_moment - began;
    while (order[1] == 0) {                     /* the other one comes when this turn is over */
        pass_time(1000000);
        back();
    }
    exit_with(0);
}

/* "ab": it goes on itself; "ba": its turn is over. */
static const char *order_after(uint64_t alone)
{
    pass_time(20 * SECOND);                     /* no watch of earlier turns is left */
    alone_for = alone;
    begin(has_been_alone);
    return order;
}

static void after_a_whole_turn_alone_another_comes_at_once(void)
{
    assert_string_equal(order_after(0), "ab");
    assert_int_equal(alarm_in, SLICE);
    assert_string_equal(order_after(SLICE - 1000001), "ab");
    assert_int_equal(alarm_in, SLICE);
    assert_string_equal(order_after(SLICE - 1), "ab");
    assert_string_equal(order_after(SLICE), "ba");
    assert_string_equal(order_after(3 * SLICE), "ba");
    hurried = true;
    assert_string_equal(order_after(SLICE - 2000000), "ab");
    assert_int_equal(alarm_in, SLICE);          /* the same turn, whatever was done meanwhile */
    assert_string_equal(order_after(SLICE), "ba");
    hurried = false;
}

/* Two that are started by the idle thread, which has no turns: the first has one all the same. */
static void computes_for_long(void)
{
    uint64_t began = the_time;

    assert_int_equal(alarm_moment, began + SLICE);
    note('1');
    pass_time(SLICE - 1);
    back();
    note('1');
    pass_time(1);
    back();
    note('1');
}

static void says_2(void) { note('2'); }

static void a_turn_from_the_idle_thread_ends_as_well(void)
{
    pass_time(20 * SECOND);
    order[0] = 0;
    start_program(computes_for_long);
    start_program(says_2);
    run();
    assert_string_equal(order, "1121");
}

/* ---- Turns that are counted ------------------------------------------------------------------------------------- */

static void gives_up_its_turns(void)
{
    assert_int_equal(current_thread()->used.switches_voluntary, 0);
    sleep_for(TICK);
    assert_int_equal(current_thread()->used.switches_voluntary, 1);
    assert_int_equal(current_thread()->used.switches_involuntary, 0);
    give_way();                                 /* to the other one, which is ready: it could have gone on */
    assert_int_equal(current_thread()->used.switches_voluntary, 1);
    assert_int_equal(current_thread()->used.switches_involuntary, 1);
    sleep_for(TICK);
    assert_int_equal(current_thread()->used.switches_voluntary, 2);
    note('k');
}

static void is_ready_all_the_time(void)
{
    while (order[0] == 0) {
        tick();
        give_way();
    }
}

static void counts_turns(void)
{
    ids[0] = fork_into(gives_up_its_turns);
    ids[1] = fork_into(is_ready_all_the_time);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.usage.switches_voluntary, 2);       /* its end is counted by nobody */
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
}

static void who_waits_gives_up_its_turn_and_who_is_ready_does_not(void)
{
    begin(counts_turns);
    assert_string_equal(order, "k");
}

/* ---- Out of turn, for a lock ------------------------------------------------------------------------------------ */

static uint64_t held_for;

static void holds_and_hands_on(void)
{
    mutex_take(&mutex);
    assert_false(current_thread()->leads);      /* its turn has come */
    note('z');
    the_time += held_for;
    mutex_drop(&mutex);
    back();
}

static void holds_last(void)
{
    mutex_take(&mutex);
    note('w');
    mutex_drop(&mutex);
}

static void computes(void) { note('x'); }

static void hands_on(void)
{
    mutex_take(&mutex);
    ids[0] = fork_into(holds_and_hands_on);
    ids[1] = fork_into(holds_last);
    give_way_inside();                          /* both wait for the lock */
    ids[2] = fork_into(computes);
    mutex_drop(&mutex);
    give_way();
    for (int i = 0; i < 3; i++)
        assert_int_equal(wait_for(ids[i], 0), ids[i]);
}

static void hands_on_twice(void)
{
    hands_on();
    the_time += 3 * SLICE;
    note(' ');
    hands_on();
}

static void threads_lead_for_a_lock_as_long_as_a_turn(void)
{
    held_for = SLICE - 1;
    begin(hands_on_twice);
    assert_string_equal(order, "zwx zwx");
    held_for = SLICE;
    begin(hands_on_twice);
    assert_string_equal(order, "zxw zxw");
}

static unsigned handing_on;

static void hands_on_after_two_thirds(void)
{
    mutex_take(&mutex);
    note((char)('a' + handing_on++));
    the_time += SLICE * 2 / 3;
    mutex_drop(&mutex);
    back();
}

/* The second third of those that lead comes after a whole turn, counted from the first. */
static void hands_on_thrice(void)
{
    handing_on = 0;
    mutex_take(&mutex);
    for (int i = 0; i < 4; i++)
        ids[i] = fork_into(hands_on_after_two_thirds);
    give_way_inside();
    ids[4] = fork_into(computes);
    mutex_drop(&mutex);
    give_way();
    for (int i = 0; i < 5; i++)
        assert_int_equal(wait_for(ids[i], 0), ids[i]);
}

static void the_turn_of_those_that_lead_begins_with_the_first(void)
{
    begin(hands_on_thrice);
    assert_string_equal(order, "abxcd");
}

/* Nobody else is ready: whoever is woken for a lock has an ordinary turn, and none that comes later is passed. */
static void wakes_the_only_one(void)
{
    mutex_take(&mutex);
    ids[0] = fork_into(holds_and_hands_on);
    give_way_inside();
    held_for = 0;
    mutex_drop(&mutex);
    assert_false(thread_find(ids[0])->leads);
    ids[1] = fork_into(computes);
    give_way();
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
}

static void who_is_ready_alone_does_not_lead(void)
{
    begin(wakes_the_only_one);
    assert_string_equal(order, "zx");
}

/* ---- Pauses of the idle thread ----------------------------------------------------------------------------------- */

static unsigned      fired, works;
static struct timer  timers[2];
static struct errand errand;

static void note_fired(struct timer *timer) { fired |= 1u << (timer - timers); }
static void note_work(struct errand *done)  { works += done == &errand; }

static void arm(unsigned n, uint64_t moment)
{
    timers[n].fire = note_fired;
    timer_arm(&timers[n], moment);
}

static uint64_t wait_takes;

static void interrupt_comes(void) { pass_time(wait_takes); }

static void a_pause_that_an_interrupt_has_ended_rings_no_more(void)
{
    pass_time(20 * SECOND);                     /* chores come to rest */
    fired = 0;
    on_wait = interrupt_comes;
    wait_takes = TICK;
    arm(0, the_time + TICK);
    schedule_pause(the_time + 10 * (uint64_t)TICK);
    assert_int_equal(fired, 1);
    arm(1, the_time + TICK);
    assert_int_equal(alarm_moment, the_time + TICK);
    pass_time(TICK);
    assert_int_equal(fired, 3);
    assert_int_equal(alarm_moment, NEVER);
}

static void a_pause_ends_at_its_moment(void)
{
    uint64_t until;

    pass_time(20 * SECOND);
    on_wait = interrupt_comes;
    wait_takes = 0;
    until = the_time + 7 * (uint64_t)TICK;
    schedule_pause(until);
    assert_int_equal(alarm_moment, until);      /* what it has set the alarm to */
    pass_time(10 * (uint64_t)TICK);
    schedule_pause(NEVER);
    assert_int_equal(alarm_moment, NEVER);
}

static void errands_are_done_before_a_pause(void)
{
    errand.work = note_work;
    works = 0;
    on_wait = interrupt_comes;
    wait_takes = 0;
    errand_post(&errand);
    errand_post(&errand);
    schedule_pause(NEVER);
    assert_int_equal(works, 1);
    schedule_pause(NEVER);
    assert_int_equal(works, 1);
}

/* ---- Timers that an interrupt has left over --------------------------------------------------------------- */

static unsigned     count_fired;
static struct timer many[7];

static void count_one(struct timer *timer)
{
    (void)timer;
    count_fired++;
}

static void has_seven_timers(void)
{
    uint64_t due = the_time + TICK;

    count_fired = 0;
    for (unsigned n = 0; n < COUNT_OF(many); n++) {
        many[n].fire = count_one;
        timer_arm(&many[n], due);
    }
    pass_time(TICK);
    assert_int_equal(count_fired, 4);
    back();
    assert_int_equal(count_fired, 7);           /* before the program goes on */
    for (unsigned n = 0; n < COUNT_OF(many); n++)
        timer_arm(&many[n], the_time + 20000);
    pass_time(20000);
    assert_int_equal(count_fired, 11);
    assert_int_equal(schedule_between(), 0);
    assert_int_equal(count_fired, 14);
}

static void timers_that_are_left_over_fire_before_a_program_goes_on(void)
{
    pass_time(20 * SECOND);
    begin(has_seven_timers);
}

/* ---- The idle thread -------------------------------------------------------------------------------------- */

static void the_idle_thread_has_no_points_of_rest(void)
{
    order[0] = 0;
    start_program(computes);
    schedule_hurry();
    assert_false(point_of_rest());
    assert_string_equal(order, "");
    run();
    assert_string_equal(order, "x");
}

/* ---- Chores ----------------------------------------------------------------------------------------------- */

static uint32_t load[LOADS];

static void runs_for_a_minute(void)
{
    for (int i = 0; i < 60; i++) {
        pass_time(SECOND);
        back();
    }
    schedule_load(load);
}

/* A thread that runs alone for a minute: of the load of a minute 1 - 1/e. */
static void the_load_is_measured_while_a_thread_runs(void)
{
    pass_time(3600 * SECOND);
    schedule_load(load);
    assert_true(load[0] < LOAD_ONE / 50);
    begin(runs_for_a_minute);
    assert_in_range(load[0], LOAD_ONE * 60 / 100, LOAD_ONE * 67 / 100);
    assert_in_range(load[1], LOAD_ONE * 17 / 100, LOAD_ONE * 20 / 100);
    assert_in_range(load[2], LOAD_ONE * 6 / 100, LOAD_ONE * 8 / 100);
}

static void nothing_is_measured_while_nothing_runs(void)
{
    begin(does_nothing);
    pass_time(5 * SECOND);
    assert_int_equal(alarm_moment, NEVER);
    begin(does_nothing);                        /* and again from the next start on */
    assert_in_range(alarm_moment, the_time, the_time + 5 * SECOND);
    pass_time(5 * SECOND);
    assert_int_equal(alarm_moment, NEVER);
}

/* ---- Frames that were refused ------------------------------------------------------------------------------------ */

static void hears_of_its_own(void)
{
    assert_false(frames_were_refused());
    __atomic_or_fetch(&frames_wanted, FRAMES_REFUSED, __ATOMIC_RELAXED);
    give_way();
    assert_true(frames_were_refused());
    assert_false(frames_were_refused());
}

/* A fork that found no frame failed, since a fault of its child heard of the refusal in its place. */
static void has_others_turns_before_it_asks(void)
{
    fork_into(hears_of_its_own);
    __atomic_or_fetch(&frames_wanted, FRAMES_REFUSED, __ATOMIC_RELAXED);
    give_way();
    assert_true(frames_were_refused());
    give_way();
    assert_false(frames_were_refused());
    assert_int_equal(wait_for(-1, 0), 2);
}

static void each_thread_hears_of_the_frames_that_it_was_refused(void) { begin(has_others_turns_before_it_asks); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(after_a_whole_turn_alone_another_comes_at_once),
        in_world(a_turn_from_the_idle_thread_ends_as_well),
        in_world(who_waits_gives_up_its_turn_and_who_is_ready_does_not),
        in_world(threads_lead_for_a_lock_as_long_as_a_turn),
        in_world(the_turn_of_those_that_lead_begins_with_the_first),
        in_world(who_is_ready_alone_does_not_lead),
        in_world(a_pause_that_an_interrupt_has_ended_rings_no_more),
        in_world(a_pause_ends_at_its_moment),
        in_world(errands_are_done_before_a_pause),
        in_world(timers_that_are_left_over_fire_before_a_program_goes_on),
        in_world(the_idle_thread_has_no_points_of_rest),
        in_world(the_load_is_measured_while_a_thread_runs),
        in_world(nothing_is_measured_while_nothing_runs),
        in_world(each_thread_hears_of_the_frames_that_it_was_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
