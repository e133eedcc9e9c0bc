/*
 * test_console.c - typing at the kernel's console, politely and not.
 *
 * The commands run on the machine in plain memory. Those that need a real one (crash, exit, pci ...)
 * are replaced by a note that they were called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arch/contract.h"
#include "base/error.h"
#include "base/print.h"
#include "console/commands.h"
#include "console/line.h"
#include "console/words.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"

enum { RAM = 16 << 20, OUTPUT = 1 << 20, WIDE = 110 };

/* ---- What the console says ---------------------------------------------------------------- */

static char   output[OUTPUT];
static size_t written;

static void sink(const char *text, size_t length)
{
    if (written + length < OUTPUT) {
        memcpy(output + written, text, length);
        written += length;
    }
    output[written] = 0;
}

static void forget(void)
{
    written = 0;
    output[0] = 0;
}

static bool said(const char *words) { return strstr(output, words) != NULL; }

static void assert_said(const char *words)
{
    if (!said(words))
        fail_msg("expected \"%s\" in:\n%.2000s", words, output);
}

/* Answers are tables; a wide terminal must hold them. */
static size_t widest_line(void)
{
    size_t widest = 0;

    for (const char *at = output; *at != 0; ) {
        size_t length = strcspn(at, "\n");

        widest = length > widest ? length : widest;
        at += length + (at[length] != 0);
    }
    return widest;
}

/* ---- Commands that only a real machine has -------------------------------------------------- */

static char called[16];

static int note(char **words)
{
    snprintf(called, sizeof called, "%s", words[0]);
    return 0;
}

int run_apps(int count, char **words)    { (void)count; return note(words); }
int run_start_app(int count, char **words) { (void)count; return note(words); }
int run_app_processes(int count, char **words) { (void)count; return note(words); }
int run_app_kill(int count, char **words) { (void)count; return note(words); }
int run_app_wait(int count, char **words) { (void)count; return note(words); }
int run_crash(int count, char **words)   { (void)count; return note(words); }
int run_claims(int count, char **words)  { (void)count; return note(words); }
int run_pci(int count, char **words)     { (void)count; return note(words); }
int run_boot(int count, char **words)    { (void)count; return note(words); }
int run_version(int count, char **words) { (void)count; return note(words); }
int run_exit(int count, char **words)    { (void)count; return note(words); }
int run_reboot(int count, char **words)  { (void)count; return note(words); }
int run_start(int count, char **words)   { (void)count; return note(words); }
int run_processes(int count, char **words) { (void)count; return note(words); }
int run_kill(int count, char **words)    { (void)count; return note(words); }
int run_wait(int count, char **words)    { (void)count; return note(words); }

void stack_call(vaddr_t top, void (*function)(void *), void *argument)
{
    (void)top;
    function(argument);
}

/* ---- Running and typing ---------------------------------------------------------------------- */

static int run(const char *text)
{
    char copy[1024];

    snprintf(copy, sizeof copy, "%s", text);
    forget();
    return console_run(copy);
}

static const uint8_t *typed;
static size_t         typed_left;

static int next_byte(void)
{
    if (typed_left == 0)
        return -1;
    typed_left--;
    return *typed++;
}

static void type_bytes(const void *bytes, size_t length)
{
    typed = bytes;
    typed_left = length;
    forget();
    console_loop(next_byte);
}

static void type(const char *text) { type_bytes(text, strlen(text)); }

static void boot(void)
{
    assert_null(machine_boot(RAM));
    forget();
}

/* ---- Words and numbers ------------------------------------------------------------------------ */

