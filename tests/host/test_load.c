/*
 * test_load.c - the averages of how busy the machine was, against the formula they stand for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "process/load.h"

static double shown(const struct load *load, unsigned i) { return load->average[i] / (double)LOAD_ONE; }

/* One thread that always runs: what is missing to 1 shrinks by e^(-5 s / minutes) with each sample. */
static void one_thread_comes_to_one(void **state)
{
    static const double shrinks[LOADS] = { 0.920044414629, 0.983471453829, 0.994459848004 };
    double              missing[LOADS] = { 1, 1, 1 };
    struct load         load = { 0 };

    (void)state;
    load_measure(&load, 1, 1);
    for (unsigned sample = 1; sample <= 720; sample++) {
        load_measure(&load, 1 + sample * LOAD_INTERVAL, 1);
        for (unsigned i = 0; i < LOADS; i++) {
            double wrong = shown(&load, i) - (1 - (missing[i] *= shrinks[i]));

            assert_true(wrong > -0.01 && wrong < 0.09);
        }
    }
    assert_int_equal(load.average[0], LOAD_ONE);
}

static void many_calls_in_one_interval_count_once(void **state)
{
    struct load once = { 0 }, often = { 0 };

    (void)state;
    load_measure(&once, 1, 3);
    load_measure(&once, 1 + LOAD_INTERVAL, 3);
    for (uint64_t now = 1; now <= 1 + LOAD_INTERVAL; now += LOAD_INTERVAL / 100)
        load_measure(&often, now, 3);
    load_measure(&often, 1 + LOAD_INTERVAL, 3);
    assert_memory_equal(once.average, often.average, sizeof once.average);
}

/* No reader came for a long time: the missed samples count no thread, and the work is bounded. */
static void a_long_silence_fades(void **state)
{
    struct load load = { .due = 1, .average = { 50 * LOAD_ONE, 50 * LOAD_ONE, 50 * LOAD_ONE } };

    (void)state;
    load_measure(&load, UINT64_MAX / 2, 1);
    assert_true(shown(&load, 0) < 0.1 && shown(&load, 2) < 6.6);
    assert_true(load.due > UINT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_comes_to_one),
        cmocka_unit_test(many_calls_in_one_interval_count_once),
        cmocka_unit_test(a_long_silence_fades),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
