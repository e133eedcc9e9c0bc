/*
 * schedule.c - threads taking turns on this CPU.
 *
 * One lock guards the run queue, all wait queues (those of locks that sleep as well), and the phases of threads.
 * Only the locks of alarms, of timers and of print() nest inside it (base/lock.h), so that the holder of any other lock
 * may wake a thread. It is held across the switch of stacks: the thread that is switched to drops it.
 *
 * The phases of a thread:
 *
 *                              switch_away()
 *     a new thread ---> READY ---------------> RUNNING ---> DEAD: schedule_end(); freed by the thread that runs next
 *                       ^  ^  <---------------  |   |
 *                       |  |     schedule()     |   |
 *                       |  +--- WAITING <-------+   |       wait_linked(), mutex_take(), rwlock_wait()
 *                       +------ STOPPED <-----------+       schedule_stop_here(), until schedule_resume()
 *
 *   Y1  the run queue has as many threads as it counts, all of them ready, and ends with the last
 *   Y2  the current thread is running
 *   Y3  a waiter stands in the queue that it names, and that queue is sound in both directions
 */
#include "process/abi.h"
#include "process/schedule.h"

#include "arch/contract.h"
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/frames/frame.h"
#include "memory/heap/stack.h"
#include "process/chore.h"
#include "process/family.h"
#include "process/load.h"
#include "process/process.h"

enum { OVERTAKEN_MOST = 16 };                   /* of a thread that waits for a lock            */
enum { SLICE = 50000000 };                      /* nanoseconds before another gets a turn     */

static struct lock    lock = LOCK("schedule", RANK_SCHEDULE);
struct run_queue      run_queue;                /* [lock]                                     */
static struct thread  idle;                     /* the boot stack: runs when no other thread can */
static struct thread *current = &idle;          /* [lock, or interrupts off]                  */
static struct thread *finished;                 /* [lock] dead, its stack still in use until the switch */
static uint64_t       switches;                 /* [lock] from one thread to another          */
static struct load    load;                     /* [lock]                                     */
static uint64_t       turn_began;               /* [lock] cpu_ticks() when the current thread was switched to */
static void           check_turn(struct timer *timer);
static struct timer   turn_timer = { .fire = check_turn };      /* armed while a thread waits for its turn */
static bool           idle_shares;              /* [c] the idle thread waits for its turn like others */
static bool           lead;                     /* [lock] since when threads are taken out of their turn, */
static uint64_t       lead_began;               /* [lock] if so: cpu_ticks()                          */
static volatile bool  due;                      /* the current thread's turn is over, or a probe is to be answered */
static void         (*volatile probes[PROBES])(void);   /* to be called as schedule_probe() says; NULL: none */

struct thread *current_thread(void) { return current; }
uint32_t schedule_ready(void)       { return run_queue.count; }
uint64_t schedule_idle_time(void)   { return clock_span(idle.ran); }
uint32_t schedule_running(void)     { return run_queue.count + (current != &idle); }

uint64_t schedule_switches(void)
{
    lock_state state = lock_take(&lock);
    uint64_t   sum   = switches;

    lock_drop(&lock, state);
    return sum;
}

/* ---- Turns, and the time that threads have. The lock is held. ----------------------------------- */

uint64_t schedule_turn(void)
{
    lock_state state = lock_take(&lock);
    uint64_t   ticks = cpu_ticks() - turn_began;

    lock_drop(&lock, state);
    return ticks;
}

/* The current thread's turn is over, that of `to` begins: note the time used. */
static void change_turn(struct thread *to)
{
    uint64_t now = cpu_ticks(), ticks = now - turn_began;

    current->ran += ticks;
    turn_began    = now;
    if (usage_limits)
        usage_change_turn(current->process, clock_span(ticks), to->process);
}

/* Other threads are ready: arm the timer for the end of this turn; if that has come, for the end of the next turn. */
static void watch_turn(void)
{
    uint64_t gone = clock_span(cpu_ticks() - turn_began);

    if (gone >= SLICE)
        due = true;
    timer_arm(&turn_timer, clock_now() + (gone < SLICE ? SLICE - gone : SLICE));
}

