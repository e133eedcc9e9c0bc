/*
 * system.c - names and sizes of the system, resource usage, scheduling.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/random.h"
#include "base/string.h"
#include "linux/calls.h"
#include "linux/structures.h"
#include "memory/frames/frame.h"
#include "memory/pageout/swap.h"
#include "process/credentials.h"
#include "process/family.h"
#include "process/load.h"
#include "process/machine_names.h"
#include "process/process.h"

/* ---- Names and sizes ----------------------------------------------------------------------- */

enum { NAME_BYTES = 65 };
struct linux_names { char system[NAME_BYTES], node[NAME_BYTES], release[NAME_BYTES], version[NAME_BYTES],
                     machine[NAME_BYTES],
                          domain[NAME_BYTES]; };

/* Programs compare the release with the one of Linux that they need, so it is a release of Linux. */
SYSTEM_CALL(uname, user_t, to)
{
    struct linux_names names;

    memset(&names, 0, sizeof names);
    memcpy(names.system, "Linux", sizeof "Linux");
    machine_name_copy(NAME_OF_HOST, names.node);
    memcpy(names.release, "6.1.0-quire", sizeof "6.1.0-quire");
    memcpy(names.version, "Quire", sizeof "Quire");
    memcpy(names.machine, "i686", sizeof "i686");
    machine_name_copy(NAME_OF_DOMAIN, names.domain);
    return user_write(to, &names, sizeof names);
}

static long set_machine_name(enum machine_name which, user_t from, int bytes)
{
    char name[MACHINE_NAME];

    if (!has_capability(CAP_SYS_ADMIN))
        return -EPERM;
    if (bytes < 0 || bytes >= MACHINE_NAME)
        return -EINVAL;
    if (user_read(name, from, (size_t)bytes) != 0)
        return -EFAULT;
    machine_name_set(which, name, (size_t)bytes);
    return 0;
}

SYSTEM_CALL(sethostname, user_t, name, int, bytes)   { return set_machine_name(NAME_OF_HOST, name, bytes); }
SYSTEM_CALL(setdomainname, user_t, name, int, bytes) { return set_machine_name(NAME_OF_DOMAIN, name, bytes); }

struct linux_sysinfo {
    int32_t  uptime;
    uint32_t loads[3], total, free, shared, buffers, total_swap, free_swap;
    uint16_t processes, pad;
    uint32_t total_high, free_high, unit;
    char     fill[8];
};
enum { SYSINFO_LOAD_SHIFT = 16 };
_Static_assert(sizeof(struct linux_sysinfo) == 64, "struct sysinfo");

SYSTEM_CALL(sysinfo, user_t, to)
{
    struct swap_sums     swap;
    struct frame_sums    sums;
    struct linux_sysinfo info = { .uptime = (int32_t)(clock_now() / NANOSECONDS),
                                  .processes = (uint16_t)processes_alive(), .unit = PAGE_SIZE };

    frames_sums(&sums);
    schedule_load(info.loads);
    for (unsigned i = 0; i < LOADS; i++)
        info.loads[i] <<= SYSINFO_LOAD_SHIFT - LOAD_SHIFT;
    info.total   = sums.ram;
    info.free    = sums.owned[OWNER_FREE];
    swap_sums(&swap);
    info.total_swap = swap_total(&swap);
    info.free_swap  = swap.device - swap.written;
    info.shared  = sums.owned[OWNER_SHARED];
    info.buffers = 0;
    return user_write(to, &info, sizeof info);
}

/*
 * The kernel's log. What the kernel says goes to its console alone, so here the log is empty for ever: reading waits
 * until a signal comes. Strangers may not ask at all: /proc/sys/kernel/dmesg_restrict.
 */
enum {
    LOG_CLOSE, LOG_OPEN, LOG_READ, LOG_READ_ALL, LOG_READ_CLEAR, LOG_CLEAR, LOG_CONSOLE_OFF, LOG_CONSOLE_ON,
    LOG_CONSOLE_LEVEL, LOG_UNREAD, LOG_SIZE, LOG_LEVELS = 8,
};

static long read_log(user_t to, int bytes, bool wait)
{
    if (to == 0 || bytes < 0)
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (!user_range(to, (size_t)bytes))
        return -EFAULT;
    while (wait && !signal_pending(current_thread()))
        wait_on(&current_thread()->never, NULL, NULL, NEVER, WAIT_SIGNALS);
    return wait ? -ERESTARTSYS : 0;
}

