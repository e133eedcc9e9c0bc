/*
 * timers.h - a process's timers: the alarm of alarm() and setitimer(), and the timers of timer_create().
 *
 * A timer of timer_create() whose signal waits to be taken rests until that has happened, as on Linux. The expiries
 * that it has missed by then are counted (by division, whatever the interval); timer_getoverrun() and siginfo_t have
 * their number. A timer that sends no signal is never armed: the moment at which it is due is computed.
 *
 * A timer with a short interval whose signal is ignored, or finds no room, rests as well: for 10 ms, and where there
 * are very many timers and processes for 0.1 ms for each of them, up to a second; what it misses is counted. So does an
 * alarm, also while its last signal waits: for 1 ms at least.
 *
 * Locking  the table belongs to the process, whose threads alone change it; fields that a timer changes as well when it
 *          fires are guarded by the alarms' lock (RANK_ALARMS), taken inside.
 * Cost     constant, and the logarithm of how many timers there are in all (timer_heap.h); process_timers_clear(): a
 *          step for each number up to the highest that is taken.
 * Source   timer_create(2), timer_settime(2), timer_getoverrun(2), setitimer(2).
 */
#ifndef QUIRE_PROCESS_TIMERS_H
#define QUIRE_PROCESS_TIMERS_H

#include "base/types.h"
#include "process/timer_table.h"

struct process;
struct thread;
struct signal_info;

/* In nanoseconds. A timer that is due but has not fired yet has 1 left. */
struct alarm_state { uint64_t left, interval; uint32_t overrun; };

struct alarm_state process_alarm_state(const struct process *process);
void process_set_alarm(struct process *process, uint64_t value, uint64_t interval);     /* value 0: off */

/* `signal` 0: no signal is sent. `thread` 0: the signal is sent to the process, else to that thread. */
struct timer_request {
    bool     wall, has_value;  /* by the wall clock; the signal carries `value`, else the timer's number */
    int      signal;
    int32_t  thread;
    uint64_t value;
};

/*
 * Returns the timer's number; -EAGAIN when there are TIMERS_A_PROCESS, or as many as RLIMIT_SIGPENDING allows; -ENOMEM;
 * -EINVAL for a thread that is not the process's.
 */
int process_timer_create(struct process *process, const struct timer_request *request);
/* These return 0, or -EINVAL when there is no timer of that number. */
int process_timer_set(struct process *process, int id, bool absolute, uint64_t value, uint64_t interval,
                      struct alarm_state *old);
int process_timer_get(struct process *process, int id, struct alarm_state *now);
int process_timer_delete(struct process *process, int id);
void process_timers_clear(struct process *process);         /* exec, exit: deletes all, but not alarm()'s */

/* A timer's signal was taken by the current process, or dropped: the timer goes on, and *info gets its overrun. */
void process_timer_taken(struct signal_info *info);

/* CPU time used, in nanoseconds, up to this moment. A process's: a walk of its threads. */
uint64_t process_time(const struct process *process);
uint64_t thread_time(const struct thread *thread);

#endif
