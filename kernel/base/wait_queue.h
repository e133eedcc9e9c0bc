/*
 * wait_queue.h - who waits for an event. process/schedule.h has the calls, process/wait.c the invariants.
 */
#ifndef QUIRE_BASE_WAIT_QUEUE_H
#define QUIRE_BASE_WAIT_QUEUE_H

#include "base/list.h"
#include "base/rwlock.h"

/* Those who wait for an event, and how far it has been told to them; all zeros: nobody waits. */
struct wait_queue {
    struct waiter_list waiters;
    struct waiter     *next_to_wake;    /* [RANK_SCHEDULE] of a wake that is not done; NULL: there is none */
    struct list        being_woken;     /* [RANK_SCHEDULE] in the list of such queues; zeros: not in it */
    unsigned           bits;            /* [RANK_SCHEDULE] the reasons of that wake               */
    bool               taken, wakes_one;        /* [RANK_SCHEDULE] an exclusive waiter took it; wake_one() */
};

#endif
