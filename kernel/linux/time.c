/*
 * time.c - clocks, sleeping, and timers.
 */
#include "base/check.h"
#include "base/divide.h"
#include "base/error.h"
#include "base/range.h"
#include "files/core/timer_file.h"
#include "linux/calls.h"
#include "linux/structures.h"
#include "process/process.h"
#include "process/timers.h"

enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS = 2, CLOCK_THREAD = 3, CLOCK_MONOTONIC_RAW = 4,
       CLOCK_REALTIME_COARSE = 5, CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7, CLOCK_TAI = 11 };
enum { TIMER_ABSOLUTE = 1, TICKS_PER_SECOND = 100 };

/* ---- Structures ----------------------------------------------------------------------------- */

static int combine_time(int64_t seconds, int64_t nanoseconds, uint64_t *out)
{
    uint64_t whole;

    deep_assert(out != NULL);
    if (seconds < 0 || nanoseconds < 0 || nanoseconds >= NANOSECONDS)
        return -EINVAL;
    if (!checked_multiply((uint64_t)seconds, NANOSECONDS, &whole) || !checked_add(whole, (uint64_t)nanoseconds, out))
        *out = NEVER - 1;
    return 0;
}

int time_read32(user_t from, uint64_t *out)
{
    struct linux_time32 time;
    int                 err = user_read(&time, from, sizeof time);

    deep_assert(out != NULL);
    return err != 0 ? err : combine_time(time.seconds, time.nanoseconds, out);
}

int time_read64(user_t from, uint64_t *out)
{
    struct linux_time64 time;
    int                 err = user_read(&time, from, sizeof time);

    deep_assert(out != NULL);
    return err != 0 ? err : combine_time(time.seconds, time.nanoseconds, out);
}

int time_write32(user_t to, uint64_t nanoseconds)
{
    struct linux_time32 time = { (int32_t)(nanoseconds / NANOSECONDS), (int32_t)(nanoseconds % NANOSECONDS) };

    return user_write(to, &time, sizeof time);
}

int time_write64(user_t to, uint64_t nanoseconds)
{
    struct linux_time64 time = { (int64_t)(nanoseconds / NANOSECONDS), (int32_t)(nanoseconds % NANOSECONDS), 0 };

    return user_write(to, &time, sizeof time);
}

/* Of the two times the interval comes first. */
int timer_read(user_t from, bool wide, struct timer_setting *out)
{
    int err = wide ? time_read64(from, &out->interval) : time_read32(from, &out->interval);

    if (err != 0)
        return err;
    return wide ? time_read64(from + sizeof(struct linux_time64), &out->value) :
                  time_read32(from + sizeof(struct linux_time32), &out->value);
}

int timer_write(user_t to, bool wide, const struct timer_setting *setting)
{
    int err = wide ? time_write64(to, setting->interval) : time_write32(to, setting->interval);

    if (err != 0)
        return err;
    return wide ? time_write64(to + sizeof(struct linux_time64), setting->value) :
                  time_write32(to + sizeof(struct linux_time32), setting->value);
}

static struct linux_timeval timeval_of(uint64_t ns)
{
    return (struct linux_timeval){ (int32_t)(ns / NANOSECONDS), (int32_t)(ns % NANOSECONDS / 1000) };
}

uint64_t deadline_after(uint64_t nanoseconds)
{
    uint64_t deadline;

    return checked_add(clock_now(), nanoseconds, &deadline) ? deadline : NEVER - 1;
}

void usage_encode(struct linux_usage *out, const struct resource_usage *usage)
{
    deep_assert(out != NULL && usage != NULL);
    *out = (struct linux_usage){
        .user = timeval_of(usage->user_time), .system = timeval_of(usage->system_time),
        .resident = (int32_t)(usage->peak * (PAGE_SIZE / 1024)),
        .minor = (int32_t)usage->faults_minor, .major = (int32_t)usage->faults_major,
        .voluntary = (int32_t)usage->switches_voluntary, .involuntary = (int32_t)usage->switches_involuntary,
    };
}

/* ---- Clocks ------------------------------------------------------------------------------------ */

