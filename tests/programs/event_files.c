/*
 * event_files.c - answers of Linux about clone3, timerfd and signalfd, and about arguments of theirs that are wrong.
 *
 * Each line is a question and its answer, a result and an errno. Nothing depends on the machine or on the time, but
 * that sleeps are as long as they have to be.
 */
#include "answers.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

static void *unmapped(void)
{
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    munmap(page, 4096);
    return page;
}

/* ---- clone3 ------------------------------------------------------------------------------------- */

struct arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup,
        later[2];
};
enum { CLONE_3 = 435, SIZE = 88 };
#define CLEAR_HANDLERS 0x100000000ull

static long clone_with(struct arguments a, unsigned long size)
{
    long child = syscall(CLONE_3, &a, size);

    if (child == 0)
        _exit(7);
    return child;
}

static int status_of(long child)
{
    int status = -1;

    return child > 0 && waitpid(child, &status, __WALL) == child ? status : -1;
}

#define TRY(...) SAY(status_of(clone_with((struct arguments){ __VA_ARGS__ }, SIZE)))

static void clones(void)
{
    char             *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct arguments *edge  = (struct arguments *)(pages + 4096 - SIZE);
    static int        number, same;
    long              child;

    munmap(pages + 4096, 4096);
    signal(64, SIG_IGN);
    TRY(.exit_signal = SIGCHLD);
    TRY(.exit_signal = 0);
    TRY(.exit_signal = 65);
    TRY(.exit_signal = 64);
    TRY(.exit_signal = 1ull << 32);
    TRY(.flags = 1);
    TRY(.flags = SIGCHLD);
    TRY(.flags = 0x400000);
    TRY(.flags = 1ull << 63);
    TRY(.flags = 1ull << 34);
    TRY(.flags = CLONE_PARENT, .exit_signal = SIGCHLD);
    TRY(.flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, .exit_signal = SIGCHLD);
    TRY(.flags = CLONE_SIGHAND);
    TRY(.flags = CLONE_VM | CLONE_SIGHAND | CLEAR_HANDLERS);
    TRY(.stack = (uintptr_t)pages);
    TRY(.stack_size = 4096);
    TRY(.stack = 0xFFFFF000, .stack_size = 8192);
    TRY(.stack = 1ull << 32, .stack_size = 4096);
    TRY(.stack = 4096, .stack_size = 1ull << 32);
    TRY(.set_tid_size = 33);
    TRY(.set_tid = (uintptr_t)pages);
    SAY(clone_with((struct arguments){ .exit_signal = SIGCHLD }, 0));
    SAY(clone_with((struct arguments){ .exit_signal = SIGCHLD }, 63));
    SAY(clone_with((struct arguments){ .exit_signal = SIGCHLD }, 4097));
    SAY(status_of(clone_with((struct arguments){ .exit_signal = SIGCHLD }, 64)));
    SAY(status_of(clone_with((struct arguments){ .exit_signal = SIGCHLD }, 80)));
    SAY(status_of(clone_with((struct arguments){ .exit_signal = SIGCHLD }, 96)));
    SAY(clone_with((struct arguments){ .exit_signal = SIGCHLD, .later = { 1 } }, 96));
    memset(edge, 0, SIZE);
    edge->exit_signal = SIGCHLD;
    SAY(syscall(CLONE_3, edge, SIZE + 8));
    SAY(syscall(CLONE_3, NULL, SIZE));
    SAY(syscall(CLONE_3, (void *)-8, SIZE));
    SAY(status_of(clone_with((struct arguments){ .flags = CLONE_PARENT_SETTID | CLONE_VFORK, .exit_signal = SIGCHLD,
                                                 .parent_tid = (uintptr_t)&number }, SIZE)));
    SAY(number > 0);
    memset(edge, 0, SIZE);
    edge->flags     = CLONE_CHILD_SETTID;
    edge->child_tid = (uintptr_t)&same;
    child = syscall(CLONE_3, edge, SIZE);
    if (child == 0)
        _exit(same == getpid());
    SAY(status_of(child));
}

