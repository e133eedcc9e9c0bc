/*
 * processes.c - answers of Linux about processes: signals, futexes, rights, limits, waits, families.
 *
 * Each line is a question and its answer, a result and an errno. Nothing depends on numbers of processes, on the time
 * or on the machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <grp.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAY(x) (errno = 0, say(#x, (long)(x)))

static void say(const char *what, long result)
{
    printf("%s = %ld, %d\n", what, result, result == -1 ? errno : 0);
    fflush(stdout);
}

static volatile int got, got_code, got_status;
static void count(int number) { (void)number; got++; }
static void note(int number, siginfo_t *info, void *context)
{
    got++;
    got_code = info->si_code;
    got_status = info->si_status;
}

/* Run a part in a process of its own, whose state ends with it. */
static int status_of(void (*what)(void))
{
    int   status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        what();
        fflush(stdout);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* ---- Signals -------------------------------------------------------------------------------- */

static volatile int over;

static void *wait_until_over(void *tid)
{
    *(volatile int *)tid = (int)syscall(SYS_gettid);
    while (!over)
        sched_yield();
    return NULL;
}

static void actions(void)
{
    struct sigaction action = { 0 }, old;
    volatile int     tid = 0;
    pthread_t        thread;
    int              pid = getpid();

    action.sa_sigaction = note;
    action.sa_flags = SA_SIGINFO | SA_RESETHAND | 0x40;
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR1, NULL, &old);
    SAY(old.sa_flags & ~0x04000000);
    SAY(sigismember(&old.sa_mask, SIGKILL));
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &old);
    SAY(old.sa_handler == SIG_DFL);
    SAY(old.sa_flags & SA_SIGINFO);
    SAY(syscall(SYS_kill, pid, 65));
    SAY(syscall(SYS_kill, pid, -1));
    SAY(syscall(SYS_kill, 0x3FFFFFFF, 65));
    SAY(syscall(SYS_kill, 0x3FFFFFFF, 0));
    SAY(syscall(SYS_kill, 1, 0));
    SAY(syscall(SYS_tgkill, pid, pid, 65));
    SAY(syscall(SYS_tgkill, pid, 0x3FFFFFFF, 0));
    SAY(syscall(SYS_tgkill, 1, pid, 0));
    SAY(syscall(SYS_tgkill, 0, pid, 0));
    SAY(syscall(SYS_tkill, pid, 65));
    SAY(syscall(SYS_tkill, -1, 0));
    signal(SIGUSR1, count);
    got = 0;
    pthread_create(&thread, NULL, wait_until_over, (void *)&tid);
    while (tid == 0)
        sched_yield();
    SAY(kill(tid, SIGUSR1));
    while (got == 0)
        sched_yield();
    SAY(syscall(SYS_tgkill, tid, tid, 0));
    SAY(syscall(SYS_tgkill, pid, tid, SIGUSR1));
    over = 1;
    pthread_join(thread, NULL);
    SAY(got);
}

