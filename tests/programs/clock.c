/*
 * clock.c - the clock at the beginning and at the end of some seconds of a load, printed when asked.
 *
 *     clock LOAD SECONDS
 *
 * At either end it prints that it is ready, and answers each `?` from standard input with the clock's nanoseconds, at
 * once, until another byte comes: the asker knows by its own clock between which two moments each answer was. In the
 * load the clock is looked at again and again: it never steps back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
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

#define SECOND 1000000000ull
#define LARGE  (400u << 20)

static uint64_t last, load_ends;

static uint64_t now(void)
{
    struct timespec t;
    uint64_t        said;

    clock_gettime(CLOCK_MONOTONIC, &t);
    said = (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
    if (said < last) {
        printf("the clock stepped back by %llu ns\n", (unsigned long long)(last - said));
        exit(1);
    }
    return last = said;
}

static void fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

static void answer(void)
{
    char asked;

    puts("ready");
    fflush(stdout);
    while (read(0, &asked, 1) == 1 && asked == '?') {
        printf("%llu\n", (unsigned long long)now());
        fflush(stdout);
    }
}

static char *large_memory(void)
{
    char *at = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (at == MAP_FAILED)
        fail("mmap");
    return at;
}

static void sleep_idle(void)
{
    struct timespec rest = { 0, 0 };

    rest.tv_sec  = (time_t)((load_ends - now()) / SECOND);
    rest.tv_nsec = (long)((load_ends - last) % SECOND);
    nanosleep(&rest, NULL);
}

static void fork_large(void)
{
    large_memory();
    while (now() < load_ends) {
        pid_t child = fork();

        if (child < 0)
            fail("fork");
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
}

static void map_and_unmap(void)
{
    while (now() < load_ends)
        munmap(large_memory(), LARGE);
}

/* A byte to a child and back. */
static void play_pipe(void)
{
    int  there[2], back[2];
    char byte = 0;

    if (pipe(there) != 0 || pipe(back) != 0)
        fail("pipe");
    if (fork() == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
            ;
        _exit(0);
    }
    while (now() < load_ends)
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            fail("pipe");
    close(there[1]);
    wait(NULL);
}

static volatile unsigned long rung;

static void ring(int number)
{
    (void)number;
    rung++;
}

/*
 * Ten thousand, each once in four seconds, and no two at one moment. More often, and a busy host that emulates has no
 * time left for the program between the signals.
 */
static void arm_many_timers(void)
{
    enum { MANY = 10000 };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct rlimit   limit = { 2 * MANY, 2 * MANY };

    if (setrlimit(RLIMIT_SIGPENDING, &limit) != 0)
        fail("setrlimit");
    signal(SIGUSR1, ring);
    for (int i = 0; i < MANY; i++) {
        enum { APART = 399990, SECOND_NS = 1000000000 };    /* one after the other, all within the interval */
        struct { int32_t interval, interval_ns, value, value_ns; } often = {
            4, 0, (int32_t)((1 + (int64_t)i * APART) / SECOND_NS), (int32_t)((1 + (int64_t)i * APART) % SECOND_NS) };
        int id;

        if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) != 0 ||
            syscall(SYS_timer_settime, id, 0, &often, NULL) != 0)
            fail("timer");
    }
    while (now() < load_ends)
        pause();
    if (rung < MANY)
        fail("timers rang too seldom");
}

static const struct { const char *name; void (*run)(void); } loads[] = {
    { "idle", sleep_idle }, { "fork", fork_large }, { "map", map_and_unmap }, { "pipe", play_pipe },
    { "timers", arm_many_timers },
};

int main(int count, char **words)
{
    for (unsigned i = 0; i < sizeof loads / sizeof *loads && count == 3; i++) {
        if (strcmp(words[1], loads[i].name) != 0)
            continue;
        answer();
        load_ends = now() + (uint64_t)atoi(words[2]) * SECOND;
        loads[i].run();
        answer();
        return 0;
    }
    return 2;
}
