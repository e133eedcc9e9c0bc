/*
 * poll_wait.h - waiting until one of several files is ready: what poll and select are made of. Sets that are kept are
 * in epoll.h.
 *
 * Owning   the caller has the array, which is not on a kernel stack: the waiters are in it (process/schedule.h).
 * Locking  the polls of the files take their mutexes, so the caller holds no lock. May sleep.
 * Cost     O(files), once or twice at first and again for each wake, with points of rest after each 256 of them.
 */
#ifndef QUIRE_FILES_POLL_WAIT_H
#define QUIRE_FILES_POLL_WAIT_H

#include "files/core/file.h"

struct poll_wait {
    struct file  *file;             /* a reference of the caller's; NULL: never ready, `got` stays as it is */
    unsigned      wanted, got;      /* POLL_*; `got` also has POLL_ERR and POLL_HUP unasked     */
    bool          linked;           /* false at first                                           */
    struct waiter waiter;
};

/*
 * Look at all; when none is ready wait until one is, the deadline (clock_now() terms, NEVER; 0: do not wait) passes,
 * or a signal comes. Returns how many are ready, 0 at the deadline, or -ERESTARTNOHAND when none is at the signal.
 */
long poll_wait(struct poll_wait *files, size_t count, uint64_t deadline);

/*
 * A program may ask for very many files in one call: behind each row of POLLED_A_ROW of them others may run. For who
 * goes over them, with `i` the number of the one at hand. May sleep.
 */
void poll_rest(size_t i);

#endif
