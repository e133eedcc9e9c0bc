/*
 * terminals.h - the machine's one terminal: on the channel to the host, or on the serial line. On the serial line the
 * PC's screen, if it was started, shows the same, and its keyboard types into the same line.
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

/* Send a signal from outside to the foreground of that terminal. */
void terminals_signal(int number);

#endif
