/*
 * terminals.h - the terminal there is: on the channel to the host, or on the serial line. In the second case the PC's
 * text screen shows the same, if it was started, and its keyboard types into the same line.
 */
#ifndef QUIRE_FILES_TERMINALS_H
#define QUIRE_FILES_TERMINALS_H

#include "files/path/path.h"

/* Announce the devices: console, tty, ttyS0, hvc0. Before /dev is populated. */
void terminals_start(void);

/*
 * Start the terminal: on the channel if there is one, else on the serial line. It becomes the controlling terminal of
 * the current process, a session's leader, whose group is in the foreground. *out is an open file on it, with a
 * reference. Returns 0 or a negative errno.
 */
int terminals_open_first(struct fs_context *fs, struct file **out) MUST_CHECK;

/* A signal for the foreground of that terminal, from outside. */
void terminals_signal(int number);

#endif
