/*
 * lock.h - record locks: fcntl()'s, by process or by open file, and flock()'s.
 *
 * A lock covers bytes [first, last] of a node and belongs to an owner: a descriptor table (POSIX locks), an
 * open file (OFD locks), or an open file in flock()'s own world. Locks of different owners conflict when they
 * overlap and one of them is exclusive; an owner's own are replaced, split and joined.
 *
 * Locking  node->lock inside. Waiting sleeps on node->ready, and a signal ends it (-ERESTARTSYS).
 * Limits   no search for deadlocks (Linux: -EDEADLK): those who wait in a circle wait until a signal.
 */
#ifndef QUIRE_FILES_LOCK_H
#define QUIRE_FILES_LOCK_H

#include "files/file.h"

enum lock_kind { LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_NONE };
enum lock_world { LOCKS_OF_RECORDS, LOCKS_OF_FLOCK };

struct lock_request {
    const void     *owner;
    enum lock_world world;
    enum lock_kind  kind;
    uint64_t        first, last;        /* last: UINT64_MAX for the end, wherever it will be */
    int32_t         process;            /* as F_GETLK reports it; -1 for OFD locks           */
};

/* Set, change or (LOCK_NONE) drop. Returns 0; -EAGAIN when another's is in the way and `wait` is not set; -ENOLCK. */
int  lock_set(struct node *node, const struct lock_request *request, bool wait) MUST_CHECK;
/* The first lock of another owner that conflicts; false if there is none. */
bool lock_find(struct node *node, const struct lock_request *request, struct lock_request *out);

void locks_drop_owner(struct node *node, const void *owner);    /* at each close of a process; cheap when there is none */
void locks_drop_file(struct file *file);                        /* an open file ends                */

#endif
