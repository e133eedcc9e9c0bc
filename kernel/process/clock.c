/*
 * clock.c - the time, and the timers that fire at a time.
 *
 * Armed timers are a heap by due time (timer_heap.h); the port's one alarm is set for the first of them. It is moved
 * only to an earlier moment: a timer that has been disarmed meanwhile leaves an alarm at which no timer is due, which
 * costs less than moving the alarm each time that a wait with a limit ends early.
 *
 * However many timers are due, an interrupt fires TIMERS_AT_ONCE of them. The others have their turn as soon as the
 * kernel is about to return to a program or to sleep, in portions between which interrupts are let in: a program with
 * ten thousand timers pays with its own time. And between two interrupts for timers lies PAUSE, however many there are
 * and however short their intervals.
 */
#include "arch/contract.h"
#include "base/check.h"
#include "base/lock.h"
#include "base/vdso_data.h"
#include "cpu.h"
#include "memory/heap/stack.h"
#include "memory/spaces/space.h"
#include "memory/tables/slot.h"
#include "process/schedule.h"

static struct lock   lock = LOCK("timers", RANK_TIMERS);
static struct timer *first;                 /* [lock] the root of a heap by due time       */
static uint64_t      alarm_at = NEVER;      /* [lock] what the alarm is set to             */
static uint64_t      last_ring;             /* [interrupts off] when it rang last          */
static uint64_t      wall_at_start;         /* nanoseconds since 1970 at clock_begin(); clock_set_wall() */
static struct rate   line;                  /* [interrupts off] of clock_counter(); the factor is 0 before it runs */
static frame_t       shown_in = { UINT32_MAX };     /* [interrupts off] the page that programs read, if there is one */

/*
 * A timer that sends a signal takes a thousand instructions, twice as many in a checked kernel: so many at once keep
 * interrupts off for a few thousand, and usually none is left. The pause leaves most of the processor's time to others,
 * and is well below what a sleep may be late.
 */
enum { TIMERS_AT_ONCE = 4, PAUSE = 20000 };

/*
 * A processor that has halted is back some time after its alarm: a few microseconds, or a tenth of a millisecond where
 * an emulator's host has to wake as well. So much earlier the idle thread has the alarm ring, and looks at the clock
 * for the rest. Delays of a busy host are cut (LEAD_MOST), and an eighth of a short sleep is enough.
 */
enum { LEAD_MOST = 150000, LEAD_PART = 8, LEAD_WEIGHT = 8 };
static uint64_t lead;                       /* [interrupts off] nanoseconds, as seen lately                    */
static bool     is_halted;                  /* [interrupts off] the idle thread is in cpu_wait()               */

volatile bool clock_is_behind;              /* [interrupts off] timers that are due may be left over */

uint64_t clock_now(void) { return clock_counter(); }

uint64_t clock_wall(void) { return wall_at_start + clock_now(); }

/* Interrupts are off: no program reads the page meanwhile, and none has read it since what is shown changed. */
static void show(void)
{
    if (frame_exists(shown_in))
        vdso_data_write(frame_view(shown_in, SLOT_TO), &line, wall_at_start);
}

void clock_changed(const struct rate *now)
{
    line = *now;
    show();
}

void clock_set_wall(uint64_t nanoseconds)
{
    unsigned long state = interrupts_off();

    wall_at_start = nanoseconds - clock_now();
    show();
    interrupts_restore(state);
}

void clock_show_in(frame_t frame)
{
    unsigned long state = interrupts_off();

    shown_in = frame;
    show();
    interrupts_restore(state);
}

/* The lock is held. */
static void set_alarm(uint64_t due)
{
    deep_assert(lock_held(&lock));
    if (due < last_ring + PAUSE)
        due = last_ring + PAUSE;
    if (due >= alarm_at)
        return;
    alarm_at = due;
    alarm_set(due);
}

void timer_arm(struct timer *timer, uint64_t due)
{
    lock_state state = lock_take(&lock);

    assert(timer->fire != NULL);
    assert(!stack_holds(timer));                /* the timer may fire while another process runs */
    if (timer->armed)
        timer_heap_take(&first, timer);
    timer->due = due;
    timer_heap_put(&first, timer);
    set_alarm(due);
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
 * Fired outside the lock: what fires may arm again, for a moment after `at`, and comes with a later alarm. At most
 * TIMERS_AT_ONCE.
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

/* The alarm is not set for timers that are left over: clock_catch_up() fires those. */
static void set_next_alarm(void)
{
    lock_state state = lock_take(&lock);

    if (first != NULL && !clock_is_behind)
        set_alarm(first->due);
    lock_drop(&lock, state);
}

void clock_catch_up(void)
{
    while (clock_is_behind) {
        fire_due_timers(last_ring);
        set_next_alarm();
        interrupts_let_in();
    }
}

/* The alarm has woken the processor from a halt: how late? */
static void learn_lead(void)
{
    uint64_t late = last_ring - alarm_at;

    lead = (lead * (LEAD_WEIGHT - 1) + (late < LEAD_MOST ? late : LEAD_MOST)) / LEAD_WEIGHT;
}

static void handle_alarm(void)
{
    lock_state state = lock_take(&lock);

    last_ring = clock_now();
    if (is_halted && last_ring >= alarm_at)
        learn_lead();
    alarm_at = NEVER;
    lock_drop(&lock, state);
    fire_due_timers(last_ring);
    if (clock_is_behind)
        schedule_hurry();
    set_next_alarm();
}

/* ---- The idle thread -------------------------------------------------------------------------- */

static uint64_t first_due(void)
{
    lock_state state = lock_take(&lock);
    uint64_t   due   = first != NULL ? first->due : NEVER;

    lock_drop(&lock, state);
    return due;
}

/* The alarm may be set for timers that are fired here, and would find none due: it is set anew. */
static void fire_without_alarm(uint64_t now)
{
    last_ring = now;
    alarm_at  = NEVER;
    fire_due_timers(now);
    set_next_alarm();
}

static void halt_until(uint64_t moment)
{
    if (moment < alarm_at) {
        alarm_at = moment;
        alarm_set(moment);
    }
    is_halted = true;
    cpu_wait();
    is_halted = false;
}

void clock_idle(void)
{
    uint64_t due = first_due(), now = clock_now(), left = due > now ? due - now : 0;

    if (left == 0)
        fire_without_alarm(now);
    else if (left <= lead)
        interrupts_let_in();
    else
        halt_until(due == NEVER ? NEVER : due - (lead < left / LEAD_PART ? lead : left / LEAD_PART));
}

static volatile void *map_registers(void)
{
    static struct region window;
    paddr_t              at = alarm_registers();

    if (at == 0 || kernel_map_device(&window, "alarm", at, PAGE_SIZE, CACHE_OFF) != 0)
        return NULL;
    return pointer_to(page_address(window.span.first));
}

void clock_start(void)
{
    alarm_start(map_registers(), handle_alarm);
    wall_at_start = clock_read_wall() - clock_now();
}

const char *timers_broken(void)
{
    lock_state  state  = lock_take(&lock);
    const char *broken = timer_heap_broken(first);

    lock_drop(&lock, state);
    return broken;
}
