/*
 * chore.h - work that is done now and then while threads run, and not while none does.
 *
 * While no thread runs no chore has work, and the machine is not to be woken for one: a chore whose time comes then is
 * done once more and stops. It starts again with the next thread that runs.
 *
 * Locking  interrupts off. `work` is called with interrupts off, in an interrupt or between two threads (clock.c).
 * Cost     a timer for each chore; one comparison when a thread begins to run on an idle machine.
 */
#ifndef QUIRE_PROCESS_CHORE_H
#define QUIRE_PROCESS_CHORE_H

#include "process/timer_heap.h"

struct chore {
    void       (*work)(void);
    uint64_t     interval;              /* nanoseconds from one time to the next, and perhaps a little more */
    struct timer timer;
    struct chore *next;                 /* in chores_resting     */
};

/* Once for each chore, whose `work` and `interval` are set: it begins when a thread runs, at once if one does. */
void chore_start(struct chore *chore);

/* The chores that rest. schedule.c calls chores_resume() when a thread begins to run on an idle machine. */
extern struct chore *chores_resting;
void chores_resume(void);

#endif
