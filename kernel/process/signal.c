/*
 * signal.c - sending, queueing and choosing signals; what they do when there is no handler.
 */
#include "process/signal.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/range.h"
#include "cpu.h"
#include "memory/heap/heap.h"
#include "memory/spaces/fault.h"
#include "process/errand.h"
#include "process/family.h"
#include "process/rouse.h"
#include "process/timer_table.h"
#include "process/user_account.h"
#include "process/tour.h"
#include "process/abi.h"

/*
 * A queue has a chain for each number that has entries, of at most SIGNALS, in any order. A chain's first entry leads
 * to the next chain and knows its own chain's last entry, so no step below depends on how many signals are queued:
 * root may raise RLIMIT_SIGPENDING as far as memory goes.
 */
struct signal_queued {
    struct signal_queued *next;         /* of the same number, sent later */
    struct signal_queued *next_chain, *last;    /* of a chain's first entry alone */
    struct user_account  *account;      /* counts it; a reference */
    struct signal_info    info;
};

struct lock signals_lock = LOCK("signals", RANK_SIGNALS);      /* all queues and masks looked at by others */

struct wait_queue signals_kept;

static uint64_t signal_bit(int number) { return 1ull << (number - 1); }

#define BIT(number) (1ull << ((number) - 1))
static const uint64_t stops       = BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU);
static const uint64_t ignored     = BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH);
static const uint64_t synchronous = BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGSEGV) | BIT(SIGSYS);
static const uint64_t unmaskable  = BIT(SIGKILL) | BIT(SIGSTOP);

/* ---- Queues. The lock is held. -------------------------------------------------------------- */

/* The pointer to a number's chain, or the one at the end of the list of chains when the number has none. */
static struct signal_queued **find_chain(struct signal_queue *queue, int number)
{
    struct signal_queued **at = &queue->chains;

    deep_assert(lock_held(&signals_lock));
    while (*at != NULL && (*at)->info.number != number)         /* bound: SIGNALS */
        at = &(*at)->next_chain;
    return at;
}

/* Entries of these numbers go to the list of those that free_dropped() frees, once the lock is not held. */
static void drop_queued(struct signal_queue *queue, uint64_t numbers, struct signal_queued **dropped)
{
    struct signal_queued **at = &queue->chains;

    deep_assert(lock_held(&signals_lock));
    queue->pending &= ~numbers;
    while (*at != NULL) {                       /* bound: SIGNALS */
        struct signal_queued *chain = *at;

        if (numbers & signal_bit(chain->info.number)) {
            *at = chain->next_chain;
            chain->last->next = *dropped;
            *dropped = chain;
        } else {
            at = &chain->next_chain;
        }
    }
}

/*
 * Ordinary signals are remembered once, but those of different timers. Without an entry, for which there was no memory
 * or no room in the limit, the signal itself still counts and its details are lost; but a real-time signal that was
 * sent with details, or to a thread, fails.
 */
static int queue_signal(struct signal_queue *queue, const struct signal_info *info, struct signal_queued *entry)
{
    bool                   real_time = info->number > 31 || info->from_timer;
    struct signal_queued **chain;

    deep_assert(lock_held(&signals_lock));
    if (!real_time && (queue->pending & signal_bit(info->number)))
        entry = NULL;
    else if (real_time && entry == NULL && info->code != SI_USER)
        return -EAGAIN;
    queue->pending |= signal_bit(info->number);
    if (entry == NULL)
        return 0;
    entry->info = *info;
    entry->next = entry->next_chain = NULL;
    entry->last = entry;
    chain = find_chain(queue, info->number);
    if (*chain != NULL) {
        (*chain)->last->next = entry;
        (*chain)->last = entry;
    } else {
        *chain = entry;
    }
    return 1;                                   /* the entry has been used */
}

int signal_lowest(uint64_t numbers)
{
    uint32_t low = (uint32_t)numbers;

    return low != 0 ? __builtin_ctz(low) + 1 : __builtin_ctz((uint32_t)(numbers >> 32)) + 33;
}

