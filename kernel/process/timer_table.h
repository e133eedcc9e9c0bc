/*
 * timer_table.h - a process's timers by their numbers: two levels of TIMER_BRANCH pointers, made as they are needed.
 *
 * A new timer gets the lowest number that is free, found by the counts of the first level.
 *
 * Owning   the table owns its leaves; the timers it names are the caller's. An empty table (all zeros) owns nothing.
 * Locking  the caller's.
 * Cost     constant: finding a free number looks at 2 * TIMER_BRANCH entries at the most.
 *
 * Invariants, checked by timer_table_broken():
 *
 *   I1  a leaf's count is the number of its entries that are not NULL; `count` is the sum of all leaves' counts
 *   I2  no leaf is empty
 */
#ifndef QUIRE_PROCESS_TIMER_TABLE_H
#define QUIRE_PROCESS_TIMER_TABLE_H

#include "base/types.h"

enum { TIMER_BRANCH = 128, TIMERS_A_PROCESS = TIMER_BRANCH * TIMER_BRANCH };

struct timer_leaf {
    uint32_t count;
    void    *place[TIMER_BRANCH];
};

struct timer_table {
    uint32_t           count;
    struct timer_leaf *leaf[TIMER_BRANCH];
};

/* Give `what` (not NULL) a number: returns it, or -EAGAIN when all numbers are taken, or -ENOMEM. */
int   timer_table_add(struct timer_table *table, void *what);
/* The timer that has this number; NULL when the number is free, or out of range. */
void *timer_table_find(const struct timer_table *table, int number);
/* Free a number that is taken. */
void  timer_table_remove(struct timer_table *table, int number);

/* The first invariant that does not hold; NULL when all do. */
const char *timer_table_broken(const struct timer_table *table);
static inline bool timer_table_ok(const struct timer_table *table) { return timer_table_broken(table) == NULL; }

#endif
