/*
 * keyboard.h - the PC's keyboard, as bytes that a terminal would send (keys.h).
 *
 * Locking  none: the interrupt alone feeds the keys; keyboard_read() has one reader.
 * Errors   a machine without the controller: nothing ever comes.
 * Source   IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
 */
#ifndef QUIRE_DEVICES_KEYBOARD_H
#define QUIRE_DEVICES_KEYBOARD_H

#include "base/types.h"

enum { KEYBOARD_RING = 64 };            /* a power of two */

/*
 * Receive by interrupt; after traps_start(). What is typed is given to `receiver` at once, from the interrupt; with
 * NULL it is kept until keyboard_read() takes it, KEYBOARD_RING bytes at most.
 */
void keyboard_start(void (*who)(const uint8_t *bytes, size_t count));

/* A byte 0..255, or -1 when none waits. */
int  keyboard_read(void);

#endif
