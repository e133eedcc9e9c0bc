/*
 * user_account.c - the counts of all processes of one user together.
 *
 *   U1  an account is where its number leads to in the tree, as long as it has references
 *   U2  the threads of all accounts are as many as there are, those of ended processes that have not been waited for
 *       included
 */
#include "process/user_account.h"

#include "base/check.h"
#include "base/lock.h"
#include "memory/heap/heap.h"

static struct lock          lock = LOCK("users", RANK_OBJECT);
static struct user_account *root;                   /* [lock] */

/* Where the user's account is, or would be: from an account a number's next bit leads on, the lowest first. */
static struct user_account **place_of(uint32_t uid)
{
    struct user_account **at = &root;

    assert(lock_held(&lock));
    for (uint32_t bits = uid; *at != NULL && (*at)->uid != uid; bits >>= 1)     /* bound: USER_STEPS */
        at = &(*at)->below[bits & 1];
    return at;
}

/* A leaf from below takes its place: all that is below an account has the bits that lead to it. */
static void unlink_account(struct user_account *account)
{
    struct user_account **at = place_of(account->uid), **leaf = at, *taken;

    assert(*at == account);
    while ((*leaf)->below[0] != NULL || (*leaf)->below[1] != NULL)              /* bound: USER_STEPS */
        leaf = &(*leaf)->below[(*leaf)->below[0] == NULL];
    taken = *leaf;
    *leaf = NULL;
    if (taken != account) {
        taken->below[0] = account->below[0];
        taken->below[1] = account->below[1];
        *at = taken;
    }
}

/* One of several references goes. False: this may be the last, and nothing has changed. */
static bool drop_one_reference(struct user_account *account)
{
    uint32_t references = __atomic_load_n(&account->references, __ATOMIC_RELAXED);

    assert(references > 0);
    while (references > 1)
        if (__atomic_compare_exchange_n(&account->references, &references, references - 1, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

/* The one there is, with a reference, or NULL. */
static struct user_account *get_old_account(uint32_t uid)
{
    lock_state           state   = lock_take(&lock);
    struct user_account *account = *place_of(uid);

    if (account != NULL)
        user_account_hold(account);
    lock_drop(&lock, state);
    return account;
}

static struct user_account *get_new_account(uint32_t uid)
{
    struct user_account *spare = heap_alloc(sizeof *spare, HEAP_ZERO), **at, *account;
    lock_state           state;

    if (spare == NULL)
        return NULL;
    state = lock_take(&lock);
    at    = place_of(uid);
    if (*at == NULL) {                                  /* another may have made it meanwhile */
        spare->uid = uid;
        *at   = spare;
        spare = NULL;
    }
    account = *at;
    user_account_hold(account);
    lock_drop(&lock, state);
    heap_free(spare);
    return account;
}

struct user_account *user_account_get(uint32_t uid)
{
    struct user_account *account = get_old_account(uid);

    return account != NULL ? account : get_new_account(uid);
}

void user_account_hold(struct user_account *account) { __atomic_add_fetch(&account->references, 1, __ATOMIC_RELAXED); }

/* With the lock held no other thread finds the account, so the last reference stays the last. */
static void drop_last_reference(struct user_account *account)
{
    lock_state state = lock_take(&lock);
    bool       last  = __atomic_sub_fetch(&account->references, 1, __ATOMIC_ACQ_REL) == 0;

    if (last) {
        assert(account->threads == 0 && account->signals == 0 && account->in_flight == 0);
        unlink_account(account);
    }
    lock_drop(&lock, state);
    if (last)
        heap_free_sized(account, sizeof *account);
}

void user_account_put(struct user_account *account)
{
    if (account != NULL && !drop_one_reference(account))
        drop_last_reference(account);
}

void user_account_threads(struct user_account *account, int more)
{
    __atomic_add_fetch(&account->threads, (uint32_t)more, __ATOMIC_RELAXED);
}

bool user_account_queue(struct user_account *account, uint64_t most)
{
    if (__atomic_add_fetch(&account->signals, 1, __ATOMIC_RELAXED) > most) {
        __atomic_sub_fetch(&account->signals, 1, __ATOMIC_RELAXED);
        return false;
    }
    user_account_hold(account);
    return true;
}

void user_account_unqueue(struct user_account *account)
{
    assert(account->signals > 0);
    __atomic_sub_fetch(&account->signals, 1, __ATOMIC_RELAXED);
    user_account_put(account);
}

/* ---- The check ------------------------------------------------------------------------------ */

const char *user_accounts_broken(uint32_t threads)
{
    struct user_account *to_see[USER_STEPS + 1], *account;
    lock_state           state  = lock_take(&lock);
    const char          *broken = NULL;
    uint32_t             sum    = 0;
    unsigned             left   = 0;

    if (root != NULL)
        to_see[left++] = root;
    while (left > 0) {                                  /* bound: the users that have a process or a queued signal */
        account = to_see[--left];
        sum    += account->threads;
        if (*place_of(account->uid) != account || account->references == 0)
            broken = "U1";
        for (unsigned i = 0; i < 2 && left < COUNT_OF(to_see); i++)
            if (account->below[i] != NULL)
                to_see[left++] = account->below[i];
    }
    lock_drop(&lock, state);
    return broken != NULL || sum == threads ? broken : "U2";
}
