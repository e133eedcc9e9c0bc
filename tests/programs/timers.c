/*
 * timers.c - timers with intervals of a nanosecond, thousands of timers, and the counts of expiries without a
 * reader.
 *
 * The output does not depend on how fast the machine is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MILLISECOND = 1000000, MANY = 2000 };

/* The kernel's own timers: the C library's numbers are pointers. */
struct event { uint32_t value; int32_t signal, notify, thread; uint32_t pad[12]; };
struct times { int32_t interval, interval_ns, value, value_ns; };

static int create(int clock, const struct event *event, int *id)
{
    return syscall(SYS_timer_create, clock, event, id) == 0 ? 0 : errno;
}

static int set(int id, int flags, int64_t value, int64_t interval)
{
    struct times t = { interval / 1000000000, interval % 1000000000, value / 1000000000, value % 1000000000 };

    return syscall(SYS_timer_settime, id, flags, &t, NULL) == 0 ? 0 : errno;
}

static int overrun(int id) { return (int)syscall(SYS_timer_getoverrun, id); }

static void pause_for(long milliseconds)
{
    struct timespec t = { milliseconds / 1000, milliseconds % 1000 * MILLISECOND };

    while (nanosleep(&t, &t) != 0)
        ;
}

static volatile int heard, told_overrun, told_id, told_value, asked_overrun;

static void hear(int number, siginfo_t *info, void *context)
{
    if (heard++ > 0)                            /* the first is the one that waited */
        return;
    told_overrun  = info->si_overrun;
    told_id       = info->si_timerid;
    told_value    = info->si_value.sival_int;
    asked_overrun = overrun(info->si_timerid);
}

static void hear_with(int number)
{
    struct sigaction action = { .sa_sigaction = hear, .sa_flags = SA_SIGINFO };

    sigaction(number, &action, NULL);
    heard = 0;
}

static void block(int how, int number)
{
    sigset_t one;

    sigemptyset(&one);
    sigaddset(&one, number);
    sigprocmask(how, &one, NULL);
}

/* A timer without a signal: no effect, however short the interval. */
static void a_nanosecond_for_nobody(void)
{
    struct event event = { .notify = SIGEV_NONE };
    struct times left;
    int          id;

    create(CLOCK_MONOTONIC, &event, &id);
    set(id, 0, 1, 1);
    pause_for(60);
    syscall(SYS_timer_gettime, id, &left);
    printf("for nobody: left %d.%09d, interval %d, overrun %d\n", left.value, left.value_ns, left.interval_ns,
           overrun(id));
    set(id, 0, MILLISECOND, 0);
    pause_for(20);
    syscall(SYS_timer_gettime, id, &left);
    printf("once, for nobody: left %d.%09d\n", left.value, left.value_ns);
    syscall(SYS_timer_delete, id);
}

/* The signal waits, and so does the timer; missed expiries are counted when the signal is taken. */
static void missed_while_blocked(int number)
{
    struct event event = { .value = 4711, .signal = number };
    int          id;

    hear_with(number);
    block(SIG_BLOCK, number);
    create(CLOCK_MONOTONIC, &event, &id);
    set(id, 0, 10 * MILLISECOND, 10 * MILLISECOND);
    pause_for(205);
    printf("signal %d: before it is taken overrun %d\n", number, overrun(id));
    block(SIG_UNBLOCK, number);
    set(id, 0, 0, 0);
    printf("then heard %s, value %d, its timer %d, overrun in the signal %s, the same by the call %d\n",
           heard > 0 ? "yes" : "no", told_value, told_id == id, told_overrun >= 15 && told_overrun <= 80 ? "about 19"
           : "wrong", asked_overrun == told_overrun);
    printf("after it is set anew: %d\n", overrun(id));
    syscall(SYS_timer_delete, id);
}

static void a_nanosecond(int number)
{
    struct event event = { .signal = number };
    int          id;

    hear_with(number);
    block(SIG_BLOCK, number);
    create(CLOCK_MONOTONIC, &event, &id);
    set(id, 0, 1, 1);
    pause_for(100);
    block(SIG_UNBLOCK, number);
    block(SIG_BLOCK, number);
    printf("a nanosecond: overrun %s\n", told_overrun > 50 * MILLISECOND ? "many millions" : "wrong");
    set(id, 0, 0, 0);
    block(SIG_UNBLOCK, number);
    signal(number, SIG_IGN);
    set(id, 0, 1, 1);
    pause_for(50);
    printf("a nanosecond, ignored: still here\n");
    syscall(SYS_timer_delete, id);
    signal(number, SIG_DFL);
}

/* The signal that waited is dropped, and the timer goes on: it is heard once the signal is wanted again. */
static void ignored_for_a_while(void)
{
    struct event event = { .signal = SIGUSR1 };
    int          id;

    hear_with(SIGUSR1);
    block(SIG_BLOCK, SIGUSR1);
    create(CLOCK_MONOTONIC, &event, &id);
    set(id, 0, MILLISECOND, MILLISECOND);
    pause_for(20);
    signal(SIGUSR1, SIG_IGN);
    hear_with(SIGUSR1);
    block(SIG_UNBLOCK, SIGUSR1);
    for (int i = 0; i < 100 && heard == 0; i++)
        pause_for(20);
    printf("ignored for a while: %s\n", heard > 0 ? "heard again" : "heard no more");
    syscall(SYS_timer_delete, id);
}

