/*
 * commands.h - the console's commands about applications; console.c has them.
 *
 * Each takes the words of its line and returns 0, or a negative error after it has said what is wrong.
 */
#ifndef QUIRE_LAYOUTS_FIRMWARE_COMMANDS_H
#define QUIRE_LAYOUTS_FIRMWARE_COMMANDS_H

int run_apps(int count, char **words);
int run_start_app(int count, char **words);
int run_app_processes(int count, char **words);
int run_app_kill(int count, char **words);
int run_app_wait(int count, char **words);

#endif
