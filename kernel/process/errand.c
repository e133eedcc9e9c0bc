/*
 * errand.c - see errand.h. Errands are pushed onto a list without a lock; the list is only ever taken whole.
 */
#include "process/errand.h"

#include "base/check.h"
#include "process/schedule.h"

struct errand *errands_posted;

void errand_post(struct errand *errand)
{
    struct errand *first;

    assert(errand->work != NULL);
    if (__atomic_exchange_n(&errand->posted, true, __ATOMIC_ACQ_REL))
        return;
    first = __atomic_load_n(&errands_posted, __ATOMIC_RELAXED);
    do                                          /* bound: once again for each step that other CPUs are ahead */
        errand->next = first;
    while (!__atomic_compare_exchange_n(&errands_posted, &first, errand, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    schedule_hurry();
}

/* The oldest first. */
static struct errand *take_errands(void)
{
    struct errand *newest = __atomic_exchange_n(&errands_posted, NULL, __ATOMIC_ACQUIRE), *oldest = NULL;

    while (newest != NULL) {                    /* bound: kinds of errands, a few */
        struct errand *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

void errands_do(void)
{
    while (__atomic_load_n(&errands_posted, __ATOMIC_RELAXED) != NULL)
        for (struct errand *errand = take_errands(), *next; errand != NULL; errand = next) {
            next = errand->next;
            __atomic_store_n(&errand->posted, false, __ATOMIC_RELEASE);
            errand->work(errand);
        }
}
