/*
 * futex.h - waiting for a word of a program's memory to change.
 *
 * A futex is named by the space and the address of its word; in memory that is shared between spaces, by the object
 * and the offset in it, so that processes that map it at different addresses meet. With FUTEX_PRIVATE_FLAG the name is
 * the address alone: it costs no look at the map, is good for any address, and differs from the name without the flag.
 *
 * Locking  RANK_FUTEX inside, one lock for all lists. All but futex_wake() of a private word reach the word, which may
 *          fault: no spin lock is held. A wake and a requeue drop the lock for a moment after each 32 waiters that they
 *          have looked at: waiters that come meanwhile may be woken or moved as well.
 * Cost     a wake and a requeue look at the waiters of the words with the same hash, FUTEX_LISTS lists for all; a wait
 *          at none.
 * Source   Linux man-pages, futex(2), get_robust_list(2).
 */
#ifndef QUIRE_PROCESS_FUTEX_H
#define QUIRE_PROCESS_FUTEX_H

#include "base/list.h"
#include "base/types.h"
#include "process/schedule.h"

struct thread;

enum { FUTEX_LISTS = 256 };

struct futex_key {
    const void *of;                     /* a space or an object                            */
    uint64_t    offset;                 /* of the word; the lowest bits say which kind it is */
};

/*
 * A thread's link in a list of waiters. Each thread has one, as other threads follow it (schedule.h, struct waiter).
 * A thread that wakes or moves others, and so does not wait itself, marks its place in their list with it.
 */
struct futex_waiter {
    struct list          link;
    struct futex_key     key;
    uint32_t             bits;
    bool                 woken;
    struct wait_queue    queue;
};

enum { FUTEX_ALL_BITS = -1 };

/*
 * `private`: FUTEX_PRIVATE_FLAG. All return -EINVAL for an address that is not a multiple of 4, -EFAULT for an address
 * that is no program's.
 */

/*
 * Sleep while the word is `expect`, at most until clock_now() is `deadline`. Returns 0 when woken; -EAGAIN when the
 * word is another; -EFAULT, -ETIMEDOUT, -EINTR; -EINVAL without bits.
 */
int futex_wait(vaddr_t at, bool private, uint32_t expect, uint64_t deadline, uint32_t bits);
/* Returns how many were woken: at most `most`, and one if that is 0 or less, as under Linux. */
int futex_wake(vaddr_t at, bool private, int32_t most, uint32_t bits);
static inline int futex_wake_at(vaddr_t at, int32_t most)
{
    return futex_wake(at, false, most, (uint32_t)FUTEX_ALL_BITS);
}

/*
 * Wake at most `most` waiters, and let at most `move` others wait for the word at `to` instead. `check`: only while the
 * word at `at` is `expect`, else -EAGAIN. Returns how many were woken or moved; -EINVAL for numbers below 0; -EFAULT.
 */
int futex_requeue(vaddr_t at, bool private, int32_t most, vaddr_t to, int32_t move, bool check, uint32_t expect);
/* Whether a word can be named: 0 or the error, for calls that change another word first. */
int futex_check(vaddr_t at, bool private) MUST_CHECK;

/* The list in which waiters of a key are. The first of Q1 and Q2 (futex.c) that does not hold; NULL when both do. */
struct list *futex_list(const struct futex_key *key);
const char  *futexes_broken(void);

/* The current thread ends: locks that it still holds, of 2048 at most, are marked, and a waiter of each is woken. */
void futex_robust_exit(struct thread *thread);

#endif
