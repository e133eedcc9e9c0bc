/*
 * init.h - the first program: what the machine was started for.
 *
 * The boot archive becomes the root file system; what to run is in it (devices/channel.h) or on the command line:
 *
 *     init=PATH           run PATH, with the serial line as its terminal
 *     channel=none        nobody speaks the channel's protocol here, even if the machine has such a device
 *
 * The program's standard streams are the channel's, or a terminal: on the channel if .quire/options says so, on the
 * serial line, and shown on the screen, if there is no channel.
 *
 * Process 1 is the kernel's own: it has no thread, no memory and no files, ignores every signal, adopts children whose
 * parents end, and leaves no zombies. The program is its child, with a group and a session of its own.
 *
 * The machine ends when the program has ended and no open file of its standard output or errors is left: what children
 * that outlive it still say is not lost, as with a pipe. On a terminal, and after SIGINT, SIGTERM, SIGHUP or SIGQUIT
 * from outside, it ends with the program. It says how the program ended, and leaves.
 */
#ifndef QUIRE_INIT_INIT_H
#define QUIRE_INIT_INIT_H

#include "boot/info.h"
#include "process/above.h"            /* what processes ask of this */

/* Remember where the modules are and what the command line says: before memory_start(), which ends boot memory. */
void init_note_boot(const struct boot_info *info, const char *command_line);

/* True when a module is an archive, which holds something to run: then init_run() does, and never returns. */
bool init_is_wanted(void);
void init_run(void) NORETURN;

#endif
