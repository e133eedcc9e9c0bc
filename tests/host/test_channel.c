/*
 * test_channel.c - the channel's frames as the guest reads them, and the credit for input.
 *
 * A stream of frames means the same however it is cut into pieces; a host that lies about credit, lengths
 * or kinds gets nothing into memory that was not set aside for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "devices/channel_frames.h"

enum { LOG = 4096 };

/* The frames sent, as text. */
static char   told[LOG];
static size_t told_used;
static bool   in_input;

static void tell(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    told_used += (size_t)vsnprintf(told + told_used, LOG - told_used, format, list);
    va_end(list);
    assert_true(told_used < LOG);
}

/* Input arrives in pieces that depend on the cuts: shown as one text. */
static void input(const uint8_t *bytes, size_t count)
{
    if (!in_input)
        tell(" input ");
    in_input = true;
    for (size_t i = 0; i < count; i++)
        tell("%02x", bytes[i]);
}

static void other(void) { in_input = false; }

static void input_done(void)                                { }
static void input_state(unsigned state)                     { other(); tell(" state %u", state); }
static void input_failed(unsigned error)                    { other(); tell(" failed %u", error); }
static void placed(uint32_t bytes)                          { other(); tell(" placed %u", bytes); }
static void input_end(void)                                 { other(); tell(" end"); }
static void window(unsigned columns, unsigned rows)         { other(); tell(" window %u %u", columns, rows); }
static void take_signal(unsigned number, unsigned about)    { other(); tell(" signal %u %u", number, about); }

static void ping(void)                                      { other(); tell(" ping"); }

static void begin(const uint8_t seed[CHANNEL_SEED])         { other(); tell(" begin %u %u", seed[0], seed[31]); }

static const struct channel_events events = { input, placed, input_end, input_done, input_state, input_failed,
                                              window, take_signal, ping, begin };

static int start(void **state)
{
    (void)state;
    told_used = 0;
    told[0] = '\0';
    in_input = false;
    return 0;
}

static void take_all(const char *bytes, size_t count)
{
    struct channel_reader reader = { 0 };

    channel_take(&reader, &events, (const uint8_t *)bytes, count);
}

#define TAKE(text) take_all(text, sizeof text - 1)

static void frames_are_told(void **state)
{
    (void)state;
    TAKE("\x10\0\3\0abc" "\x11\0\4\0\x50\0\x19\0" "\x12\0\1\0\2" "\x10\0\0\0"
         "\x13\0\0\0" "\x14\0\1\0\2" "\x12\0\1\0\3");
    assert_string_equal(told, " input 616263 window 80 25 signal 2 0 end ping state 2 signal 3 0");
}

/* A seed is whole, or it is none. */
static void the_beginning_has_a_seed(void **state)
{
    (void)state;
    TAKE("\x15\0\x1f\0" "7bcdefghijklmnopqrstuvwxyzABCDE");
    assert_string_equal(told, "");
    TAKE("\x15\0\x20\0" "7bcdefghijklmnopqrstuvwxyzABCDEF" "\x13\0\0\0");
    assert_string_equal(told, " begin 55 70 ping");
}

static void an_end_of_input_may_be_an_error(void **state)
{
    (void)state;
    TAKE("\x16\0\1\0\x15" "\x10\0\0\0" "\x16\0\0\0");
    assert_string_equal(told, " failed 21 end");
}

static void input_may_lie_in_its_place_already(void **state)
{
    (void)state;
    TAKE("\x17\0\4\0\x78\x56\x34\x12" "\x17\0\3\0\1\0\0" "\x17\0\6\0\xff\xff\xff\xffxy");
    assert_string_equal(told, " placed 305419896 placed 4294967295");
}

static void a_signal_may_say_what_it_is_about(void **state)
{
    (void)state;
    TAKE("\x12\0\2\0\x0d\1");
    assert_string_equal(told, " signal 13 1");
}

static void frames_that_are_too_short_say_nothing_and_long_ones_what_is_known(void **state)
{
    (void)state;
    TAKE("\x11\0\3\0\x50\0\x19" "\x12\0\0\0" "\x12\0\6\0\1\0abcd" "\x11\0\6\0\1\0\2\0xy");
    assert_string_equal(told, " signal 1 0 window 1 2");
}

static void kinds_nobody_knows_are_passed_over(void **state)
{
    (void)state;
    TAKE("\x63\0\5\0hello" "\x12\0\1\0\3");
    assert_string_equal(told, " signal 3 0");
}

static void after_nonsense_nothing_is_believed(void **state)
{
    (void)state;
    TAKE("\x12\7\1\0\3" "\x12\0\1\0\3");
    assert_string_equal(told, "");
}

