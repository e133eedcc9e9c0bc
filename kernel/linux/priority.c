/*
 * priority.c - niceness, and priorities of input and output.
 *
 * Both are kept, inherited and told; neither changes the length of a thread's turn, and no device has a queue.
 *
 * Source   Linux man-pages, getpriority(2), ioprio_get(2); Linux's own source for the order of answers.
 */
#include "base/check.h"
#include "base/error.h"
#include "linux/calls.h"
#include "process/credentials.h"
#include "process/family.h"

enum { NICE_LEAST = -20, NICE_MOST = 19, NICE_ZERO = 20 };

/* ---- Threads that a call selects ------------------------------------------------------------------ */

enum selected { ONE_THREAD, A_GROUP, A_USER, NO_SELECTION };

/* A request for all threads that the call's `which` and `who` select. */
struct request {
    int32_t       value;                        /* to be set                                        */
    enum selected selected;
    int32_t       who;                          /* the thread or the group; 0: the caller's         */
    uint32_t      uid;                          /* of the user                                      */
    bool          stops;                        /* at the first error                               */
    int           found, err;                   /* threads; an error of one of them                 */
    int32_t       best;                         /* of what was found                                */
    void        (*each)(struct request *request, struct thread *thread);
};

static void visit_thread(struct thread *t, void *data)
{
    struct request *request = data;

    deep_assert(t != NULL && data != NULL);
    if (request->stops && request->err != 0)
        return;
    if (request->selected == A_USER ? t->credentials->user.real == request->uid : t->process->group == request->who) {
        request->found++;
        request->each(request, t);
    }
}

static void visit_one(struct request *request)
{
    deep_assert(request != NULL);
    lock_state     state  = lock_take(&process_lock);
    struct thread *thread = request->who == 0 ? current_thread() : thread_numbered(request->who);

    if (thread != NULL) {
        request->found++;
        request->each(request, thread);
    }
    lock_drop(&process_lock, state);
}

/* Returns 0, -EINVAL, an error of a thread, or -ESRCH when there is no such thread. */
static int visit_selected(struct request *request)
{
    deep_assert(request != NULL);
    if (request->selected >= NO_SELECTION)
        return -EINVAL;
    if (request->selected == ONE_THREAD) {
        visit_one(request);
    } else {
        if (request->who == 0)
            request->who = current_process()->group;
        thread_each(visit_thread, request);
    }
    return request->found > 0 ? request->err : -ESRCH;
}

/* A thread of another user may be changed only with CAP_SYS_NICE. */
static bool is_of_user(const struct thread *thread, uint32_t uid)
{
    deep_assert(thread != NULL);
    return thread->credentials->user.real == uid || thread->credentials->user.effective == uid ||
           has_capability(CAP_SYS_NICE);
}

/* So may one that has capabilities which the caller has not. */
static bool has_no_more(const struct thread *thread)
{
    deep_assert(thread != NULL);
    return (thread->credentials->capabilities.permitted & ~credentials_acting()->capabilities.permitted) == 0 ||
           has_capability(CAP_SYS_NICE);
}

/* ---- Niceness ------------------------------------------------------------------------------------- */

/* Linux's answers are 20 minus the niceness, so that none looks like an error. */
static void find_nicest(struct request *request, struct thread *thread)
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

static void make_nice(struct request *request, struct thread *thread)
{
    deep_assert(request != NULL && thread != NULL);
    if (!is_of_user(thread, credentials_acting()->user.effective))
        request->err = -EPERM;
    else if (!may_be_as_nice(thread, request->value))
        request->err = -EACCES;
    else if (!has_no_more(thread))
        request->err = -EPERM;
    else
        thread->nice = request->value;
}

/* PRIO_PROCESS, PRIO_PGRP and PRIO_USER are 0, 1 and 2; for the last, 0 is the caller's user. */
static struct request nice_request(int which, int32_t who)
{
    return (struct request){
        .selected = which < 0 || which > A_USER ? NO_SELECTION : (enum selected)which,
        .who      = who,
        .uid      = who != 0 ? (uint32_t)who : credentials_acting()->user.real,
    };
}

