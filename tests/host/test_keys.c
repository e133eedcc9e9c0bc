/*
 * test_keys.c - scan codes and the characters they send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "devices/keys.h"

enum { UP = 0x80, SHIFT = 0x2A, RIGHT_SHIFT = 0x36, CONTROL = 0x1D, ALT = 0x38, CAPS = 0x3A, GREY = 0xE0 };

static struct keys keys;
static char        sent[256];
static size_t      length;

static int start(void **state)
{
    (void)state;
    keys = (struct keys){ 0 };
    length = 0;
    return 0;
}

static void take(uint8_t code)
{
    uint8_t  bytes[KEYS_BYTES];
    unsigned count = keys_take(&keys, code, bytes);

    assert_true(count <= KEYS_BYTES && length + count <= sizeof sent);
    memcpy(sent + length, bytes, count);
    length += count;
}

static void strike(uint8_t code)
{
    take(code);
    take(code | UP);
}

#define SENDS(text)                                     \
    do {                                                \
        assert_int_equal(length, sizeof(text) - 1);     \
        assert_memory_equal(sent, text, sizeof(text) - 1); \
        length = 0;                                     \
    } while (0)

static void letters_come_when_pressed(void **state)
{
    (void)state;
    take(0x1E);
    SENDS("a");
    take(0x1E | UP);
    SENDS("");
    strike(0x32), strike(0x02), strike(0x39), strike(0x1C), strike(0x0E), strike(0x0F), strike(0x01), strike(0x35);
    SENDS("m1 \r\177\t\033/");
}

static void either_shift_is_a_shift(void **state)
{
    (void)state;
    take(SHIFT), strike(0x1E), strike(0x02), strike(0x28);
    take(RIGHT_SHIFT), take(SHIFT | UP), strike(0x1E), take(RIGHT_SHIFT | UP), strike(0x1E);
    SENDS("A!\"Aa");
}

static void capitals_are_letters_only(void **state)
{
    (void)state;
    strike(CAPS), strike(0x1E), strike(0x02), take(SHIFT), strike(0x1E), strike(0x02), take(SHIFT | UP), strike(CAPS),
        strike(0x1E);
    SENDS("A1a!a");
}

static void control_makes_control_characters(void **state)
{
    (void)state;
    take(CONTROL), strike(0x2E), strike(0x20), strike(0x1A), strike(0x39), strike(0x02), take(CONTROL | UP),
        strike(0x2E);
    SENDS("\003\004\033\0001c");
    take(GREY), take(CONTROL), strike(0x2E), take(GREY), take(CONTROL | UP), strike(0x2E);
    SENDS("\003c");
}

static void alt_puts_escape_in_front(void **state)
{
    (void)state;
    take(ALT), strike(0x30), take(ALT | UP), strike(0x30);
    SENDS("\033bb");
}

static void grey_keys_send_sequences(void **state)
{
    static const uint8_t codes[] = { 0x48, 0x50, 0x4D, 0x4B, 0x47, 0x4F, 0x52, 0x53, 0x49, 0x51 };

    (void)state;
    for (size_t i = 0; i < sizeof codes; i++)
        take(GREY), take(codes[i]), take(GREY), take(codes[i] | UP);
    SENDS("\033[A\033[B\033[C\033[D\033[H\033[F\033[2~\033[3~\033[5~\033[6~");
    take(GREY), take(0x1C), take(GREY), take(0x35);
    SENDS("\r/");
}

/* A keyboard puts shifts of its own around grey keys while Num Lock is on. */
static void shifts_around_grey_keys_mean_nothing(void **state)
{
    (void)state;
    take(GREY), take(SHIFT), take(GREY), take(0x48), strike(0x1E);
    SENDS("\033[Aa");
}

static void the_number_pad_is_numbers(void **state)
{
    (void)state;
    for (uint8_t code = 0x47; code <= 0x53; code++)
        strike(code);
    SENDS("789-456+1230.");
}

static void pause_sends_nothing(void **state)
{
    static const uint8_t codes[] = { 0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5 };

    (void)state;
    for (size_t i = 0; i < sizeof codes; i++)
        take(codes[i]);
    strike(0x2E);
    SENDS("c");
}

static void no_code_does_harm(void **state)
{
    (void)state;
    srand(1);
    for (int n = 0; n < 1000000; n++) {
        take((uint8_t)rand());
        length = 0;
    }
}

#define KEYS_TEST(function) cmocka_unit_test_setup(function, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEYS_TEST(letters_come_when_pressed),
        KEYS_TEST(either_shift_is_a_shift),
        KEYS_TEST(capitals_are_letters_only),
        KEYS_TEST(control_makes_control_characters),
        KEYS_TEST(alt_puts_escape_in_front),
        KEYS_TEST(grey_keys_send_sequences),
        KEYS_TEST(shifts_around_grey_keys_mean_nothing),
        KEYS_TEST(the_number_pad_is_numbers),
        KEYS_TEST(pause_sends_nothing),
        KEYS_TEST(no_code_does_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
