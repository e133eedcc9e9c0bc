/*
 * test_load_rules.c - the averages of the load, computed once more with fractions, for threads that come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "process/load.h"

#define INTERVAL 5000000000ull
enum { ONE = 2048 };

/* ONE / e^(5 seconds / 1, 5 and 15 minutes), rounded. */
static const uint32_t stays[3] = { 1884, 2014, 2037 };

/* Rounded upwards while the load grows or stays, downwards while it fades. */
static uint32_t after(uint32_t average, uint32_t threads, unsigned which)
{
    uint64_t active = (uint64_t)threads * ONE;
    uint64_t parts  = average * (uint64_t)stays[which] + active * (ONE - stays[which]);

    return (uint32_t)(parts / ONE + (active >= average && parts % ONE != 0));
}

static void each_sample_is_added_by_the_rule(void **state)
{
    struct load load = { 0 };
    uint32_t    expected[3] = { 0 }, seed = 1;
    uint64_t    now = 77;

    (void)state;
    load_measure(&load, now, 5);
    assert_true(load.due == now + INTERVAL);
    for (int sample = 0; sample < 20000; sample++) {
        uint32_t threads;

        seed    = seed * 1664525 + 1013904223;
        threads = sample < 3000 ? 1 : seed >> 8 & 512 ? 0 : seed >> 24 & 7;
        now    += INTERVAL;
        load_measure(&load, now - 1, threads);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(load.average[i], expected[i]);             /* a nanosecond too early */
        load_measure(&load, now, threads);
        for (unsigned i = 0; i < 3; i++) {
            expected[i] = after(expected[i], threads, i);
            assert_int_equal(load.average[i], expected[i]);
        }
        assert_true(load.due == now + INTERVAL);
    }
}

/* Of samples that come at once only the last has threads; one that is late does not move the next. */
static void missed_samples_are_of_no_threads(void **state)
{
    (void)state;
    for (unsigned missed = 0; missed < 20; missed++)
        for (uint64_t late = 0; late < INTERVAL; late += INTERVAL - 1) {
            struct load load = { .due = 1000, .average = { 5000, 3000, 1000 } };
            uint32_t    expected[3] = { 5000, 3000, 1000 };

            load_measure(&load, 1000 + missed * INTERVAL + late, 7);
            for (unsigned i = 0; i < 3; i++) {
                for (unsigned n = 0; n < missed; n++)
                    expected[i] = after(expected[i], 0, i);
                assert_int_equal(load.average[i], after(expected[i], 7, i));
            }
            assert_true(load.due == 1000 + (missed + 1) * INTERVAL);
        }
}

/* After a very long silence nothing is left of what was before, and the next sample is an interval from now. */
static void after_a_long_silence_all_begins_anew(void **state)
{
    struct load load = { .due = 1000, .average = { 5000, 3000, 1000 } };
    uint64_t    now  = 1000 + 100000 * INTERVAL + 3;

    (void)state;
    load_measure(&load, now, 7);
    assert_true(load.due == now + INTERVAL);
    for (unsigned i = 0; i < 3; i++)
        assert_true(load.average[i] < ONE / 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_is_added_by_the_rule),
        cmocka_unit_test(missed_samples_are_of_no_threads),
        cmocka_unit_test(after_a_long_silence_all_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
