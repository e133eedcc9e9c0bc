/*
 * numbers.h - the numbers of processes, threads, groups and sessions: which are in use, and for what.
 *
 * One number may be a process's, its first thread's, a group's and a session's at the same time. It stays in use until
 * the last of them is gone, so a group keeps its number when its leader has been waited for.
 *
 * Owning   a number lies in the process or the thread it was taken for (process.h). The memory of a process that is
 *          gone stays as long as its number is in use.
 * Locking  process_lock is held by all callers.
 * Cost     finding and giving back: a list of at most 32; taking: at most 70 words of the set besides; number_next():
 *          at most 34 words, and finding it. numbers_broken() walks all.
 *
 *   N1  a number is in the set of those in use if and only if its struct is in the table
 *   N2  uses counts the process, the thread, and the members of group and session; it is never 0 in the table
 *   N3  the process, thread and members that a number names have that number
 */
#ifndef QUIRE_PROCESS_NUMBERS_H
#define QUIRE_PROCESS_NUMBERS_H

#include "base/list.h"
#include "base/types.h"

struct process;
struct thread;

enum { NUMBERS = 32768 };                   /* pid_max; 1 to NUMBERS - 1 are given */

struct number {
    int32_t         value;
    uint32_t        uses;
    struct number  *next;                   /* in its list of the table      */
    struct process *process;                /* NULL: no process's            */
    struct thread  *thread;                 /* NULL: no thread's             */
    struct list     group;                  /* of struct process, group_link */
    uint64_t        to_send;                /* signals that all of the group are still to be sent (group.c) */
    int             sending;                /* the one that members are being sent now; 0: none */
    struct list    *next_to_send;           /* to whom next */
    struct list     send_link;              /* among the numbers that are not done */
    struct list     session;                /* of struct process, session_link */
    /* called after its last use, to free the memory it lies in; NULL: not called */
    void          (*unused)(struct number *number);
};

/* NULL when it is not in use. */
struct number *number_find(int32_t value);
/* The lowest in use at or above `from`; NULL when there is none. */
struct number *number_next(int32_t from);

/*
 * The next free number above the one given last (again from 2 on after the highest), with one use, which is the
 * caller's. The memory must stay until the last use has ended. Returns 0, or -EAGAIN when all are in use: nothing is
 * changed.
 */
int  number_take(struct number *number) MUST_CHECK;
/* Number 1, for the first process. -EAGAIN when it is in use. */
int  number_take_first(struct number *number) MUST_CHECK;
static inline void number_hold(struct number *number) { number->uses++; }
void number_drop(struct number *number);

int32_t number_last(void);                  /* given last */

/* The first invariant that does not hold; NULL when all do. */
const char *numbers_broken(void);
static inline bool numbers_ok(void) { return numbers_broken() == NULL; }

#endif
