/*
 * turns.h - what schedule.c lends to wait.c and sleep_lock.c: its lock, the run queue, the switch of threads.
 *
 * All of it is called with schedule_lock held.
 */
#ifndef QUIRE_PROCESS_TURNS_H
#define QUIRE_PROCESS_TURNS_H

#include "process/process.h"

extern struct lock schedule_lock;

/* The thread is ready: for its turn, behind all that are. */
void turn_append(struct thread *thread);
/* The same before its turn, for a thread that was woken for a lock (schedule.c). */
void turn_lead(struct thread *thread);

/* The current thread waits, and others run, until it is made ready. The lock may be dropped for a moment besides. */
void turn_wait(lock_state *state);

/* wait.c: links of a list, for those who wait for a lock. The waiter is in a list, or in none. */
void list_link_waiter(struct waiter *waiter, struct waiter_list *list, struct waiter what);
void list_unlink_waiter(struct waiter *waiter);

#endif
