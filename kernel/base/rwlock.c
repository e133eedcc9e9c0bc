/*
 * rwlock.c - locks that sleep: the usual case, where no thread has to wait, and the check of their order.
 *
 * The other case, to sleep and to be woken, is the scheduler's (process/schedule.c). The two share `state`: it is
 * changed by single atomic steps, and once RWLOCK_WAITED is set, only the scheduler lets threads in.
 */
#include "base/rwlock.h"

#include "base/lock.h"
#include "base/print.h"

enum { BUSY = RWLOCK_WRITER | RWLOCK_WAITED };

static uint32_t state_of(const struct rwlock *lock) { return __atomic_load_n(&lock->state, __ATOMIC_RELAXED); }

/* ---- The locks that a thread holds, in checked builds ------------------------------------------------------------ */

static NORETURN __attribute__((noinline)) void stop_about(const char *format, const char *lock, const char *other)
{
    char why[128];

    format_text(why, sizeof why, format, lock, other);
    stop(__FILE__, __LINE__, why);
}

static bool is_mine(const struct rwlock *lock)
{
    const struct rwlocks_held *mine = rwlocks_held();

    for (unsigned i = 0; i < mine->count; i++)
        if (mine->locks[i] == lock)
            return true;
    return false;
}

static void check_order(const struct rwlock *lock)
{
    const struct rwlocks_held *mine = rwlocks_held();
    const struct rwlock       *last = mine->count > 0 ? mine->locks[mine->count - 1] : NULL;

    if (is_mine(lock))
        stop_about("lock %s taken twice by the same thread%s", lock->name, "");
    if (last != NULL && last->rank >= lock->rank)
        stop_about("lock %s taken while %s is held, against their order", lock->name, last->name);
}

static void note_taken(const struct rwlock *lock)
{
    struct rwlocks_held *mine = rwlocks_held();

    assert(mine->count < RWLOCK_RANKS);
    mine->locks[mine->count++] = lock;
}

/* At most RWLOCK_RANKS steps. */
static void note_dropped(const struct rwlock *lock)
{
    struct rwlocks_held *mine = rwlocks_held();
    unsigned             i    = 0;

    if (!is_mine(lock))
        stop_about("lock %s dropped by a thread that does not hold it%s", lock->name, "");
    while (mine->locks[i] != lock)
        i++;
    for (mine->count--; i < mine->count; i++)
        mine->locks[i] = mine->locks[i + 1];
}

bool rwlock_held(const struct rwlock *lock)
{
    return (state_of(lock) & ~RWLOCK_WAITED) != 0 && (!IS_CHECKED || is_mine(lock));
}

bool rwlock_held_to_write(const struct rwlock *lock)
{
    return (state_of(lock) & RWLOCK_WRITER) != 0 && (!IS_CHECKED || is_mine(lock));
}

bool rwlock_none_held(void) { return !IS_CHECKED || rwlocks_held()->count == 0; }

bool rwlock_ok(const struct rwlock *lock)
{
    uint32_t state = state_of(lock), readers = state & ~(uint32_t)BUSY;

    if ((state & RWLOCK_WRITER) && readers != 0)                                                    /* L1 */
        return false;
    return ((state & RWLOCK_WAITED) != 0) == (lock->waiting.first != NULL);                         /* L2 */
}

/* ---- Taking and dropping -------------------------------------------------------------------------- */

void rwlock_read_slowly(struct rwlock *lock)
{
    uint32_t state = state_of(lock);

    may_sleep();
    if (IS_CHECKED)
        check_order(lock);
    if ((state & BUSY) || !rwlock_change(lock, state, state + 1))
        rwlock_wait(lock, false);
    if (IS_CHECKED)
        note_taken(lock);
}

/* In ordinary builds the caller has dropped the lock already. */
void rwlock_read_drop_slowly(struct rwlock *lock)
{
    if (IS_CHECKED) {
        note_dropped(lock);
        if (__atomic_sub_fetch(&lock->state, 1, __ATOMIC_RELEASE) != RWLOCK_WAITED)
            return;
    }
    rwlock_pass_on(lock);
}

void rwlock_write(struct rwlock *lock)
{
    may_sleep();
    if (IS_CHECKED)
        check_order(lock);
    if (!rwlock_change(lock, 0, RWLOCK_WRITER))
        rwlock_wait(lock, true);
    if (IS_CHECKED)
        note_taken(lock);
}

void rwlock_write_drop(struct rwlock *lock)
{
    if (IS_CHECKED)
        note_dropped(lock);
    if (__atomic_sub_fetch(&lock->state, RWLOCK_WRITER, __ATOMIC_RELEASE) == RWLOCK_WAITED)
        rwlock_pass_on(lock);
}

bool rwlock_become_writer(struct rwlock *lock)
{
    deep_assert(rwlock_held(lock) && !rwlock_held_to_write(lock));
    return rwlock_change(lock, 1, RWLOCK_WRITER);
}