SYSTEM_CALL(syslog, int, what, user_t, to, int, bytes)
{
    if (!has_capability(CAP_SYSLOG) && !has_capability(CAP_SYS_ADMIN))
        return -EPERM;
    switch (what) {
    case LOG_READ: case LOG_READ_ALL: case LOG_READ_CLEAR:
        return read_log(to, bytes, what == LOG_READ);
    case LOG_CONSOLE_LEVEL:
        return bytes < 1 || bytes > LOG_LEVELS ? -EINVAL : 0;
    default:
        return what < LOG_CLOSE || what > LOG_SIZE ? -EINVAL : 0;
    }
}

enum { USAGE_CHILDREN = -1, USAGE_SELF = 0, USAGE_THREAD = 1 };

SYSTEM_CALL(getrusage, int, who, user_t, to)
{
    struct process    *p = current_process();
    struct resource_usage       used;
    struct linux_usage encoded;

    if (who != USAGE_CHILDREN && who != USAGE_SELF && who != USAGE_THREAD)
        return -EINVAL;
    process_usage(p, &used);
    if (who == USAGE_CHILDREN) {
        used = p->children_used;
    } else if (who == USAGE_THREAD) {
        uint64_t peak = used.peak;              /* the memory is the process's */

        thread_usage(current_thread(), &used);
        used.peak = peak;
    }
    usage_encode(&encoded, &used);
    return user_write(to, &encoded, sizeof encoded);
}

enum { RANDOM_FLAGS = 7, RANDOM_PIECE = 256, RANDOM_BETWEEN = 4096 };

SYSTEM_CALL(getrandom, user_t, to, size_t, count, unsigned, flags)
{
    uint8_t piece[RANDOM_PIECE];
    size_t  done = 0;

    if (flags & ~(uintptr_t)RANDOM_FLAGS || (flags & 6) == 6)
        return -EINVAL;
    while (done < count && done < 0x1FFFFFF) {
        size_t part = count - done < RANDOM_PIECE ? count - done : RANDOM_PIECE;

        random_bytes(piece, part);
        if (user_write(to + done, piece, part) != 0)
            return done > 0 ? (long)done : -EFAULT;
        done += part;
        if (done % RANDOM_BETWEEN == 0 && schedule_between() != 0)
            break;
    }
    return (long)done;
}

/* ---- Scheduling: one CPU; policies and priorities are stored, but all turns have the same length ----- */

enum { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE = 5, SCHED_DEADLINE = 6, PRIORITY_MOST = 99 };
enum { SCHED_RESET_ON_FORK = 0x40000000, SLICE_NANOSECONDS = 50000000 };

static struct thread *thread_meant(uintptr_t id) { return id == 0 ? current_thread() : thread_find((int32_t)id); }

SYSTEM_CALL(sched_yield)
{
    schedule();
    return 0;
}

SYSTEM_CALL(sched_getaffinity, int32_t, id, size_t, bytes, user_t, to)
{
    uint32_t mask = 1;

    if (bytes < sizeof mask || bytes % sizeof mask != 0)
        return -EINVAL;
    if (thread_meant(id) == NULL)
        return -ESRCH;
    return user_write(to, &mask, sizeof mask) != 0 ? -EFAULT : (long)sizeof mask;
}

/* A thread of another user may be changed only by a process that may change its niceness. */
static bool may_schedule(const struct thread *thread)
{
    uint32_t                   self = credentials_acting()->user.effective;
    const struct user_numbers *user;

    deep_assert(thread != NULL);
    user = &thread->credentials->user;
    return self == user->effective || self == user->real || has_capability(CAP_SYS_NICE);
}

SYSTEM_CALL(sched_setaffinity, int32_t, id, size_t, bytes, user_t, from)
{
    uint32_t       mask = 0;
    struct thread *thread;

    if (bytes > 0 && user_read(&mask, from, bytes < sizeof mask ? bytes : sizeof mask) != 0)
        return -EFAULT;
    thread = thread_meant(id);                  /* not before: it may end while the mask is read */
    if (thread == NULL)
        return -ESRCH;
    if (!may_schedule(thread))
        return -EPERM;
    return mask & 1 ? 0 : -EINVAL;
}

static bool is_real_time(int32_t policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }

