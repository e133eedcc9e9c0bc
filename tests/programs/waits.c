/*
 * waits.c - how late each call that waits until a time returns, by the clock that it waits by.
 *
 *     waits TIMES [NANOSECONDS]
 *
 * For each call and each of some lengths a line: the call, the nanoseconds asked for, and the least and the most of
 * nanoseconds beyond them in so many waits. Below 0 is too early. Then how many seconds three hundred sleeps of a
 * millisecond take, and how many interrupts a sleep of 100 s, or as long as is said.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND      1000000000ll
#define MILLISECOND 1000000ll
#define MICROSECOND 1000ll

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static struct timespec timespec_of(int64_t ns) { return (struct timespec){ ns / SECOND, ns % SECOND }; }

static void by_nanosleep(int64_t ns)
{
    struct timespec t = timespec_of(ns);

    nanosleep(&t, NULL);
}

static void by_clock_nanosleep(int64_t ns)
{
    struct timespec t = timespec_of(now() + ns);

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void by_select(int64_t ns)
{
    struct timeval t = { ns / SECOND, ns % SECOND / MICROSECOND };

    select(0, NULL, NULL, NULL, &t);
}

static void by_ppoll(int64_t ns)
{
    struct timespec t = timespec_of(ns);

    ppoll(NULL, 0, &t, NULL);
}

static void by_poll(int64_t ns) { poll(NULL, 0, (int)(ns / MILLISECOND)); }

static void by_epoll(int64_t ns)
{
    static int         epoll = -1;
    struct epoll_event event;

    if (epoll < 0)
        epoll = epoll_create1(0);
    epoll_wait(epoll, &event, 1, (int)(ns / MILLISECOND));
}

static void by_futex(int64_t ns)
{
    static int      word;
    struct timespec t = timespec_of(ns);

    syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t, NULL, 0);
}

static void by_sigtimedwait(int64_t ns)
{
    struct timespec t = timespec_of(ns);
    sigset_t        none;

    sigemptyset(&none);
    sigtimedwait(&none, NULL, &t);
}

static void hear(int number) { (void)number; }

/* The mask keeps a signal that comes at once for sigsuspend(). */
static void await_alarm(void)
{
    sigset_t all_but;

    sigfillset(&all_but);
    sigdelset(&all_but, SIGALRM);
    sigsuspend(&all_but);
}

static void by_setitimer(int64_t ns)
{
    struct itimerval t = { { 0, 0 }, { ns / SECOND, ns % SECOND / MICROSECOND } };

    setitimer(ITIMER_REAL, &t, NULL);
    await_alarm();
}

static void by_timer(int64_t ns)
{
    static timer_t    timer;
    static int        made;
    struct itimerspec t = { { 0, 0 }, timespec_of(ns) };

    if (!made)
        made = timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0;
    timer_settime(timer, 0, &t, NULL);
    await_alarm();
}

static void by_timerfd(int64_t ns)
{
    static int        file = -1;
    struct itimerspec t = { { 0, 0 }, timespec_of(ns) };
    uint64_t          expiries;

    if (file < 0)
        file = timerfd_create(CLOCK_MONOTONIC, 0);
    timerfd_settime(file, 0, &t, NULL);
    read(file, &expiries, sizeof expiries);
}

static const struct { const char *name; void (*wait)(int64_t ns); int64_t least; } calls[] = {
    { "nanosleep", by_nanosleep, 1 }, { "clock_nanosleep", by_clock_nanosleep, 1 },
    { "select", by_select, MICROSECOND }, { "ppoll", by_ppoll, 1 }, { "poll", by_poll, MILLISECOND },
    { "epoll_wait", by_epoll, MILLISECOND }, { "futex", by_futex, 1 }, { "sigtimedwait", by_sigtimedwait, 1 },
    { "setitimer", by_setitimer, MICROSECOND }, { "timer_settime", by_timer, 1 }, { "timerfd", by_timerfd, 1 },
};

static const int64_t lengths[] = { 1, MICROSECOND, 60 * MICROSECOND, MILLISECOND, 3 * MILLISECOND, 70 * MILLISECOND };

static void measure(unsigned call, int64_t length, int times)
{
    int64_t least = INT64_MAX, most = INT64_MIN;

    for (int i = 0; i < times; i++) {
        int64_t begin = now(), late;

        calls[call].wait(length);
        late  = now() - begin - length;
        least = late < least ? late : least;
        most  = late > most ? late : most;
    }
    printf("%s %lld %lld %lld\n", calls[call].name, (long long)length, (long long)least, (long long)most);
    fflush(stdout);
}

static long interrupts(void)
{
    FILE *file = fopen("/proc/stat", "r");
    char  line[256];
    long  count = -1;

    while (file != NULL && count < 0 && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "intr %ld", &count);
    if (file != NULL)
        fclose(file);
    return count;
}

int main(int count, char **words)
{
    int      times = count > 1 ? atoi(words[1]) : 10;
    long     before;
    int64_t  begin;
    sigset_t alarm;

    signal(SIGALRM, hear);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm, NULL);
    for (unsigned call = 0; call < sizeof calls / sizeof *calls; call++)
        for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++)
            if (lengths[i] >= calls[call].least)
                measure(call, lengths[i], times);
    begin = now();
    for (int i = 0; i < 300; i++)
        by_nanosleep(MILLISECOND);
    printf("300 sleeps %.2f\n", (double)(now() - begin) / SECOND);
    before = interrupts();
    by_nanosleep(count > 2 ? atoll(words[2]) : 100 * SECOND);
    printf("interrupts %ld\n", interrupts() - before);
    return 0;
}
