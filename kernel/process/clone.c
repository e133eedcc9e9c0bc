/*
 * clone.c - fork, vfork, threads: a new thread, in a new process or in this one.
 *
 * Everything that can fail is done on objects that no other thread can see; entering them in the lists and
 * the run queue comes last.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/spaces/user.h"
#include "process/family.h"
#include "process/abi.h"
#include "process/parts.h"

enum {
    CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800, CLONE_VFORK = 0x4000,
    CLONE_PIDFD = 0x1000, CLONE_PARENT = 0x8000, CLONE_THREAD = 0x10000, CLONE_SETTLS = 0x80000,
    CLONE_PARENT_SETTID = 0x100000,
    CLONE_CHILD_CLEARTID = 0x200000, CLONE_CHILD_SETTID = 0x1000000,
};
#define CLONE_CLEAR_SIGHAND 0x100000000ull

/* What Linux refuses too, and namespaces and descriptors of processes, which this kernel has none of. */
static bool flags_make_sense(uint64_t flags)
{
    uint64_t missing = CLONE_PIDFD | 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 |
                       0x40000000;

    return !(flags & missing) && flags < CLONE_CLEAR_SIGHAND * 2 && (!(flags & CLONE_SIGHAND) || (flags & CLONE_VM)) &&
           (!(flags & CLONE_THREAD) || (flags & CLONE_SIGHAND));
}

/* ---- A process of its own --------------------------------------------------------------- */

static struct shared_space *copy_memory(struct process *parent)
{
    struct shared_space *memory = memory_new(), *old = parent->memory;

    if (memory == NULL)
        return NULL;
    if (map_copy(&memory->space, &old->space) != 0) {
        memory_release(memory);
        return NULL;
    }
    memory->dumpable          = old->dumpable;
    memory->calls_at          = old->calls_at;
    memory->argument_start    = old->argument_start;
    memory->argument_end      = old->argument_end;
    memory->environment_start = old->environment_start;
    memory->environment_end   = old->environment_end;
    memory->auxiliary_start   = old->auxiliary_start;
    memory->auxiliary_end     = old->auxiliary_end;
    if (old->executable != NULL) {
        int err = memory_set_executable(memory, old->executable);

        assert(err == 0);                       /* a file that runs may run once more */
    }
    return memory;
}

static bool share_or_copy_parts(struct process *child, struct process *parent, uint64_t flags)
{
    assert(child->memory == NULL && child->files == NULL);
    if (flags & CLONE_FILES)
        files_hold(child->files = parent->files);
    else
        child->files = files_copy(parent->files);
    if (flags & CLONE_FS)
        fs_context_hold(child->fs = parent->fs);
    else
        child->fs = fs_context_copy(parent->fs);
    if (flags & CLONE_SIGHAND)
        actions_hold(child->actions = parent->actions);
    else
        child->actions = actions_new(parent->actions);
    if ((flags & CLONE_CLEAR_SIGHAND) && child->actions != NULL)
        actions_forget_handlers(child->actions);
    if (flags & CLONE_VM)
        memory_hold(child->memory = parent->memory);
    else
        child->memory = copy_memory(parent);
    return child->files != NULL && child->fs != NULL && child->actions != NULL && child->memory != NULL;
}

static void inherit_attributes(struct process *child, const struct process *parent)
{
    child->personality   = parent->personality;
    child->oom_score_adj = parent->oom_score_adj;
    child->oom_score_least = parent->oom_score_least;
    memcpy(child->limits, parent->limits, sizeof child->limits);
    process_watch_cpu_limit(child);
    memcpy(child->name, parent->name, sizeof child->name);
}

/*
 * With CLONE_PARENT the child has its maker's exit signal, whatever was asked. A number that is no signal sends none,
 * as on Linux.
 */
static int exit_signal_of(const struct process *parent, const struct clone_request *request)
{
    int asked = request->flags & CLONE_PARENT ? parent->exit_signal : request->exit_signal;

    return asked >= 0 && asked <= SIGNALS ? asked : 0;
}

/* What others may have changed while the space was copied, or the thread's words were read: a parent ends. */
static void inherit_relations(struct process *child, const struct process *parent, const struct clone_request *request)
{
    child->exit_signal = exit_signal_of(parent, request);
    child->maker       = request->flags & CLONE_PARENT ? parent->maker : current_thread()->id;
    child->terminal    = parent->terminal;
}

static struct process *new_child(struct process *parent, const struct clone_request *request)
{
    struct process *child = process_new_like_this();

    if (child == NULL)
        return NULL;
    inherit_attributes(child, parent);
    if (!share_or_copy_parts(child, parent, request->flags)) {
        process_let_go(child);
        process_free(child);
        return NULL;
    }
    return child;
}

