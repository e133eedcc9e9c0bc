/*
 * signals.h - signals that we are sent, and what each means for the program.
 *
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and SIGCONT are passed on: from a terminal to the program's group,
 * from somebody's kill(2) to the program alone. A second SIGINT, SIGTERM or SIGHUP ends the machine at once, for a
 * program that does not end by itself. timeout(1) and others signal a process and then its group, so that we get the
 * same signal twice within microseconds: that is passed on to the program's group, as it would be here, and the machine
 * is ended some seconds later if the program has not ended.
 *
 * SIGTSTP stops us and the machine; SIGWINCH is about the window. While a debugger has the keyboard SIGINT is the
 * debugger's, and SIGTERM and SIGHUP end the machine at once.
 */
#ifndef QUIRE_SIGNALS_H
#define QUIRE_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

enum { SIGNALS_SAME_MS = 20, SIGNALS_GRACE_MS = 5000 };

enum signal_meaning {
    SIGNAL_FOR_PROGRAM, SIGNAL_FOR_GROUP,       /* pass it on                       */
    SIGNAL_TWICE,                               /* to the group; end after a grace  */
    SIGNAL_ENDS, SIGNAL_STOPS, SIGNAL_WINDOW, SIGNAL_NOTHING,
};

struct signals {
    int      fd;                /* readable when there is one */
    uint64_t first[32];         /* when each came first, in milliseconds; 0: not yet */
};

/* Block them, so that none is lost. Before there is anything that would have to be put away. */
void signals_prepare(void);

void signals_start(struct signals *signals);
void signals_end(struct signals *signals);

/* One that has come, at `now` milliseconds. */
enum signal_meaning signals_take(struct signals *signals, uint64_t now, bool debugging, int *number);

#endif
