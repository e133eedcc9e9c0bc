/*
 * init.h - the first program: what the machine was started for.
 *
 * The boot archive becomes the root file system; what to run is in it (devices/channel.h) or on the command line:
 *
 *     init=PATH           run PATH, with the serial line as its terminal
 *     channel=none        nobody speaks the channel's protocol here, even if the machine has such a device
 *
 * The program's standard streams are the channel's, or a terminal: on the channel if its orders say so, on the
 * serial line, and shown on the screen, if there is no channel. When process 1 ends, all others are killed, the machine says how it ended, and
 * leaves.
 */
#ifndef QUIRE_PROCESS_FIRST_H
#define QUIRE_PROCESS_FIRST_H

#include "boot/info.h"

struct process;

/* Remember where the modules are and what the command line says: before memory_start(), which ends boot memory. */
void first_note(const struct boot_info *info, const char *command_line);

/* True when a module is an archive, which holds something to run: then first_run() does, and never returns. */
bool first_wanted(void);
void first_run(void) NORETURN;

/* A process is about to let go of its memory; and it has ended (exit.c). Does not return for process 1. */
void first_ending(const struct process *process);
void first_ended(const struct process *process);

#endif