static int clock_value(uintptr_t clock, uint64_t *out)
{
    deep_assert(out != NULL);
    switch (clock) {
    case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: case CLOCK_TAI:
        *out = clock_wall();
        return 0;
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW: case CLOCK_MONOTONIC_COARSE: case CLOCK_BOOTTIME:
        *out = clock_now();
        return 0;
    case CLOCK_PROCESS:
        *out = process_time(current_process());
        return 0;
    case CLOCK_THREAD:
        *out = thread_time(current_thread());
        return 0;
    default:
        return -EINVAL;
    }
}

SYSTEM_CALL(clock_gettime, int, clock, user_t, to)
{
    uint64_t now;
    int      err = clock_value(clock, &now);

    return err != 0 ? err : time_write32(to, now);
}

SYSTEM_CALL(clock_gettime64, int, clock, user_t, to)
{
    uint64_t now;
    int      err = clock_value(clock, &now);

    return err != 0 ? err : time_write64(to, now);
}

SYSTEM_CALL(clock_getres, int, clock, user_t, to)
{
    uint64_t now;
    int      err = clock_value(clock, &now);

    return err != 0 || to == 0 ? err : time_write32(to, 1);
}

SYSTEM_CALL(clock_getres_time64, int, clock, user_t, to)
{
    uint64_t now;
    int      err = clock_value(clock, &now);

    return err != 0 || to == 0 ? err : time_write64(to, 1);
}

SYSTEM_CALL(gettimeofday, user_t, to, user_t, zone_to)
{
    struct linux_timeval now = timeval_of(clock_wall());
    int32_t              zone[2] = { 0, 0 };

    if ((to != 0 && user_write(to, &now, sizeof now) != 0) ||
        (zone_to != 0 && user_write(zone_to, zone, sizeof zone) != 0))
        return -EFAULT;
    return 0;
}

SYSTEM_CALL(settimeofday, user_t, from, user_t, zone_from)
{
    struct linux_timeval wanted;

    if (from == 0)
        return 0;
    if (user_read(&wanted, from, sizeof wanted) != 0)
        return -EFAULT;
    if (wanted.seconds < 0 || wanted.microseconds < 0 || wanted.microseconds >= 1000000)
        return -EINVAL;
    if (!has_capability(CAP_SYS_TIME))
        return -EPERM;
    clock_set_wall((uint64_t)wanted.seconds * NANOSECONDS + (uint64_t)wanted.microseconds * 1000);
    return 0;
}

SYSTEM_CALL(time, user_t, to)
{
    int32_t seconds = (int32_t)(clock_wall() / NANOSECONDS);

    return to != 0 && user_write(to, &seconds, sizeof seconds) != 0 ? -EFAULT : seconds;
}

SYSTEM_CALL(stime, user_t, from)
{
    int32_t seconds;

    if (user_read(&seconds, from, sizeof seconds) != 0)
        return -EFAULT;
    if (seconds < 0)
        return -EINVAL;
    if (!has_capability(CAP_SYS_TIME))
        return -EPERM;
    clock_set_wall((uint64_t)seconds * NANOSECONDS);
    return 0;
}

static int32_t in_ticks(uint64_t ns) { return (int32_t)(ns / (NANOSECONDS / TICKS_PER_SECOND)); }

SYSTEM_CALL(times, user_t, to)
{
    struct process *p = current_process();
    struct resource_usage    own;
    int32_t         ticks[4];

    process_usage(p, &own);
    ticks[0] = in_ticks(own.user_time);
    ticks[1] = in_ticks(own.system_time);
    ticks[2] = in_ticks(p->children_used.user_time);
    ticks[3] = in_ticks(p->children_used.system_time);

    if (to != 0 && user_write(to, ticks, sizeof ticks) != 0)
        return -EFAULT;
    return (long)(in_ticks(clock_now()) & 0x7FFFFFFF);
}

/* ---- Sleeping ------------------------------------------------------------------------------------- */

static long sleep_on(const struct restart *restart);

