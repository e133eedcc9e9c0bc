/*
 * test_base.c - text, division and locks, each compared with the host's.
 *
 * Formatting is compared with the C library's, division with the processor's own. Of locks,
 * the breaches of the order must be noticed and name both locks.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/divide.h"
#include "base/lock.h"
#include "base/print.h"
#include "base/string.h"
#include "cpu.h"
#include "machine.h"

/* ---- Formatting ------------------------------------------------------------------------ */

#define SAME(...)                                                                       \
    do {                                                                                \
        char ours[128], theirs[128];                                                    \
        int  our_length = format_text(ours, sizeof ours, __VA_ARGS__);                  \
                                                                                        \
        assert_int_equal(snprintf(theirs, sizeof theirs, __VA_ARGS__), our_length);     \
        assert_string_equal(ours, theirs);                                              \
    } while (0)

static const int       small[] = { 0, 1, -1, 9, 10, 42, -4711, INT32_MAX, INT32_MIN };
static const long long big[] = { 0, 1, -1, 4294967295, 4294967296, -5000000000, INT64_MAX, INT64_MIN };

static void numbers_look_as_in_the_c_library(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(small); i++) {
        int n = small[i];

        SAME("%d|%i|%u|%x|%X|%o", n, n, n, n, n, n);
        SAME("%5d|%-5d|%05d|%+d|% d|%+05d", n, n, n, n, n, n);
        SAME("%+-8d|% 08d|%+.4d|%#014X|%#X", n, n, n, n, n);
        SAME("%#x|%#X|%#010x|%-#10x|%10x", n, n, n, n, n);
        SAME("%.3d|%8.3d|%-8.3d|%.0d|%.0x", n, n, n, n, n);
        SAME("%hhd|%hd|%hhu|%hx|%zu", (signed char)n, (short)n, (unsigned char)n, (unsigned short)n, (size_t)n);
        SAME("%*d|%-*d|%.*d", 7, n, -7, n, 4, n);
    }
    for (size_t i = 0; i < COUNT_OF(big); i++) {
        long long n = big[i];

        SAME("%lld|%llu|%llx|%llo", n, n, n, n);
        SAME("%ld|%lu|%#lx", (long)n, (long)n, (long)n);
        SAME("%22lld|%-22lld|%022lld", n, n, n);
    }
}

