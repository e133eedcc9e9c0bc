/*
 * sleep_lock.c - locks that sleep: mutexes (schedule.h), readers and writers (base/rwlock.h); and completions.
 *
 * The thread that drops a lock wakes the first that waits, which tries to take it. It is not handed over at once: two
 * threads that take it often would then take turns at every single step, with the turns of all other threads in
 * between. But a thread that has tried in vain is given the lock at the next drop, and a first waiter that has been
 * overtaken OVERTAKEN_MOST times is not overtaken again. No step wakes more than one thread.
 */
#include "base/check.h"
#include "base/completion.h"
#include "process/turns.h"

enum { OVERTAKEN_MOST = 16 };

static void __attribute__((noinline)) begin_to_wait(struct waiter *mine, struct waiter_list *waiting, bool exclusive)
{
    struct thread *self = running_thread;

    self->lock_tried     = false;
    self->lock_overtaken = 0;
    list_link_waiter(mine, waiting, (struct waiter){ .thread = self, .exclusive = exclusive });
}

/* ---- Mutexes ----------------------------------------------------------------------------------------- */

/* Whether the current thread gets the mutex before those who wait for it. */
static bool mutex_may_overtake(const struct mutex *mutex)
{
    const struct waiter *next = mutex->waiting.first;

    return next == NULL || next->thread->lock_overtaken++ < OVERTAKEN_MOST;
}

