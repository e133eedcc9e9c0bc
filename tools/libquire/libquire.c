/* libquire.c - an object from its start to its end. See libquire.h. */
#include "libquire.h"
#include "inside.h"
#include "object.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { STEPS_AT_ONCE = 64 };        /* of a guest that never rests, before quire_step() returns */

/* ---- Errors and arenas ---------------------------------------------------------------------- */

static const char no_memory[] = "out of memory";

int object_fail(struct quire *q, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    vsnprintf(q->reason, sizeof(q->reason), format, values);
    va_end(values);
    q->error = q->reason;
    return -1;
}

const char *quire_error(const struct quire *q) { return q != NULL ? q->error : no_memory; }

/* A line of the run: for the caller's function, or one more of the words. */
static void take_line(void *context, const char *line)
{
    struct quire *q = context;
    char *longer;

    if (q->say != NULL) {
        struct arena *ours = arena_enter(q->around);

        q->say(q->say_context, line);
        arena_leave(ours);
        return;
    }
    longer = q->words != NULL ? text("%s\n%s", q->words, line) : text("%s", line);
    drop(q->words);
    q->words = longer;
}

/* The machine and all descriptors end with the arena. */
static void give_up(struct quire *q)
{
    arena_end(&q->arena);
    q->words      = NULL;
    q->run.report = NULL;
    q->run.state  = RUN_OVER;
    q->waiting = q->timer = -1;
    q->status = SANDBOX_FAILED;
    q->ended  = true;
}

/* True, and the error is set: a function that this object calls is not in the midst of what it asks for. */
static bool refused_inside(struct quire *q)
{
    if (q->depth > 0)
        object_fail(q, "not inside a function that this object calls");
    return q->depth > 0;
}

int object_call(struct quire *q, int (*work)(struct quire *q, const void *with), const void *with)
{
    struct arena *before = arena_enter(&q->arena);
    jmp_buf outer;
    int result;

    memcpy(&outer, &q->arena.no_memory, sizeof(outer));
    if (q->depth++ == 0)
        q->around = before;
    if (setjmp(q->arena.no_memory) == 0) {
        result = work(q, with);
    } else {
        if (q->depth == 1 && q->started)
            give_up(q);
        result = object_fail(q, "%s", no_memory);
    }
    q->depth--;
    memcpy(&q->arena.no_memory, &outer, sizeof(outer));
    arena_leave(before);
    return result;
}

struct quire *object_new(void)
{
    struct quire *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return NULL;
    q->arena.say     = take_line;
    q->arena.context = q;
    q->sandbox = sandbox_usual();
    q->error   = "";
    q->waiting = q->timer = q->status = -1;
    run_init(&q->run, &q->sandbox);
    return q;
}

struct sandbox *quire_inside(struct quire *q) { return &q->sandbox; }

bool object_may_change(struct quire *q)
{
    if (q->run.state == RUN_NEW && !q->started)
        return true;
    object_fail(q, "the machine has been started already");
    return false;
}

/* ---- The start ---------------------------------------------------------------------------- */

/* What a run holds for others ends with it: a reader of its output sees the end. */
static void take_end(struct quire *q)
{
    if (q->run.state != RUN_OVER || q->ended)
        return;
    for (int stream = 0; stream < STREAMS; stream++) {
        let_go(q->streams[stream]);
        q->streams[stream] = NULL;
    }
    q->status = q->run.status;
    q->error  = q->words != NULL ? q->words : "";
    q->ended  = true;
}

static int prepare(struct quire *q, const void *nothing)
{
    (void)nothing;
    run_prepare(&q->run);
    take_end(q);
    return 0;
}

int quire_prepare(struct quire *q)
{
    if (q->sandbox.argc == 0)
        return object_fail(q, "which program?");
    if (!object_may_change(q) || refused_inside(q))
        return -1;
    return object_call(q, prepare, NULL);
}

static int watch_for(struct quire *q, int fd, short events, int operation)
{
    struct epoll_event event = { .events = (events & POLLIN ? EPOLLIN : 0) | (events & POLLOUT ? EPOLLOUT : 0) };

    return epoll_ctl(q->waiting, operation, fd, &event);
}

static int start_waiting(struct quire *q, const void *nothing)
{
    (void)nothing;
    q->waiting = epoll_create1(EPOLL_CLOEXEC);
    hold_fd(q->waiting);
    q->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    hold_fd(q->timer);
    if (q->waiting < 0 || q->timer < 0 || watch_for(q, q->timer, POLLIN, EPOLL_CTL_ADD) != 0)
        return object_fail(q, "no descriptor to wait for the machine: %s", strerror(errno));
    run_start(&q->run);
    return 0;
}

static void watch_all(struct quire *q);

static int start_and_watch(struct quire *q, const void *nothing)
{
    int done = start_waiting(q, nothing);

    if (done != 0) {
        give_up(q);
        return done;
    }
    take_end(q);
    watch_all(q);
    return 0;
}

int quire_start(struct quire *q)
{
    if (q->started)
        return object_fail(q, "the machine has been started already");
    if (q->sandbox.argc == 0)
        return object_fail(q, "which program?");
    if (refused_inside(q))
        return -1;
    q->started = true;
    return object_call(q, start_and_watch, NULL);
}

/* ---- While it runs ------------------------------------------------------------------------ */

int quire_fd(const struct quire *q) { return q->waiting; }

static void set_timer(struct quire *q, int milliseconds)
{
    struct itimerspec time = { .it_value = { milliseconds / 1000, milliseconds % 1000 * 1000000L } };

    if (milliseconds == 0)
        time.it_value.tv_nsec = 1;
    timerfd_settime(q->timer, 0, milliseconds < 0 ? &(struct itimerspec){ 0 } : &time, NULL);
}

