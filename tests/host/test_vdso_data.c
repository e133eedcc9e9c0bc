/*
 * test_vdso_data.c - the page from which programs read the time: that it says what the kernel's clock says, and that a
 * reader beside the writer never takes halves of two lines for one.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/vdso_data.h"

#define SECOND 1000000000ull
#define WALL   1700000000000000000ull

static const uint64_t speeds[] = { RATE_SLOWEST, 33333333, 1000000000, 2596122000, 5800000000 };

/* One reading, whole or not. */
static bool read_once(const struct vdso_data *data, uint64_t ticks, bool wall, uint64_t *out)
{
    uint32_t seen = vdso_data_begin(data);

    *out = vdso_data_time(data, ticks, wall);
    return vdso_data_is_whole(data, seen);
}

static void a_page_that_was_never_written_has_no_time(void **state)
{
    struct vdso_data data = { 0 };

    (void)state;
    assert_false(vdso_data_has_time(&data));
    vdso_data_write(&data, &(struct rate){ 0, 0 }, WALL);           /* set before the clock runs */
    assert_false(vdso_data_has_time(&data));
}

static void the_time_is_the_clocks(void **state)
{
    struct vdso_data data = { 0 };
    struct rate      rate = { 0, 0 };
    uint64_t         ticks = 77777777777777, now;

    (void)state;
    for (unsigned s = 0; s < sizeof speeds / sizeof *speeds; s++) {
        rate_set(&rate, speeds[s], ticks, rate_time(&rate, ticks));     /* the line bends */
        vdso_data_write(&data, &rate, WALL + s);
        assert_true(vdso_data_has_time(&data));
        for (unsigned i = 0; i < 1000; i++, ticks += 12345678901 + i) {
            assert_true(read_once(&data, ticks, false, &now));
            assert_true(now == rate_time(&rate, ticks));
            assert_true(read_once(&data, ticks, true, &now));
            assert_true(now == rate_time(&rate, ticks) + WALL + s);
        }
    }
}

/* Where the clock was set back behind its own start, the offset is below 0, and the sum is right all the same. */
static void a_wall_clock_before_the_start_is_shown(void **state)
{
    struct vdso_data data = { 0 };
    struct rate      rate = { 0, 0 };
    uint64_t         ticks = 50 * SECOND, now;

    (void)state;
    rate_set(&rate, 1000000000, 0, 0);
    vdso_data_write(&data, &rate, 3 * SECOND - rate_time(&rate, ticks));
    assert_true(read_once(&data, ticks, true, &now));
    assert_true(now == 3 * SECOND);
}

static void what_is_read_while_the_kernel_writes_does_not_count(void **state)
{
    struct vdso_data data = { 0 };
    uint32_t         seen;

    (void)state;
    vdso_data_write(&data, &(struct rate){ 1, 1 }, WALL);
    assert_int_equal(data.sequence, 2);
    seen = vdso_data_begin(&data);
    data.sequence++;                                    /* it has begun to write, and goes on */
    assert_false(vdso_data_is_whole(&data, seen));
    assert_false(vdso_data_is_whole(&data, vdso_data_begin(&data)));
    data.sequence++;                                    /* it is ready */
    assert_false(vdso_data_is_whole(&data, seen));
    assert_true(vdso_data_is_whole(&data, vdso_data_begin(&data)));
    data.sequence = UINT32_MAX - 1;                     /* goes round */
    seen = vdso_data_begin(&data);
    vdso_data_write(&data, &(struct rate){ 1, 1 }, WALL);
    assert_int_equal(data.sequence, 0);
    assert_false(vdso_data_is_whole(&data, seen));
}

/* ---- A reader beside the writer -------------------------------------------------------------------------- */

enum { WRITINGS = 200000 };

static struct vdso_data shared;
static bool             written;

/* Of each line the factor and both offsets are the same number: a sum of two lines is no square of one. */
static struct rate line_of(uint32_t number) { return (struct rate){ number, number }; }

static void *write_lines(void *unused)
{
    (void)unused;
    for (uint32_t i = 1; i <= WRITINGS; i++) {
        struct rate line = line_of(i);

        vdso_data_write(&shared, &line, (uint64_t)i << 32);
    }
    __atomic_store_n(&written, true, __ATOMIC_RELEASE);
    return NULL;
}

static void halves_of_two_lines_are_never_whole(void **state)
{
    pthread_t writer;
    uint64_t  now, last = 0, count = 0;

    (void)state;
    shared  = (struct vdso_data){ 0 };
    written = false;
    assert_int_equal(pthread_create(&writer, NULL, write_lines, NULL), 0);
    while (!__atomic_load_n(&written, __ATOMIC_ACQUIRE) || count == 0) {
        uint64_t number, ticks = 1ull << (RATE_SHIFT + 8);

        if (!read_once(&shared, ticks, true, &now))
            continue;
        number = now >> 32;                             /* of the offset, and the factor is the rest: 256 times it */
        assert_true((now & UINT32_MAX) == number + (number << 8));
        assert_true(now >= last);
        last = now;
        count++;
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_true(read_once(&shared, 0, true, &now));
    assert_true(now == ((uint64_t)WRITINGS << 32) + WRITINGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_that_was_never_written_has_no_time),
        cmocka_unit_test(the_time_is_the_clocks),
        cmocka_unit_test(a_wall_clock_before_the_start_is_shown),
        cmocka_unit_test(what_is_read_while_the_kernel_writes_does_not_count),
        cmocka_unit_test(halves_of_two_lines_are_never_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
