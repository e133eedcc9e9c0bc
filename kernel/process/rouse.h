/*
 * rouse.h - telling the threads of a process that something has come for them: a signal, an end, the end of a stop.
 *
 * Locking  signals_lock (family.h) is held. Good in interrupts.
 * Cost     at most 16 threads; where there are more, an errand (errand.h) goes on before a program does.
 */
#ifndef QUIRE_PROCESS_ROUSE_H
#define QUIRE_PROCESS_ROUSE_H

#include "base/types.h"

struct process;
struct thread;

/* With each thread: out of the stop it is in; woken where it waits; told to end, but for process->spared. */
enum { ROUSE_RESUME = 1, ROUSE_WAKE = 2, ROUSE_END = 4 };

/*
 * Do `how` with all threads, for each of `signals` wake the eldest that takes it, and drop those of `undoes` that wait
 * for single threads; both are sets with bit n-1 for signal n. What is under way for the process begins again, with
 * what both ask for.
 */
void threads_rouse(struct process *process, unsigned how, uint64_t signals, uint64_t undoes);

/* signal.c: drop what waits in a queue of these. An errand frees it. */
struct signal_queue;
void signals_undo(struct signal_queue *queue, uint64_t numbers);

/* SIGCONT and SIGKILL take a process out of its stop; its threads are to be resumed then. */
void process_end_stop(struct process *process);

#endif
