/*
 * futex.c - waiting for a word of a program's memory to change.
 *
 * Waiters are in lists chosen by a hash of their key, with one lock for all. A thread that will sleep looks at the word
 * and enters the list under one hold of the lock, and a wake takes it out under the lock, so no wake is missed between
 * look and sleep. A fault under the lock is not resolved (user.h): the word is read once before, which brings its page
 * in, and read again from the start where the page has gone before the lock is held.
 *
 *   Q1  each list is sound, and a waiter is in the list of its key; marks of wakes under way have none
 *   Q2  a waiter that has been woken is in no list
 */
#include "process/futex.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/spaces/region.h"
#include "memory/spaces/user.h"
#include "process/process.h"

enum { ROBUST_MAXIMUM = 2048 };
enum { WAITERS_AT_ONCE = 32 };          /* looked at under one hold of the lock, some 150 instructions each */
enum { FUTEX_WAITERS = 0x80000000, FUTEX_OWNER_DIED = 0x40000000, FUTEX_NUMBER = 0x3FFFFFFF };
enum { KIND_PRIVATE = 0, KIND_SPACE = 1, KIND_OBJECT = 2 };     /* in the lowest bits of a key's offset */

static struct lock lock = LOCK("futexes", RANK_FUTEX);
static struct list lists[FUTEX_LISTS];              /* [lock] in order of arrival; zeroed: not used yet */

struct list *futex_list(const struct futex_key *key)
{
    uint32_t     mixed = ((uint32_t)((uintptr_t)key->of >> 5) ^ (uint32_t)key->offset >> 2) * 0x9E3779B1u;
    struct list *list  = &lists[mixed >> 24];

    if (list->next == NULL)
        list_start(list);
    return list;
}
_Static_assert(FUTEX_LISTS == 1 << 8, "the highest 8 bits of the mixed key choose");

static bool is_same_key(const struct futex_key *a, const struct futex_key *b)
{
    return a->of == b->of && a->offset == b->offset;
}

/* The name of a word that other spaces may see. */
static int find_shared_key(struct space *space, vaddr_t at, struct futex_key *key)
{
    const struct region *region;
    uint32_t             word;
    int                  err = user_load_word(at, &word);       /* not there, or not for the program to read: -EFAULT */

    if (err != 0)
        return err;
    rwlock_read(&space->map_lock);
    region = region_find(&space->map, page_of(at));
    *key   = (struct futex_key){ space, at | KIND_SPACE };
    if (region != NULL && region->shared && region->object != NULL)
        *key = (struct futex_key){ region->object,
                             ((region->offset << PAGE_SHIFT) + (at - page_address(region->span.first))) | KIND_OBJECT };
    rwlock_read_drop(&space->map_lock);
    return region != NULL ? 0 : -EFAULT;
}

static int find_key(vaddr_t at, bool private, struct futex_key *key)
{
    struct space *space = &current_process()->memory->space;

    if (at % 4 != 0)
        return -EINVAL;
    if (!user_range(at, 4))
        return -EFAULT;
    if (!private)
        return find_shared_key(space, at, key);
    *key = (struct futex_key){ space, at | KIND_PRIVATE };
    return 0;
}

int futex_check(vaddr_t at, bool private)
{
    struct futex_key key;

    may_sleep();
    return find_key(at, private, &key);
}

/* ---- Lists. The lock is held. ------------------------------------------------------------- */

static void append_waiter(struct futex_waiter *waiter)
{
    deep_assert(lock_held(&lock));
    assert(!waiter->woken);
    list_insert(futex_list(&waiter->key), &waiter->link);
}

static void wake_waiter(struct futex_waiter *waiter)
{
    deep_assert(lock_held(&lock));
    assert(!waiter->woken);
    list_remove(&waiter->link);
    waiter->woken = true;
    wake_all(&waiter->queue);
}

/* What a look at the waiters of a word does with them, in their order: wake, then move. */
struct wake {
    const struct futex_key *from, *to;          /* to NULL: none moves */
    int32_t                 wake, move;         /* how many still */
    uint32_t                bits;
    int                     done;
};

/* Those that would move to where they are stay, and count. */
static void wake_or_move(struct wake *what, struct futex_waiter *waiter)
{
    if (!is_same_key(&waiter->key, what->from) || !(waiter->bits & what->bits))
        return;
    what->done++;
    if (what->wake > 0) {
        what->wake--;
        wake_waiter(waiter);
        return;
    }
    what->move--;
    if (is_same_key(what->from, what->to))
        return;
    list_remove(&waiter->link);
    waiter->key = *what->to;
    append_waiter(waiter);
}

/*
 * The waiters of a word wake up or move. After each WAITERS_AT_ONCE of the list the lock is dropped and taken again;
 * the current thread's own waiter, which is not waiting, marks the place meanwhile.
 */
static void look_at_waiters(struct wake *what, lock_state *state)
{
    struct list         *list  = futex_list(what->from);
    struct futex_waiter *mark  = &current_thread()->futex;
    unsigned             steps = 0;

    assert(lock_held(&lock) && what->wake >= 0 && what->move >= 0);
    mark->key = (struct futex_key){ .of = NULL };
    mark->woken = false;
    list_start(&mark->link);
    list_insert(list->next, &mark->link);
    while (mark->link.next != list && what->wake + what->move > 0) {    /* bound: rests */
        struct list *next = mark->link.next;

        list_remove(&mark->link);
        list_insert(next->next, &mark->link);
        wake_or_move(what, LIST_ITEM(next, struct futex_waiter, link));
        if (++steps % WAITERS_AT_ONCE == 0) {
            lock_drop(&lock, *state);
            *state = lock_take(&lock);
        }
    }
    list_remove(&mark->link);
}

