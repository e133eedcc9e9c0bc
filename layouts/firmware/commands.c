/*
 * commands.c - the console's commands of a document with applications.
 */
#include "layouts/firmware/commands.h"

#include "console/console.h"

const struct command firmware_commands[] = {
    { "apps",      "",            0, 0, run_apps,
      "programs that are part of the image" },
    { "start",     "NAME [A [B]] [&]", 1, 4, run_start_app,
      "run one of them until it ends; &: without waiting" },
    { "processes", "",            0, 0, run_app_processes,
      "those that run" },
    { "kill",      "ID",          1, 1, run_app_kill,
      "end one, and say what that gives back" },
    { "wait",      "[MS]",        0, 1, run_app_wait,
      "until all have ended, or so many milliseconds; Ctrl-C ends them" },
    { 0 },
};
