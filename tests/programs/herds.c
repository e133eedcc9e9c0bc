/*
 * herds.c - what a program can ask of the kernel with thousands of threads, processes and waiters, and how long each
 * keeps interrupts off.
 *
 *   herds THREADS PROCESSES [NAME...]      all of them, or those named
 *
 * As many threads and processes are started as asked for, or as there may be. A line for each, as stretches.c has
 * them: "NAME TICKS FUNCTION < CALLER < ...", and one with the numbers that were reached.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "herd.h"
#include "stretch.h"

enum { QUEUED = 20000, BUSY_MS = 400 };

static unsigned threads, processes;
static char    *self;

static void end_at_once(void) { syscall(SYS_exit_group, 0); }

/* ---- Threads ---------------------------------------------------------------------------------- */

static void do_exit_group(void)
{
    herd(threads, THREAD, member_pauses);
    settle();
    forget();
    end_at_once();
}

static void do_exec(void)
{
    herd(threads, THREAD, member_pauses);
    settle();
    forget();
    execl(self, self, "1", "1", "nothing", (char *)NULL);
}

static void do_futex(void)
{
    herd(threads, THREAD, member_waits);
    settle();
    forget();
    futex(&word, FUTEX_REQUEUE, 1, 1 << 30, &other_word);
    futex(&other_word, FUTEX_WAKE, 1 << 30, 0, NULL);
    settle();
}

static void do_pipe(void)
{
    pipe(ends);
    herd(threads, THREAD, member_reads);
    settle();
    forget();
    for (int i = 0; i < 3; i++) {
        write(ends[1], "1", 1);
        settle();
    }
    close(ends[1]);
    settle();
}

static void do_poll(void)
{
    char byte;

    pipe(ends);
    herd(threads, THREAD, member_polls);
    settle();
    forget();
    write(ends[1], "1", 1);
    settle();
    read(ends[0], &byte, 1);
}

static void do_epoll(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    unsigned           count = 0;

    pipe(ends);
    while (count < 4096 && (numbers[count] = epoll_create1(0)) >= 0 &&
           epoll_ctl(numbers[count], EPOLL_CTL_ADD, ends[0], &event) == 0)
        count++;
    forget();
    write(ends[1], "1", 1);
    close(ends[1]);
}

static void do_flock(void)
{
    ends[0] = memfd_create("locked", 0);
    flock(ends[0], LOCK_EX);
    herd(threads, THREAD, member_locks);
    settle();
    forget();
    flock(ends[0], LOCK_UN);
    settle();
}

static void nothing(int number) { (void)number; }

/* Only the eldest takes the signal, and it comes last in no list; then a stop, and on. */
static void do_signal(void)
{
    struct sigaction action = { .sa_handler = nothing };

    sigaction(SIGUSR1, &action, NULL);
    herd(threads, THREAD, member_blocks);
    settle();
    forget();
    kill(getpid(), SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGCHLD);
    for (unsigned i = 0; i < 64; i++)
        syscall(SYS_tgkill, getpid(), numbers[i], SIGTSTP);
    kill(getpid(), SIGCONT);
}

static void do_signal_wait(void)
{
    unsigned count = herd(threads, THREAD, member_awaits_signal);
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    settle();
    forget();
    for (unsigned i = 0; i < 8 && i < count; i++)
        kill(getpid(), SIGUSR2);
}

static int member_queues(void *number)
{
    unsigned long all[2] = { ~0ul, ~0ul };
    siginfo_t     info   = { .si_code = SI_QUEUE };

    (void)number;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, NULL, 8);
    add_one(&started);
    for (unsigned i = 0; i < QUEUED; i++)
        syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGRTMIN, &info);
    forget();
    syscall(SYS_exit, 0);
    return 0;
}

/* A thread ends that has very many signals of its own; a process frees it that was on the way back to its program. */
static void do_queued(void)
{
    struct rlimit   many = { QUEUED, QUEUED };
    struct timespec begin, now;
    pid_t           busy = fork();

    if (busy == 0) {
        clock_gettime(CLOCK_MONOTONIC, &begin);
        do
            clock_gettime(CLOCK_MONOTONIC, &now);
        while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < BUSY_MS);
        end_at_once();
    }
    setrlimit(RLIMIT_SIGPENDING, &many);
    herd(1, THREAD, member_queues);
    waitpid(busy, NULL, 0);
}

