/*
 * clock.c - time, and what is to happen at a time.
 *
 * Armed timers are a list by due time. The tick looks at its head; between ticks the port's counter
 * tells how far the current tick has come, so clock_now() is finer than a tick.
 */
#include "base/check.h"
#include "base/lock.h"
#include "clock.h"
#include "memory/heap/stack.h"
#include "process/schedule.h"

static struct lock   lock = LOCK("timers", RANK_TIMERS);
static struct timer *first;                 /* [lock] by due time                          */
static uint64_t      latest;                /* [lock] what clock_now() has said at most    */
static uint64_t      wall_at_start;         /* [c] nanoseconds since 1970 at boot          */

uint64_t clock_now(void)
{
    lock_state state = lock_take(&lock);
    uint64_t   now   = clock_counter();

    if (now < latest)                       /* a tick is due but has not been counted yet */
        now = latest;
    latest = now;
    lock_drop(&lock, state);
    return now;
}

uint64_t clock_wall(void)            { return wall_at_start + clock_now(); }
void     clock_set_wall(uint64_t ns) { wall_at_start = ns - clock_now(); }

static void remove(struct timer *timer)
{
    if (timer->previous != NULL)
        timer->previous->next = timer->next;
    else
        first = timer->next;
    if (timer->next != NULL)
        timer->next->previous = timer->previous;
    timer->next = timer->previous = NULL;
    timer->armed = false;
}

void timer_arm(struct timer *timer, uint64_t due)
{
    lock_state    state = lock_take(&lock);
    struct timer *before = NULL, *after;

    assert(!stack_holds(timer));                /* it may fire while another process runs */
    if (timer->armed)
        remove(timer);
    for (after = first; after != NULL && after->due <= due; after = after->next)
        before = after;
    timer->due      = due;
    timer->armed    = true;
    timer->previous = before;
    timer->next     = after;
    if (before != NULL)
        before->next = timer;
    else
        first = timer;
    if (after != NULL)
        after->previous = timer;
    lock_drop(&lock, state);
}

void timer_disarm(struct timer *timer)
{
    lock_state state = lock_take(&lock);

    if (timer->armed)
        remove(timer);
    lock_drop(&lock, state);
}

/* Fire outside the lock: what fires may arm again. */
static void fire_due(uint64_t now)
{
    for (;;) {
        lock_state    state = lock_take(&lock);
        struct timer *timer = first;

        if (timer == NULL || timer->due > now) {
            lock_drop(&lock, state);
            return;
        }
        remove(timer);
        lock_drop(&lock, state);
        timer->fire(timer);
    }
}

static void tick(void)
{
    fire_due(clock_now());
    schedule_tick();
}

void clock_start(void)
{
    wall_at_start = clock_read_wall();
    clock_tick(tick);
}
