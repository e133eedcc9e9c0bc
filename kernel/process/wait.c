/*
 * wait.c - wait queues: waiting for an event, and waking those who wait.
 *
 * How many waiters a queue has is a number that programs choose, and a wake is done under a spin lock, often in an
 * interrupt. So a wake takes WAKES_AT_ONCE waiters; if there are more, the queue notes where to go on and enters a list
 * that an errand works off. Waiters come and go meanwhile: one that goes takes the place to go on at with it, and one
 * that comes stands behind that place and is woken once too often, which each waiter bears, as it looks again.
 *
 *   Y3  a waiter stands in the list that it names, and that list is sound in both directions
 *   Y4  a queue is in the list of those being woken if and only if it says where to go on
 */
#include "base/check.h"
#include "base/error.h"
#include "memory/heap/stack.h"
#include "process/errand.h"
#include "process/family.h"
#include "process/turns.h"

enum { WAKES_AT_ONCE = 32 };            /* larger: a longer stretch without interrupts, some 200 instructions each */

static struct list   queues_left = { &queues_left, &queues_left };      /* [schedule_lock] a wake is not done there */
static unsigned      steps_left;        /* [schedule_lock] of the wake under way, with all that it leads to */
static void          go_on(struct errand *errand);
static struct errand rest_of_wakes = { .work = go_on };

/* ---- Lists of waiters. The lock is held. -------------------------------------------------------- */

void list_link_waiter(struct waiter *waiter, struct waiter_list *list, struct waiter what)
{
    deep_assert(lock_held(&schedule_lock));
    assert(!stack_holds(waiter));
    *waiter = what;
    waiter->previous = list->last;
    waiter->queue    = list;
    if (list->last != NULL)
        list->last->next = waiter;
    else
        list->first = waiter;
    list->last = waiter;
}

void list_unlink_waiter(struct waiter *waiter)
{
    struct waiter_list *list = waiter->queue;

    deep_assert(lock_held(&schedule_lock));
    if (list == NULL)
        return;
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        list->first = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    else
        list->last = waiter->previous;
    waiter->queue = NULL;
}

/* There is no waiter to go on at. */
static void end_wake(struct wait_queue *queue)
{
    if (queue->being_woken.next != NULL)
        list_remove(&queue->being_woken);
    queue->being_woken.next = NULL;
}

