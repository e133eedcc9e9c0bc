/*
 * test_idle.c - what the idle thread does between two interrupts, and that it lets them in.
 */
#include <setjmp.h>

#include "process_notes.h"

static jmp_buf  out_of_idle;
static unsigned waits_left, lettings, lettings_at_wait, programs_at_wait;
static uint32_t unzeroed_at_wait;

static void count_letting(void) { lettings++; }

/* A halt: what has been done before it. */
static void waits(void)
{
    assert_true(host_interrupts_off);
    lettings_at_wait = lettings;
    programs_at_wait = processes_alive();
    on_interrupts    = NULL;
    unzeroed_at_wait = 0;
    while (frames_idle())
        unzeroed_at_wait++;
    on_interrupts = count_letting;
    lettings      = 0;
    if (waits_left-- == 0)
        longjmp(out_of_idle, 1);
    tick();
}

static void idle_until_the_halt(unsigned number)
{
    waits_left    = number;
    on_wait       = waits;
    on_interrupts = count_letting;
    lettings      = 0;
    if (setjmp(out_of_idle) == 0)
        schedule_idle();
    on_interrupts       = NULL;
    on_wait             = NULL;
    host_interrupts_off = 0;
}

/* Frames that have been given back are zeroed, one at a time, and interrupts come in after each. */
static void frames_are_zeroed_before_the_processor_halts(void)
{
    enum { FRAMES = 1000 };
    static frame_t frames[FRAMES];

    while (frames_idle())
        continue;
    for (unsigned n = 0; n < FRAMES; n++)
        assert_int_equal(frame_get(OWNER_HEAP, FRAME_ZERO, &frames[n]), 0);
    for (unsigned n = 0; n < FRAMES; n++)
        frame_put(frames[n]);
    idle_until_the_halt(0);
    assert_int_equal(unzeroed_at_wait, 0);
    assert_true(lettings_at_wait > 0);
}

static void sleeps_and_notes(void)
{
    note('a');
    sleep_for(2 * TICK);
    note('b');
}

static void programs_run_before_the_processor_halts(void)
{
    order[0] = 0;
    start_program(sleeps_and_notes);
    idle_until_the_halt(0);
    assert_string_equal(order, "a");
    assert_int_equal(programs_at_wait, 1);
    idle_until_the_halt(2);
    assert_true(lettings_at_wait >= 1);         /* between any two halts */
    idle_until_the_halt(3);
    assert_string_equal(order, "ab");
    assert_int_equal(programs_at_wait, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(frames_are_zeroed_before_the_processor_halts),
        in_world(programs_run_before_the_processor_halts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