/* A child has the threads; it is stopped, set going and killed. */
static void do_stop(void)
{
    int status, child = fork();

    if (child == 0) {
        herd(threads, THREAD, member_pauses);
        settle();
        raise(SIGSTOP);
        forget();
        for (;;)
            pause();
    }
    waitpid(child, &status, WUNTRACED);
    forget();
    kill(child, SIGCONT);
    settle();
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
}

static void do_usage(void)
{
    static char    buffer[4096];
    struct rusage  usage;
    struct rlimit  limit = { 1000, 1000 };
    DIR           *folder;

    herd(threads, THREAD, member_pauses);
    settle();
    forget();
    getrusage(RUSAGE_SELF, &usage);
    setpriority(PRIO_PROCESS, 0, 1);
    setpriority(PRIO_PGRP, 0, 1);
    setrlimit(RLIMIT_CPU, &limit);
    getpriority(PRIO_USER, 0);
    clock();
    for (const char *const *name = (const char *const []){ "/proc/self/stat", "/proc/self/status", "/proc/stat",
         "/proc/meminfo", "/proc/loadavg", "/proc/self/io", NULL }; *name != NULL; name++) {
        int file = open(*name, O_RDONLY);

        while (read(file, buffer, sizeof buffer) > 0)
            ;
        close(file);
    }
    folder = opendir("/proc/self/task");
    for (int i = 0; i < 100 && readdir(folder) != NULL; i++)
        ;
    closedir(folder);
}

static void do_sleep(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    go = now.tv_sec + 30;
    herd(threads, THREAD, member_sleeps_till);
    forget();
    clock_gettime(CLOCK_MONOTONIC, &now);
    now.tv_sec = go + 1;
    now.tv_nsec = 0;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL);
}

static void do_map(void)
{
    herd(threads, THREAD, member_maps);
    settle();
    forget();
    go = 1;
    futex(&go, FUTEX_WAKE, 1 << 30, 0, NULL);
    settle();
}

static void do_timers(void)
{
    struct itimerspec when = { { 0, 0 }, { 2, 0 } };
    struct sigevent   event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct timespec   nap = { 3, 0 };
    timer_t           timer;

    signal(SIGUSR1, SIG_IGN);
    forget();
    for (int i = 0; i < 4096 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0; i++)
        timer_settime(timer, 0, &when, NULL);
    nanosleep(&nap, NULL);
}

/* ---- Processes -------------------------------------------------------------------------------- */

static void do_fork(void)
{
    herd(processes, PROCESS, member_pauses);
    settle();
    forget();
    if (fork() == 0)
        _exit(0);
    waitpid(-1, NULL, 0);
    waitpid(-1, NULL, WNOHANG);
    waitpid(-1, NULL, WNOHANG | __WCLONE);
    waitpid(-getpgrp() - 1, NULL, WNOHANG);
    kill_herd(processes);                       /* else the machine goes on for them */
}

static void do_kill_group(void)
{
    setpgid(0, 0);
    signal(SIGUSR1, SIG_IGN);
    herd(processes, PROCESS, member_pauses);
    settle();
    forget();
    kill(0, SIGUSR1);
    kill(-getpgrp(), 0);
    kill(-getpgrp(), SIGKILL);
}

static void do_kill_all(void)
{
    unsigned count;

    signal(SIGTERM, SIG_DFL);                   /* main() ignores it */
    count = herd(processes, PROCESS, member_pauses);
    settle();
    forget();
    kill(-1, 0);
    kill(-1, SIGTERM);
    while (count-- > 0)
        waitpid(-1, NULL, 0);
}

