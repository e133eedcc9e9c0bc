/*
 * test_line_discipline.c - the line discipline: examples, invariants under anything, and Linux as the oracle.
 *
 * An example is what is typed, what is then on the screen, and what a program reads. The oracle is a
 * pseudo-terminal of the machine the tests run on: the same settings, the same keys, one by one, and the echo
 * and the lines must be the same, byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "files/terminal/line_discipline.h"

enum { SCREEN = 65536, TYPED_MOST = 48, ROUNDS = 400, LIVES = 50, ANYTHING = 20000 };

static struct line_discipline d;
static char   screen[SCREEN];
static size_t screen_used;
static char   signals[64];
static size_t signal_count;

static void show(void *context, const char *bytes, size_t count)
{
    (void)context;
    assert_true(screen_used + count <= SCREEN);
    memcpy(screen + screen_used, bytes, count);
    screen_used += count;
}

static void take_signal(void *context, int number)
{
    (void)context;
    signals[signal_count++ % sizeof signals] = (char)number;
}

static void flush(void *context) { (void)context; }

static void type_bytes(const void *keys, size_t count)
{
    static const struct line_discipline_effects effects = { show, take_signal, flush, NULL };

    line_discipline_input(&d, &effects, keys, count);
    assert_true(line_discipline_ok(&d));
}

static void type(const char *keys) { type_bytes(keys, strlen(keys)); }

static int start(void **state)
{
    (void)state;
    line_discipline_start(&d);
    screen_used = signal_count = 0;
    return 0;
}

static void set_local(uint32_t on, uint32_t off)
{
    struct termios s = d.settings;

    s.local = (s.local | on) & ~off;
    line_discipline_set(&d, &s);
}

static void check_screen(const char *expected)
{
    assert_int_equal(screen_used, strlen(expected));
    assert_memory_equal(screen, expected, screen_used);
    screen_used = 0;
}

/* A read of `room` bytes gives this text, and tells whether the line was finished. */
static void check_read(size_t room, const char *expected, bool expected_end)
{
    uint8_t bytes[LINE_DISCIPLINE_ROOM];
    bool    end;
    size_t  got = line_discipline_read(&d, bytes, room, &end);

    assert_int_equal(got, strlen(expected));
    assert_memory_equal(bytes, expected, got);
    assert_int_equal(end, expected_end);
}

/* ---- Examples ------------------------------------------------------------------------- */

static void a_line_is_readable_when_it_is_finished(void **state)
{
    (void)state;
    type("abc");
    check_screen("abc");
    assert_false(line_discipline_readable(&d));
    type("\r");
    check_screen("\r\n");
    assert_true(line_discipline_readable(&d));
    assert_int_equal(line_discipline_waiting(&d), 4);
    check_read(100, "abc\n", true);
    assert_false(line_discipline_readable(&d));
}

static void a_read_takes_one_line_and_no_more_than_its_room(void **state)
{
    (void)state;
    type("one\ntwo\n");
    check_read(2, "on", false);
    check_read(100, "e\n", true);
    check_read(100, "two\n", true);
}

static void keys_erase(void **state)
{
    (void)state;
    type("ab\177");
    check_screen("ab\b \b");
    type("two words\027");
    check_screen("two words\b \b\b \b\b \b\b \b\b \b");
    type("\025x\n");
    check_screen("\b \b\b \b\b \b\b \b\b \bx\r\n");
    check_read(100, "x\n", true);
}

static void a_control_key_shows_as_two_and_goes_as_two(void **state)
{
    (void)state;
    type("\001\177");
    check_screen("^A\b \b\b \b");
}

static void a_tab_goes_back_to_where_it_began(void **state)
{
    (void)state;
    type("abc\t\177");
    check_screen("abc\t\b\b\b\b\b");
}

static void a_character_of_many_bytes_is_erased_whole(void **state)
{
    struct termios s = d.settings;

    (void)state;
    s.input |= IUTF8;
    line_discipline_set(&d, &s);
    type("a\xE2\x82\xAC\177\n");
    check_read(100, "a\n", true);
}

static void end_of_input_gives_what_there_is_and_alone_nothing(void **state)
{
    (void)state;
    type("ab\004");
    check_screen("ab");
    check_read(100, "ab", true);
    type("\004");
    assert_true(line_discipline_readable(&d));
    check_read(100, "", true);
}