/*
 * Take the lowest number of `wanted`, faults before all others. *taken is the entry that it had, or NULL; the caller
 * frees it.
 */
static bool take_signal(struct signal_queue *queue, uint64_t wanted, struct signal_info *out,
                        struct signal_queued **taken)
{
    struct signal_queued **chain, *entry;
    uint64_t               have = queue->pending & wanted;
    int                    number;

    deep_assert(lock_held(&signals_lock));
    if (have == 0)
        return false;
    number = signal_lowest(have & synchronous ? have & synchronous : have);
    chain  = find_chain(queue, number);
    entry  = *chain;
    *out   = entry != NULL ? entry->info : (struct signal_info){ .number = number };
    *taken = entry;
    if (entry != NULL && entry->next != NULL) {
        entry->next->next_chain = entry->next_chain;
        entry->next->last       = entry->last;
        *chain = entry->next;
        return true;
    }
    if (entry != NULL)
        *chain = entry->next_chain;
    queue->pending &= ~signal_bit(number);
    return true;
}

/* ---- Queues, from outside. -------------------------------------------------------------------- */

static void free_entry(struct signal_queued *entry)
{
    user_account_unqueue(entry->account);
    heap_free_sized(entry, sizeof *entry);
}

/* There may be as many as the limit allows. */
static void free_dropped(struct signal_queued *dropped)
{
    while (dropped != NULL) {
        struct signal_queued *next = dropped->next;

        free_entry(dropped);
        dropped = next;
        point_of_rest();
    }
}

/* How many there are is a number that programs choose, and the lock is held here: so an errand frees them. */
static struct signal_queued *undone;            /* [signals_lock] */

static void free_undone(struct errand *errand __attribute__((unused)))
{
    for (;;) {                                  /* bound: interrupts are let in in each step */
        lock_state            state = lock_take(&signals_lock);
        struct signal_queued *entry = undone;

        undone = entry != NULL ? entry->next : NULL;
        lock_drop(&signals_lock, state);
        if (entry == NULL)
            return;
        free_entry(entry);
        interrupts_let_in();
    }
}

void signals_undo(struct signal_queue *queue, uint64_t numbers)
{
    static struct errand free_them = { .work = free_undone };

    if (!(queue->pending & numbers))
        return;
    drop_queued(queue, numbers, &undone);
    errand_post(&free_them);
}

void signal_queue_clear(struct signal_queue *queue)
{
    struct signal_queued *dropped = NULL;
    lock_state            state;

    may_sleep();
    state = lock_take(&signals_lock);
    drop_queued(queue, ~0ull, &dropped);
    lock_drop(&signals_lock, state);
    free_dropped(dropped);
}

/* ---- Sending ----------------------------------------------------------------------------------- */

static bool signal_is_ignored(const struct process *process, int number)
{
    vaddr_t handler = process->actions != NULL ? process->actions->action[number].handler : SIG_DFL;

    return handler == SIG_IGN || (handler == SIG_DFL && (ignored & signal_bit(number)));
}

/*
 * A signal that its receiver blocks is kept even if it is ignored: sigwait may want it, and its action may be another
 * by the time it is let in. As under Linux, the eldest thread speaks for the process.
 */
static bool signal_is_blocked(const struct process *process, const struct thread *thread, int number)
{
    return ((thread != NULL ? thread : process->threads)->mask & signal_bit(number)) != 0;
}

/* SIGCONT undoes stops that wait, a stop undoes a waiting SIGCONT; SIGCONT and SIGKILL set stopped threads going. */
static void act_on_signal_at_once(struct process *process, int number)
{
    uint64_t gone = number == SIGCONT ? stops : stops & signal_bit(number) ? signal_bit(SIGCONT) : 0;

    deep_assert(lock_held(&signals_lock));
    if (gone != 0) {
        signals_undo(&process->pending, gone);
        threads_rouse(process, 0, 0, gone);
    }
    if (number != SIGCONT && number != SIGKILL)
        return;
    if (process->state == PROCESS_STOPPED && number == SIGCONT) {
        process->continued       = true;
        process->notify_continue = true;
    }
    process_end_stop(process);
    threads_rouse(process, ROUSE_RESUME, 0, 0);
}

