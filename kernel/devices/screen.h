/*
 * screen.h - a PC's screen as a second console: 80 columns of text.
 *
 * When the loader has put the screen into a mode of pixels (boot/info.h) and the kernel has a font, the kernel draws
 * the font's glyphs; else the PC's text mode is tried, 80 by 25. A screen of pixels has as many lines as its height
 * allows.
 *
 * The text is UTF-8. Shown are the characters of ISO 8859-1, others as '?'. Understood are '\n', '\r', '\b' and '\t';
 * other control characters are left out, and ESC sequences (the console's line editor sends some) are swallowed.
 *
 * Locking  screen_write() is called under print_lock; screen_start() once, before the first write.
 * Cost     A character is one cell drawn. A new line at the bottom draws all cells that then show something else: in
 *          text mode a store for each, on pixels at least 128. The screen's memory is never read.
 */
#ifndef QUIRE_DEVICES_SCREEN_H
#define QUIRE_DEVICES_SCREEN_H

#include "base/types.h"

/* Find, map and clear the screen. Returns 0; -ENODEV when there is none; -ENOMEM: no room to map it. */
int screen_start(void) MUST_CHECK;

/* A print_sink. Without a screen that was started it does nothing. */
void screen_write(const char *text, size_t length);

#endif