static void an_end_right_behind_a_full_read_is_not_a_second_one(void **state)
{
    (void)state;
    type("ab\004");
    check_read(2, "ab", true);
    assert_false(line_discipline_readable(&d));
}

static void signals_clear_the_line(void **state)
{
    (void)state;
    type("abc\003");
    check_screen("abc^C");
    assert_int_equal(signal_count, 1);
    assert_int_equal(signals[0], 2);
    type("d\n");
    check_read(100, "d\n", true);
    type("\032\034");
    assert_int_equal(signals[1], 20);
    assert_int_equal(signals[2], 3);
}

static void signals_leave_the_line_where_it_is_to_stay(void **state)
{
    (void)state;
    set_local(NOFLSH, 0);
    type("ab\003c\n");
    check_read(100, "abc\n", true);
}

static void the_next_key_taken_literally_is_a_byte(void **state)
{
    (void)state;
    type("a\026\003b\n");
    check_read(100, "a\003b\n", true);
    assert_int_equal(signal_count, 0);
}

static void without_canonical_mode_every_byte_counts(void **state)
{
    (void)state;
    set_local(0, ICANON | ECHO | ISIG);
    type("a\177\003");
    check_screen("");
    check_read(2, "a\177", false);
    check_read(100, "\003", false);
}

static void what_was_typed_before_a_change_is_not_lost(void **state)
{
    (void)state;
    type("half");
    set_local(0, ICANON);
    check_read(2, "ha", false);
    set_local(ICANON, 0);
    assert_true(line_discipline_readable(&d));
    check_read(100, "lf", true);
}

static void a_full_line_can_still_be_finished(void **state)
{
    uint8_t many[LINE_DISCIPLINE_ROOM + 500], bytes[LINE_DISCIPLINE_ROOM];
    bool    end;

    (void)state;
    set_local(0, ECHO);
    memset(many, 'x', sizeof many);
    type_bytes(many, sizeof many);
    assert_int_equal(line_discipline_room(&d), 0);
    type("\n");
    assert_int_equal(line_discipline_read(&d, bytes, sizeof bytes, &end), LINE_DISCIPLINE_ROOM);
    assert_true(end);
    assert_int_equal(bytes[LINE_DISCIPLINE_ROOM - 1], '\n');
}

static void stop_and_start_hold_output(void **state)
{
    (void)state;
    type("\023");
    assert_true(d.stopped);
    type("a");
    assert_true(d.stopped);
    type("\021");
    assert_false(d.stopped);
    type("\023\003");
    assert_false(d.stopped);
    assert_int_equal(signals[0], 2);
}

static void output_is_processed(void **state)
{
    char   out[64];
    size_t used, count = line_discipline_output(&d, (const uint8_t *)"a\nb", 3, &used, out, sizeof out);

    (void)state;
    assert_int_equal(used, 3);
    assert_int_equal(count, 4);
    assert_memory_equal(out, "a\r\nb", 4);
    d.settings.output |= TABS;
    count = line_discipline_output(&d, (const uint8_t *)"\t.", 2, &used, out, sizeof out);
    assert_int_equal(count, 8);                 /* the cursor was behind one character */
    count = line_discipline_output(&d, (const uint8_t *)"\t\t\t", 3, &used, out, 20);
    assert_int_equal(used, 2);
    assert_int_equal(count, 7 + 8);
}

/* ---- Anything --------------------------------------------------------------------------- */

static uint32_t seed = 12345;

static uint32_t any(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(seed >> 8) * below) >> 24);
}

static void whatever_is_typed_and_set_the_invariants_hold(void **state)
{
    (void)state;
    for (int i = 0; i < ANYTHING; i++) {
        uint8_t bytes[300];
        size_t  used, count = any(8) == 0 ? any(300) : any(4);
        bool    end;

        for (size_t k = 0; k < count; k++)
            bytes[k] = (uint8_t)(any(2) ? any(32) : any(256));
        screen_used = 0;
        type_bytes(bytes, count);
        if (any(10) == 0) {
            struct termios s = d.settings;

            s.input ^= 1u << any(15);
            s.local ^= 1u << any(16);
            s.output ^= 1u << any(12);
            s.keys[any(17)] = (uint8_t)any(128);
            line_discipline_set(&d, &s);
        }
        if (any(3) == 0)
            line_discipline_read(&d, bytes, any(300), &end);
        if (any(20) == 0)
            line_discipline_forget_input(&d);
        if (any(4) == 0) {
            char out[64];

            assert_true(line_discipline_output(&d, bytes, any(40), &used, out, sizeof out) <= sizeof out);
        }
        assert_true(line_discipline_ok(&d));
        assert_true(line_discipline_waiting(&d) == 0 || line_discipline_readable(&d));
    }
}

