/*
 * vga.c - the PC's text mode, 80 by 25: a cell is a character and its colours.
 *
 * Source   IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem".
 */
#include "base/error.h"
#include "cpu.h"
#include "devices/screen_device.h"
#include "io.h"
#include "memory/spaces/space.h"

enum {
    LINES = 25,
    LIGHT_GREY = 0x0700,
    INDEX = 0x3D4, VALUE = 0x3D5, CURSOR_HIGH = 0x0E, CURSOR_LOW = 0x0F,
    FIRST_LATIN = 0xA0,
};
#define SCREEN_START 0xB8000ull
#define SCREEN_BYTES (SCREEN_COLUMNS * LINES * 2)

static struct region      window;
static volatile uint16_t *cells;

/* The adapter's own characters (code page 437) for those of ISO 8859-1 from 0xA0 on; '?' where it has none. */
static const uint8_t latin[] = {
    0xFF, 0xAD, 0x9B, 0x9C, 0x3F, 0x9D, 0x3F, 0x3F, 0x3F, 0x3F, 0xA6, 0xAE, 0xAA, 0x3F, 0x3F, 0x3F,
    0xF8, 0xF1, 0xFD, 0x3F, 0x3F, 0xE6, 0x3F, 0xFA, 0x3F, 0x3F, 0xA7, 0xAF, 0xAC, 0xAB, 0x3F, 0xA8,
    0x3F, 0x3F, 0x3F, 0x3F, 0x8E, 0x8F, 0x92, 0x80, 0x3F, 0x90, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F,
    0x3F, 0xA5, 0x3F, 0x3F, 0x3F, 0x3F, 0x99, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x9A, 0x3F, 0x3F, 0xE1,
    0x85, 0xA0, 0x83, 0x3F, 0x84, 0x86, 0x91, 0x87, 0x8A, 0x82, 0x88, 0x89, 0x8D, 0xA1, 0x8C, 0x8B,
    0x3F, 0xA4, 0x95, 0xA2, 0x93, 0x3F, 0x94, 0xF6, 0x3F, 0x97, 0xA3, 0x96, 0x81, 0x3F, 0x3F, 0x98,
};

static void draw_cell(unsigned line, unsigned column, uint8_t character)
{
    cells[line * SCREEN_COLUMNS + column] =
        LIGHT_GREY | (character >= FIRST_LATIN ? latin[character - FIRST_LATIN] : character);
}

static void place_cursor(unsigned line, unsigned column, uint8_t character __attribute__((unused)))
{
    unsigned at = line * SCREEN_COLUMNS + column;

    port_write8(INDEX, CURSOR_HIGH);
    port_write8(VALUE, (uint8_t)(at >> 8));
    port_write8(INDEX, CURSOR_LOW);
    port_write8(VALUE, (uint8_t)at);
}

int vga_start(struct screen_device *device)
{
    volatile uint16_t *screen;
    int                error;

    error = kernel_map_device(&window, "text screen", SCREEN_START, SCREEN_BYTES, CACHE_COMBINE);
    if (error != 0)
        return error == -ENOMEM ? -ENOMEM : -ENODEV;
    screen = pointer_to(page_address(window.span.first));
    screen[0] = LIGHT_GREY | '?';
    if (screen[0] != (LIGHT_GREY | '?')) {          /* there is no adapter */
        kernel_unmap(&window);
        return -ENODEV;
    }
    cells = screen;
    *device = (struct screen_device){ .lines = LINES, .draw = draw_cell, .cursor = place_cursor };
    return 0;
}
