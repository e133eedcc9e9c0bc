/*
 * crowd.c - as many threads as there may be, all inside the kernel at once.
 *
 *   crowd one         start threads until that is refused, let all of them do system calls, end them; twice
 *   crowd two         the same in two processes at the same time, whose threads wake each other's
 *   crowd fork        in a process nearly full: a spawn, a thread that forks and whose child executes, one that
 *                     executes
 *   crowd last        executed by them: prints one line
 *
 * Each thread sleeps in a read of a pipe, with its number in two registers that the kernel must give back: they
 * lie on its kernel stack, which in a crowd touches its neighbours'. The threads use no C library.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 8192, STACK = 1024, PATIENCE = 50 };
enum { FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
       CLONE_CHILD_CLEARTID };

static volatile int number_of[MOST];        /* number of each thread; 0 when the thread has ended            */
static volatile int inside, came_back, corrupted;
static int read_from;                       /* a byte for each thread comes out of this pipe  */
static char *stacks;

static int read_one(long me)
{
    char byte = 0;
    int result;
    long first = me, second = ~me;

    __asm__ volatile("int $0x80" : "=a"(result), "+S"(first), "+D"(second)
                     : "a"(SYS_read), "b"(read_from), "c"(&byte), "d"(1) : "memory");
    if (first != me || second != ~me)
        __sync_fetch_and_add(&corrupted, 1);
    return result == 1 && byte == 'x';
}

static int sleep_in_kernel(void *with)
{
    __sync_fetch_and_add(&inside, 1);
    if (read_one((long)with))
        __sync_fetch_and_add(&came_back, 1);
    return 0;
}

/* Threads that have ended may still be giving their stacks back, so a refusal is asked for again. */
static int start(int (*work)(void *), long me)
{
    for (int i = 0; ; i++) {
        int got;

        number_of[me] = -1;
        got = clone(work, stacks + (me + 1) * STACK, FLAGS, (void *)me, NULL, NULL, (int *)&number_of[me]);
        if (got >= 0)
            return 0;
        number_of[me] = 0;
        if (i == PATIENCE || errno != EAGAIN)
            return errno;
        sched_yield();
    }
}

static int start_all(int *why)
{
    int count = 0;

    while (count < MOST && (*why = start(sleep_in_kernel, count)) == 0)
        count++;
    return count;
}

static void join(int count)
{
    for (int i = 0; i < count; i++)
        while (number_of[i] != 0)
            syscall(SYS_futex, &number_of[i], FUTEX_WAIT, number_of[i], NULL);
}

static void wait_until(volatile int *word, int value)
{
    while (*word != value)
        sched_yield();
}

/* A byte for each; a pipe may hold fewer. */
static void let_go(int fd, int count)
{
    static char bytes[MOST];

    memset(bytes, 'x', (size_t)count);
    for (int done = 0; done < count; )
        done += (int)write(fd, bytes, (size_t)(count - done));
}

static void tell(const char *who, int round, int count, int why)
{
    printf("%s, round %d: %d threads, then %s; %d came back, %d corrupted\n", who, round, count + 1,
           strerrorname_np(why), came_back, corrupted);
    fflush(stdout);
}

static void forget(void) { inside = came_back = corrupted = 0; }

static int one(void)
{
    int ends[2];

    if (pipe(ends) != 0)
        return 1;
    read_from = ends[0];
    for (int round = 1; round <= 2; round++) {
        int why, count = start_all(&why);

        wait_until(&inside, count);
        let_go(ends[1], count);
        join(count);
        tell("one", round, count, why);
        forget();
    }
    return 0;
}

/* Both processes are full before either releases the other's threads, and stay full until their own are released. */
static int half(const char *who, int own, int others, int tell_other, int hear_other)
{
    char byte = 'r';
    int why, count, other;

    read_from = own;
    count = start_all(&why);
    wait_until(&inside, count);
    if (write(tell_other, &count, sizeof count) != sizeof count ||
        read(hear_other, &other, sizeof other) != sizeof other)
        return 1;
    let_go(others, other);
    join(count);
    if (write(tell_other, &byte, 1) != 1 || read(hear_other, &byte, 1) != 1)
        return 1;
    tell(who, 1, count, why);
    return 0;
}

static int two(void)
{
    int a[2], b[2], to_a[2], to_b[2], status;

    if (pipe(a) != 0 || pipe(b) != 0 || pipe(to_a) != 0 || pipe(to_b) != 0)
        return 1;
    if (fork() == 0)
        _exit(half("child", b[0], a[1], to_a[1], to_b[0]));
    if (half("parent", a[0], b[1], to_b[1], to_a[0]) != 0)
        return 1;
    return wait(&status) > 0 && status == 0 ? 0 : 1;
}

static char *const last[] = { "/proc/self/exe", "last", NULL };

/* A thread may fork without the C library: the child has this thread's stack, and executes at once. */
static int forker(void *with)
{
    int status = 0, child;

    (void)with;
    __asm__ volatile("int $0x80" : "=a"(child) : "a"(SYS_fork) : "memory");
    if (child == 0)
        __asm__ volatile("int $0x80" : : "a"(SYS_execve), "b"(last[0]), "c"(last), "d"(0) : "memory");
    __asm__ volatile("int $0x80" : "=a"(child) : "a"(SYS_waitpid), "b"(child), "c"(&status), "d"(0) : "memory");
    if (child > 0 && status == 0)
        __sync_fetch_and_add(&came_back, 1);
    return 0;
}

static int executer(void *with)
{
    (void)with;
    __asm__ volatile("int $0x80" : : "a"(SYS_execve), "b"(last[0]), "c"(last), "d"(0) : "memory");
    return 1;
}

/* A child of glibc's posix_spawn() shares this process's memory, and its stacks, until it executes. */
static int spawn(void)
{
    pid_t child;
    int   status;

    return posix_spawn(&child, last[0], NULL, NULL, last, NULL) == 0 && waitpid(child, &status, 0) == child &&
        status == 0;
}

/* The number of a thread that has ended, or of none. */
static int free_number(int count)
{
    int i = 0;

    while (i < count && number_of[i] != 0)
        i++;
    return i;
}

static int fork_and_exec(void)
{
    int ends[2], why, count;

    if (pipe(ends) != 0)
        return 1;
    read_from = ends[0];
    count = start_all(&why);
    wait_until(&inside, count);
    let_go(ends[1], 3);                     /* room for the next child, its children, and one that is still ending */
    wait_until(&came_back, 3);
    if (!spawn())
        return 1;
    why = free_number(count);
    if (start(forker, why) != 0)
        return 1;
    wait_until(&number_of[why], 0);
    printf("fork: the child has %s\n", came_back == 4 ? "executed" : "not executed");
    fflush(stdout);
    start(executer, free_number(count));
    for (;;)
        pause();
}

int main(int count, char **words)
{
    const char *what = count > 1 ? words[1] : "";

    stacks = mmap(NULL, (size_t)MOST * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stacks == MAP_FAILED)
        return 1;
    if (strcmp(what, "one") == 0)
        return one();
    if (strcmp(what, "two") == 0)
        return two();
    if (strcmp(what, "fork") == 0)
        return fork_and_exec();
    printf("%s: here\n", what);
    return strcmp(what, "last") == 0 ? 0 : 2;
}
