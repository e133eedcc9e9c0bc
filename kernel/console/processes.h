/*
 * processes.h - the console's commands about programs that are built in: rows of the table of commands (console.h).
 *
 * Each takes the words of its line and returns 0, or a negative error after it has said what is wrong. run_start()
 * sleeps until what it started has ended, unless the last word is `&`; run_wait() until all programs have ended, or for
 * the milliseconds that its line gives; run_kill() until the process has ended, 20 seconds at most. Ctrl-C meanwhile
 * ends the programs, or the milliseconds; at the prompt it ends none.
 */
#ifndef QUIRE_CONSOLE_PROCESSES_H
#define QUIRE_CONSOLE_PROCESSES_H

int run_start(int count, char **words);
int run_processes(int count, char **words);
int run_kill(int count, char **words);
int run_wait(int count, char **words);

#endif
