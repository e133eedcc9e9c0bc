/*
 * exit.c - the end of threads and processes, and how parents learn of it.
 *
 * The last thread of a process gives back everything it shares, makes the process a zombie, and tells the
 * parent. The zombie itself is freed by the parent's wait, or at once when the parent ignores SIGCHLD.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/spaces/user.h"
#include "process/above.h"
#include "process/applications.h"
#include "process/family.h"
#include "process/futex.h"
#include "process/parts.h"
#include "process/tour.h"

enum { CHILD_EXITED = 1, CHILD_KILLED = 2, CHILD_DUMPED = 3, CHILD_STOPPED = 5, CHILD_CONTINUED = 6 };
enum { STATUS_CORE = 0x80, STATUS_STOPPED = 0x7F, STATUS_CONTINUED = 0xFFFF };
enum { WNOHANG = 1, WUNTRACED = 2, WCONTINUED = 8, WNOWAIT = 0x1000000, WAIT_NO_THREAD = 0x20000000,
       WAIT_ALL = 0x40000000 };
#define WAIT_CLONE 0x80000000u

static bool subreapers_asked;           /* [process_lock] some process has become a subreaper, ever */

/* ---- Telling the parent. The lock is held. ------------------------------------------------ */

static struct signal_info end_of_child(const struct process *child)
{
    int32_t            status = child->exit_status;
    struct signal_info info   = { .number = child->exit_signal, .sender = child->id,
                                  .uid    = child->credentials->user.real };

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
static bool is_unwanted_zombie(const struct process *parent, int signal)
{
    const struct signal_action *action = &parent->actions->action[SIGCHLD];

    return signal == SIGCHLD && (action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT));
}

static void free_zombie(struct process *process)
{
    deep_assert(lock_held(&process_lock));
    assert(process->state == PROCESS_ZOMBIE);
    process_delist(process);
    process_free(process);
}

/* Returns true when no process will wait for it. */
static bool notify_parent(struct process *process)
{
    struct process    *parent = process->parent;
    struct signal_info info   = end_of_child(process);
    bool               alone;

    assert(lock_held(&process_lock) && process->state == PROCESS_ZOMBIE);
    if (parent == NULL || parent->actions == NULL)      /* one that has ended has no actions */
        return parent == NULL;
    alone = is_unwanted_zombie(parent, process->exit_signal);
    if (process->exit_signal > 0)
        signal_process(parent, &info);
    wake_all(&parent->child_change);
    return alone;
}

/* ---- Orphans ------------------------------------------------------------------------------------ */

/* True when `upper`, a parent, is what links its child's group to the session: in it, but in another group. */
static bool links_to_session(const struct process *upper, const struct process *lower)
{
    return upper != NULL && upper->group != lower->group && upper->session == lower->session;
}

/* True while a member's parent, other than `leaving` and process 1, links the group to its session. */
static bool is_link(const struct process *p, const struct process *leaving)
{
    return p != leaving && p->state != PROCESS_ZOMBIE && p->parent != leaving && links_to_session(p->parent, p) &&
           p->parent->id != 1;
}

static bool is_stopped(const struct process *p, const struct process *leaving)
{
    return p != leaving && p->state == PROCESS_STOPPED;
}

static bool group_has(struct number *group, const struct process *leaving, lock_state *state,
                      bool (*is)(const struct process *, const struct process *))
{
    struct tour *tour = tour_list(&group->group, TOUR_LIGHT, state);
    struct list *at;

    while ((at = tour_next(tour)) != NULL)      /* bound: rests */
        if (is(LIST_ITEM(at, struct process, group_link), leaving)) {
            tour_end(tour);
            return true;
        }
    return false;
}

/*
 * Continue a group with stopped members whose last link to its session goes with `leaving`: no process could continue
 * it later. The first other link ends the search. The lock is held.
 */
static void release_group(const struct process *leaving, struct number *group, lock_state *state)
{
    number_hold(group);                         /* its members may leave meanwhile */
    if (!group_has(group, leaving, state, is_link) && group_has(group, leaving, state, is_stopped)) {
        signal_members(group, SIGHUP);
        signal_members(group, SIGCONT);
    }
    number_drop(group);
}

/*
 * The groups that this end cuts off from the session: its own, if its parent was the link, and those of children that
 * it was the link for. The lock is held.
 */
