/*
 * futex.c - waiting for a word of a program's memory to change.
 *
 * Waiters hang in a few lists chosen by a hash of their key, each with a lock. The word is looked at with
 * the list's lock held after it has been faulted in, so a wake between look and sleep is not missed.
 */
#include "process/futex.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/spaces/region.h"
#include "memory/spaces/user.h"
#include "process/process.h"

enum { LISTS = 64, ROBUST_MAXIMUM = 2048 };
enum { FUTEX_WAITERS = 0x80000000, FUTEX_OWNER_DIED = 0x40000000, FUTEX_NUMBER = 0x3FFFFFFF };

static struct lock          lock = LOCK("futexes", RANK_FUTEX);
static struct futex_waiter *lists[LISTS];           /* [lock] in order of arrival */

static struct futex_waiter **list_of(const struct futex_key *key)
{
    return &lists[((uintptr_t)key->of / 64 + (uint32_t)key->offset / 4) % LISTS];
}

static bool same(const struct futex_key *a, const struct futex_key *b) { return a->of == b->of && a->offset == b->offset; }

static int find_key(vaddr_t at, struct futex_key *key)
{
    struct space        *space = &current_process()->memory->space;
    const struct region *region;
    lock_state           state;

    if (at % 4 != 0)
        return -EINVAL;
    if (!user_range(at, 4))
        return -EFAULT;
    state  = lock_take(&space->map_lock);
    region = region_find(&space->map, page_of(at));
    *key   = (struct futex_key){ space, at };
    if (region != NULL && region->shared && region->object != NULL)
        *key = (struct futex_key){ region->object,
                             (region->offset << PAGE_SHIFT) + (at - page_address(region->span.first)) };
    lock_drop(&space->map_lock, state);
    return region != NULL ? 0 : -EFAULT;
}

/* ---- Lists. The lock is held. ------------------------------------------------------------- */

static void append(struct futex_waiter *waiter)
{
    struct futex_waiter **at = list_of(&waiter->key);

    while (*at != NULL)
        at = &(*at)->next;
    waiter->next = NULL;
    *at = waiter;
}

static void take_out(struct futex_waiter *waiter)
{
    struct futex_waiter **at = list_of(&waiter->key);

    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
}

static uint32_t wake(const struct futex_key *key, uint32_t most, uint32_t bits)
{
    struct futex_waiter **at   = list_of(key);
    uint32_t              done = 0;

    while (*at != NULL && done < most) {
        struct futex_waiter *waiter = *at;

        if (!same(&waiter->key, key) || !(waiter->bits & bits)) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->woken = true;
        wake_all(&waiter->queue);
        done++;
    }
    return done;
}

/* ---- Calls ------------------------------------------------------------------------------------ */

/*
 * With a lock held a fault could not be mended, so the word is read first to bring its page in and
 * once more under the lock; nothing takes a page away in between on one CPU.
 */
static int enter(vaddr_t at, uint32_t expect, struct futex_waiter *waiter)
{
    lock_state state;
    uint32_t   word;
    int        err = user_load_word(at, &word);

    if (err != 0)
        return err;
    state = lock_take(&lock);
    err   = user_load_word(at, &word);
    if (err == 0 && word != expect)
        err = -EAGAIN;
    if (err == 0)
        append(waiter);
    lock_drop(&lock, state);
    return err;
}

int futex_wait(vaddr_t at, uint32_t expect, uint64_t deadline, uint32_t bits)
{
    struct futex_waiter *waiter = &current_thread()->futex;
    lock_state           state;
    int                  err;

    if (bits == 0)
        return -EINVAL;
    *waiter = (struct futex_waiter){ .bits = bits };
    err = find_key(at, &waiter->key);
    if (err == 0)
        err = enter(at, expect, waiter);
    if (err != 0)
        return err;
    state = lock_take(&lock);
    while (!waiter->woken && err == 0)
        err = wait_on(&waiter->queue, &lock, &state, deadline, WAIT_SIGNALS);
    if (waiter->woken)
        err = 0;
    else
        take_out(waiter);
    lock_drop(&lock, state);
    return err == -EINTR ? -ERESTARTSYS : err;
}

int futex_wake(vaddr_t at, uint32_t most, uint32_t bits)
{
    struct futex_key key;
    lock_state state;
    uint32_t   done;
    int        err = bits == 0 ? -EINVAL : find_key(at, &key);

    if (err != 0)
        return err;
    state = lock_take(&lock);
    done  = wake(&key, most, bits);
    lock_drop(&lock, state);
    return (int)done;
}

static uint32_t move_waiters(const struct futex_key *from, const struct futex_key *to, uint32_t most)
{
    struct futex_waiter **at   = list_of(from);
    uint32_t              done = 0;

    while (*at != NULL && done < most) {
        struct futex_waiter *waiter = *at;

        if (!same(&waiter->key, from)) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->key = *to;
        append(waiter);
        done++;
        if (list_of(from) == list_of(to) && *at == waiter)
            break;
    }
    return done;
}

int futex_requeue(vaddr_t at, uint32_t most, vaddr_t to, uint32_t move, bool check, uint32_t expect)
{
    struct futex_key from_key, to_key;
    lock_state state;
    uint32_t   word = expect, done = 0;
    int        err = find_key(at, &from_key);

    if (err == 0)
        err = find_key(to, &to_key);
    if (err == 0 && check)
        err = user_load_word(at, &word);
    if (err != 0)
        return err;
    state = lock_take(&lock);
    if (check && (err = user_load_word(at, &word)) == 0 && word != expect)
        err = -EAGAIN;
    if (err == 0) {
        done  = wake(&from_key, most, (uint32_t)FUTEX_ALL_BITS);
        done += same(&from_key, &to_key) ? 0 : move_waiters(&from_key, &to_key, move);
    }
    lock_drop(&lock, state);
    return err != 0 ? err : (int)done;
}

/* ---- Robust lists ------------------------------------------------------------------------------- */

static void mark_dead(vaddr_t at, int32_t owner)
{
    uint32_t word, seen;

    if (at % 4 != 0 || user_load_word(at, &word) != 0)
        return;
    while ((word & FUTEX_NUMBER) == (uint32_t)owner) {
        if (user_exchange_word(at, word, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen) != 0)
            return;
        if (seen == word) {
            if (word & FUTEX_WAITERS)
                futex_wake_at(at, 1);
            return;
        }
        word = seen;
    }
}

void futex_robust_exit(struct thread *thread)
{
    struct { uint32_t next; int32_t offset; uint32_t pending; } head;
    uint32_t entry;

    if (thread->robust_list == 0 || user_read(&head, thread->robust_list, sizeof head) != 0)
        return;
    entry = head.next;
    for (unsigned i = 0; i < ROBUST_MAXIMUM && (entry & ~1u) != thread->robust_list; i++) {
        uint32_t next;

        if (user_load_word(entry & ~1u, &next) != 0)
            break;
        if (entry != head.pending)
            mark_dead((entry & ~1u) + (uint32_t)head.offset, thread->id);
        entry = next;
    }
    if (head.pending != 0)
        mark_dead((head.pending & ~1u) + (uint32_t)head.offset, thread->id);
}
