/*
 * vdso.c (i386) - the functions by which programs ask for the time without a call.
 *
 * They run in programs, at any address: nothing here may need a relocation. What they cannot tell they ask the kernel,
 * with the program's own arguments. A pointer that cannot be written is the program's own fault: a signal, as by any
 * store of its own, and not EFAULT.
 *
 * Source   Linux man-pages, vdso(7), clock_gettime(2), gettimeofday(2), time(2).
 */
#include "base/vdso_data.h"

#include "cpu.h"

#define SECOND 1000000000u

#define EXPORTED __attribute__((visibility("default")))

enum { CALL_CLOCK_GETTIME = 265, CALL_CLOCK_GETRES = 266, CALL_CLOCK_GETTIME64 = 403 };

/* Linux's clocks that are the kernel's clock_wall() and clock_now() (linux/time.c), a bit each; and the others. */
enum {
    REALTIME = 0, MONOTONIC = 1, MONOTONIC_RAW = 4, REALTIME_COARSE = 5, MONOTONIC_COARSE = 6, BOOTTIME = 7, TAI = 11,
    WALL = 1 << REALTIME | 1 << REALTIME_COARSE | 1 << TAI,
    KNOWN = WALL | 1 << MONOTONIC | 1 << MONOTONIC_RAW | 1 << MONOTONIC_COARSE | 1 << BOOTTIME,
};

struct time32  { uint32_t seconds, nanoseconds; };
struct time64  { uint32_t seconds, seconds_high, nanoseconds, pad; };
struct timeval { uint32_t seconds, microseconds; };
struct zone    { uint32_t minutes_west, summer_time; };

static inline long ask_kernel(long call, uintptr_t a, uintptr_t b)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "0"(call), "b"(a), "c"(b) : "memory");
    return result;
}

/* The page below this image (vdso.ld). */
static inline const struct vdso_data *data_page(void)
{
    const struct vdso_data *data;

    __asm__("call 1f\n\t.cfi_adjust_cfa_offset 4\n1:\tpopl %0\n\t.cfi_adjust_cfa_offset -4\n\t"
            "addl $vdso_data - 1b, %0" : "=r"(data) : : "cc");
    return data;
}

/* Whether a clock is one of a set; BITS is above all of their numbers, and below that of the processor's shift. */
static inline bool is_one_of(unsigned clock, unsigned set)
{
    enum { BITS = 32 };

    return clock < BITS && (set >> clock & 1);
}

/* bound: as often as the kernel writes meanwhile, a few times in a machine's life. */
static inline uint64_t read_time(const struct vdso_data *data, bool wall)
{
    uint32_t seen;
    uint64_t now;

    do {
        seen = vdso_data_begin(data);
        now  = vdso_data_time(data, cpu_ticks(), wall);
    } while (!vdso_data_is_whole(data, seen));
    return now;
}

static long clock_gettime64(unsigned clock, struct time64 *to)
{
    const struct vdso_data *data = data_page();
    uint64_t                now;
    uint32_t                high, rest;

    if (!is_one_of(clock, KNOWN) || !vdso_data_has_time(data))
        return ask_kernel(CALL_CLOCK_GETTIME64, clock, (uintptr_t)to);
    now  = read_time(data, is_one_of(clock, WALL));
    high = cpu_divide(now >> 32, SECOND, &rest);        /* a clock can be set so far that seconds have 33 bits */
    to->seconds_high = high;
    to->seconds      = cpu_divide((uint64_t)rest << 32 | (uint32_t)now, SECOND, &rest);
    to->nanoseconds  = rest;
    to->pad          = 0;
    return 0;
}

EXPORTED long __vdso_clock_gettime64(unsigned clock, struct time64 *to) __attribute__((alias("clock_gettime64")));

EXPORTED long __vdso_clock_gettime(unsigned clock, struct time32 *to)
{
    struct time64 now;

    if (!is_one_of(clock, KNOWN))
        return ask_kernel(CALL_CLOCK_GETTIME, clock, (uintptr_t)to);
    clock_gettime64(clock, &now);
    *to = (struct time32){ now.seconds, now.nanoseconds };
    return 0;
}

EXPORTED long __vdso_clock_getres(unsigned clock, struct time32 *to)
{
    if (!is_one_of(clock, KNOWN))
        return ask_kernel(CALL_CLOCK_GETRES, clock, (uintptr_t)to);
    if (to != NULL)
        *to = (struct time32){ 0, 1 };
    return 0;
}

EXPORTED long __vdso_gettimeofday(struct timeval *to, struct zone *zone)
{
    struct time64 now;

    clock_gettime64(REALTIME, &now);
    if (to != NULL)
        *to = (struct timeval){ now.seconds, now.nanoseconds / 1000 };
    if (zone != NULL)
        *zone = (struct zone){ 0, 0 };
    return 0;
}

EXPORTED long __vdso_time(uint32_t *to)
{
    struct time64 now;

    clock_gettime64(REALTIME, &now);
    if (to != NULL)
        *to = now.seconds;
    return (long)now.seconds;
}
