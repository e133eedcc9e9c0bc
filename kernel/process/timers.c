/*
 * timers.c - a process's timers. See timers.h.
 */
#include "process/timers.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/heap/heap.h"
#include "process/family.h"

enum { OVERRUN_MOST = 0x7FFFFFFF, CODE_TIMER = -2, CODE_KERNEL = 128 };
enum { QUIET = 10000000, UNHEARD = 1000000, QUIET_EACH = 100000, QUIET_MOST = 1000000000 };      /* nanoseconds */

struct process_timer {
    struct timer    timer;
    struct process *process;
    struct timer_request what;
    int             number;
    uint64_t        due, interval;      /* [lock] of the next expiry, or of the one whose signal waits; 0: none */
    bool            waiting;            /* [lock] not armed until its signal is taken */
    bool            queued;             /* [lock] its signal lies in a queue         */
    uint32_t        missed;             /* [lock] expiries since a signal was last taken */
    uint32_t        overrun;            /* [lock] `missed` when a signal was last taken */
};

static struct lock lock = LOCK("alarms", RANK_ALARMS);      /* for the fields that interrupts change */
static uint32_t    timer_count;                             /* of all processes                      */

static uint32_t saturated(uint32_t count, uint64_t more)
{
    return more >= OVERRUN_MOST - count ? OVERRUN_MOST : count + (uint32_t)more;
}

static uint64_t saturated_sum(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return checked_add(a, b, &sum) && sum < NEVER ? sum : NEVER - 1;
}

/*
 * How long a timer rests that nobody hears. How many there are is a number that programs choose, and each takes the
 * processor's time without any program's turn: so the more there are the longer, and all of them leave time to others.
 */
static uint64_t quiet_time(uint64_t least)
{
    uint64_t quiet = (uint64_t)QUIET_EACH * (timer_count + processes_alive());

    if (quiet > QUIET_MOST)                     /* timers not set count as well, and another user's */
        quiet = QUIET_MOST;
    return quiet > least ? quiet : least;
}

/* ---- alarm() --------------------------------------------------------------------------------- */

/* While the last signal waits to be taken, or none is wanted, a short interval is as good as the time of quiet. */
static void alarm_rings(struct timer *timer)
{
    struct process    *process = CONTAINER_OF(timer, struct process, alarm);
    struct signal_info info    = { .number = SIGALRM, .code = CODE_KERNEL };
    bool               queued  = signal_timer(process, NULL, &info);
    lock_state         state   = lock_take(&lock);
    uint64_t           due     = timer->due, now = clock_now(), quiet = queued ? 0 : quiet_time(UNHEARD);

    if (process->alarm_interval < quiet)
        now += quiet;
    if (process->alarm_interval != 0) {
        interval_pass(&due, process->alarm_interval, now);
        timer_arm(timer, due);
    }
    lock_drop(&lock, state);
}

struct alarm_state process_alarm_state(const struct process *process)
{
    lock_state state = lock_take(&lock);
    uint64_t   now   = clock_now();
    struct alarm_state is = {
        .left = !process->alarm.armed ? 0 : process->alarm.due > now ? process->alarm.due - now : 1,
        .interval = process->alarm_interval,
    };

    lock_drop(&lock, state);
    return is;
}

void process_set_alarm(struct process *process, uint64_t value, uint64_t interval)
{
    lock_state state = lock_take(&lock);

    timer_disarm(&process->alarm);
    process->alarm_interval = value != 0 ? interval : 0;        /* an alarm that is off has no interval */
    process->alarm.fire     = alarm_rings;
    if (value != 0)
        timer_arm(&process->alarm, saturated_sum(clock_now(), value));
    lock_drop(&lock, state);
}

/* ---- timer_create(): a timer is due ---------------------------------------------------------------- */

/* Returns true when the signal lies in a queue, so that it will be taken. */
static bool send_expiry(const struct process_timer *t)
{
    struct signal_info info = { .number = t->what.signal, .code = CODE_TIMER, .timer = t->number,
                                .value = t->what.value,
                                .from_timer = true };
    struct thread     *to   = t->what.thread != 0 ? thread_find(t->what.thread) : NULL;

    if (t->what.thread != 0 && (to == NULL || to->process != t->process))
        return false;
    return signal_timer(t->process, to, &info);
}

/* Arm again where no signal was queued: after a time of quiet, so that short intervals leave time to others. */
static void go_on_unnoticed(struct process_timer *t)
{
    uint64_t quiet = quiet_time(QUIET), now = clock_now() + (t->interval < quiet ? quiet : 0);

    assert(lock_held(&lock) && t->interval != 0);
    t->missed = saturated(t->missed, interval_pass(&t->due, t->interval, now));
    timer_arm(&t->timer, t->due);
}

/* In the interrupt. A timer whose signal waits is not armed: process_timer_taken() and process_timer_set() arm it. */
static void timer_rings(struct timer *timer)
{
    struct process_timer *t      = CONTAINER_OF(timer, struct process_timer, timer);
    bool                  queued = send_expiry(t);
    lock_state            state  = lock_take(&lock);

    assert(!t->queued);
    t->queued  = queued;
    t->waiting = queued && t->interval != 0;
    if (!queued && t->interval != 0)
        go_on_unnoticed(t);
    else if (t->interval == 0)
        t->due = 0;
    lock_drop(&lock, state);
}

