/*
 * commands.h - the console's commands about page-table objects.
 */
#ifndef QUIRE_LAYOUTS_TRACKER_COMMANDS_H
#define QUIRE_LAYOUTS_TRACKER_COMMANDS_H

#include "console/console.h"

extern const struct command tracker_commands[];

#endif
