/*
 * test_screen.c - the effect of a console's bytes on a screen, which is an array here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "devices/screen.h"
#include "devices/screen_device.h"

enum { LINES = 4 };

static char     shown[LINES][SCREEN_COLUMNS];
static unsigned drawn, cursor_line, cursor_column;
static uint8_t  under_cursor;

static void draw(unsigned line, unsigned column, uint8_t character)
{
    assert_true(line < LINES && column < SCREEN_COLUMNS && character >= ' ');
    shown[line][column] = (char)character;
    drawn++;
}

static void cursor(unsigned line, unsigned column, uint8_t character)
{
    assert_true(line < LINES && column < SCREEN_COLUMNS);
    cursor_line = line;
    cursor_column = column;
    under_cursor = character;
}

int pixels_start(struct screen_device *device)
{
    (void)device;
    return -ENODEV;
}

int vga_start(struct screen_device *device)
{
    *device = (struct screen_device){ .lines = LINES, .draw = draw, .cursor = cursor };
    return 0;
}

static void write_text(const char *text) { screen_write(text, strlen(text)); }

static int start(void **state)
{
    (void)state;
    assert_int_equal(screen_start(), 0);
    for (int n = 0; n < LINES; n++)
        write_text("\r\n");                 /* after any test before: the cursor is in the last line, */
    write_text("\033[m");                   /* and no sequence is open */
    drawn = 0;
    return 0;
}

static void check_line(unsigned line, const char *text)
{
    size_t length = strlen(text);

    assert_memory_equal(shown[line], text, length);
    for (size_t n = length; n < SCREEN_COLUMNS; n++)
        assert_int_equal(shown[line][n], ' ');
}

static void a_screen_begins_empty(void **state)
{
    (void)state;
    for (unsigned n = 0; n < LINES; n++)
        check_line(n, "");
    assert_int_equal(under_cursor, ' ');
}

static void lines_move_up_when_the_last_is_full(void **state)
{
    (void)state;
    write_text("one\r\ntwo\nthree\n");
    check_line(LINES - 4, "one");
    check_line(LINES - 3, "two");
    check_line(LINES - 2, "three");
    check_line(LINES - 1, "");
    write_text("four\nfive\n");
    check_line(LINES - 4, "three");
    check_line(LINES - 2, "five");
}

static void a_line_goes_on_below_when_it_is_too_long(void **state)
{
    (void)state;
    for (int n = 0; n < SCREEN_COLUMNS; n++)
        write_text("x");
    write_text("yz");
    check_line(LINES - 1, "yz");
    assert_int_equal(shown[LINES - 2][SCREEN_COLUMNS - 1], 'x');
    assert_int_equal(cursor_column, 2);
}

static void only_cells_that_change_are_drawn(void **state)
{
    (void)state;
    write_text("same\n");
    write_text("same\n");
    drawn = 0;
    write_text("same\n");
    /* The new text, once; the same cells again where the empty line comes; the cell that the cursor has left. */
    assert_true(drawn <= 4 + 4 + 4 + 1);
}

static void returns_steps_back_and_tabs_move_the_cursor(void **state)
{
    (void)state;
    write_text("abc\b\bX\tt");
    check_line(LINES - 1, "aXc     t");
    write_text("\rZ\b\b\b\b");
    assert_int_equal(cursor_column, 0);
    assert_int_equal(cursor_line, LINES - 1);
    assert_int_equal(under_cursor, 'Z');
}

static void sequences_and_other_controls_are_left_out(void **state)
{
    (void)state;
    write_text("a\033[31;1mb\033[Kc\033=d\a\177e");
    check_line(LINES - 1, "abcd?e");
}

static void utf8_is_shown_as_far_as_there_are_glyphs(void **state)
{
    (void)state;
    write_text("\303\244\302\265 \342\202\254 \360\237\230\200.");      /* a umlaut, micro; euro; a face */
    check_line(LINES - 1, "\344\265 ? ?.");
}

static void bytes_that_are_no_utf8_are_question_marks(void **state)
{
    (void)state;
    /* A byte alone, a character cut short, a space, a line feed of two bytes, a control character. */
    write_text("\200a\303b\302\240c\300\212\302\205");
    check_line(LINES - 1, "?ab\240c??");
}

static void any_bytes_stay_on_the_screen(void **state)
{
    (void)state;
    srandom(1);
    for (int n = 0; n < 100000; n++) {
        char c = (char)random();

        screen_write(&c, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_screen_begins_empty, start),
        cmocka_unit_test_setup(lines_move_up_when_the_last_is_full, start),
        cmocka_unit_test_setup(a_line_goes_on_below_when_it_is_too_long, start),
        cmocka_unit_test_setup(only_cells_that_change_are_drawn, start),
        cmocka_unit_test_setup(returns_steps_back_and_tabs_move_the_cursor, start),
        cmocka_unit_test_setup(sequences_and_other_controls_are_left_out, start),
        cmocka_unit_test_setup(utf8_is_shown_as_far_as_there_are_glyphs, start),
        cmocka_unit_test_setup(bytes_that_are_no_utf8_are_question_marks, start),
        cmocka_unit_test_setup(any_bytes_stay_on_the_screen, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
