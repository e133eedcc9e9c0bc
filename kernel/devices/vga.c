/*
 * vga.c - the PC's text screen.
 */
#include "devices/vga.h"
#include "base/error.h"
#include "cpu.h"
#include "io.h"
#include "memory/spaces/space.h"

enum {
    COLUMNS = 80, LINES = 25, TAB = 8,
    LIGHT_GREY = 0x0700,
    INDEX = 0x3D4, VALUE = 0x3D5, CURSOR_HIGH = 0x0E, CURSOR_LOW = 0x0F,
};
#define SCREEN_START 0xB8000ull
#define SCREEN_BYTES (COLUMNS * LINES * 2)

static struct region      window;
static volatile uint16_t *cells;
static unsigned           line, column;
static enum { PLAIN, AFTER_ESCAPE, IN_SEQUENCE } state;

static void show_cursor(void)
{
    unsigned at = line * COLUMNS + column;

    port_write8(INDEX, CURSOR_HIGH);
    port_write8(VALUE, (uint8_t)(at >> 8));
    port_write8(INDEX, CURSOR_LOW);
    port_write8(VALUE, (uint8_t)at);
}

static void clear_line(unsigned n)
{
    for (unsigned c = 0; c < COLUMNS; c++)
        cells[n * COLUMNS + c] = LIGHT_GREY | ' ';
}

int vga_start(void)
{
    volatile uint16_t *screen;
    int                error;

    error = kernel_map_device(&window, "text screen", SCREEN_START, SCREEN_BYTES, CACHE_COMBINE);
    if (error)
        return error;
    screen = pointer_to(page_address(window.span.first));
    screen[0] = LIGHT_GREY | '?';
    if (screen[0] != (LIGHT_GREY | '?')) {          /* nobody answers */
        kernel_unmap(&window);
        return -ENODEV;
    }
    cells = screen;
    for (unsigned n = 0; n < LINES; n++)
        clear_line(n);
    show_cursor();
    return 0;
}

static void next_line(void)
{
    column = 0;
    if (++line < LINES)
        return;
    line = LINES - 1;
    for (unsigned i = 0; i < (LINES - 1) * COLUMNS; i++)
        cells[i] = cells[i + COLUMNS];
    clear_line(LINES - 1);
}

/* ESC, then '[' and parameters up to a letter; or ESC and one character. True if c was part of one. */
static bool swallow_sequence(char c)
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

static void put_character(char c)
{
    if (swallow_sequence(c))
        return;
    if (c == '\n') {
        next_line();
    } else if (c == '\r') {
        column = 0;
    } else if (c == '\b') {
        column -= column > 0;
    } else if (c == '\t') {
        column += TAB - column % TAB;
    } else if ((uint8_t)c >= ' ') {
        cells[line * COLUMNS + column] = LIGHT_GREY | (uint8_t)c;
        column++;
    }
    if (column >= COLUMNS)
        next_line();
}

void vga_write(const char *text, size_t length)
{
    if (cells == NULL)
        return;
    for (size_t i = 0; i < length; i++)
        put_character(text[i]);
    show_cursor();
}