SYSTEM_CALL(getpriority, int, which, int32_t, who)
{
    struct request request = nice_request(which, who);
    int            err;

    request.each = find_nicest;
    err = visit_selected(&request);
    return err != 0 ? err : request.best;
}

static int32_t within_niceness(int32_t nice) { return nice < NICE_LEAST ? NICE_LEAST : nice > NICE_MOST ? NICE_MOST :
                                               nice; }

SYSTEM_CALL(setpriority, int, which, int32_t, who, int32_t, wanted)
{
    struct request request = nice_request(which, who);

    request.value = within_niceness(wanted);
    request.each  = make_nice;
    return visit_selected(&request);
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

/* ---- Input and output ----------------------------------------------------------------------------- */

/* A priority is a class, 13 bits up, and a level: 0 comes first. */
enum { CLASS_NONE, CLASS_REAL_TIME, CLASS_ORDINARY, CLASS_IDLE, CLASS_SHIFT = 13, LEVEL_MASK = 0x1FFF, IO_LEVELS = 8 };
enum { POLICY_FIFO = 1, POLICY_TURNS = 2, POLICY_IDLE = 5, NICE_A_LEVEL = 5 };

/* What a thread has whose priority was not set: it follows from how it is scheduled. */
static int32_t effective_priority(const struct thread *thread)
{
    int class = thread->policy == POLICY_IDLE ? CLASS_IDLE :
                thread->policy == POLICY_FIFO || thread->policy == POLICY_TURNS ? CLASS_REAL_TIME : CLASS_ORDINARY;

    return thread->io_priority >> CLASS_SHIFT != CLASS_NONE ? thread->io_priority :
           class << CLASS_SHIFT | (thread->nice + NICE_ZERO) / NICE_A_LEVEL;
}

/* One thread's is told as it was set; of several the best, as it counts. */
static void find_first(struct request *request, struct thread *thread)
{
    int32_t own = request->selected == ONE_THREAD ? thread->io_priority : effective_priority(thread);

    if (request->found == 1 || own < request->best)
        request->best = own;
}

static void put_in_class(struct request *request, struct thread *thread)
{
    const struct user_numbers *self = &credentials_acting()->user;
    uint32_t                   uid  = thread->credentials->user.real;

    if ((uid != self->effective && uid != self->real && !has_capability(CAP_SYS_NICE)) || !has_no_more(thread))
        request->err = -EPERM;
    else
        thread->io_priority = (uint16_t)request->value;
}

/* Returns 0, -EINVAL, or -EPERM. */
static int class_allowed(int priority)
{
    int level = priority & LEVEL_MASK;

    switch (priority >> CLASS_SHIFT) {
    case CLASS_REAL_TIME:
        if (!has_capability(CAP_SYS_ADMIN) && !has_capability(CAP_SYS_NICE))
            return -EPERM;
        return level < IO_LEVELS ? 0 : -EINVAL;
    case CLASS_ORDINARY:
        return level < IO_LEVELS ? 0 : -EINVAL;
    case CLASS_IDLE:
        return 0;
    case CLASS_NONE:
        return level == 0 ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP and IOPRIO_WHO_USER are 1, 2 and 3. */
static struct request io_request(int which, int32_t who)
{
    return (struct request){
        .selected = which < 1 || which > A_USER + 1 ? NO_SELECTION : (enum selected)(which - 1),
        .who      = who,
        .uid      = (uint32_t)who,
        .stops    = true,
    };
}

/* User 0 is root here, and the caller's in ioprio_get: so does Linux. */
SYSTEM_CALL(ioprio_set, int, which, int32_t, who, int, priority)
{
    struct request request = io_request(which, who);
    int            err     = class_allowed(priority);

    if (err != 0)
        return err;
    request.value = priority;
    request.each  = put_in_class;
    return visit_selected(&request);
}

SYSTEM_CALL(ioprio_get, int, which, int32_t, who)
{
    struct request request = io_request(which, who);
    int            err;

    if (who == 0)
        request.uid = credentials_acting()->user.real;
    request.each = find_first;
    err = visit_selected(&request);
    return err != 0 ? err : request.best;
}