static bool is_policy(int32_t policy, int32_t priority)
{
    if (is_real_time(policy))
        return priority >= 1 && priority <= PRIORITY_MOST;
    return (policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE) && priority == 0;
}

static long set_policy(struct thread *thread, int32_t policy, bool resets, int32_t priority)
{
    bool more;

    deep_assert(thread != NULL);
    more = is_real_time(policy) && (!is_real_time(thread->policy) || priority > thread->priority);
    if (!is_policy(policy, priority))
        return -EINVAL;
    if (!may_schedule(thread) || (more && (uint64_t)priority > thread->process->limits[RLIMIT_RTPRIO].soft &&
                                  !has_capability(CAP_SYS_NICE)))
        return -EPERM;
    thread->policy         = policy;
    thread->priority       = priority;
    thread->resets_on_fork = resets;
    return 0;
}

/* The thread, and the priority that the program wants it to have. */
static long read_policy_wish(uintptr_t id, user_t from, struct thread **thread, int32_t *priority)
{
    deep_assert(priority != NULL);
    if (from == 0 || (int32_t)id < 0)
        return -EINVAL;
    if (user_read(priority, from, sizeof *priority) != 0)
        return -EFAULT;
    *thread = thread_meant(id);
    return *thread == NULL ? -ESRCH : 0;
}

SYSTEM_CALL(sched_setscheduler, int32_t, id, int32_t, policy, user_t, from)
{
    struct thread *thread;
    int32_t        priority;
    long           err = policy < 0 ? -EINVAL : read_policy_wish(id, from, &thread, &priority);

    return err != 0 ? err : set_policy(thread, policy & ~SCHED_RESET_ON_FORK, policy & SCHED_RESET_ON_FORK, priority);
}

SYSTEM_CALL(sched_setparam, int32_t, id, user_t, from)
{
    struct thread *thread;
    int32_t        priority;
    long           err = read_policy_wish(id, from, &thread, &priority);

    return err != 0 ? err : set_policy(thread, thread->policy, thread->resets_on_fork, priority);
}

SYSTEM_CALL(sched_getscheduler, int32_t, id)
{
    const struct thread *thread = id < 0 ? NULL : thread_meant(id);

    if (thread == NULL)
        return id < 0 ? -EINVAL : -ESRCH;
    return thread->policy | (thread->resets_on_fork ? SCHED_RESET_ON_FORK : 0);
}

SYSTEM_CALL(sched_getparam, int32_t, id, user_t, to)
{
    const struct thread *thread = id < 0 ? NULL : thread_meant(id);

    int32_t              priority;

    if (to == 0 || id < 0)
        return -EINVAL;
    if (thread == NULL)
        return -ESRCH;
    priority = thread->priority;                /* the thread may end while it is written */
    return user_write(to, &priority, sizeof priority);
}

static long priority_range(uintptr_t policy, long real_time)
{
    return is_real_time((int32_t)policy) ? real_time : policy <= SCHED_DEADLINE && policy != 4 ? 0 : -EINVAL;
}

SYSTEM_CALL(sched_get_priority_max, int, policy) { return priority_range(policy, PRIORITY_MOST); }
SYSTEM_CALL(sched_get_priority_min, int, policy) { return priority_range(policy, 1); }

/* As on Linux, a FIFO thread's turn has no end: 0. */
static long tell_slice(uintptr_t id, user_t to, int (*write)(user_t to, uint64_t nanoseconds))
{
    const struct thread *thread = (int32_t)id < 0 ? NULL : thread_meant(id);

    deep_assert(write != NULL);
    if (thread == NULL)
        return (int32_t)id < 0 ? -EINVAL : -ESRCH;
    return write(to, thread->policy == SCHED_FIFO ? 0 : SLICE_NANOSECONDS);
}

SYSTEM_CALL(sched_rr_get_interval, int32_t, id, user_t, to) { return tell_slice(id, to, time_write32); }
SYSTEM_CALL(sched_rr_get_interval_time64, int32_t, id, user_t, to) { return tell_slice(id, to, time_write64); }

SYSTEM_CALL(getcpu, user_t, cpu, user_t, node)
{
    uint32_t zero = 0;

    if ((cpu != 0 && user_write(cpu, &zero, sizeof zero) != 0) ||
        (node != 0 && user_write(node, &zero, sizeof zero) != 0))
        return -EFAULT;
    return 0;
}
