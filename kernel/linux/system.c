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

enum { RANDOM_FLAGS = 7, RANDOM_PIECE = 256 };

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
    }
    return (long)done;
}

/* ---- Limits ------------------------------------------------------------------------------------- */

static void apply_limits(struct process *p)
{
    struct map_limits *limits = &p->memory->space.limits;

    limits->stack = p->limits[RLIMIT_STACK].soft > SIZE_MAX ? SIZE_MAX : (size_t)p->limits[RLIMIT_STACK].soft;
    limits->data  = p->limits[RLIMIT_DATA].soft > SIZE_MAX ? SIZE_MAX : (size_t)p->limits[RLIMIT_DATA].soft;
    limits->whole = p->limits[RLIMIT_AS].soft > SIZE_MAX ? SIZE_MAX : (size_t)p->limits[RLIMIT_AS].soft;
}

static uint32_t narrow(uint64_t limit) { return limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit; }
static uint64_t widen(uint32_t limit)  { return limit == UINT32_MAX ? LIMIT_NONE : limit; }

SYSTEM_CALL(getrlimit)
{
    uint32_t pair[2];

    if (a >= LIMITS)
        return -EINVAL;
    pair[0] = narrow(current_process()->limits[a].soft);
    pair[1] = narrow(current_process()->limits[a].hard);
    return user_write(b, pair, sizeof pair);
}

static int set_limit(struct process *p, uintptr_t which, struct limit limit)
{
    if (limit.soft > limit.hard || (which == RLIMIT_NOFILE && limit.hard > 1048576))
        return limit.soft > limit.hard ? -EINVAL : -EPERM;
    p->limits[which] = limit;
    apply_limits(p);
    return 0;
}

SYSTEM_CALL(setrlimit)
{
    uint32_t pair[2];

    if (a >= LIMITS)
        return -EINVAL;
    if (user_read(pair, b, sizeof pair) != 0)
        return -EFAULT;
    return set_limit(current_process(), a, (struct limit){ widen(pair[0]), widen(pair[1]) });
}

SYSTEM_CALL(prlimit64)
{
    struct process *p = a == 0 ? current_process() : process_find((int32_t)a);
    struct limit    old, new;
    int             err;

    if (b >= LIMITS)
        return -EINVAL;
    if (p == NULL || p->memory == NULL)
        return -ESRCH;
    old = p->limits[b];
    if (c != 0) {
        if (user_read(&new, c, sizeof new) != 0)
            return -EFAULT;
        err = set_limit(p, b, new);
        if (err != 0)
            return err;
    }
    return d != 0 ? user_write(d, &old, sizeof old) : 0;
}

/* ---- prctl, personality, capabilities -------------------------------------------------------------- */

enum {
    PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG = 2, PR_GET_DUMPABLE = 3, PR_SET_DUMPABLE = 4, PR_SET_NAME = 15, PR_GET_NAME = 16,
    PR_CAPBSET_READ = 23, PR_CAPBSET_DROP = 24, PR_SET_NO_NEW_PRIVS = 38, PR_GET_NO_NEW_PRIVS = 39, CAPABILITIES = 41,
};

static long set_name(user_t from)
{
    char name[16];
    long length = user_read_text(name, from, sizeof name);

    if (length == -EFAULT)
        return length;
    name[sizeof name - 1] = '\0';
    memcpy(current_thread()->name, name, sizeof name);
    if (current_thread()->id == current_process()->id)
        memcpy(current_process()->name, name, sizeof name);
    return 0;
}

SYSTEM_CALL(prctl)
{
    struct process *p = current_process();

    switch (a) {
    case PR_SET_NAME:         return set_name(b);
    case PR_GET_NAME:         return user_write(b, current_thread()->name, sizeof current_thread()->name);
    case PR_SET_PDEATHSIG:    return b > SIGNALS ? -EINVAL : (p->parent_death_signal = (int)b, 0);
    case PR_GET_PDEATHSIG:    return user_write(b, &p->parent_death_signal, sizeof p->parent_death_signal);
    case PR_GET_DUMPABLE:     return 1;
    case PR_SET_DUMPABLE:     return b > 1 ? -EINVAL : 0;
    case PR_CAPBSET_READ:     return b >= CAPABILITIES ? -EINVAL : 1;
    case PR_GET_NO_NEW_PRIVS: return 0;
    default:                  return -EINVAL;
    }
}

SYSTEM_CALL(personality) { return a == 0xFFFFFFFF || a == 0 || a == 0x0008 || a == 0x40000 ? 0 : -EINVAL; }

/* Root has all capabilities; nothing here can give one up. */
SYSTEM_CALL(capget)
{
    uint32_t header[2], sets[6] = { ~0u, ~0u, 0, (1u << (CAPABILITIES - 32)) - 1, (1u << (CAPABILITIES - 32)) - 1, 0 };
    uint32_t version;

    if (user_read(header, a, sizeof header) != 0)
        return -EFAULT;
    version = header[0];
    if (version != 0x19980330 && version != 0x20071026 && version != 0x20080522) {
        header[0] = 0x20080522;
        return user_write(a, header, sizeof header) != 0 ? -EFAULT : b == 0 ? 0 : -EINVAL;
    }
    return b == 0 ? 0 : user_write(b, sets, version == 0x19980330 ? 12 : sizeof sets);
}

SYSTEM_CALL(capset) { return -EPERM; }

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

/* Everybody is equally nice; Linux's answers are 20 minus the niceness. */
SYSTEM_CALL(getpriority) { return a > 2 ? -EINVAL : 20; }
SYSTEM_CALL(setpriority) { return a > 2 ? -EINVAL : 0; }
SYSTEM_CALL(nice)        { return 0; }
