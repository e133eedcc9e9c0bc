/*
 * user_account.h - the counts of all processes of one user together, for RLIMIT_NPROC and RLIMIT_SIGPENDING, and
 * of files in messages.
 *
 * Owning   credentials hold the account of their real user, a queued signal that of the user it was sent to, open files
 *          in a message that of the sender.
 * Locking  counts are atomic [a], or under sockets_lock (files/ipc/socket_node.h) [s]; a spin lock (RANK_OBJECT) inside
 *          guards the tree [l]. Callable from interrupts.
 * Cost     finding one by the user's number, and dropping its last reference, take at most USER_STEPS, whichever users
 *          there are.
 * Source   Linux man-pages, getrlimit(2).
 */
#ifndef QUIRE_PROCESS_USER_ACCOUNT_H
#define QUIRE_PROCESS_USER_ACCOUNT_H

#include "base/types.h"

enum { USER_STEPS = 33 };               /* a number's bits, and the root */

struct user_account {
    uint32_t             uid;               /* [c]                                 */
    uint32_t             references;        /* [a] of all that is counted          */
    uint32_t             threads;           /* [a] that act by such credentials    */
    uint32_t             signals;           /* [a] queued                          */
    uint32_t             in_flight;         /* [s] files in messages               */
    struct user_account *below[2];          /* [l]                                 */
};

/* A user's account, with a reference; NULL without memory. */
struct user_account *user_account_get(uint32_t uid);
void user_account_hold(struct user_account *account);
void user_account_put(struct user_account *account);            /* NULL: nothing happens */

void user_account_threads(struct user_account *account, int more);

/* One more queued signal, with a reference, unless there are `most`. */
bool user_account_queue(struct user_account *account, uint64_t most);
void user_account_unqueue(struct user_account *account);        /* drops that reference */

/* The first of U1 and U2 (user_account.c) that does not hold; NULL when both do. `threads`: as many as there are. */
const char *user_accounts_broken(uint32_t threads);

#endif
