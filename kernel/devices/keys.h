/*
 * keys.h - what a PC keyboard's scan codes mean: the bytes that a terminal (vt100) would send.
 *
 * The codes are those of set 1, into which the keyboard controller translates what the keyboard sends. The letters are
 * those of a US keyboard; the number pad always sends digits. Ctrl makes control characters, Alt puts ESC in front.
 *
 * Locking  none: the caller guards its struct keys.
 * Cost     O(1).
 * Source   IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-Key)".
 */
#ifndef QUIRE_DEVICES_KEYS_H
#define QUIRE_DEVICES_KEYS_H

#include "base/types.h"

enum { KEYS_BYTES = 6 };                /* the most that one key sends: ESC, and a sequence of five */

struct keys {
    bool    shift[2], control[2], alt[2];       /* the left one is held, the right one is */
    bool    capitals;                           /* Caps Lock is on                        */
    bool    extended;                           /* 0xE0 came: the next code is a grey key's */
    uint8_t ignore;                             /* codes still to come of Pause           */
};

/* Take one more code. Returns how many bytes it sends, in bytes[]; most codes send none (a key is released). */
unsigned keys_take(struct keys *keys, uint8_t code, uint8_t bytes[KEYS_BYTES]);

#endif
