/*
 * errand.h - work that is too long for where it is found to be needed, done before any program goes on.
 *
 * Under a spin lock, or in an interrupt, nothing may take as many steps as a program chooses: waking the waiters of a
 * file, signalling a group. Such work is begun there, a few steps of it, and the rest is left as an errand. Errands are
 * done, in the order they were posted, before a program goes on, in schedule_between(), at points of rest, and by the
 * idle thread: so no program sees that the rest came later.
 *
 * Owning   an errand is static, one for each kind of work; what is left to do is in a list of its owner's.
 * Locking  none: posting is good with any lock held and from interrupts.
 * Cost     posting: a few instructions.
 */
#ifndef QUIRE_PROCESS_ERRAND_H
#define QUIRE_PROCESS_ERRAND_H

#include "base/types.h"

struct errand {
    /*
     * Called with interrupts off and no spin lock held. It does all there is to do, in portions, each under its locks,
     * between which it calls interrupts_let_in(). It may be posted again from then on.
     */
    void         (*work)(struct errand *errand);
    struct errand *next;
    bool           posted;                      /* [a] */
};

void errand_post(struct errand *errand);

extern struct errand *errands_posted;           /* [a] NULL: there is nothing to do */

/* Do all there are, with interrupts off before and after. Cost where there are none: a look. */
void errands_do(void);

#endif
