/*
 * signals.c - answers of Linux about signals, waits that are stopped and go on, and futexes.
 *
 * Each line is a question and its answer, a result and an errno. Nothing depends on numbers of processes, on the time
 * or on the machine.
 */
#include "answers.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static volatile int got, got_code, got_status;
static void count(int number) { (void)number; got++; }
static void note(int number, siginfo_t *info, void *context)
{
    got++;
    got_code = info->si_code;
    got_status = info->si_status;
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

static void expect(const char *what, int number)
{
    struct timespec t = { 5, 0 };
    siginfo_t       info;
    sigset_t        one;

    sigemptyset(&one);
    sigaddset(&one, number);
    if (sigtimedwait(&one, &info, &t) < 0)
        printf("%s: none, %d\n", what, errno);
    else
        printf("%s: code %d, from %s, user %d\n", what, info.si_code, info.si_pid == getpid() ? "itself"
               : info.si_pid == 0 ? "nobody" : "another", info.si_uid);
}

/* The signal comes while somebody waits for it, who blocks it: it counts although nothing would be done about it. */
static void waited_for_though_ignored(void)
{
    const int numbers[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT, SIGUSR1, SIGRTMIN };
    int      parent = getpid();
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGRTMIN, SIG_IGN);
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int child = fork();

        if (child == 0) {
            usleep(30000);
            if (numbers[i] != SIGCHLD)
                kill(parent, numbers[i]);
            _exit(0);
        }
        expect("waited for", numbers[i]);
        waitpid(child, NULL, 0);
    }
}

/* One that is not blocked is dropped where it is ignored, also while it is waited for. */
static void not_blocked(void)
{
    struct timespec t = { 0, 200000000 };
    sigset_t        one;
    int             parent = getpid();

    signal(SIGURG, SIG_DFL);
    if (fork() == 0) {
        usleep(30000);
        kill(parent, SIGURG);
        _exit(0);
    }
    sigemptyset(&one);
    sigaddset(&one, SIGURG);
    SAY(sigtimedwait(&one, NULL, &t));
}

/* What a call of one's own brings on comes from oneself. */
static void of_ones_own_making(void)
{
    struct rlimit none = { 0, 0 };
    int           ends[2], pair[2], file = open("/tmp/signals-file", O_CREAT | O_WRONLY, 0600);
    sigset_t      all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || setresuid(77, 77, 77) != 0)
        return;
    close(ends[0]);
    SAY(write(ends[1], "x", 1));
    expect("a pipe", SIGPIPE);
    close(pair[0]);
    SAY(write(pair[1], "x", 1));
    expect("a stream", SIGPIPE);
    setrlimit(RLIMIT_FSIZE, &none);
    SAY(write(file, "x", 1));
    expect("a file", SIGXFSZ);
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
        double last = 0;
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
            last = now();
            kill(child, SIGCONT);
        }
        waitpid(child, &status, 0);
        /* Of 700 ms at most 160 are left by now. Who begins anew has all of them to wait. */
        printf("%s: not begun anew: %d\n", waits[i].name, now() - last < 0.65);
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

int main(int argc, char **argv)
{
    static const struct part parts[] = {
        { "actions", actions }, { "queues", queues }, { "waited for", waited_for_though_ignored },
        { "not blocked", not_blocked }, { "of one's own making", of_ones_own_making },
        { "stopped waits", stopped_waits }, { "futexes", futexes }, { "futex counts", futex_counts },
    };

    answer_parts(parts, sizeof parts / sizeof parts[0], argc > 1 ? argv[1] : NULL);
    return 0;
}