/* A relative sleep that a signal without a handler interrupts goes on by restart_syscall(). */
static long sleep_until(uint64_t deadline, user_t rest, bool wide, bool relative)
{
    struct thread     *self  = current_thread();
    struct wait_queue *never = &self->never;
    uint64_t           now;
    int                err;

    do
        err = wait_on(never, NULL, NULL, deadline, WAIT_SIGNALS);
    while (err == 0);
    now = clock_now();
    if (err == -ETIMEDOUT || now >= deadline)
        return 0;
    if (!relative)
        return -ERESTARTNOHAND;
    if (rest != 0 && (wide ? time_write64(rest, deadline - now) : time_write32(rest, deadline - now)) != 0)
        return -EFAULT;
    self->restart = (struct restart){ .again = sleep_on, .deadline = deadline, .arguments = { rest, wide } };
    return -ERESTART_RESTARTBLOCK;
}

static long sleep_on(const struct restart *restart)
{
    return sleep_until(restart->deadline, restart->arguments[0], restart->arguments[1], true);
}

SYSTEM_CALL(restart_syscall)
{
    struct restart restart = current_thread()->restart;

    current_thread()->restart.again = NULL;
    return restart.again != NULL ? restart.again(&restart) : -EINTR;
}

SYSTEM_CALL(nanosleep, user_t, wanted, user_t, left)
{
    uint64_t time;
    int      err = time_read32(wanted, &time);

    return err != 0 ? err : sleep_until(deadline_after(time), left, false, true);
}

static long clock_sleep(uintptr_t clock, unsigned flags, user_t wanted, user_t rest, bool wide)
{
    uint64_t time, now;
    int      err = wide ? time_read64(wanted, &time) : time_read32(wanted, &time);

    if (err == 0)
        err = clock == CLOCK_THREAD ? -EINVAL : clock_value(clock, &now);
    if (err != 0)
        return err;
    if (!(flags & TIMER_ABSOLUTE))
        return sleep_until(deadline_after(time), rest, wide, true);
    return time <= now ? 0 : sleep_until(deadline_after(time - now), 0, wide, false);
}

SYSTEM_CALL(clock_nanosleep, int, clock, int, flags, user_t, wanted, user_t, left)
{
    return clock_sleep(clock, flags, wanted, left, false);
}

SYSTEM_CALL(clock_nanosleep_time64, int, clock, int, flags, user_t, wanted, user_t, left)
{
    return clock_sleep(clock, flags, wanted, left, true);
}

/* ---- Timers ----------------------------------------------------------------------------------------- */

struct linux_itimer { struct linux_timeval interval, value; };
enum { ITIMER_REAL = 0 };

static struct linux_itimer itimer_now(void)
{
    struct alarm_state now = process_alarm_state(current_process());

    return (struct linux_itimer){ timeval_of(now.interval), timeval_of(now.left) };
}

SYSTEM_CALL(getitimer, unsigned, which, user_t, to)
{
    struct linux_itimer now = { 0 };

    if (which > 2)
        return -EINVAL;
    if (which == ITIMER_REAL)
        now = itimer_now();
    return user_write(to, &now, sizeof now);
}

static int timeval_ns(struct linux_timeval t, uint64_t *out)
{
    deep_assert(out != NULL);
    if (t.seconds < 0 || t.microseconds < 0 || t.microseconds >= 1000000)
        return -EINVAL;
    *out = (uint64_t)t.seconds * NANOSECONDS + (uint64_t)t.microseconds * 1000;
    return 0;
}

/* ITIMER_VIRTUAL and ITIMER_PROF are not implemented. */
SYSTEM_CALL(setitimer, unsigned, which, user_t, from, user_t, to)
{
    struct linux_itimer wanted = { 0 }, old = { 0 };
    uint64_t            value = 0, interval = 0;

    if (which > 2)
        return -EINVAL;
    if (which != ITIMER_REAL)
        return -ENOSYS;
    if (from != 0 && user_read(&wanted, from, sizeof wanted) != 0)
        return -EFAULT;
    if (timeval_ns(wanted.value, &value) != 0 || timeval_ns(wanted.interval, &interval) != 0)
        return -EINVAL;
    if (to != 0)
        old = itimer_now();
    process_set_alarm(current_process(), value, interval);
    return to != 0 ? user_write(to, &old, sizeof old) : 0;
}

