/*
 * test_schedule.c - threads take turns; what runs when a program is about to; the idle thread.
 */
#include "process_notes.h"

#include "process/load.h"

static char next_letter;

static void takes_turns(void)
{
    char letter = next_letter++;

    for (int i = 0; i < 3; i++) {
        note(letter);
        give_way();
    }
}

static void starts_three(void)
{
    next_letter = 'a';
    for (int i = 0; i < 3; i++)
        ids[i] = fork_into(takes_turns);
    assert_int_equal(schedule_ready(), 3);
    assert_int_equal(schedule_running(), 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wait_for(-1, 0), ids[i]);
    assert_int_equal(schedule_ready(), 0);
    assert_int_equal(schedule_running(), 1);
}

static void threads_take_turns(void)
{
    uint64_t switches = schedule_switches();

    begin(starts_three);
    assert_string_equal(order, "abcabcabc");
    assert_true(schedule_switches() > switches + 9);
}

/* ---- Turns end ------------------------------------------------------------------------------------------- */

static void computes(void)
{
    char letter = next_letter++;

    for (int i = 0; i < 12; i++) {
        note(letter);
        tick();
        back();
    }
}

static void starts_two_that_compute(void)
{
    next_letter = 'a';
    fork_into(computes);
    fork_into(computes);
    assert_int_equal(wait_for(-1, 0), 2);
    assert_int_equal(waited.usage.switches_involuntary, 2);
    assert_int_equal(waited.usage.switches_voluntary, 0);
    assert_int_equal(waited.usage.user_time, 12 * TICK);
    assert_int_equal(wait_for(-1, 0), 3);
}

static void after_five_ticks_another_has_its_turn(void)
{
    begin(starts_two_that_compute);
    assert_string_equal(order, "aaaaabbbbbaaaaabbbbbaabb");
}

static void computes_in_the_kernel(void)
{
    char letter = next_letter++;

    for (int i = 0; i < 7; i++) {
        note(letter);
        tick();
        assert_int_equal(schedule_between(), 0);
    }
}

static void starts_two_in_the_kernel(void)
{
    next_letter = 'a';
    fork_into(computes_in_the_kernel);
    fork_into(computes_in_the_kernel);
    assert_int_equal(wait_for(-1, 0), 2);
    assert_int_equal(wait_for(-1, 0), 3);
}

static void long_work_in_the_kernel_gives_way(void)
{
    begin(starts_two_in_the_kernel);
    assert_string_equal(order, "aaaaabbbbbaabb");
}

static void is_told_in_long_work(void)
{
    struct signal_info info = { .number = SIGUSR1 };

    on_signal(SIGUSR1, 100, 0);
    assert_int_equal(schedule_between(), 0);
    signal_process(current_process(), &info);
    assert_int_equal(schedule_between(), -EINTR);
}

static void long_work_hears_of_signals(void) { begin(is_told_in_long_work); }

/* One thread computes alone; a thread that becomes ready meanwhile has a turn when this one's is over. */
static void is_born_late(void) { note('b'); }

static void computes_alone_then_not(void)
{
    for (int i = 0; i < 3; i++) {
        tick();
        back();
    }
    fork_into(is_born_late);
    for (int i = 0; i < 8; i++) {
        note('a');
        tick();
        back();
    }
    assert_int_equal(wait_for(-1, 0), 2);
}

static void a_thread_that_comes_to_run_is_not_forgotten(void)
{
    begin(computes_alone_then_not);
    assert_string_equal(order, "aabaaaaaa");    /* the turn was five ticks long, of which three were over */
}

/* ---- Probes, and the idle thread ------------------------------------------------------------------------- */

static unsigned probed;
static void     probe(void) { probed++; }

static void is_probed(void)
{
    probed = 0;
    back();
    schedule_probe(PROBE_CHANNEL, probe);
    assert_int_equal(probed, 0);
    back();
    assert_int_equal(probed, 1);
    back();
    assert_int_equal(probed, 1);                /* once */
    schedule_probe(PROBE_MAP_LINE, probe);
    schedule_probe(PROBE_CHANNEL, probe);
    assert_int_equal(schedule_between(), 0);
    assert_int_equal(probed, 3);
    schedule_probe(PROBE_CHANNEL, probe);
    sleep_for(TICK);                            /* a switch does not lose it */
    back();
    assert_int_equal(probed, 4);
    schedule_probe(PROBE_MAP_LINE, probe);
    sleep_for(TICK);
    back();
    assert_int_equal(probed, 5);
}

static void who_asks_is_told_when_a_program_is_about_to_run(void) { begin(is_probed); }

