/*
 * schedule.h - threads taking turns: running, waiting, waking, sleeping locks.
 *
 * There is one CPU and one run queue, round robin, whatever policies and niceness say. While another thread is ready a
 * timer ends the turn of the current one after 50 ms: the thread gives way when it is about to return to its program.
 * Kernel code runs until it waits or is done, so long work calls schedule_between() now and then, or, while it holds a
 * lock of base/rwlock.h, point_of_rest(). While bytes are copied from or to a program, where a fault may let others
 * run, the turn ends at the interrupt that says so. A thread waits on a wait queue until the queue is woken, a
 * deadline passes, or (if the thread allows that) a signal arrives. That it was refused a frame is kept for it
 * meanwhile (memory/frames/frame.h).
 *
 * schedule.c has the turns, wait.c the queues, sleep_lock.c the locks.
 *
 * Locking  one spin lock (RANK_SCHEDULE) for the run queue, all wait queues, threads that wait for a mutex or for a
 *          lock of base/rwlock.h, and the phases of threads: calls that wake or link may be made with any lock of a
 *          lower rank held and from interrupts. Calls that sleep are made with interrupts on and no spin lock held but
 *          the one that wait_on() drops.
 *
 *     while (!condition) {                        // under the lock that guards the condition
 *         err = wait_on(&queue, &lock, state, deadline, WAIT_SIGNALS);
 *         if (err) break;                         // -EINTR or -ETIMEDOUT; the lock is held again
 *     }
 */
#ifndef QUIRE_PROCESS_SCHEDULE_H
#define QUIRE_PROCESS_SCHEDULE_H

#include "base/lock.h"
#include "base/rwlock.h"
#include "base/wait_queue.h"
#include "base/types.h"
#include "process/timer_heap.h"

struct thread;

enum {
    WAIT_SIGNALS = 1,                   /* a signal ends the wait                                 */
    WAIT_KILL    = 2,                   /* only a signal that ends the thread does                */
    WAIT_BRIEFLY = 4,                   /* locks of base/rwlock.h may be held: there is a deadline */
};
#define NEVER UINT64_MAX                /* no deadline; deadlines are clock_now() nanoseconds     */

/*
 * Sleep until the queue is woken. `guard` (may be NULL) is dropped while asleep and held again on return; no other spin
 * lock and no lock of base/rwlock.h is held. Returns 0 when woken (the caller looks at its condition again), -EINTR, or
 * -ETIMEDOUT.
 */
int  wait_on(struct wait_queue *queue, struct lock *guard, lock_state *guard_state, uint64_t deadline, unsigned flags);
/* Wake the queue for any reason: wake_for() with 0. */
void wake_all(struct wait_queue *queue);

/* Wake the first thread in the queue that is not woken yet; waiters of wait_link_call() are not called. */
void wake_one(struct wait_queue *queue);

/*
 * Wake the queue because of `bits` (POLL_*; 0: for any reason), which only waiters of wait_link_call() look at. Of the
 * exclusive waiters the first that takes the event is the only one woken. Returns whether some waiter took the event.
 * Cost: at most 32 waiters, with those that their calls wake. Where there are more an errand (errand.h) wakes the
 * others before a program goes on; then the answer is true, and a second wake of that queue meanwhile begins again.
 */
bool wake_for(struct wait_queue *queue, unsigned bits);

/*
 * A waiter is a link of a queue. The thread that wakes the queue follows the link, so a waiter must not lie on the
 * kernel stack of the thread that waits: a stack may be mapped in the space of its own process alone. Each thread has
 * one waiter of its own, which wait_on() and wait_start() use; more come from the heap.
 */
struct waiter {
    struct waiter      *next, *previous;
    struct waiter_list *queue;          /* NULL: in none */
    struct thread      *thread;         /* NULL: `woken` is called instead */
    bool              (*woken)(struct waiter *waiter, unsigned bits);   /* returns whether it took the event */
    bool                exclusive;      /* only one exclusive waiter is woken at a time */
};

/*
 * For conditions that no lock guards, with the thread's own waiter: wait_start(), look at the condition, wait_linked(),
 * wait_end().
 */
void wait_start(struct wait_queue *queue);
void wait_end(void);

/* The same on several queues at once (poll, select, epoll), with waiters from the heap. */
void wait_prepare(void);                                /* before the first wait_link() and the look   */
void wait_link(struct waiter *waiter, struct wait_queue *queue);
void wait_unlink(struct waiter *waiter);
/*
 * Sleep, unless a linked queue has been woken since wait_prepare(). Returns as wait_on(), and holds as few locks, but
 * for WAIT_BRIEFLY.
 */
int  wait_linked(uint64_t deadline, unsigned flags);

/* wait_start() as an exclusive waiter. */
void wait_start_exclusive(struct wait_queue *queue);

/*
 * Link a waiter that stays in the queue. When the queue is woken, `woken` is called by the thread or interrupt that
 * wakes it, with the scheduler's lock held and interrupts off: it may change memory of its own and call wake_within(),
 * nothing else. wait_unlink() takes the waiter out; after that `woken` is not called, nor still running.
 */
void wait_link_call(struct waiter *waiter, struct wait_queue *queue, bool (*woken)(struct waiter *, unsigned),
                    bool exclusive);
bool wake_within(struct wait_queue *queue, unsigned bits);      /* wake_for() from inside such a call */

