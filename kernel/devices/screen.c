/*
 * screen.c - from bytes to cells: UTF-8, control characters, and which cells change when lines move up.
 */
#include "devices/screen.h"
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "devices/screen_device.h"

enum { TAB = 8, FIRST_LATIN = 0xA0, LAST_LATIN = 0xFF, INCOMPLETE = -1, UNKNOWN = '?' };

static struct screen_device device;         /* lines == 0: none */
static uint8_t              cells[SCREEN_LINES_MOST * SCREEN_COLUMNS];      /* what is on the screen */
static unsigned             line, column;
static enum { PLAIN, AFTER_ESCAPE, IN_SEQUENCE } state;
static uint32_t             code;           /* of a character that is not complete: its bits so far, */
static unsigned             code_bytes;     /* and the bytes to come */

static void set_cell(unsigned at, uint8_t character)
{
    if (cells[at] == character)
        return;
    cells[at] = character;
    device.draw(at / SCREEN_COLUMNS, at % SCREEN_COLUMNS, character);
}

int screen_start(void)
{
    int error = pixels_start(&device);

    if (error != 0)
        error = vga_start(&device);
    if (error != 0)
        return error;
    assert(device.lines > 0 && device.lines <= SCREEN_LINES_MOST);
    memset(cells, 0, sizeof cells);             /* no character: every cell differs from what is written */
    for (unsigned at = 0; at < device.lines * SCREEN_COLUMNS; at++)
        set_cell(at, ' ');
    device.cursor(line, column, ' ');
    return 0;
}

static void next_line(void)
{
    unsigned last = (device.lines - 1) * SCREEN_COLUMNS;

    column = 0;
    if (++line < device.lines)
        return;
    line--;
    /* bound: cells of the screen */
    for (unsigned at = 0; at < last; at++)
        set_cell(at, cells[at + SCREEN_COLUMNS]);
    for (unsigned at = last; at < last + SCREEN_COLUMNS; at++)
        set_cell(at, ' ');
}

/* Leave out ESC and one character, or ESC, '[' and parameters up to a letter. True if c was part of a sequence. */
static bool swallow_sequence(uint8_t c)
{
    switch (state) {
    case PLAIN:
        state = c == '\033' ? AFTER_ESCAPE : PLAIN;
        return c == '\033';
    case AFTER_ESCAPE:
        state = c == '[' ? IN_SEQUENCE : PLAIN;
        return true;
    default:
        state = c >= '@' && c <= '~' ? PLAIN : IN_SEQUENCE;
        return true;
    }
}

/* The code point that byte c completes (RFC 3629, "UTF-8 definition"); INCOMPLETE; UNKNOWN if it belongs to none. */
static int decode_byte(uint8_t c)
{
    if (c < 0x80) {
        code_bytes = 0;
        return c;
    }
    if (c >= 0xC0) {
        code_bytes = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
        code = c & 0x3Fu >> code_bytes;
        return INCOMPLETE;
    }
    if (code_bytes == 0)
        return UNKNOWN;
    code = code << 6 | (c & 0x3F);
    if (--code_bytes > 0)
        return INCOMPLETE;
    return code < 0x80 ? UNKNOWN : (int)code;       /* spelled with more bytes than it takes: perhaps a control */
}

static void put_character(uint8_t byte)
{
    int c;

    if (swallow_sequence(byte))
        return;
    c = decode_byte(byte);
    if (c == '\n') {
        next_line();
    } else if (c == '\r') {
        column = 0;
    } else if (c == '\b') {
        column -= column > 0;
    } else if (c == '\t') {
        column += TAB - column % TAB;
    } else if (c >= ' ') {
        if (c == 0x7F || (c > 0x7F && c < FIRST_LATIN) || c > LAST_LATIN)
            c = UNKNOWN;
        set_cell(line * SCREEN_COLUMNS + column, (uint8_t)c);
        column++;
    }
    if (column >= SCREEN_COLUMNS)
        next_line();
}

void screen_write(const char *text, size_t length)
{
    unsigned at;

    if (device.lines == 0)
        return;
    at = line * SCREEN_COLUMNS + column;
    device.draw(line, column, cells[at]);       /* without the cursor */
    /* bound: what print() gives at once, or a program's write up to a terminal's buffer */
    for (size_t i = 0; i < length; i++)
        put_character((uint8_t)text[i]);
    at = line * SCREEN_COLUMNS + column;
    device.cursor(line, column, cells[at]);
}