/* Interrupts are off. While no thread is ready the timer stays disarmed: append_ready() arms it again. */
static void check_turn(struct timer *timer __attribute__((unused)))
{
    lock_state state = lock_take(&lock);

    if (run_queue.count > 0)
        watch_turn();
    lock_drop(&lock, state);
}

/* ---- The run queue. The lock is held. ------------------------------------------------------- */

static void append_ready(struct thread *thread)
{
    deep_assert(lock_held(&lock));
    assert(thread != &idle || idle_shares);
    thread->phase      = THREAD_READY;
    thread->queue_next = NULL;
    if (run_queue.first == NULL)
        run_queue.first = thread;
    else
        run_queue.last->queue_next = thread;
    run_queue.last = thread;
    run_queue.count++;
    if (!turn_timer.armed && (current != &idle || idle_shares))
        watch_turn();
}

/*
 * For a thread that was woken for a lock, and perhaps has it already: all that want the lock wait for it. It is the
 * next to run, before threads that compute for whole turns; else each step of threads that share a lock would cost a
 * turn of each of the others. Threads run out of their turn for at most the length of one turn, then a thread that
 * waits for its own.
 */
static void lead_ready(struct thread *thread)
{
    if (run_queue.first == NULL || (lead && clock_span(cpu_ticks() - lead_began) >= SLICE)) {
        append_ready(thread);
        return;
    }
    if (!lead)
        lead_began = cpu_ticks();
    lead = thread->leads = true;
    thread->phase      = THREAD_READY;
    thread->queue_next = run_queue.first;
    run_queue.first    = thread;
    run_queue.count++;
    if (!turn_timer.armed && (current != &idle || idle_shares))
        watch_turn();
}

static struct thread *take_first_ready(void)
{
    struct thread *thread = run_queue.first;

    if (thread == NULL)
        return &idle;
    run_queue.first = thread->queue_next;
    run_queue.count--;
    lead          = lead && thread->leads;
    thread->leads = false;
    return thread;
}

/*
 * Hand the CPU to the next thread; the caller has set current->phase to what the current thread becomes.
 * Returns when the caller is chosen again. The lock is held before and after.
 */
static void switch_away(void)
{
    struct thread *from = current, *to = take_first_ready();

    deep_assert(lock_held(&lock));
    assert(from->phase != THREAD_RUNNING);
    due       = probes[PROBE_CHANNEL] != NULL || probes[PROBE_MAP_LINE] != NULL;    /* still to be answered */
    to->phase = THREAD_RUNNING;
    change_turn(to);
    if (run_queue.count > 0 && !turn_timer.armed)
        watch_turn();
    if (to == from)
        return;
    switches++;
    if (from->phase == THREAD_READY)
        from->used.switches_involuntary++;
    else
        from->used.switches_voluntary++;
    if (from == &idle && chores_resting != NULL)
        chores_resume();
    current = to;
    thread_switch(from, to);
}

/* A thread that has ended is freed by the thread that runs next. The lock is held, and dropped meanwhile. */
static void free_finished(lock_state *state)
{
    struct thread *dead = finished;

    if (dead == NULL)
        return;
    finished = NULL;
    lock_drop(&lock, *state);
    thread_free(dead);
    *state = lock_take(&lock);
}

void schedule_add(struct thread *thread)
{
    lock_state state = lock_take(&lock);

    assert(thread->phase == THREAD_READY && thread->process != NULL);
    append_ready(thread);
    lock_drop(&lock, state);
}

void schedule(void)
{
    lock_state state;

    may_give_way();
    state = lock_take(&lock);
    if (current == &idle && !idle_shares)
        idle.phase = THREAD_READY;
    else
        append_ready(current);
    switch_away();
    free_finished(&state);
    lock_drop(&lock, state);
}

/* What a new thread does first: it continues in the switch of the thread that ran before. */
void schedule_begin(void)
{
    lock_state state = 0;                       /* interrupts stay off until the program runs */

    free_finished(&state);
    lock_drop(&lock, state);
}

void schedule_stop_here(enum thread_phase phase)
{
    lock_state state;

    may_sleep();
    state = lock_take(&lock);
    assert(phase == THREAD_STOPPED);
    current->phase = phase;
    switch_away();
    free_finished(&state);
    lock_drop(&lock, state);
}

