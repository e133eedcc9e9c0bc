/*
 * system.c - what a program may ask about the system and itself: names, sizes, limits, scheduling.
 */
#include "base/error.h"
#include "base/random.h"
#include "base/string.h"
#include "linux/calls.h"
#include "linux/structures.h"
#include "memory/frames/frame.h"
#include "process/family.h"
#include "process/load.h"
#include "process/process.h"

/* ---- Names and sizes ----------------------------------------------------------------------- */

enum { NAME_BYTES = 65 };
struct linux_names { char system[NAME_BYTES], node[NAME_BYTES], release[NAME_BYTES], version[NAME_BYTES], machine[NAME_BYTES],
                          domain[NAME_BYTES]; };

/* Programs compare the release with what they need of Linux's interface, so it is a Linux release. */
SYSTEM_CALL(uname)
{
    struct linux_names names;

    memset(&names, 0, sizeof names);
    text_copy(names.system, "Linux", NAME_BYTES);
    text_copy(names.node, "quire", NAME_BYTES);
    text_copy(names.release, "6.1.0-quire", NAME_BYTES);
    text_copy(names.version, "Quire", NAME_BYTES);
    text_copy(names.machine, "i686", NAME_BYTES);
    text_copy(names.domain, "(none)", NAME_BYTES);
    return user_write(a, &names, sizeof names);
}

struct linux_sysinfo {
    int32_t  uptime;
    uint32_t loads[3], total, free, shared, buffers, total_swap, free_swap;
    uint16_t processes, pad;
    uint32_t total_high, free_high, unit;
    char     fill[8];
};
enum { SYSINFO_LOAD_SHIFT = 16 };
_Static_assert(sizeof(struct linux_sysinfo) == 64, "struct sysinfo");

SYSTEM_CALL(sysinfo)
{
    struct frame_sums    sums;
    struct linux_sysinfo info = { .uptime = (int32_t)(clock_now() / NANOSECONDS), .processes = (uint16_t)processes_alive(),
                                  .unit = PAGE_SIZE };

    frames_sums(&sums);
    schedule_load(info.loads);
    for (unsigned i = 0; i < LOADS; i++)
        info.loads[i] <<= SYSINFO_LOAD_SHIFT - LOAD_SHIFT;
    info.total   = sums.ram;
    info.free    = sums.owned[OWNER_FREE];
    info.shared  = sums.owned[OWNER_SHARED];
    info.buffers = 0;
    return user_write(a, &info, sizeof info);
}

enum { USAGE_CHILDREN = -1, USAGE_SELF = 0, USAGE_THREAD = 1 };

SYSTEM_CALL(getrusage)
{
    struct process    *p = current_process();
    struct resource_usage       used;
    struct linux_usage encoded;
    int                who = (int)a;

    if (who != USAGE_CHILDREN && who != USAGE_SELF && who != USAGE_THREAD)
        return -EINVAL;
    process_usage(p, &used);
    if (who == USAGE_CHILDREN) {
        used = p->children_used;
    } else if (who == USAGE_THREAD) {
        uint64_t peak = used.peak;              /* the memory is the process's */

        used = current_thread()->used;
        used.peak = peak;
    }
    usage_encode(&encoded, &used);
    return user_write(b, &encoded, sizeof encoded);
}

enum { RANDOM_FLAGS = 7, RANDOM_PIECE = 256, RANDOM_BETWEEN = 4096 };

SYSTEM_CALL(getrandom)
{
    uint8_t piece[RANDOM_PIECE];
    size_t  done = 0;

    if (c & ~(uintptr_t)RANDOM_FLAGS || (c & 6) == 6)
        return -EINVAL;
    while (done < b && done < 0x1FFFFFF) {
        size_t part = b - done < RANDOM_PIECE ? b - done : RANDOM_PIECE;

        random_bytes(piece, part);
        if (user_write(a + done, piece, part) != 0)
            return done > 0 ? (long)done : -EFAULT;
        done += part;
        if (done % RANDOM_BETWEEN == 0 && schedule_between() != 0)
            break;
    }
    return (long)done;
}

/* ---- Scheduling: one CPU, one policy ----------------------------------------------------------------- */

static bool exists(uintptr_t id) { return id == 0 || thread_find((int32_t)id) != NULL; }

SYSTEM_CALL(sched_yield)
{
    schedule();
    return 0;
}

SYSTEM_CALL(sched_getaffinity)
{
    uint32_t mask = 1;

    if (b < sizeof mask || b % sizeof mask != 0)
        return -EINVAL;
    if (!exists(a))
        return -ESRCH;
    return user_write(c, &mask, sizeof mask) != 0 ? -EFAULT : (long)sizeof mask;
}

SYSTEM_CALL(sched_setaffinity)
{
    uint8_t first = 0;

    if (!exists(a))
        return -ESRCH;
    if (b > 0 && user_read(&first, c, 1) != 0)
        return -EFAULT;
    return first & 1 ? 0 : -EINVAL;
}

SYSTEM_CALL(sched_getscheduler) { return (int32_t)a < 0 ? -EINVAL : exists(a) ? 0 : -ESRCH; }
SYSTEM_CALL(sched_setscheduler)
{
    int32_t priority;

    if (!exists(a))
        return -ESRCH;
    if (user_read(&priority, c, sizeof priority) != 0)
        return -EFAULT;
    return b == 0 && priority == 0 ? 0 : b > 6 || b == 4 ? -EINVAL : -EPERM;
}

SYSTEM_CALL(sched_getparam)
{
    int32_t priority = 0;

    return !exists(a) ? -ESRCH : user_write(b, &priority, sizeof priority);
}

SYSTEM_CALL(sched_setparam)
{
    int32_t priority;

    if (!exists(a))
        return -ESRCH;
    return user_read(&priority, b, sizeof priority) != 0 ? -EFAULT : priority == 0 ? 0 : -EINVAL;
}

static long priority_range(uintptr_t policy, long real_time)
{
    return policy == 1 || policy == 2 ? real_time : policy <= 6 && policy != 4 ? 0 : -EINVAL;
}

SYSTEM_CALL(sched_get_priority_max) { return priority_range(a, 99); }
SYSTEM_CALL(sched_get_priority_min) { return priority_range(a, 1); }
SYSTEM_CALL(sched_rr_get_interval)        { return exists(a) ? time_write32(b, 50000000) : -ESRCH; }
SYSTEM_CALL(sched_rr_get_interval_time64) { return exists(a) ? time_write64(b, 50000000) : -ESRCH; }

SYSTEM_CALL(getcpu)
{
    uint32_t zero = 0;

    if ((a != 0 && user_write(a, &zero, sizeof zero) != 0) || (b != 0 && user_write(b, &zero, sizeof zero) != 0))
        return -EFAULT;
    return 0;
}
