/*
 * schedule.c - threads taking turns on this CPU. wait.c has the wait queues, sleep_lock.c the locks that sleep.
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
 *                       |  +--- WAITING <-------+   |       turn_wait(), for wait.c and sleep_lock.c
 *                       +------ STOPPED <-----------+       schedule_stop_here(), until schedule_resume()
 *
 *   Y1  the run queue has as many threads as it counts, all of them ready, and ends with the last
 *   Y2  the current thread is running
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
#include "process/errand.h"
#include "process/family.h"
#include "process/load.h"
#include "process/turns.h"

enum { SLICE = 50000000 };                      /* nanoseconds before another gets a turn     */

struct lock           schedule_lock = LOCK("schedule", RANK_SCHEDULE);
struct run_queue      run_queue;                /* [lock]                                     */
static struct thread  idle;                     /* the boot stack: runs when no other thread can */
struct thread        *running_thread = &idle;   /* [lock, or interrupts off]                  */
static struct thread *finished;                 /* [lock] dead, its stack still in use until the switch */
static uint64_t       switches;                 /* [lock] from one thread to another          */
static struct load    load;                     /* [lock]                                     */
static uint64_t       turn_began;               /* [lock] cpu_ticks() when the current thread was switched to */
static void           check_turn(struct timer *timer);
static struct timer   turn_timer = { .fire = check_turn };      /* armed while a thread waits for its turn */
static bool           idle_shares;              /* [c] the idle thread waits for its turn like others */
static bool           lead;                     /* [lock] since when threads are taken out of their turn, */
static uint64_t       lead_began;               /* [lock] if so: cpu_ticks()                          */
volatile bool         schedule_due;             /* the current thread's turn is over, or a probe is to be answered */
static void         (*volatile probes[PROBES])(void);   /* to be called as schedule_probe() says; NULL: none */

uint32_t schedule_ready(void)       { return run_queue.count; }
uint64_t schedule_idle_time(void)   { return clock_span(idle.ran); }
uint32_t schedule_running(void)     { return run_queue.count + (running_thread != &idle); }

uint64_t schedule_switches(void)
{
    lock_state state = lock_take(&schedule_lock);
    uint64_t   sum   = switches;

    lock_drop(&schedule_lock, state);
    return sum;
}

/* ---- Turns, and the time that threads have. The lock is held. ----------------------------------- */

uint64_t schedule_turn(void)
{
    lock_state state = lock_take(&schedule_lock);
    uint64_t   ticks = cpu_ticks() - turn_began;

    lock_drop(&schedule_lock, state);
    return ticks;
}

/* The current thread's turn is over, that of `to` begins: note the time used. */
static void change_turn(struct thread *to)
{
    uint64_t now = cpu_ticks(), ticks = now - turn_began;

    running_thread->ran += ticks;
    turn_began    = now;
    if (usage_limits)
        usage_change_turn(running_thread->process, clock_span(ticks), to->process);
}

/* Other threads are ready: arm the timer for the end of this turn; if that has come, for the end of the next turn. */
static void watch_turn(void)
{
    uint64_t gone = clock_span(cpu_ticks() - turn_began);

    if (gone >= SLICE)
        schedule_due = true;
    timer_arm(&turn_timer, clock_now() + (gone < SLICE ? SLICE - gone : SLICE));
}

/* Interrupts are off. While no thread is ready the timer stays disarmed: turn_append() arms it again. */
static void check_turn(struct timer *timer __attribute__((unused)))
{
    lock_state state = lock_take(&schedule_lock);

    if (run_queue.count > 0)
        watch_turn();
    lock_drop(&schedule_lock, state);
}

/* ---- The run queue. The lock is held. ------------------------------------------------------- */

