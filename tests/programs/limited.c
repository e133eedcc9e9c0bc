/*
 * limited.c - what a limit allows is all that a program gets, and others run while one call takes long.
 *
 *   limited             one line for each
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, USER = 1000 };

/* ---- Limits --------------------------------------------------------------------------------------- */

/* A thread may send itself real-time signals with any code: no code is beyond the limit. */
static int queue_signals(void)
{
    enum { LIMIT = 50, MOST = 1000, NUMBER = 40 };
    static const int codes[] = { -1, 1, 0x80 };
    struct rlimit    limit   = { LIMIT, LIMIT };
    sigset_t         all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setrlimit(RLIMIT_SIGPENDING, &limit);
    for (unsigned i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        int       info[32] = { NUMBER, 0, codes[i] }, sent = 0;
        siginfo_t taken;

        while (sent < MOST && syscall(SYS_rt_sigqueueinfo, getpid(), NUMBER, info) == 0)
            sent++;
        printf("code %d: %s of %d\n", codes[i], sent == MOST ? "no end" : "an end", LIMIT);
        while (sigtimedwait(&all, &taken, &(struct timespec){ 0, 0 }) == NUMBER)
            ;
    }
    return 0;
}

/* A locked stack grows as far as RLIMIT_MEMLOCK allows: the return value is how many pages it had then. */
static volatile char *volatile touched;
static char *stack_end;
static char  other_stack[16 * PAGE];

static void tell_pages(int number)
{
    (void)number;
    _exit((int)((stack_end - touched) / PAGE));     /* the one that was refused is not counted, nor is its first byte */
}

static int grow_locked(void)
{
    enum { BEGIN = 2, LIMIT = 5, ROOM = 600, MOST = 20 };
    struct rlimit    limit = { LIMIT * PAGE, LIMIT * PAGE };
    struct sigaction told  = { .sa_handler = tell_pages, .sa_flags = SA_ONSTACK };
    char            *room  = mmap(NULL, ROOM * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char            *stack;

    munmap(room, ROOM * PAGE);
    stack = mmap(room + (ROOM - BEGIN) * PAGE, BEGIN * PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    stack_end = stack + BEGIN * PAGE;
    sigaltstack(&(stack_t){ .ss_sp = other_stack, .ss_size = sizeof other_stack }, NULL);
    sigaction(SIGSEGV, &told, NULL);
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || setuid(USER) != 0 || mlock(stack, BEGIN * PAGE) != 0)
        return 99;
    for (int pages = 1; pages <= MOST; pages++) {
        touched = stack_end - pages * PAGE + PAGE - 1;
        *touched = 1;
    }
    return MOST;
}

/* ---- Others run meanwhile --------------------------------------------------------------------------- */

enum { MANY = 640 << 20, TEXTS = 2000000 };

static double *shared;                          /* the longest that the watcher has not run; whether it has begun */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch(void)
{
    volatile double *worst = shared;

    for (double last = now(); ; ) {
        double this = now();

        if (this - last > worst[0])
            worst[0] = this - last;
        worst[1] = 1;
        last = this;
    }
}

/* Another process stands still for less than half of the call, unless that is too short to tell. */
static void see(const char *what, int (*call)(void))
{
    enum { TOO_SHORT_MS = 300 };
    volatile double *worst = shared;
    double           began, took;
    pid_t            watcher;

    worst[0] = worst[1] = 0;
    fflush(stdout);
    watcher = fork();
    if (watcher == 0)
        watch();
    while (worst[1] == 0)
        usleep(1000);
    began = now();
    if (call() != 0)
        printf("%s: %s\n", what, strerror(errno));
    took = now() - began;
    usleep(1000);
    kill(watcher, SIGKILL);
    waitpid(watcher, NULL, 0);
    printf("%s: others %s\n", what, took * 1000 < TOO_SHORT_MS || worst[0] < took / 2 ? "run meanwhile" :
           "stand still");
}

static char *many;

static int populate(void)
{
    many = mmap(NULL, MANY, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1, 0);
    return many == MAP_FAILED ? -1 : 0;
}

static int populate_again(void) { return madvise(many, MANY, 22); }
static int lock_it(void)        { return mlock(many, MANY); }

/* With very many texts of no bytes: on Linux as here they are more than a stack may hold. */
static int execute(void)
{
    char **texts = malloc((TEXTS + 1) * sizeof *texts);

    for (int i = 0; i < TEXTS; i++)
        texts[i] = "";
    texts[TEXTS] = NULL;
    execv("/proc/self/exe", texts);
    free(texts);
    return 0;
}

static const char *run(int (*what)(void))
{
    static char text[16];
    int         status;
    pid_t       child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        status = what();
        fflush(stdout);
        _exit(status);
    }
    waitpid(child, &status, 0);
    snprintf(text, sizeof text, WIFEXITED(status) ? "%d" : "signal", WEXITSTATUS(status));
    return text;
}

int main(int count, char **arguments)
{
    if (count > 1 || arguments[0][0] == '\0')
        return 1;
    (void)!run(queue_signals);
    printf("a locked stack of at most 5 pages: %s\n", run(grow_locked));
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    see("mmap", populate);
    see("madvise", populate_again);
    see("mlock", lock_it);
    see("execve", execute);
    return 0;
}