static void leave_queue(struct waiter *waiter)
{
    struct wait_queue *queue = CONTAINER_OF(waiter->queue, struct wait_queue, waiters);

    if (waiter->queue == NULL)
        return;
    if (queue->next_to_wake == waiter) {
        queue->next_to_wake = waiter->next;
        if (waiter->next == NULL)
            end_wake(queue);
    }
    list_unlink_waiter(waiter);
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

static void make_runnable(struct thread *thread)
{
    thread->woken = true;
    if (thread->phase == THREAD_WAITING)
        turn_append(thread);
}

void wait_link(struct waiter *waiter, struct wait_queue *queue)
{
    lock_state state = lock_take(&schedule_lock);

    list_link_waiter(waiter, &queue->waiters, (struct waiter){ .thread = running_thread });
    lock_drop(&schedule_lock, state);
}

void wait_unlink(struct waiter *waiter)
{
    lock_state state = lock_take(&schedule_lock);

    leave_queue(waiter);
    lock_drop(&schedule_lock, state);
}

void wait_prepare(void) { running_thread->woken = false; }

void wait_start(struct wait_queue *queue)
{
    struct waiter *mine = &running_thread->waiter;

    assert(mine->queue == NULL);                /* one wait at a time */
    wait_prepare();
    wait_link(mine, queue);
}

void wait_start_exclusive(struct wait_queue *queue)
{
    wait_start(queue);
    running_thread->waiter.exclusive = true;  /* a wake before this line may wake one thread more than needed */
}

void wait_end(void) { wait_unlink(&running_thread->waiter); }

void wait_link_call(struct waiter *waiter, struct wait_queue *queue, bool (*woken)(struct waiter *, unsigned),
                    bool exclusive)
{
    lock_state state = lock_take(&schedule_lock);

    assert(woken != NULL);
    list_link_waiter(waiter, &queue->waiters, (struct waiter){ .woken = woken, .exclusive = exclusive });
    lock_drop(&schedule_lock, state);
}

static void deadline_passed(struct timer *timer)
{
    struct thread *thread = CONTAINER_OF(timer, struct thread, sleep_timer);
    lock_state     state  = lock_take(&schedule_lock);

    thread->timed_out = true;
    make_runnable(thread);
    lock_drop(&schedule_lock, state);
}

static bool ends_wait(const struct thread *thread, unsigned flags)
{
    return ((flags & WAIT_SIGNALS) && signal_pending(thread)) || ((flags & WAIT_KILL) && signal_kills(thread));
}

/* Sleep until woken, unless that has happened since wait_prepare(). */
int wait_linked(uint64_t deadline, unsigned flags)
{
    struct thread *self = running_thread;
    lock_state     state;

    may_sleep();
    assert(self->process != NULL);              /* the idle thread never waits */
    assert(deadline != NEVER || !(flags & WAIT_BRIEFLY));
    deep_assert((flags & WAIT_BRIEFLY) || rwlock_none_held());          /* the wait may last for ever */
    self->timed_out = false;
    if (ends_wait(self, flags))
        return -EINTR;
    if (deadline != NEVER) {
        self->sleep_timer.fire = deadline_passed;
        timer_arm(&self->sleep_timer, deadline);
    }
    state = lock_take(&schedule_lock);
    self->interruptible = flags & WAIT_SIGNALS;
    self->killable      = flags & WAIT_KILL;
    if (!self->woken)
        turn_wait(&state);
    self->interruptible = self->killable = false;
    lock_drop(&schedule_lock, state);
    if (deadline != NEVER)
        timer_disarm(&self->sleep_timer);
    if (ends_wait(self, flags))
        return -EINTR;
    return self->timed_out ? -ETIMEDOUT : 0;
}

int wait_on(struct wait_queue *queue, struct lock *guard, lock_state *guard_state, uint64_t deadline, unsigned flags)
{
    int err;

    may_sleep_dropping(guard, guard != NULL ? *guard_state : 0);
    assert(guard == NULL || lock_held(guard));
    wait_start(queue);
    if (guard != NULL)
        lock_drop(guard, *guard_state);
    err = wait_linked(deadline, flags);
    wait_end();
    if (guard != NULL)
        *guard_state = lock_take(guard);
    return err;
}

/* ---- Waking ------------------------------------------------------------------------------------- */

/*
 * An exclusive thread that is woken already has an event to handle: another thread is woken for this event. Of
 * wake_one() that is so for all threads.
 */
static bool wake_waiter(const struct wait_queue *queue, struct waiter *waiter)
{
    if (waiter->woken != NULL)
        return !queue->wakes_one && waiter->woken(waiter, queue->bits);
    if ((waiter->exclusive || queue->wakes_one) && waiter->thread->woken)
        return false;
    make_runnable(waiter->thread);
    return true;
}

/* Returns whether some waiter took the event; where the wake is not done, one that comes may. */
static bool wake_some(struct wait_queue *queue)
{
    bool any = false;

    deep_assert(lock_held(&schedule_lock));
    while (queue->next_to_wake != NULL && steps_left > 0) {     /* bound: WAKES_AT_ONCE, with all calls inside */
        struct waiter *waiter = queue->next_to_wake;
        bool           took;

        queue->next_to_wake = waiter->next;
        steps_left--;
        if (waiter->exclusive && queue->taken)
            continue;
        took = wake_waiter(queue, waiter);
        any |= took;
        queue->taken |= took && waiter->exclusive;
        if (took && queue->wakes_one)
            queue->next_to_wake = NULL;
    }
    if (queue->next_to_wake == NULL) {
        end_wake(queue);
        return any;
    }
    if (queue->being_woken.next == NULL)
        list_insert(&queues_left, &queue->being_woken);
    errand_post(&rest_of_wakes);
    return true;
}

static void go_on(struct errand *errand __attribute__((unused)))
{
    for (;;) {                                  /* bound: interrupts are let in in each step */
        lock_state state = lock_take(&schedule_lock);
        bool       more  = !list_is_empty(&queues_left);

        steps_left = WAKES_AT_ONCE;
        if (more)
            (void)wake_some(LIST_ITEM(queues_left.next, struct wait_queue, being_woken));
        lock_drop(&schedule_lock, state);
        if (!more)
            return;
        interrupts_let_in();
    }
}

/* A wake that is under way begins again, for the reasons of both. */
static bool wake(struct wait_queue *queue, unsigned bits, bool one)
{
    struct waiter *first = queue->waiters.first;
    bool           again = queue->next_to_wake != NULL;

    if (first != NULL && first->next == NULL && first->woken == NULL && !again) {      /* the usual case */
        bool takes = !(first->exclusive || one) || !first->thread->woken;

        if (takes)
            make_runnable(first->thread);
        return takes;
    }
    queue->bits         = again && (queue->bits == 0 || bits == 0) ? 0 : again ? queue->bits | bits : bits;
    queue->wakes_one    = one && !again;
    queue->taken        = false;
    queue->next_to_wake = first;
    return wake_some(queue);
}

bool wake_within(struct wait_queue *queue, unsigned bits) { return wake(queue, bits, false); }

static bool wake_from_outside(struct wait_queue *queue, unsigned bits, bool one)
{
    lock_state state;
    bool       any;

    if (queue->waiters.first == NULL)           /* the usual case; a waiter is linked before it looks */
        return false;
    state      = lock_take(&schedule_lock);
    steps_left = WAKES_AT_ONCE;
    any        = wake(queue, bits, one);
    lock_drop(&schedule_lock, state);
    return any;
}

bool wake_for(struct wait_queue *queue, unsigned bits) { return wake_from_outside(queue, bits, false); }

void wake_all(struct wait_queue *queue) { (void)wake_from_outside(queue, 0, false); }

void wake_one(struct wait_queue *queue) { (void)wake_from_outside(queue, 0, true); }

/* A signal has come: end a wait that allows it. */
void wake_thread(struct thread *thread)
{
    lock_state state = lock_take(&schedule_lock);

    if (thread->interruptible || (thread->killable && signal_kills(thread)) || thread->phase != THREAD_WAITING)
        make_runnable(thread);
    lock_drop(&schedule_lock, state);
}

/* ---- The check ---------------------------------------------------------------------------------- */

/* bound: as many steps as waiters in the queue: the auditor's alone. */
const char *waiter_broken(const struct waiter *waiter)
{
    lock_state           state = lock_take(&schedule_lock);
    const struct waiter *last  = NULL;
    bool                 found = waiter->queue == NULL, sound = true;

    if (!found)
        /* bound: above */
        for (const struct waiter *at = waiter->queue->first; at != NULL && sound; last = at, at = at->next) {
            sound = at->previous == last && at->queue == waiter->queue;
            found = found || at == waiter;
        }
    sound = sound && (waiter->queue == NULL || waiter->queue->last == last);
    lock_drop(&schedule_lock, state);
    return found && sound ? NULL : "Y3";
}

/* bound: as many steps as queues are being woken: the auditor's alone. */
const char *wakes_broken(void)
{
    lock_state   state  = lock_take(&schedule_lock);
    const char  *broken = list_ok(&queues_left) ? NULL : "Y4";
    struct list *at;

    if (broken == NULL)
        LIST_EACH(at, &queues_left)             /* bound: above */
            if (LIST_ITEM(at, struct wait_queue, being_woken)->next_to_wake == NULL)
                broken = "Y4";
    lock_drop(&schedule_lock, state);
    return broken;
}
