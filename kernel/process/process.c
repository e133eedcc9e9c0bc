/*
 * process.c - the lists of processes and threads, making and freeing both.
 *
 *   T1  a process that has ended, or has stopped or gone on without its parent hearing of that, is in its parent's list
 *       of changed children; others may be in it until the next wait, as SIGCONT takes no process_lock
 *   T2  the list of changed children is in the order of the children
 *   T3  a process's threads are linked both ways, as many as are counted, and each is entered under its number
 */
#include "process/abi.h"
#include "process/process.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/heap/heap.h"
#include "process/family.h"
#include "process/parts.h"
#include "process/user_account.h"
#include "process/tour.h"

enum { NUMBERS_AT_ONCE = 64 };          /* looked at under one hold of the lock */

struct lock process_lock = LOCK("processes", RANK_PROCESSES);

static uint64_t        last_order;      /* [process_lock] of a child */
static uint32_t        process_count;

uint32_t processes_alive(void) { return process_count; }
int32_t  process_last_number(void) { return number_last(); }

/* ---- Finding. The lock is held by the callers of the first two. --------------------------- */

struct process *process_numbered(int32_t id)
{
    const struct number *number = number_find(id);

    deep_assert(lock_held(&process_lock));
    return number != NULL ? number->process : NULL;
}

/* The next number that is in use, with the lock dropped now and then. */
static const struct number *number_beyond(int32_t value, unsigned *steps, lock_state *state)
{
    deep_assert(lock_held(&process_lock));
    if (++*steps % NUMBERS_AT_ONCE == 0)
        process_lock_rest(state);
    return number_next(value + 1);
}

struct process *process_beyond(int32_t id, lock_state *state)
{
    unsigned             steps  = 0;
    const struct number *number = number_next(id + 1);

    while (number != NULL && number->process == NULL)   /* bound: rests */
        number = number_beyond(number->value, &steps, state);
    return number != NULL ? number->process : NULL;
}

struct thread *thread_beyond(int32_t process, int32_t id, lock_state *state)
{
    unsigned             steps  = 0;
    const struct number *number = number_next(id + 1);

    /* bound: rests */
    while (number != NULL && (number->thread == NULL || number->thread->process->id != process))
        number = number_beyond(number->value, &steps, state);
    return number != NULL ? number->thread : NULL;
}

struct thread *thread_numbered(int32_t id)
{
    const struct number *number = number_find(id);

    deep_assert(lock_held(&process_lock));
    return number != NULL ? number->thread : NULL;
}

struct process *process_find(int32_t id)
{
    lock_state      state = lock_take(&process_lock);
    struct process *found = process_numbered(id);

    lock_drop(&process_lock, state);
    return found;
}

struct thread *thread_find(int32_t id)
{
    lock_state     state = lock_take(&process_lock);
    struct thread *found = thread_numbered(id);

    lock_drop(&process_lock, state);
    return found;
}

void process_each(process_visit visit, void *data)
{
    lock_state      state = lock_take(&process_lock);
    struct process *process;

    for (int32_t id = -1; (process = process_beyond(id, &state)) != NULL; ) {   /* bound: rests */
        id = process->id;
        visit(process, data);
        process_lock_rest(&state);
    }
    lock_drop(&process_lock, state);
}

void thread_each(thread_visit visit, void *data)
{
    lock_state           state = lock_take(&process_lock);
    const struct number *number = number_next(0);
    unsigned             steps  = 0;

    while (number != NULL) {                    /* bound: rests */
        int32_t value = number->value;

        if (number->thread != NULL)
            visit(number->thread, data);
        number = number_beyond(value, &steps, &state);
    }
    lock_drop(&process_lock, state);
}

void process_each_in_group(int32_t group, process_visit visit, void *data)
{
    lock_state     state  = lock_take(&process_lock);
    struct number *number = number_find(group);
    struct tour   *tour   = number != NULL ? tour_list(&number->group, TOUR_HEAVY, &state) : NULL;
    struct list   *at;

    if (number != NULL)
        while ((at = tour_next(tour)) != NULL)  /* bound: rests */
            visit(LIST_ITEM(at, struct process, group_link), data);
    lock_drop(&process_lock, state);
}