static void release_orphans(struct process *leaving, lock_state *state)
{
    struct tour *tour;
    struct list *at;
    int32_t      done = 0;                      /* neighbours are mostly of one group */

    if (links_to_session(leaving->parent, leaving))
        release_group(leaving, leaving->group_number, state);
    if (list_is_empty(&leaving->children))
        return;
    tour = tour_list(&leaving->children, TOUR_LIGHT, state);
    while ((at = tour_next(tour)) != NULL) {    /* bound: rests */
        const struct process *child = LIST_ITEM(at, struct process, sibling_link);

        if (child->group != done && links_to_session(leaving, child)) {
            done = child->group;
            release_group(leaving, child->group_number, state);
        }
    }
}

/* ---- New parents. The lock is held. --------------------------------------------------------------- */

/*
 * The process that adopts the children of one that ends: the nearest ancestor that is a subreaper
 * (PR_SET_CHILD_SUBREAPER), else process 1; NULL when process 1 itself ends. Ancestors are looked at only if some
 * process has ever become a subreaper.
 */
static struct process *process_new_parent(const struct process *leaving, lock_state *state)
{
    struct process *first;
    unsigned        steps = 0;

    deep_assert(lock_held(&process_lock));
    /* bound: rests. An ancestor may end meanwhile: process 1 then takes its children and these. */
    for (struct process *p = subreapers_asked ? leaving->parent : NULL; p != NULL; p = p->parent) {
        if (p->subreaper && p->state != PROCESS_ZOMBIE && p->thread_count > 0)
            return p;
        if (++steps % TOUR_LIGHT == 0) {
            int32_t id = p->id;

            process_lock_rest(state);
            if ((p = process_numbered(id)) == NULL)
                break;
        }
    }
    first = process_numbered(1);
    return first == leaving ? NULL : first;
}

static void notify_parent_death(struct process *child, const struct process *leaving)
{
    struct signal_info info = { .number = child->parent_death_signal, .sender = leaving->id,
                                .uid = leaving->credentials->user.real };

    if (child->parent_death_signal != 0)
        signal_process(child, &info);
}

/* For the new parent each is an ordinary child (SIGCHLD), whatever exit signal it had for the first. */
static void give_children_away(struct process *process, lock_state *state)
{
    int32_t  parent = 0;                        /* its number, as it may end meanwhile: then another is looked for */
    unsigned steps  = 0;

    assert(lock_held(&process_lock) && process->thread_count == 0);
    while (!list_is_empty(&process->children)) {        /* bound: rests */
        struct process *child, *to = parent != 0 ? process_numbered(parent) : NULL;

        if (to == NULL || to->state == PROCESS_ZOMBIE)
            to = process_new_parent(process, state);
        parent = to != NULL ? to->id : 0;
        child  = LIST_ITEM(process->children.next, struct process, sibling_link);
        notify_parent_death(child, process);
        process_adopt(to, child);
        child->exit_signal = SIGCHLD;
        if (child->state == PROCESS_ZOMBIE && notify_parent(child))
            free_zombie(child);
        if (++steps % TOUR_HEAVY == 0)
            process_lock_rest(state);
    }
}

void process_set_subreaper(bool on)
{
    lock_state state = lock_take(&process_lock);

    current_process()->subreaper = on;
    subreapers_asked |= on;
    lock_drop(&process_lock, state);
}

/* ---- The end of a process, run by its last thread -------------------------------------------------- */

static void end_process(struct process *process)
{
    lock_state state;
    bool       alone;

    assert(current_process() == process && process->thread_count == 0);
    timer_disarm(&process->alarm);
    process_timers_clear(process);
    report_sample();
    init_note_ending(process);
    builtin_note_end(process);
    usage_keep_peak(process);
    process_let_go(process);
    builtin_ended(process);
    init_note_end(process);
    terminal_leave(process);
    state = lock_take(&process_lock);
    release_orphans(process, &state);
    process_return_memory(process);
    give_children_away(process, &state);
    process->state = PROCESS_ZOMBIE;
    process_note_change(process, &state);
    alone = notify_parent(process);
    current_thread()->process = NULL;           /* memory freed from here on is charged to no process */
    if (alone)
        free_zombie(process);
    lock_drop(&process_lock, state);
}

/* Linux's way to join a thread: clear a word of the program, and wake the threads that wait for it. */
static void clear_thread_word(struct thread *self)
{
    uint32_t zero = 0;

    if (self->clear_at_exit == 0 || (self->process->memory->references <= 1 && self->process->thread_count <= 1))
        return;                                 /* no other thread is left that could look */
    if (user_write(self->clear_at_exit, &zero, sizeof zero) == 0)
        futex_wake_at(self->clear_at_exit, 1);
}

void thread_leave_memory(struct thread *self)
{
    futex_robust_exit(self);
    clear_thread_word(self);
    self->clear_at_exit = self->robust_list = 0;
}

