/*
 * listed.c - priorities of input and output, the kernel's log as it answers, and all locks there are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/klog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ONE = 1, GROUP, USER, CLASS = 13 };

static int ended(void)
{
    int status;

    fflush(stdout);
    wait(&status);
    return status;
}

static int part(void)
{
    fflush(stdout);
    return fork() == 0;
}

static const char *answer(long result)
{
    static char text[32];

    if (result < 0)
        return strerrorname_np(errno);
    snprintf(text, sizeof text, "%ld.%ld", result >> CLASS, result & ((1 << CLASS) - 1));
    return text;
}

static void got(const char *what, int which, int who)
{
    printf("%s: %s\n", what, answer(syscall(SYS_ioprio_get, which, who)));
}

static void set(int which, int who, int class, int level)
{
    printf("set %d.%d: %s\n", class, level, answer(syscall(SYS_ioprio_set, which, who, class << CLASS | level)));
}

static void priorities(void)
{
    struct sched_param none = { 0 }, one = { 1 };

    puts("-- priorities of input and output");
    setpgid(0, 0);
    setpriority(PRIO_PROCESS, 0, 0);            /* whatever it was begun with */
    got("at first", ONE, 0);
    got("as it counts", GROUP, 0);
    setpriority(PRIO_PROCESS, 0, 10);
    got("a nice one", GROUP, 0);
    got("itself", ONE, getpid());
    sched_setscheduler(0, SCHED_IDLE, &none);
    got("an idle one", GROUP, 0);
    sched_setscheduler(0, SCHED_FIFO, &one);
    got("one before all others", GROUP, 0);
    sched_setscheduler(0, SCHED_OTHER, &none);
    for (int class = -1; class <= 4; class++)
        for (int level = 0; level <= 7; level += 4)
            set(ONE, 0, class, level);
    set(ONE, 0, 3, 8191);
    set(ONE, 0, 2, 3);
    got("set", ONE, 0);
    if (part()) {
        got("a child's", ONE, 0);
        set(ONE, 0, 1, 2);
        got("the best of a group", GROUP, 0);
        got("of that group", GROUP, getpgrp());
        fflush(stdout);
        execl("/proc/self/exe", "listed", "again", NULL);
        _exit(1);
    }
    ended();
    set(ONE, 99999, 2, 3);
    set(0, 0, 2, 3);
    set(4, 0, 2, 3);
    got("nobody", ONE, 99999);
    got("no group", GROUP, 99999);
    got("no user", USER, 4711);
    got("none of all", 0, 0);
    set(ONE, 0, 0, 0);
    got("taken back", ONE, 0);
}

/* A stranger may change what is his own, and nobody is first for asking. */
static void stranger(void)
{
    pid_t parent = getpid();

    if (part()) {
        if (setresgid(1000, 1000, 1000) != 0 || setresuid(1000, 1000, 1000) != 0)
            _exit(1);
        puts("-- a stranger");
        set(ONE, 0, 1, 4);
        set(ONE, 0, 2, 7);
        set(ONE, 0, 3, 0);
        set(ONE, 0, 2, 0);
        set(ONE, parent, 2, 7);
        set(USER, 1000, 2, 6);
        got("his", USER, 0);
        set(USER, 0, 2, 7);
        fflush(stdout);
        _exit(0);
    }
    ended();
}

static void on_alarm(int number) { (void)number; }

static void log_as(const char *who)
{
    static const struct { int what, bytes; int null; } asked[] = {
        { 0, 0, 1 }, { 1, 0, 1 }, { 2, 0, 0 }, { 2, -1, 0 }, { 2, 8, 1 }, { 3, 0, 0 }, { 3, -1, 0 }, { 3, 8, 1 },
        { 4, -1, 0 }, { 6, 0, 1 }, { 7, 0, 1 }, { 8, 0, 1 }, { 8, 9, 1 }, { 8, 4, 1 }, { 11, 0, 1 }, { -1, 0, 1 },
    };
    static char room[64];

    printf("-- the log, as %s\n", who);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        int result = klogctl(asked[i].what, asked[i].null ? NULL : room, asked[i].bytes);

        printf("%d %d%s: %s\n", asked[i].what, asked[i].bytes, asked[i].null ? " null" : "",
               result < 0 ? strerrorname_np(errno) : result == 0 ? "0" : "more");
    }
    printf("size: %s\n", klogctl(10, NULL, 0) < 0 ? strerrorname_np(errno) : "told");
}

