/*
 * tour.c - see tour.h.
 */
#include "process/tour.h"

#include "base/check.h"
#include "cpu.h"
#include "process/family.h"

enum { TOURS = 4 * MAX_CPUS };

struct tour {
    struct list   *head;                /* NULL: this tour goes over threads, or nobody uses it */
    struct list   *at;                  /* the item to come next                                */
    struct thread *thread;              /* the thread to come next                              */
    lock_state    *state;
    unsigned       portion, left;       /* steps, and those before the lock is dropped          */
    bool           used, back;
};

static struct tour tours[TOURS];        /* [process_lock] */
static unsigned    under_way;           /* [process_lock] */

void process_lock_rest(lock_state *state)
{
    lock_drop(&process_lock, *state);
    *state = lock_take(&process_lock);
}

static struct tour *begin(struct tour what, unsigned portion, lock_state *state)
{
    struct tour *tour = tours;

    assert(lock_held(&process_lock) && portion > 0);
    while (tour->used) {                        /* bound: TOURS */
        tour++;
        assert(tour < tours + TOURS);
    }
    *tour = what;
    tour->used    = true;
    tour->state   = state;
    tour->portion = tour->left = portion;
    under_way++;
    return tour;
}

struct tour *tour_list(struct list *head, unsigned portion, lock_state *state)
{
    return begin((struct tour){ .head = head, .at = head->next }, portion, state);
}

struct tour *tour_list_back(struct list *head, unsigned portion, lock_state *state)
{
    return begin((struct tour){ .head = head, .at = head->previous, .back = true }, portion, state);
}

struct tour *tour_threads(struct process *process, unsigned portion, lock_state *state)
{
    return begin((struct tour){ .thread = process->threads }, portion, state);
}

void tour_end(struct tour *tour)
{
    deep_assert(lock_held(&process_lock));
    assert(tour->used);
    tour->used   = false;
    tour->at     = NULL;
    tour->thread = NULL;
    under_way--;
}

static void count_step(struct tour *tour)
{
    if (tour->left-- > 0)
        return;
    tour->left = tour->portion - 1;
    process_lock_rest(tour->state);
}

struct list *tour_next(struct tour *tour)
{
    struct list *item;

    assert(tour->used && tour->head != NULL);
    count_step(tour);
    item = tour->at;
    if (item == tour->head) {
        tour_end(tour);
        return NULL;
    }
    tour->at = tour->back ? item->previous : item->next;
    return item;
}

struct thread *tour_next_thread(struct tour *tour)
{
    struct thread *thread;

    assert(tour->used && tour->head == NULL);
    count_step(tour);
    thread = tour->thread;
    if (thread == NULL)
        tour_end(tour);
    else
        tour->thread = thread->next_in_process;
    return thread;
}

void tours_leave(struct list *item)
{
    deep_assert(lock_held(&process_lock));
    if (under_way == 0)
        return;
    for (struct tour *tour = tours; tour < tours + TOURS; tour++)       /* bound: TOURS */
        if (tour->at == item)
            tour->at = tour->back ? item->previous : item->next;
}

void tours_leave_thread(struct thread *thread)
{
    deep_assert(lock_held(&process_lock));
    if (under_way == 0)
        return;
    for (struct tour *tour = tours; tour < tours + TOURS; tour++)       /* bound: TOURS */
        if (tour->thread == thread)
            tour->thread = thread->next_in_process;
}