/* Threads of the C library are made by clone3 where it is there; here one on a stack that the call names. */
static volatile int told;

static void thread_of_clone3(void)
{
    char            *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct arguments a = { .flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
                           .stack = (uintptr_t)stack, .stack_size = 65536 };
    long             id;

    __asm__ volatile("int $0x80\n test %%eax, %%eax\n jnz 1f\n mov %%esp, %[told]\n mov $1, %%eax\n int $0x80\n 1:"
                     : "=a"(id), [told] "=m"(told) : "0"(CLONE_3), "b"(&a), "c"(SIZE) : "memory");
    SAY(id > 0);
    while (told == 0)
        sched_yield();
    SAY(told - (int)(uintptr_t)stack);
}

static void on_usr1(int number) { (void)number; _exit(3); }

static void clear_handlers(void)
{
    struct arguments a = { .flags = CLEAR_HANDLERS, .exit_signal = SIGCHLD };
    struct sigaction now;
    long             child;

    signal(SIGUSR1, on_usr1);
    signal(SIGUSR2, SIG_IGN);
    child = syscall(CLONE_3, &a, sizeof a);
    if (child == 0) {
        sigaction(SIGUSR1, NULL, &now);
        SAY(now.sa_handler == SIG_DFL);
        sigaction(SIGUSR2, NULL, &now);
        SAY(now.sa_handler == SIG_IGN);
        raise(SIGUSR1);
        _exit(0);
    }
    SAY(status_of(child));
    sigaction(SIGUSR1, NULL, &now);
    SAY(now.sa_handler == on_usr1);
}

/* ---- timerfd -------------------------------------------------------------------------------------- */

enum { CREATE = 322, SET = 325, GET = 326, GET_64 = 410, SET_64 = 411 };
struct time32 { int32_t seconds, ns; };
struct setting32 { struct time32 interval, value; };
struct setting64 { int64_t words[4]; };

static const struct setting32 off, soon = { { 0, 0 }, { 0, 1 } }, often = { { 0, 1000000 }, { 0, 1 } },
                              late = { { 5, 6 }, { 1000, 0 } };

static void show_facts(int descriptor, const char *wanted)
{
    char  path[64], line[128];
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", descriptor);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file))
        if (strncmp(line, wanted, strlen(wanted)) == 0)
            printf("%s", line);
    if (file != NULL)
        fclose(file);
}

static long ready(int descriptor, int milliseconds)
{
    struct pollfd p = { descriptor, POLLIN | POLLOUT, 0 };

    return poll(&p, 1, milliseconds) > 0 ? p.revents : 0;
}

static void move_clock(int seconds)
{
    struct timeval now;
    int32_t        words[2];

    gettimeofday(&now, NULL);
    words[0] = (int32_t)now.tv_sec + seconds;
    words[1] = (int32_t)now.tv_usec;
    SAY(syscall(SYS_settimeofday, words, NULL));
}

/* A time from now on is as long as it was said to be, also by the clock that is moved. */
static void a_clock_that_is_moved(void)
{
    struct setting32 in_a_while = { { 0, 0 }, { 0, 200000000 } };
    int              timer = syscall(CREATE, CLOCK_REALTIME, 0);
    uint64_t         count = 0;

    SAY(syscall(SET, timer, 0, &in_a_while, NULL));
    move_clock(1000);
    SAY(ready(timer, 0));
    SAY(ready(timer, 2000));
    SAY(read(timer, &count, 8));
    SAY((long)count);
    SAY(syscall(SET, timer, 0, &in_a_while, NULL));
    move_clock(-1000);
    SAY(ready(timer, 0));
    SAY(ready(timer, 2000));
    alarm(2);
    SAY(read(timer, &count, 8));
}