void process_each_in_session(int32_t session, process_visit visit, void *data)
{
    lock_state     state  = lock_take(&process_lock);
    struct number *number = number_find(session);
    struct tour   *tour   = number != NULL ? tour_list(&number->session, TOUR_HEAVY, &state) : NULL;
    struct list   *at;

    if (number != NULL)
        while ((at = tour_next(tour)) != NULL)  /* bound: rests */
            visit(LIST_ITEM(at, struct process, session_link), data);
    lock_drop(&process_lock, state);
}

/* ---- The shared space ------------------------------------------------------------------------ */

struct shared_space *memory_new(void)
{
    struct shared_space *memory = heap_alloc(sizeof *memory, HEAP_ZERO);

    if (memory == NULL)
        return NULL;
    if (space_create(&memory->space) != 0) {
        heap_free(memory);
        return NULL;
    }
    memory->references = memory->holds = 1;
    memory->dumpable   = true;
    return memory;
}

void memory_hold(struct shared_space *memory)
{
    assert(memory->references > 0);
    __atomic_add_fetch(&memory->references, 1, __ATOMIC_RELAXED);
}

/* Emptying a space costs less when it is not in use. A thread whose stack is mapped there alone must stay in it. */
static void leave_space(const struct space *space)
{
    if (!stacks_are_own() && space_of_program() == space)
        space_activate(&kernel_space);
}

