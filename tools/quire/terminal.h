/*
 * terminal.h - using the terminal that quire was started on for a program in the guest.
 *
 * In guest mode (terminal_set_raw()) every key goes to the guest, whose own terminal edits lines and makes
 * signals of Ctrl-C and Ctrl-Z. terminal_restore() is called at every exit.
 */
#ifndef QUIRE_TERMINAL_H
#define QUIRE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/* True when standard input and standard output are the same terminal. */
bool terminal_is_here(void);

void terminal_set_raw(void);
void terminal_restore(void);        /* also without a mode to restore */

/*
 * For a picture that is redrawn in its place: the terminal's other screen, and single keys without echo; Ctrl-C and
 * Ctrl-Z keep their meaning. terminal_restore() restores this mode, too.
 */
void terminal_show(void);

/* The window's size; false when it is unknown. */
bool terminal_size(uint16_t *columns, uint16_t *rows);

#endif
