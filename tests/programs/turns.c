/*
 * turns.c - the process that processor time is counted to, and the length of a turn while others wait.
 *
 *     turns [limit]
 *
 * Lines of a name and numbers; tests/system/test_clock.py knows which numbers are right.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND      1000000000ll
#define MILLISECOND 1000000ll

static int64_t clock_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t now(void) { return clock_of(CLOCK_MONOTONIC); }

static void compute(int64_t ns)
{
    int64_t end = now() + ns;

    while (now() < end)
        ;
}

static void rest(int64_t ns)
{
    struct timespec t = { ns / SECOND, ns % SECOND };

    nanosleep(&t, NULL);
}

static int64_t used_by(int who)
{
    struct rusage usage;

    getrusage(who, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

/* Nanoseconds of work and of rest, by three ways of asking. */
static void work_and_rest(void)
{
    int64_t begin = now(), process = clock_of(CLOCK_PROCESS_CPUTIME_ID), thread = clock_of(CLOCK_THREAD_CPUTIME_ID);
    int64_t usage = used_by(RUSAGE_SELF);

    compute(50 * MILLISECOND);
    printf("work %lld: process %lld thread %lld usage %lld\n", (long long)(now() - begin),
           (long long)(clock_of(CLOCK_PROCESS_CPUTIME_ID) - process),
           (long long)(clock_of(CLOCK_THREAD_CPUTIME_ID) - thread), (long long)(used_by(RUSAGE_SELF) - usage));
    begin   = now();
    process = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    rest(SECOND);
    printf("rest %lld: process %lld\n", (long long)(now() - begin),
           (long long)(clock_of(CLOCK_PROCESS_CPUTIME_ID) - process));
}

/* Two processes that compute for 230 ms: the time each had, and how often the other's turn came. */
static void share(void)
{
    struct rusage own;
    int64_t       begin = now(), before = used_by(RUSAGE_SELF);
    long          turns;

    getrusage(RUSAGE_SELF, &own);
    turns = own.ru_nivcsw;
    if (fork() == 0) {
        compute(begin + 230 * MILLISECOND - now());
        _exit(0);
    }
    compute(begin + 230 * MILLISECOND - now());
    getrusage(RUSAGE_SELF, &own);
    turns = own.ru_nivcsw - turns;
    before = used_by(RUSAGE_SELF) - before;
    wait(NULL);
    printf("share %lld: parent %lld child %lld turns %ld\n", (long long)(now() - begin), (long long)before,
           (long long)used_by(RUSAGE_CHILDREN), turns);
}

/* No other process has a turn meanwhile, although one exists that could wake. */
static void work_alone(void)
{
    struct rusage before, after;

    getrusage(RUSAGE_SELF, &before);
    compute(120 * MILLISECOND);
    getrusage(RUSAGE_SELF, &after);
    printf("alone: turns %ld\n", after.ru_nivcsw - before.ru_nivcsw);
}

/* SIGXCPU at a second of processor time, again at two, SIGKILL at three; rest does not count. */
static volatile int64_t warned[2];
static volatile int     warnings;

static void warn(int number)
{
    (void)number;
    if (warnings < 2)
        warned[warnings++] = clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void use_it_up(void)
{
    struct rlimit limit = { 1, 2 };
    int           status;

    if (fork() == 0) {
        signal(SIGXCPU, warn);
        compute(300 * MILLISECOND);             /* time used before the limit was set counts as well */
        rest(500 * MILLISECOND);
        setrlimit(RLIMIT_CPU, &limit);
        while (warnings < 1)
            ;
        printf("limit: warned %lld\n", (long long)warned[0]);
        fflush(stdout);
        for (;;)
            ;
    }
    wait(&status);
    printf("limit: killed %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* Idle time of a machine that has been idle for most of its time: hundredths of seconds. */
static void sum_up(void)
{
    FILE *file = fopen("/proc/stat", "r");
    long  user = 0, idle = 0;

    if (file == NULL || fscanf(file, "cpu %ld 0 0 %ld", &user, &idle) != 2)
        printf("no /proc/stat\n");
    printf("machine: up %lld busy %ld idle %ld\n", (long long)(now() / (10 * MILLISECOND)), user, idle);
}

int main(int count, char **words)
{
    if (count > 1 && strcmp(words[1], "limit") == 0) {
        use_it_up();
        return 0;
    }
    work_and_rest();
    share();
    work_alone();
    sum_up();
    return 0;
}
