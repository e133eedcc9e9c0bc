/*
 * terminal.h - the terminal we were started on, lent to a program in the guest.
 *
 * While it is lent, every key goes to the guest, whose own terminal edits lines and makes
 * signals of Ctrl-C and Ctrl-Z. It is given back on every way out.
 */
#ifndef QUIRE_TERMINAL_H
#define QUIRE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/* True when standard input and standard output are one person's terminal. */
bool terminal_is_here(void);

void terminal_lend(void);
void terminal_give_back(void);      /* also when it was never lent */

/*
 * For a picture that is drawn anew in its place: another screen, and keys one by one without an echo; Ctrl-C and Ctrl-Z
 * stay what they are. Given back like a lent one.
 */
void terminal_show(void);

/* The window's size; false when nobody knows. */
bool terminal_size(uint16_t *columns, uint16_t *rows);

#endif