void thread_exit(int status)
{
    struct thread  *self    = current_thread();
    struct process *process = self->process;
    bool            last;
    lock_state      state;
    struct resource_usage used;

    may_sleep();
    assert(process != NULL && self->waiter.queue == NULL);
    thread_leave_memory(self);
    timer_disarm(&self->sleep_timer);
    if (self->pending.chains != NULL)
        signal_queue_clear(&self->pending);
    state = lock_take(&process_lock);
    thread_delist(self);
    last  = process->thread_count == 0;
    if (last && !process->exiting)
        process->exit_status = (status & 0xFF) << 8;
    thread_usage(self, &used);
    usage_add(&process->used, &used);
    wake_all(&process->thread_ended);
    lock_drop(&process_lock, state);
    if (last)
        end_process(process);
    self->process = NULL;
    schedule_end();
}

void process_exit_group(int wait_status)
{
    struct process *process = current_process();
    lock_state      state;

    may_sleep();
    state = lock_take(&process_lock);
    if (!process->exiting) {
        process->exiting     = true;
        process->exit_status = wait_status;
        if (process->thread_count > 1)
            signal_end_threads(process, current_thread());
    }
    lock_drop(&process_lock, state);
    thread_exit(0);
}

/* ---- Stops ------------------------------------------------------------------------------------------- */

void process_notify_stop(struct process *process, bool stopped, lock_state *state)
{
    struct process    *parent;
    struct signal_info info   = { .number = SIGCHLD, .sender = process->id,
                                  .uid    = process->credentials->user.real,
                                  .code   = stopped ? CHILD_STOPPED : CHILD_CONTINUED,
                                  .status = stopped ? process->stop_signal : SIGCONT };

    assert(lock_held(&process_lock) && process->thread_count > 0);
    process->waited_stop     = !stopped;
    process->waited_continue = stopped;
    process_note_change(process, state);
    parent = process->parent;
    if (parent == NULL || parent->actions == NULL)
        return;
    if (!(parent->actions->action[SIGCHLD].flags & SA_NOCLDSTOP))
        signal_process(parent, &info);
    wake_all(&parent->child_change);
}

/* ---- Waiting -------------------------------------------------------------------------------------------- */

/*
 * For __WNOTHREAD. Children of a thread that has ended are the eldest thread's, as those are that another process left.
 */
static bool is_from_thread(const struct process *child, const struct thread *self)
{
    const struct thread *maker = child->maker != 0 ? thread_numbered(child->maker) : NULL;

    deep_assert(lock_held(&process_lock));
    return (maker != NULL && maker->process == self->process ? maker : self->process->threads) == self;
}

/* Children whose end says SIGCHLD, and others by __WCLONE: wait(2). */
static bool child_is_of_kind(const struct process *child, int options)
{
    if ((options & WAIT_NO_THREAD) && !is_from_thread(child, current_thread()))
        return false;
    return (options & WAIT_ALL) || (child->exit_signal != SIGCHLD) == ((options & WAIT_CLONE) != 0);
}

/* `group`: of the children asked for; 0: of any. */
static bool is_chosen_child(const struct process *child, int32_t group, int options)
{
    return (group == 0 || child->group == group) && child_is_of_kind(child, options);
}

static void fill_result(const struct process *child, int32_t status, struct wait_result *out)
{
    *out = (struct wait_result){ .status = status, .id = child->id, .uid = child->credentials->user.real,
                                 .usage = child->used };
    if (child->has_waited)
        usage_add(&out->usage, &child->children_used);
}

/* The change of one child that the options ask for, if there is one. The lock is held. */
static bool take_change(struct process *child, int options, struct wait_result *out)
{
    deep_assert(lock_held(&process_lock));
    assert(child->parent == current_process());
    if (child->state == PROCESS_ZOMBIE) {
        if (options & WAIT_NO_EXITED)
            return false;
        fill_result(child, child->exit_status, out);
        if (!(options & WNOWAIT)) {
            usage_add(&current_process()->children_used, &out->usage);
            current_process()->has_waited = true;
            free_zombie(child);
        }
        return true;
    }
    if (child->state == PROCESS_STOPPED && (options & WUNTRACED) && !child->waited_stop) {
        fill_result(child, child->stop_signal << 8 | STATUS_STOPPED, out);
        child->waited_stop = !(options & WNOWAIT);
    } else if (child->state == PROCESS_ALIVE && (options & WCONTINUED) && child->continued && !child->waited_continue) {
        fill_result(child, STATUS_CONTINUED, out);
        child->waited_continue = !(options & WNOWAIT);
    } else {
        return false;
    }
    process_forget_change(child);
    return true;
}

/*
 * The first of a parent's changed children that is a zombie; those before it have stopped or gone on. The lock is held.
 */