static void cuts_do_not_matter(void **state)
{
    static const char stream[] = "\x10\0\3\0abc" "\x11\0\4\0\x50\0\x19\0" "\x63\0\2\0xx"
                                 "\x12\0\1\0\2" "\x10\0\0\0" "\x12\0\2\0\x0d\2";
    char              whole[LOG];
    size_t            count = sizeof stream - 1;

    take_all(stream, count);
    strcpy(whole, told);
    for (size_t first = 0; first <= count; first++)
        for (size_t second = first; second <= count; second++) {
            struct channel_reader reader = { 0 };
            const uint8_t        *bytes  = (const uint8_t *)stream;

            start(state);
            channel_take(&reader, &events, bytes, first);
            channel_take(&reader, &events, bytes + first, second - first);
            channel_take(&reader, &events, bytes + second, count - second);
            assert_string_equal(told, whole);
        }
}

static uint32_t seed = 1;

static uint32_t any(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(seed >> 8) * below) >> 24);
}

/* The sanitizer watches. */
static void whatever_arrives_it_ends(void **state)
{
    for (int round = 0; round < 20000; round++) {
        struct channel_reader reader = { 0 };
        uint8_t              *bytes  = malloc(64);
        size_t                count  = any(64);

        start(state);
        for (size_t i = 0; i < count; i++)
            bytes[i] = any(3) ? (uint8_t)any(3) : any(4) ? (uint8_t)(16 + any(8)) : (uint8_t)any(256);
        channel_take(&reader, &events, bytes, count);
        assert_true(reader.head_bytes <= sizeof reader.head);
        free(bytes);
    }
}

static void a_head_is_what_the_host_reads(void **state)
{
    uint8_t head[CHANNEL_HEADER];

    (void)state;
    channel_head(head, CHANNEL_ERRORS, 0x1234);
    assert_memory_equal(head, "\2\0\x34\x12", 4);
}

/* ---- Credit ----------------------------------------------------------------------------- */

static void credit_is_all_the_room(void **state)
{
    struct channel_store s = { .room = 64 };

    (void)state;
    assert_int_equal(channel_store_promise(&s), 64);
    assert_int_equal(channel_store_accept(&s, 10), 10);
    assert_int_equal(channel_store_accept(&s, 20), 20);
    assert_int_equal(channel_store_holds(&s), 30);
    channel_store_settle(&s);                                   /* the host has answered with less than it might have */
    channel_store_drop(&s, 30);
    assert_int_equal(channel_store_promise(&s), 64);            /* and the next answer begins at byte 0 again */
    assert_int_equal(s.filled, 0);
}

static void what_is_sent_without_credit_is_lost_and_counted(void **state)
{
    struct channel_store s = { .room = 64 };

    (void)state;
    assert_int_equal(channel_store_accept(&s, 3), 0);
    channel_store_promise(&s);
    assert_int_equal(channel_store_accept(&s, UINT32_MAX), 64);
    assert_int_equal(channel_store_accept(&s, 1), 0);
    assert_int_equal(channel_store_holds(&s), 64);
    assert_int_equal(s.lost, 3 + (UINT32_MAX - 64) + 1);
}

/* Whatever a host sends, and whenever: the invariant holds, and what was accepted is what can be read. */
static void whatever_is_sent_the_store_keeps_to_its_room(void **state)
{
    struct channel_store s = { .room = 4 };
    uint32_t             read = 0, accepted = 0;

    (void)state;
    for (int step = 0; step < 50000; step++) {
        uint32_t count = any(4) ? any(12) : any(256) << 24;

        if (any(8) == 0)
            s.room += any(3);
        if (channel_store_holds(&s) == 0 && any(2) == 0) {
            channel_store_settle(&s);
            assert_int_equal(channel_store_promise(&s), s.room);
        }
        accepted += channel_store_accept(&s, count);
        assert_true(channel_store_ok(&s));
        count = any(channel_store_holds(&s) + 1);
        channel_store_drop(&s, count);
        read += count;
        assert_int_equal(accepted - read, channel_store_holds(&s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(frames_are_told, start),
        cmocka_unit_test_setup(the_beginning_has_a_seed, start),
        cmocka_unit_test_setup(an_end_of_input_may_be_an_error, start),
        cmocka_unit_test_setup(input_may_lie_in_its_place_already, start),
        cmocka_unit_test_setup(a_signal_may_say_what_it_is_about, start),
        cmocka_unit_test_setup(frames_that_are_too_short_say_nothing_and_long_ones_what_is_known, start),
        cmocka_unit_test_setup(kinds_nobody_knows_are_passed_over, start),
        cmocka_unit_test_setup(after_nonsense_nothing_is_believed, start),
        cmocka_unit_test_setup(cuts_do_not_matter, start),
        cmocka_unit_test_setup(whatever_arrives_it_ends, start),
        cmocka_unit_test_setup(a_head_is_what_the_host_reads, start),
        cmocka_unit_test(credit_is_all_the_room),
        cmocka_unit_test(what_is_sent_without_credit_is_lost_and_counted),
        cmocka_unit_test(whatever_is_sent_the_store_keeps_to_its_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