static void numbers_are_read_exactly(void **state)
{
    static const struct { const char *word; bool good; uint64_t value; } cases[] = {
        { "0", true, 0 }, { "42", true, 42 }, { "0x2a", true, 42 }, { "0X2A", true, 42 }, { "007", true, 7 },
        { "1_000", true, 1000 }, { "0xC000_0000", true, 0xC0000000 },
        { "18446744073709551615", true, UINT64_MAX }, { "0xFFFFFFFFFFFFFFFF", true, UINT64_MAX },
        { "18446744073709551616", false, 0 }, { "0x10000000000000000", false, 0 },
        { "99999999999999999999999999999", false, 0 },
        { "", false, 0 }, { "-1", false, 0 }, { "+1", false, 0 }, { "0x", false, 0 }, { "x1", false, 0 },
        { "1x", false, 0 }, { "0x1g", false, 0 }, { "1a", false, 0 }, { "_1", false, 0 }, { "1_", false, 0 },
        { "1__0", false, 0 }, { "0x_1", false, 0 }, { "1 ", false, 0 }, { "0b1", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t value = 77;

        if (number_of(cases[i].word, &value) != cases[i].good)
            fail_msg("\"%s\" was %staken", cases[i].word, cases[i].good ? "not " : "");
        assert_int_equal(value, cases[i].good ? cases[i].value : 77);
    }
}

static void words_are_cut_at_spaces(void **state)
{
    char  text[] = " \t one  two\tthree ", none[] = "  ";
    char  many[] = "1 2 3 4 5 6 7 8", more[] = "1 2 3 4 5 6 7 8 9";
    char *words[WORDS];

    (void)state;
    assert_int_equal(words_of(text, words), 3);
    assert_string_equal(words[0], "one");
    assert_string_equal(words[1], "two");
    assert_string_equal(words[2], "three");
    assert_int_equal(words_of(many, words), WORDS);
    assert_int_equal(words_of(more, words), -E2BIG);
    assert_int_equal(words_of(none, words), 0);
}

/* ---- Line editing: what is typed, and the line that comes out -------------------------------------- */

static enum line_event feed(struct line *line, const char *bytes)
{
    enum line_event event = LINE_MORE;

    line_start(line);
    for (; *bytes != 0; bytes++)
        event = line_key(line, (uint8_t)*bytes);
    return event;
}

#define UP    "\033[A"
#define DOWN  "\033[B"
#define RIGHT "\033[C"
#define LEFT  "\033[D"

static void keys_edit_the_line(void **state)
{
    static const struct { const char *keys, *line; } cases[] = {
        { "audit\r", "audit" },
        { "audit\n", "audit" },
        { "aduit\b\b\b\bduit\r", "aduit" },
        { "frames\x7f\r", "frame" },
        { "map heap\x17\r", "map " },                           /* Ctrl-W: the word before  */
        { "map heap  \x17\r", "map " },
        { "wrong\x15" "help\r", "help" },                       /* Ctrl-U: to the start     */
        { "helpless" LEFT LEFT LEFT LEFT "\x0b\r", "help" },    /* Ctrl-K: to the end       */
        { "elp\x01h\r", "help" },                               /* Ctrl-A                   */
        { "el\x01h\x05p\r", "help" },                           /* Ctrl-E                   */
        { "hlp" LEFT LEFT "e\r", "help" },
        { "hlp\x02\x02" "e\x06\x06!\r", "help!" },              /* Ctrl-B, Ctrl-F           */
        { "hxelp\033[D\033[D\033[D\033[D\033[3~\r", "help" },   /* Delete                   */
        { "elp\033[Hh\033[F!\r", "help!" },
        { "elp\033[1~h\033[4~!\r", "help!" },
        { "help\033[1;5Cx\r", "helpx" },                        /* Ctrl-Right: moves right  */
        { "\b\b\x17\x15\x0b\033[3~" LEFT RIGHT "ok\r", "ok" },  /* nothing to erase         */
        { "a\033\rb", "a" },                                    /* a lone Escape            */
        { "tab\there\r", "tabhere" },
        { "\x80\xff" "bell\a\r", "bell" },
    };
    static struct line line;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t upto = strcspn(cases[i].keys, "\r\n") + 1;
        char   keys[64];

        snprintf(keys, sizeof keys, "%.*s", (int)upto, cases[i].keys);
        if (feed(&line, keys) != LINE_READY || strcmp(line.text, cases[i].line) != 0)
            fail_msg("case %zu: expected \"%s\", got \"%s\"", i, cases[i].line, line.text);
    }
}

