/*
 * commands.h - the console's commands about applications; console.c has them.
 */
#ifndef QUIRE_LAYOUTS_FIRMWARE_COMMANDS_H
#define QUIRE_LAYOUTS_FIRMWARE_COMMANDS_H

int run_apps(int count, char **words);
int run_start_app(int count, char **words);

#endif
