/*
 * futex.h - waiting for a word of a program's memory to change.
 *
 * A futex is named by the space and the address of its word; in memory that is shared between spaces, by the object
 * and the offset in it, so that processes that map it at different places meet.
 *
 * Source   Linux man-pages, futex(2), get_robust_list(2).
 */
#ifndef QUIRE_PROCESS_FUTEX_H
#define QUIRE_PROCESS_FUTEX_H

#include "base/types.h"
#include "process/schedule.h"

struct thread;

struct futex_key {
    const void *of;                     /* a space or an object */
    uint64_t    offset;
};

/* A thread's place in a list of waiters: each thread has one, as those who wake follow it (schedule.h, struct waiter). */
struct futex_waiter {
    struct futex_waiter *next;
    struct futex_key     key;
    uint32_t             bits;
    bool                 woken;
    struct wait_queue    queue;
};

enum { FUTEX_ALL_BITS = -1 };

/* Sleep while the word is `expect`. Returns 0, -EAGAIN, -EFAULT, -ETIMEDOUT, -ERESTARTSYS. */
int futex_wait(vaddr_t at, uint32_t expect, uint64_t deadline, uint32_t bits);
/* Returns how many were woken, at most `most`. */
int futex_wake(vaddr_t at, uint32_t most, uint32_t bits);
static inline int futex_wake_at(vaddr_t at, uint32_t most) { return futex_wake(at, most, (uint32_t)FUTEX_ALL_BITS); }
/* Wake some, let others wait for another word instead. `check`: only while the word is *expect. */
int futex_requeue(vaddr_t at, uint32_t wake, vaddr_t to, uint32_t move, bool check, uint32_t expect);

/* A thread ends: locks it still holds are marked and their waiters woken. */
void futex_robust_exit(struct thread *thread);

#endif
