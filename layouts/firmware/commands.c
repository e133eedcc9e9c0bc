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
    { 0 },
};
