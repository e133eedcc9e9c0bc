/*
 * console.h - the kernel's own command line.
 *
 * A command is a name, its arguments in words, a help line and a function; they are in
 * a table (commands.c, to which a layout may add), one small file for each family. Commands print their answer. They
 * return 0, or a negative errno when they could not do what was asked, after saying so in one line.
 *
 * Input comes through a function, so the console does not know the serial line and a host
 * test can type. Output goes through print().
 *
 * Locking  none: one console, run by one CPU, with no lock held.
 */
#ifndef QUIRE_CONSOLE_CONSOLE_H
#define QUIRE_CONSOLE_CONSOLE_H

#include "base/rows.h"

struct command {
    const char *name;
    const char *arguments;          /* as help shows them: "ADDRESS", "N [ALIGN]"        */
    uint8_t     least, most;        /* how many                                          */
    int       (*run)(int count, char **words);      /* words[0] is the name              */
    const char *help;               /* one line                                          */
};

extern const struct command *const commands[];      /* sets (rows.h): the console's own, and a layout's */

const struct command *command_find(const char *name);

/* The next byte that was typed, 0 to 255; negative at the end of input. */
typedef int (*console_input)(void);

/* Prompt, read a line, run it, for ever; returns at the end of input. */
void console_loop(console_input input);

/*
 * The next byte that was typed already, or a negative number: it does not wait. NULL: nobody can type while a command
 * runs.
 */
extern console_input console_typed;

/*
 * For a command that takes long: whether Ctrl-C was typed since it was last asked. Whatever else was typed is kept for
 * the prompt, as far as there is room.
 */
bool console_interrupted(void);

/* Called while nobody types, for lines that may come at any moment. NULL: there are none. */
extern void (*console_idle)(void);

/*
 * Run commands separated by ';' (the kernel's command line: run=audit;exit). Text is cut in place.
 * All are run, whatever becomes of the first. Returns 0, or the first error.
 */
int console_run(char *text);

/* Commands that failed since start: what `exit` without a number tells the outside. */
uint32_t console_failures(void);

#endif
