/*
 * sleep.c - locks that sleep, for a test with one thread, which never waits.
 *
 * Weak: a test with threads (tests/host/process_world.h) has the functions of the kernel's scheduler instead.
 */
#include "machine.h"

#include <stddef.h>

#include "base/check.h"
#include "base/completion.h"
#include "base/rwlock.h"
#include "memory/pageout/hand.h"
#include "process/signal.h"

#define WEAK __attribute__((weak))

static void (*at_rest)(void);
static _Thread_local struct rwlocks_held mine;

WEAK struct rwlocks_held *rwlocks_held(void) { return &mine; }

void machine_at_rest(void (*act)(void)) { at_rest = act; }

WEAK bool point_of_rest(void)
{
    if (at_rest != NULL)
        at_rest();
    return at_rest != NULL;
}

WEAK bool signal_kills(const struct thread *thread)
{
    (void)thread;
    return false;
}

WEAK bool make_room(size_t want)
{
    (void)want;
    return false;
}

WEAK void swap_leaves_frames(void) {}

WEAK bool caller_is_ending(void) { return false; }

WEAK void rwlock_wait(struct rwlock *rwlock, bool write)
{
    (void)write;
    stop(__FILE__, __LINE__, rwlock->name);
}

WEAK void completion_wait(struct completion *completion)
{
    if (!completion_happened(completion))
        stop(__FILE__, __LINE__, "a page that another thread fills");
}

WEAK bool completion_wait_for(struct completion *completion, uint64_t nanoseconds)
{
    (void)nanoseconds;
    return completion_happened(completion);
}

WEAK void condition_wait(struct wait_queue *queue, bool (*is)(void))
{
    (void)queue;
    if (!is())
        stop(__FILE__, __LINE__, "what another thread does");
}

WEAK void condition_changed(struct wait_queue *queue) { (void)queue; }

WEAK void completion_happen(struct completion *completion)
{
    __atomic_store_n(&completion->happened, 1, __ATOMIC_RELEASE);
}

WEAK void rwlock_pass_on(struct rwlock *rwlock) { stop(__FILE__, __LINE__, rwlock->name); }
