/*
 * processes.h - the console's commands about programs that are built in.
 */
#ifndef QUIRE_CONSOLE_PROCESSES_H
#define QUIRE_CONSOLE_PROCESSES_H

int run_start(int count, char **words);
int run_processes(int count, char **words);
int run_kill(int count, char **words);
int run_wait(int count, char **words);

#endif
