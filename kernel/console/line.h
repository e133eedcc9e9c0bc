/*
 * line.h - a line of text being typed on a terminal: editing, echo, history.
 *
 * line_key() takes one byte after another as the terminal sends them and shows the effect. It sends back
 * printable characters, spaces, backspaces, line feeds and the bell, and nothing else, so that the plainest
 * terminal, or a pipe, will do.
 *
 *   Enter (CR, LF or both)      the line is ready            Ctrl-C   give it up
 *   Backspace, Ctrl-H, DEL      erase the one before         Ctrl-U   erase to the start
 *   Delete (ESC [ 3 ~)          erase the one under the cursor
 *   Ctrl-W                      erase the word before        Ctrl-K   erase to the end
 *   Left, Right, Ctrl-B, Ctrl-F move                         Ctrl-A, Home, Ctrl-E, End   move far
 *   Up, Down, Ctrl-P, Ctrl-N    earlier and later lines      Ctrl-L   show the line again
 *
 * Other control bytes and bytes above 126 ring the bell and are not taken. So do characters beyond
 * LINE_SIZE - 1; such a line comes out as LINE_TOO_LONG, because running a part of a command is worse
 * than running nothing.
 *
 * Owning   the struct is the caller's; nothing is allocated.
 * Locking  the caller's; print() is called.
 */
#ifndef QUIRE_CONSOLE_LINE_H
#define QUIRE_CONSOLE_LINE_H

#include "base/types.h"

enum { LINE_SIZE = 256, LINE_HISTORY = 8 };

enum line_event { LINE_MORE, LINE_READY, LINE_TOO_LONG, LINE_GIVEN_UP };

struct line {
    char     text[LINE_SIZE];       /* terminated whenever line_key() has returned         */
    size_t   length, at;            /* at: where the next character goes, at <= length     */
    bool     too_long;
    bool     after_return;          /* the last byte was CR: an LF now belongs to it       */
    uint8_t  escape;                /* inside an escape sequence of the terminal           */
    char     past[LINE_HISTORY][LINE_SIZE];
    uint32_t past_count;            /* lines ever remembered                               */
    uint32_t showing;               /* 0: the new line; n: the n-th last one               */
};

/* Begin an empty line; history is kept. A zeroed struct is a good start. */
void line_start(struct line *line);

/* Take one byte. What is then in line->text stays until line_start(). */
enum line_event line_key(struct line *line, uint8_t byte);

#endif
