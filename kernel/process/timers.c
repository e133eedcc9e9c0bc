/*
 * timers.c - a process's alarms.
 */
#include "process/timers.h"

#include "base/error.h"
#include "memory/heap/heap.h"
#include "process/family.h"

struct process_timer {
    struct timer    timer;
    struct process *process;
    bool            wall;
    int             signal, number;
    int32_t         thread;
    uint64_t        value, interval;
    uint32_t        overrun;
};

/* ---- alarm() --------------------------------------------------------------------------------- */

static void alarm_rings(struct timer *timer)
{
    struct process    *process = CONTAINER_OF(timer, struct process, alarm);
    struct signal_info info    = { .number = SIGALRM, .code = 128 };

    if (process->alarm_interval != 0)
        timer_arm(timer, timer->due + process->alarm_interval);
    signal_process(process, &info);
}

struct alarm_state process_alarm_state(const struct process *process)
{
    uint64_t now = clock_now();

    return (struct alarm_state){
        .left = !process->alarm.armed ? 0 : process->alarm.due > now ? process->alarm.due - now : 1,
        .interval = process->alarm_interval,
    };
}

void process_set_alarm(struct process *process, uint64_t value, uint64_t interval)
{
    timer_disarm(&process->alarm);
    process->alarm_interval = interval;
    process->alarm.fire     = alarm_rings;
    if (value != 0)
        timer_arm(&process->alarm, clock_now() + value);
}

/* ---- timer_create() ------------------------------------------------------------------------------ */

static void timer_rings(struct timer *timer)
{
    struct process_timer *t    = CONTAINER_OF(timer, struct process_timer, timer);
    struct signal_info    info = { .number = t->signal, .code = -2, .timer = t->number, .value = t->value };
    struct thread        *to   = t->thread != 0 ? thread_find(t->thread) : NULL;
    uint64_t              now  = clock_now();

    t->overrun = 0;
    if (t->interval != 0) {
        uint64_t due = timer->due + t->interval;

        for (; due <= now && t->overrun < 0x7FFFFFFF; due += t->interval)
            t->overrun++;
        timer_arm(timer, due);
    }
    if (t->signal != 0 && to != NULL)
        signal_thread(to, &info);
    else if (t->signal != 0)
        signal_process(t->process, &info);
}

static struct process_timer *timer_numbered(struct process *process, int id)
{
    return id >= 0 && id < TIMERS_A_PROCESS ? process->timers[id] : NULL;
}

int process_timer_create(struct process *process, bool wall, int signal, int32_t thread, uint64_t value, bool has_value)
{
    struct process_timer *t  = heap_alloc(sizeof *t, HEAP_ZERO);
    int                   id = 0;

    if (t == NULL)
        return -ENOMEM;
    while (id < TIMERS_A_PROCESS && process->timers[id] != NULL)
        id++;
    if (id == TIMERS_A_PROCESS) {
        heap_free(t);
        return -EAGAIN;
    }
    *t = (struct process_timer){ .timer.fire = timer_rings, .process = process, .wall = wall, .signal = signal, .number = id,
                                 .thread = thread, .value = has_value ? value : (uint64_t)id };
    process->timers[id] = t;
    return id;
}

static struct alarm_state state_of(const struct process_timer *t)
{
    uint64_t now = clock_now();

    return (struct alarm_state){ .left = !t->timer.armed ? 0 : t->timer.due > now ? t->timer.due - now : 1,
                                 .interval = t->interval, .overrun = t->overrun };
}

int process_timer_set(struct process *process, int id, bool absolute, uint64_t value, uint64_t interval, struct alarm_state *old)
{
    struct process_timer *t = timer_numbered(process, id);
    uint64_t              now, due = value;

    if (t == NULL)
        return -EINVAL;
    *old = state_of(t);
    timer_disarm(&t->timer);
    t->interval = interval;
    if (value == 0)
        return 0;
    now = clock_now();
    if (!absolute)
        due = now + value;
    else if (t->wall)
        due = value > clock_wall() ? now + (value - clock_wall()) : now;
    timer_arm(&t->timer, due);
    return 0;
}

int process_timer_get(struct process *process, int id, struct alarm_state *now)
{
    struct process_timer *t = timer_numbered(process, id);

    if (t == NULL)
        return -EINVAL;
    *now = state_of(t);
    return 0;
}

int process_timer_delete(struct process *process, int id)
{
    struct process_timer *t = timer_numbered(process, id);

    if (t == NULL)
        return -EINVAL;
    timer_disarm(&t->timer);
    process->timers[id] = NULL;
    heap_free_sized(t, sizeof *t);
    return 0;
}

void process_timers_clear(struct process *process)
{
    for (int id = 0; id < TIMERS_A_PROCESS; id++)
        if (process->timers[id] != NULL)
            process_timer_delete(process, id);
}

/* ---- Time used: counted by ticks, which is what the clock of a preemptive system can see cheaply ----- */

uint64_t thread_time(const struct thread *thread) { return thread->used.user_time + thread->used.system_time; }

uint64_t process_time(const struct process *process)
{
    uint64_t time = process->used.user_time + process->used.system_time;

    for (const struct thread *t = process->threads; t != NULL; t = t->next_in_process)
        time += thread_time(t);
    return time;
}
