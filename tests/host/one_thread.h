/*
 * one_thread.h - kernel/files without the rest of a kernel: one thread of one process, which never really sleeps.
 *
 * A call that would sleep ends as by a signal, unless on_sleep() returns that the event has come meanwhile. A
 * program's memory is the test's own, but for [BAD, BAD + PAGE_SIZE). Included once by each program.
 */
#ifndef QUIRE_TESTS_ONE_THREAD_H
#define QUIRE_TESTS_ONE_THREAD_H

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "files/core/file.h"
#include "process/process.h"
#include "process/user_account.h"

/* ---- One thread ------------------------------------------------------------------------------- */

static struct process     the_process;
static struct credentials the_credentials;
static struct user_account the_account;
static struct thread  the_thread;
static int            last_signal;
static uint64_t       the_time;
static bool         (*on_sleep)(void);          /* something happened: look again */

static inline void require(bool is)
{
    if (!is)
        abort();
}

static inline void start_thread(void)
{
    the_process = (struct process){ .id = 1 };
    the_thread  = (struct thread){ .process = &the_process, .id = 1, .credentials = &the_credentials };
    the_account = (struct user_account){ .references = 1 };
    the_credentials = (struct credentials){ .references = 2, .account = &the_account,
                                            .capabilities.effective = CAPABILITIES_ALL };
    the_process.credentials = &the_credentials;
    for (unsigned i = 0; i < LIMITS; i++)
        the_process.limits[i] = (struct limit){ LIMIT_NONE, LIMIT_NONE };
    on_sleep    = NULL;
    last_signal = 0;
}

struct thread *running_thread = &the_thread;

const struct credentials *credentials_acting(void) { return &the_credentials; }
bool has_capability(unsigned capability) { return the_credentials.capabilities.effective >> capability & 1; }
struct process *process_find(int32_t id) { return id == the_process.id ? &the_process : NULL; }

void signal_self(int number) { last_signal = number; }

uint64_t clock_now(void)  { return ++the_time; }
uint64_t clock_wall(void) { return ++the_time; }

void mutex_take(struct mutex *mutex)
{
    require(mutex->holder == NULL);
    mutex->holder = &the_thread;
}

void mutex_drop(struct mutex *mutex)
{
    require(mutex->holder == &the_thread);
    mutex->holder = NULL;
}

/* Queues are real, as epolls stand in them; only the thread itself never sleeps. */
static inline void link_as(struct waiter *waiter, struct wait_queue *of, struct waiter what)
{
    struct waiter_list *queue = &of->waiters;

    *waiter = what;
    waiter->previous = queue->last;
    waiter->queue    = queue;
    *(queue->last != NULL ? &queue->last->next : &queue->first) = waiter;
    queue->last = waiter;
}

void wait_prepare(void) {}
void wait_link(struct waiter *waiter, struct wait_queue *queue)
{
    link_as(waiter, queue, (struct waiter){ .thread = &the_thread });
}

void wait_link_call(struct waiter *waiter, struct wait_queue *queue, bool (*woken)(struct waiter *, unsigned),
                    bool exclusive)
{
    link_as(waiter, queue, (struct waiter){ .woken = woken, .exclusive = exclusive });
}

void wait_unlink(struct waiter *waiter)
{
    struct waiter_list *queue = waiter->queue;

    if (queue == NULL)
        return;
    *(waiter->previous != NULL ? &waiter->previous->next : &queue->first) = waiter->next;
    *(waiter->next != NULL ? &waiter->next->previous : &queue->last) = waiter->previous;
    waiter->queue = NULL;
}

void wait_start(struct wait_queue *queue)           { wait_link(&the_thread.waiter, queue); }
void wait_start_exclusive(struct wait_queue *queue) { wait_start(queue); }
void wait_end(void)                                 { wait_unlink(&the_thread.waiter); }
int schedule_between(void) { return 0; }

int  wait_linked(uint64_t deadline, unsigned flags)
{
    (void)flags;
    if (on_sleep != NULL && on_sleep())
        return 0;
    return deadline != NEVER ? -ETIMEDOUT : -EINTR;
}

bool wake_within(struct wait_queue *queue, unsigned bits)
{
    bool any = false;

    for (struct waiter *waiter = queue->waiters.first; waiter != NULL; waiter = waiter->next)
        any |= waiter->woken == NULL || waiter->woken(waiter, bits);
    return any;
}

bool wake_for(struct wait_queue *queue, unsigned bits) { return wake_within(queue, bits); }
void wake_all(struct wait_queue *queue)                { (void)wake_within(queue, 0); }
void wake_one(struct wait_queue *queue)                { (void)queue; }

void random_bytes(void *out, size_t count)        { memset(out, 7, count); }
void random_stir(const void *bytes, size_t count) { (void)bytes; (void)count; }

/* ---- Its memory --------------------------------------------------------------------------------- */

#define BAD ((user_t)0x10000)

static size_t good_part(user_t at, size_t bytes)
{
    if (at >= BAD && at < BAD + PAGE_SIZE)
        return 0;
    return at < BAD && at + bytes > BAD ? BAD - at : bytes;
}

size_t user_write_some(user_t to, const void *from, size_t bytes)
{
    bytes = good_part(to, bytes);
    memcpy((void *)to, from, bytes);
    return bytes;
}

size_t user_read_held(void *to, user_t from, size_t bytes)        { return user_read_some(to, from, bytes); }
size_t user_write_held(user_t to, const void *from, size_t bytes) { return user_write_some(to, from, bytes); }

size_t user_read_some(void *to, user_t from, size_t bytes)
{
    bytes = good_part(from, bytes);
    memcpy(to, (const void *)from, bytes);
    return bytes;
}

int user_write(user_t to, const void *from, size_t bytes)
{
    return user_write_some(to, from, bytes) == bytes ? 0 : -EFAULT;
}

int user_read(void *to, user_t from, size_t bytes)
{
    return user_read_some(to, from, bytes) == bytes ? 0 : -EFAULT;
}

#endif
