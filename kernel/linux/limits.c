/*
 * limits.c - resource limits, and niceness.
 *
 * All limits are stored and can be read. Enforced are RLIMIT_CPU, FSIZE, DATA, STACK, NPROC, NOFILE, AS, SIGPENDING; no
 * core is ever written, and niceness does not change the length of a thread's turn.
 *
 * Source   Linux man-pages, getrlimit(2), getpriority(2).
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

static void apply_limits(struct process *p)
{
    struct map_limits *limits;

    deep_assert(p != NULL);
    limits = &p->memory->space.limits;
    limits->stack = p->limits[RLIMIT_STACK].soft > SIZE_MAX ? SIZE_MAX : (size_t)p->limits[RLIMIT_STACK].soft;
    limits->data  = p->limits[RLIMIT_DATA].soft > SIZE_MAX ? SIZE_MAX : (size_t)p->limits[RLIMIT_DATA].soft;
    limits->whole = p->limits[RLIMIT_AS].soft > SIZE_MAX ? SIZE_MAX : (size_t)p->limits[RLIMIT_AS].soft;
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
    if (p == NULL || p->memory == NULL)
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

/* ---- Niceness ------------------------------------------------------------------------------------- */

enum { PRIO_PROCESS, PRIO_GROUP, PRIO_USER, NICE_LEAST = -20, NICE_MOST = 19, NICE_ZERO = 20 };

/* A request for all threads that the call's `which` and `who` select. */
struct niceness {
    int32_t  nice;
    uint32_t uid;
    bool     of_user;
    int      found, err;                        /* threads; an error of one of them             */
    int32_t  best;                              /* the highest NICE_ZERO - nice found           */
    void   (*each)(struct niceness *request, struct thread *thread);
};

static void find_best(struct niceness *request, struct thread *thread)
{
    deep_assert(request != NULL && thread != NULL);
    if (request->best < NICE_ZERO - thread->nice)
        request->best = NICE_ZERO - thread->nice;
}

/* RLIMIT_NICE is 20 minus the lowest niceness that a thread may be given. */
static bool may_be_as_nice(const struct thread *thread, int32_t nice)
{
    deep_assert(thread != NULL);
    return nice >= thread->nice || (uint64_t)(NICE_ZERO - nice) <= thread->process->limits[RLIMIT_NICE].soft ||
           has_capability(CAP_SYS_NICE);
}

static void make_nice(struct niceness *request, struct thread *thread)
{
    uint32_t                   self = credentials_acting()->user.effective;
    const struct user_numbers *user;

    deep_assert(request != NULL && thread != NULL);
    user = &thread->credentials->user;
    if (user->real != self && user->effective != self && !has_capability(CAP_SYS_NICE))
        request->err = -EPERM;
    else if (!may_be_as_nice(thread, request->nice))
        request->err = -EACCES;
    else
        thread->nice = request->nice;
}

static void visit_threads(struct process *p, void *data)
{
    struct niceness *request = data;

    deep_assert(p != NULL && data != NULL);
    for (struct thread *t = p->threads; t != NULL; t = t->next_in_process)
        if (!request->of_user || t->credentials->user.real == request->uid) {
            request->found++;
            request->each(request, t);
        }
}

static void visit_target(int32_t id, struct niceness *request)
{
    deep_assert(request != NULL);
    lock_state     state  = lock_take(&process_lock);
    struct thread *thread = id == 0 ? current_thread() : thread_numbered(id);

    if (thread != NULL) {
        request->found++;
        request->each(request, thread);
    }
    lock_drop(&process_lock, state);
}

/* Returns 0, -EINVAL, or -ESRCH when there is no such thread. */
static int visit_targets(uintptr_t which, int32_t who, struct niceness *request)
{
    deep_assert(request != NULL);
    switch (which) {
    case PRIO_PROCESS:
        visit_target(who, request);
        break;
    case PRIO_GROUP:
        process_each_in_group(who != 0 ? who : current_process()->group, visit_threads, request);
        break;
    case PRIO_USER:
        request->of_user = true;
        request->uid     = who != 0 ? (uint32_t)who : credentials_acting()->user.real;
        process_each(visit_threads, request);
        break;
    default:
        return -EINVAL;
    }
    return request->found > 0 ? request->err : -ESRCH;
}

/* Linux's answers are 20 minus the niceness, so that none looks like an error. */
SYSTEM_CALL(getpriority, int, which, int32_t, who)
{
    struct niceness request = { .each = find_best };
    int             err     = visit_targets(which, who, &request);

    return err != 0 ? err : request.best;
}

static int32_t within_niceness(int32_t nice) { return nice < NICE_LEAST ? NICE_LEAST : nice > NICE_MOST ? NICE_MOST :
                                               nice; }

SYSTEM_CALL(setpriority, int, which, int32_t, who, int32_t, wanted)
{
    struct niceness request = { .nice = within_niceness(wanted), .each = make_nice };

    return visit_targets(which, who, &request);
}

SYSTEM_CALL(nice, int32_t, step)
{
    int32_t more = step < -40 ? -40 : step > 40 ? 40 : step;
    int32_t nice = within_niceness(current_thread()->nice + more);

    if (more < 0 && !may_be_as_nice(current_thread(), nice))
        return -EPERM;
    current_thread()->nice = nice;
    return 0;
}
