/*
 * chore.c - see chore.h.
 */
#include "process/chore.h"

#include "base/check.h"
#include "cpu.h"
#include "process/schedule.h"

struct chore *chores_resting;           /* [interrupts off] */

static void rest_chore(struct chore *chore)
{
    chore->next    = chores_resting;
    chores_resting = chore;
}

static void do_chore(struct timer *timer)
{
    struct chore *chore = CONTAINER_OF(timer, struct chore, timer);

    chore->work();
    if (schedule_running() == 0)
        rest_chore(chore);
    else
        timer_arm(timer, clock_now() + chore->interval);
}

void chore_start(struct chore *chore)
{
    unsigned long state = interrupts_off();

    assert(chore->work != NULL && chore->interval > 0);
    chore->timer.fire = do_chore;
    rest_chore(chore);
    if (schedule_running() > 0)
        chores_resume();
    interrupts_restore(state);
}

/* bound: as many chores as there are, three */
void chores_resume(void)
{
    uint64_t now = clock_now();

    for (struct chore *chore = chores_resting; chore != NULL; chore = chore->next)      /* bound: above */
        timer_arm(&chore->timer, now + chore->interval);
    chores_resting = NULL;
}
