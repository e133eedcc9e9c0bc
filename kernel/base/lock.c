/*
 * lock.c - spin locks whose order is checked while they run.
 *
 * Each CPU keeps the list of locks it holds, so that lock_held() is exact and a breach of the
 * order names both locks. The list belongs to one CPU and is touched with interrupts
 * off, so it needs no lock of its own.
 */
#include "base/lock.h"
#include "base/check.h"
#include "base/print.h"
#include "cpu.h"

/* Ascending ranks: a CPU cannot hold more locks than there are ranks. */
static struct { unsigned count; struct lock *locks[RANK_COUNT]; } held_by[MAX_CPUS];

static bool ignored;            /* the machine is going down: see locks_ignore() */

void locks_ignore(void)
{
    ignored = true;
}

static NORETURN void stop_about(const char *format, const char *lock, const char *other)
{
    char why[128];

    format_text(why, sizeof why, format, lock, other);
    stop(__FILE__, __LINE__, why);
}

lock_state lock_take(struct lock *lock)
{
    lock_state state = interrupts_off();
    unsigned   cpu = cpu_number(), count = held_by[cpu].count;

    if (ignored)
        return state;
    if (count > 0) {
        const struct lock *last = held_by[cpu].locks[count - 1];

        if (last == lock)
            stop_about("lock %s taken twice by the same CPU%s", lock->name, "");
        if (IS_CHECKED && last->rank >= lock->rank)
            stop_about("lock %s taken while %s is held, against their order", lock->name, last->name);
        if (count == RANK_COUNT)
            stop_about("lock %s: more locks held than there are ranks, the last %s", lock->name, last->name);
    }
    /* Acquire: what the last holder wrote is seen by us. */
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
        cpu_relax();
    lock->holder = (uint16_t)cpu;
    held_by[cpu].locks[count] = lock;
    held_by[cpu].count = count + 1;
    return state;
}

void lock_drop(struct lock *lock, lock_state state)
{
    unsigned cpu = cpu_number(), i = held_by[cpu].count;

    if (!ignored) {
        while (i > 0 && held_by[cpu].locks[i - 1] != lock)
            i--;
        if (i == 0)
            stop_about("lock %s dropped by a CPU that does not hold it%s", lock->name, "");
        for (; i < held_by[cpu].count; i++)
            held_by[cpu].locks[i - 1] = held_by[cpu].locks[i];
        held_by[cpu].count--;
        /* Release: all that we wrote is seen before the lock looks free. */
        __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
    }
    interrupts_restore(state);
}

bool lock_held(const struct lock *lock)
{
    return ignored || (__atomic_load_n(&lock->held, __ATOMIC_RELAXED) && lock->holder == cpu_number());
}
