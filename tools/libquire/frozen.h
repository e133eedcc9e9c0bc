/*
 * frozen.h - a machine that was stopped before its program's first instruction, kept in files, and restored for each
 * further run of the same program (`./quire run --snapshot`).
 *
 * The kernel is started with the word begin=told: when all is done up to the program it says READY and waits. Then QEMU
 * is stopped and writes its state, and the machine's RAM, which is a file, is kept. A restored machine maps that
 * file privately, reads the state, and is told to begin, with random bytes that no other run gets (devices/channel.h).
 *
 * A frozen machine is a folder beside its kernel, `frozen/NUMBER`:
 *
 *   key       all it depends on: the kernel's and QEMU's files (place, size, times, the kernel's contents), QEMU's
 *             whole command line, this start of the host (the clock's rate was measured), as text
 *   archive   the program with all its files, arguments and environment, byte by byte
 *   ram       the machine's memory; what is zero is a hole
 *   state     QEMU's, without memory
 *
 * NUMBER is a hash of the first two, which are compared whole, so that a frozen machine is never used for anything but
 * what it was made from. It appears by a rename, when it is complete. FROZEN_MOST are kept of each layout, the oldest
 * goes. Files belong to this user and nobody else may write them, or they are not used.
 *
 * Errors   none are fatal: without a frozen machine the run boots plainly; frozen_open() says why, for -v.
 */
#ifndef QUIRE_FROZEN_H
#define QUIRE_FROZEN_H

#include "machine.h"

enum { FROZEN_MOST = 16 };

struct frozen {
    char *folder;               /* NULL: none */
    int   ram, state;           /* descriptors, or -1 */
};

/*
 * Open the frozen machine of a plan, or make it: that starts and ends a machine. False: there is none, and *why says
 * why, in a few words that live for ever.
 */
bool frozen_open(struct frozen *frozen, const struct machine_plan *plan, const char **why);
void frozen_close(struct frozen *frozen);

/* QEMU could not restore it: remove it. */
void frozen_remove(const struct frozen *frozen);

#endif
