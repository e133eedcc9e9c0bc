/*
 * waiting.c - threads of one process that fault, copy and wait in the kernel while one of them changes the map.
 *
 * Its calls take long (fork, munmap, mprotect and mremap of many pages; another one cuts off a file that is
 * mapped), so the others meet it in the middle and wait for the map or the file. Each of them checks that its memory is
 * what it wrote. What is printed is the same on Linux.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, OWN = 64, LARGE = 16 * 1024 * 1024 };

static volatile int stop;
static unsigned wrong, rounds[8];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void check(int is, const char *what)
{
    if (!is && __sync_fetch_and_add(&wrong, 1) < 5)
        printf("wrong: %s, errno %d\n", what, errno);
}

static char *map(size_t size)
{
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        exit(1);
    return at;
}

/* First touches, and copies after a fork. */
static void *fault(void *none)
{
    while (!stop) {
        char *at = map(OWN * PAGE);

        for (int i = 0; i < OWN; i++)
            check(at[i * PAGE] == 0, "a fresh page");
        for (int i = 0; i < OWN; i++)
            at[i * PAGE] = i + 1;
        for (int i = 0; i < OWN; i++)
            check(at[i * PAGE] == i + 1, "a page of one's own");
        munmap(at, OWN * PAGE);
        rounds[0]++;
    }
    return none;
}

/* The kernel copies from and to pages that are not present yet. */
static void *copy(void *none)
{
    int pipes[2];

    if (pipe(pipes) != 0)
        exit(1);
    while (!stop) {
        char *from = map(2 * PAGE), *to = map(2 * PAGE);

        memset(from, 'x', PAGE + 7);
        check(write(pipes[1], from, PAGE + 7) == PAGE + 7, "a write");
        check(read(pipes[0], to, 2 * PAGE) == PAGE + 7, "a read");
        check(memcmp(from, to, PAGE + 7) == 0, "what was read");
        munmap(from, 2 * PAGE);
        munmap(to, 2 * PAGE);
        rounds[1]++;
    }
    return none;
}

/* The page of a futex is dropped and comes back as zeros. */
static void *wait_for_word(void *none)
{
    struct timespec soon = { 0, 200000 };
    int            *word = (int *)map(PAGE);

    while (!stop) {
        long got;

        madvise(word, PAGE, MADV_DONTNEED);
        got = syscall(SYS_futex, word, FUTEX_WAIT, 1, &soon, NULL, 0);
        check(got == -1 && errno == EAGAIN, "a futex whose word is another");
        got = syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, &soon, NULL, 0);
        check(got == -1 && errno == ETIMEDOUT, "a futex that nobody wakes");
        rounds[2]++;
    }
    return none;
}

static void *move_break(void *none)
{
    while (!stop) {
        char *at = sbrk(8 * PAGE);

        if (at == (void *)-1)
            continue;
        at[7 * PAGE] = 1;
        check(sbrk(0) == at + 8 * PAGE, "the break");
        sbrk(-8 * PAGE);
        rounds[3]++;
    }
    return none;
}

/* A stack that grows: deep enough to reach new pages, in a thread whose stack is large. */
static int deep(int left)
{
    volatile char here[2 * PAGE];

    here[0] = left;
    here[sizeof here - 1] = left;
    return left == 0 ? 0 : deep(left - 1) + (here[0] == (char)left);
}

static void *recurse(void *none)
{
    while (!stop) {
        check(deep(100) == 100, "a deep stack");
        rounds[4]++;
    }
    return none;
}

/* A file that becomes shorter and longer all the time, */
static int cut_file;

static void *cut(void *none)
{
    while (!stop) {
        check(ftruncate(cut_file, 0) == 0, "a file cut off");
        check(ftruncate(cut_file, LARGE) == 0, "a file made longer");
        rounds[5]++;
    }
    return none;
}

/* and a thread that maps the file, and puts private memory in the place of half of it. */
static __thread sigjmp_buf  past_the_end;
static __thread volatile int touches;

static void no_such_page(int signal)
{
    if (!touches)
        _exit(9);
    siglongjmp(past_the_end, 1);
}

static void *show(void *none)
{
    while (!stop) {
        char *at = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_SHARED, cut_file, 0), *own = at + LARGE / 2;

        check(at != MAP_FAILED, "a file mapped");
        touches = 1;
        if (sigsetjmp(past_the_end, 1) == 0)
            for (size_t i = 0; i < LARGE; i += PAGE)
                at[i] = 'f';
        touches = 0;
        check(mmap(own, LARGE / 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == own,
              "memory over half of it");
        for (int i = 0; i < OWN; i++)
            own[i * PAGE] = i + 1;
        sched_yield();
        for (int i = 0; i < OWN; i++)
            check(own[i * PAGE] == i + 1, "memory in the place of a file");
        check(munmap(at, LARGE) == 0, "both unmapped");
        rounds[6]++;
    }
    return none;
}

static void change(void)
{
    char *at = map(LARGE);
    pid_t child;

    for (size_t i = 0; i < LARGE; i += PAGE)
        at[i] = 1;
    child = fork();
    if (child == 0)
        _exit(at[LARGE - PAGE] == 1 ? 7 : 8);
    else {
        int status = 0;

        check(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7, "a child");
    }
    check(mprotect(at, LARGE, PROT_READ) == 0 && at[PAGE] == 1, "mprotect");
    check(mprotect(at, LARGE, PROT_READ | PROT_WRITE) == 0, "mprotect back");
    at[5 * PAGE] = 2;
    at = mremap(at, LARGE, LARGE + PAGE, MREMAP_MAYMOVE);
    check(at != MAP_FAILED && at[5 * PAGE] == 2 && at[LARGE - PAGE] == 1, "mremap");
    check(munmap(at, LARGE + PAGE) == 0, "munmap");
    rounds[7]++;
}

int main(void)
{
    static void *(*const acts[])(void *) = { fault, copy, wait_for_word, move_break, recurse, cut, show };
    enum { THREADS = sizeof acts / sizeof *acts };
    pthread_t threads[THREADS];
    double    end = now() + 4;

    cut_file = memfd_create("cut", 0);
    signal(SIGBUS, no_such_page);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, acts[i], NULL) != 0)
            return 1;
    while (now() < end)
        change();
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i <= THREADS; i++)
        if (rounds[i] == 0)
            printf("%d went round never\n", i);
    printf("%u wrong\n", wrong);
    return wrong != 0;
}