/* Reading an empty log waits. */
static void empty_log(void)
{
    struct sigaction wake = { .sa_handler = on_alarm };
    static char      room[4096];

    klogctl(5, NULL, 0);
    while (klogctl(9, NULL, 0) > 0)
        if (klogctl(2, room, sizeof room) < 0)
            break;
    sigaction(SIGALRM, &wake, NULL);
    ualarm(50000, 0);
    printf("empty: %s\n", klogctl(2, room, sizeof room) < 0 ? strerrorname_np(errno) : "read");
}

static void logs(void)
{
    log_as("root");
    empty_log();
    if (part()) {
        if (setresuid(1000, 1000, 1000) != 0)
            _exit(1);
        log_as("a stranger");
        fflush(stdout);
        _exit(0);
    }
    ended();
}

/* ---- Locks --------------------------------------------------------------------------------------- */

static const char path[] = "/tmp/listed-file";

/* The lines about our file: numbers in order from 1, processes and the file by what they are. */
static int compare(const void *a, const void *b) { return strcmp(a, b); }

static void show(const char *when, pid_t other)
{
    char        line[160], out[16][160];
    int         count = 0;
    struct stat file;
    FILE       *locks = fopen("/proc/locks", "r");

    printf("%s:\n", when);
    if (locks == NULL || stat(path, &file) != 0) {
        puts("no /proc/locks");
        return;
    }
    while (fgets(line, sizeof line, locks) != NULL && count < 16) {
        int                number, pid, waits, at = 0;
        unsigned           major, minor;
        unsigned long long inode;
        char               sort[8], kind[16], what[8], first[24], last[24];

        if (sscanf(line, "%d: %n", &number, &at) != 1)
            printf("odd: %s", line);
        waits = strncmp(line + at, "-> ", 3) == 0;
        at += waits ? 3 : 0;
        if (sscanf(line + at, "%7s %15s %7s %d %x:%x:%llu %23s %23s", sort, kind, what, &pid, &major, &minor, &inode,
                   first, last) != 9)
            printf("odd: %s", line);
        if (inode != file.st_ino)
            continue;
        snprintf(out[count++], sizeof out[0], "%s%s %s %s %s %s-%s%s", waits ? "-> " : "", sort, kind, what,
                 pid == getpid() ? "own" : pid == other ? "other" : pid == -1 ? "none" : "stranger", first, last,
                 makedev(major, minor) == file.st_dev ? "" : " on another device");
    }
    fclose(locks);
    qsort(out, (size_t)count, sizeof out[0], compare);
    for (int i = 0; i < count; i++)
        printf("  %s\n", out[i]);
}

static int lock(int file, int command, int type, int from, int bytes)
{
    struct flock l = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = from, .l_len = bytes };

    return fcntl(file, command, &l);
}

static void locks(void)
{
    int   file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), again = open(path, O_RDWR);
    pid_t other;

    puts("-- locks");
    show("none", 0);
    lock(file, F_SETLK, F_WRLCK, 10, 10);
    lock(file, F_SETLK, F_RDLCK, 100, 0);
    show("two of a process", 0);
    lock(again, F_OFD_SETLK, F_RDLCK, 0, 5);
    flock(again, LOCK_EX);
    show("with those of an open file", 0);
    fflush(stdout);
    if ((other = fork()) == 0) {
        lock(file, F_SETLKW, F_WRLCK, 15, 1);
        _exit(0);
    }
    usleep(200000);
    show("with one who waits", other);
    lock(file, F_SETLK, F_UNLCK, 0, 20);
    ended();
    show("after a part is free", other);
    close(again);
    close(file);
    show("closed", 0);
    unlink(path);
}

int main(int count, char *words[])
{
    if (count > 1 && strcmp(words[1], "again") == 0) {
        got("after execve", ONE, 0);
        return 0;
    }
    priorities();
    stranger();
    logs();
    locks();
    return 0;
}
