/*
 * structures.h - Linux i386's structures that more than one family needs, to the byte.
 *
 * Source: Linux uapi headers.
 */
#ifndef QUIRE_LINUX_STRUCTURES_H
#define QUIRE_LINUX_STRUCTURES_H

#include "base/types.h"
#include "memory/spaces/user.h"

struct linux_time32 { int32_t seconds, nanoseconds; };
struct linux_time64 { int64_t seconds; int32_t nanoseconds, pad; };
struct linux_timeval { int32_t seconds, microseconds; };
_Static_assert(sizeof(struct linux_time64) == 16, "struct __kernel_timespec");

struct linux_usage {
    struct linux_timeval user, system;
    int32_t resident, shared, data, stack, minor, major, swaps, in, out, sent, received, signals, voluntary,
        involuntary;
};
_Static_assert(sizeof(struct linux_usage) == 72, "struct rusage");

#define NANOSECONDS 1000000000u

/*
 * A program's timespec as nanoseconds; -EINVAL for one that is none, -EFAULT. Values too large for 64 bits are cut to
 * the most.
 */
int  time_read32(user_t from, uint64_t *out) MUST_CHECK;
int  time_read64(user_t from, uint64_t *out) MUST_CHECK;
int  time_write32(user_t to, uint64_t nanoseconds) MUST_CHECK;
int  time_write64(user_t to, uint64_t nanoseconds) MUST_CHECK;

/* From now: the deadline that wait_on() takes. */
uint64_t deadline_after(uint64_t nanoseconds);

/*
 * A structure of `size` bytes from a program that may know a shorter form of it, or a longer one: what is missing is
 * zeros, and what is behind ours must be. 0, -EFAULT, or -E2BIG for what is not, and for more than a page.
 */
int structure_in(void *out, size_t size, user_t from, size_t given) MUST_CHECK;

/* A program's struct itimerspec in either width: 0, -EFAULT; and for a time that is none -EINVAL. */
struct timer_setting;                                   /* files/core/timer_file.h */
int timer_read(user_t from, bool wide, struct timer_setting *out) MUST_CHECK;
int timer_write(user_t to, bool wide, const struct timer_setting *setting) MUST_CHECK;

/* Users and groups in 16 bits: larger numbers are told as 65534, and 65535 is none. */
uint16_t id_narrowed(uint32_t id);
uint32_t id_widened(uint32_t id);

struct resource_usage;                                   /* process/process.h */
void usage_encode(struct linux_usage *out, const struct resource_usage *usage);

#endif
