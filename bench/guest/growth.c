/*
 * growth.c - what one more costs when there are many already: of processes, threads, regions, descriptors, epoll
 * entries, timers, files in a folder, and components of a path.
 *
 * The rows are NAME-N: N of them are there, and one more is made and goes again, or one is asked for.
 */
#include "wide.h"

enum { MOST = 4000, DEEPEST = 1000, RESOURCE_FILES = 7, RESOURCE_PENDING = 11, FUTEX_WAIT = 0, FUTEX_WAKE = 1 };
enum { POLL_IN = 1, CTL_ADD = 1, CLOCK_MONOTONIC = 1, STACK = 256, MODES = PROT_READ | PROT_WRITE };

static int numbers[MOST + 8];           /* of what there is: descriptors, timers, children */

static void raise_limit(word resource)
{
    word limits[2] = { MOST + 100, MOST + 100 };

    call(SYS_SETRLIMIT, resource, (word)limits, 0, 0);
}

/* ---- Processes and threads ----------------------------------------------------------------- */

static int ends[2];

static void wait_for_end(char *ignored)
{
    char byte;

    (void)ignored;
    call(SYS_CLOSE, (word)ends[1], 0, 0, 0);
    __atomic_add_fetch((volatile word *)shared, 1, __ATOMIC_SEQ_CST);
    call(SYS_READ, (word)ends[0], (word)&byte, 1, 0);
}

static void do_nothing(char *ignored)
{
    (void)ignored;
}

static count processes(word there, word times)
{
    count start, cost;

    good(call(SYS_PIPE, (word)ends, 0, 0, 0), "pipe");
    *shared = 0;
    for (word i = 0; i < there; i++)
        numbers[i] = fork_and(wait_for_end, 0);
    while (*shared < there)                     /* until all of them wait */
        call(SYS_SCHED_YIELD, 0, 0, 0, 0);
    start = now();
    for (word i = 0; i < times; i++)
        wait_for(fork_and(do_nothing, 0));
    cost = now() - start;
    close_file(ends[1]);
    for (word i = 0; i < there; i++)
        wait_for(numbers[i]);
    close_file(ends[0]);
    return cost;
}

static volatile word let_go, awake;
static char stacks[MOST][STACK] __attribute__((aligned(16)));
static char one_stack[PAGE] __attribute__((aligned(16)));

static void sleep_until_let_go(void)
{
    __atomic_add_fetch(&awake, 1, __ATOMIC_SEQ_CST);
    while (!let_go)
        call(SYS_FUTEX, (word)&let_go, FUTEX_WAIT, 0, 0);
    __atomic_sub_fetch(&awake, 1, __ATOMIC_SEQ_CST);
}

static void no_body(void)
{
}

static count threads(word there, word times)
{
    count start, cost;

    let_go = 0;
    for (word i = 0; i < there; i++)
        thread_begin(stacks[i] + STACK, sleep_until_let_go);
    while (awake < there)
        call(SYS_SCHED_YIELD, 0, 0, 0, 0);
    start = now();
    for (word i = 0; i < times; i++) {
        thread_begin(one_stack + PAGE, no_body);
        thread_end_wait();
    }
    cost   = now() - start;
    let_go = 1;
    call(SYS_FUTEX, (word)&let_go, FUTEX_WAKE, MOST, 0);
    while (awake > 0)
        call(SYS_SCHED_YIELD, 0, 0, 0, 0);
    return cost;
}

/* ---- Regions ------------------------------------------------------------------------------- */

static count regions(word there, word times)
{
    char *at = map_private(2 * there + 1);
    count start, cost;

    for (word i = 0; i < there; i++)            /* every second page has other rights */
        good(call(SYS_MPROTECT, (word)at + 2 * i * PAGE, PAGE, PROT_READ, 0), "mprotect");
    start = now();
    for (word i = 0; i < times; i++)
        unmap(map_private(1), 1);
    cost = now() - start;
    unmap(at, 2 * there + 1);
    return cost;
}

/* ---- Descriptors, epoll entries, timers ------------------------------------------------------ */

static void open_many(word there)
{
    raise_limit(RESOURCE_FILES);
    good(call(SYS_PIPE, (word)ends, 0, 0, 0), "pipe");
    for (word i = 0; i < there; i++)
        numbers[i] = good(call(SYS_DUP, (word)ends[0], 0, 0, 0), "dup");
}

static void close_many(word there)
{
    for (word i = 0; i < there; i++)
        close_file(numbers[i]);
    close_file(ends[0]);
    close_file(ends[1]);
}

static count descriptors(word there, word times)
{
    count start, cost;

    open_many(there);
    start = now();
    for (word i = 0; i < times; i++)
        close_file(call(SYS_DUP, (word)ends[0], 0, 0, 0));
    cost = now() - start;
    close_many(there);
    return cost;
}