static void queues(void)
{
    struct rlimit none = { 0, 0 };
    union sigval  value = { 7 };
    sigset_t      set;
    siginfo_t     info;
    int           pid = getpid();

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGRTMIN + 1);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    SAY(sigqueue(pid, SIGRTMIN, value));
    SAY(sigqueue(pid, SIGRTMIN, value));
    SAY(setrlimit(RLIMIT_SIGPENDING, &none));
    SAY(sigqueue(pid, SIGRTMIN, value));
    SAY(syscall(SYS_tgkill, pid, pid, SIGRTMIN));
    SAY(kill(pid, SIGRTMIN + 1));
    SAY(sigqueue(pid, SIGUSR2, value));
    SAY(sigwaitinfo(&set, &info) == SIGUSR2);
    SAY(info.si_code);
    SAY(sigwaitinfo(&set, &info) == SIGRTMIN);
    SAY(info.si_code);
    SAY(info.si_value.sival_int);
    SAY(sigwaitinfo(&set, &info) == SIGRTMIN);
    SAY(sigwaitinfo(&set, &info) == SIGRTMIN + 1);
    SAY(info.si_code);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGUSR2, SIG_DFL);
    raise(SIGUSR2);
    signal(SIGUSR2, SIG_IGN);
    sigpending(&set);
    SAY(sigismember(&set, SIGUSR2));
    memset(&info, 0, sizeof info);
    info.si_code = SI_USER;
    SAY(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
    SAY(syscall(SYS_rt_sigqueueinfo, pid, 0, &info));
    info.si_code = SI_QUEUE;
    SAY(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
    SAY(syscall(SYS_rt_sigqueueinfo, pid, 65, &info));
    SAY(syscall(SYS_rt_sigqueueinfo, 0x3FFFFFFF, 65, &info));
    SAY(syscall(SYS_rt_sigqueueinfo, pid, 0, (void *)16));
    SAY(syscall(SYS_rt_tgsigqueueinfo, pid, pid, 65, &info));
    SAY(syscall(SYS_rt_tgsigqueueinfo, pid, pid, 0, &info));
    SAY(syscall(SYS_rt_tgsigqueueinfo, -1, pid, 0, &info));
}

/* ---- Waits that are stopped and go on --------------------------------------------------------- */

static int one = 1;

static void in_poll(void)    { SAY(poll(NULL, 0, 700)); }
static void in_ppoll(void)   { struct timespec t = { 0, 700000000 }; SAY(ppoll(NULL, 0, &t, NULL)); }
static void in_select(void)  { struct timeval t = { 0, 700000 }; SAY(select(0, NULL, NULL, NULL, &t)); }
static void in_pselect(void) { struct timespec t = { 0, 700000000 }; SAY(pselect(0, NULL, NULL, NULL, &t, NULL)); }
static void in_sleep(void)   { struct timespec t = { 0, 700000000 }; SAY(nanosleep(&t, NULL)); }
static void in_clock(void)
{
    struct timespec t = { 0, 700000000 };
    SAY(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
}

static void in_futex(void)
{
    struct timespec t = { 0, 700000000 };
    SAY(syscall(SYS_futex, &one, FUTEX_WAIT, 1, &t, NULL, 0));
}

static void in_epoll(void)   { struct epoll_event e; SAY(epoll_wait(epoll_create1(0), &e, 1, 700)); }
static void in_signal(void)
{
    struct timespec t = { 0, 700000000 };
    sigset_t        set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    SAY(sigtimedwait(&set, NULL, &t));
}

static const struct { const char *name; void (*wait)(void); } waits[] = {
    { "poll", in_poll }, { "ppoll", in_ppoll }, { "select", in_select }, { "pselect", in_pselect },
    { "nanosleep", in_sleep }, { "clock_nanosleep", in_clock }, { "futex", in_futex }, { "epoll_wait", in_epoll },
    { "sigtimedwait", in_signal },
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void stopped_waits(void)
{
    for (unsigned i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        double begin = now();
        pid_t  child;
        int    status;

        fflush(stdout);
        child = fork();
        if (child == 0) {
            waits[i].wait();
            _exit(0);
        }
        for (int k = 0; k < 3; k++) {
            usleep(150000);
            if (kill(child, SIGSTOP) == 0)
                waitpid(child, &status, WUNTRACED);
            usleep(30000);
            kill(child, SIGCONT);
        }
        waitpid(child, &status, 0);
        printf("%s: not much longer than it was to be: %d\n", waits[i].name, now() - begin < 1.1);
    }
}

/* ---- Futexes ---------------------------------------------------------------------------------------- */

static void futexes(void)
{
    int            *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), words[2] = { 0, 0 };
    char           *odd  = (char *)words + 1;
    struct timespec bad  = { 0, -1 }, soon = { 0, 1000 };

    SAY(syscall(SYS_futex, none, FUTEX_WAKE, 1, NULL, NULL, 0));
    SAY(syscall(SYS_futex, none, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    SAY(syscall(SYS_futex, none, FUTEX_WAIT, 0, &soon, NULL, 0));
    SAY(syscall(SYS_futex, none, FUTEX_WAIT_PRIVATE, 0, &soon, NULL, 0));
    SAY(syscall(SYS_futex, none, FUTEX_WAKE_BITSET, 1, NULL, NULL, 1));
    SAY(syscall(SYS_futex, words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
    SAY(syscall(SYS_futex, words, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
    SAY(syscall(SYS_futex, none, FUTEX_REQUEUE, 1, 1, words, 0));
    SAY(syscall(SYS_futex, words, FUTEX_REQUEUE, 1, 1, none, 0));
    SAY(syscall(SYS_futex, words, FUTEX_CMP_REQUEUE, -1, 1, words + 1, 0));
    SAY(syscall(SYS_futex, words, FUTEX_CMP_REQUEUE, 1, -1, words + 1, 0));
    SAY(syscall(SYS_futex, words, FUTEX_REQUEUE, -1, 1, words + 1, 0));
    SAY(syscall(SYS_futex, words, FUTEX_CMP_REQUEUE, 1, 1, words + 1, 5));
    SAY(syscall(SYS_futex, words, FUTEX_CMP_REQUEUE, 1, 1, words + 1, 0));
    SAY(syscall(SYS_futex, odd, FUTEX_WAKE, 1, NULL, NULL, 0));
    SAY(syscall(SYS_futex, odd, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
    SAY(syscall(SYS_futex, words, FUTEX_WAKE_OP, 1, 1, odd, 0));
    SAY(syscall(SYS_futex, none, FUTEX_WAKE_OP, 1, 1, words, 0));
    SAY(syscall(SYS_futex, words, FUTEX_WAKE_OP, 1, 1, none, 0));
    SAY(syscall(SYS_futex, words, FUTEX_WAKE_OP, 1, 1, words + 1, 0x70000000));
    SAY(syscall(SYS_futex, words, FUTEX_WAKE_OP, 1, 1, words + 1, 0x0F005000));
    SAY(words[1]);
    SAY(syscall(SYS_futex, words, FUTEX_WAIT, 0, &bad, NULL, 0));
    SAY(syscall(SYS_futex, words, FUTEX_WAIT, 0, (void *)16, NULL, 0));
    SAY(syscall(SYS_futex, words, FUTEX_WAIT, 1, &soon, NULL, 0));
    SAY(syscall(SYS_futex, words, FUTEX_WAIT, 0, &soon, NULL, 0));
    SAY(syscall(SYS_futex, words, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &soon, NULL, -1));
    SAY(syscall(SYS_futex, words, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0));
    SAY(syscall(SYS_futex, words, 99, 1, NULL, NULL, 0));
    SAY(syscall(SYS_futex, words, FUTEX_WAKE | 512, 1, NULL, NULL, 0));
    SAY(syscall(SYS_futex, (void *)-4096, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    SAY(syscall(SYS_futex, (void *)-4096, FUTEX_WAKE, 1, NULL, NULL, 0));
}

static int *shared;

static void wait_for_word(void) { _exit(syscall(SYS_futex, shared, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 0 : 1); }

/* How many of three waiters an operation wakes; the others are woken at the end. */
static void wakes(int operation, int most, long move)
{
    pid_t children[3];
    long  woken;

    for (int i = 0; i < 3; i++)
        if ((children[i] = fork()) == 0)
            wait_for_word();
    usleep(200000);
    woken = syscall(SYS_futex, shared, operation, most, move, shared + 1, 0);
    printf("operation %d of %d and %ld: %ld\n", operation, most, move, woken);
    syscall(SYS_futex, shared + 1, FUTEX_WAKE, 100, NULL, NULL, 0);
    syscall(SYS_futex, shared, FUTEX_WAKE, 100, NULL, NULL, 0);
    for (int i = 0; i < 3; i++)
        waitpid(children[i], NULL, 0);
}

static void futex_counts(void)
{
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(stdout);
    wakes(FUTEX_WAKE, 2, 0);
    wakes(FUTEX_WAKE, 0, 0);
    wakes(FUTEX_WAKE, -1, 0);
    wakes(FUTEX_WAKE_PRIVATE, 3, 0);
    wakes(FUTEX_REQUEUE, 1, 1);
    wakes(FUTEX_CMP_REQUEUE, 0, 2);
}

/* ---- Rights ------------------------------------------------------------------------------------------- */

static void show_capabilities(const char *when)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct   data[2];

    syscall(SYS_capget, &header, data);
    printf("%s: effective %d, permitted %d, inheritable %d\n", when, data[0].effective != 0, data[0].permitted != 0,
           data[0].inheritable != 0);
}

static void capabilities(void)
{
    struct __user_cap_header_struct header = { 0, 0 };
    struct __user_cap_data_struct   data[2];

    SAY(syscall(SYS_capget, &header, data));
    SAY(header.version);
    header.version = 0;
    SAY(syscall(SYS_capget, &header, NULL));
    SAY(syscall(SYS_capget, NULL, data));
    header.version = _LINUX_CAPABILITY_VERSION_1;
    memset(data, 0x55, sizeof data);
    SAY(syscall(SYS_capget, &header, data));
    SAY(data[1].effective);
    SAY(data[0].inheritable);
    header.version = _LINUX_CAPABILITY_VERSION_3;
    header.pid = -1;
    SAY(syscall(SYS_capget, &header, data));
    header.pid = 0x3FFFFFFF;
    SAY(syscall(SYS_capget, &header, data));
    SAY(syscall(SYS_capset, &header, data));
    header.pid = 0;
    SAY(syscall(SYS_capget, &header, (void *)16));
    SAY(syscall(SYS_capset, &header, (void *)16));
    SAY(syscall(SYS_capget, &header, data));
    data[0].effective &= ~(1u << CAP_KILL);
    SAY(syscall(SYS_capset, &header, data));
    data[0].permitted &= ~(1u << CAP_KILL);
    data[0].effective |= 1u << CAP_KILL;
    SAY(syscall(SYS_capset, &header, data));
    data[0].effective &= ~(1u << CAP_KILL);
    SAY(syscall(SYS_capset, &header, data));
    data[0].permitted |= 1u << CAP_KILL;
    SAY(syscall(SYS_capset, &header, data));
    SAY(prctl(PR_CAPBSET_READ, 5));
    SAY(prctl(PR_CAPBSET_DROP, 5));
    SAY(prctl(PR_CAPBSET_READ, 5));
    SAY(prctl(PR_CAPBSET_READ, 100));
    SAY(prctl(PR_CAPBSET_DROP, 100));
    SAY(prctl(47, 1, 7, 0, 0));
    SAY(prctl(47, 2, 7, 0, 0));
    SAY(prctl(47, 4, 0, 0, 0));
    SAY(prctl(47, 4, 1, 0, 0));
    SAY(prctl(47, 9, 1, 0, 0));
    SAY(prctl(PR_GET_SECUREBITS));
    SAY(prctl(PR_SET_SECUREBITS, 0x100));
    SAY(prctl(PR_SET_SECUREBITS, 0x30));
    SAY(prctl(PR_SET_SECUREBITS, 0x20));
    SAY(prctl(PR_SET_KEEPCAPS, 0));
    SAY(prctl(PR_GET_KEEPCAPS));
}

static void users(void)
{
    uid_t real, effective, saved;

    SAY(setuid(-1));
    SAY(setresuid(1000, 1001, 1002));
    show_capabilities("after setresuid");
    SAY(prctl(PR_GET_DUMPABLE));
    SAY(setuid(0));
    SAY(setuid(1001));
    SAY(setuid(1002));
    getresuid(&real, &effective, &saved);
    printf("%d %d %d\n", real, effective, saved);
    SAY(setreuid(-1, 1000));
    SAY(setreuid(1002, -1));
    getresuid(&real, &effective, &saved);
    printf("%d %d %d\n", real, effective, saved);
    SAY(setresuid(1000, 1000, 1000));
    SAY(setresuid(-1, 1002, -1));
    SAY(kill(1, 0));
    SAY(kill(getppid(), SIGCONT));
    SAY(kill(getppid(), 0));
    SAY(setgid(5));
    SAY(setpriority(PRIO_PROCESS, 0, -1));
    SAY(setpriority(PRIO_PROCESS, 0, 5));
    SAY(setpriority(PRIO_PROCESS, 0, 4));
    SAY(nice(-1));
    SAY(setpriority(PRIO_PROCESS, getppid(), 4));
}

static void show_groups(void)
{
    gid_t list[8];
    int   count = getgroups(8, list);
    char  line[256];
    FILE *status = fopen("/proc/self/status", "r");

    printf("%d groups:", count);
    for (int i = 0; i < count; i++)
        printf(" %u", list[i]);
    while (fgets(line, sizeof line, status))
        if (strncmp(line, "Groups:", 7) == 0)
            printf("; %s", line);
    fclose(status);
    fflush(stdout);
}

/* Many descriptors, in the worst order; printed in ascending order. */
static void many_groups(void)
{
    static gid_t list[65536];
    int          wrong = 0;

    for (int i = 0; i < 65536; i++)
        list[i] = (i * 40503u + 7) % 65536 + 1;
    SAY(setgroups(65536, list));
    SAY(getgroups(65535, list));
    SAY(getgroups(65536, list));
    for (int i = 0; i < 65536; i++)
        wrong += list[i] != i + 1;
    printf("%d out of order\n", wrong);
}

static void groups(void)
{
    gid_t    some[] = { 70000, 30, 10, 20, 10 }, none[] = { 5, -1 };
    uint16_t narrow[8] = { 7, 3, 65535 };

    setgroups(0, NULL);
    show_groups();
    SAY(setgroups(5, some));
    show_groups();
    SAY(getgroups(0, NULL));
    SAY(getgroups(0, (gid_t *)1));
    SAY(getgroups(4, some));
    SAY(getgroups(-1, some));
    SAY(getgroups(5, (gid_t *)1));
    SAY(getgroups(5, (gid_t *)-4096));
    SAY(setgroups(65537, some));
    SAY(setgroups(-1, some));
    SAY(setgroups(2, (gid_t *)1));
    SAY(setgroups(2, (gid_t *)-4096));
    SAY(setgroups(2, none));
    show_groups();
    SAY(syscall(SYS_getgroups, 8, narrow));
    printf("%u %u %u %u %u\n", narrow[0], narrow[1], narrow[2], narrow[3], narrow[4]);
    narrow[0] = 7, narrow[1] = 3, narrow[2] = 65535;
    SAY(syscall(SYS_setgroups, 3, narrow));
    SAY(syscall(SYS_setgroups, 2, narrow));
    show_groups();
    many_groups();
    SAY(setgroups(5, (gid_t[]){ 70000, 30, 10, 20, 10 }));
    close(open("/tmp/of-group", O_CREAT | O_WRONLY, 0));
    SAY(chown("/tmp/of-group", 0, 20));
    SAY(chmod("/tmp/of-group", 0040));
    close(open("/tmp/own", O_CREAT | O_WRONLY, 0));
    SAY(chown("/tmp/own", 1000, 1000));
    if (fork() == 0) {
        SAY(setresgid(1000, 1000, 1000));
        SAY(setresuid(1000, 1000, 1000));
        show_groups();
        SAY(open("/tmp/of-group", O_RDONLY) >= 0);
        SAY(open("/tmp/of-group", O_WRONLY));
        SAY(access("/tmp/of-group", R_OK));
        SAY(chown("/tmp/own", -1, 30));
        SAY(chown("/tmp/own", -1, 40));
        SAY(setgroups(0, NULL));
        _exit(0);
    }
    wait(NULL);
    SAY(setgroups(0, NULL));
    show_groups();
}

static pid_t made_by_thread;

static void *make_child(void *end)
{
    made_by_thread = fork();
    if (made_by_thread == 0)
        _exit(5);
    waitid(P_PID, made_by_thread, NULL, WEXITED | WNOWAIT);
    sem_post(end);
    sem_wait((sem_t *)end + 1);
    return NULL;
}

/* __WNOTHREAD: only children of the thread that asks. A thread that ends leaves its children to the eldest. */
static void children_of_threads(void)
{
    static sem_t turns[2];
    pthread_t    thread;
    int          status = 0;
    pid_t        own;

    sem_init(&turns[0], 0, 0);
    sem_init(&turns[1], 0, 0);
    pthread_create(&thread, NULL, make_child, turns);
    sem_wait(&turns[0]);
    SAY(waitpid(-1, NULL, __WNOTHREAD | WNOHANG));
    SAY(waitpid(made_by_thread, NULL, __WNOTHREAD | WNOHANG));
    own = fork();
    if (own == 0)
        _exit(6);
    SAY(waitpid(-1, &status, __WNOTHREAD) == own);
    SAY(status >> 8);
    sem_post(&turns[1]);
    pthread_join(thread, NULL);
    SAY(waitpid(-1, &status, __WNOTHREAD) == made_by_thread);
    SAY(status >> 8);
    SAY(waitpid(-1, NULL, __WNOTHREAD));
}

static void keeping(void)
{
    SAY(prctl(PR_SET_KEEPCAPS, 2));
    SAY(prctl(PR_SET_KEEPCAPS, 1));
    SAY(prctl(PR_GET_KEEPCAPS));
    SAY(setuid(1000));
    show_capabilities("kept");
    SAY(prctl(PR_GET_KEEPCAPS));
}

static void says(void)
{
    int value = 77;

    SAY(prctl(PR_SET_PDEATHSIG, 65));
    SAY(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    SAY(prctl(PR_GET_PDEATHSIG, &value));
    SAY(value);
    SAY(prctl(PR_GET_PDEATHSIG, 16));
    SAY(prctl(PR_GET_DUMPABLE));
    SAY(prctl(PR_SET_DUMPABLE, 2));
    SAY(prctl(PR_SET_DUMPABLE, 0));
    SAY(prctl(PR_GET_DUMPABLE));
    SAY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SAY(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SAY(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SAY(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
    SAY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SAY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SAY(prctl(PR_SET_CHILD_SUBREAPER, 5));
    SAY(prctl(PR_GET_CHILD_SUBREAPER, &value));
    SAY(value);
    SAY(prctl(PR_GET_CHILD_SUBREAPER, 16));
    SAY(prctl(PR_GET_TIMERSLACK));
    SAY(prctl(PR_SET_TIMERSLACK, 100));
    SAY(prctl(PR_GET_TIMERSLACK));
    SAY(prctl(PR_GET_TIMING));
    SAY(prctl(PR_SET_TIMING, 1));
    SAY(prctl(PR_SET_NAME, 16));
    SAY(prctl(9999, 0, 0, 0, 0));
    SAY(personality(0xffffffff));
    SAY(personality(ADDR_NO_RANDOMIZE | PER_BSD));
    SAY(personality(0xffffffff));
    SAY(personality(0));
}

/* ---- Niceness and limits ----------------------------------------------------------------------------------- */

static void niceness(void)
{
    SAY(nice(3));
    SAY(getpriority(PRIO_PROCESS, 0));
    SAY(nice(100));
    SAY(getpriority(PRIO_PROCESS, getpid()));
    SAY(setpriority(PRIO_PROCESS, 0, -100));
    SAY(getpriority(PRIO_PROCESS, 0));
    SAY(setpriority(PRIO_PROCESS, 0x3FFFFFFF, 0));
    SAY(getpriority(PRIO_PGRP, 0x3FFFFFFF));
    SAY(getpriority(PRIO_USER, 4711));
    SAY(getpriority(3, 0));
    SAY(setpriority(-1, 0, 0));
    if (fork() == 0) {
        SAY(getpriority(PRIO_PROCESS, 0));
        _exit(0);
    }
    wait(NULL);
}

static void sizes(void)
{
    struct rlimit limit = { 1000, 2000 };
    char          bytes[600] = { 0 };
    int           fd = open("/tmp/processes-file", O_CREAT | O_RDWR | O_TRUNC, 0600);

    signal(SIGXFSZ, count);
    SAY(setrlimit(RLIMIT_FSIZE, &limit));
    got = 0;
    SAY(write(fd, bytes, 600));
    SAY(write(fd, bytes, 600));
    SAY(got);
    SAY(write(fd, bytes, 600));
    SAY(got);
    SAY(ftruncate(fd, 1001));
    SAY(got);
    SAY(ftruncate(fd, 999));
    SAY(truncate("/tmp/processes-file", 5000));
    SAY(got);
    SAY(syscall(SYS_fallocate, fd, 0, 0, 0, 1001, 0));
    SAY(got);
    SAY(pwrite(fd, bytes, 10, 5000));
    SAY(got);
    limit.rlim_cur = 3000;
    SAY(setrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_max = 4000;
    SAY(setrlimit(RLIMIT_FSIZE, &limit));
    SAY(getrlimit(99, &limit));
    SAY(getrlimit(RLIMIT_FSIZE, (void *)16));
    SAY(setrlimit(99, &limit));
    SAY(prlimit(0x3FFFFFFF, RLIMIT_FSIZE, NULL, &limit));
    SAY(prlimit(getppid(), RLIMIT_FSIZE, NULL, &limit));
    close(fd);
    unlink("/tmp/processes-file");
}

static void hard_limits(void)
{
    struct rlimit limit = { 100, 100 }, more = { 100, 200 };

    SAY(setrlimit(RLIMIT_NOFILE, &limit));
    SAY(dup2(0, 99));
    SAY(dup2(0, 100));
    SAY(fcntl(0, F_DUPFD, 100));
    setuid(1000);
    SAY(setrlimit(RLIMIT_NOFILE, &more));
    SAY(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
}

static void process_limit(void)
{
    struct rlimit limit = { 3, 3 };
    int           made = 0;

    setuid(4000);
    setrlimit(RLIMIT_NPROC, &limit);
    while (made < 10) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);                           /* a zombie counts, too */
        if (child < 0)
            break;
        made++;
    }
    printf("made %d, errno %d\n", made, errno);
    while (wait(NULL) > 0)
        ;
    made = fork();
    if (made == 0)
        _exit(0);
    SAY(made > 0);
}

static void cpu_time(void)
{
    struct rlimit limit = { 1, 2 };

    signal(SIGXCPU, count);
    setrlimit(RLIMIT_CPU, &limit);
    for (got = 0; got == 0;)
        ;
    printf("SIGXCPU came\n");
    fflush(stdout);
    for (;;)
        ;
}

static void turns(void)
{
    struct sched_param param = { 5 }, none = { 0 };
    struct timespec    slice;
    unsigned           mask = 1;

    SAY(syscall(SYS_sched_getscheduler, 0));
    SAY(syscall(SYS_sched_getscheduler, -1));
    SAY(syscall(SYS_sched_getscheduler, 0x3FFFFFFF));
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param));
    SAY(syscall(SYS_sched_getscheduler, 0));
    SAY(syscall(SYS_sched_getparam, 0, &none));
    SAY(none.sched_priority);
    SAY(syscall(SYS_sched_rr_get_interval, 0, &slice));
    SAY(slice.tv_nsec);
    param.sched_priority = 100;
    SAY(syscall(SYS_sched_setparam, 0, &param));
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &param));
    param.sched_priority = 1;
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param));
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_RR | 0x40000000, &param));
    SAY(syscall(SYS_sched_getscheduler, 0));
    if (fork() == 0) {
        SAY(syscall(SYS_sched_getscheduler, 0));
        _exit(0);
    }
    wait(NULL);
    none.sched_priority = 0;
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &none));
    SAY(syscall(SYS_sched_setscheduler, 0, 4, &none));
    SAY(syscall(SYS_sched_setscheduler, 0, 6, &none));
    SAY(syscall(SYS_sched_setscheduler, 0, 99, &none));
    SAY(syscall(SYS_sched_setscheduler, 0, -1, &none));
    SAY(syscall(SYS_sched_setscheduler, 0, 0, NULL));
    SAY(syscall(SYS_sched_setscheduler, 0, 0, (void *)16));
    SAY(syscall(SYS_sched_setscheduler, 0x3FFFFFFF, 0, &none));
    SAY(syscall(SYS_sched_setparam, 0, NULL));
    SAY(syscall(SYS_sched_getparam, 0, NULL));
    SAY(syscall(SYS_sched_getparam, 0, (void *)16));
    SAY(syscall(SYS_sched_getparam, -1, &none));
    SAY(syscall(SYS_sched_get_priority_max, SCHED_FIFO));
    SAY(syscall(SYS_sched_get_priority_min, SCHED_RR));
    SAY(syscall(SYS_sched_get_priority_max, SCHED_OTHER));
    SAY(syscall(SYS_sched_get_priority_max, 4));
    SAY(syscall(SYS_sched_get_priority_max, -1));
    SAY(syscall(SYS_sched_rr_get_interval, -1, &slice));
    SAY(syscall(SYS_sched_rr_get_interval, 0, (void *)16));
    SAY(syscall(SYS_sched_setaffinity, 0, 4, &mask));
    SAY(syscall(SYS_sched_setaffinity, 0, 0, &mask));
    SAY(syscall(SYS_sched_setaffinity, 0, 4, (void *)16));
    SAY(syscall(SYS_sched_setaffinity, 0x3FFFFFFF, 4, &mask));
    mask = 0;
    SAY(syscall(SYS_sched_setaffinity, 0, 4, &mask));
    SAY(syscall(SYS_sched_getaffinity, 0, 3, &mask));
    setuid(1000);
    param.sched_priority = 1;
    SAY(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param));
    SAY(syscall(SYS_sched_setscheduler, getppid(), SCHED_OTHER, &none));
    SAY(syscall(SYS_sched_setaffinity, getppid(), 4, &mask));
}

/* ---- Families ------------------------------------------------------------------------------------------------ */

static void crash(void) { raise(SIGSEGV); }

static long clone_with(unsigned long flags) { return syscall(SYS_clone, flags, 0, 0, 0, 0); }

static void clone_children(void)
{
    int   status;
    pid_t child;

    child = (pid_t)clone_with(0);               /* no signal at its end */
    if (child == 0)
        _exit(3);
    SAY(waitpid(-1, &status, 0));
    SAY(waitpid(-1, &status, __WCLONE) == child);
    SAY(status);
    signal(SIGUSR2, count);                     /* before: the child may be the first to run */
    got = 0;
    child = (pid_t)clone_with(SIGUSR2);
    if (child == 0)
        _exit(4);
    SAY(waitpid(child, &status, __WALL) == child || errno == EINTR);
    while (got == 0)
        usleep(1000);
    SAY(status == 0x400 || waitpid(child, &status, __WALL) == child);
    SAY(clone_with(CLONE_THREAD | SIGCHLD));
    SAY(clone_with(CLONE_SIGHAND | SIGCHLD));
    SAY(clone_with(CLONE_THREAD | CLONE_SIGHAND | SIGCHLD));
}

/* The child of CLONE_PARENT is its maker's sibling, and ends with the signal its maker will end with. */
static void siblings(void)
{
    int   status, count = 0;
    pid_t maker = fork();

    if (maker == 0) {
        pid_t made = (pid_t)clone_with(CLONE_PARENT | SIGUSR1);

        if (made == 0)
            _exit(5);
        _exit(waitpid(made, &status, __WALL) == -1 && errno == ECHILD ? 6 : 7);
    }
    while (wait(&status) > 0)
        count += WEXITSTATUS(status);
    printf("siblings end with %d\n", count);
}

static void adopted(void)
{
    int   status, ends[2];
    pid_t middle;
    char  byte = 'n';

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (pipe(ends) != 0)
        return;
    middle = fork();
    if (middle == 0) {
        pid_t above = getpid();

        if (fork() == 0) {
            while (getppid() == above)
                usleep(1000);
            byte = 'y';
            if (write(ends[1], &byte, 1) != 1)
                _exit(1);
            _exit(9);
        }
        _exit(0);
    }
    waitpid(middle, &status, 0);
    if (read(ends[0], &byte, 1) != 1)
        return;
    printf("new parent: %c\n", byte);
    SAY(wait(&status) > 0);
    SAY(WEXITSTATUS(status));
    SAY(wait(&status));
}

static void waits_of_all_kinds(void)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO };
    siginfo_t        info;
    struct rusage    usage;
    int              status;
    pid_t            first, second;

    action.sa_sigaction = note;
    sigaction(SIGCHLD, &action, NULL);
    got = 0;
    first = fork();
    if (first == 0)
        _exit(11);
    while (got == 0)
        usleep(1000);
    SAY(got_code == CLD_EXITED);
    SAY(got_status);
    second = fork();
    if (second == 0) {
        pause();
        _exit(12);
    }
    memset(&info, 0x55, sizeof info);
    SAY(waitid(P_PID, second, &info, WEXITED | WNOHANG));
    SAY(info.si_signo);
    SAY(info.si_pid);
    SAY(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT));
    SAY(info.si_pid == first);
    SAY(waitid(P_ALL, 0, &info, WEXITED));
    SAY(info.si_pid == first);
    SAY(info.si_status);
    kill(second, SIGSTOP);
    SAY(waitid(P_PID, second, &info, WSTOPPED | WNOWAIT));
    SAY(info.si_code == CLD_STOPPED);
    SAY(info.si_status);
    SAY(waitpid(second, &status, WUNTRACED) == second);
    SAY(status);
    SAY(waitpid(second, &status, WUNTRACED | WNOHANG));
    kill(second, SIGCONT);
    SAY(waitpid(second, &status, WCONTINUED) == second);
    SAY(status);
    SAY(waitpid(second, &status, WCONTINUED | WNOHANG));
    kill(second, SIGQUIT);
    SAY(syscall(SYS_wait4, -getpgrp(), &status, 0, &usage) == second);
    SAY(status);
    SAY(waitpid(-1, &status, 0));
    SAY(waitpid(-0x3FFFFFFF, &status, 0));
    SAY(waitid(P_ALL, 0, &info, 0));
    SAY(waitid(9, 0, &info, WEXITED));
    SAY(syscall(SYS_waitid, 3, 99, &info, WEXITED, NULL));
    SAY(syscall(SYS_waitid, 3, -1, &info, WEXITED, NULL));
    SAY(waitid(P_PID, 0, &info, WEXITED));
    SAY(waitid(P_ALL, 0, &info, WEXITED | 0x100));
    SAY(syscall(SYS_wait4, -1, &status, 0x100, NULL));
    SAY(syscall(SYS_wait4, -1, &status, WNOWAIT, NULL));
    SAY(syscall(SYS_wait4, 0x80000000, &status, 0, NULL));
}

/* Children are reported in the order in which they were made, not that of their ends. */
static void order_of_ends(void)
{
    int   status, go[2];
    pid_t children[4];
    char  byte;

    if (pipe(go) != 0)
        return;
    for (int i = 0; i < 4; i++)
        if ((children[i] = fork()) == 0) {
            pause();
            _exit(0);
        }
    for (int i = 3; i >= 0; i--) {
        siginfo_t info;

        kill(children[i], SIGKILL);
        waitid(P_PID, children[i], &info, WEXITED | WNOWAIT);
    }
    for (int i = 0; i < 4; i++)
        printf("%d", wait(&status) == children[i]);
    printf("\n");
}

static void used(void)
{
    struct rusage  usage;
    volatile char *memory = malloc(24 << 20);

    for (int i = 0; i < 24 << 20; i += 4096)
        memory[i] = 1;
    getrusage(RUSAGE_SELF, &usage);
    SAY(usage.ru_maxrss > 24000 && usage.ru_maxrss < 60000);
    SAY(usage.ru_minflt >= 6000);
    getrusage(RUSAGE_THREAD, &usage);
    SAY(usage.ru_maxrss > 24000);
    free((void *)memory);
    if (fork() == 0) {
        memory = malloc(40 << 20);
        for (int i = 0; i < 40 << 20; i += 4096)
            memory[i] = 1;
        _exit(0);
    }
    getrusage(RUSAGE_CHILDREN, &usage);
    SAY(usage.ru_maxrss);
    wait(NULL);
    getrusage(RUSAGE_CHILDREN, &usage);
    SAY(usage.ru_maxrss > 40000);
    SAY(usage.ru_minflt >= 10000);
    usleep(1000);
    getrusage(RUSAGE_SELF, &usage);
    SAY(usage.ru_nvcsw > 0);
    SAY(getrusage(5, &usage));
    SAY(syscall(SYS_getrusage, RUSAGE_SELF, (void *)16));
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*run)(void); } parts[] = {
        { "actions", actions }, { "queues", queues }, { "stopped waits", stopped_waits }, { "futexes", futexes },
        { "futex counts", futex_counts }, { "capabilities", capabilities }, { "users", users }, { "keeping", keeping },
        { "groups", groups }, { "children of threads", children_of_threads },
        { "says", says }, { "niceness", niceness }, { "turns", turns }, { "sizes", sizes },
        { "hard limits", hard_limits }, { "process limit", process_limit }, { "cpu time", cpu_time },
        { "crash", crash }, { "clone children", clone_children }, { "siblings", siblings }, { "adopted", adopted },
        { "waits", waits_of_all_kinds }, { "order", order_of_ends }, { "used", used },
    };

    setlinebuf(stdout);
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (argc > 1 && strcmp(argv[1], parts[i].name) != 0)
            continue;
        printf("---- %s\n", parts[i].name);
        printf("ended with %x\n", status_of(parts[i].run));
    }
    return 0;
}