void memory_release(struct shared_space *memory)
{
    assert(memory->references > 0);
    if (__atomic_sub_fetch(&memory->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    leave_space(&memory->space);
    map_clear(&memory->space);
    if (memory->executable != NULL) {
        node_end_runner(memory->executable);
        node_unuse(memory->executable);
    }
    memory_release_tables(memory);
}

int memory_set_executable(struct shared_space *memory, struct node *node)
{
    int err = node_add_runner(node);

    assert(memory->executable == NULL);
    if (err != 0)
        return err;
    node_use(node);
    memory->executable = node;
    return 0;
}

void memory_hold_tables(struct shared_space *memory)
{
    assert(memory->holds > 0);
    __atomic_add_fetch(&memory->holds, 1, __ATOMIC_RELAXED);
}

/* The last thread is gone: this CPU runs on no stack of the space, but may still use its tables. */
void memory_release_tables(struct shared_space *memory)
{
    assert(memory->holds > 0);
    if (__atomic_sub_fetch(&memory->holds, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (space_of_program() == &memory->space)
        space_activate(&kernel_space);
    space_destroy(&memory->space);
    heap_free_sized(memory, sizeof *memory);
}

/* ---- Signal actions ----------------------------------------------------------------------------- */

struct signal_actions *actions_new(const struct signal_actions *like)
{
    struct signal_actions *actions = heap_alloc(sizeof *actions, like == NULL ? HEAP_ZERO : 0);

    if (actions == NULL)
        return NULL;
    if (like != NULL)
        *actions = *like;
    actions->references = 1;
    return actions;
}

void actions_hold(struct signal_actions *actions)
{
    assert(actions->references > 0);
    actions->references++;
}

void actions_release(struct signal_actions *actions)
{
    assert(actions->references > 0);
    if (--actions->references == 0)
        heap_free_sized(actions, sizeof *actions);
}

void actions_forget_handlers(struct signal_actions *actions)
{
    for (int n = 1; n <= SIGNALS; n++) {
        bool ignored = actions->action[n].handler == SIG_IGN;

        actions->action[n] = (struct signal_action){ .handler = ignored ? SIG_IGN : SIG_DFL };
    }
}

/* ---- Processes -------------------------------------------------------------------------------------- */

/* Takes the reference; NULL: there was no memory for that. */
static struct process *process_with(struct credentials *credentials)
{
    struct process *process = credentials != NULL ? heap_alloc(sizeof *process, HEAP_ZERO) : NULL;

    if (process == NULL) {
        credentials_release(credentials);
        return NULL;
    }
    process->credentials = credentials;
    process->start_time = clock_now();
    process->cpu_due    = NEVER;
    list_start(&process->children);
    list_start(&process->changed_children);
    list_start(&process->sibling_link);
    list_start(&process->changed_link);
    list_start(&process->group_link);
    list_start(&process->session_link);
    list_start(&process->rouse_link);
    return process;
}

struct process *process_new(void) { return process_with(credentials_of_root()); }

struct process *process_new_like_this(void) { return process_with(credentials_hold(current_thread()->credentials)); }

/*
 * Everything a process shares with others; each may be missing when a creation has failed half-way. Releasing may wait,
 * so others who look at the process must not find there any more what is being released.
 */
void process_let_go(struct process *process)
{
    struct files          *files   = process->files;
    struct fs_context     *fs      = process->fs;
    struct signal_actions *actions = process->actions;
    struct shared_space   *memory  = process->memory;

    assert(process->thread_count == 0);
    process->files   = NULL;
    process->fs      = NULL;
    process->actions = NULL;
    process->memory  = NULL;
    if (files != NULL)
        files_release(files);
    if (fs != NULL)
        fs_context_release(fs);
    if (actions != NULL)
        actions_release(actions);
    if (memory != NULL)
        memory_release(memory);
    signal_queue_clear(&process->pending);
}

static void free_block(struct number *number)
{
    heap_free_sized(CONTAINER_OF(number, struct process, number), sizeof(struct process));
}

void process_free(struct process *process)
{
    assert(process->memory == NULL && process->threads == NULL && list_is_empty(&process->children));
    credentials_release(process->credentials);
    if (process->number.uses > 0)
        process->number.unused = free_block;            /* it led a group or a session that goes on */
    else
        free_block(&process->number);
}

/* ---- Families. The lock is held. --------------------------------------------------------------------- */

static bool has_change(const struct process *child)
{
    return child->state == PROCESS_ZOMBIE || (child->state == PROCESS_STOPPED && !child->waited_stop) ||
           (child->state == PROCESS_ALIVE && child->continued && !child->waited_continue);
}

static bool is_elder(const struct list *changed, const struct process *child)
{
    return LIST_ITEM(changed, struct process, changed_link)->order < child->order;
}

/*
 * Where a child belongs among its parent's changed children, of which it is neither the eldest nor the youngest. The
 * search begins at the end, and passes over younger ones that have not been waited for.
 */
static struct list *position_between(struct process *parent, const struct process *child, lock_state *state)
{
    struct tour *tour = tour_list_back(&parent->changed_children, TOUR_LIGHT, state);
    struct list *at;

    while ((at = tour_next(tour)) != NULL)      /* bound: rests */
        if (is_elder(at, child)) {
            tour_end(tour);
            return at->next;
        }
    return parent->changed_children.next;
}

/* Children mostly end in the order they were made, or in the opposite one. */
static struct list *position_of_change(struct process *parent, const struct process *child, lock_state *state)
{
    struct list *changed = &parent->changed_children;

    if (list_is_empty(changed) || is_elder(changed->previous, child))
        return changed;
    return is_elder(changed->next, child) ? position_between(parent, child, state) : changed->next;
}

void process_forget_change(struct process *child)
{
    deep_assert(lock_held(&process_lock));
    if (!has_change(child))
        tours_list_remove(&child->changed_link);
}

/* The parent may be another after each search, and the child may have been found meanwhile. */
void process_note_change(struct process *child, lock_state *state)
{
    deep_assert(lock_held(&process_lock));
    process_forget_change(child);
    while (list_is_empty(&child->changed_link) && child->parent != NULL && has_change(child)) { /* bound: as said */
        struct process *parent = child->parent;
        struct list    *place  = position_of_change(parent, child, state);

        if (child->parent == parent && list_is_empty(&child->changed_link)) {
            list_insert(place, &child->changed_link);
            parent->child_changes++;
        }
    }
}

static void add_child(struct process *parent, struct process *child)
{
    deep_assert(lock_held(&process_lock));
    assert(child->parent == NULL && parent != child);
    child->parent = parent;
    child->order  = ++last_order;
    list_insert(&parent->children, &child->sibling_link);
    if (has_change(child)) {                    /* the youngest of all */
        list_insert(&parent->changed_children, &child->changed_link);
        parent->child_changes++;
    }
}

static void remove_child(struct process *child)
{
    deep_assert(lock_held(&process_lock));
    child->maker = 0;
    tours_list_remove(&child->sibling_link);
    tours_list_remove(&child->changed_link);
    child->parent = NULL;
}

void process_adopt(struct process *parent, struct process *child)
{
    remove_child(child);
    if (parent != NULL)
        add_child(parent, child);
}

static void leave_group(struct process *process)
{
    members_leave(process);
    number_drop(process->group_number);
}

static void leave_session(struct process *process)
{
    tours_list_remove(&process->session_link);
    number_drop(process->session_number);
}

/* The new number is held first: it may be the same as the old one, which may have no other use. */
void process_join_group(struct process *process, struct number *group)
{
    deep_assert(lock_held(&process_lock));
    number_hold(group);
    if (process->group != 0)
        leave_group(process);
    list_insert(&group->group, &process->group_link);
    process->group_number = group;
    process->group        = group->value;
}

void process_join_session(struct process *process, struct number *session)
{
    deep_assert(lock_held(&process_lock));
    number_hold(session);
    if (process->session != 0)
        leave_session(process);
    list_insert(&session->session, &process->session_link);
    process->session_number = session;
    process->session        = session->value;
}

static int take_number(struct process *process, bool first)
{
    return first && number_find(1) == NULL ? number_take_first(&process->number) : number_take(&process->number);
}

int process_enlist(struct process *process, struct process *parent, const struct process *like)
{
    lock_state     state = lock_take(&process_lock);
    struct number *number = &process->number;
    int            err    = take_number(process, like == NULL);

    assert(process->id == 0 && parent != process);
    if (err == 0) {
        number->process = process;
        process->id     = number->value;
        process_join_group(process, like != NULL ? like->group_number : number);
        process_join_session(process, like != NULL ? like->session_number : number);
        if (parent != NULL)
            add_child(parent, process);
        user_account_threads(process->credentials->account, 1);
        process_count++;
    }
    lock_drop(&process_lock, state);
    return err;
}

void process_delist(struct process *process)
{
    struct number *number = &process->number;

    assert(lock_held(&process_lock) && process->id == number->value && process->thread_count == 0);
    remove_child(process);
    leave_group(process);
    leave_session(process);
    number->process = NULL;
    number_drop(number);
    user_account_threads(process->credentials->account, -1);
    process_count--;
}

/* ---- The check. The lock is held. ----------------------------------------------------------------------- */

static const char *broken_in_children(const struct process *parent)
{
    uint64_t     before = 0;
    struct list *at;

    if (!list_ok(&parent->children) || !list_ok(&parent->changed_children))
        return "T1";
    LIST_EACH(at, &parent->children) {
        const struct process *child = LIST_ITEM(at, struct process, sibling_link);

        if (child->parent != parent || (has_change(child) && list_is_empty(&child->changed_link)))
            return "T1";
    }
    LIST_EACH(at, &parent->changed_children) {
        const struct process *child = LIST_ITEM(at, struct process, changed_link);

        if (child->parent != parent || child->order <= before)
            return "T2";
        before = child->order;
    }
    return NULL;
}

static const char *broken_in_threads(const struct process *process)
{
    const struct thread *before = NULL;
    uint32_t             count  = 0;

    for (const struct thread *t = process->threads; t != NULL; before = t, t = t->next_in_process, count++)
        if (t->before_in_process != before || thread_numbered(t->id) != t || t->process != process)
            return "T3";
    return before == process->last_thread && count == process->thread_count ? NULL : "T3";
}

const char *process_broken(const struct process *process)
{
    const char *broken = broken_in_children(process);

    return broken != NULL ? broken : broken_in_threads(process);
}