void schedule_end(void)
{
    may_sleep();
    (void)!lock_take(&lock);
    assert(finished == NULL);
    current->phase = THREAD_DEAD;
    finished = current;
    switch_away();
    stop(__FILE__, __LINE__, "a thread that ended was chosen again");
}

void schedule_resume(struct thread *thread)
{
    lock_state state = lock_take(&lock);

    if (thread->phase == THREAD_STOPPED)
        append_ready(thread);
    lock_drop(&lock, state);
}

static void measure_load(void)
{
    lock_state state = lock_take(&lock);

    load_measure(&load, clock_now(), schedule_running());
    lock_drop(&lock, state);
}

void schedule_load(uint32_t out[LOADS])
{
    measure_load();
    memcpy(out, load.average, sizeof load.average);     /* a word each: a sample in between does no harm */
}

void schedule_hurry(void) { due = true; }

void schedule_probe(enum probe_asker asker, void (*notify)(void))
{
    assert(notify != NULL);
    probes[asker] = notify;
    due           = true;
}

static void answer_probes(void)
{
    for (unsigned asker = 0; asker < PROBES; asker++) {
        void (*notify)(void) = probes[asker];

        probes[asker] = NULL;
        if (notify != NULL)
            notify();
    }
}

void schedule_preempt(void)
{
    if (!due)
        return;
    answer_probes();
    if (clock_is_behind)                        /* a timer that is due may wake a thread */
        clock_catch_up();
    if (run_queue.count > 0)
        schedule();
}

/* If the turn is over, other threads run; if a probe is to be answered, it is. False: neither. */
static bool give_way_if_due(void)
{
    unsigned long interrupts;

    if (!due)
        return false;
    interrupts = interrupts_off();
    schedule_preempt();                         /* with interrupts off, as before a program goes on */
    interrupts_restore(interrupts);
    return true;
}

int schedule_between(void)
{
    may_sleep();
    give_way_if_due();
    return signal_pending(current) ? -EINTR : 0;
}

/* While no thread is ready: frames are zeroed in advance, one at a time, then the CPU sleeps. For ever. */
void schedule_idle(void)
{
    for (;;) {                                  /* bound: none, but each step lets interrupts in */
        unsigned long interrupts = interrupts_off();

        clock_catch_up();
        if (run_queue.count > 0) {
            interrupts_restore(interrupts);
            schedule();
        } else {
            answer_probes();
            if (!frames_idle())
                clock_idle();
            interrupts_restore(interrupts);
        }
    }
}

/* The boot stack serves the console, whose user must not wait for programs that never pause. */
void schedule_share(void) { idle_shares = true; }

static void end_pause(struct timer *timer __attribute__((unused))) { }

void schedule_pause(uint64_t until)
{
    static struct timer alarm = { .fire = end_pause };
    unsigned long       interrupts;

    may_give_way();
    interrupts = interrupts_off();
    if (run_queue.count > 0) {
        interrupts_restore(interrupts);
        schedule();
    } else {
        if (until != NEVER)
            timer_arm(&alarm, until);
        cpu_wait();
        timer_disarm(&alarm);
        interrupts_restore(interrupts);
    }
}

