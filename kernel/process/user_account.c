/*
 * user_account.c - what all processes of one user have together.
 *
 *   U1  an account is in the list of its number's hash, once, as long as somebody holds it
 */
#include "process/user_account.h"

#include "base/check.h"
#include "base/lock.h"
#include "memory/heap/heap.h"

static struct lock          lock = LOCK("users", RANK_OBJECT);
static struct user_account *lists[USER_LISTS];      /* [lock] */

static struct user_account **list_of(uint32_t uid) { return &lists[uid % USER_LISTS]; }

static struct user_account *find(uint32_t uid)
{
    struct user_account *account = *list_of(uid);

    while (account != NULL && account->uid != uid)
        account = account->next;
    return account;
}

struct user_account *user_account_get(uint32_t uid)
{
    struct user_account *spare = heap_alloc(sizeof *spare, HEAP_ZERO), *account;
    lock_state           state = lock_take(&lock);

    account = find(uid);
    if (account == NULL && spare != NULL) {
        account       = spare;
        account->uid  = uid;
        account->next = *list_of(uid);
        *list_of(uid) = account;
        spare         = NULL;
    }
    if (account != NULL)
        account->references++;
    lock_drop(&lock, state);
    heap_free(spare);
    return account;
}

void user_account_hold(struct user_account *account)
{
    lock_state state = lock_take(&lock);

    account->references++;
    lock_drop(&lock, state);
}

/* The lock is held. Returns what is to be freed, or NULL. */
static struct user_account *let_go(struct user_account *account)
{
    struct user_account **at = list_of(account->uid);

    assert(account->references > 0);
    if (--account->references > 0)
        return NULL;
    assert(account->threads == 0 && account->signals == 0);
    while (*at != account)
        at = &(*at)->next;
    *at = account->next;
    return account;
}

void user_account_put(struct user_account *account)
{
    lock_state state;

    if (account == NULL)
        return;
    state   = lock_take(&lock);
    account = let_go(account);
    lock_drop(&lock, state);
    heap_free(account);
}

void user_account_threads(struct user_account *account, int more)
{
    lock_state state = lock_take(&lock);

    account->threads += (uint32_t)more;
    lock_drop(&lock, state);
}

bool user_account_queue(struct user_account *account, uint64_t most)
{
    lock_state state = lock_take(&lock);
    bool       room  = account->signals < most;

    if (room) {
        account->signals++;
        account->references++;
    }
    lock_drop(&lock, state);
    return room;
}

void user_account_unqueue(struct user_account *account)
{
    lock_state state = lock_take(&lock);

    account->signals--;
    account = let_go(account);
    lock_drop(&lock, state);
    heap_free(account);
}
