/*
 * timers.h - a process's alarms: the one of alarm() and setitimer(), and those of timer_create().
 *
 * Locking: RANK_TIMERS' lock is taken inside by arming; the lists belong to the process and are
 * changed by its own threads with process_lock held.
 */
#ifndef QUIRE_PROCESS_TIMERS_H
#define QUIRE_PROCESS_TIMERS_H

#include "base/types.h"

struct process;
struct thread;

/* Nanoseconds. */
struct alarm_state { uint64_t left, interval; uint32_t overrun; };

struct alarm_state process_alarm_state(const struct process *process);
void process_set_alarm(struct process *process, uint64_t value, uint64_t interval);     /* value 0: off */

enum { TIMERS_A_PROCESS = 32 };

/* Returns the timer's number, -EAGAIN when there are TIMERS_A_PROCESS, -ENOMEM. `signal` 0: none is sent. */
int process_timer_create(struct process *process, bool wall, int signal, int32_t thread, uint64_t value, bool has_value);
int process_timer_set(struct process *process, int id, bool absolute, uint64_t value, uint64_t interval, struct alarm_state *old);
int process_timer_get(struct process *process, int id, struct alarm_state *now);
int process_timer_delete(struct process *process, int id);
void process_timers_clear(struct process *process);         /* exec, exit: all of them, but not alarm()'s */

/* CPU time used, in nanoseconds. */
uint64_t process_time(const struct process *process);
uint64_t thread_time(const struct thread *thread);

#endif