void schedule_start(void)
{
    static struct chore load_chore = { .work = measure_load, .interval = LOAD_INTERVAL };

    idle = (struct thread){ .phase = THREAD_RUNNING, .name = "idle" };
    turn_began = cpu_ticks();
    chore_start(&load_chore);
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

static void link_waiter(struct waiter *waiter, struct wait_queue *queue, struct waiter what)
{
    deep_assert(lock_held(&lock));
    assert(!stack_holds(waiter));
    *waiter = what;
    waiter->previous = queue->last;
    waiter->queue    = queue;
    if (queue->last != NULL)
        queue->last->next = waiter;
    else
        queue->first = waiter;
    queue->last = waiter;
}

static void link_thread(struct waiter *waiter, struct wait_queue *queue)
{
    link_waiter(waiter, queue, (struct waiter){ .thread = current });
}

static void unlink_waiter(struct waiter *waiter)
{
    struct wait_queue *queue = waiter->queue;

    deep_assert(lock_held(&lock));
    if (queue == NULL)
        return;
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        queue->first = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    else
        queue->last = waiter->previous;
    waiter->queue = NULL;
}

static void make_runnable(struct thread *thread)
{
    thread->woken = true;
    if (thread->phase == THREAD_WAITING)
        append_ready(thread);
}

void wait_link(struct waiter *waiter, struct wait_queue *queue)
{
    lock_state state = lock_take(&lock);

    link_thread(waiter, queue);
    lock_drop(&lock, state);
}

void wait_unlink(struct waiter *waiter)
{
    lock_state state = lock_take(&lock);

    unlink_waiter(waiter);
    lock_drop(&lock, state);
}

void wait_prepare(void) { current->woken = false; }

void wait_start(struct wait_queue *queue)
{
    assert(current->waiter.queue == NULL);      /* one wait at a time */
    wait_prepare();
    wait_link(&current->waiter, queue);
}

void wait_start_exclusive(struct wait_queue *queue)
{
    wait_start(queue);
    current->waiter.exclusive = true;           /* a wake before this line may wake one thread more than needed */
}

void wait_end(void) { wait_unlink(&current->waiter); }

void wait_link_call(struct waiter *waiter, struct wait_queue *queue, bool (*woken)(struct waiter *, unsigned),
                    bool exclusive)
{
    lock_state state = lock_take(&lock);

    assert(woken != NULL);
    link_waiter(waiter, queue, (struct waiter){ .woken = woken, .exclusive = exclusive });
    lock_drop(&lock, state);
}

static void deadline_passed(struct timer *timer)
{
    struct thread *thread = CONTAINER_OF(timer, struct thread, sleep_timer);
    lock_state     state  = lock_take(&lock);

    thread->timed_out = true;
    make_runnable(thread);
    lock_drop(&lock, state);
}

static bool ends_wait(const struct thread *thread, unsigned flags)
{
    return ((flags & WAIT_SIGNALS) && signal_pending(thread)) || ((flags & WAIT_KILL) && signal_kills(thread));
}

/* Sleep until woken, unless that has happened since wait_prepare(). */
int wait_linked(uint64_t deadline, unsigned flags)
{
    struct thread *self = current;
    lock_state     state;

    may_sleep();
    assert(self != &idle);
    deep_assert(rwlock_none_held());            /* the wait may last for ever */
    self->timed_out = false;
    if (ends_wait(self, flags))
        return -EINTR;
    if (deadline != NEVER) {
        self->sleep_timer.fire = deadline_passed;
        timer_arm(&self->sleep_timer, deadline);
    }
    state = lock_take(&lock);
    self->interruptible = flags & WAIT_SIGNALS;
    self->killable      = flags & WAIT_KILL;
    if (!self->woken) {
        self->phase = THREAD_WAITING;
        switch_away();
        free_finished(&state);
    }
    self->interruptible = self->killable = false;
    lock_drop(&lock, state);
    if (deadline != NEVER)
        timer_disarm(&self->sleep_timer);
    if (ends_wait(self, flags))
        return -EINTR;
    return self->timed_out ? -ETIMEDOUT : 0;
}

int wait_on(struct wait_queue *queue, struct lock *guard, lock_state *guard_state, uint64_t deadline, unsigned flags)
{
    int err;

    may_sleep_dropping(guard, guard != NULL ? *guard_state : 0);
    assert(guard == NULL || lock_held(guard));
    wait_start(queue);
    if (guard != NULL)
        lock_drop(guard, *guard_state);
    err = wait_linked(deadline, flags);
    wait_end();
    if (guard != NULL)
        *guard_state = lock_take(guard);
    return err;
}

void wake_one(struct wait_queue *queue)
{
    lock_state     state = lock_take(&lock);
    struct waiter *waiter = queue->first;

    while (waiter != NULL && (waiter->thread == NULL || waiter->thread->woken))         /* bound: as wake_within() */
        waiter = waiter->next;
    if (waiter != NULL)
        make_runnable(waiter->thread);
    lock_drop(&lock, state);
}

/* An exclusive thread that is woken already has an event to handle: another thread is woken for this event. */
static bool wake_waiter(struct waiter *waiter, unsigned bits)
{
    if (waiter->woken != NULL)
        return waiter->woken(waiter, bits);
    if (waiter->exclusive && waiter->thread->woken)
        return false;
    make_runnable(waiter->thread);
    return true;
}

/* bound: as many steps as waiters, the threads of the machine, and for each file the epolls that watch it. */
bool wake_within(struct wait_queue *queue, unsigned bits)
{
    bool any = false, taken = false;

    deep_assert(lock_held(&lock));
    for (struct waiter *waiter = queue->first; waiter != NULL; waiter = waiter->next) {        /* bound: above */
        bool took;

        if (waiter->exclusive && taken)
            continue;
        took   = wake_waiter(waiter, bits);
        taken |= took && waiter->exclusive;
        any   |= took;
    }
    return any;
}

bool wake_for(struct wait_queue *queue, unsigned bits)
{
    lock_state state;
    bool       any;

    if (queue->first == NULL)                   /* the usual case; a waiter is linked before it looks */
        return false;
    state = lock_take(&lock);
    any   = wake_within(queue, bits);
    lock_drop(&lock, state);
    return any;
}

void wake_all(struct wait_queue *queue) { (void)wake_for(queue, 0); }

/* A signal has come: end a wait that allows it. */
void wake_thread(struct thread *thread)
{
    lock_state state = lock_take(&lock);

    if (thread->interruptible || (thread->killable && signal_kills(thread)) || thread->phase != THREAD_WAITING)
        make_runnable(thread);
    lock_drop(&lock, state);
}

/* ---- Locks that sleep ------------------------------------------------------------------------------ */

void mutex_take(struct mutex *mutex)
{
    lock_state state;

    may_sleep();
    deep_assert(rwlock_none_held());            /* mutexes are outside of those */
    state = lock_take(&lock);
    while (mutex->holder != NULL) {             /* bound: sleeps in each step */
        assert(mutex->holder != current);
        link_thread(&current->mutex_waiter, &mutex->waiting);
        current->phase = THREAD_WAITING;
        switch_away();
        unlink_waiter(&current->mutex_waiter);
        free_finished(&state);
    }
    mutex->holder = current;
    lock_drop(&lock, state);
}

void mutex_drop(struct mutex *mutex)
{
    lock_state state = lock_take(&lock);

    assert(mutex->holder == current);
    mutex->holder = NULL;
    if (mutex->waiting.first != NULL)
        make_runnable(mutex->waiting.first->thread);
    lock_drop(&lock, state);
}

/* ---- Readers and writers (base/rwlock.h) ----------------------------------------------------------------- */

struct rwlocks_held *rwlocks_held(void) { return &current->rwlocks; }

/* Count one more reader, or the writer, if the lock's holders allow that. */
static bool rwlock_let_in(struct rwlock *rwlock, bool write)
{
    uint32_t state = __atomic_load_n(&rwlock->state, __ATOMIC_RELAXED);

    deep_assert(lock_held(&lock));
    do                                          /* bound: once again for each step that other CPUs are ahead */
        if (state & RWLOCK_WRITER || (write && (state & ~RWLOCK_WAITED) != 0))
            return false;
    while (!__atomic_compare_exchange_n(&rwlock->state, &state, write ? state | RWLOCK_WRITER : state + 1, true,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return true;
}

/* A waiter's wait is over: it leaves the queue. */
static void rwlock_leave_queue(struct rwlock *rwlock, struct waiter *waiter)
{
    deep_assert(waiter->queue == &rwlock->waiting);
    unlink_waiter(waiter);
    if (rwlock->waiting.first == NULL)
        __atomic_and_fetch(&rwlock->state, ~RWLOCK_WAITED, __ATOMIC_RELAXED);
}

/*
 * The lock is free, or a reader has come in. The first in the queue is woken to try to take it; if that waiter has
 * tried in vain before, it is given the lock now. The lock is not handed over at once: two threads that take it often
 * would then take turns at every single step, with the turns of all other threads in between.
 */
static void rwlock_let_in_next(struct rwlock *rwlock)
{
    struct waiter *next = rwlock->waiting.first;

    deep_assert(lock_held(&lock));
    if (next == NULL)
        return;
    if (next->thread->rwlock_tried) {
        if (!rwlock_let_in(rwlock, next->exclusive))
            return;
        rwlock_leave_queue(rwlock, next);
    }
    if (next->thread->phase == THREAD_WAITING)
        lead_ready(next->thread);
}

/*
 * A thread may take a free lock before the waiters; but no reader joins other readers while a writer is the first, and
 * a first waiter that has been overtaken often is not overtaken again. Else a thread that forks, turn after turn, would
 * leave behind it ever more children that wait to end.
 */
static bool rwlock_may_overtake(const struct rwlock *rwlock, bool write)
{
    const struct waiter *next = rwlock->waiting.first;

    if (next != NULL && next->thread->rwlock_overtaken++ >= OVERTAKEN_MOST)
        return false;
    return write || next == NULL || !next->exclusive ||
           (__atomic_load_n(&rwlock->state, __ATOMIC_RELAXED) & ~RWLOCK_WAITED) == 0;
}

/* A reader that gets the lock wakes the next reader, so that no step here wakes many threads. */
void rwlock_wait(struct rwlock *rwlock, bool write)
{
    struct waiter *mine = &current->mutex_waiter;
    lock_state     state;

    may_sleep();
    state = lock_take(&lock);
    if (rwlock_may_overtake(rwlock, write) && rwlock_let_in(rwlock, write)) {
        lock_drop(&lock, state);
        return;
    }
    current->rwlock_tried     = false;
    current->rwlock_overtaken = 0;
    link_waiter(mine, &rwlock->waiting, (struct waiter){ .thread = current, .exclusive = write });
    __atomic_or_fetch(&rwlock->state, RWLOCK_WAITED, __ATOMIC_RELAXED);     /* from now on a drop looks at the queue */
    if (rwlock->waiting.first == mine && rwlock_let_in(rwlock, write))
        rwlock_leave_queue(rwlock, mine);       /* the last holder dropped it before that */
    while (mine->queue != NULL) {               /* bound: sleeps in each step */
        current->phase = THREAD_WAITING;
        switch_away();
        free_finished(&state);
        if (rwlock->waiting.first == mine && rwlock_let_in(rwlock, write))
            rwlock_leave_queue(rwlock, mine);
        else
            current->rwlock_tried = true;
    }
    if (!write && rwlock->waiting.first != NULL && !rwlock->waiting.first->exclusive)
        rwlock_let_in_next(rwlock);
    lock_drop(&lock, state);
}

void rwlock_pass_on(struct rwlock *rwlock)
{
    lock_state state = lock_take(&lock);

    rwlock_let_in_next(rwlock);
    lock_drop(&lock, state);
}

/* The console's commands report the frames that they took, so its thread gives way only where they say so. */
bool point_of_rest(void)
{
    may_sleep();
    return current != &idle && give_way_if_due();
}

/* ---- The check ------------------------------------------------------------------------------ */

static const char *broken_in_run_queue(void)
{
    const struct thread *last  = NULL;
    uint32_t             count = 0;

    for (const struct thread *t = run_queue.first; count < run_queue.count && t != NULL; t = t->queue_next, count++) {
        if (t->phase != THREAD_READY)
            return "Y1";
        last = t;
    }
    if (count != run_queue.count)
        return "Y1";
    return count == 0 || (last == run_queue.last && last->queue_next == NULL) ? NULL : "Y1";
}

const char *schedule_broken(void)
{
    lock_state  state  = lock_take(&lock);
    const char *broken = broken_in_run_queue();

    if (broken == NULL && current->phase != THREAD_RUNNING)
        broken = "Y2";
    lock_drop(&lock, state);
    return broken;
}

/* bound: as many steps as waiters in the queue. */
const char *waiter_broken(const struct waiter *waiter)
{
    lock_state           state = lock_take(&lock);
    const struct waiter *last  = NULL;
    bool                 found = waiter->queue == NULL, sound = true;

    if (!found)
        /* bound: above */
        for (const struct waiter *at = waiter->queue->first; at != NULL && sound; last = at, at = at->next) {
            sound = at->previous == last && at->queue == waiter->queue;
            found = found || at == waiter;
        }
    sound = sound && (waiter->queue == NULL || waiter->queue->last == last);
    lock_drop(&lock, state);
    return found && sound ? NULL : "Y3";
}