/* The last come first: a place among the changed children is looked for from the end. */
static void do_reap(void)
{
    unsigned count = herd(processes, PROCESS, member_pauses);
    siginfo_t info;

    settle();
    forget();
    for (unsigned i = count; i-- > 0; )
        kill(numbers[i], SIGKILL);
    settle();
    for (unsigned i = count; i-- > count / 2; )
        waitpid(numbers[i], NULL, 0);
    waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

/* Children that are left behind, some of them ended. */
static void do_orphans(void)
{
    int child = fork();

    if (child == 0) {
        unsigned count = herd(processes, PROCESS, member_pauses);

        settle();
        for (unsigned i = 0; i < count; i += 2)
            kill(numbers[i], SIGKILL);
        settle();
        forget();
        _exit(0);
    }
    waitpid(child, NULL, 0);
    kill_herd(processes);
    settle();
}

/* A group whose members all have their parent in it, with and without a link to the session. */
static void do_groups(void)
{
    int child = fork();

    if (child == 0) {
        setpgid(0, 0);
        herd(processes, PROCESS, member_pauses);
        settle();
        forget();
        signal(SIGTTOU, SIG_DFL);
        raise(SIGTSTP);
        _exit(0);
    }
    waitpid(child, NULL, WUNTRACED);
    kill(child, SIGCONT);
    waitpid(child, NULL, 0);
    kill(-child, SIGKILL);
    settle();
}

static void do_list(void)
{
    DIR     *folder;
    unsigned count = herd(processes, PROCESS, member_pauses);

    settle();
    forget();
    folder = opendir("/proc");
    while (readdir(folder) != NULL)
        ;
    closedir(folder);
    getpriority(PRIO_USER, 0);
    kill_herd(count);
}

/* A chain of processes, each the child of the last, under a subreaper. */
static volatile int chain_left;

static int member_of_chain(void *number)
{
    long level = (long)number;
    int  child = --chain_left > 0 ?
                 clone(member_of_chain, stacks + (level + 2) * STACK, PROCESS, (void *)(level + 1)) : -1;

    if (child < 0)
        chain_left = 0;
    numbers[level + 1] = child;
    add_one(&started);
    for (;;)
        syscall(SYS_pause);
}

static void do_chain(void)
{
    unsigned last;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    chain_left = (int)processes;
    herd(1, PROCESS, member_of_chain);
    while (chain_left > 0)
        sched_yield();
    settle();
    last = started - 1;
    forget();
    while (last > 1)                            /* each has a child that is left behind, the subreaper far above */
        kill(numbers[--last], SIGKILL);
    settle();
    kill(numbers[0], SIGKILL);
    kill(numbers[started - 1], SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

/* ------------------------------------------------------------------------------------------------ */

static const struct operation acts[] = {
    { "exit-group", do_exit_group }, { "exec", do_exec }, { "futex", do_futex }, { "pipe", do_pipe },
    { "poll", do_poll }, { "epoll", do_epoll }, { "flock", do_flock }, { "signal", do_signal },
    { "signal-wait", do_signal_wait }, { "stop", do_stop }, { "usage", do_usage }, { "sleep", do_sleep },
    { "map", do_map }, { "timers", do_timers }, { "fork", do_fork }, { "kill-group", do_kill_group },
    { "kill-all", do_kill_all }, { "reap", do_reap }, { "orphans", do_orphans }, { "groups", do_groups },
    { "list", do_list }, { "chain", do_chain }, { "queued", do_queued },
};

/* Run an operation in a process of its own, whose end counts as well. */
static void act(unsigned i)
{
    int child;

    forget();
    child = fork();
    if (child == 0) {
        acts[i].act();
        end_at_once();
    }
    waitpid(child, NULL, 0);
    settle();
    tell(acts[i].name);
}

int main(int count, char **words)
{
    struct rlimit files = { 8192, 8192 };

    if (count < 3)
        return 2;
    self      = words[0];
    threads   = (unsigned)atoi(words[1]);
    processes = (unsigned)atoi(words[2]);
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGTERM, SIG_IGN);
    if (threads > MOST || processes > MOST)
        return 2;
    stacks = mmap(NULL, (size_t)MOST * STACK + sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    shared = (void *)(stacks + (size_t)MOST * STACK);
    for (unsigned i = 0; i < sizeof acts / sizeof *acts; i++)
        if (count == 3 || is_named(acts[i].name, words + 3))
            act(i);
    if (shared->reached[0] + shared->reached[1] > 0)
        printf("at the most %u threads, %u processes\n", shared->reached[0], shared->reached[1]);
    return 0;
}
