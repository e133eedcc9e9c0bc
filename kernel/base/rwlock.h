/*
 * rwlock.h - locks that sleep, for what takes long: many readers, or one writer. And the points of rest of what is done
 * under them.
 *
 * A thread that finds the lock taken sleeps; meanwhile other threads run and interrupts come, so the holder may take
 * long. A spin lock (lock.h) inside is held for one batch of the work at a time; between two batches lies a *point of
 * rest*, where no change is half done: a thread that runs there finds every structure sound. What the lock guards may
 * change while a thread waits for the lock, so a thread that has waited looks at it again.
 *
 * Order    a thread takes one only if its rank is above all that it holds, spin locks only inside, a mutex
 *          (process/schedule.h) only outside. It touches no program's memory while it holds one, as a fault takes the
 *          map's. Checked builds keep the list of those that each thread holds, and stop at the first breach.
 *   BREAK   a program's break: the number and the region agree
 *   MAP     the regions of a program's space
 *   CODER   the working memory in which pages are packed and unpacked
 *   OBJECT  the pages of a file or of shared memory, and the regions that map them
 * Fairness the thread that drops the lock wakes the first that waits, and may take the lock again before that one
 *          runs; but a waiter that was woken in vain once is given the lock at the next drop. A reader does not join
 *          other readers while the first that waits is a writer, and a first waiter that others have overtaken 16
 *          times is not overtaken again.
 * Cost     where no thread has to wait, one atomic step to take and one to drop. Waiting: a switch of threads.
 *
 * Invariants (rwlock_ok, and audits of what has one):
 *   L1  a writer is alone: no reader is counted beside it
 *   L2  RWLOCK_WAITED is set if and only if the queue has a waiter
 */
#ifndef QUIRE_BASE_RWLOCK_H
#define QUIRE_BASE_RWLOCK_H

#include "base/check.h"
#include "base/types.h"

/* Those who wait for a lock or an event: process/schedule.h. */
struct waiter_list {
    struct waiter *first, *last;        /* [RANK_SCHEDULE]                                        */
};

enum rwlock_rank { RWLOCK_BREAK = 1, RWLOCK_MAP, RWLOCK_CODER, RWLOCK_OBJECT, RWLOCK_RANKS };

struct rwlock {
    const char        *name;
    uint32_t           rank;
    uint32_t           state;           /* [a] readers inside, and the two bits below             */
    struct waiter_list waiting;         /* [RANK_SCHEDULE] in the order of their turns            */
};

#define RWLOCK_WRITER 0x80000000u       /* a writer is inside                                     */
#define RWLOCK_WAITED 0x40000000u       /* the queue has a waiter: takers ask the scheduler, the last holder wakes */
#define RWLOCK(name, rank) { (name), (rank), 0, { NULL, NULL } }

/*
 * Taking may sleep; checked builds assert the order. Dropping does not sleep: it may be done with a spin lock of a rank
 * below RANK_SCHEDULE held, and in any order. The thread that took the lock drops it.
 */
void rwlock_write(struct rwlock *lock);
void rwlock_write_drop(struct rwlock *lock);
static inline void rwlock_read(struct rwlock *lock);
static inline void rwlock_read_drop(struct rwlock *lock);

/* The caller is a reader. True: it was the only one, no thread waits, and it is the writer. Else nothing changed. */
bool rwlock_become_writer(struct rwlock *lock);

/* For assertions: the lock is held, or held by a writer; in checked builds, by the current thread. */
bool rwlock_held(const struct rwlock *lock);
bool rwlock_held_to_write(const struct rwlock *lock);
/* The current thread holds no such lock. Always true in builds that are not checked: these keep no lists. */
bool rwlock_none_held(void);

bool rwlock_ok(const struct rwlock *lock);

/* ---- Defined in a room above: process/sleep_lock.c, schedule.c; arch/host/sleep.c without threads -------------- */

/*
 * A point of rest, with no spin lock held and interrupts on; locks of this header may be held. Other threads run if the
 * caller's turn is over; false: none has run. May sleep. The console's thread does not give way here: always false.
 * Cost: a few instructions, unless the turn is over.
 */
bool point_of_rest(void);

/* The lock could not be taken at once: wait for it; the caller holds it on return. May sleep. */
void rwlock_wait(struct rwlock *rwlock, bool write);
/* Threads wait, and the last reader, or the writer, has dropped the lock: wake the first, or give the lock to it. */
void rwlock_pass_on(struct rwlock *rwlock);

/* The current thread's list, in the order in which it took them. Only checked builds use it. */
struct rwlocks_held {
    unsigned             count;
    const struct rwlock *locks[IS_CHECKED ? RWLOCK_RANKS : 1];
};
struct rwlocks_held *rwlocks_held(void);

/* ---- In line: each page fault is a reader ---------------------------------------------------------------- */

void rwlock_read_slowly(struct rwlock *lock);
void rwlock_read_drop_slowly(struct rwlock *lock);

/* Acquire and release: the thread that has the lock sees what was written under it before. */
static inline bool rwlock_change(struct rwlock *lock, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&lock->state, &from, to, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void rwlock_read(struct rwlock *lock)
{
    uint32_t state = __atomic_load_n(&lock->state, __ATOMIC_RELAXED);

    if (IS_CHECKED || (state & (RWLOCK_WRITER | RWLOCK_WAITED)) || !rwlock_change(lock, state, state + 1))
        rwlock_read_slowly(lock);
}

static inline void rwlock_read_drop(struct rwlock *lock)
{
    if (IS_CHECKED || __atomic_sub_fetch(&lock->state, 1, __ATOMIC_RELEASE) == RWLOCK_WAITED)
        rwlock_read_drop_slowly(lock);
}

#endif
