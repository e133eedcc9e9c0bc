/*
 * exit.c - the end of threads and processes, and how parents hear of it.
 *
 * The last thread of a process gives back everything it shares, makes the process a zombie, and tells the
 * parent. The zombie itself is freed by the parent's wait, or at once when the parent does not want to know.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/terminal.h"
#include "memory/spaces/user.h"
#include "layouts/firmware/builtin.h"
#include "process/family.h"
#include "init/init.h"
#include "process/futex.h"
#include "init/report.h"

enum { CHILD_EXITED = 1, CHILD_KILLED = 2, CHILD_DUMPED = 3, CHILD_STOPPED = 5, CHILD_CONTINUED = 6 };
enum { STATUS_CORE = 0x80, STATUS_STOPPED = 0x7F, STATUS_CONTINUED = 0xFFFF };
enum { WNOHANG = 1, WUNTRACED = 2, WCONTINUED = 8, WNOWAIT = 0x1000000 };

/* ---- Telling the parent. The lock is held. ------------------------------------------------ */

static struct signal_info child_news(const struct process *child)
{
    int32_t            status = child->exit_status;
    struct signal_info info   = { .number = child->exit_signal, .sender = child->id, .uid = child->uid };

    if ((status & 0x7F) == 0) {
        info.code   = CHILD_EXITED;
        info.status = status >> 8 & 0xFF;
    } else {
        info.code   = status & STATUS_CORE ? CHILD_DUMPED : CHILD_KILLED;
        info.status = status & 0x7F;
    }
    return info;
}

/* A parent that ignores SIGCHLD, or says SA_NOCLDWAIT, leaves no zombies. */
static bool unwanted(const struct process *parent, int signal)
{
    const struct signal_action *action = &parent->actions->action[SIGCHLD];

    return signal == SIGCHLD && (action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT));
}

static void free_zombie(struct process *process)
{
    process_delist(process);
    process_free(process);
}

/* Returns true when nobody will wait for the process. */
static bool tell_parent(struct process *process)
{
    struct process    *parent = process->parent;
    struct signal_info info   = child_news(process);
    bool               alone;

    if (parent == NULL || parent->state == PROCESS_ZOMBIE || parent->actions == NULL)
        return parent == NULL;
    alone = unwanted(parent, process->exit_signal);
    if (process->exit_signal != 0)
        signal_process(parent, &info);
    wake_all(&parent->child_change);
    return alone;
}

/* ---- Orphans ------------------------------------------------------------------------------------ */

struct orphan_search {
    int32_t               group, session;
    const struct process *leaving;
    bool                  stopped, parented;
};

static void look_at_member(struct process *p, void *data)
{
    struct orphan_search *search = data;

    if (p->group != search->group || p == search->leaving || p->state == PROCESS_ZOMBIE)
        return;
    search->stopped |= p->state == PROCESS_STOPPED;
    if (p->parent != NULL && p->parent != search->leaving && p->parent->id != 1 && p->parent->group != p->group &&
        p->parent->session == p->session)
        search->parented = true;
}

/* True when `upper`, a parent, is what links its child's group to the session: in it, but in another group. */
static bool links(const struct process *upper, const struct process *lower)
{
    return upper != NULL && upper->group != lower->group && upper->session == lower->session;
}

/* A group whose last link to its session goes with `leaving`, with stopped members: nobody could continue them. */
static void release_group(const struct process *leaving, int32_t group)
{
    struct orphan_search search = { .group = group, .session = leaving->session, .leaving = leaving };
    struct signal_info   hangup = { .number = SIGHUP }, go_on = { .number = SIGCONT };

    process_each(look_at_member, &search);
    if (search.stopped && !search.parented) {
        signal_group(group, &hangup);
        signal_group(group, &go_on);
    }
}

/* Only groups that this end cuts off: its own, if its parent was the link, and those of children it was the link for. */
static void release_orphans(const struct process *leaving)
{
    if (links(leaving->parent, leaving))
        release_group(leaving, leaving->group);
    for (const struct process *child = leaving->children; child != NULL; child = child->sibling)
        if (links(leaving, child))
            release_group(leaving, child->group);
}

/* Children go to process 1, which waits for whatever comes. The lock is held. */
static void give_children_away(struct process *process)
{
    struct process *first = process_numbered(1);

    while (process->children != NULL) {
        struct process *child = process->children;

        if (first == NULL || first == process) {
            process->children = child->sibling;
            child->parent = NULL;
            child->sibling = child->sibling_before = NULL;
            continue;
        }
        if (child->parent_death_signal != 0) {
            struct signal_info info = { .number = child->parent_death_signal, .sender = process->id };

            signal_process(child, &info);
        }
        process_adopt(first, child);
        child->exit_signal = SIGCHLD;
        if (child->state == PROCESS_ZOMBIE && tell_parent(child))
            free_zombie(child);
    }
}

/* ---- The end of a process, run by its last thread -------------------------------------------------- */

static void end_process(struct process *process)
{
    lock_state state;
    bool       alone, borrowed = process->borrows_memory;

    timer_disarm(&process->alarm);
    process_timers_clear(process);
    report_sample();
    first_ending(process);
    builtin_note_end(process);
    usage_keep_peak(process);
    process_let_go(process);
    builtin_ended(process);
    first_ended(process);
    terminal_leave(process);
    release_orphans(process);
    state = lock_take(&process_lock);
    process->borrows_memory = false;
    if (borrowed && process->parent != NULL)
        wake_all(&process->parent->vfork_done);
    give_children_away(process);
    process->state = PROCESS_ZOMBIE;
    alone = tell_parent(process);
    if (alone)
        free_zombie(process);
    lock_drop(&process_lock, state);
}

