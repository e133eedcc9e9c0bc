/*
 * held.c - how long one call keeps others from running, where a program chooses how much the call goes over.
 *
 * A line for each call: its name, and the most milliseconds that passed between two looks at the clock of a process
 * that is always ready. tests/system/test_held.py knows how many are right. The numbers below are for 64 MiB.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ASKED = 30000, SELECTED = 15000, DEEP = 60000, ENTRIES = 12000, WORD = 32 };

static volatile double *longest;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void die(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

static pid_t begin_to_watch(void)
{
    pid_t watcher;

    longest = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    watcher = fork();
    if (watcher == 0)
        for (double last = now(), at; ; last = at)
            if ((at = now()) - last > *longest)
                *longest = at - last;
    return watcher;
}

/* From here on, with a turn that has just begun. */
static void forget(void)
{
    sched_yield();
    *longest = 0;
}

static void tell(const char *name)
{
    sched_yield();
    printf("%s %.0f\n", name, *longest);
    fflush(stdout);
}

/* ---- What is asked about many files ------------------------------------------------------------------- */

static void poll_many(void)
{
    struct pollfd *asked = malloc(ASKED * sizeof *asked);
    int            ends[2];

    if (asked == NULL || pipe(ends) != 0)
        die("pipe");
    for (int i = 0; i < ASKED; i++)
        asked[i] = (struct pollfd){ ends[0], POLLIN, 0 };
    forget();
    if (poll(asked, ASKED, 1) != 0)
        die("poll");
    tell("poll");
    free(asked);
}

static void select_many(void)
{
    unsigned      *set  = calloc(SELECTED / WORD + 1, sizeof *set);
    struct timeval time = { 0, 1000 };
    int            ends[2];

    if (set == NULL || pipe(ends) != 0)
        die("pipe");
    for (int i = ends[1] + 1; i < SELECTED; i++) {
        if (dup2(ends[0], i) != i)
            die("dup2");
        if ((i + 1) % WORD != 0)                /* a number that no rest may depend on */
            set[i / WORD] |= 1u << i % WORD;
    }
    forget();
    if (syscall(SYS__newselect, SELECTED, set, NULL, NULL, &time) != 0)
        die("select");
    tell("select");
    for (int i = ends[1] + 1; i < SELECTED; i++)
        close(i);
    free(set);
}

/* ---- Folders ------------------------------------------------------------------------------------------- */

static int folder_in(int folder, const char *name)
{
    int inner;

    if (mkdirat(folder, name, 0700) != 0 || (inner = openat(folder, name, O_RDONLY)) < 0)
        die(name);
    return inner;
}

static void rename_far_down(void)
{
    int folder = folder_in(AT_FDCWD, "/tmp/held"), inner, from, to;

    for (int i = 0; i < DEEP; i++, folder = inner) {
        inner = folder_in(folder, "x");
        close(folder);
    }
    from = folder_in(folder, "from");
    to   = folder_in(folder, "to");
    close(folder_in(from, "moved"));
    forget();
    if (renameat(from, "moved", to, "moved") != 0)
        die("rename");
    tell("rename");
}

static void list_many(void)
{
    size_t room = ENTRIES * 64;
    char  *list = malloc(room), name[16];
    int    folder = folder_in(AT_FDCWD, "/tmp/listed");

    if (list == NULL)
        die("malloc");
    memset(list, 1, room);
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof name, "%d", i);
        if (symlinkat("x", folder, name) != 0)
            die(name);
    }
    forget();
    if (syscall(SYS_getdents64, folder, list, room) <= ENTRIES)
        die("getdents64");
    tell("getdents64");
    free(list);
}

int main(void)
{
    struct rlimit files   = { 1 << 20, 1 << 20 };
    pid_t         watcher = begin_to_watch();

    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        die("setrlimit");
    poll_many();
    select_many();
    rename_far_down();
    list_many();
    kill(watcher, SIGKILL);
    wait(NULL);
    return 0;
}
