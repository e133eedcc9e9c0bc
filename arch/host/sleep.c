/*
 * sleep.c - locks that sleep, where nobody else is there to wait for: one thread of a test.
 *
 * Weak: where a test has threads (tests/host/process_world.h), those of the kernel's scheduler are in their place.
 */
#include "machine.h"

#include <stddef.h>

#include "base/check.h"
#include "base/rwlock.h"

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

WEAK void rwlock_wait(struct rwlock *rwlock, bool write)
{
    (void)write;
    stop(__FILE__, __LINE__, rwlock->name);
}

WEAK void rwlock_pass_on(struct rwlock *rwlock) { stop(__FILE__, __LINE__, rwlock->name); }
