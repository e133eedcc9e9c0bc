/*
 * timer_heap.h - armed timers, ordered by when they are due: a leftist heap inside the timers themselves.
 *
 * The heap is a binary tree, named by its root (NULL: empty), in which no timer is due before its parent. Each timer
 * has a distance: the number of timers on the path from it down to the right, itself included. A left child's distance
 * is at least the right child's, so the path to the right from any timer has at most log2(timers + 1) steps; all work
 * is done along such paths. Timers that are due at the same moment come out in the order in which they went in.
 *
 * Locking  the owner's (clock.c). No allocation.
 * Cost     putting a timer in and taking any timer out: at most 2 log2(timers + 1) steps each, 64 for all timers that
 *          fit into memory.
 * Source   D. Knuth, The Art of Computer Programming, vol. 3, section 5.2.3: leftist trees.
 *
 * Invariants, checked by timer_heap_broken():
 *
 *   A1  a child is not due before its parent; if due at the same moment, it was put in later
 *   A2  a timer's distance is one more than its right child's, which is at most its left child's; no child: 0
 *   A3  a child's parent is the timer whose child it is; the root has none
 *   A4  timers in the heap are armed
 */
#ifndef QUIRE_PROCESS_TIMER_HEAP_H
#define QUIRE_PROCESS_TIMER_HEAP_H

#include "base/types.h"

struct timer {
    uint64_t      due;                  /* clock_now() value                                       */
    void        (*fire)(struct timer *timer);       /* called with interrupts off (clock.c)        */
    struct timer *parent, *left, *right;    /* not on a kernel stack: other processes follow them  */
    uint64_t      turn;                 /* among timers due at the same moment                     */
    uint8_t       distance;
    bool          armed;
};

/* `timer` is in no heap; its `due` is set. */
void timer_heap_put(struct timer **root, struct timer *timer);
/* `timer` is in this heap. */
void timer_heap_take(struct timer **root, struct timer *timer);

/* The first invariant that does not hold; NULL when all do. */
const char *timer_heap_broken(const struct timer *root);
static inline bool timer_heap_ok(const struct timer *root) { return timer_heap_broken(root) == NULL; }

/*
 * Move *due on by whole intervals, at least one, to the first moment after `now`; returns how many intervals. By
 * division: an interval may be a nanosecond. `now` is not before *due, the interval is not 0.
 */
uint64_t interval_pass(uint64_t *due, uint64_t interval, uint64_t now);

#endif
