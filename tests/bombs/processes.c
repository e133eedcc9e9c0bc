/*
 * processes.c - bombs of processes, threads, locks that they wait for, and what they are given. See bombs.h.
 */
#include "bombs.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Processes and threads ----------------------------------------------------------------------------- */

static void leave_now(void)      { _exit(0); }
static void processes(void)      { UNTIL_REFUSED(child_that(wait_for_ever)); }
static void zombies(void)        { UNTIL_REFUSED(child_that(leave_now)); }

/* Each child has the next one. */
static void chain(void)
{
    for (;;) {
        pid_t child = fork();

        if (child > 0)
            wait_for_ever();
        count_or_hold(child == 0);
    }
}

static int thread_sleeps(void *unused)
{
    (void)unused;
    for (;;)
        syscall(SYS_pause);
}

static bool start_thread(int (*function)(void *))
{
    char *stack = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return stack != MAP_FAILED &&
        clone(function, stack + PAGE, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                        CLONE_SYSVSEM, NULL) > 0;
}

static void threads(void) { UNTIL_REFUSED(start_thread(thread_sleeps)); }

static int word_to_wait_for;
static int thread_waits(void *unused)
{
    (void)unused;
    for (;;)
        syscall(SYS_futex, &word_to_wait_for, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void futex_waiters(void) { UNTIL_REFUSED(start_thread(thread_waits)); }

/* A fork bomb: every process forks. */
static void doubling(void)
{
    for (;;) {
        pid_t child = fork();

        if (child >= 0)
            __sync_fetch_and_add(&told->made, 1);
        else
            told->refused = errno, sched_yield();
    }
}

/* Each child of vfork does the same, in the same memory. */
static void vfork_chain(void)
{
    for (;;) {
        pid_t child = (pid_t)syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL);

        if (child > 0)
            wait_for_ever();
        count_or_hold(child == 0);
    }
}

/* ---- Arguments ----------------------------------------------------------------------------------------- */

enum { WORDS = 4096 };
static char *words[WORDS + 1];

static void execute(size_t length, bool as_environment)
{
    char *word = malloc(length + 1), *none[] = { NULL };

    memset(word, 'w', length);
    word[length] = '\0';
    for (unsigned i = 0; i < WORDS; i++)
        words[i] = word;
    for (;;) {
        pid_t child = fork();

        if (child == 0) {
            execve("/proc/self/exe", as_environment ? none : words, as_environment ? words : none);
            told->refused = errno;
            _exit(0);
        }
        count_or_hold(child > 0);
        waitpid(child, NULL, 0);
    }
}

static void arguments(void)   { execute(2000, false); }
static void environment(void) { execute(2000, true); }

/* ---- Several resources at once ------------------------------------------------------------------------- */

/* Each process asks for the lock that the one before it holds, so deadlock detection has a chain to follow. */
static volatile unsigned turn;

static void hold_and_wait(void)
{
    int          file = open("locked", O_RDWR | O_CREAT, 0600);
    struct flock own  = { .l_type = F_WRLCK, .l_start = turn, .l_len = 1 };
    struct flock next = { .l_type = F_WRLCK, .l_start = turn - 1, .l_len = 1 };

    fcntl(file, F_SETLK, &own);
    if (turn > 0)
        fcntl(file, F_SETLKW, &next);
    wait_for_ever();
}

static void lock_waiters(void)
{
    for (;; turn++)
        count_or_hold(child_that(hold_and_wait));
}

/* Children of children that have ended belong to process 1 from then on. */
static void leave_a_child(void)
{
    if (!child_that(wait_for_ever))
        told->refused = errno;
}

static void orphans(void)
{
    for (;;) {
        pid_t child = fork();

        if (child == 0) {
            leave_a_child();
            _exit(0);
        }
        count_or_hold(child > 0);
        waitpid(child, NULL, 0);
        errno = told->refused;
        if (errno != 0)
            count_or_hold(false);
    }
}

static void stop_oneself(void) { raise(SIGSTOP); }

static void stopped(void) { UNTIL_REFUSED(child_that(stop_oneself)); }

/* A thread's list of robust futexes that has no end. */
static void leave_endless_list(void)
{
    struct robust_list_head head = { { &head.list }, 0, NULL };
    struct robust_list      around = { &around };

    head.list.next = &around;
    syscall(SYS_set_robust_list, &head, sizeof head);
    _exit(0);
}

static void robust_lists(void)
{
    for (;;) {
        pid_t child = fork();

        if (child == 0)
            leave_endless_list();
        count_or_hold(child > 0);
        waitpid(child, NULL, 0);
    }
}

/* The largest list of groups, one for each process. */
static void groups(void)
{
    enum { GROUPS = 65536 };
    static gid_t list[GROUPS];

    for (unsigned i = 0; i < GROUPS; i++)
        list[i] = i;
    for (;;) {
        pid_t child = fork();

        if (child == 0) {
            if (setgroups(GROUPS, list) != 0)
                _exit(told->refused = errno);
            wait_for_ever();
        }
        count_or_hold(child > 0 && told->refused == 0);
    }
}

static void poll_many(void)
{
    enum { ENTRIES = 1000 };
    static struct pollfd entries[ENTRIES];
    int ends[2];

    if (pipe(ends) != 0)
        _exit(told->refused = errno);
    for (unsigned i = 0; i < ENTRIES; i++)
        entries[i] = (struct pollfd){ .fd = ends[0], .events = POLLIN };
    poll(entries, ENTRIES, -1);
}

static void pollers(void) { UNTIL_REFUSED(child_that(poll_many) && told->refused == 0); }

const struct bomb bombs_of_processes[] = {
    { "processes", processes }, { "zombies", zombies }, { "chain", chain }, { "threads", threads },
    { "futex-waiters", futex_waiters }, { "doubling", doubling }, { "vfork-chain", vfork_chain },
    { "arguments", arguments }, { "environment", environment }, { "lock-waiters", lock_waiters },
    { "orphans", orphans }, { "stopped", stopped }, { "robust-lists", robust_lists }, { "groups", groups },
    { "pollers", pollers },
    { NULL, NULL }
};
