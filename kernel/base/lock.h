/*
 * lock.h - spin locks, and the one order in which they nest.
 *
 * Every shared structure names its lock; every lock names its rank. A CPU may take
 * a lock only if its rank is above all it holds: checked builds stop at the first
 * breach and name both locks. Taking a spin lock turns interrupts off, so interrupt
 * handlers may take any lock that is not held around something that sleeps.
 *
 * Order, outermost first; where a rank names several things, no CPU holds two of its locks at once:
 *   TERMINAL   a terminal: its settings, its line, its foreground group
 *   PROCESSES  the tree of processes, their states, groups and sessions
 *   SIGNALS    queues of signals; that SIGCONT takes a process out of a stop
 *   MAP        regions of kernel space (those of programs have locks that sleep: rwlock.h)
 *   FUTEX      lists of threads that wait for a word of memory
 *   OBJECT     a table of descriptors; paths that were not found;
 *              what all processes of one user have together; the names of machine and domain
 *   HEAP       kernel heap
 *   STACKS     the stacks window; the original of shared variables, while it is open (layouts/firmware/shared.c)
 *   TABLES     page tables of a process's space
 *   HOMES      places of processes' tables, where the layout gives them such: its window's, or its trackers'
 *   KERNEL     page tables of kernel space
 *   COMMIT     pages promised to programs
 *   SPACES     the list of all spaces, and the kernel part of their roots; the list of all objects
 *   ZERO       the shared frame of zeros
 *   SWAP       swap slots
 *   CHANNEL    pages and rings of the console port; input that the channel has brought
 *   POOL       frame bitmap and areas
 *   RANDOM     the generator of random numbers
 *   SCHEDULE   run queue, wait queues, those of mutexes too, phases of threads, the load
 *   ALARMS     what a process has asked of its timers
 *   TIMERS     armed timers, the clock
 *   PRINT      console output
 */
#ifndef QUIRE_BASE_LOCK_H
#define QUIRE_BASE_LOCK_H

#include "base/check.h"
#include "base/types.h"

enum lock_rank {
    RANK_TERMINAL = 1, RANK_PROCESSES, RANK_SIGNALS, RANK_MAP, RANK_FUTEX, RANK_OBJECT, RANK_HEAP, RANK_STACKS,
    RANK_TABLES,
    RANK_HOMES, RANK_KERNEL, RANK_COMMIT, RANK_SPACES, RANK_ZERO, RANK_SWAP, RANK_CHANNEL, RANK_POOL, RANK_RANDOM,
    RANK_SCHEDULE, RANK_ALARMS, RANK_TIMERS, RANK_PRINT,
    RANK_COUNT
};

struct lock {
    const char    *name;
    uint8_t        rank;
    volatile uint8_t held;          /* [a] 1 while some CPU is inside          */
    uint16_t       holder;          /* [a] its number, LOCK_NOBODY while none is, or is about to write it */
};

enum { LOCK_NOBODY = UINT16_MAX };
#define LOCK(name, rank) { (name), (rank), 0, LOCK_NOBODY }

/* Interrupt state to give back to lock_drop(). */
typedef unsigned long lock_state;

lock_state lock_take(struct lock *lock) MUST_CHECK;
void       lock_drop(struct lock *lock, lock_state state);
bool       lock_held(const struct lock *lock);          /* by this CPU */

/*
 * may_sleep() begins every function whose contract says that it may sleep, whether it does so this time or not: a
 * checked build stops when this CPU holds a spin lock, which is named, or has interrupts off. may_sleep_dropping() is
 * for a function that drops a lock while it sleeps: that lock alone is held, and was taken with interrupts on.
 *
 * Two relatives. may_give_way() begins what hands the CPU to others that are ready, and comes back with interrupts as
 * they were, on or off. may_fault() begins what reaches a program's memory: a fault there takes the lock of the space's
 * map (rwlock.h) and may end in the choice of a process to kill; so it may sleep, and no such lock is held.
 */
#if IS_CHECKED
#define may_give_way()                  check_may_give_way(__func__)
#define may_sleep()                     check_may_sleep(__func__, NULL, 0)
#define may_sleep_dropping(lock, state) check_may_sleep(__func__, lock, state)
#define may_fault()                     check_may_fault(__func__)
#else
#define may_give_way()                  ((void)0)
#define may_sleep()                     ((void)0)
#define may_sleep_dropping(lock, state) ((void)0)
#define may_fault()                     ((void)0)
#endif
void check_may_sleep(const char *function, const struct lock *dropped, lock_state state);
void check_may_give_way(const char *function);
void check_may_fault(const char *function);
/* Where it is set, in a checked kernel: called in may_sleep() and may_fault(), which have found nothing wrong. */
extern void (*sleep_watcher)(void);

/* The machine is going down: from now on no lock is waited for or found wrongly held, and each counts as held. */
void locks_ignore(void);

#endif
