/*
 * commands.c - what a document with a start address adds to the table of commands.
 */
#include "layouts/movos/commands.h"

#include "console/console.h"

const struct command movos_commands[] = {
    { "start",     "[NAME [N]]",  0, 2, run_start,
      "make a process of a built-in program, or N; without NAME, the list" },
    { "processes", "",            0, 0, run_processes,
      "the processes there are" },
    { "kill",      "ID",          1, 1, run_kill,
      "end a process, and say what that gives back" },
    { "wait",      "MS",          1, 1, run_wait,
      "let the processes run for so many milliseconds" },
    { 0 },
};