/* Of a drop and a look at the queue, and a link to the queue and an attempt, one sees the other: a full barrier. */
static inline bool mutex_give(struct mutex *mutex, struct thread *thread)
{
    struct thread *nobody = NULL;

    return __atomic_compare_exchange_n(&mutex->holder, &nobody, thread, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* A free mutex is taken by the first in the queue, which leaves the queue. */
static bool mutex_take_in_turn(struct mutex *mutex, struct waiter *mine)
{
    if (mutex->waiting.first != mine || !mutex_give(mutex, mine->thread))
        return false;
    list_unlink_waiter(mine);
    return true;
}

static void __attribute__((noinline, cold)) mutex_wait(struct mutex *mutex)
{
    struct thread *self  = running_thread;
    struct waiter *mine  = &self->mutex_waiter;
    lock_state     state = lock_take(&schedule_lock);

    assert(mutex->holder != self);
    if (mutex->holder != NULL || !mutex_may_overtake(mutex) || !mutex_give(mutex, self)) {
        begin_to_wait(mine, &mutex->waiting, true);
        (void)mutex_take_in_turn(mutex, mine);  /* the holder may have dropped it before that */
    }
    while (mine->queue != NULL) {               /* bound: sleeps in each step */
        turn_wait(&state);
        if (!mutex_take_in_turn(mutex, mine))
            self->lock_tried = true;
    }
    lock_drop(&schedule_lock, state);
}

void mutex_take(struct mutex *mutex)
{
    may_sleep();
    deep_assert(rwlock_none_held());            /* mutexes are outside of those */
    if (mutex->waiting.first != NULL || !mutex_give(mutex, running_thread))
        mutex_wait(mutex);
}

/* The first in the queue is given the mutex, or woken to try to take it. */
static void __attribute__((noinline, cold)) mutex_let_in_next(struct mutex *mutex)
{
    lock_state     state = lock_take(&schedule_lock);
    struct waiter *next  = mutex->waiting.first;

    if (next != NULL && (!next->thread->lock_tried || mutex_give(mutex, next->thread))) {
        if (next->thread->lock_tried)
            list_unlink_waiter(next);
        if (next->thread->phase == THREAD_WAITING)
            turn_lead(next->thread);
    }
    lock_drop(&schedule_lock, state);
}

void mutex_drop(struct mutex *mutex)
{
    assert(mutex->holder == running_thread);
    __atomic_store_n(&mutex->holder, NULL, __ATOMIC_SEQ_CST);
    if (mutex->waiting.first != NULL)
        mutex_let_in_next(mutex);
}

/* ---- Readers and writers (base/rwlock.h) ----------------------------------------------------------------- */

struct rwlocks_held *rwlocks_held(void) { return &running_thread->rwlocks; }

/* Count one more reader, or the writer, if the lock's holders allow that. */
static bool rwlock_let_in(struct rwlock *rwlock, bool write)
{
    uint32_t state = __atomic_load_n(&rwlock->state, __ATOMIC_RELAXED);

    deep_assert(lock_held(&schedule_lock));
    do                                          /* bound: once again for each step that other CPUs are ahead */
        if (state & RWLOCK_WRITER || (write && (state & ~RWLOCK_WAITED) != 0))
            return false;
    while (!__atomic_compare_exchange_n(&rwlock->state, &state, write ? state | RWLOCK_WRITER : state + 1, true,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return true;
}

/* A waiter's wait is over: it leaves the queue. */
static void rwlock_leave_queue(struct rwlock *rwlock, struct waiter *waiter)
{
    deep_assert(waiter->queue == &rwlock->waiting);
    list_unlink_waiter(waiter);
    if (rwlock->waiting.first == NULL)
        __atomic_and_fetch(&rwlock->state, ~RWLOCK_WAITED, __ATOMIC_RELAXED);
}

/*
 * The lock is free, or a reader has come in. The first in the queue is woken to try to take it; if that waiter has
 * tried in vain before, it is given the lock now.
 */
static void rwlock_let_in_next(struct rwlock *rwlock)
{
    struct waiter *next = rwlock->waiting.first;

    deep_assert(lock_held(&schedule_lock));
    if (next == NULL)
        return;
    if (next->thread->lock_tried) {
        if (!rwlock_let_in(rwlock, next->exclusive))
            return;
        rwlock_leave_queue(rwlock, next);
    }
    if (next->thread->phase == THREAD_WAITING)
        turn_lead(next->thread);
}

/*
 * A thread may take a free lock before the waiters; but no reader joins other readers while a writer is the first, and
 * a first waiter that has been overtaken often is not overtaken again. Else a thread that forks, turn after turn, would
 * leave behind it ever more children that wait to end.
 */
static bool rwlock_may_overtake(const struct rwlock *rwlock, bool write)
{
    const struct waiter *next = rwlock->waiting.first;

    if (next != NULL && next->thread->lock_overtaken++ >= OVERTAKEN_MOST)
        return false;
    return write || next == NULL || !next->exclusive ||
           (__atomic_load_n(&rwlock->state, __ATOMIC_RELAXED) & ~RWLOCK_WAITED) == 0;
}

/* A reader that gets the lock wakes the next reader, so that no step here wakes many threads. */
void rwlock_wait(struct rwlock *rwlock, bool write)
{
    struct thread *self = running_thread;
    struct waiter *mine = &self->mutex_waiter;
    lock_state     state;

    may_sleep();
    state = lock_take(&schedule_lock);
    if (rwlock_may_overtake(rwlock, write) && rwlock_let_in(rwlock, write)) {
        lock_drop(&schedule_lock, state);
        return;
    }
    begin_to_wait(mine, &rwlock->waiting, write);
    __atomic_or_fetch(&rwlock->state, RWLOCK_WAITED, __ATOMIC_RELAXED);     /* from now on a drop looks at the queue */
    if (rwlock->waiting.first == mine && rwlock_let_in(rwlock, write))
        rwlock_leave_queue(rwlock, mine);       /* the last holder dropped it before that */
    while (mine->queue != NULL) {               /* bound: sleeps in each step */
        turn_wait(&state);
        if (rwlock->waiting.first == mine && rwlock_let_in(rwlock, write))
            rwlock_leave_queue(rwlock, mine);
        else
            self->lock_tried = true;
    }
    if (!write && rwlock->waiting.first != NULL && !rwlock->waiting.first->exclusive)
        rwlock_let_in_next(rwlock);
    lock_drop(&schedule_lock, state);
}

void rwlock_pass_on(struct rwlock *rwlock)
{
    lock_state state = lock_take(&schedule_lock);

    rwlock_let_in_next(rwlock);
    lock_drop(&schedule_lock, state);
}

/* ---- Completions (base/completion.h) --------------------------------------------------------------------- */

void completion_wait(struct completion *completion)
{
    may_sleep();
    while (!completion_happened(completion)) {          /* bound: sleeps in each step */
        wait_start(&completion->waiting);
        if (!completion_happened(completion))
            (void)wait_linked(NEVER, 0);
        wait_end();
    }
}

bool completion_wait_for(struct completion *completion, uint64_t nanoseconds)
{
    uint64_t until = clock_now() + nanoseconds;
    int      err   = 0;

    may_sleep();
    while (err == 0 && !completion_happened(completion)) {      /* bound: sleeps in each step */
        wait_start(&completion->waiting);
        if (!completion_happened(completion))
            err = wait_linked(until, WAIT_BRIEFLY);
        wait_end();
    }
    return completion_happened(completion);
}

void condition_wait(struct wait_queue *queue, bool (*is)(void))
{
    may_sleep();
    while (!is()) {                                     /* bound: sleeps in each step */
        wait_start(queue);
        if (!is())
            (void)wait_linked(NEVER, 0);
        wait_end();
    }
}

void condition_changed(struct wait_queue *queue) { wake_all(queue); }

void completion_happen(struct completion *completion)
{
    __atomic_store_n(&completion->happened, 1, __ATOMIC_RELEASE);
    wake_all(&completion->waiting);
}