/* Linux's way to join a thread: clear a word, wake who waits for it. */
static void clear_word(struct thread *self)
{
    uint32_t zero = 0;

    if (self->clear_at_exit == 0 || (self->process->memory->references <= 1 && self->process->thread_count <= 1))
        return;                                 /* nobody is left who could look */
    if (user_write(self->clear_at_exit, &zero, sizeof zero) == 0)
        futex_wake_at(self->clear_at_exit, 1);
}

void thread_exit(int status)
{
    struct thread  *self    = current_thread();
    struct process *process = self->process;
    bool            last;
    lock_state      state;

    futex_robust_exit(self);
    clear_word(self);
    timer_disarm(&self->sleep_timer);
    thread_delist(self);
    state = lock_take(&process_lock);
    last  = process->thread_count == 0;
    if (last && !process->exiting)
        process->exit_status = (status & 0xFF) << 8;
    usage_add(&process->used, &self->used);
    wake_all(&process->thread_ended);
    lock_drop(&process_lock, state);
    if (last)
        end_process(process);
    self->process = NULL;
    schedule_end();
}

void process_exit_group(int wait_status)
{
    struct thread     *self    = current_thread();
    struct process    *process = self->process;
    struct signal_info kill    = { .number = SIGKILL };
    lock_state         state   = lock_take(&process_lock);

    if (!process->exiting) {
        process->exiting     = true;
        process->exit_status = wait_status;
        for (struct thread *t = process->threads; t != NULL; t = t->next_in_process)
            if (t != self)
                signal_thread(t, &kill);
    }
    lock_drop(&process_lock, state);
    thread_exit(0);
}

/* ---- Stops ------------------------------------------------------------------------------------------- */

void process_tell_stop(struct process *process, bool stopped)
{
    struct process    *parent = process->parent;
    struct signal_info info   = { .number = SIGCHLD, .sender = process->id, .uid = process->uid,
                                  .code   = stopped ? CHILD_STOPPED : CHILD_CONTINUED,
                                  .status = stopped ? process->stop_signal : SIGCONT };

    process->waited_stop     = !stopped;
    process->waited_continue = stopped;
    if (parent == NULL || parent->actions == NULL)
        return;
    if (!(parent->actions->action[SIGCHLD].flags & SA_NOCLDSTOP))
        signal_process(parent, &info);
    wake_all(&parent->child_change);
}

/* ---- Waiting -------------------------------------------------------------------------------------------- */

static bool chosen(const struct process *child, int32_t which)
{
    if (which == -1)
        return true;
    if (which > 0)
        return child->id == which;
    return child->group == (which == 0 ? current_process()->group : -which);
}

static void fill(const struct process *child, int32_t status, struct wait_result *out)
{
    *out = (struct wait_result){ .status = status, .id = child->id, .uid = child->uid,
                                 .usage = child->used };
    usage_add(&out->usage, &child->children_used);
}

/* News of one child that the options ask for. The lock is held. */
static bool has_news(struct process *child, int options, struct wait_result *out)
{
    if (child->state == PROCESS_ZOMBIE && !(options & WAIT_NO_EXITED)) {
        fill(child, child->exit_status, out);
        if (!(options & WNOWAIT)) {
            usage_add(&current_process()->children_used, &out->usage);
            free_zombie(child);
        }
        return true;
    }
    if (child->state == PROCESS_STOPPED && (options & WUNTRACED) && !child->waited_stop) {
        fill(child, child->stop_signal << 8 | STATUS_STOPPED, out);
        child->waited_stop = !(options & WNOWAIT);
        return true;
    }
    if (child->state == PROCESS_ALIVE && (options & WCONTINUED) && child->continued && !child->waited_continue) {
        fill(child, STATUS_CONTINUED, out);
        child->waited_continue = !(options & WNOWAIT);
        return true;
    }
    return false;
}

bool process_collect(struct process *parent, int32_t which, struct process_end *out)
{
    lock_state      state = lock_take(&process_lock);
    struct process *child = parent->children;

    while (child != NULL && (child->state != PROCESS_ZOMBIE || (which != -1 && child->id != which)))
        child = child->sibling;
    if (child != NULL) {
        *out = (struct process_end){ .id = child->id, .status = child->exit_status };
        text_copy(out->name, child->name, sizeof out->name);
        free_zombie(child);
    }
    lock_drop(&process_lock, state);
    return child != NULL;
}

int process_wait(int32_t which, int options, struct wait_result *out)
{
    struct process *self  = current_process();
    lock_state      state = lock_take(&process_lock);
    int             err   = 0;

    while (err == 0) {
        bool any = false;

        for (struct process *child = self->children; child != NULL; child = child->sibling) {
            if (!chosen(child, which))
                continue;
            any = true;
            if (has_news(child, options, out)) {
                err = out->id;
                break;
            }
        }
        if (err != 0)
            break;
        if (!any)
            err = -ECHILD;
        else if (options & WNOHANG)
            break;
        else if (wait_on(&self->child_change, &process_lock, &state, NEVER, WAIT_SIGNALS) == -EINTR)
            err = -ERESTARTSYS;
    }
    lock_drop(&process_lock, state);
    return err;
}