/* ---- The thread ------------------------------------------------------------------------------ */

/* A child of a thread with SCHED_RESET_ON_FORK has the ordinary policy, and no niceness below 0. */
static void inherit_turn(struct thread *thread, const struct thread *self)
{
    bool ordinary = self->resets_on_fork && self->priority > 0;

    thread->policy   = ordinary ? 0 : self->policy;
    thread->priority = ordinary ? 0 : self->priority;
    thread->nice     = self->resets_on_fork && (ordinary || self->nice < 0) ? 0 : self->nice;
    thread->io_priority = self->io_priority;
}

static int prepare_thread(struct thread *thread, const struct clone_request *request)
{
    struct thread *self = current_thread();
    int            err  = thread_copy_state(thread);

    if (err != 0)
        return err;
    thread->mask        = self->mask;
    inherit_turn(thread, self);
    thread->timer_slack = self->timer_slack;
    thread->no_new_privileges = self->no_new_privileges;
    memcpy(thread->name, self->name, sizeof thread->name);
    if (!(request->flags & CLONE_VM) || (request->flags & CLONE_VFORK)) {
        thread->alternate_stack = self->alternate_stack;
        thread->alternate_size  = self->alternate_size;
        thread->alternate_flags = self->alternate_flags;
    }
    if (request->flags & CLONE_CHILD_CLEARTID)
        thread->clear_at_exit = request->child_tid;
    thread_prepare(thread, request->stack);
    return request->flags & CLONE_SETTLS ? thread_set_tls_from(thread, request->tls) : 0;
}

/* The child's own word in its own memory. */
static void write_child_number(struct process *child, const struct clone_request *request, int32_t id)
{
    if (request->flags & CLONE_CHILD_SETTID)
        (void)!user_write_in(&child->memory->space, request->child_tid, &id, sizeof id);
}

/* The caller of vfork is not always the parent: with CLONE_PARENT that is another process. The lock is held. */
void process_return_memory(struct process *process)
{
    struct process *vfork_caller = process->vfork_caller != 0 ? process_numbered(process->vfork_caller) : NULL;

    assert(lock_held(&process_lock));
    process->vfork_caller = 0;
    if (vfork_caller != NULL)
        wake_all(&vfork_caller->vfork_done);
}

/*
 * The caller of vfork waits until the child has another space, or none, or until the caller itself is to end: then the
 * space is the child's alone, and no longer spared with the caller's (out_of_memory.c).
 */
static void wait_for_vfork(struct process *child, int32_t id)
{
    lock_state state = lock_take(&process_lock);
    int        err   = 0;

    while (process_numbered(id) == child && child->vfork_caller != 0)   /* bound: sleeps in each step but the last */
        if (err != 0)
            child->vfork_caller = 0;
        else
            err = wait_on(&current_process()->vfork_done, &process_lock, &state, NEVER, WAIT_KILL);
    lock_drop(&process_lock, state);
}

int process_clone(const struct clone_request *request)
{
    struct process *parent = current_process(), *child = parent;
    bool            own    = !(request->flags & CLONE_THREAD);
    struct thread  *thread = NULL;
    int32_t         id;
    int             err;

    may_sleep();
    if (!flags_make_sense(request->flags) || ((request->flags & CLONE_PARENT) && parent->parent == NULL))
        return -EINVAL;
    if (process_is_over_limit(parent))
        return -EAGAIN;
    if (own && (child = new_child(parent, request)) == NULL)
        return -ENOMEM;
    err = thread_new(child, &thread);
    if (err == 0)
        err = prepare_thread(thread, request);
    if (err == 0 && own) {
        inherit_relations(child, parent, request);
        err = process_enlist(child, request->flags & CLONE_PARENT ? parent->parent : parent, parent);
    }
    if (err == 0 && (err = thread_enlist(thread)) != 0 && own) {
        lock_state state = lock_take(&process_lock);

        process_delist(child);
        lock_drop(&process_lock, state);
    }
    if (err != 0) {
        if (thread != NULL)
            thread_free(thread);
        if (own) {
            process_let_go(child);
            process_free(child);
        }
        return err;
    }
    id = thread->id;
    if (own)
        child->vfork_caller = request->flags & CLONE_VFORK ? parent->id : 0;
    if (request->flags & CLONE_PARENT_SETTID)
        (void)!user_write(request->parent_tid, &id, sizeof id);
    write_child_number(child, request, id);
    schedule_add(thread);
    if (own && (request->flags & CLONE_VFORK))
        wait_for_vfork(child, id);
    return id;
}