static void history_brings_lines_back(void **state)
{
    static struct line line;

    (void)state;
    memset(&line, 0, sizeof line);
    feed(&line, "one\r");
    feed(&line, "two\r");
    feed(&line, "two\r");                                       /* an equal line is not kept twice           */
    feed(&line, UP "\r");
    assert_string_equal(line.text, "two");
    feed(&line, UP UP "\r");
    assert_string_equal(line.text, "one");
    feed(&line, UP UP UP UP UP DOWN "\r");                      /* stops at the oldest      */
    assert_string_equal(line.text, "two");
    feed(&line, "typed" UP DOWN "\r");
    assert_string_equal(line.text, "");
    for (char c = 'a'; c <= 'z'; c++) {
        char text[3] = { c, '\r', 0 };

        feed(&line, text);
    }
    feed(&line, UP UP UP UP UP UP UP UP UP UP UP UP "\r");
    assert_string_equal(line.text, "s");                        /* LINE_HISTORY back from z */
}

static uint32_t prompts(void)
{
    uint32_t count = 0;

    for (const char *at = output; (at = strstr(at, "quire> ")) != NULL; at++)
        count++;
    return count;
}

static void carriage_return_and_line_feed_are_one_enter(void **state)
{
    (void)state;
    type("version\r\nversion\rversion\nversion\r\n");
    assert_int_equal(prompts(), 5);
    type("\r\r\n\n");                                           /* CR, CR LF, LF */
    assert_int_equal(prompts(), 4);
}

static void control_c_gives_a_line_up(void **state)
{
    static struct line line;

    (void)state;
    assert_int_equal(feed(&line, "reboot\x03"), LINE_GIVEN_UP);
    called[0] = 0;
    type("reboot\x03\r");
    assert_string_equal(called, "");
}

/* A line that does not fit is refused whole, however it began. */
static void a_line_too_long_is_not_run(void **state)
{
    char text[LINE_SIZE + 50];

    (void)state;
    called[0] = 0;
    memset(text, ' ', sizeof text);
    memcpy(text, "reboot", 6);
    text[sizeof text - 2] = '\r';
    text[sizeof text - 1] = 0;
    type(text);
    assert_string_equal(called, "");
    assert_said("expected a line of at most 255 characters");
    type("reboot\r");
    assert_string_equal(called, "reboot");
}

static void any_bytes_leave_the_line_sound(void **state)
{
    static struct line line;
    uint32_t seed = 1;

    (void)state;
    line_start(&line);
    for (int i = 0; i < 300000; i++) {
        static const char likely[] = "\033[ABCD3~;12\b\x7f\x15\x17\x0b";
        uint8_t           byte;

        seed = seed * 1664525 + 1013904223;
        byte = seed >> 31 ? (uint8_t)(seed >> 16) : (uint8_t)likely[(seed >> 16) % (sizeof likely - 1)];
        if (line_key(&line, byte) != LINE_MORE)
            line_start(&line);
        forget();
        assert_true(line.length < LINE_SIZE && line.at <= line.length);
        assert_int_equal(strlen(line.text), line.length);
    }
}

/* ---- Commands ----------------------------------------------------------------------------------- */

static void every_command_is_in_help(void **state)
{
    (void)state;
    assert_int_equal(run("help"), 0);
    EACH_ROW(command, commands)
        assert_said(command->help);
    EACH_ROW(command, commands) {
        char line[64];

        snprintf(line, sizeof line, "help %s", command->name);
        assert_int_equal(run(line), 0);
        assert_said(command->help);
    }
    assert_int_equal(run("help nonsense"), -ENOENT);
    assert_said("expected the name of a command, not \"nonsense\"");
}

