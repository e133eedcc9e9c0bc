/*
 * module.h - what a WebAssembly module of the page and the page say to each other: bytes in memory.
 *
 * The page puts a text where input() says, calls the module's one question (`check` of layout.c, `draw` of map.c), and
 * reads the answers: answer(n) is where one begins, answer_length(n) how long it is. They stay until the next question.
 * Where memory ends the module says so to its standard errors and exits; the page then starts it anew.
 */
#ifndef QUIRE_WEB_MODULE_H
#define QUIRE_WEB_MODULE_H

#include <stddef.h>
#include <stdio.h>

#define FOR_THE_PAGE(name) __attribute__((export_name(#name), used))

enum { ANSWERS = 4 };

/* The text of this question. */
extern char *module_input;

/* A stream that becomes answer n when it is closed; what answer n was is gone. */
FILE *module_answer(unsigned n);
void  module_forget(void);              /* all answers are empty */

#endif
