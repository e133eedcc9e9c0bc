/*
 * rouse.c - telling the threads of a process that something has come for them: see rouse.h.
 *
 * A process may have very many threads, and signals come under locks and from interrupts: so ROUSED_AT_ONCE threads are
 * looked at, and an errand goes on from there. Whoever leaves the list of threads takes next_to_rouse a step further.
 */
#include "process/rouse.h"

#include "base/check.h"
#include "cpu.h"
#include "process/errand.h"
#include "process/family.h"

enum { ROUSED_AT_ONCE = 16 };           /* larger: a longer stretch, 800 instructions each in a checked kernel */

static struct list   left_to_rouse = { &left_to_rouse, &left_to_rouse };       /* [lock] */
static void          go_on_rousing(struct errand *errand);
static struct errand rest_of_rousing = { .work = go_on_rousing };

static void rouse_thread(struct process *process, struct thread *thread)
{
    uint64_t takes = ~thread->mask | thread->waiting_for;

    if (process->rouse_undoes != 0)
        signals_undo(&thread->pending, process->rouse_undoes);
    if ((process->rouse & ROUSE_END) && thread != process->spared)
        thread->pending.pending |= 1ull << (SIGKILL - 1);
    if (process->rouse & ROUSE_RESUME)
        schedule_resume(thread);
    if ((process->rouse & (ROUSE_WAKE | ROUSE_END)) || (process->rouse_for & takes))
        wake_thread(thread);
    process->rouse_for &= ~takes;
}

/* No thread is left to be told. */
static void end_rousing(struct process *process)
{
    process->rouse        = 0;
    process->rouse_for    = 0;
    process->rouse_undoes = 0;
    list_remove(&process->rouse_link);
}

static void rouse_some(struct process *process)
{
    deep_assert(lock_held(&signals_lock));
    /* bound: ROUSED_AT_ONCE */
    for (unsigned i = 0; i < ROUSED_AT_ONCE && process->next_to_rouse != NULL; i++) {
        struct thread *thread = process->next_to_rouse;

        process->next_to_rouse = thread->next_in_process;
        rouse_thread(process, thread);
        if (process->rouse == 0 && process->rouse_for == 0 && process->rouse_undoes == 0)
            process->next_to_rouse = NULL;
    }
    if (process->next_to_rouse == NULL) {
        end_rousing(process);
        return;
    }
    if (list_is_empty(&process->rouse_link))
        list_insert(&left_to_rouse, &process->rouse_link);
    errand_post(&rest_of_rousing);
}

static void go_on_rousing(struct errand *errand __attribute__((unused)))
{
    for (;;) {                                  /* bound: interrupts are let in in each step */
        lock_state state = lock_take(&signals_lock);
        bool       more  = !list_is_empty(&left_to_rouse);

        if (more)
            rouse_some(LIST_ITEM(left_to_rouse.next, struct process, rouse_link));
        lock_drop(&signals_lock, state);
        if (!more)
            return;
        interrupts_let_in();
    }
}

void threads_rouse(struct process *process, unsigned how, uint64_t signals, uint64_t undoes)
{
    process->rouse        |= how;
    process->rouse_for    |= signals;
    process->rouse_undoes |= undoes;
    process->next_to_rouse = process->threads;
    rouse_some(process);
}

void signals_leave_thread(struct thread *thread)
{
    struct process *process = thread->process;

    deep_assert(lock_held(&signals_lock));
    if (process->next_to_rouse != thread)
        return;
    process->next_to_rouse = thread->next_in_process;
    if (process->next_to_rouse == NULL)
        end_rousing(process);
}

void process_end_stop(struct process *process)
{
    process->state = process->state == PROCESS_STOPPED ? PROCESS_ALIVE : process->state;
}

void signal_end_threads(struct process *process, struct thread *spared)
{
    lock_state state = lock_take(&signals_lock);

    process->spared = spared;
    threads_rouse(process, ROUSE_RESUME | ROUSE_END, 0, 0);
    lock_drop(&signals_lock, state);
}