static void unknown_commands_are_told_so(void **state)
{
    (void)state;
    assert_int_equal(run("dance"), -ENOENT);
    assert_said("unknown command \"dance\"; help lists what there is");
    assert_int_equal(run("a b c d e f g h i"), -E2BIG);
    assert_said("expected at most 8 words");
    assert_int_equal(run(""), 0);
    assert_int_equal(run(" ; ;; "), 0);
    assert_int_equal(written, 0);
}

/* One argument too few and one too many, for every command. */
static void wrong_counts_of_arguments_are_refused(void **state)
{
    (void)state;
    EACH_ROW(command, commands) {
        char line[64];

        if (command->least > 0) {
            assert_int_equal(run(command->name), -EINVAL);
            assert_said(command->arguments);
        }
        snprintf(line, sizeof line, "%s%.*s", command->name, 2 * (command->most + 1), " 1 2 3 4 5 6 7 8 9");
        assert_int_equal(run(line), -EINVAL);
        assert_said("not");
    }
}

static void commands_run_in_order_whatever_becomes_of_them(void **state)
{
    uint32_t before = console_failures();

    (void)state;
    called[0] = 0;
    assert_int_equal(run("version; nonsense; frame; reboot"), -ENOENT);
    assert_string_equal(called, "reboot");
    assert_int_equal(console_failures(), before + 2);
}

static void answers_say_what_they_should(void **state)
{
    static const struct { const char *command, *answer; } cases[] = {
        { "map", "Kernel space of layout" }, { "map heap", "heap" }, { "map stacks", "stacks" },
        { "map text", "r-x" }, { "layout", "frame pool" },
        { "frames", "equals all RAM: every frame has an owner" },
        { "frame 0", "frame 0, physical 0x0000_0000" }, { "physical", "RAM " },
        { "heap", "double free          0" }, { "stacks", "of " }, { "stacks 2", "took 2" },
        { "audit", "clean" }, { "audit list", "X1" },
        { "entry 0", "level 2, entry    0" }, { "entry 0xFFFF_FFFF", "entry 1023" }, { "break", "S1" },
        { "break s4", "break S4 named" }, { "break all", "break X4 named" }, { "benchmark", "cost audit" },
    };

    (void)state;
    boot();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(run(cases[i].command), 0);
        assert_said(cases[i].answer);
        assert_false(said("MISSED"));
        assert_false(said("IN NO REGION"));
        if (widest_line() > WIDE)
            fail_msg("%s: a line of %zu characters", cases[i].command, widest_line());
    }
    machine_stop();
}

/* Each command is refused in one line, and nothing changes. */
static void bad_arguments_are_refused_in_one_line(void **state)
{
    static const char *const bad[] = {
        "frame -1", "frame 99999999", "frame 18446744073709551616", "frame x", "frame 0x",
        "entry 0x1_0000_0000", "entry top", "entry -1", "alloc 0", "alloc 99999999", "alloc 1 3", "alloc 1 0",
        "alloc 1 0x80000000",
        "alloc x", "alloc 1 y", "free 0", "free 99999999", "free 0x100 0", "free 1 99999999", "stacks 0",
        "stacks 99999999", "stacks x", "map nowhere", "map \x01", "audit lisp", "break Z9", "break S",
        "help me", "alloc 1048576", "free 18446744073709551615", "stacks 18446744073709551615",
    };
    struct frame_sums before, after;

    (void)state;
    boot();
    memset(&before, 0, sizeof before);
    memset(&after, 0, sizeof after);
    run("stacks 1");                                            /* the heap and the window have their pages */
    frames_sums(&before);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (run(bad[i]) >= 0)
            fail_msg("%s was accepted: %s", bad[i], output);
        if (written == 0 || strchr(output, '\n') != output + written - 1)
            fail_msg("%s: expected one line, got %s", bad[i], output);
    }
    frames_sums(&after);
    assert_memory_equal(before.owned, after.owned, sizeof before.owned);
    assert_int_equal(before.misuses, after.misuses);
    machine_stop();
}

