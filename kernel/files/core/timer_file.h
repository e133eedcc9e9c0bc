/*
 * timer_file.h - timerfd: a timer whose expiries are read and waited for. Source: timerfd_create(2).
 */
#ifndef QUIRE_FILES_TIMER_FILE_H
#define QUIRE_FILES_TIMER_FILE_H

#include "files/core/file.h"

/*
 * Nanoseconds; `wall`: absolute times are by the wall clock, as it is when the timer is set: changes of that clock move
 * no timer. NULL without memory. flags: O_NONBLOCK.
 */
struct file *timer_file_make(int clock, bool wall, uint32_t flags);
bool         file_is_timer(const struct file *file);

/*
 * Set the timer: the first expiry is after, or with TIMER_FILE_ABSOLUTE at, `value` nanoseconds, 0: never; further ones
 * follow every `interval`, 0: none. Expiries that have not been read are forgotten. May sleep.
 */
struct timer_setting { uint64_t value, interval; };
enum { TIMER_FILE_ABSOLUTE = 1, TIMER_FILE_CANCELED = 2 };     /* the latter is kept, without effect */
void timer_file_set(struct file *file, const struct timer_setting *setting, unsigned flags);

/* The time until the next expiry, 0: there is none; and the interval. May sleep. */
struct timer_setting timer_file_state(struct file *file);

#endif
