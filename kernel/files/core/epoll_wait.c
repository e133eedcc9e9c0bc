/*
 * epoll_wait.c - the entries of an epoll that may be ready: how wakes put them on its list, and waiting for them.
 */
#include "base/check.h"
#include "base/error.h"
#include "files/core/epoll_set.h"

/* ---- The ready list. The node's lock is held. ------------------------------------------------------ */

void epoll_ready_add(struct epoll *self, struct epoll_item *item)
{
    deep_assert(mutex_held(&self->node.lock) && item->epoll == self);
    if (item->to_ready != NULL)
        return;
    item->next_ready = NULL;
    item->to_ready   = self->ready_end;
    *self->ready_end = item;
    self->ready_end  = &item->next_ready;
}

void epoll_ready_remove(struct epoll *self, struct epoll_item *item)
{
    deep_assert(mutex_held(&self->node.lock));
    if (item->to_ready == NULL)
        return;
    *item->to_ready = item->next_ready;
    if (item->next_ready != NULL)
        item->next_ready->to_ready = item->to_ready;
    else
        self->ready_end = item->to_ready;
    item->to_ready = NULL;
}

/* To the front: for an event that could not be handed out. */
static void ready_return(struct epoll *self, struct epoll_item *item)
{
    deep_assert(mutex_held(&self->node.lock) && item->to_ready == NULL);
    item->next_ready = self->ready;
    item->to_ready   = &self->ready;
    if (self->ready != NULL)
        self->ready->to_ready = &item->next_ready;
    else
        self->ready_end = &item->next_ready;
    self->ready = item;
}

/* Entries that were woken go to the ready list, the oldest first. */
void epoll_take_woken(struct epoll *self)
{
    struct epoll_item *newest = __atomic_exchange_n(&self->woken, NULL, __ATOMIC_ACQUIRE), *oldest = NULL;

    deep_assert(mutex_held(&self->node.lock));
    while (newest != NULL) {
        struct epoll_item *next = newest->next_woken;

        newest->next_woken = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct epoll_item *next = oldest->next_woken;

        __atomic_store_n(&oldest->woken, false, __ATOMIC_RELEASE);       /* from here on it may be woken again */
        epoll_ready_add(self, oldest);
        oldest = next;
    }
}

/* ---- Being woken: the run queue's lock is held, and no other may be taken --------------------------- */

/* Push an entry that may be ready onto the list, without a lock: the list is only ever taken whole. */
static void notify_item(struct epoll_item *item)
{
    struct epoll      *self = item->epoll;
    struct epoll_item *first;

    if (__atomic_exchange_n(&item->woken, true, __ATOMIC_ACQ_REL))
        return;
    first = __atomic_load_n(&self->woken, __ATOMIC_RELAXED);
    do
        item->next_woken = first;
    while (!__atomic_compare_exchange_n(&self->woken, &first, item, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

bool epoll_item_woken(struct waiter *waiter, unsigned bits)
{
    struct epoll_item *item     = CONTAINER_OF(waiter, struct epoll_item, waiter);
    uint32_t           interest = __atomic_load_n(&item->interest, __ATOMIC_RELAXED);

    if (interest == 0 || (bits != 0 && !(bits & interest)))
        return false;
    notify_item(item);
    return wake_within(&item->epoll->node.ready, READS);
}

/* ---- Waiting ------------------------------------------------------------------------------------------- */

unsigned epoll_poll_item(const struct epoll_item *item)
{
    struct wait_queue *queue;

    if (item->interest == 0)
        return 0;
    return file_poll(item->file, &queue) & ((item->event.events & ~MODES) | ALWAYS);
}

/* The entry has reported: a level-triggered one stays on the list, a one-shot one is silent from now on. */
static void item_reported(struct epoll *self, struct epoll_item *item)
{
    if (item->event.events & ONE_SHOT)
        __atomic_store_n(&item->interest, 0, __ATOMIC_RELAXED);
    else if (!(item->event.events & EDGE))
        epoll_ready_add(self, item);
}

/* Each entry on the list has one turn; level-triggered ones go to its end, so that the next wait begins with others. */
static long collect_events(struct epoll *self, struct buffer *to, size_t most)
{
    struct epoll_item *item, *first_again = NULL;
    long               count = 0;

    deep_assert(mutex_held(&self->node.lock) && most > 0);
    epoll_take_woken(self);
    while ((size_t)count < most && (item = self->ready) != NULL && item != first_again) {
        struct epoll_event event = { epoll_poll_item(item), item->event.data };

        point_of_rest();                        /* entries stay while the lock is held */
        epoll_ready_remove(self, item);
        if (event.events == 0)
            continue;
        if (buffer_put(to, &event, sizeof event) < sizeof event) {
            ready_return(self, item);
            return count > 0 ? count : -EFAULT;
        }
        count++;
        item_reported(self, item);
        if (first_again == NULL && item->to_ready != NULL)
            first_again = item;
    }
    return count;
}

/* Until an entry is woken. The lock is held, and dropped meanwhile. */
static int sleep_on_epoll(struct epoll *self, uint64_t deadline)
{
    int err = 0;

    deep_assert(mutex_held(&self->node.lock));
    wait_start_exclusive(&self->node.ready);
    if (self->ready != NULL || __atomic_load_n(&self->woken, __ATOMIC_ACQUIRE) != NULL) {
        wait_end();
        return 0;
    }
    mutex_drop(&self->node.lock);
    err = wait_linked(deadline, WAIT_SIGNALS);
    wait_end();
    mutex_take(&self->node.lock);
    return err;
}

static long wait_locked(struct epoll *self, struct buffer *to, size_t most, uint64_t deadline)
{
    long got = collect_events(self, to, most);

    while (got == 0 && deadline != 0) {
        int err = sleep_on_epoll(self, deadline);

        got = collect_events(self, to, most);
        if (got == 0 && err != 0)
            return err == -EINTR ? -EINTR : 0;
    }
    return got;
}

long epoll_wait_for(struct file *epoll, struct buffer *to, size_t most, uint64_t deadline)
{
    struct epoll *self;
    long          got;

    may_sleep();
    assert(most > 0);
    if (!is_epoll(epoll))
        return -EINVAL;
    self = epoll_of(epoll);
    mutex_take(&self->node.lock);
    got = wait_locked(self, to, most, deadline);
    if (got > 0 && self->ready != NULL)
        wake_one(&self->node.ready);            /* more is ready: for the next thread that waits */
    mutex_drop(&self->node.lock);
    return got;
}