static struct process_timer *timer_numbered(const struct process *process, int id)
{
    assert(process == current_process());
    return process->timers != NULL ? timer_table_find(process->timers, id) : NULL;
}

void process_timer_taken(struct signal_info *info)
{
    struct process_timer *t     = timer_numbered(current_process(), info->timer);
    lock_state            state = lock_take(&lock);

    if (t != NULL && t->queued) {
        t->queued = false;
        if (t->waiting) {
            t->waiting = false;
            t->missed  = saturated(t->missed, interval_pass(&t->due, t->interval, clock_now()) - 1);
            timer_arm(&t->timer, t->due);
            t->overrun = t->missed;
        }
        info->overrun = t->missed;
        t->missed     = 0;
    }
    lock_drop(&lock, state);
}

/* ---- timer_create() and its family ---------------------------------------------------------------- */

static int add_timer(struct process *process, struct process_timer *t)
{
    assert(process == current_process());
    if (process->timers == NULL)
        process->timers = heap_alloc(sizeof *process->timers, HEAP_ZERO);
    if (process->timers == NULL)
        return -ENOMEM;
    if (process->timers->count >= process->limits[RLIMIT_SIGPENDING].soft)
        return -EAGAIN;
    return timer_table_add(process->timers, t);
}

static bool is_thread_of(const struct process *process, int32_t id)
{
    const struct thread *thread = thread_find(id);

    return thread != NULL && thread->process == process;
}

int process_timer_create(struct process *process, const struct timer_request *request)
{
    struct process_timer *t;
    int                   id;

    if (request->thread != 0 && !is_thread_of(process, request->thread))
        return -EINVAL;
    t = heap_alloc(sizeof *t, HEAP_ZERO);
    if (t == NULL)
        return -ENOMEM;
    id = add_timer(process, t);
    if (id < 0) {
        heap_free_sized(t, sizeof *t);
        return id;
    }
    *t = (struct process_timer){ .timer.fire = timer_rings, .process = process, .what = *request, .number = id };
    if (!request->has_value)
        t->what.value = (uint64_t)id;
    timer_count++;
    return id;
}

/* The lock is held. */
static uint64_t time_left(const struct process_timer *t, uint64_t now)
{
    assert(lock_held(&lock));
    if (t->due == 0)
        return 0;
    if (t->due > now)
        return t->due - now;
    if (t->interval != 0 && (t->waiting || t->what.signal == 0))
        return t->interval - (now - t->due) % t->interval;
    return t->what.signal == 0 ? 0 : 1;
}

static struct alarm_state state_of_timer(const struct process_timer *t)
{
    lock_state         state = lock_take(&lock);
    struct alarm_state is    = { .left = time_left(t, clock_now()), .interval = t->interval, .overrun = t->overrun };

    lock_drop(&lock, state);
    return is;
}

static uint64_t moment_due(const struct process_timer *t, bool absolute, uint64_t value)
{
    uint64_t now = clock_now(), wall = t->what.wall ? clock_wall() : now;

    if (!absolute)
        return saturated_sum(now, value);
    return value > wall ? saturated_sum(now, value - wall) : now;
}

int process_timer_set(struct process *process, int id, bool absolute, uint64_t value, uint64_t interval,
                      struct alarm_state *old)
{
    struct process_timer *t = timer_numbered(process, id);
    lock_state            state;

    if (t == NULL)
        return -EINVAL;
    *old  = state_of_timer(t);
    state = lock_take(&lock);
    timer_disarm(&t->timer);
    t->waiting  = t->queued = false;
    t->missed   = t->overrun = 0;
    t->interval = value != 0 ? interval : 0;
    t->due      = value != 0 ? moment_due(t, absolute, value) : 0;
    if (value != 0 && t->what.signal != 0)
        timer_arm(&t->timer, t->due);
    lock_drop(&lock, state);
    return 0;
}

int process_timer_get(struct process *process, int id, struct alarm_state *now)
{
    struct process_timer *t = timer_numbered(process, id);

    if (t == NULL)
        return -EINVAL;
    *now = state_of_timer(t);
    return 0;
}

int process_timer_delete(struct process *process, int id)
{
    struct process_timer *t = timer_numbered(process, id);

    if (t == NULL)
        return -EINVAL;
    timer_disarm(&t->timer);
    timer_table_remove(process->timers, id);
    heap_free_sized(t, sizeof *t);
    timer_count--;
    return 0;
}

/* As many steps as there are timers, with interrupts on. */
void process_timers_clear(struct process *process)
{
    assert(process == current_process());
    if (process->timers == NULL)
        return;
    for (int id = 0; process->timers->count > 0; id++)
        process_timer_delete(process, id);
    heap_free_sized(process->timers, sizeof *process->timers);
    process->timers = NULL;
}