static const char *broken_in_list(const struct list *list)
{
    struct list *at;

    if (!list_ok(list))
        return "Q1";
    LIST_EACH(at, list) {
        const struct futex_waiter *waiter = LIST_ITEM(at, struct futex_waiter, link);

        if (waiter->key.of != NULL && futex_list(&waiter->key) != list)         /* NULL: a mark */
            return "Q1";
        if (waiter->woken)
            return "Q2";
    }
    return NULL;
}

const char *futexes_broken(void)
{
    lock_state  state  = lock_take(&lock);
    const char *broken = NULL;

    /* bound: the threads of the machine: the auditor's alone */
    for (unsigned i = 0; i < FUTEX_LISTS && broken == NULL; i++)
        broken = lists[i].next != NULL ? broken_in_list(&lists[i]) : NULL;
    lock_drop(&lock, state);
    return broken;
}

/* ---- Calls ------------------------------------------------------------------------------------ */

/*
 * Take the lock with the word in sight: read first to bring its page in, and once more under the lock. Returns 0, or
 * -EFAULT: then the lock is not held.
 */
static int lock_and_load(vaddr_t at, uint32_t *word, lock_state *state)
{
    int err;

    while ((err = user_load_word(at, word)) == 0) {     /* bound: as often as the page goes at just this moment */
        *state = lock_take(&lock);
        if (user_load_word(at, word) == 0)
            break;
        lock_drop(&lock, *state);
    }
    return err;
}

static int enter_waiter(vaddr_t at, uint32_t expect, struct futex_waiter *waiter)
{
    lock_state state;
    uint32_t   word;
    int        err = lock_and_load(at, &word, &state);

    if (err != 0)
        return err;
    if (word != expect)
        err = -EAGAIN;
    else
        append_waiter(waiter);
    lock_drop(&lock, state);
    return err;
}

int futex_wait(vaddr_t at, bool private, uint32_t expect, uint64_t deadline, uint32_t bits)
{
    struct futex_waiter *waiter = &current_thread()->futex;
    lock_state           state;
    int                  err;

    may_sleep();
    if (bits == 0)
        return -EINVAL;
    *waiter = (struct futex_waiter){ .bits = bits };
    list_start(&waiter->link);
    err = find_key(at, private, &waiter->key);
    if (err == 0)
        err = enter_waiter(at, expect, waiter);
    if (err != 0)
        return err;
    state = lock_take(&lock);
    while (!waiter->woken && err == 0)          /* bound: sleeps in each step */
        err = wait_on(&waiter->queue, &lock, &state, deadline, WAIT_SIGNALS);
    if (waiter->woken)
        err = 0;
    list_remove(&waiter->link);
    lock_drop(&lock, state);
    return err;
}

int futex_wake(vaddr_t at, bool private, int32_t most, uint32_t bits)
{
    struct futex_key key;
    struct wake      what = { .from = &key, .wake = most > 0 ? most : 1, .bits = bits };
    lock_state       state;
    int              err = bits == 0 ? -EINVAL : find_key(at, private, &key);

    may_sleep();
    if (err != 0)
        return err;
    state = lock_take(&lock);
    if (!list_is_empty(futex_list(&key)))
        look_at_waiters(&what, &state);
    lock_drop(&lock, state);
    return what.done;
}

int futex_requeue(vaddr_t at, bool private, int32_t most, vaddr_t to, int32_t move, bool check, uint32_t expect)
{
    struct futex_key from_key, to_key;
    lock_state       state = 0;
    uint32_t         word  = expect;
    struct wake      what  = { .from = &from_key, .to = &to_key, .wake = most, .move = move,
                               .bits = (uint32_t)FUTEX_ALL_BITS };
    int              err   = most < 0 || move < 0 ? -EINVAL : find_key(at, private, &from_key);

    may_sleep();
    if (err == 0)
        err = find_key(to, private, &to_key);
    if (err == 0 && check)
        err = lock_and_load(at, &word, &state);
    if (err != 0)
        return err;
    if (!check)
        state = lock_take(&lock);
    if (word != expect)
        err = -EAGAIN;
    else
        look_at_waiters(&what, &state);
    lock_drop(&lock, state);
    return err != 0 ? err : what.done;
}

/* ---- Robust lists ------------------------------------------------------------------------------- */

static void mark_owner_dead(vaddr_t at, int32_t owner)
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

    assert(thread == current_thread());
    if (thread->robust_list == 0 || user_read(&head, thread->robust_list, sizeof head) != 0)
        return;
    entry = head.next;
    for (unsigned i = 0; i < ROBUST_MAXIMUM && (entry & ~1u) != thread->robust_list; i++) {
        uint32_t next;

        if (user_load_word(entry & ~1u, &next) != 0)
            break;
        if (entry != head.pending)
            mark_owner_dead((entry & ~1u) + (uint32_t)head.offset, thread->id);
        entry = next;
    }
    if (head.pending != 0)
        mark_owner_dead((head.pending & ~1u) + (uint32_t)head.offset, thread->id);
}