/* Two timers of one ordinary signal: both are reported. */
static void two_of_one_signal(void)
{
    struct event event = { .value = 1, .signal = SIGUSR1 };
    int          one, two;

    hear_with(SIGUSR1);
    block(SIG_BLOCK, SIGUSR1);
    create(CLOCK_MONOTONIC, &event, &one);
    create(CLOCK_MONOTONIC, &event, &two);
    set(one, 0, MILLISECOND, 0);
    set(two, 0, MILLISECOND, 0);
    pause_for(40);
    block(SIG_UNBLOCK, SIGUSR1);
    printf("two timers, one signal: heard %d times\n", heard);
    syscall(SYS_timer_delete, one);
    syscall(SYS_timer_delete, two);
}

static void thousands(void)
{
    static int   ids[MANY];
    struct event event = { .signal = SIGRTMIN + 1 };
    int          made, fired;

    hear_with(SIGRTMIN + 1);
    for (made = 0; made < MANY && create(CLOCK_MONOTONIC, &event, &ids[made]) == 0; made++)
        ;
    for (int i = 0; i < made; i++)
        set(ids[i], 0, (i % 40 + 1) * MILLISECOND, 0);
    for (int i = 0; i < 100 && heard < made; i++)
        pause_for(20);
    printf("%d timers made, all heard %d\n", made, heard == made);
    for (int i = 0; i < made; i++)
        syscall(SYS_timer_delete, ids[i]);
}

/* All timers are due in the same moment, more than an interrupt fires. */
static void at_once(void)
{
    static int      ids[MANY];
    struct event    event = { .signal = SIGRTMIN + 2 };
    struct timespec now;
    int             made;

    hear_with(SIGRTMIN + 2);
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (made = 0; made < 900; made++)
        create(CLOCK_MONOTONIC, &event, &ids[made]);
    for (int i = 0; i < made; i++)
        set(ids[i], TIMER_ABSTIME, (now.tv_sec + 1) * 1000000000ll, 0);
    for (int i = 0; i < 100 && heard < made; i++)
        pause_for(20);
    printf("%d at once, all heard %d\n", made, heard == made);
    for (int i = 0; i < made; i++)
        syscall(SYS_timer_delete, ids[i]);
}

static void ends_of_time(void)
{
    struct event event = { .signal = SIGUSR2 };
    struct times t = { 0x7FFFFFFF, 999999999, 0x7FFFFFFF, 999999999 }, left;
    int64_t      wide[4] = { 0x7FFFFFFFFFFFFFFF, 999999999, 0x7FFFFFFFFFFFFFFF, 999999999 };
    int          id;

    hear_with(SIGUSR2);
    create(CLOCK_MONOTONIC, &event, &id);
    printf("far away: %d", syscall(SYS_timer_settime, id, 0, &t, NULL));
    syscall(SYS_timer_gettime, id, &left);
    printf(", seconds left %d\n", left.value > 0x7FFFFF00);
    printf("further: %d\n", syscall(409, id, 0, wide, NULL));          /* timer_settime64 */
    printf("the same moment long ago, for ever: %d\n", set(id, TIMER_ABSTIME, 1, 0x7FFFFFFFll * 1000000000));
    pause_for(20);
    printf("heard %d\n", heard);
    syscall(SYS_timer_delete, id);
}

static void an_alarm_each_microsecond(void)
{
    struct itimerval fast = { { 0, 1 }, { 0, 1 } }, off = { { 0, 0 }, { 0, 0 } }, was;
    struct timespec  before, after;

    hear_with(SIGALRM);
    clock_gettime(CLOCK_MONOTONIC, &before);
    setitimer(ITIMER_REAL, &fast, NULL);
    for (volatile int i = 0; heard < 5; i++)
        ;
    setitimer(ITIMER_REAL, &off, &was);
    printf("an alarm each microsecond: heard, interval %d\n", (int)was.it_interval.tv_usec);
    signal(SIGALRM, SIG_IGN);
    setitimer(ITIMER_REAL, &fast, NULL);
    pause_for(50);
    setitimer(ITIMER_REAL, &off, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    printf("time goes on: %d\n", after.tv_sec - before.tv_sec < 60);
}

static void refusals(void)
{
    static const struct event bad[] = {
        { 0, 0, SIGEV_SIGNAL, 0 }, { 0, 65, SIGEV_SIGNAL, 0 }, { 0, 10, 3, 0 }, { 0, 10, 5, 0 }, { 0, 10, 6, 0 },
        { 0, 10, 4, 0 }, { 0, 10, 4, 99999 }, { 0, 10, 4, -1 }, { 0, -1, SIGEV_SIGNAL, 0 },
    };
    int id;

    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        printf("event %u: %d\n", i, create(CLOCK_MONOTONIC, &bad[i], &id));
    printf("bad place: %d\n", create(CLOCK_MONOTONIC, NULL, (int *)4));
    printf("no such timer: %d %d %d\n", set(12345, 0, 1, 1), overrun(-1) == -1 ? errno : 0,
           syscall(SYS_timer_delete, 0x7FFFFFFF) == -1 ? errno : 0);
}

int main(void)
{
    struct rlimit many = { 10000, 10000 };

    setrlimit(RLIMIT_SIGPENDING, &many);
    refusals();
    a_nanosecond_for_nobody();
    missed_while_blocked(SIGUSR1);
    missed_while_blocked(SIGRTMIN);
    a_nanosecond(SIGUSR2);
    ignored_for_a_while();
    two_of_one_signal();
    ends_of_time();
    an_alarm_each_microsecond();
    at_once();
    thousands();
    printf("end\n");
    return 0;
}
