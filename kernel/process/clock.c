/*
 * clock.c - the time, and the timers that fire at a time.
 *
 * Armed timers are a heap by due time (timer_heap.h). Each tick looks at the first timer; between ticks the port's
 * counter tells how much of the current tick has passed, so clock_now() is finer than a tick.
 *
 * However many timers are due, an interrupt fires TIMERS_AT_ONCE of them. The others fire as soon as the kernel is
 * about to return to a program or to sleep, in portions between which interrupts are let in: a program with ten
 * thousand timers pays with its own time. A timer fires at most once a tick.
 */
#include "arch/contract.h"
#include "base/check.h"
#include "base/lock.h"
#include "cpu.h"
#include "memory/heap/stack.h"
#include "process/schedule.h"

static struct lock   lock = LOCK("timers", RANK_TIMERS);
static struct timer *first;                 /* [lock] the root of a heap by due time       */
static uint64_t      latest;                /* [lock] the greatest that clock_now() returned */
static uint64_t      wall_at_start;         /* [c] nanoseconds since 1970 at boot          */

/* Few enough for an interrupt, a few thousand instructions; many enough that usually no due timer is left. */
enum { TIMERS_AT_ONCE = 32 };

volatile bool clock_is_behind;              /* [interrupts off] timers were due at the last tick   */

static uint64_t last_tick;                  /* [interrupts off] clock_now() at the last tick */

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

void timer_arm(struct timer *timer, uint64_t due)
{
    lock_state state = lock_take(&lock);

    assert(timer->fire != NULL);
    assert(!stack_holds(timer));                /* the timer may fire while another process runs */
    if (timer->armed)
        timer_heap_take(&first, timer);
    timer->due = due;
    timer_heap_put(&first, timer);
    lock_drop(&lock, state);
}

void timer_disarm(struct timer *timer)
{
    lock_state state = lock_take(&lock);

    if (timer->armed)
        timer_heap_take(&first, timer);
    lock_drop(&lock, state);
}

static struct timer *take_due_timer(uint64_t at)
{
    lock_state    state = lock_take(&lock);
    struct timer *timer = first;

    if (timer != NULL && timer->due <= at)
        timer_heap_take(&first, timer);
    else
        timer = NULL;
    lock_drop(&lock, state);
    return timer;
}

/*
 * Fire at most TIMERS_AT_ONCE timers that are due, outside the lock. A timer that arms itself again does so for a
 * moment after `at`, and fires with a later tick.
 */
static void fire_due_timers(uint64_t at)
{
    for (unsigned fired = 0; fired < TIMERS_AT_ONCE; fired++) {
        struct timer *timer = take_due_timer(at);

        if (timer == NULL) {
            clock_is_behind = false;
            return;
        }
        timer->fire(timer);
    }
    clock_is_behind = true;                     /* perhaps: looking once more costs nothing */
}

void clock_catch_up(void)
{
    while (clock_is_behind) {
        fire_due_timers(last_tick);
        interrupts_let_in();
    }
}

static void handle_tick(void)
{
    last_tick = clock_now();
    fire_due_timers(last_tick);
    schedule_tick();
}

void clock_start(void)
{
    wall_at_start = clock_read_wall();
    clock_tick(handle_tick);
}

const char *timers_broken(void)
{
    lock_state  state  = lock_take(&lock);
    const char *broken = timer_heap_broken(first);

    lock_drop(&lock, state);
    return broken;
}