static void frames_can_be_taken_and_given_by_hand(void **state)
{
    uint32_t free = 0, first;
    char     line[64];

    (void)state;
    boot();
    free = frames_free();
    assert_int_equal(run("alloc 8 8"), 0);
    assert_int_equal(frames_free(), free - 8);
    assert_int_equal(sscanf(output, "took 8 frames from %u", &first), 1);
    assert_int_equal(first % 8, 0);
    snprintf(line, sizeof line, "frame %u", first);
    assert_int_equal(run(line), 0);
    assert_said("owner test");
    snprintf(line, sizeof line, "free %u 8", first);
    assert_int_equal(run(line), 0);
    assert_int_equal(frames_free(), free);
    assert_int_equal(run(line), -EPERM);
    assert_said("expected one that alloc took");
    machine_stop();
}

static void more_stacks_than_there_are_fail_cleanly(void **state)
{
    char line[64];

    (void)state;
    assert_null(machine_boot(64 << 20));
    snprintf(line, sizeof line, "stacks %u", stacks_total());
    assert_int_equal(run(line), 0);
    snprintf(line, sizeof line, "stacks %u", stacks_total() + 1);
    assert_int_equal(run(line), -EAGAIN);
    assert_said("every slot is in use");
    assert_int_equal(stacks_used(&kernel_space), 0);
    assert_int_equal(run("audit"), 0);
    machine_stop();
}

/* Commands with arguments of all sorts, at random; afterwards memory is sound. */
static const struct command *nth_command(uint32_t n)
{
    uint32_t count = 0;

    EACH_ROW(command, commands)
        count++;
    n %= count;
    EACH_ROW(command, commands)
        if (n-- == 0)
            return command;
    fail();
    return NULL;
}

static void random_commands_do_no_harm(void **state)
{
    static const char *const arguments[] = {
        "0", "1", "7", "4096", "0xFFFFFFFF", "0xC0000000", "-1", "x", "heap", "all", "list", "S1", "k1",
        "99999999999999999999", "0x", "_", "256", "1024",
    };
    uint32_t seed = 7;

    (void)state;
    boot();
    for (int i = 0; i < 400; i++) {
        char   line[128];
        size_t at;

        seed = seed * 1664525 + 1013904223;
        at = (size_t)snprintf(line, sizeof line, "%s", nth_command(seed >> 16)->name);
        if (strcmp(line, "map") == 0 || strcmp(line, "benchmark") == 0)
            continue;                                           /* long answers, tried above */
        for (uint32_t n = seed >> 8 & 3; n > 0; n--) {
            seed = seed * 1664525 + 1013904223;
            at += (size_t)snprintf(line + at, sizeof line - at, " %s",
                                   arguments[(seed >> 16) % COUNT_OF(arguments)]);
        }
        (void)run(line);
    }
    assert_int_equal(run("audit"), 0);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_exactly),
        cmocka_unit_test(words_are_cut_at_spaces),
        cmocka_unit_test(keys_edit_the_line),
        cmocka_unit_test(history_brings_lines_back),
        cmocka_unit_test(carriage_return_and_line_feed_are_one_enter),
        cmocka_unit_test(control_c_gives_a_line_up),
        cmocka_unit_test(a_line_too_long_is_not_run),
        cmocka_unit_test(any_bytes_leave_the_line_sound),
        cmocka_unit_test(every_command_is_in_help),
        cmocka_unit_test(unknown_commands_are_told_so),
        cmocka_unit_test(wrong_counts_of_arguments_are_refused),
        cmocka_unit_test(commands_run_in_order_whatever_becomes_of_them),
        cmocka_unit_test(answers_say_what_they_should),
        cmocka_unit_test(bad_arguments_are_refused_in_one_line),
        cmocka_unit_test(frames_can_be_taken_and_given_by_hand),
        cmocka_unit_test(more_stacks_than_there_are_fail_cleanly),
        cmocka_unit_test(random_commands_do_no_harm),
    };

    print_to(sink);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
