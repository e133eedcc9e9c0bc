/*
 * above.h - what processes ask of the floor above them, kernel/init: the program that the machine was started for, and
 * reports about it.
 *
 * Declared here, where it is needed, and answered there, so that includes run down.
 */
#ifndef QUIRE_PROCESS_ABOVE_H
#define QUIRE_PROCESS_ABOVE_H

#include "base/types.h"

struct process;

/* True for the program that the machine was started for. */
bool init_is_program(const struct process *process);

/*
 * Called when a process is about to release its memory; and when it has ended (exit.c): does not return if the machine
 * ends with it.
 */
void init_note_ending(const struct process *process);
void init_note_end(const struct process *process);

/*
 * Look at how many frames are in use now, and keep the owners' sums if there were never more. Called now and
 * then while threads run, and when a program starts or ends: a peak between two looks shows in the total alone.
 */
void report_sample(void);

/*
 * Report a line, such as why the program died: to the host if there is a channel, else to the consoles. Called with no
 * spin lock held and not from an interrupt: while the host takes no more bytes, other threads run.
 */
void report_say(const char *line);

#endif
