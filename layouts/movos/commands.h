/*
 * commands.h - the console's commands about programs that are built in; console.c has them.
 */
#ifndef QUIRE_LAYOUTS_MOVOS_COMMANDS_H
#define QUIRE_LAYOUTS_MOVOS_COMMANDS_H

int run_start(int count, char **words);
int run_processes(int count, char **words);
int run_kill(int count, char **words);
int run_wait(int count, char **words);

#endif
