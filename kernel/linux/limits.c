/*
 * limits.c - resource limits.
 *
 * All limits are stored and can be read. Enforced are RLIMIT_CPU, FSIZE, DATA, STACK, NPROC, NOFILE, AS, SIGPENDING; no
 * core is ever written.
 *
 * Source   Linux man-pages, getrlimit(2).
 */
#include "base/check.h"
#include "base/error.h"
#include "linux/calls.h"
#include "memory/spaces/user.h"
#include "process/credentials.h"
#include "process/family.h"

/* ---- Limits ------------------------------------------------------------------------------------- */

enum { FILES_MOST = 1048576 };
#define OLD_INFINITY 0x7FFFFFFFu

static size_t as_size(const struct limit *limit) { return limit->soft > SIZE_MAX ? SIZE_MAX : (size_t)limit->soft; }

static void apply_limits(struct process *p)
{
    struct map_limits *limits;

    deep_assert(p != NULL);
    if (p->memory == NULL)                      /* process 1, and one that has ended */
        return;
    limits = &p->memory->space.limits;
    limits->stack = as_size(&p->limits[RLIMIT_STACK]);
    limits->data  = as_size(&p->limits[RLIMIT_DATA]);
    limits->whole = as_size(&p->limits[RLIMIT_AS]);
    if (limits->locked != SIZE_MAX)             /* else who locked had the capability to lock without limit */
        limits->locked = as_size(&p->limits[RLIMIT_MEMLOCK]);
}

static uint32_t narrow(uint64_t limit, uint32_t most) { return limit > most ? most : (uint32_t)limit; }
static uint64_t widen_limit(uint32_t limit)                 { return limit == UINT32_MAX ? LIMIT_NONE : limit; }

static long tell_limit(uintptr_t which, user_t to, uint32_t most)
{
    uint32_t pair[2];

    if (which >= LIMITS)
        return -EINVAL;
    pair[0] = narrow(current_process()->limits[which].soft, most);
    pair[1] = narrow(current_process()->limits[which].hard, most);
    return user_write(to, pair, sizeof pair);
}

SYSTEM_CALL(getrlimit, unsigned, which, user_t, to) { return tell_limit(which, to, UINT32_MAX); }
SYSTEM_CALL(old_getrlimit, unsigned, which, user_t, to) { return tell_limit(which, to, OLD_INFINITY); }

static int set_limit(struct process *p, uintptr_t which, struct limit limit)
{
    deep_assert(p != NULL);
    assert(which < LIMITS);
    if (limit.soft > limit.hard)
        return -EINVAL;
    if ((which == RLIMIT_NOFILE && limit.hard > FILES_MOST) ||
        (limit.hard > p->limits[which].hard && !has_capability(CAP_SYS_RESOURCE)))
        return -EPERM;
    p->limits[which] = limit;
    apply_limits(p);
    if (which == RLIMIT_CPU)
        process_watch_cpu_limit(p);
    return 0;
}

SYSTEM_CALL(setrlimit, unsigned, which, user_t, from)
{
    uint32_t pair[2];

    if (user_read(pair, from, sizeof pair) != 0)
        return -EFAULT;
    return which >= LIMITS ? -EINVAL :
           set_limit(current_process(), which, (struct limit){ widen_limit(pair[0]), widen_limit(pair[1]) });
}

/* The process that a number means, which may be a thread's; 0: the caller's. */
static struct process *process_meant(int32_t id)
{
    struct thread *thread = id != 0 ? thread_find(id) : current_thread();

    return thread != NULL ? thread->process : process_find(id);
}

/* True when all user and group numbers of the other process are the caller's, or the caller has CAP_SYS_RESOURCE. */
static bool may_limit(const struct process *p)
{
    const struct credentials  *self = credentials_acting();
    const struct user_numbers *user, *group;

    deep_assert(p != NULL);
    user  = &p->credentials->user;
    group = &p->credentials->group;
    return p == current_process() || has_capability(CAP_SYS_RESOURCE) ||
           (self->user.real == user->effective && self->user.real == user->saved && self->user.real == user->real &&
            self->group.real == group->effective && self->group.real == group->saved &&
            self->group.real == group->real);
}

SYSTEM_CALL(prlimit64, int32_t, id, unsigned, which, user_t, from, user_t, to)
{
    struct process *p;
    struct limit    old, new;
    int             err = 0;

    if (from != 0 && user_read(&new, from, sizeof new) != 0)
        return -EFAULT;
    p = process_meant(id);
    if (p == NULL)
        return -ESRCH;
    if (!may_limit(p))
        return -EPERM;
    if (which >= LIMITS)
        return -EINVAL;
    old = p->limits[which];
    if (from != 0)
        err = set_limit(p, which, new);
    return err != 0 || to == 0 ? err : user_write(to, &old, sizeof old);
}