/* More seconds than a signed word holds count as the most that it holds: the result must not look like an error. */
SYSTEM_CALL(alarm, uint32_t, wanted)
{
    uint64_t left    = process_alarm_state(current_process()).left;
    uint64_t seconds = wanted > INT32_MAX ? INT32_MAX : wanted;

    process_set_alarm(current_process(), seconds * NANOSECONDS, 0);
    return (long)((left + NANOSECONDS / 2) / NANOSECONDS + (left > 0 && left < NANOSECONDS / 2));
}

struct linux_event { uint32_t value; int32_t signal, notify, thread; };
enum { NOTIFY_SIGNAL = 0, NOTIFY_NONE = 1, NOTIFY_LIBRARY = 2, NOTIFY_THREAD = 4, CLOCKS_FOR_TIMERS = 12 };

/* The thread that is to get the signal must be one of the caller's process: timer_create(2). */
static bool event_makes_sense(const struct linux_event *event)
{
    const struct thread *to;

    deep_assert(event != NULL);
    to = event->notify == NOTIFY_THREAD ? thread_find(event->thread) : current_thread();
    if (event->notify == NOTIFY_NONE)
        return true;
    return (event->notify == NOTIFY_SIGNAL || event->notify == NOTIFY_LIBRARY || event->notify == NOTIFY_THREAD) &&
           to != NULL && to->process == current_process() && event->signal >= 1 && event->signal <= SIGNALS;
}

SYSTEM_CALL(timer_create, int, clock, user_t, event_at, user_t, id_to)
{
    struct linux_event   event = { .signal = SIGALRM };
    struct timer_request request;
    uint64_t             now;
    int                  id;

    if (clock_value(clock, &now) != 0 || clock == CLOCK_PROCESS || clock == CLOCK_THREAD)
        return -EINVAL;
    if (event_at != 0 && user_read(&event, event_at, sizeof event) != 0)
        return -EFAULT;
    if (!event_makes_sense(&event))
        return -EINVAL;
    request = (struct timer_request){ .wall = clock == CLOCK_REALTIME, .has_value = event_at != 0, .value = event.value,
                                      .signal = event.notify == NOTIFY_NONE ? 0 : event.signal,
                                      .thread = event.notify == NOTIFY_THREAD ? event.thread : 0 };
    id = process_timer_create(current_process(), &request);
    if (id < 0)
        return id;
    if (user_write(id_to, &id, sizeof id) != 0) {
        process_timer_delete(current_process(), id);
        return -EFAULT;
    }
    return 0;
}

static long set_timer(int id, bool absolute, user_t from, user_t to, bool wide)
{
    struct timer_setting new;
    struct alarm_state   old;
    int                  err = timer_read(from, wide, &new);

    if (err == 0)
        err = process_timer_set(current_process(), id, absolute, new.value, new.interval, &old);
    return err != 0 || to == 0 ? err : timer_write(to, wide, &(struct timer_setting){ old.left, old.interval });
}

SYSTEM_CALL(timer_settime, int, id, int, flags, user_t, from, user_t, to)
{
    return set_timer(id, flags & TIMER_ABSOLUTE, from, to, false);
}

SYSTEM_CALL(timer_settime64, int, id, int, flags, user_t, from, user_t, to)
{
    return set_timer(id, flags & TIMER_ABSOLUTE, from, to, true);
}

static long tell_timer(int id, user_t to, bool wide)
{
    struct alarm_state now;
    int                err = process_timer_get(current_process(), id, &now);

    return err != 0 ? err : timer_write(to, wide, &(struct timer_setting){ now.left, now.interval });
}

SYSTEM_CALL(timer_gettime, int, id, user_t, to) { return tell_timer(id, to, false); }
SYSTEM_CALL(timer_gettime64, int, id, user_t, to) { return tell_timer(id, to, true); }

SYSTEM_CALL(timer_getoverrun, int, id)
{
    struct alarm_state now;
    int                err = process_timer_get(current_process(), id, &now);

    return err != 0 ? err : (long)now.overrun;
}

SYSTEM_CALL(timer_delete, int, id) { return process_timer_delete(current_process(), id); }
