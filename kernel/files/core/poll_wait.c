/*
 * poll_wait.c - waiting until one of several files is ready.
 */
#include "files/core/poll_wait.h"

#include "base/check.h"
#include "base/error.h"
#include "process/signal.h"

enum { POLLED_A_ROW = 256 };

void poll_rest(size_t i)
{
    may_sleep();
    if (i % POLLED_A_ROW == POLLED_A_ROW - 1)
        point_of_rest();
}

static long poll_files(struct poll_wait *files, size_t count, struct wait_queue **queue_of_last)
{
    long ready = 0;

    for (size_t i = 0; i < count; i++) {
        poll_rest(i);
        if (files[i].file == NULL)
            continue;
        files[i].got = file_poll(files[i].file, queue_of_last) & (files[i].wanted | POLL_ERR | POLL_HUP | POLL_NVAL);
        ready += files[i].got != 0;
    }
    return ready;
}

static void link_waiters(struct poll_wait *files, size_t count)
{
    deep_assert(files != NULL || count == 0);
    for (size_t i = 0; i < count; i++) {
        struct wait_queue *queue;

        poll_rest(i);
        if (files[i].file == NULL)
            continue;
        (void)file_poll(files[i].file, &queue);
        files[i].linked = queue != NULL;
        if (files[i].linked)
            wait_link(&files[i].waiter, queue);
    }
}

static void unlink_waiters(struct poll_wait *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i].linked)
            wait_unlink(&files[i].waiter);
        poll_rest(i);
    }
}

/*
 * A thread that makes a file ready between the poll and the sleep has woken this one already:
 * wait_linked() then returns at once.
 */
long poll_wait(struct poll_wait *files, size_t count, uint64_t deadline)
{
    struct wait_queue *queue;
    long               ready;

    may_sleep();
    ready = poll_files(files, count, &queue);
    if (ready > 0 || deadline == 0)
        return ready;
    wait_prepare();
    link_waiters(files, count);
    for (;;) {
        int err;

        ready = poll_files(files, count, &queue);
        if (ready > 0)
            break;
        err = wait_linked(deadline, WAIT_SIGNALS);
        if (err != 0) {
            ready = poll_files(files, count, &queue);
            if (ready == 0 && err == -EINTR)
                ready = -ERESTARTNOHAND;
            break;
        }
        wait_prepare();
    }
    unlink_waiters(files, count);
    return ready;
}
