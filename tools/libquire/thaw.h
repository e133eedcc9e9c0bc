/*
 * thaw.h - QEMU's part of a frozen machine: taking its state, and giving it back (frozen.h).
 *
 * QEMU is told on its monitor. Memory is left out of the state (x-ignore-shared): it is a file that QEMU maps. The
 * state goes through a pipe, as QEMU may write no files.
 */
#ifndef QUIRE_THAW_H
#define QUIRE_THAW_H

#include "machine.h"

struct thawed {
    char  *bytes;               /* of the arena */
    size_t length;
};

/*
 * Start the plan's machine, wait until its kernel is ready, stop it and take its state; the plan's `ram` then has its
 * memory. The machine is ended. False: no machine started, its program ended or could not be started, or nothing came
 * within THAW_PATIENCE_MS.
 */
enum { THAW_PATIENCE_MS = 20000 };
bool thaw_take(const struct machine_plan *plan, struct thawed *state);

/* Give a machine that was started with a plan's `state` this state, and let the program begin with a new seed. */
bool thaw_begin(const struct machine *machine, int state);

#endif
