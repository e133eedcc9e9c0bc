/*
 * descriptors.h - standard descriptors that are closed when quire is started.
 *
 * The next file opened would get such a number, and be written to as if it were standard output. So they are opened on
 * /dev/null before any other file. In the guest they are closed, as they would be without quire.
 */
#ifndef QUIRE_DESCRIPTORS_H
#define QUIRE_DESCRIPTORS_H

#include <stdbool.h>

/* Open them; called first. False: /dev/null cannot be opened, and messages may have no reader. */
bool descriptors_open(void);

/* Whether standard descriptor `number` was closed at the start. */
bool descriptor_was_closed(int number);

#endif
