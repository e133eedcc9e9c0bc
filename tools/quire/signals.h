/*
 * signals.h - signals that quire gets, and what each means for the program.
 *
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and SIGCONT are passed on: from a terminal to the program's group,
 * from a kill(2) to the program alone. A second SIGINT, SIGTERM or SIGHUP ends the machine at once, for a
 * program that does not end by itself. timeout(1) and others signal a process and then its group, so that quire gets
 * the same signal twice within microseconds: it is passed on to the program's group, as without quire, and the machine
 * is ended some seconds later if the program has not ended.
 *
 * A signal that is ignored when quire is started, as by nohup(1) or a shell's `&`, is ignored to the end.
 *
 * SIGTSTP stops quire and the machine; SIGWINCH reports the window's size. While a debugger has the keyboard SIGINT is
 * the debugger's, and SIGTERM and SIGHUP end the machine at once.
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
    int      fd;                /* readable when a signal has come */
    uint64_t first[32];         /* when each signal first came, in milliseconds; 0: not yet */
};

/* Block the signals that are not ignored, so that none is lost. Called before there is anything to clean up. */
void signals_prepare(void);

void signals_start(struct signals *signals);
void signals_end(struct signals *signals);

/* Take a signal that has come, at `now` milliseconds. */
enum signal_meaning signals_take(struct signals *signals, uint64_t now, bool debugging, int *number);

/*
 * Wait until a descriptor takes bytes. From signals_start() to signals_end() a signal that asks for the end is obeyed
 * at once, and others that come meanwhile are lost.
 */
void signals_wait_for_room(int fd);

/* Die by a signal. It returns only if that is impossible. */
void signals_die(int number);

#endif