/* A plain file is always ready, and cannot be waited for. */
static bool watch_slot(struct quire *q, struct pollfd *was, const struct pollfd *on)
{
    if (was->fd == on->fd && was->events == on->events)
        return true;
    if (was->fd >= 0 && was->fd != on->fd)
        watch_for(q, was->fd, 0, EPOLL_CTL_DEL);
    if (on->fd >= 0 && watch_for(q, on->fd, on->events, was->fd == on->fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD) != 0) {
        was->fd = -1;
        return false;
    }
    *was = *on;
    return true;
}

/* Descriptors of a machine before this one have been closed, and have left by that. */
static void watch_nothing(struct quire *q)
{
    for (int slot = 0; slot < RUN_COUNT; slot++)
        q->watched[slot].fd = -1;
    q->machines = q->run.machines;
}

/* quire_fd() becomes readable when the run has something to do, or has ended. */
static void watch_all(struct quire *q)
{
    struct pollfd on[RUN_COUNT];
    int patience = run_fill(&q->run, on);

    if (q->machines != q->run.machines || q->ended)
        watch_nothing(q);
    for (int slot = 0; slot < RUN_COUNT; slot++)
        if (!watch_slot(q, &q->watched[slot], &on[slot]))
            patience = 0;
    set_timer(q, patience);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait once for the run, at most so long, and act. False: there was nothing to do. */
static bool act_once(struct quire *q, int64_t milliseconds)
{
    struct pollfd on[RUN_COUNT];
    int patience = run_fill(&q->run, on), count;
    bool all = milliseconds < 0 || (patience >= 0 && patience <= milliseconds);

    count = poll(on, RUN_COUNT, all ? patience : (int)milliseconds);
    if (count < 0) {
        for (int slot = 0; slot < RUN_COUNT; slot++)
            on[slot].revents = 0;
        if (errno != EINTR)
            return false;
    }
    if (count == 0 && !all)
        return false;
    run_act(&q->run, on);
    return true;
}

static int step(struct quire *q, const void *nothing)
{
    (void)nothing;
    for (int steps = 0; steps < STEPS_AT_ONCE && q->run.state != RUN_OVER && act_once(q, 0); steps++)
        ;
    take_end(q);
    watch_all(q);
    return q->ended;
}

int quire_step(struct quire *q)
{
    if (q->ended)
        return 1;
    if (!q->started)
        return object_fail(q, "the machine has not been started");
    if (refused_inside(q))
        return -1;
    return object_call(q, step, NULL) < 0 && !q->ended ? -1 : q->ended;
}

static int wait_for(struct quire *q, const void *with)
{
    int milliseconds = *(const int *)with;
    int64_t end = now_ms() + milliseconds, left = milliseconds;

    while (q->run.state != RUN_OVER) {
        act_once(q, left);
        if (milliseconds < 0)
            continue;
        left = end - now_ms();
        if (left <= 0)
            break;
    }
    take_end(q);
    watch_all(q);
    return q->ended;
}

int quire_wait(struct quire *q, int milliseconds)
{
    if (q->ended)
        return 1;
    if (!q->started)
        return object_fail(q, "the machine has not been started");
    if (refused_inside(q))
        return -1;
    return object_call(q, wait_for, &milliseconds) < 0 && !q->ended ? -1 : q->ended;
}

struct signalled { int number; uint8_t whom; };

static int send_signal(struct quire *q, const void *with)
{
    const struct signalled *signalled = with;

    run_signal(&q->run, signalled->number, signalled->whom);
    watch_all(q);
    return 0;
}

static int signal_some(struct quire *q, int number, uint8_t whom)
{
    static const int passed[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT };

    if (!q->started || q->ended)
        return object_fail(q, "there is no program that a signal could go to");
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
        if (number == passed[i])
            return object_call(q, send_signal, &(struct signalled){ number, whom });
    if (number != SIGKILL)
        return object_fail(q, "signal %d is not passed on", number);
    run_kill(&q->run);
    set_timer(q, 0);
    return 0;
}

int quire_signal(struct quire *q, int number)       { return signal_some(q, number, CHANNEL_TO_PROGRAM); }
int quire_signal_group(struct quire *q, int number) { return signal_some(q, number, CHANNEL_TO_GROUP); }

static int send_window(struct quire *q, const void *with)
{
    const uint16_t *size = with;

    run_window(&q->run, size[0], size[1]);
    watch_all(q);
    return 0;
}

int quire_window(struct quire *q, uint16_t columns, uint16_t rows)
{
    return q->started && !q->ended ? object_call(q, send_window, (const uint16_t[]){ columns, rows })
                                   : object_fail(q, "there is no program that has a window");
}

int quire_pause(struct quire *q, int pause)
{
    if (!q->started || q->ended)
        return object_fail(q, "there is no machine that could stand still");
    run_pause(&q->run, pause != 0);
    return 0;
}

/* ---- Behind the end ----------------------------------------------------------------------- */

int quire_status(const struct quire *q)         { return q->ended ? q->status : -1; }
int quire_escaped(const struct quire *q)        { return q->ended && q->run.escaped; }
const struct quire_report *quire_report(const struct quire *q) { return q->ended ? q->run.report : NULL; }
const char *quire_report_json(const struct quire *q)           { return q->ended ? q->run.json : NULL; }

void quire_free(struct quire *q)
{
    if (q == NULL)
        return;
    arena_end(&q->arena);
    free(q);
}
