/*
 * test_rate.c - how fast a counter runs, learnt beside one whose speed is known; and time by it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rate.h"

#define SECOND    1000000000ull
#define REFERENCE 1193182u

static const uint64_t speeds[] = { RATE_SLOWEST, 33333333, 100000000, 999999999, 1000000000, 2596122000, 5800000000 };

/* Both counters `ns` after the start, each cut to what it can show; the first one began at `from`. */
static struct reading reading_at(uint64_t hertz, uint64_t from, uint64_t ns)
{
    return (struct reading){ from + (uint64_t)((unsigned __int128)ns * hertz / SECOND),
                             (uint16_t)((unsigned __int128)ns * REFERENCE / SECOND) };
}

static uint64_t far_from(uint64_t a, uint64_t b) { return a > b ? a - b : b - a; }

static void spans_are_exact_to_the_factor(void **state)
{
    static const uint64_t spans[] = { 0, 1, 999, 1000000, SECOND, 10 * SECOND, 86400 * SECOND, 365 * 86400 * SECOND };

    (void)state;
    for (unsigned s = 0; s < sizeof speeds / sizeof *speeds; s++)
        for (unsigned i = 0; i < sizeof spans / sizeof *spans; i++) {
            struct rate rate = { 0, 0 };
            uint64_t    ticks = (uint64_t)((unsigned __int128)spans[i] * speeds[s] / SECOND);

            rate_set(&rate, speeds[s], 0, 0);
            assert_true(far_from(rate_span(&rate, ticks), spans[i]) <= spans[i] / 10000000 + 64);
        }
}

static void time_stands_still_until_there_is_a_rate(void **state)
{
    struct rate rate = { 0, 0 };

    (void)state;
    assert_int_equal(rate_time(&rate, 123456789012345), 0);
}

static void a_new_rate_makes_no_step(void **state)
{
    struct rate rate  = { 0, 0 };
    uint64_t    ticks = 77777777777777, now = 0;

    (void)state;
    rate_set(&rate, 1000000000, ticks, now);
    for (unsigned s = 0; s < sizeof speeds / sizeof *speeds; s++) {
        ticks += 12345678901;
        now    = rate_time(&rate, ticks);
        rate_set(&rate, speeds[s], ticks, now);
        assert_int_equal(rate_time(&rate, ticks), now);
        assert_true(rate_time(&rate, ticks + 1000) >= now);
    }
}

static void a_speed_is_learnt_from_two_readings(void **state)
{
    (void)state;
    for (unsigned s = 0; s < sizeof speeds / sizeof *speeds; s++) {
        struct reading a = reading_at(speeds[s], 5000000000, 0), b = reading_at(speeds[s], 5000000000, 20000000);
        uint64_t       hertz = rate_learn(b.ticks - a.ticks, (uint16_t)(b.counts - a.counts), REFERENCE);

        assert_true(far_from(hertz, speeds[s]) < speeds[s] / 10000);        /* one count of 23 863 */
    }
}

static void sums_do_not_wrap(void **state)
{
    uint64_t ticks = 5800000000 * 100000, counts = (uint64_t)REFERENCE * 100000;      /* more than a day */

    (void)state;
    assert_true(far_from(rate_learn(ticks, counts, REFERENCE), 5800000000) < 1000);
}

static void what_is_no_speed_is_not_learnt(void **state)
{
    (void)state;
    assert_int_equal(rate_learn(1000, 0, REFERENCE), 0);
    assert_int_equal(rate_learn(0, 1000, REFERENCE), 0);
    assert_int_equal(rate_learn(10000, 23863, REFERENCE), 0);               /* 500 kHz */
    assert_int_equal(rate_learn(UINT64_MAX, 1, REFERENCE), 0);
}

/* A rate that is wrong by a thousandth tells how often the reference has gone round in twenty seconds. */
static void turns_of_the_reference_are_counted(void **state)
{
    (void)state;
    for (unsigned s = 0; s < sizeof speeds / sizeof *speeds; s++)
        for (int wrong = speeds[s] == RATE_SLOWEST ? 0 : -1; wrong <= 1; wrong++) {
            struct rate rate = { 0, 0 };
            uint64_t    ns   = 1;

            rate_set(&rate, speeds[s] + wrong * (int64_t)(speeds[s] / 1000), 0, 0);
            for (; ns < 20 * SECOND; ns = ns * 3 / 2 + 1) {
                struct reading a = reading_at(speeds[s], 1234567, 0), b = reading_at(speeds[s], 1234567, ns);
                uint64_t       counts = (uint64_t)((unsigned __int128)ns * REFERENCE / SECOND);

                assert_int_equal(rate_counts(a, b, &rate, REFERENCE), counts);
            }
        }
}

/* The reference was read a moment too early, right after the first reading: that is nothing, and no turn of 55 ms. */
static void a_count_that_seems_to_go_back_is_none(void **state)
{
    struct rate rate = { 0, 0 };

    (void)state;
    rate_set(&rate, 1000000000, 0, 0);
    assert_int_equal(rate_counts((struct reading){ 0, 10 }, (struct reading){ 100, 9 }, &rate, REFERENCE), 0);
    assert_int_equal(rate_counts((struct reading){ 0, 10 }, (struct reading){ 1000000, 1190 }, &rate, REFERENCE), 1180);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_exact_to_the_factor),
        cmocka_unit_test(time_stands_still_until_there_is_a_rate),
        cmocka_unit_test(a_new_rate_makes_no_step),
        cmocka_unit_test(a_speed_is_learnt_from_two_readings),
        cmocka_unit_test(sums_do_not_wrap),
        cmocka_unit_test(what_is_no_speed_is_not_learnt),
        cmocka_unit_test(turns_of_the_reference_are_counted),
        cmocka_unit_test(a_count_that_seems_to_go_back_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
