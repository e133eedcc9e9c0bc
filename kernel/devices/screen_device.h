/*
 * screen_device.h - what screen.c draws on: a grid of cells, each for one character.
 *
 * draw() and cursor() are called under print_lock, with positions inside the grid and characters of ISO 8859-1 that
 * print something. A cell with the cursor on it is drawn again when the cursor leaves it.
 */
#ifndef QUIRE_DEVICES_SCREEN_DEVICE_H
#define QUIRE_DEVICES_SCREEN_DEVICE_H

#include "base/types.h"

enum { SCREEN_COLUMNS = 80, SCREEN_LINES_MOST = 64 };

struct screen_device {
    unsigned lines;                     /* at most SCREEN_LINES_MOST, at least 1 */
    void (*draw)(unsigned line, unsigned column, uint8_t character);
    void (*cursor)(unsigned line, unsigned column, uint8_t character);      /* the character is the cell's */
};

/*
 * Start the loader's screen of pixels, or the PC's text mode. Each fills *device and returns 0; or leaves it unchanged
 * and returns -ENODEV: there is no such screen, or (pixels) no font in this kernel; -ENOMEM: it cannot be mapped.
 */
int pixels_start(struct screen_device *device) MUST_CHECK;
int vga_start(struct screen_device *device) MUST_CHECK;

#endif