/* A thread that can take the signal at once is woken; by SIGKILL all of them are. */
static void wake_recipient(struct process *process, int number)
{
    threads_rouse(process, number == SIGKILL ? ROUSE_WAKE : 0, signal_bit(number), 0);
}

/*
 * The limit for queued signals. Ordinary ones of the kernel and of kill() have none: of each number at most one waits.
 * Real-time ones always have: a thread may send itself one of any code, even one of the kernel's. Timers may go beyond
 * the limit, once each: a timer that is deleted or set anew leaves its signal.
 */
static uint64_t most_queued(const struct process *process, const struct signal_info *info)
{
    uint64_t limit = process->limits[RLIMIT_SIGPENDING].soft, most;

    if (info->from_timer)
        return checked_add(limit, TIMERS_A_PROCESS, &most) ? most : LIMIT_NONE;
    return info->number > 31 || info->code < SI_USER ? limit : LIMIT_NONE;
}

/* NULL: no memory, or no room. */
static struct signal_queued *new_entry(struct process *process, const struct signal_info *info)
{
    struct signal_queued *entry = process->credentials != NULL ? heap_alloc(sizeof *entry, 0) : NULL;

    if (entry == NULL)
        return NULL;
    entry->account = process->credentials->account;
    if (user_account_queue(entry->account, most_queued(process, info)))
        return entry;
    heap_free_sized(entry, sizeof *entry);
    return NULL;
}

/* Returns 1 when it is queued with its details, 0 when it is merged with another or ignored, or -EAGAIN. */
static int send_signal(struct process *process, struct thread *thread, const struct signal_info *info)
{
    struct signal_queued *entry = new_entry(process, info);
    lock_state            state = lock_take(&signals_lock);
    int                   used  = 0;

    assert(info->number > 0 && info->number <= SIGNALS);
    act_on_signal_at_once(process, info->number);
    if (process->thread_count > 0 &&
        (!signal_is_ignored(process, info->number) || signal_is_blocked(process, thread, info->number))) {
        used = queue_signal(thread != NULL ? &thread->pending : &process->pending, info, entry);
        if (used >= 0 && thread != NULL)
            wake_thread(thread);
        else if (used >= 0)
            wake_recipient(process, info->number);
    }
    lock_drop(&signals_lock, state);
    if (used >= 0 && signals_kept.waiters.first != NULL)
        wake_all(&signals_kept);
    if (used <= 0 && entry != NULL)
        free_entry(entry);
    return used;
}

static int send_signal_plainly(struct process *process, struct thread *thread, const struct signal_info *info)
{
    int used = send_signal(process, thread, info);

    return used < 0 ? used : 0;
}

int signal_process(struct process *process, const struct signal_info *info)
{
    return send_signal_plainly(process, NULL, info);
}

int signal_thread(struct thread *thread, const struct signal_info *info)
{
    return send_signal_plainly(thread->process, thread, info);
}

bool signal_timer(struct process *process, struct thread *thread, const struct signal_info *info)
{
    return send_signal(process, thread, info) > 0;
}

void signal_forget(struct process *process, uint64_t numbers)
{
    struct signal_queued *dropped = NULL;
    lock_state            tree, state;
    struct thread        *thread;
    struct tour          *tour;

    may_sleep();
    tree  = lock_take(&process_lock);
    state = lock_take(&signals_lock);
    drop_queued(&process->pending, numbers, &dropped);
    lock_drop(&signals_lock, state);
    tour = tour_threads(process, TOUR_LIGHT, &tree);
    while ((thread = tour_next_thread(tour)) != NULL) {         /* bound: rests */
        state = lock_take(&signals_lock);
        drop_queued(&thread->pending, numbers, &dropped);
        lock_drop(&signals_lock, state);
    }
    lock_drop(&process_lock, tree);
    for (struct signal_queued *entry = dropped; entry != NULL; entry = entry->next)
        if (entry->info.from_timer)
            process_timer_taken(&entry->info);
    free_dropped(dropped);
}

