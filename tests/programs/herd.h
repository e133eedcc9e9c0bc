/*
 * herd.h - thousands of threads, or processes: how they are started, and what each does until it is killed.
 *
 * Threads and processes alike share the memory, and have a stack of a page each: clone() without a C library behind it.
 * Included once, by a program that measures.
 */
#ifndef HERD_H
#define HERD_H

#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { STACK = 4096, MOST = 16384 };
enum { THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM };
enum { PROCESS = CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD };

static char              *stacks;                   /* and *shared behind them: the program maps both */
static volatile int       word, other_word;          /* futexes */
static volatile unsigned  started;
static int                ends[2];                   /* of a pipe */
static struct {
    unsigned reached[2];                        /* threads, processes: the most there have been */
    int      numbers[MOST + 1];                 /* of the members, as they come */
} *shared;                                      /* by all processes */
#define numbers shared->numbers

/* ---- Herds ------------------------------------------------------------------------------------ */

static long futex(volatile int *at, int what, int value, long more, volatile int *to)
{
    return syscall(SYS_futex, at, what, value, more, to, 0);
}

static void add_one(volatile unsigned *to) { __atomic_add_fetch(to, 1, __ATOMIC_SEQ_CST); }

/* Start up to `wanted`, each of which says that it is there; return when all have. */
static unsigned herd(unsigned wanted, int flags, int (*member)(void *))
{
    unsigned count;

    started = 0;
    for (count = 0; count < wanted; count++) {
        int id = clone(member, stacks + (count + 1) * STACK, flags, (void *)(long)count);

        if (id < 0)
            break;
        numbers[count] = id;
    }
    while (started < count)
        sched_yield();
    if (shared->reached[flags == PROCESS] < count)
        shared->reached[flags == PROCESS] = count;
    return count;
}

/* All that are there have gone to sleep: each has run since, as they take turns. */
static void settle(void)
{
    for (int i = 0; i < 20; i++)
        sched_yield();
}

static void kill_herd(unsigned count)
{
    while (count-- > 0)
        kill(numbers[count], SIGKILL);
}

/* ---- Members ---------------------------------------------------------------------------------- */

static int member_pauses(void *number)
{
    (void)number;
    add_one(&started);
    for (;;)
        syscall(SYS_pause);
}

static int member_waits(void *number)
{
    (void)number;
    add_one(&started);
    for (;;)
        futex(&word, FUTEX_WAIT, 0, 0, NULL);
}

static int member_reads(void *number)
{
    char byte;

    (void)number;
    add_one(&started);
    for (;;)
        if (syscall(SYS_read, ends[0], &byte, 1) == 0)
            syscall(SYS_pause);
}

static int member_polls(void *number)
{
    struct pollfd file = { ends[0], POLLIN, 0 };

    (void)number;
    add_one(&started);
    for (;;) {
        syscall(SYS_poll, &file, 1, -1);
        syscall(SYS_pause);
    }
}

static int member_locks(void *number)
{
    (void)number;
    add_one(&started);
    syscall(SYS_flock, ends[0], LOCK_EX);
    for (;;)
        syscall(SYS_pause);
}

static int member_awaits_signal(void *number)
{
    unsigned long none[2] = { 1ul << (SIGUSR2 - 1), 0 };

    (void)number;
    add_one(&started);
    for (;;)
        syscall(SYS_rt_sigtimedwait, none, NULL, NULL, 8);
}

static int member_blocks(void *number)
{
    unsigned long all[2] = { ~0ul, ~0ul };

    (void)number;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, NULL, 8);
    add_one(&started);
    for (;;)
        syscall(SYS_pause);
}

static volatile int go;

static int member_sleeps_till(void *number)
{
    struct timespec until = { go, 0 };

    (void)number;
    add_one(&started);
    syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    for (;;)
        syscall(SYS_pause);
}

static int member_maps(void *number)
{
    (void)number;
    add_one(&started);
    while (!go)
        futex(&go, FUTEX_WAIT, 0, 0, NULL);
    syscall(SYS_munmap, syscall(SYS_mmap2, 0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
    for (;;)
        syscall(SYS_pause);
}

#endif