static struct process *eldest_zombie(struct process *parent, lock_state *state)
{
    struct tour *tour = tour_list(&parent->changed_children, TOUR_LIGHT, state);
    struct list *at;

    while ((at = tour_next(tour)) != NULL)      /* bound: rests */
        if (LIST_ITEM(at, struct process, changed_link)->state == PROCESS_ZOMBIE) {
            tour_end(tour);
            return LIST_ITEM(at, struct process, changed_link);
        }
    return NULL;
}

bool process_collect(struct process *parent, int32_t which, struct process_end *out)
{
    lock_state      state = lock_take(&process_lock);
    struct process *child = which == -1 ? eldest_zombie(parent, &state) : process_numbered(which);

    assert(parent->thread_count == 0);
    if (child != NULL && (child->parent != parent || child->state != PROCESS_ZOMBIE))
        child = NULL;
    if (child != NULL) {
        *out = (struct process_end){ .id = child->id, .status = child->exit_status };
        text_copy(out->name, child->name, sizeof out->name);
        free_zombie(child);
    }
    lock_drop(&process_lock, state);
    return child != NULL;
}

/* One child, by its number. Returns the number when it has changed, 0 when not, or -ECHILD. The lock is held. */
static int look_at_child(struct process *self, int32_t id, int options, struct wait_result *out)
{
    struct process *child = process_numbered(id);

    if (child == NULL || child->parent != self || !child_is_of_kind(child, options))
        return -ECHILD;
    return take_change(child, options, out) ? id : 0;
}

/* True when there is a child to wait for. Mostly the first is one; else all members of the group, or all children. */
static bool has_child(struct process *self, int32_t group, int options, lock_state *state)
{
    struct number *number = group != 0 ? number_find(group) : NULL;
    struct tour   *tour;
    struct list   *at;

    if (group != 0 ? number == NULL : list_is_empty(&self->children))
        return false;
    if (group == 0 && child_is_of_kind(LIST_ITEM(self->children.next, struct process, sibling_link), options))
        return true;                            /* mostly */
    tour = tour_list(group != 0 ? &number->group : &self->children, TOUR_LIGHT, state);
    while ((at = tour_next(tour)) != NULL) {    /* bound: rests */
        const struct process *p = group != 0 ? LIST_ITEM(at, struct process, group_link) :
                                               LIST_ITEM(at, struct process, sibling_link);

        if (p->parent == self && child_is_of_kind(p, options)) {
            tour_end(tour);
            return true;
        }
    }
    return false;
}

/* Any child, or any of a group: only those that have changed are looked at. Returns as look_at_child(). */
static int look_at_children(struct process *self, int32_t group, int options, struct wait_result *out,
                            lock_state *state)
{
    struct tour *tour;
    struct list *at;

    if (list_is_empty(&self->changed_children))
        return has_child(self, group, options, state) ? 0 : -ECHILD;
    tour = tour_list(&self->changed_children, TOUR_LIGHT, state);
    while ((at = tour_next(tour)) != NULL) {    /* bound: rests */
        struct process *child = LIST_ITEM(at, struct process, changed_link);

        if (is_chosen_child(child, group, options) && take_change(child, options, out)) {
            tour_end(tour);
            return out->id;
        }
    }
    return has_child(self, group, options, state) ? 0 : -ECHILD;
}

/* A change that came while the lock was dropped between two steps is looked for anew. Returns the same. */
static int look_for_change(struct process *self, int32_t which, int options, struct wait_result *out,
                           lock_state *state)
{
    int32_t  group = which == 0 ? self->group : which < -1 ? -which : 0;
    uint32_t changes;
    int      found;

    if (which > 0)
        return look_at_child(self, which, options, out);
    do {                                        /* bound: again only after a change */
        changes = self->child_changes;
        found   = look_at_children(self, group, options, out, state);
    } while (found <= 0 && changes != self->child_changes);
    return found;
}

int process_wait(int32_t which, int options, struct wait_result *out)
{
    struct process *self  = current_process();
    int             err, woken = 0;
    lock_state      state;

    may_sleep();
    state = lock_take(&process_lock);
    /* A change mostly comes with a SIGCHLD: where that has a handler, the call returns the change all the same. */
    for (;;) {                                  /* bound: rests, and sleeps in each step */
        err = look_for_change(self, which, options, out, &state);
        if (err != 0 || (options & WNOHANG) || woken == -EINTR)
            break;
        woken = wait_on(&self->child_change, &process_lock, &state, NEVER, WAIT_SIGNALS);
    }
    lock_drop(&process_lock, state);
    return err == 0 && woken == -EINTR ? -ERESTARTSYS : err;
}