static void a_number_alone_has_the_digits_asked_for(void **state)
{
    static const struct { uint64_t value; unsigned base, least; const char *digits; } cases[] = {
        { 0, 10, 0, "" }, { 0, 10, 1, "0" }, { 7, 10, 1, "7" }, { 4096, 10, 8, "00004096" },
        { 4294967295, 10, 1, "4294967295" }, { 4294967296, 10, 1, "4294967296" },
        { UINT64_MAX, 10, 1, "18446744073709551615" }, { 0x8048000, 16, 8, "08048000" },
        { 0x1FFFFFFFFFF, 16, 16, "000001ffffffffff" }, { UINT64_MAX, 16, 1, "ffffffffffffffff" },
        { UINT64_MAX, 8, NUMBER_MOST, "001777777777777777777777" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char  out[NUMBER_MOST + 1], *end = format_number(out, cases[i].value, cases[i].base, cases[i].least);

        assert_in_range(end - out, 0, NUMBER_MOST);
        *end = '\0';
        assert_string_equal(out, cases[i].digits);
    }
}

static void no_number_has_more_digits_than_there_may_be(void **state)
{
    char out[64];

    (void)state;
    assert_int_equal(format_text(out, sizeof out, "%.40d|%030x", -5, 10), 25 + 1 + 30);
    assert_string_equal(out, "-000000000000000000000005|      00000000000000000000000a");
}

static void texts_look_as_in_the_c_library(void **state)
{
    const char whole[] = { 'a', 'b', 'c' };                 /* no terminator: precision must hold */

    (void)state;
    SAME("%s|%10s|%-10s|%.2s|%10.2s|%-10.2s|", "text", "text", "text", "text", "text", "text");
    SAME("%c%3c%-3c|%%|100%%", 'a', 'b', 'c');
    SAME("%.3s|%.*s", whole, 2, whole);
    SAME("%s", "");
    SAME("plain");
}

static void a_short_buffer_is_cut_and_terminated(void **state)
{
    char out[6];

    (void)state;
    for (size_t size = 0; size <= sizeof out; size++) {
        memset(out, 'z', sizeof out);
        assert_int_equal(format_text(out, size, "%s-%d", "abc", 12345), 9);
        if (size > 0)
            assert_int_equal(strlen(out), size - 1);
        for (size_t i = size; i < sizeof out; i++)
            assert_int_equal(out[i], 'z');
    }
}

static void nothing_is_printed_for_a_null_text(void **state)
{
    char        out[16];
    const char *volatile none = NULL;

    (void)state;
    format_text(out, sizeof out, "%s", none);
    assert_string_equal(out, "(null)");
}

/* ---- Consoles -------------------------------------------------------------------------- */

static char   console[8192];
static size_t console_used;

static void sink(const char *text, size_t length)
{
    memcpy(console + console_used, text, length);
    console_used += length;
}

static void the_first_console_gets_what_came_before(void **state)
{
    (void)state;
    for (int n = 0; n < 1000; n++)                      /* more text than the ring holds: its end is kept */
        print("line %d\n", n);
    print_to(sink);
    assert_int_equal(console_used, PRINT_RING);
    assert_memory_equal(console + console_used - 18, "line 998\nline 999\n", 18);
    console_used = 0;
    print("%300s|%d", "x", 7);                          /* longer than one line buffer */
    assert_int_equal(console_used, 302);
    assert_memory_equal(console + 298, " x|7", 4);
}

/* ---- Text ------------------------------------------------------------------------------ */

static void text_copies_are_cut_and_terminated(void **state)
{
    char out[8] = "zzzzzzz";

    (void)state;
    assert_int_equal(text_copy(out, "abcdef", 4), 6);
    assert_string_equal(out, "abc");
    assert_int_equal(out[4], 'z');
    assert_int_equal(text_copy(out, "x", 0), 1);
    assert_string_equal(out, "abc");
    assert_int_equal(text_copy(out, "", 8), 0);
    assert_string_equal(out, "");
}

static void pages_are_filled_whole_and_no_more(void **state)
{
    static uint8_t three[3 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    uint8_t       *page = three + PAGE_SIZE;

    (void)state;
    memset(three, 0x5A, sizeof three);
    page_fill(page, 0x12345678);
    assert_true(page_holds(page, 0x12345678));
    page[PAGE_SIZE - 1] ^= 1;
    assert_false(page_holds(page, 0x12345678));
    page_copy(three, page);
    assert_memory_equal(three, page, PAGE_SIZE);
    page_clear(page);
    assert_true(page_holds(page, 0));
    assert_int_equal(three[2 * PAGE_SIZE], 0x5A);
    assert_true(page_holds(three + 2 * PAGE_SIZE, 0x5A5A5A5A));
}

/* ---- Division -------------------------------------------------------------------------- */

static uint64_t random_number(void)
{
    static uint64_t x = 88172645463325252u;             /* xorshift64: repeatable */

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

static void check_division(uint64_t a, uint64_t b)
{
    uint64_t rest;

    if (b == 0)
        return;
    assert_int_equal(divide(a, b, &rest), a / b);
    assert_int_equal(rest, a % b);
    if (!((int64_t)a == INT64_MIN && (int64_t)b == -1)) {
        assert_int_equal(__divdi3((int64_t)a, (int64_t)b), (int64_t)a / (int64_t)b);
        assert_int_equal(__moddi3((int64_t)a, (int64_t)b), (int64_t)a % (int64_t)b);
    }
}

static void division_is_the_processors(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 64; i++)                   /* around each power of two */
        for (unsigned j = 0; j < 64; j++)
            for (int more = -1; more <= 1; more++) {
                check_division((1ull << i) + (uint64_t)more, (1ull << j));
                check_division((1ull << i), (1ull << j) + (uint64_t)more);
                check_division(UINT64_MAX, (1ull << j) + (uint64_t)more);
            }
    for (int n = 0; n < 200000; n++)
        check_division(random_number() >> random_number() % 64, random_number() >> random_number() % 64);
}

static void division_by_zero_stops(void **state)
{
    uint64_t    rest;
    const char *why = MACHINE_STOPS(divide(1, 0, &rest));

    (void)state;
    assert_non_null(why);
    assert_non_null(strstr(why, "b != 0"));
}

/* ---- Locks ----------------------------------------------------------------------------- */

static struct lock heap_lock = LOCK("the heap's", RANK_HEAP), pool_lock = LOCK("the pool's", RANK_POOL);

static void locks_nest_in_their_order(void **state)
{
    lock_state outer, inner;

    (void)state;
    assert_false(lock_held(&heap_lock));
    outer = lock_take(&heap_lock);
    inner = lock_take(&pool_lock);
    assert_true(lock_held(&heap_lock) && lock_held(&pool_lock));
    host_cpu = 1;
    assert_false(lock_held(&heap_lock));                /* another CPU does not hold it */
    host_cpu = 0;
    lock_drop(&heap_lock, inner);                       /* any order will do, if the first state comes last */
    assert_false(lock_held(&heap_lock));
    assert_true(lock_held(&pool_lock));
    lock_drop(&pool_lock, outer);
    assert_false(lock_held(&pool_lock));
}

static void a_breach_of_the_order_names_both(void **state)
{
    lock_state  held = lock_take(&pool_lock);
    const char *why = MACHINE_STOPS(lock_drop(&heap_lock, lock_take(&heap_lock)));

    (void)state;
    assert_non_null(why);
    assert_non_null(strstr(why, "the heap's"));
    assert_non_null(strstr(why, "the pool's"));
    lock_drop(&pool_lock, held);
}

static void taking_a_lock_twice_stops(void **state)
{
    lock_state  held = lock_take(&pool_lock);
    const char *why = MACHINE_STOPS(lock_drop(&pool_lock, lock_take(&pool_lock)));

    (void)state;
    assert_non_null(why);
    assert_non_null(strstr(why, "twice"));
    lock_drop(&pool_lock, held);
}

static void dropping_what_is_not_held_stops(void **state)
{
    const char *why = MACHINE_STOPS(lock_drop(&pool_lock, 0));

    (void)state;
    assert_non_null(why);
    assert_non_null(strstr(why, "does not hold"));
}

/* ---- What may sleep ------------------------------------------------------------------------------------ */

static void sleeper(void)                                              { may_sleep(); }
static void yielder(void)                                              { may_give_way(); }
static void toucher(void)                                              { may_fault(); }
static void sleeper_dropping(struct lock *dropped, lock_state state)   { may_sleep_dropping(dropped, state); }

static void stops_saying(const char *why, const char *function, const char *what)
{
    assert_non_null(why);
    assert_non_null(strstr(why, function));
    assert_non_null(strstr(why, what));
}

static void sleeping_under_a_lock_names_both(void **state)
{
    lock_state held;

    (void)state;
    sleeper();
    yielder();
    toucher();
    held = lock_take(&heap_lock);
    stops_saying(MACHINE_STOPS(sleeper()), "sleeper()", "the heap's");
    stops_saying(MACHINE_STOPS(yielder()), "yielder()", "the heap's");
    stops_saying(MACHINE_STOPS(toucher()), "toucher()", "the heap's");
    lock_drop(&heap_lock, held);
    sleeper();
}

static void sleeping_with_interrupts_off_is_noticed(void **state)
{
    unsigned long before = interrupts_off();

    (void)state;
    stops_saying(MACHINE_STOPS(sleeper()), "sleeper()", "interrupts off");
    yielder();                                          /* interrupts are off again when yielder() returns */
    stops_saying(MACHINE_STOPS(toucher()), "toucher()", "interrupts off");
    interrupts_restore(before);
    sleeper();
}

static void the_lock_that_is_dropped_meanwhile_may_be_held(void **state)
{
    unsigned long before;
    lock_state    outer = lock_take(&heap_lock), inner;

    (void)state;
    sleeper_dropping(&heap_lock, outer);
    inner = lock_take(&pool_lock);
    stops_saying(MACHINE_STOPS(sleeper_dropping(&pool_lock, inner)), "sleeper_dropping()", "the heap's");
    lock_drop(&pool_lock, inner);
    lock_drop(&heap_lock, outer);

    before = interrupts_off();
    outer  = lock_take(&heap_lock);
    stops_saying(MACHINE_STOPS(sleeper_dropping(&heap_lock, outer)), "sleeper_dropping()", "interrupts off");
    lock_drop(&heap_lock, outer);
    interrupts_restore(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_look_as_in_the_c_library),
        cmocka_unit_test(a_number_alone_has_the_digits_asked_for),
        cmocka_unit_test(no_number_has_more_digits_than_there_may_be),
        cmocka_unit_test(texts_look_as_in_the_c_library),
        cmocka_unit_test(a_short_buffer_is_cut_and_terminated),
        cmocka_unit_test(nothing_is_printed_for_a_null_text),
        cmocka_unit_test(the_first_console_gets_what_came_before),
        cmocka_unit_test(text_copies_are_cut_and_terminated),
        cmocka_unit_test(pages_are_filled_whole_and_no_more),
        cmocka_unit_test(division_is_the_processors),
        cmocka_unit_test(division_by_zero_stops),
        cmocka_unit_test(locks_nest_in_their_order),
        cmocka_unit_test(a_breach_of_the_order_names_both),
        cmocka_unit_test(taking_a_lock_twice_stops),
        cmocka_unit_test(dropping_what_is_not_held_stops),
        cmocka_unit_test(sleeping_under_a_lock_names_both),
        cmocka_unit_test(sleeping_with_interrupts_off_is_noticed),
        cmocka_unit_test(the_lock_that_is_dropped_meanwhile_may_be_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
