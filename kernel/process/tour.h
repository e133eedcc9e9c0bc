/*
 * tour.h - going over lists of processes and threads that may be as long as programs choose.
 *
 * process_lock is held around a tour, but for moments: after a portion of the steps it is dropped and taken again, so
 * that interrupts come in. A list may change in such a moment. What leaves a list takes the tours that would come to it
 * a step further (tours_leave), so a tour visits each that is in the list from its beginning to its end, once, and
 * perhaps some that come meanwhile. What a tour has looked at may be different after the next step.
 *
 * Owning   a tour is one of few, so that no tour lies on a stack, where another CPU could not reach it: tour_list() and
 *          tour_threads() take one, the end of the tour (NULL) or tour_end() gives it back. No CPU has more than four.
 * Locking  process_lock is held by the caller, who got `state` from lock_take(), and no other spin lock.
 * Cost     a step a few instructions; leaving a list as many steps as there are tours under way, mostly none.
 */
#ifndef QUIRE_PROCESS_TOUR_H
#define QUIRE_PROCESS_TOUR_H

#include "base/list.h"
#include "base/lock.h"

struct process;
struct thread;
struct tour;

/* How many steps are done under one hold of the lock: of a look; of one that sends a signal or frees something. */
enum { TOUR_LIGHT = 64, TOUR_HEAVY = 4 };

/* From the first to the last; backwards from the last to the first. `portion` is one of the above. */
struct tour *tour_list(struct list *head, unsigned portion, lock_state *state);
struct tour *tour_list_back(struct list *head, unsigned portion, lock_state *state);
struct list *tour_next(struct tour *tour);              /* NULL: that was all, and the tour is over */

struct tour   *tour_threads(struct process *process, unsigned portion, lock_state *state);
struct thread *tour_next_thread(struct tour *tour);     /* the same */

void tour_end(struct tour *tour);                       /* before the last */

/* Before an item of a list, or a thread of a process, is taken out. */
void tours_leave(struct list *item);
void tours_leave_thread(struct thread *thread);
static inline void tours_list_remove(struct list *item)
{
    tours_leave(item);
    list_remove(item);
}

/* Between two portions: let interrupts in, if they were on before the lock was taken. */
void process_lock_rest(lock_state *state);

#endif