static void timers_refused(void)
{
    struct setting32 bad = { { 0, 0 }, { 0, 1000000000 } }, negative = { { 0, -1 }, { 1, 0 } };
    struct setting64 wide = { { 0, 0, 1, 0 } };
    int              timer = syscall(CREATE, CLOCK_MONOTONIC, 0), file = open("/tmp", O_RDONLY), path;
    char             bytes[16];

    SAY(syscall(CREATE, 2, 0));
    SAY(syscall(CREATE, -1, 0));
    SAY(syscall(CREATE, CLOCK_MONOTONIC, 1));
    SAY(syscall(SET, timer, 0, NULL, NULL));
    SAY(syscall(SET, timer, 0, &bad, NULL));
    SAY(syscall(SET, timer, 0, &negative, NULL));
    SAY(syscall(SET, timer, 4, &soon, NULL));
    SAY(syscall(SET, -1, 0, &soon, NULL));
    SAY(syscall(SET, -1, 4, &soon, NULL));
    SAY(syscall(SET, file, 0, &soon, NULL));
    path = open("/tmp", O_PATH);
    SAY(syscall(SET, path, 0, &soon, NULL));
    SAY(syscall(SET, timer, 0, &soon, (void *)16));
    SAY(syscall(SET_64, timer, 0, (void *)-16, NULL));
    SAY(syscall(SET_64, timer, 0, &wide, NULL));
    SAY(syscall(GET, file, bytes));
    SAY(syscall(GET, -1, bytes));
    SAY(syscall(GET, timer, NULL));
    SAY(syscall(GET_64, timer, (void *)-16));
    SAY(write(timer, bytes, 8));
    SAY(pread(timer, bytes, 8, 0));
    SAY(lseek(timer, 0, SEEK_SET));
    SAY(read(timer, bytes, 7));
    SAY(mmap(NULL, 4096, PROT_READ, MAP_SHARED, timer, 0) == MAP_FAILED);
    SAY(ftruncate(timer, 0));
}

