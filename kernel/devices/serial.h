/*
 * serial.h - the first serial line (COM1, 115200 8N1): the kernel's console.
 *
 * Sending waits for the line. Receiving works without interrupts, by looking at the line; once
 * serial_listen() has been called, arriving characters are kept in a ring of SERIAL_RING bytes
 * until serial_read() takes them; characters that come while the ring is full are lost.
 *
 * Locking  serial_write() is called under print_lock; serial_send() is not, so its bytes may come between those of
 *          print(). serial_read() has one reader; it keeps interrupts off for as long as it takes one character.
 * Cost     87 microseconds a character; a line that takes none is given up after UART_PATIENCE reads of its state for
 *          each.
 * Errors   on a machine without the port writing does nothing, and reading returns no character.
 */
#ifndef QUIRE_DEVICES_SERIAL_H
#define QUIRE_DEVICES_SERIAL_H

#include "base/types.h"

enum { SERIAL_RING = 256 };                     /* a power of two */

bool serial_start(void);                        /* false: there is no such port */
void serial_listen(void);                       /* receive by interrupt; after traps_start() */

/* The same, but characters are given to `receive` at once, from the interrupt, and serial_read() returns none. */
void serial_listen_for(void (*receive)(const uint8_t *bytes, size_t count));

/* A print_sink: '\n' is sent as "\r\n". */
void serial_write(const char *text, size_t length);
void serial_send(const char *bytes, size_t count);      /* unchanged */

int  serial_read(void);                         /* a character 0..255, or -1 when none waits */

#endif
