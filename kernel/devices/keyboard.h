/*
 * keyboard.h - the PC's keyboard, as bytes that a terminal would send (keys.h).
 *
 * Locking  none: the interrupt alone feeds the keys; keyboard_read() has one reader.
 * Errors   on a machine without the controller no byte ever comes.
 * Source   IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
 */
#ifndef QUIRE_DEVICES_KEYBOARD_H
#define QUIRE_DEVICES_KEYBOARD_H

#include "base/types.h"

enum { KEYBOARD_RING = 64 };            /* a power of two */

/*
 * Receive by interrupt; after traps_start(). Typed bytes are given to `receive` at once, from the interrupt; with NULL
 * they are kept for keyboard_read(), KEYBOARD_RING bytes at most.
 */
void keyboard_start(void (*receive)(const uint8_t *bytes, size_t count));

/* A byte 0..255, or -1 when none waits. */
int  keyboard_read(void);

#endif
