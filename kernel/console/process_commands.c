/*
 * process_commands.c - what a document with a start address adds to the table of commands.
 */
#include "console/processes.h"

#include "console/console.h"

const struct command flat_commands[] = {
    { "start",     "[NAME [N] [&]]", 0, 3, run_start,
      "run a built-in program, or N of it; &: without waiting" },
    { "processes", "",            0, 0, run_processes,
      "the processes there are" },
    { "kill",      "ID",          1, 1, run_kill,
      "end a process, and say what that gives back" },
    { "wait",      "[MS]",        0, 1, run_wait,
      "until all have ended, or so many milliseconds; Ctrl-C ends them" },
    { 0 },
};
