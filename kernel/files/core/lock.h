/*
 * lock.h - record locks: fcntl()'s, by process or by open file, and flock()'s.
 *
 * A lock covers bytes [first, last] of a node and belongs to an owner: a descriptor table (POSIX locks), an
 * open file (OFD locks), or an open file in flock()'s own world. Locks of different owners conflict when they
 * overlap and one of them is exclusive; an owner's own are replaced, split and joined. flock() changes a lock's kind by
 * dropping it first, as Linux does: a request that is refused leaves its owner without one.
 *
 * A node has a list of its owners in order of their arrival, each with a tree of its locks by position. A request that
 * must wait waits for one owner whose lock is in the way. Waiting requests are also in a list of all: a POSIX request
 * that would close a circle of owners that wait for each other is refused, if at most 64 requests wait on the way.
 * Another list has all owners, to be told.
 *
 * Locking  one mutex for all locks. Waiting sleeps on a queue of the owner in the way, without it, and a signal ends
 *          it.
 * Cost     O(owners of the node + log locks of each), and for a shared request the shared locks in its way; looking for
 *          a circle: O(waiting requests) for each of those on the way. The end of many locks has points of rest.
 * Errors   -EAGAIN, -EDEADLK, -ENOLCK (no memory, and no room could be made), -ERESTARTSYS. On error nothing has
 *          changed, but for flock().
 * Source   fcntl(2), flock(2); Linux, fs/locks.c for the order of answers.
 *
 * Invariants (locks_ok):
 *   L1  the locks of an owner are in order, disjoint, and not empty; neighbours of one kind are one lock
 *   L2  no two owners of one world have locks that conflict
 *   L3  an owner has locks, or requests wait for it
 */
#ifndef QUIRE_FILES_LOCK_H
#define QUIRE_FILES_LOCK_H

#include "files/core/file.h"

enum lock_kind { LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_NONE };
enum lock_world { LOCKS_OF_RECORDS, LOCKS_OF_FLOCK };

struct lock_request {
    const void     *owner;
    enum lock_world world;
    enum lock_kind  kind;
    uint64_t        first, last;        /* last: UINT64_MAX for the end, wherever it will be */
    int32_t         process;            /* who asked, as F_GETLK reports it; -1 for OFD locks */
};

/*
 * Set, change or (LOCK_NONE) drop a lock. Returns 0; when another owner's is in the way -EAGAIN without `wait`, else
 * -EDEADLK, or -ERESTARTSYS after a signal; -ENOLCK.
 */
int  lock_set(struct node *node, const struct lock_request *request, bool wait) MUST_CHECK;
/* The first lock in the way: of the owner that came first, the one furthest to the front; false if there is none. */
bool lock_find(struct node *node, const struct lock_request *request, struct lock_request *out);

void locks_drop_owner(struct node *node, const void *owner);  /* at each close of a process; cheap when there is none */
void locks_drop_file(struct file *file);                        /* an open file ends                */

/*
 * All locks there are, and after those of an owner the requests that wait for it: `number` counts the locks from 1, and
 * a request has that of the lock in its way. Visits may allocate; they call nothing of this file.
 */
typedef void (*lock_visit)(uint32_t number, const struct node *node, const struct lock_request *lock, bool waits,
                           void *data);
void locks_each(lock_visit visit, void *data);

bool locks_ok(struct node *node);

#endif
