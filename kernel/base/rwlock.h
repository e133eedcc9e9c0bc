/*
 * rwlock.h - locks that sleep, for what takes long: many readers, or one writer. And the points of rest of what is done
 * under them.
 *
 * Who finds the lock taken sleeps; meanwhile others run, interrupts come, and so a holder may take his time. A spin
 * lock (lock.h) inside is held for one batch of the work at a time; between two batches lies a *point of rest*, where
 * nothing is half done: whoever runs there finds every structure sound. Memory that a program shows may change while a
 * thread waits for one of these, so whoever wakes after waiting looks again.
 *
 * Order    a thread takes one only if its rank is above all that it holds, spin locks only inside, a mutex
 *          (process/schedule.h) only outside. It touches no program's memory while it holds one, as a fault takes the
 *          map's. Checked builds keep the list of those that each thread holds, and stop at the first breach.
 *   BREAK   a program's break: the number and the region agree
 *   MAP     the regions of a program's space
 *   OBJECT  the pages of a file or of shared memory, and who maps them
 * Fairness who drops the lock wakes the first that waits, and may take it again before that one runs; but who was woken
 *          in vain once has it at the next drop. A reader does not join others while a writer is the next.
 * Cost     where nobody is in the way, one atomic step to take and one to drop. Waiting: a switch of threads.
 *
 * Invariants (rwlock_ok, and audits of what has one):
 *   L1  a writer is alone: no reader is counted with him
 *   L2  WAITED is set if and only if somebody stands in the queue
 */
#ifndef QUIRE_BASE_RWLOCK_H
#define QUIRE_BASE_RWLOCK_H

#include "base/check.h"
#include "base/types.h"

/* The threads that wait for something, or what is called in their place: process/schedule.h. */
struct wait_queue {
    struct waiter *first, *last;        /* [RANK_SCHEDULE]                                        */
};

enum rwlock_rank { RWLOCK_BREAK = 1, RWLOCK_MAP, RWLOCK_OBJECT, RWLOCK_RANKS };

struct rwlock {
    const char       *name;
    uint32_t          rank;
    uint32_t          state;            /* [a] readers inside, and the two bits below             */
    struct wait_queue waiting;          /* [RANK_SCHEDULE] in the order of their turns            */
};

#define RWLOCK_WRITER 0x80000000u       /* a writer is inside                                     */
#define RWLOCK_WAITED 0x40000000u       /* somebody waits: who comes stands in the queue, who goes looks at it */
#define RWLOCK(name, rank) { (name), (rank), 0, { NULL, NULL } }

/* Both may sleep. */
void rwlock_write(struct rwlock *lock);
void rwlock_write_drop(struct rwlock *lock);
static inline void rwlock_read(struct rwlock *lock);
static inline void rwlock_read_drop(struct rwlock *lock);

/* The only reader becomes the writer, if nobody waits: true. Else nothing has changed. */
bool rwlock_become_writer(struct rwlock *lock);

/* For the assertions of those who trust their caller: somebody holds it, or a writer does; in checked builds, we. */
bool rwlock_held(const struct rwlock *lock);
bool rwlock_held_to_write(const struct rwlock *lock);
/* The current thread holds none. True in builds that do not keep lists. */
bool rwlock_none_held(void);

bool rwlock_ok(const struct rwlock *lock);

/* ---- What a floor above answers: process/schedule.c; arch/host/sleep.c where there are no threads ------------ */

/*
 * A point of rest: no spin lock is held, and interrupts are on. Others run if it is their turn; false: nobody has. May
 * sleep. Cost: a few instructions, unless the turn is over.
 */
bool point_of_rest(void);

/* The lock was not to be had: wait for it, and have it. */
void rwlock_wait(struct rwlock *rwlock, bool write);
/* Somebody waits, and the last reader, or the writer, has gone: the next has it, or may try. */
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

/* Acquire and release: who has the lock sees what was written under it before. */
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
