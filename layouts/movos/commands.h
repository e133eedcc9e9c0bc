/*
 * commands.h - the console's commands about the window of bookkeeping.
 */
#ifndef QUIRE_LAYOUTS_MOVOS_COMMANDS_H
#define QUIRE_LAYOUTS_MOVOS_COMMANDS_H

#include "console/console.h"

extern const struct command movos_commands[];

#endif
