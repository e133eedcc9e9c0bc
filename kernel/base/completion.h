/*
 * completion.h - an event that happens once, and threads that wait for it: a page has been filled.
 *
 *     completion_wait(&done);          // any number of threads
 *     completion_happen(&done);        // one thread, or an interrupt, once
 *
 * Owning   the caller's, zeroed at first. Waiters stand in its queue, so it stays until the last has returned from
 *          completion_wait() and completion_happen() has returned.
 * Locking  completion_wait() may sleep, for as long as it takes: no spin lock and no lock of base/rwlock.h is held. No
 *          signal ends it. completion_happen() does not sleep and may be called with a spin lock below RANK_SCHEDULE
 *          held. What was written before the event is seen by those who have waited for it.
 * Cost     waiting for what has happened is one comparison; else a switch of threads.
 */
#ifndef QUIRE_BASE_COMPLETION_H
#define QUIRE_BASE_COMPLETION_H

#include "base/wait_queue.h"

struct completion {
    uint32_t          happened;         /* [a] */
    struct wait_queue waiting;          /* [RANK_SCHEDULE] */
};

static inline bool completion_happened(const struct completion *c)
{
    return __atomic_load_n(&c->happened, __ATOMIC_ACQUIRE) != 0;
}

/* Defined in a room above: process/sleep_lock.c, or arch/host/sleep.c where there are no threads. */
void completion_wait(struct completion *completion);
void completion_happen(struct completion *completion);

/*
 * Wait for so many nanoseconds at most; false: it has not happened. As this ends, locks of base/rwlock.h may be held.
 */
bool completion_wait_for(struct completion *completion, uint64_t nanoseconds);

/*
 * For what may become true more than once: wait until `is` says so, which is asked without a lock. Whoever may have
 * made it true calls condition_changed(). Locking as for completions.
 */
void condition_wait(struct wait_queue *queue, bool (*is)(void));
void condition_changed(struct wait_queue *queue);

#endif
