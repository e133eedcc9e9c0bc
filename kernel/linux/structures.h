/*
 * structures.h - Linux i386's structures that more than one family of calls needs, to the byte.
 *
 * Functions that take a user_t reach the current program's memory: user.h has the rules.
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
 * Read and write a program's timespec as nanoseconds. Return 0 or -EFAULT; reading -EINVAL for negative seconds or for
 * nanoseconds outside [0, 1e9). Values that 64 bits cannot hold become NEVER - 1.
 */
int  time_read32(user_t from, uint64_t *out) MUST_CHECK;
int  time_read64(user_t from, uint64_t *out) MUST_CHECK;
int  time_write32(user_t to, uint64_t nanoseconds) MUST_CHECK;
int  time_write64(user_t to, uint64_t nanoseconds) MUST_CHECK;

/* The deadline for wait_on(), so many nanoseconds from now; never NEVER. */
uint64_t deadline_after(uint64_t nanoseconds);

/*
 * Read a structure of `size` bytes that the program may know in a shorter or a longer form, of `given` bytes: missing
 * bytes become zeros, further ones must be zeros. 0, -EFAULT, or -E2BIG for others, and for more than a page.
 */
int structure_in(void *out, size_t size, user_t from, size_t given) MUST_CHECK;

/* A program's struct itimerspec in either width: 0, -EFAULT; reading also -EINVAL, as time_read32(). */
struct timer_setting;                                   /* files/core/timer_file.h */
int timer_read(user_t from, bool wide, struct timer_setting *out) MUST_CHECK;
int timer_write(user_t to, bool wide, const struct timer_setting *setting) MUST_CHECK;

/* Users and groups in the 16 bits of old calls: larger numbers become 65534; 65535 stands for UINT32_MAX, no user. */
uint16_t id_narrowed(uint32_t id);
uint32_t id_widened(uint32_t id);

/*
 * True for the caller's own process and with CAP_SYS_PTRACE; else for a dumpable process of the same user and group
 * that has no more capabilities than the caller. The process has not ended.
 */
struct process;
bool may_look_into(const struct process *process);

struct resource_usage;                                   /* process/process.h */
void usage_encode(struct linux_usage *out, const struct resource_usage *usage);

#endif
