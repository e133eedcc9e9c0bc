/*
 * init.h - the first program, which the machine was started for.
 *
 * The boot archive becomes the root file system; the program's name is in it (devices/channel.h) or on the command
 * line:
 *
 *     init=PATH           run PATH, with the serial line as its terminal
 *     channel=none        do not use the channel, even if the machine has its device
 *     begin=told          say over the channel that the program is ready, and wait for the host's word: in between the
 *                         machine may be frozen, to be restored many times. Random numbers and the wall clock of the
 *                         program are of the time after the word
 *
 * Where the machine has a block device it is /dev/vda, and with mkswap's header pages go there from the start.
 *
 * The program's standard streams are those of the channel, or of a terminal. The terminal is on the channel if
 * .quire/options says so; without a channel it is on the serial line and the screen.
 *
 * Process 1 is the kernel's own: it has no thread, no memory and no files, ignores every signal, adopts children whose
 * parents end, and leaves no zombies. The program is its child, with a group and a session of its own.
 *
 * The machine ends when the program has ended and no open file of its standard output or errors is left, so that the
 * output of children that outlive the program is not lost, as with a pipe. On a terminal, and after SIGINT, SIGTERM,
 * SIGHUP or SIGQUIT from outside, the machine ends with the program. At the end it gives back input that nobody has
 * read (devices/channel_link.h) and reports how the program ended; those that are ended with the machine do not end it
 * once more.
 */
#ifndef QUIRE_INIT_INIT_H
#define QUIRE_INIT_INIT_H

#include "boot/info.h"
#include "process/above.h"            /* what processes call of this */

/* Remember where the modules are, and the command line: before memory_start(), which ends boot memory. */
void init_note_boot(const struct boot_info *info, const char *command_line);

/* True when a module is an archive: then init_run() runs its program, and never returns. */
bool init_is_wanted(void);
void init_run(void) NORETURN;

#endif