void turn_append(struct thread *thread)
{
    deep_assert(lock_held(&schedule_lock));
    assert(thread != &idle || idle_shares);
    thread->phase      = THREAD_READY;
    thread->queue_next = NULL;
    if (run_queue.first == NULL)
        run_queue.first = thread;
    else
        run_queue.last->queue_next = thread;
    run_queue.last = thread;
    run_queue.count++;
    if (!turn_timer.armed && (running_thread != &idle || idle_shares))
        watch_turn();
}

/*
 * For a thread that was woken for a lock, and perhaps has it already: all that want the lock wait for it. It is the
 * next to run, before threads that compute for whole turns; else each step of threads that share a lock would cost a
 * turn of each of the others. Threads run out of their turn for at most the length of one turn, then a thread that
 * waits for its own.
 */
void turn_lead(struct thread *thread)
{
    if (run_queue.first == NULL || (lead && clock_span(cpu_ticks() - lead_began) >= SLICE)) {
        turn_append(thread);
        return;
    }
    if (!lead)
        lead_began = cpu_ticks();
    lead = thread->leads = true;
    thread->phase      = THREAD_READY;
    thread->queue_next = run_queue.first;
    run_queue.first    = thread;
    run_queue.count++;
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

void (*switch_watcher)(const struct thread *from, const struct thread *to);

/*
 * Hand the CPU to the next thread; the caller has set running_thread->phase to what the current thread becomes.
 * Returns when the caller is chosen again. The lock is held before and after.
 */
static void switch_away(void)
{
    struct thread *from = running_thread, *to = take_first_ready();
    bool           refused;

    deep_assert(lock_held(&schedule_lock));
    assert(from->phase != THREAD_RUNNING);
    schedule_due = errands_posted != NULL ||    /* still to be done, and to be answered */
                   probes[PROBE_CHANNEL] != NULL || probes[PROBE_MAP_LINE] != NULL;
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
    running_thread = to;
    if (IS_CHECKED && switch_watcher != NULL)
        switch_watcher(from, to);
    LEG_ENDS();
    refused = frames_wanted != 0 && frames_were_refused();      /* which is for this thread to hear */
    thread_switch(from, to);
    if (from != &idle)
        LEG_BEGINS();
    if (refused)
        __atomic_or_fetch(&frames_wanted, FRAMES_REFUSED, __ATOMIC_RELAXED);
}

/* A thread that has ended is freed by the thread that runs next. The lock is held, and dropped meanwhile. */
static void free_finished(lock_state *state)
{
    struct thread *dead = finished;

    if (dead == NULL)
        return;
    finished = NULL;
    lock_drop(&schedule_lock, *state);
    thread_free(dead);
    *state = lock_take(&schedule_lock);
}

void turn_wait(lock_state *state)
{
    running_thread->phase = THREAD_WAITING;
    switch_away();
    free_finished(state);
}

void schedule_add(struct thread *thread)
{
    lock_state state = lock_take(&schedule_lock);

    assert(thread->phase == THREAD_READY && thread->process != NULL);
    turn_append(thread);
    lock_drop(&schedule_lock, state);
}

void schedule(void)
{
    lock_state state;

    may_give_way();
    state = lock_take(&schedule_lock);
    if (running_thread == &idle && !idle_shares)
        idle.phase = THREAD_READY;
    else
        turn_append(running_thread);
    switch_away();
    free_finished(&state);
    lock_drop(&schedule_lock, state);
}

/* What a new thread does first: it continues in the switch of the thread that ran before. */
void schedule_begin(void)
{
    lock_state state = 0;                       /* interrupts stay off until the program runs */

    LEG_BEGINS();
    free_finished(&state);
    lock_drop(&schedule_lock, state);
}

void schedule_stop_here(void)
{
    lock_state state;

    may_sleep();
    state = lock_take(&schedule_lock);
    if (running_thread->process->state == PROCESS_STOPPED) {
        running_thread->phase = THREAD_STOPPED;
        switch_away();
        free_finished(&state);
    }
    lock_drop(&schedule_lock, state);
}

void schedule_end(void)
{
    may_sleep();
    (void)!lock_take(&schedule_lock);
    assert(finished == NULL);
    running_thread->phase = THREAD_DEAD;
    finished = running_thread;
    switch_away();
    stop(__FILE__, __LINE__, "a thread that ended was chosen again");
}

void schedule_resume(struct thread *thread)
{
    lock_state state = lock_take(&schedule_lock);

    if (thread->phase == THREAD_STOPPED)
        turn_append(thread);
    lock_drop(&schedule_lock, state);
}

static void measure_load(void)
{
    lock_state state = lock_take(&schedule_lock);

    load_measure(&load, clock_now(), schedule_running());
    lock_drop(&schedule_lock, state);
}

void schedule_load(uint32_t out[LOADS])
{
    measure_load();
    memcpy(out, load.average, sizeof load.average);     /* a word each: a sample in between does no harm */
}

void schedule_hurry(void) { schedule_due = true; }

void schedule_probe(enum probe_asker asker, void (*notify)(void))
{
    assert(notify != NULL);
    probes[asker] = notify;
    schedule_due = true;
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

/* Timers that are due and errands may make threads ready. Returns whether there were any. */
static bool catch_up(void)
{
    bool were = clock_is_behind || errands_posted != NULL;

    if (clock_is_behind)
        clock_catch_up();
    errands_do();
    return were;
}

bool schedule_preempt_now(void)
{
    schedule_due = false;
    answer_probes();
    catch_up();
    if (run_queue.count > 0)
        schedule();
    return true;
}

/* Here other threads may run. The idle thread's legs are nobody's: while it runs no other is ready. */
static void note_rest(void)
{
    LEG_ENDS();
    if (running_thread != &idle)
        LEG_BEGINS();
}

/* If the turn is over, other threads run; if a probe is to be answered, it is. False: neither. */
static bool give_way_if_due(void)
{
    unsigned long interrupts;

    note_rest();
    if (!schedule_due)
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
    return signal_pending(running_thread) ? -EINTR : 0;
}

/* The console's commands report the frames that they took, so its thread gives way only where they say so. */
bool point_of_rest(void)
{
    uint64_t before = IS_CHECKED ? switches : 0;
    bool     gave_way;

    may_sleep();                                /* torture.h has others run here, and the caller is to know of these */
    gave_way = running_thread != &idle && give_way_if_due();
    return gave_way || (IS_CHECKED && switches != before);
}

/* While no thread is ready: frames are zeroed in advance, one at a time, then the CPU sleeps. For ever. */
void schedule_idle(void)
{
    for (;;) {                                  /* bound: none, but each step lets interrupts in */
        unsigned long interrupts = interrupts_off();
        bool          worked = catch_up();

        if (run_queue.count > 0) {
            interrupts_restore(interrupts);
            schedule();
        } else if (worked) {                    /* its last portion may have been a long one: look again */
            interrupts_restore(interrupts);
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
    bool                worked;

    may_give_way();
    interrupts = interrupts_off();
    worked     = catch_up();                    /* while timers are left over no alarm is set */
    if (run_queue.count > 0) {
        interrupts_restore(interrupts);
        schedule();
        return;
    }
    if (!worked) {                              /* else the caller looks again: it may have let interrupts in */
        if (until != NEVER)
            timer_arm(&alarm, until);
        cpu_wait();
        timer_disarm(&alarm);
    }
    interrupts_restore(interrupts);
}

void schedule_start(void)
{
    static struct chore load_chore = { .work = measure_load, .interval = LOAD_INTERVAL };

    idle = (struct thread){ .phase = THREAD_RUNNING, .name = "idle" };
    turn_began = cpu_ticks();
    chore_start(&load_chore);
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
    lock_state  state  = lock_take(&schedule_lock);
    const char *broken = broken_in_run_queue();

    if (broken == NULL && running_thread->phase != THREAD_RUNNING)
        broken = "Y2";
    lock_drop(&schedule_lock, state);
    return broken;
}
