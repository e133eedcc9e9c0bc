/*
 * threads.c - making and freeing threads, and their list in a process.
 */
#include "process/abi.h"
#include "process/process.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/heap/heap.h"
#include "process/family.h"
#include "process/rouse.h"
#include "process/user_account.h"
#include "process/tour.h"

static uint32_t thread_count;
static uint64_t made;                   /* [process_lock] since the start, the first of each process included */

uint32_t threads_alive(void) { return thread_count; }

uint64_t processes_made(void)
{
    lock_state state = lock_take(&process_lock);
    uint64_t   sum   = made;

    lock_drop(&process_lock, state);
    return sum;
}

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

/*
 * Its stack is not in use: it has never run, or another has taken over the CPU, which may have interrupts off. So
 * signals that came for it at the last moment are an errand's to free.
 */
void thread_free(struct thread *thread)
{
    lock_state state = lock_take(&signals_lock);

    assert(thread != current_thread() && (thread->phase == THREAD_DEAD || thread->phase == THREAD_READY));
    signals_undo(&thread->pending, ~0ull);
    lock_drop(&signals_lock, state);
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
    if (process->thread_count > 0) {
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
    if (thread->number != &thread->process->number)
        user_account_threads(thread->credentials->account, more);
}

static void link_thread(struct process *process, struct thread *thread)
{
    lock_state state = lock_take(&signals_lock);

    thread->before_in_process = process->last_thread;
    if (process->last_thread != NULL)
        process->last_thread->next_in_process = thread;
    else
        process->threads = thread;
    process->last_thread = thread;
    process->thread_count++;
    lock_drop(&signals_lock, state);
}

static void unlink_thread(struct process *process, struct thread *thread)
{
    lock_state state = lock_take(&signals_lock);

    signals_leave_thread(thread);
    if (thread->before_in_process != NULL)
        thread->before_in_process->next_in_process = thread->next_in_process;
    else
        process->threads = thread->next_in_process;
    if (thread->next_in_process != NULL)
        thread->next_in_process->before_in_process = thread->before_in_process;
    else
        process->last_thread = thread->before_in_process;
    process->thread_count--;
    lock_drop(&signals_lock, state);
}

/*
 * Number a thread and enter it in its process. Returns 0 or -EAGAIN, also where its maker is to end: all threads of the
 * process, as for another's exec, or all processes of a group have been told to, and a new one would not hear of that.
 */
int thread_enlist(struct thread *thread)
{
    lock_state      state   = lock_take(&process_lock);
    struct process *process = thread->process;
    int             err     = signal_kills(current_thread()) ? -EAGAIN : take_thread_number(thread);

    if (err == 0) {
        thread->number->thread = thread;
        thread->id             = thread->number->value;
        link_thread(process, thread);
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
    tours_leave_thread(thread);
    unlink_thread(process, thread);
}