static void timers(void)
{
    int                timer = syscall(CREATE, CLOCK_MONOTONIC, O_NONBLOCK), wall = syscall(CREATE, CLOCK_REALTIME, 0);
    struct setting32   now;
    struct setting64   wide;
    struct timespec    clock;
    struct epoll_event event = { EPOLLIN, { .u32 = 9 } };
    int                epoll = epoll_create1(0);
    uint64_t           count = 0;
    char               name[64] = { 0 };

    SAY(fcntl(timer, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    snprintf(name + 32, 32, "/proc/self/fd/%d", timer);
    SAY(readlink(name + 32, name, 31) > 0);
    printf("%s\n", name);
    SAY(read(timer, &count, 8));
    SAY(ready(timer, 0));
    SAY(syscall(GET, timer, &now));
    printf("%d %d %d %d\n", now.interval.seconds, now.interval.ns, now.value.seconds, now.value.ns);
    SAY(syscall(SET, timer, 0, &soon, &now));
    SAY(ready(timer, 1000));
    SAY(read(timer, unmapped(), 8));
    SAY(read(timer, &count, 8));
    SAY(syscall(SET, timer, 0, &soon, &now));
    SAY(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event));
    SAY(epoll_wait(epoll, &event, 1, 1000));
    SAY(read(timer, &count, 16));
    SAY((long)count);
    SAY(epoll_wait(epoll, &event, 1, 0));
    SAY(read(timer, &count, 8));
    SAY(syscall(GET, timer, &now));
    printf("%d %d %d %d\n", now.interval.seconds, now.interval.ns, now.value.seconds, now.value.ns);
    SAY(syscall(SET, timer, 0, &often, NULL));
    usleep(100000);
    SAY(syscall(GET, timer, &now));
    SAY(now.interval.ns);
    SAY(now.value.ns > 0 && now.value.ns <= 1000000);
    SAY(ready(timer, 0));
    SAY(read(timer, &count, 8));
    SAY(count >= 90);
    SAY(ready(timer, 1000));
    SAY(syscall(SET, timer, 0, &late, NULL));
    SAY(ready(timer, 0));
    SAY(syscall(GET_64, timer, &wide));
    printf("%d %d %d\n", (int)wide.words[0], (int)wide.words[1], wide.words[2] == 999 || wide.words[2] == 1000);
    show_facts(timer, "clockid");
    show_facts(timer, "ticks");
    show_facts(timer, "settime");
    show_facts(timer, "it_interval");
    SAY(syscall(SET, timer, 0, &off, &now));
    SAY(now.value.seconds >= 999);
    SAY(ready(timer, 0));
    clock_gettime(CLOCK_REALTIME, &clock);
    now = (struct setting32){ { 0, 0 }, { clock.tv_sec - 5, 0 } };
    SAY(syscall(SET, wall, 1, &now, NULL));
    SAY(read(wall, &count, 8));
    SAY((long)count);
    now = (struct setting32){ { 1, 0 }, { clock.tv_sec - 5, clock.tv_nsec } };
    SAY(syscall(SET, wall, 3, &now, NULL));
    SAY(read(wall, &count, 8));
    SAY(count == 6 || count == 7);
    show_facts(wall, "settime");
    wide = (struct setting64){ { 0, 0, 0x7FFFFFFFFFFFFFFF, 0 } };
    SAY(syscall(SET_64, timer, 0, &wide, NULL));
    SAY(ready(timer, 0));
}

static volatile int seen;
static void notice(int number) { seen = number; }

/* A read that waits is ended by a signal, or goes on after one, and by the timer. */
static void timers_waited_for(void)
{
    int              timer = syscall(CREATE, CLOCK_MONOTONIC, 0);
    struct setting32 setting = { { 0, 0 }, { 0, 300000000 } };
    struct sigaction action = { .sa_handler = notice };
    uint64_t         count;

    sigaction(SIGALRM, &action, NULL);
    ualarm(50000, 0);
    SAY(read(timer, &count, 8));
    SAY(seen);
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    syscall(SET, timer, 0, &setting, NULL);
    ualarm(50000, 0);
    SAY(read(timer, &count, 8));
    SAY((long)count);
}

/* ---- signalfd -------------------------------------------------------------------------------------- */

enum { SIGNAL_FD = 321, SIGNAL_FD_4 = 327 };
struct record {
    uint32_t number;
    int32_t  error, code;
    uint32_t pid, uid;
    int32_t  fd;
    uint32_t tid, band, overrun, trap;
    int32_t  status, value;
    uint64_t pointer, rest[9];
};

static void block(uint64_t signals) { syscall(SYS_rt_sigprocmask, SIG_BLOCK, &signals, NULL, 8); }
#define MASK(number) (1ull << ((number) - 1))

static void signals_refused(void)
{
    uint64_t mask = MASK(SIGUSR1);
    int      file = open("/tmp", O_RDONLY), signals = syscall(SIGNAL_FD, -1, &mask, 8);
    char     record[256];

    SAY(syscall(SIGNAL_FD, -1, &mask, 4));
    SAY(syscall(SIGNAL_FD, -1, NULL, 8));
    SAY(syscall(SIGNAL_FD, -1, (void *)-4, 8));
    SAY(syscall(SIGNAL_FD_4, -1, &mask, 8, 1));
    SAY(syscall(SIGNAL_FD_4, 99, &mask, 8, 0));
    SAY(syscall(SIGNAL_FD_4, -2, &mask, 8, 0));
    SAY(syscall(SIGNAL_FD_4, file, &mask, 8, 0));
    SAY(syscall(SIGNAL_FD_4, file, &mask, 8, 2));
    SAY(syscall(SIGNAL_FD_4, signals, &mask, 8, 0) == signals);
    SAY(read(signals, record, 127));
    SAY(write(signals, record, 128));
    SAY(pread(signals, record, 128, 0));
    SAY(lseek(signals, 0, SEEK_CUR));
}

static void show(const struct record *r)
{
    printf("signal %u code %d, own %d, user %u, value %d, status %d\n", r->number, r->code,
           r->pid == (uint32_t)getpid(), r->uid, r->value, r->status);
}

static void signals(void)
{
    uint64_t           mask = MASK(SIGUSR1) | MASK(SIGUSR2) | MASK(SIGKILL) | MASK(SIGCHLD) | MASK(34);
    int                file = syscall(SIGNAL_FD_4, -1, &mask, 8, O_NONBLOCK | O_CLOEXEC), epoll = epoll_create1(0);
    int                status;
    struct epoll_event event = { EPOLLIN, { .u32 = 9 } };
    struct record      r[3];
    union sigval       value = { 77 };

    block(mask);
    SAY(fcntl(file, F_GETFD));
    show_facts(file, "sigmask");
    SAY(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event));
    SAY(read(file, r, sizeof r));
    SAY(ready(file, 0));
    SAY(epoll_wait(epoll, &event, 1, 0));
    raise(SIGUSR2);
    kill(getpid(), SIGUSR1);
    sigqueue(getpid(), 34, value);
    SAY(ready(file, 0));
    SAY(epoll_wait(epoll, &event, 1, 0));
    SAY(read(file, r, 2 * sizeof r[0] + 5));
    show(&r[0]);
    show(&r[1]);
    SAY(read(file, r, sizeof r));
    show(&r[0]);
    SAY(ready(file, 0));
    mask = MASK(SIGUSR2);
    raise(SIGUSR1);
    SAY(syscall(SIGNAL_FD, file, &mask, 8) == file);
    SAY(ready(file, 0));
    mask = MASK(SIGUSR1) | MASK(SIGCHLD);
    SAY(syscall(SIGNAL_FD, file, &mask, 8) == file);
    SAY(ready(file, 0));
    SAY(read(file, unmapped(), 128));
    SAY(read(file, r, sizeof r));
    if (fork() == 0)
        _exit(5);
    wait(&status);
    SAY(read(file, r, sizeof r));
    show(&r[0]);
}