static jmp_buf      out_of_idle;
static unsigned     waits_left;

static void count_waits(void)
{
    if (waits_left-- == 0)
        longjmp(out_of_idle, 1);
    tick();
}

static void sleeps_twice(void)
{
    note('1');
    sleep_for(2 * TICK);
    note('2');
    sleep_for(2 * TICK);
    note('3');
}

static void the_idle_thread_lets_others_run_and_sleeps(void)
{
    uint64_t idle = schedule_idle_time();

    order[0]   = 0;
    probed     = 0;
    waits_left = 20;
    on_wait    = count_waits;
    start_program(sleeps_twice);
    schedule_probe(PROBE_MAP_LINE, probe);
    if (setjmp(out_of_idle) == 0)
        schedule_idle();
    host_interrupts_off = 0;
    assert_string_equal(order, "123");
    assert_int_equal(processes_alive(), 0);
    assert_int_equal(probed, 1);
    assert_true(schedule_idle_time() - idle >= 4 * TICK);
    assert_true(schedule_idle_time() - idle <= 6 * TICK);
}

static void the_idle_thread_answers_who_asks_when_nobody_runs(void)
{
    probed     = 0;
    waits_left = 1;
    on_wait    = count_waits;
    schedule_probe(PROBE_CHANNEL, probe);
    if (setjmp(out_of_idle) == 0)
        schedule_idle();
    host_interrupts_off = 0;
    assert_int_equal(probed, 1);
}

static void pauses(void)
{
    uint64_t began = clock_now();

    schedule_pause(NEVER);                      /* no other thread: an interrupt comes */
    assert_true(clock_now() == began + TICK);
    schedule_pause(clock_now() + 3 * TICK);
    assert_true(clock_now() == began + 2 * TICK);
    assert_null(timers_broken());
    next_letter = 'a';
    fork_into(takes_turns);
    schedule_pause(NEVER);
    assert_string_equal(order, "a");
    assert_true(clock_now() == began + 2 * TICK);
    assert_int_equal(wait_for(-1, 0), 2);
}

static void a_pause_is_another_threads_turn_or_an_interrupt(void) { begin(pauses); }

static void idle_ticks_are_nobodys_time(void)
{
    const struct thread *idle = current_thread();
    uint64_t             used = idle->used.user_time;

    for (int i = 0; i < 20; i++)
        tick();
    assert_true(idle->used.user_time == used);
    assert_int_equal(schedule_running(), 0);
}

static void counts_ready(void)
{
    uint32_t load[LOADS];

    next_letter = 'a';
    for (int i = 0; i < 1000; i++)
        tick();                                 /* ten seconds of one running thread */
    schedule_load(load);
    assert_true(load[0] > LOAD_ONE / 20);
    assert_true(load[0] < LOAD_ONE);
    assert_true(load[0] > load[1] && load[1] > load[2] && load[2] > 0);
}

static void the_load_follows_the_threads_that_run(void) { begin(counts_ready); }

static void the_check_sees_what_is_wrong(void)
{
    struct thread *self = current_thread();

    assert_null(schedule_broken());
    self->phase = THREAD_WAITING;
    assert_string_equal(schedule_broken(), "Y2");
    self->phase = THREAD_RUNNING;
    start_program(takes_turns);
    start_program(takes_turns);
    assert_null(schedule_broken());
    run_queue.count--;
    assert_string_equal(schedule_broken(), "Y1");
    run_queue.count += 2;
    assert_string_equal(schedule_broken(), "Y1");
    run_queue.count--;
    run_queue.first->phase = THREAD_DEAD;
    assert_string_equal(schedule_broken(), "Y1");
    run_queue.first->phase = THREAD_READY;
    struct thread *last = run_queue.last;
    run_queue.last = run_queue.first;
    assert_string_equal(schedule_broken(), "Y1");
    run_queue.last = last;
    assert_null(schedule_broken());
    next_letter = 'a';
    order[0] = 0;
    run();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(threads_take_turns),
        in_world(after_five_ticks_another_has_its_turn),
        in_world(long_work_in_the_kernel_gives_way),
        in_world(long_work_hears_of_signals),
        in_world(a_thread_that_comes_to_run_is_not_forgotten),
        in_world(who_asks_is_told_when_a_program_is_about_to_run),
        in_world(the_idle_thread_lets_others_run_and_sleeps),
        in_world(the_idle_thread_answers_who_asks_when_nobody_runs),
        in_world(a_pause_is_another_threads_turn_or_an_interrupt),
        in_world(idle_ticks_are_nobodys_time),
        in_world(the_load_follows_the_threads_that_run),
        in_world(the_check_sees_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