static count epoll_entries(word there, word times)
{
    struct { word events; unsigned long long data; } __attribute__((packed)) event = { POLL_IN, 0 }, told[4];
    int epoll;
    count start, cost;

    open_many(there);
    epoll = good(call(SYS_EPOLL_CREATE, 0, 0, 0, 0), "epoll_create1");
    for (word i = 0; i < there; i++)
        good(call(SYS_EPOLL_CTL, (word)epoll, CTL_ADD, (word)numbers[i], (word)&event), "epoll_ctl");
    start = now();
    for (word i = 0; i < times; i++)
        call(SYS_EPOLL_WAIT, (word)epoll, (word)told, 4, 0);
    cost = now() - start;
    close_file(epoll);
    close_many(there);
    return cost;
}

static count timers(word there, word times)
{
    word event[16] = { 0, 0, 1 }, far[4] = { 0, 0, 1000, 0 }, never[4] = { 0, 0, 0, 0 };
    count start, cost;

    raise_limit(RESOURCE_PENDING);
    for (word i = 0; i <= there; i++) {
        far[3] = i * 1000;
        good(call(SYS_TIMER_CREATE, CLOCK_MONOTONIC, (word)event, (word)&numbers[i], 0), "timer_create");
        good(call(SYS_TIMER_SETTIME, (word)numbers[i], 0, (word)far, 0), "timer_settime");
    }
    far[3] = there * 500;                       /* among the others */
    start  = now();
    for (word i = 0; i < times; i++) {
        call(SYS_TIMER_SETTIME, (word)numbers[there], 0, (word)far, 0);
        call(SYS_TIMER_SETTIME, (word)numbers[there], 0, (word)never, 0);
    }
    cost = now() - start;
    for (word i = 0; i <= there; i++)
        good(call(SYS_TIMER_DELETE, (word)numbers[i], 0, 0, 0), "timer_delete");
    return cost;
}

/* ---- Files, and components of a path --------------------------------------------------------- */

static char file_name[] = "/growth/f0000";

static void name_file(word number)
{
    for (char *at = file_name + 12; at > file_name + 8; at--, number /= 10)
        *at = (char)('0' + number % 10);
}

static count files(word there, word times)
{
    count start, cost;

    good(call(SYS_MKDIR, (word)"/growth", 0700, 0, 0), "mkdir");
    for (word i = 0; i < there; i++) {
        name_file(i);
        close_file(open_file(file_name, O_RDWR | O_CREAT));
    }
    start = now();
    for (word i = 0; i < times; i++) {
        close_file(open_file("/growth/more", O_RDWR | O_CREAT));
        good(call(SYS_UNLINK, (word)"/growth/more", 0, 0, 0), "unlink");
    }
    cost = now() - start;
    for (word i = 0; i < there; i++) {
        name_file(i);
        good(call(SYS_UNLINK, (word)file_name, 0, 0, 0), "unlink");
    }
    good(call(SYS_RMDIR, (word)"/growth", 0, 0, 0), "rmdir");
    return cost;
}

/* One component of a path of so many. */
static count components(word there, word times)
{
    static char path[2 * DEEPEST + 2], facts[128];
    count start, cost;

    if (there > DEEPEST)
        there = DEEPEST;
    for (word i = 0; i < there; i++) {
        path[2 * i]     = '/';
        path[2 * i + 1] = 'g';
        path[2 * i + 2] = '\0';
        good(call(SYS_MKDIR, (word)path, 0700, 0, 0), "mkdir");
    }
    start = now();
    for (word i = 0; i < times; i++)
        good(call(SYS_STAT, (word)path, (word)facts, 0, 0), "stat");
    cost = (now() - start);
    for (word i = there; i > 0; i--) {
        path[2 * i] = '\0';
        good(call(SYS_RMDIR, (word)path, 0, 0, 0), "rmdir");
    }
    return cost;
}

/* ---- The table --------------------------------------------------------------------------- */

#define AT(of, there) static count of##_##there(word times) { return of(there, times); }
#define SIZES(of) AT(of, 1) AT(of, 10) AT(of, 100) AT(of, 1000) AT(of, 4000)
#define ROW(of, there, times) { #of "-" #there, of##_##there, times }
#define ROWS(of, times) ROW(of, 1, times), ROW(of, 10, times), ROW(of, 100, times), ROW(of, 1000, times), \
                        ROW(of, 4000, times)

SIZES(processes) SIZES(threads) SIZES(regions) SIZES(descriptors) SIZES(epoll_entries) SIZES(timers) SIZES(files)
AT(components, 1) AT(components, 10) AT(components, 100) AT(components, 1000)

const word usual_rounds = 3;

const struct operation operations[] = {
    ROWS(processes, 10), ROWS(threads, 20), ROWS(regions, 50), ROWS(descriptors, 50), ROWS(epoll_entries, 50),
    ROWS(timers, 50), ROWS(files, 20),
    ROW(components, 1, 50), ROW(components, 10, 50), ROW(components, 100, 20), ROW(components, 1000, 10),
    { 0, 0, 0 },
};