static int waited;

static void *wait_for_signal(void *unused)
{
    struct record r;

    SAY(read(waited, &r, sizeof r));
    show(&r);
    return NULL;
}

/* A thread that sleeps in read, and one in poll, are woken; a signal for another thread does not wake them. */
static void signals_waited_for(void)
{
    uint64_t      mask = MASK(SIGUSR1) | MASK(SIGUSR2);
    pthread_t     thread;
    struct record r;
    int           parent = getpid();

    block(mask);
    waited = syscall(SIGNAL_FD, -1, &mask, 8);
    pthread_create(&thread, NULL, wait_for_signal, NULL);
    usleep(50000);
    syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2);
    usleep(50000);
    SAY(ready(waited, 0));
    kill(getpid(), SIGUSR1);
    pthread_join(thread, NULL);
    SAY(read(waited, &r, sizeof r));
    show(&r);
    fflush(stdout);
    if (fork() == 0) {
        usleep(50000);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    SAY(ready(waited, 5000));
    SAY(read(waited, &r, sizeof r));
}

int main(int count, char **words)
{
    if (count > 1 && strcmp(words[1], "clock") == 0) {
        part("a clock that is moved", a_clock_that_is_moved);
        return 0;
    }
    part("clones", clones);
    part("thread", thread_of_clone3);
    part("handlers", clear_handlers);
    part("timers refused", timers_refused);
    part("timers", timers);
    part("timers waited for", timers_waited_for);
    part("signals refused", signals_refused);
    part("signals", signals);
    part("signals waited for", signals_waited_for);
    return 0;
}
