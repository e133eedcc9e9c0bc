/*
 * pixels.c - characters drawn on a linear framebuffer, with a font that is linked only into kernels for GRUB.
 *
 * Every glyph is 8 by 16 dots. A dot is `scale` pixels wide and high, so that 80 columns fill most of a wide screen.
 * The framebuffer is only written: reading it is slow on real machines.
 */
#include "base/check.h"
#include "base/error.h"
#include "boot/info.h"
#include "cpu.h"
#include "devices/screen_device.h"
#include "memory/spaces/space.h"

enum { GLYPH_WIDTH = 8, GLYPH_HEIGHT = 16, FIRST_GLYPH = ' ', GLYPHS = 256 - FIRST_GLYPH, LINES_LEAST = 12,
       CURSOR_TOP = GLYPH_HEIGHT - 2, GREY = 0xAA };

/* From tools/font.awk; its address is 0 in a kernel without it. A row is a byte, its leftmost dot the highest bit. */
extern const uint8_t screen_font[GLYPHS][GLYPH_HEIGHT] __attribute__((weak));

static struct region     window;
static volatile uint8_t *pixels;
static uint32_t          pitch;                 /* bytes from a row of pixels to the next */
static unsigned          pixel_bytes, scale;
static uint32_t          grey;                  /* a pixel of the text; one of the background is 0 */

static void put_pixel(volatile uint8_t *at, uint32_t colour)
{
    switch (pixel_bytes) {
    case 4:
        *(volatile uint32_t *)at = colour;
        break;
    case 2:
        *(volatile uint16_t *)at = (uint16_t)colour;
        break;
    default:
        at[0] = (uint8_t)colour;
        at[1] = (uint8_t)(colour >> 8);
        at[2] = (uint8_t)(colour >> 16);
    }
}

static void draw_row(volatile uint8_t *at, uint8_t dots)
{
    for (unsigned x = 0; x < GLYPH_WIDTH * scale; x++, at += pixel_bytes)
        put_pixel(at, dots << x / scale & 0x80 ? grey : 0);
}

static void draw_rows(unsigned line, unsigned column, uint8_t character, unsigned inverted_from)
{
    const uint8_t    *glyph = screen_font[character - FIRST_GLYPH];
    volatile uint8_t *at    = pixels + line * GLYPH_HEIGHT * scale * pitch +
                              column * GLYPH_WIDTH * scale * pixel_bytes;

    assert(character >= FIRST_GLYPH && column < SCREEN_COLUMNS);
    for (unsigned y = 0; y < GLYPH_HEIGHT * scale; y++, at += pitch)
        draw_row(at, glyph[y / scale] ^ (y / scale >= inverted_from ? 0xFF : 0));
}

static void draw_cell(unsigned line, unsigned column, uint8_t character)
{
    draw_rows(line, column, character, GLYPH_HEIGHT);
}

static void draw_cursor(unsigned line, unsigned column, uint8_t character)
{
    draw_rows(line, column, character, CURSOR_TOP);
}

/* Whether the loader's screen can be drawn on: rows hold their pixels, pixels have all colours, no sum wraps. */
static bool is_usable(const struct boot_screen *screen)
{
    if (screen->start == 0 || screen->bits < 15 || screen->bits > 32)
        return false;
    for (unsigned c = 0; c < SCREEN_COLOURS; c++)
        if (screen->length[c] == 0 || screen->length[c] > 8 || screen->shift[c] + screen->length[c] > screen->bits)
            return false;
    return screen->width >= SCREEN_COLUMNS * GLYPH_WIDTH && screen->height >= LINES_LEAST * GLYPH_HEIGHT &&
           screen->pitch >= (uint64_t)screen->width * ((screen->bits + 7) / 8) &&
           (uint64_t)screen->pitch * screen->height <= UINT32_MAX;
}

static unsigned scale_for(const struct boot_screen *screen)
{
    unsigned wide = screen->width / (SCREEN_COLUMNS * GLYPH_WIDTH), high = screen->height / (25 * GLYPH_HEIGHT);
    unsigned most = wide < high ? wide : high;

    return most > 1 ? most : 1;
}

int pixels_start(struct screen_device *device)
{
    const struct boot_screen *screen = boot_screen();
    unsigned                  lines, size;
    uint32_t                  line_bytes;
    int                       error;

    if (screen_font == NULL || !is_usable(screen))
        return -ENODEV;
    size = scale_for(screen);
    line_bytes = screen->pitch * GLYPH_HEIGHT * size;
    lines = screen->height / (GLYPH_HEIGHT * size);
    if (lines > SCREEN_LINES_MOST)
        lines = SCREEN_LINES_MOST;
    /* If the layout's window has no room for the whole screen, its upper part is used. */
    do
        error = kernel_map_device(&window, "screen", screen->start, lines * line_bytes, CACHE_COMBINE);
    while (error == -ENOMEM && (lines /= 2) >= LINES_LEAST);
    if (error != 0)
        return error == -ENOMEM ? -ENOMEM : -ENODEV;
    pixels = (volatile uint8_t *)pointer_to(page_address(window.span.first)) + screen->start % PAGE_SIZE;
    pitch = screen->pitch;
    scale = size;
    pixel_bytes = (screen->bits + 7u) / 8;
    grey = 0;
    for (unsigned c = 0; c < SCREEN_COLOURS; c++)
        grey |= (uint32_t)(GREY >> (8 - screen->length[c])) << screen->shift[c];
    *device = (struct screen_device){ .lines = lines, .draw = draw_cell, .cursor = draw_cursor };
    return 0;
}