/*
 * A lock that sleeps, for work that takes long, on file contents or directories. Ranks as in lock.h do not apply. A
 * program's memory may be touched while one is held, so mutexes are outside of the locks of base/rwlock.h. Taking may
 * sleep, holds no spin lock and no lock of base/rwlock.h, and is not interrupted by signals; dropping does not sleep.
 * Fairness as base/rwlock.h says of a writer. Cost: a few instructions where no thread waits.
 */
struct mutex {
    const char        *name;
    struct thread     *holder;          /* [a] */
    struct waiter_list waiting;         /* the scheduler's lock */
};
#define MUTEX(name) { (name), NULL, { NULL, NULL } }
void mutex_take(struct mutex *mutex);
void mutex_drop(struct mutex *mutex);
/* The thread that runs. Written by schedule.c alone. */
extern struct thread *running_thread;
static inline struct thread *current_thread(void) { return running_thread; }
/* Whether the current thread holds it: for assertions. */
static inline bool mutex_held(const struct mutex *mutex) { return mutex->holder == current_thread(); }

void schedule_start(void);                              /* the boot stack becomes the idle thread  */
void schedule_idle(void) NORETURN;                      /* the idle thread's work from then on     */
void schedule_share(void);                              /* or: it takes turns with the others      */
/*
 * Give way if another thread is ready; else halt until an interrupt, or the moment `until` (NEVER: none). Timers and
 * errands that are left over are done first, and then it does not halt. So callers look again, in a loop.
 */
void schedule_pause(uint64_t until);
void clock_start(void);         /* once, when device memory can be mapped: start the alarm, read the wall clock */
void clock_set_wall(uint64_t nanoseconds);              /* since 1970: what clock_wall() is now       */
/* Keep a frame's first bytes, a struct vdso_data (base/vdso_data.h), as clock_now() and clock_wall() are; for good. */
void clock_show_in(frame_t frame);
void schedule_add(struct thread *thread);               /* ready to run                            */
void schedule(void);                                    /* give way; returns when chosen again; interrupts may be off */
void schedule_hurry(void);      /* from an interrupt: schedule_preempt() has something to do           */
/*
 * Between two parts of a long piece of work for a program, with no spin lock held: if the turn is over, other threads
 * run; timers that an interrupt left over fire. May sleep. Returns 0, or -EINTR when a signal is pending and the system
 * call should end with the part that is done. Cost: a few instructions, unless the turn is over.
 */
int  schedule_between(void);
/*
 * Before a program goes on, with interrupts off: errands and timers that are left over are done, and if the turn is
 * over another thread runs. Returns false where there was nothing to do; else a signal may have come.
 */
extern volatile bool schedule_due;      /* there is something to do, or perhaps                   */
bool schedule_preempt_now(void);
static inline bool schedule_preempt(void) { return schedule_due && schedule_preempt_now(); }
/* Where it is set, in a checked kernel: called when another thread is about to run, with interrupts off. */
extern void (*switch_watcher)(const struct thread *from, const struct thread *to);
/*
 * From an interrupt: have `notify` called once, with interrupts off, as soon as a program is about to run, a thread is
 * in schedule_between() or at a point of rest, or no thread is ready. While a thread runs in the kernel and comes to
 * none of these, `notify` is not called: so the asker learns of a thread that never leaves the kernel.
 */
enum probe_asker { PROBE_CHANNEL, PROBE_MAP_LINE, PROBES };       /* each has one call of its own */
void schedule_probe(enum probe_asker asker, void (*notify)(void));

/* Sums for /proc. */
uint32_t schedule_ready(void);          /* threads in the run queue                               */
uint32_t schedule_running(void);        /* threads ready or running: procs_running of /proc/stat  */
uint64_t schedule_switches(void);       /* since the start: ctxt of /proc/stat                    */
uint64_t schedule_idle_time(void);      /* nanoseconds, up to the last time that a thread ran */
/* Load over 1, 5 and 15 minutes, LOAD_ONE for one thread (process/load.h): /proc/loadavg and sysinfo(2). */
void     schedule_load(uint32_t out[3]);

/* Time. Nanoseconds since clock_begin(), which never fall back; and the wall clock. */
uint64_t clock_now(void);
uint64_t clock_wall(void);              /* nanoseconds since 1970                                  */

/* Timers (timer_heap.h): as many as there are. Arming and disarming cost the logarithm of how many are armed. */
void timer_arm(struct timer *timer, uint64_t due);      /* an armed timer moves to the new moment  */
void timer_disarm(struct timer *timer);
const char *timers_broken(void);                        /* the first of A1 to A4 that does not hold, or NULL */

/*
 * True when more timers may have been due at an alarm than an interrupt fires: clock_catch_up() fires the others, and
 * lets interrupts in after each portion. Called with interrupts off by the idle thread, before a program goes on, in
 * schedule_between() and at points of rest. Cost: as many steps as timers are due.
 */
extern volatile bool clock_is_behind;
void clock_catch_up(void);

/*
 * For the idle thread, with interrupts off before and after. Fires timers that are due; where none is, but the next is
 * so near that a halted processor would be back too late, lets interrupts in and returns, to be called again; else
 * halts until an interrupt. The caller then looks whether a thread is ready.
 */
void clock_idle(void);

#endif