bool signal_fault_ends(int number)
{
    const struct thread *self = current_thread();
    vaddr_t              handler;

    if (self->process == NULL || self->process->actions == NULL || (self->mask & signal_bit(number)))
        return true;
    handler = self->process->actions->action[number].handler;
    return handler == SIG_DFL || handler == SIG_IGN;
}

/*
 * A fault would repeat without a handler that runs: if its signal is blocked or ignored, the default action is taken.
 */
void signal_fault(const struct signal_info *info)
{
    struct thread        *self   = current_thread();
    struct signal_action *action = &self->process->actions->action[info->number];

    assert(self->process != NULL && (signal_bit(info->number) & (synchronous | unmaskable)) != 0);
    if ((self->mask & signal_bit(info->number)) || action->handler == SIG_IGN) {
        self->mask &= ~signal_bit(info->number);
        *action = (struct signal_action){ .handler = SIG_DFL };
    }
    send_signal(self->process, self, info);
}

void signal_self(int number)
{
    struct thread     *self = current_thread();
    struct signal_info info = { .number = number, .sender = self->process->id, .uid = self->credentials->user.real };

    signal_thread(self, &info);
}

/* ---- Looking ------------------------------------------------------------------------------------- */

static uint64_t deliverable_signals(const struct thread *thread)
{
    uint64_t blocked = thread->mask & ~unmaskable & ~thread->waiting_for;

    return signals_waiting(thread) & ~blocked;
}

bool signal_is_open(const struct thread *thread) { return deliverable_signals(thread) != 0; }

bool signal_kills(const struct thread *thread)
{
    return thread->process != NULL && (deliverable_signals(thread) & signal_bit(SIGKILL)) != 0;
}

bool signal_take(uint64_t wanted, struct signal_info *out)
{
    struct thread        *self  = current_thread();
    struct signal_queued *taken = NULL;
    lock_state            state = lock_take(&signals_lock);
    bool                  got   = take_signal(&self->pending, wanted, out, &taken) ||
                                  take_signal(&self->process->pending, wanted, out, &taken);

    lock_drop(&signals_lock, state);
    if (taken != NULL)
        free_entry(taken);
    if (got && out->from_timer)
        process_timer_taken(out);
    return got;
}

/* ---- Delivering -------------------------------------------------------------------------------------- */

/* One that is to end does not stop: its SIGKILL has set it going already, and would be heard of no more. */
static void stop_process(int number)
{
    struct process *process = current_process();
    lock_state      state   = lock_take(&process_lock), signals;

    assert((stops & signal_bit(number)) != 0);
    if (process->state == PROCESS_ALIVE && !signal_kills(current_thread())) {
        process->state       = PROCESS_STOPPED;
        process->stop_signal = number;
        process->continued   = false;
        process_notify_stop(process, true, &state);
        signals = lock_take(&signals_lock);
        threads_rouse(process, ROUSE_WAKE, 0, 0);      /* all come here and stop, too */
        lock_drop(&signals_lock, signals);
    }
    lock_drop(&process_lock, state);
}

/* All end, or another thread is in exec, and only this one ends. */
static bool is_to_end(const struct process *process)
{
    return process->exiting || (process->survivor != NULL && process->survivor != current_thread());
}

/* While the process is stopped its threads stay here, but those that are to end. */
static void stay_stopped(void)
{
    struct process *process = current_process();

    while (process->state == PROCESS_STOPPED && !is_to_end(process))    /* bound: sleeps in each step */
        schedule_stop_here();
    if (is_to_end(process))
        thread_exit(0);
    if (process->notify_continue) {
        lock_state state = lock_take(&process_lock);

        process->notify_continue = false;
        process_notify_stop(process, false, &state);
        lock_drop(&process_lock, state);
    }
}

