/*
 * console.h - the kernel's own command line.
 *
 * A command is a name, its arguments in words, a help line and a function. The table of commands is in commands.c, and
 * a layout may add to it; each family of commands has a small file. Commands print their answer. They return 0, or,
 * when they could not do what was asked, a negative errno after a line that says why.
 *
 * Input comes through a function, so the console does not know the serial line and a host test can type. Output goes
 * through print().
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
 * Returns the next byte that was typed already, or a negative number, without waiting. NULL: while a command runs no
 * input is read.
 */
extern console_input console_typed;

/*
 * For a command that takes long: whether Ctrl-C was typed since the last call. Bytes typed after it, or all if it was
 * not typed, are kept for the prompt, 64 at most; bytes typed before it are dropped.
 */
bool console_interrupted(void);

/* Called while the console waits for a byte, to print lines that may come at any moment. NULL: there are none. */
extern void (*console_idle)(void);

/*
 * Run commands separated by ';' (the kernel's command line: run=audit;exit). Text is cut in place.
 * All are run, also after one that fails. Returns 0, or the first error.
 */
int console_run(char *text);

/* How many commands have failed since the start; `exit` without a number makes its status of it. */
uint32_t console_failures(void);

#endif
