/*
 * process.c - who exists: numbers, the lists of processes and threads, making and freeing both.
 */
#include "process/process.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/descriptor.h"
#include "files/path.h"
#include "memory/heap/heap.h"
#include "process/family.h"

enum { NUMBERS = 32768 };

struct lock process_lock = LOCK("processes", RANK_PROCESSES);

static struct process *all;             /* [process_lock] */
static int32_t         last_number;     /* [process_lock] */
static uint32_t        process_count, thread_count;
static uint64_t        made;            /* [process_lock] processes and threads since the start */

uint32_t processes_alive(void) { return process_count; }
uint32_t threads_alive(void)   { return thread_count; }
int32_t  process_last_number(void) { return last_number; }

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
    for (struct process *p = all; p != NULL; p = p->all_next)
        if (p->id == id)
            return p;
    return NULL;
}

struct process *process_after(const struct process *process) { return process != NULL ? process->all_next : all; }

struct thread *thread_numbered(int32_t id)
{
    for (struct process *p = all; p != NULL; p = p->all_next)
        for (struct thread *t = p->threads; t != NULL; t = t->next_in_process)
            if (t->id == id)
                return t;
    return NULL;
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

void process_each(void (*visit)(struct process *process, void *data), void *data)
{
    lock_state state = lock_take(&process_lock);

    for (struct process *p = all; p != NULL; p = p->all_next)
        visit(p, data);
    lock_drop(&process_lock, state);
}

/* A number is in use while a thread, a process, a group or a session has it. */
static bool number_in_use(int32_t id)
{
    for (struct process *p = all; p != NULL; p = p->all_next) {
        if (p->id == id || p->group == id || p->session == id)
            return true;
        for (struct thread *t = p->threads; t != NULL; t = t->next_in_process)
            if (t->id == id)
                return true;
    }
    return false;
}

static int32_t new_number(void)
{
    for (int32_t tries = 0; tries < NUMBERS; tries++) {
        last_number = last_number + 1 < NUMBERS ? last_number + 1 : 2;
        if (!number_in_use(last_number))
            return last_number;
    }
    return 0;
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
    memory->references = memory->keepers = 1;
    return memory;
}

void memory_hold(struct shared_space *memory) { __atomic_add_fetch(&memory->references, 1, __ATOMIC_RELAXED); }

/* Emptying a space costs less when it is not in use. Whose stack is mapped there alone has no choice. */
static void step_out(const struct space *space)
{
    if (!stacks_are_own() && space_of_program() == space)
        space_activate(&kernel_space);
}

void memory_release(struct shared_space *memory)
{
    if (__atomic_sub_fetch(&memory->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    step_out(&memory->space);
    map_clear(&memory->space);
    if (memory->executable != NULL)
        node_release(memory->executable);
    memory_leave(memory);
}

void memory_settle(struct shared_space *memory) { __atomic_add_fetch(&memory->keepers, 1, __ATOMIC_RELAXED); }

/* The last one out; without threads there, this CPU runs on no stack of it, but may still use its tables. */
void memory_leave(struct shared_space *memory)
{
    if (__atomic_sub_fetch(&memory->keepers, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (space_of_program() == &memory->space)
        space_activate(&kernel_space);
    space_destroy(&memory->space);
    heap_free_sized(memory, sizeof *memory);
}

/* ---- Signal actions ----------------------------------------------------------------------------- */

struct signal_actions *actions_new(const struct signal_actions *like)
{
    struct signal_actions *actions = heap_alloc(sizeof *actions, HEAP_ZERO);

    if (actions == NULL)
        return NULL;
    if (like != NULL)
        *actions = *like;
    actions->references = 1;
    return actions;
}

void actions_hold(struct signal_actions *actions) { actions->references++; }

void actions_release(struct signal_actions *actions)
{
    if (--actions->references == 0)
        heap_free_sized(actions, sizeof *actions);
}

/* ---- Threads --------------------------------------------------------------------------------------- */

int thread_new(struct process *process, struct thread **out)
{
    struct thread *thread = heap_alloc(sizeof *thread, HEAP_ZERO);
    int            err;

    if (thread == NULL)
        return -ENOMEM;
    err = stack_get(&process->memory->space, &thread->stack);
    if (err != 0) {
        heap_free_sized(thread, sizeof *thread);
        return err;
    }
    memory_settle(thread->home = process->memory);
    thread->process = process;
    thread->phase   = THREAD_READY;
    thread_count++;
    *out = thread;
    return 0;
}

/* Its stack is not in use: it has never run, or another has taken over the CPU. */
void thread_free(struct thread *thread)
{
    signal_queue_clear(&thread->pending);
    thread_drop_state(thread);
    stack_put(&thread->stack);
    memory_leave(thread->home);
    heap_free_sized(thread, sizeof *thread);
    thread_count--;
}

/* Number a thread and enter it in its process. Returns 0 or -EAGAIN. */
int thread_enlist(struct thread *thread)
{
    lock_state      state   = lock_take(&process_lock);
    struct process *process = thread->process;

    thread->id = process->thread_count == 0 && process->id != 0 ? process->id : new_number();
    if (thread->id != 0) {
        thread->next_in_process = process->threads;
        process->threads = thread;
        process->thread_count++;
        made++;
    }
    lock_drop(&process_lock, state);
    return thread->id != 0 ? 0 : -EAGAIN;
}

void thread_delist(struct thread *thread)
{
    lock_state      state = lock_take(&process_lock);
    struct thread **at    = &thread->process->threads;

    while (*at != thread)
        at = &(*at)->next_in_process;
    *at = thread->next_in_process;
    thread->process->thread_count--;
    lock_drop(&process_lock, state);
}

/* ---- Processes -------------------------------------------------------------------------------------- */

struct process *process_new(void)
{
    struct process *process = heap_alloc(sizeof *process, HEAP_ZERO);

    if (process != NULL)
        process->start_time = clock_now();
    return process;
}

/* Everything a process shares with others; each may be missing when a creation has failed half-way. */
void process_let_go(struct process *process)
{
    if (process->files != NULL)
        files_release(process->files);
    if (process->place != NULL)
        place_release(process->place);
    if (process->actions != NULL)
        actions_release(process->actions);
    if (process->memory != NULL)
        memory_release(process->memory);
    signal_queue_clear(&process->pending);
    process->files   = NULL;
    process->place   = NULL;
    process->actions = NULL;
    process->memory  = NULL;
}

void process_free(struct process *process) { heap_free_sized(process, sizeof *process); }

static void add_child(struct process *parent, struct process *child)
{
    child->parent         = parent;
    child->sibling        = parent->children;
    child->sibling_before = NULL;
    if (parent->children != NULL)
        parent->children->sibling_before = child;
    parent->children = child;
}

static void remove_child(struct process *child)
{
    if (child->sibling_before != NULL)
        child->sibling_before->sibling = child->sibling;
    else if (child->parent != NULL)
        child->parent->children = child->sibling;
    if (child->sibling != NULL)
        child->sibling->sibling_before = child->sibling_before;
    child->sibling = child->sibling_before = NULL;
}

/* Number a process and enter it everywhere. Returns 0 or -EAGAIN. */
int process_enlist(struct process *process, struct process *parent)
{
    lock_state state = lock_take(&process_lock);
    int        err   = 0;

    process->id = parent == NULL && process_numbered(1) == NULL ? (last_number = 1) : new_number();
    if (process->id == 0) {
        err = -EAGAIN;
    } else {
        if (parent != NULL)
            add_child(parent, process);
        process->all_next = all;
        if (all != NULL)
            all->all_before = process;
        all = process;
        process_count++;
    }
    lock_drop(&process_lock, state);
    return err;
}

/* The lock is held. */
void process_delist(struct process *process)
{
    remove_child(process);
    if (process->all_before != NULL)
        process->all_before->all_next = process->all_next;
    else
        all = process->all_next;
    if (process->all_next != NULL)
        process->all_next->all_before = process->all_before;
    process_count--;
}

/* The lock is held. */
void process_adopt(struct process *parent, struct process *child)
{
    remove_child(child);
    add_child(parent, child);
}
