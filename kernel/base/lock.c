/*
 * lock.c - spin locks; checked builds check their order while they run.
 *
 * A lock knows its holder, so a CPU that takes a lock twice, or drops one it does not hold, is found in every build.
 * Checked builds keep the list of locks that each CPU holds as well, so that a breach of the order names both locks.
 * The list belongs to one CPU and is touched with interrupts off, so it needs no lock of its own. It costs as much as
 * the rest of taking and dropping a lock, which is why releases do without it.
 */
#include "base/lock.h"
#include "base/check.h"
#include "base/print.h"
#include "base/rwlock.h"
#include "cpu.h"

static bool ignored;            /* the machine is going down: see locks_ignore() */

void locks_ignore(void)
{
    ignored = true;
}

/* Not in line: its text would be in the frame of each caller. */
static NORETURN __attribute__((noinline)) void stop_about(const char *format, const char *lock, const char *other)
{
    char why[128];

    format_text(why, sizeof why, format, lock, other);
    stop(__FILE__, __LINE__, why);
}

/* ---- The order, in checked builds ---------------------------------------------------------------- */

/* Ascending ranks: a CPU cannot hold more locks than there are ranks. */
static struct { unsigned count; struct lock *locks[RANK_COUNT]; } held_by[IS_CHECKED ? MAX_CPUS : 1];

static void check_order(const struct lock *lock, unsigned cpu)
{
    unsigned           count = held_by[cpu].count;
    const struct lock *last  = count > 0 ? held_by[cpu].locks[count - 1] : NULL;

    if (last != NULL && last->rank >= lock->rank)
        stop_about("lock %s taken while %s is held, against their order", lock->name, last->name);
    if (count == RANK_COUNT)
        stop_about("lock %s: more locks held than there are ranks, the last %s", lock->name, last->name);
}

static void note_taken(struct lock *lock, unsigned cpu)
{
    held_by[cpu].locks[held_by[cpu].count++] = lock;
}

/* The lock that is dropped is mostly the last one taken. At most RANK_COUNT steps. */
static void note_dropped(const struct lock *lock, unsigned cpu)
{
    unsigned i = held_by[cpu].count;

    while (i > 0 && held_by[cpu].locks[i - 1] != lock)
        i--;
    assert(i > 0);
    for (; i < held_by[cpu].count; i++)
        held_by[cpu].locks[i - 1] = held_by[cpu].locks[i];
    held_by[cpu].count--;
}

#if IS_CHECKED

/*
 * The innermost lock that this CPU holds, but for one that it is about to drop. Interrupts are off: the answer stays
 * true.
 */
static const struct lock *innermost(unsigned cpu, const struct lock *dropped)
{
    for (unsigned i = held_by[cpu].count; i > 0; i--)
        if (held_by[cpu].locks[i - 1] != dropped)
            return held_by[cpu].locks[i - 1];
    return NULL;
}

static void check_no_lock(const char *function, const struct lock *dropped, const char *format)
{
    lock_state         state = interrupts_off();
    const struct lock *held  = innermost(cpu_number(), dropped);

    interrupts_restore(state);
    if (held != NULL && !ignored)
        stop_about(format, function, held->name);
}

void (*sleep_watcher)(void);

void check_may_sleep(const char *function, const struct lock *dropped, lock_state state)
{
    check_no_lock(function, dropped, "%s() may sleep, and is called with lock %s held");
    if (dropped == NULL) {
        state = interrupts_off();
        interrupts_restore(state);
    }
    if (!interrupts_were_on(state) && !ignored)
        stop_about("%s() may sleep, and is called with interrupts off%s", function, "");
    if (dropped == NULL && sleep_watcher != NULL)
        sleep_watcher();
}

void check_may_give_way(const char *function)
{
    check_no_lock(function, NULL, "%s() may give the CPU away, and is called with lock %s held");
}

void check_may_fault(const char *function)
{
    check_may_sleep(function, NULL, 0);
    if (!rwlock_none_held() && !ignored)
        stop_about("%s() may meet a page fault, and is called with the lock of a map or an object held%s", function,
                   "");
}

#endif

/* ---- Taking and dropping -------------------------------------------------------------------------- */

/* Exact without a lock: only this CPU ever writes its own number there, and it takes it out before it lets go. */
static bool is_mine(const struct lock *lock, unsigned cpu)
{
    return __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == cpu;
}

static lock_state note_holder(struct lock *lock, unsigned cpu, lock_state state)
{
    __atomic_store_n(&lock->holder, (uint16_t)cpu, __ATOMIC_RELAXED);
    if (IS_CHECKED)
        note_taken(lock, cpu);
    return state;
}

/* The lock was not free: this CPU holds it, or another one does, which will drop it. */
static lock_state __attribute__((noinline)) take_slowly(struct lock *lock, lock_state state)
{
    unsigned cpu = cpu_number();

    if (is_mine(lock, cpu) && !ignored)
        stop_about("lock %s taken twice by the same CPU%s", lock->name, "");
    do {                                /* bound: as long as another CPU holds it */
        if (ignored)
            return state;
        cpu_relax();
    } while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE));
    return note_holder(lock, cpu, state);
}

/* What is rare is called last in both, with all that is left to do: so the usual case saves no register. */
lock_state lock_take(struct lock *lock)
{
    lock_state state = interrupts_off();

    if (IS_CHECKED && ignored)
        return state;                   /* other builds look only at a lock that is not free */
    if (IS_CHECKED && !is_mine(lock, cpu_number()))
        check_order(lock, cpu_number());
    /* Acquire: what the last holder wrote is seen by us. */
    if (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
        return take_slowly(lock, state);
    return note_holder(lock, cpu_number(), state);
}

static void __attribute__((noinline)) drop_of_another(const struct lock *lock, lock_state state)
{
    if (!ignored)
        stop_about("lock %s dropped by a CPU that does not hold it%s", lock->name, "");
    interrupts_restore(state);
}

void lock_drop(struct lock *lock, lock_state state)
{
    unsigned cpu = cpu_number();

    if (!is_mine(lock, cpu)) {
        drop_of_another(lock, state);
        return;
    }
    if (IS_CHECKED)
        note_dropped(lock, cpu);
    __atomic_store_n(&lock->holder, (uint16_t)LOCK_NOBODY, __ATOMIC_RELAXED);
    /* Release: all that we wrote is seen before the lock looks free. */
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
    interrupts_restore(state);
}

bool lock_held(const struct lock *lock)
{
    return ignored || is_mine(lock, cpu_number());
}