/* Stop signals from the terminal do nothing to an orphaned group. */
static bool signal_may_stop(int number) { return number == SIGSTOP || !process_group_is_orphaned(current_process()); }

static void default_action(const struct signal_info *info)
{
    if (ignored & signal_bit(info->number))
        return;
    if (stops & signal_bit(info->number)) {
        if (signal_may_stop(info->number))
            stop_process(info->number);
        return;
    }
    process_report_death(info);
    process_exit_group(info->number);       /* no core is ever written, so no status says that one was */
}

/*
 * A handler has no place for its frame, mostly as the stack is full, and none of SIGSEGV hears of it: the report tells
 * of the fault that the handler was for, or of the frame's place.
 */
static void __attribute__((cold)) note_unentered(const struct trap_frame *frame, const struct signal_info *info,
                                                 vaddr_t place)
{
    struct fault_verdict verdict;

    if (info->number == SIGSEGV && info->code > 0 && info->code < SI_KERNEL)
        place = info->address;
    if (signal_fault_ends(SIGSEGV) && page_is_users(page_of(place)) &&
        space_fault(&current_process()->memory->space, place, MAY_WRITE, &verdict) == -EFAULT) {
        verdict.code = SI_KERNEL;               /* the signal's, which ends the program */
        process_note_fault(&verdict, registers_program_counter(frame));
    }
}

/* Run the handler: its frame goes on the program's stack; the mask becomes the handler's. */
static bool run_handler(struct trap_frame *frame, const struct signal_info *info)
{
    struct thread        *self   = current_thread();
    struct signal_action *place  = &self->process->actions->action[info->number];
    struct signal_action  action = *place;
    uint64_t              mask   = self->restore_mask ? self->saved_mask : self->mask;
    vaddr_t               at;

    if (action.handler == SIG_IGN)
        return false;
    if (action.handler == SIG_DFL) {
        default_action(info);
        return false;
    }
    if (signal_frame_push(frame, info, &action, mask, &at) != 0) {
        struct signal_info fault = { .number = SIGSEGV, .code = SI_KERNEL };

        if (info->number == SIGSEGV)
            place->handler = SIG_DFL;
        note_unentered(frame, info, at);
        signal_fault(&fault);
        return false;
    }
    self->restore_mask = false;
    self->mask |= action.mask;
    if (!(action.flags & SA_NODEFER))
        self->mask |= signal_bit(info->number);
    self->mask &= ~unmaskable;
    if (action.flags & SA_RESETHAND)
        place->handler = SIG_DFL;
    return true;
}

void signal_deliver(struct trap_frame *frame)
{
    struct thread *self    = current_thread();
    long           call    = registers_call(frame);     /* the call that was interrupted, or -1 */
    bool           handled = false;

    may_sleep();
    assert(self->process != NULL);
    stay_stopped();
    while (deliverable_signals(self) != 0) {
        struct signal_info info;

        if (!signal_take(~(self->mask & ~unmaskable), &info))
            break;
        if (call >= 0) {
            const struct signal_action *action = &self->process->actions->action[info.number];

            if (action->handler > SIG_IGN) {
                registers_restart(frame, call, action->flags & SA_RESTART ? RESTART_HANDLER_YES : RESTART_HANDLER_NO);
                call = -1;
            }
        }
        handled |= run_handler(frame, &info);
        point_of_rest();                        /* very many may wait, and each may have a frame */
        stay_stopped();
    }
    if (call >= 0)
        registers_restart(frame, call, RESTART_NO_HANDLER);
    if (!handled && self->restore_mask) {
        self->mask = self->saved_mask;
        self->restore_mask = false;
    }
}

void signal_set_mask(uint64_t mask) { current_thread()->mask = mask & ~unmaskable; }
