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

struct lock process_lock = LOCK("processes", RANK_PROCESSES);

static uint64_t        last_order;      /* [process_lock] of a child */
static uint32_t        process_count, thread_count;
static uint64_t        made;            /* [process_lock] processes and threads since the start */

uint32_t processes_alive(void) { return process_count; }
uint32_t threads_alive(void)   { return thread_count; }
int32_t  process_last_number(void) { return number_last(); }

uint64_t processes_made(void)
{
    lock_state state = lock_take(&process_lock);
    uint64_t   sum   = made;

    lock_drop(&process_lock, state);
    return sum;
}

/* ---- Finding. The lock is held by the callers of the first two. --------------------------- */

struct process *process_numbered(int32_t id)
{
    const struct number *number = number_find(id);

    deep_assert(lock_held(&process_lock));
    return number != NULL ? number->process : NULL;
}

struct process *process_after(const struct process *process)
{
    const struct number *number = number_next(process != NULL ? process->id + 1 : 0);

    deep_assert(lock_held(&process_lock));
    while (number != NULL && number->process == NULL)   /* bound: NUMBERS */
        number = number_next(number->value + 1);
    return number != NULL ? number->process : NULL;
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
    lock_state state = lock_take(&process_lock);

    for (struct process *p = process_after(NULL); p != NULL; p = process_after(p))      /* bound: NUMBERS */
        visit(p, data);
    lock_drop(&process_lock, state);
}

void process_each_in_group(int32_t group, process_visit visit, void *data)
{
    lock_state     state  = lock_take(&process_lock);
    struct number *number = number_find(group);
    struct list   *at;

    if (number != NULL)
        LIST_EACH(at, &number->group)
            visit(LIST_ITEM(at, struct process, group_link), data);
    lock_drop(&process_lock, state);
}

void process_each_in_session(int32_t session, process_visit visit, void *data)
{
    lock_state     state  = lock_take(&process_lock);
    struct number *number = number_find(session);
    struct list   *at;

    if (number != NULL)
        LIST_EACH(at, &number->session)
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

/* ---- Threads --------------------------------------------------------------------------------------- */

int thread_new(struct process *process, struct thread **out)
{
    struct thread *thread = heap_alloc(sizeof *thread, HEAP_ZERO);
    int            err;

    assert(process->memory != NULL);
    if (thread == NULL)
        return -ENOMEM;
    err = stack_get(&process->memory->space, &thread->stack);
    if (err != 0) {
        heap_free_sized(thread, sizeof *thread);
        return err;
    }
    memory_hold_tables(thread->stack_memory = process->memory);
    thread->process = process;
    thread->phase   = THREAD_READY;
    thread->credentials = credentials_hold(process == current_process() ? current_thread()->credentials :
                                           process->credentials);
    thread_count++;
    *out = thread;
    return 0;
}

/* Its stack is not in use: it has never run, or another has taken over the CPU. */
void thread_free(struct thread *thread)
{
    assert(thread != current_thread() && (thread->phase == THREAD_DEAD || thread->phase == THREAD_READY));
    signal_queue_clear(&thread->pending);
    thread_drop_state(thread);
    stack_put(&thread->stack);
    memory_release_tables(thread->stack_memory);
    credentials_release(thread->credentials);
    heap_free_sized(thread, sizeof *thread);
    thread_count--;
}

/* The number of a new thread: a process's first has the process's. */
static int take_thread_number(struct thread *thread)
{
    struct process *process = thread->process;

    assert(thread->number == NULL);
    if (process->thread_count > 0 || process->id == 0) {
        thread->number = &thread->own_number;
        return number_take(thread->number);
    }
    thread->number = &process->number;
    number_hold(thread->number);
    return 0;
}

/* Count a thread for its user. The one with its process's number counts until the process has been waited for. */
static void count_thread(const struct thread *thread, int more)
{
    if (thread->number != &thread->process->number && thread->process->id != 0)
        user_account_threads(thread->credentials->account, more);
}

/* Number a thread and enter it in its process. Returns 0 or -EAGAIN. */
int thread_enlist(struct thread *thread)
{
    lock_state      state   = lock_take(&process_lock);
    struct process *process = thread->process;
    int             err     = take_thread_number(thread);

    if (err == 0) {
        thread->number->thread = thread;
        thread->id             = thread->number->value;
        thread->before_in_process = process->last_thread;
        if (process->last_thread != NULL)
            process->last_thread->next_in_process = thread;
        else
            process->threads = thread;
        process->last_thread = thread;
        process->thread_count++;
        count_thread(thread, 1);
        made++;
    }
    lock_drop(&process_lock, state);
    return err;
}

static void drop_thread_number(struct thread *thread)
{
    assert(thread->number->thread == thread);
    thread->number->thread = NULL;
    number_drop(thread->number);
}

void thread_become_first(struct thread *thread)
{
    struct process     *process = thread->process;
    struct number      *number  = &process->number;
    struct credentials *old     = process->credentials;

    assert(lock_held(&process_lock) && process->threads == thread && process->thread_count == 1);
    if (thread->number == number)
        return;
    user_account_threads(old->account, -1);             /* the process counts as this thread has counted up to now */
    process->credentials = credentials_hold(thread->credentials);
    credentials_release(old);
    drop_thread_number(thread);
    assert(number->thread == NULL);
    number_hold(number);
    number->thread = thread;
    thread->number = number;
    thread->id     = number->value;
}

void thread_delist(struct thread *thread)
{
    struct process *process = thread->process;

    assert(lock_held(&process_lock) && process->thread_count > 0);
    count_thread(thread, -1);
    drop_thread_number(thread);
    if (thread->before_in_process != NULL)
        thread->before_in_process->next_in_process = thread->next_in_process;
    else
        process->threads = thread->next_in_process;
    if (thread->next_in_process != NULL)
        thread->next_in_process->before_in_process = thread->before_in_process;
    else
        process->last_thread = thread->before_in_process;
    process->thread_count--;
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

/*
 * Where a child belongs among its parent's changed children. Children mostly end in the order they were made, so the
 * search begins at the end; it passes over younger ones that have not been waited for, fewer than NUMBERS.
 */
static struct list *position_of_change(struct process *parent, const struct process *child)
{
    struct list *at = &parent->changed_children;

    while (at->previous != &parent->changed_children &&
           LIST_ITEM(at->previous, struct process, changed_link)->order > child->order)
        at = at->previous;
    return at;
}

void process_note_change(struct process *child)
{
    bool listed = !list_is_empty(&child->changed_link), wanted = child->parent != NULL && has_change(child);

    deep_assert(lock_held(&process_lock));
    if (listed && !wanted)
        list_remove(&child->changed_link);
    else if (!listed && wanted)
        list_insert(position_of_change(child->parent, child), &child->changed_link);
}

static void add_child(struct process *parent, struct process *child)
{
    deep_assert(lock_held(&process_lock));
    assert(child->parent == NULL && parent != child);
    child->parent = parent;
    child->order  = ++last_order;
    list_insert(&parent->children, &child->sibling_link);
    process_note_change(child);
}

static void remove_child(struct process *child)
{
    deep_assert(lock_held(&process_lock));
    child->maker = 0;
    list_remove(&child->sibling_link);
    list_remove(&child->changed_link);
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
    list_remove(&process->group_link);
    number_drop(process->group_number);
}

static void leave_session(struct process *process)
{
    list_remove(&process->session_link);
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
