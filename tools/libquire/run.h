/*
 * run.h - one run: the boot archive, one machine after the other until one starts, the session, and what its end means.
 *
 * Nothing here waits, except for the reading of files in run_prepare(), for a frozen machine that is made, and for a
 * process that is being killed. The
 * steps: run_prepare(), run_start(), and then run_fill(), poll(2) and run_act() until run->over.
 *
 * Ownership   everything that a run holds is of the arena that it runs in (arena.h), machine and descriptors included:
 *             the end of the arena ends the machine.
 */
#ifndef QUIRE_RUN_H
#define QUIRE_RUN_H

#include "frozen.h"
#include "machine.h"
#include "sandbox.h"
#include "session.h"

#include <poll.h>

enum { ON_PROCESS = ON_COUNT, ON_MONITOR, RUN_COUNT };

enum run_state {
    RUN_NEW,
    RUN_PREPARED,               /* the archive is made                                */
    RUN_RUNS,
    RUN_ASKS,                   /* the kernel is dead; QEMU is asked for its registers */
    RUN_ENDS,                   /* the machine has closed the channel, and is about to end */
    RUN_OVER,
};

struct run {
    struct sandbox *sandbox;    /* what is run; its snapshot is written */
    enum run_state  state;
    int             status;     /* RUN_OVER: the exit status            */
    bool            escaped;    /* RUN_OVER: Ctrl-], twice              */
    unsigned        machines;   /* how many have been started: their descriptors may have the same numbers */
    struct quire_report *report;        /* RUN_OVER, of keep_report; or NULL; of the arena */
    char           *json;       /* the same as JSON                                   */

    /* Private. */
    int                 archive;
    struct held        *archive_held, *session_held, *machine_held, *frozen_held, *shared_held, *swap_held;
    bool                alone;          /* QEMU has refused to share the machine's RAM */
    struct frozen       frozen;
    struct machine_plan plan;
    unsigned            last_kind;
    char               *kernel;
    struct machine      machine;
    struct session     *session;
    struct answer      *answer;
    uint64_t            until_ms;       /* RUN_ASKS, RUN_ENDS: the end of patience */
};

/* Begin; the rest of *run is set here. */
void run_init(struct run *run, struct sandbox *sandbox);

/* Read the files that the guest will have, and make the archive. */
void run_prepare(struct run *run);

/* Start the machine; run_prepare() comes first, by itself if it was not called. */
void run_start(struct run *run);

/*
 * What to wait for: RUN_COUNT entries, those that are not needed with a descriptor of -1. Returns milliseconds for
 * poll(2), or -1 for ever.
 */
int run_fill(struct run *run, struct pollfd *on);
void run_act(struct run *run, const struct pollfd *on);

/* While the state is RUN_RUNS; else nothing. */
void run_kill(struct run *run);
void run_pause(struct run *run, bool pause);
void run_signal(struct run *run, int number, uint8_t whom);
void run_window(struct run *run, uint16_t columns, uint16_t rows);

#endif
