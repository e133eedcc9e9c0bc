/*
 * user_account.c - the counts of all processes of one user together.
 *
 *   U1  an account is in the list of its number's hash, once, as long as it has references
 *   U2  the threads of all accounts are as many as there are, those of ended processes that have not been waited for
 *       included
 */
#include "process/user_account.h"

#include "base/check.h"
#include "base/lock.h"
#include "memory/heap/heap.h"

static struct lock          lock = LOCK("users", RANK_OBJECT);
static struct user_account *lists[USER_LISTS];      /* [lock] */

static struct user_account **list_of(uint32_t uid) { return &lists[uid % USER_LISTS]; }

static struct user_account *find_account(uint32_t uid)
{
    struct user_account *account = *list_of(uid);

    assert(lock_held(&lock));
    while (account != NULL && account->uid != uid)      /* bound: the users that have a process or a queued signal */
        account = account->next;
    return account;
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
    struct user_account *account = find_account(uid);

    if (account != NULL)
        user_account_hold(account);
    lock_drop(&lock, state);
    return account;
}

static struct user_account *get_new_account(uint32_t uid)
{
    struct user_account *spare = heap_alloc(sizeof *spare, HEAP_ZERO), *account;
    lock_state           state;

    if (spare == NULL)
        return NULL;
    state   = lock_take(&lock);
    account = find_account(uid);                        /* another may have made it meanwhile */
    if (account == NULL) {
        account       = spare;
        account->uid  = uid;
        account->next = *list_of(uid);
        *list_of(uid) = account;
        spare         = NULL;
    }
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
    lock_state            state = lock_take(&lock);
    struct user_account **at    = list_of(account->uid);
    bool                  last  = __atomic_sub_fetch(&account->references, 1, __ATOMIC_ACQ_REL) == 0;

    if (last) {
        assert(account->threads == 0 && account->signals == 0);
        while (*at != account)                  /* bound: the same */
            at = &(*at)->next;
        *at = account->next;
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

static bool is_once_in_list(const struct user_account *account, uint32_t list)
{
    const struct user_account *next = account->next;

    while (next != NULL && next->uid != account->uid)
        next = next->next;
    return next == NULL && account->uid % USER_LISTS == list && account->references > 0;
}

const char *user_accounts_broken(uint32_t threads)
{
    lock_state  state  = lock_take(&lock);
    const char *broken = NULL;
    uint32_t    sum    = 0;

    /* bound: the users that have a process or a queued signal, of each list squared */
    for (uint32_t i = 0; i < USER_LISTS; i++)
        for (const struct user_account *account = lists[i]; account != NULL; account = account->next) {
            sum += account->threads;
            if (!is_once_in_list(account, i))
                broken = "U1";
        }
    lock_drop(&lock, state);
    return broken != NULL || sum == threads ? broken : "U2";
}
