/*
 * event_files.c - the calls for descriptors of events: eventfd, timerfd, signalfd.
 *
 * Source   Linux man-pages, eventfd(2), timerfd_create(2), signalfd(2).
 */
#include "base/check.h"
#include "base/error.h"
#include "files/core/event.h"
#include "files/core/signal_file.h"
#include "files/core/timer_file.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/structures.h"
#include "process/process.h"

enum { EVENT_SEMAPHORE = 1 };

static long new_event_file(struct file *file, unsigned flags)
{
    return file == NULL ? -ENOMEM : new_descriptor(file, flags & O_CLOEXEC);
}

static long make_event(uintptr_t value, unsigned flags)
{
    if (flags & ~(uintptr_t)(O_CLOEXEC | O_NONBLOCK | EVENT_SEMAPHORE))
        return -EINVAL;
    return new_event_file(event_make((uint32_t)value, flags & O_NONBLOCK, flags & EVENT_SEMAPHORE), flags);
}

SYSTEM_CALL(eventfd, unsigned, value) { return make_event(value, 0); }
SYSTEM_CALL(eventfd2, unsigned, value, unsigned, flags) { return make_event(value, flags); }

/* ---- Timers ------------------------------------------------------------------------------------ */

enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_BOOTTIME = 7, CLOCK_REALTIME_ALARM = 8,
       CLOCK_BOOTTIME_ALARM = 9 };

SYSTEM_CALL(timerfd_create, int, clock, unsigned, flags)
{
    bool alarm = clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;

    if ((flags & ~(uintptr_t)(O_CLOEXEC | O_NONBLOCK)) ||
        (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && !alarm))
        return -EINVAL;
    if (alarm && !has_capability(CAP_WAKE_ALARM))
        return -EPERM;
    return new_event_file(timer_file_make(clock, clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM,
                                          flags & O_NONBLOCK), flags);
}

/* Find a timer file, with a reference. 0, -EBADF, or -EINVAL for another file. */
static int timer_of_descriptor(int descriptor, struct file **out)
{
    *out = whole_file_of(descriptor);
    if (*out == NULL)
        return -EBADF;
    if (file_is_timer(*out))
        return 0;
    file_release(*out);
    return -EINVAL;
}

static long set_timer_file(int descriptor, unsigned flags, user_t from, user_t to, bool wide)
{
    struct timer_setting new, old;
    struct file         *file;
    int                  err = timer_read(from, wide, &new);

    if (err == 0 && (flags & ~(uintptr_t)(TIMER_FILE_ABSOLUTE | TIMER_FILE_CANCELED)))
        err = -EINVAL;
    if (err == 0)
        err = timer_of_descriptor(descriptor, &file);
    if (err != 0)
        return err;
    old = timer_file_state(file);
    timer_file_set(file, &new, flags);
    file_release(file);
    return to != 0 ? timer_write(to, wide, &old) : 0;
}

SYSTEM_CALL(timerfd_settime, int, descriptor, unsigned, flags, user_t, from, user_t, to)
{
    return set_timer_file(descriptor, flags, from, to, false);
}

SYSTEM_CALL(timerfd_settime64, int, descriptor, unsigned, flags, user_t, from, user_t, to)
{
    return set_timer_file(descriptor, flags, from, to, true);
}

static long tell_timer_file(int descriptor, user_t to, bool wide)
{
    struct timer_setting now;
    struct file         *file;
    int                  err = timer_of_descriptor(descriptor, &file);

    if (err != 0)
        return err;
    now = timer_file_state(file);
    file_release(file);
    return timer_write(to, wide, &now);
}

SYSTEM_CALL(timerfd_gettime, int, descriptor, user_t, to) { return tell_timer_file(descriptor, to, false); }
SYSTEM_CALL(timerfd_gettime64, int, descriptor, user_t, to) { return tell_timer_file(descriptor, to, true); }

/* ---- Signals ------------------------------------------------------------------------------------ */

static long set_signal_file(int descriptor, uint64_t signals)
{
    struct file *file = whole_file_of(descriptor);
    bool         is;

    if (file == NULL)
        return -EBADF;
    is = file_is_signal(file);
    if (is)
        signal_file_set(file, signals);
    file_release(file);
    return is ? descriptor : -EINVAL;
}

static long make_signal_file(int descriptor, user_t mask, size_t bytes, unsigned flags)
{
    uint64_t signals;

    if (bytes != sizeof signals)
        return -EINVAL;
    if (user_read(&signals, mask, sizeof signals) != 0)
        return -EFAULT;
    if (flags & ~(uintptr_t)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    signals &= ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1));
    if (descriptor != -1)
        return set_signal_file(descriptor, signals);
    return new_event_file(signal_file_make(signals, flags & O_NONBLOCK), flags);
}

SYSTEM_CALL(signalfd, int, descriptor, user_t, mask, size_t, bytes)
{
    return make_signal_file(descriptor, mask, bytes, 0);
}

SYSTEM_CALL(signalfd4, int, descriptor, user_t, mask, size_t, bytes, unsigned, flags)
{
    return make_signal_file(descriptor, mask, bytes, flags);
}