/* ---- Linux -------------------------------------------------------------------------------- */

static int master = -1, slave = -1;

static bool open_pair(void)
{
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        return false;
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
    return slave >= 0;
}

static void close_pair(void)
{
    close(slave);
    close(master);
}

/* Wait until as much echo has come as expected, and read it. */
static size_t linux_echo(char *to, size_t expected)
{
    size_t got = 0;

    while (got < expected) {
        struct pollfd on = { master, POLLIN, 0 };
        ssize_t       more;

        if (poll(&on, 1, 5000) <= 0)
            break;
        more = read(master, to + got, SCREEN - got);
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    return got;
}

static int  linux_waiting;
static bool linux_ready;

/*
 * Linux takes keys in order, but when it likes. What it holds is what it holds after the last key only
 * if it is waited for after each one: the same count may be met on the way, before a later key throws
 * all of it away; and an end of input counts nothing, but makes a read ready.
 */
static bool linux_holds(uint32_t expected, bool ready)
{
    for (int tries = 0; tries < 50000; tries++) {
        const struct timespec moment = { .tv_nsec = 50000 };
        struct pollfd         on     = { slave, POLLIN, 0 };

        linux_ready = poll(&on, 1, 0) > 0;
        if (ioctl(slave, FIONREAD, &linux_waiting) == 0 && (uint32_t)linux_waiting == expected &&
            linux_ready == ready)
            return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

static uint8_t any_key(void)
{
    static const uint8_t special[] = { 3, 28, 127, 21, 4, 17, 26, 18, 23, 22, '\t', '\n', '\r', ' ', 1, 127,
                                       127, 0x80, 0xC3, 0xA9 };

    /* 255: Linux's echo escapes it */
    return any(2) ? special[any(sizeof special)] : (uint8_t)(any(3) ? 'a' + any(6) : any(255));
}

static struct termios any_settings(void)
{
    static const uint32_t locals[] = { ISIG, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, ECHOCTL, ECHOKE, IEXTEN };
    static const uint32_t inputs[] = { ISTRIP, INLCR, IGNCR, ICRNL, IUTF8, IUCLC };
    static const uint32_t outputs[] = { OPOST, ONLCR, OCRNL, ONOCR, ONLRET, TABS, OLCUC };
    struct termios        s;

    line_discipline_start(&d);
    s = d.settings;
    s.input &= ~(uint32_t)IXON;                 /* a stopped pair would only wait */
    for (size_t i = 0; i < sizeof locals / sizeof *locals; i++)
        if (any(5) == 0)
            s.local ^= locals[i];
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (any(6) == 0)
            s.input ^= inputs[i];
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        if (any(6) == 0)
            s.output ^= outputs[i];
    if (any(5) == 0)
        s.local &= ~(uint32_t)ICANON;
    if (any(6) == 0)
        s.keys[KEY_LINE] = 'c';
    return s;
}

static void describe(const char *what, const struct termios *s, const uint8_t *typed, size_t count)
{
    fprintf(stderr, "%s: input %o output %o local %o; typed:", what, s->input, s->output, s->local);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, " %02x", typed[i]);
    fprintf(stderr, "\n");
}

/* The same key to both: compare the echo, and the number of bytes that can be read. */
static void press(const struct termios *s, const uint8_t *typed, size_t count)
{
    char   echo[SCREEN];
    size_t got;

    screen_used = 0;
    type_bytes(&typed[count - 1], 1);
    assert_int_equal(write(master, &typed[count - 1], 1), 1);
    got = linux_echo(echo, screen_used);
    if (got != screen_used || memcmp(echo, screen, got) != 0) {
        describe("echo differs", s, typed, count);
        fprintf(stderr, "Linux %zu: %.*s\nours %zu: %.*s\n", got, (int)got, echo, screen_used,
                (int)screen_used, screen);
        fail();
    }
    if (!linux_holds(line_discipline_waiting(&d), line_discipline_readable(&d))) {
        describe("waiting differs", s, typed, count);
        fprintf(stderr, "Linux %d, ready %d, ours %u, ready %d\n", linux_waiting, linux_ready,
                line_discipline_waiting(&d), line_discipline_readable(&d));
        fail();
    }
}

static void read_all(const struct termios *s, const uint8_t *typed, size_t count)
{
    for (int reads = 0; reads < 100; reads++) {
        uint8_t ours[100], theirs[100];
        size_t  room  = 1 + any(20);
        bool    ready = line_discipline_readable(&d), end;
        ssize_t their = read(slave, theirs, room);
        size_t  our   = 0;

        if (ready)
            our = line_discipline_read(&d, ours, room, &end);
        if (their != (ready ? (ssize_t)our : -1) || (ready && memcmp(ours, theirs, our) != 0)) {
            describe("a read differs", s, typed, count);
            fprintf(stderr, "read %d of %zu bytes: Linux %zd: %.*s, ours %zd: %.*s\n", reads, room, their,
                    (int)(their > 0 ? their : 0),
                    theirs, ready ? (ssize_t)our : -1, (int)our, ours);
            fail();
        }
        if (!ready)
            break;
    }
}

/* One terminal's life: settings, keys one by one, then all reads. */
static void one_life(const struct termios *s, const uint8_t *typed, size_t count)
{
    assert_int_equal(ioctl(slave, 0x5402, s), 0);               /* TCSETS */
    line_discipline_set(&d, s);
    for (size_t i = 1; i <= count; i++)
        press(s, typed, i);
    read_all(s, typed, count);
}

static void one_round(void)
{
    struct termios s = any_settings();
    uint8_t        typed[TYPED_MOST];
    size_t         count = 1 + any(TYPED_MOST);

    for (size_t i = 0; i < count; i++)
        typed[i] = any_key();
    one_life(&s, typed, count);
}

/*
 * Ten bytes wait at the end, and ten others waited on the way, until Control-\ threw them away: Linux's
 * were read while it was still there.
 */
static void a_count_met_on_the_way_is_not_the_end(void **state)
{
    static const uint8_t typed[] = { 'f', '\n', 3, 0xC3, 0xEC, 'a', 127, ' ', 127, '\n', 'd', 0x80, 'J', 'c', 'a',
                                     'b', 127, 28, 0xB3, ' ', '\n', 0xC3, 21, '^', '\t', 0x88, '\r', 4 };
    struct termios       s;

    (void)state;
    for (int life = 0; life < LIVES; life++) {
        if (!open_pair())
            skip();
        line_discipline_start(&d);
        s        = d.settings;
        s.input  = ICRNL;
        s.local &= ~(uint32_t)(ICANON | ECHO | ECHOCTL);
        one_life(&s, typed, sizeof typed);
        close_pair();
    }
}

static void keys_do_what_they_do_on_linux(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        if (!open_pair())
            skip();
        one_round();
        close_pair();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_is_readable_when_it_is_finished, start),
        cmocka_unit_test_setup(a_read_takes_one_line_and_no_more_than_its_room, start),
        cmocka_unit_test_setup(keys_erase, start),
        cmocka_unit_test_setup(a_control_key_shows_as_two_and_goes_as_two, start),
        cmocka_unit_test_setup(a_tab_goes_back_to_where_it_began, start),
        cmocka_unit_test_setup(a_character_of_many_bytes_is_erased_whole, start),
        cmocka_unit_test_setup(end_of_input_gives_what_there_is_and_alone_nothing, start),
        cmocka_unit_test_setup(an_end_right_behind_a_full_read_is_not_a_second_one, start),
        cmocka_unit_test_setup(signals_clear_the_line, start),
        cmocka_unit_test_setup(signals_leave_the_line_where_it_is_to_stay, start),
        cmocka_unit_test_setup(the_next_key_taken_literally_is_a_byte, start),
        cmocka_unit_test_setup(without_canonical_mode_every_byte_counts, start),
        cmocka_unit_test_setup(what_was_typed_before_a_change_is_not_lost, start),
        cmocka_unit_test_setup(a_full_line_can_still_be_finished, start),
        cmocka_unit_test_setup(stop_and_start_hold_output, start),
        cmocka_unit_test_setup(output_is_processed, start),
        cmocka_unit_test_setup(whatever_is_typed_and_set_the_invariants_hold, start),
        cmocka_unit_test_setup(a_count_met_on_the_way_is_not_the_end, start),
        cmocka_unit_test_setup(keys_do_what_they_do_on_linux, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
