/*
 * vga.h - the PC's text screen, 80 by 25, as a second console.
 *
 * Starts after memory: the screen is a device, mapped like any other. Understands '\n', '\r',
 * '\b' and '\t'; other control characters are left out, and ESC sequences (the console's line
 * editor sends some) are swallowed.
 *
 * Locking  vga_write() is called under print_lock.
 * Source   IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem".
 */
#ifndef QUIRE_DEVICES_VGA_H
#define QUIRE_DEVICES_VGA_H

#include "base/types.h"

/* Map and clear the screen. Returns 0; -ENODEV when there is none; -ENOMEM. */
int vga_start(void) MUST_CHECK;

/* A print_sink. Without a screen that was started it does nothing. */
void vga_write(const char *text, size_t length);

#endif
