/*
 * locks.c - record locks: splits and joins, the holder named first, waiters, circles; open files' locks; flock().
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static const char path[] = "/tmp/locks-file";

static const char *answer(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

static int lock(int file, int command, int type, off_t from, off_t bytes)
{
    struct flock l = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = from, .l_len = bytes };

    return fcntl(file, command, &l);
}

/* All locks of others, from the front, as another process sees them. */
static void show(const char *when)
{
    fflush(stdout);
    if (fork() == 0) {
        int     file = open(path, O_RDWR);
        off_t from = 0;

        printf("%s:", when);
        for (int i = 0; i < 20; i++) {
            struct flock l = { .l_type = F_WRLCK, .l_start = from };

            fcntl(file, F_GETLK, &l);
            if (l.l_type == F_UNLCK)
                break;
            printf(" %s%lld+%lld%s", l.l_type == F_WRLCK ? "W" : "R", (long long)l.l_start, (long long)l.l_len,
                   l.l_pid == getppid() ? "" : l.l_pid == -1 ? " of a file" : " of another");
            if (l.l_len == 0)
                break;
            from = l.l_start + l.l_len;
        }
        puts("");
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

static void splits(void)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), again;

    puts("-- one owner");
    lock(file, F_SETLK, F_WRLCK, 10, 10), lock(file, F_SETLK, F_RDLCK, 13, 5), show("read inside");
    lock(file, F_SETLK, F_WRLCK, 13, 5), show("joined");
    lock(file, F_SETLK, F_UNLCK, 12, 2), show("a hole");
    lock(file, F_SETLK, F_WRLCK, 20, 10), show("a neighbour"), lock(file, F_SETLK, F_RDLCK, 30, 5),
        show("of another kind");
    lock(file, F_SETLK, F_RDLCK, 0, 0), show("all"), lock(file, F_SETLK, F_UNLCK, 100, 0), show("not the end");
    lock(file, F_SETLK, F_UNLCK, 0, 0), show("none");
    lock(file, F_SETLK, F_WRLCK, 0, INT64_MAX), lock(file, F_SETLK, F_WRLCK, INT64_MAX, 1), show("up to the last byte");
    lock(file, F_SETLK, F_UNLCK, 0, 0);
    lock(file, F_SETLK, F_WRLCK, 1ll << 40, 1ll << 33), show("far away");
    lock(file, F_SETLK, F_UNLCK, 0, 0);
    lock(file, F_SETLK, F_WRLCK, 20, -10), show("a negative length");
    again = open(path, O_RDONLY), close(again), show("another descriptor closed");
    for (int i = 0; i < 2000; i++)
        lock(file, F_SETLK, F_WRLCK, 2 * i, 1);
    for (int i = 0; i < 1997; i++)
        lock(file, F_SETLK, F_WRLCK, 2 * i + 1, 1);
    show("two thousand, and what is between");
    close(file), show("closed");
}

static void refusals(void)
{
    int            file = open(path, O_RDWR), reader = open(path, O_RDONLY), writer = open(path, O_WRONLY),
        bare = open(path, O_PATH);
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -1, .l_len = 1 };

    puts("-- refusals");
    printf("write without right: %s\n", answer(lock(reader, F_SETLK, F_WRLCK, 0, 1)));
    printf("read without right: %s\n", answer(lock(writer, F_SETLK, F_RDLCK, 0, 1)));
    printf("ask without right: %s\n", answer(lock(reader, F_GETLK, F_WRLCK, 0, 1)));
    printf("a path: %s\n", answer(lock(bare, F_SETLK, F_RDLCK, 0, 1)));
    printf("another type: %s\n", answer(lock(file, F_SETLK, 7, 0, 1)));
    printf("ask for nothing: %s\n", answer(lock(file, F_GETLK, F_UNLCK, 0, 1)));
    printf("before the start: %s\n", answer(lock(file, F_SETLK, F_WRLCK, -1, 1)));
    printf("a length before the start: %s\n", answer(lock(file, F_SETLK, F_WRLCK, 5, -6)));
    printf("up to the start: %s\n", answer(lock(file, F_SETLK, F_WRLCK, 5, -5)));
    printf("beyond all: %s\n", answer(lock(file, F_SETLK, F_WRLCK, INT64_MAX, 2)));
    ftruncate(file, 0);
    printf("before an empty file's end: %s\n", answer(fcntl(file, F_SETLK, &l)));
    l.l_whence = 9;
    printf("from elsewhere: %s\n", answer(fcntl(file, F_SETLK, &l)));
    printf("to nowhere: %s\n", answer(fcntl(file, F_GETLK, (void *)8)));
    printf("flock with nothing: %s\n", answer(flock(file, 0)));
    printf("flock with both: %s\n", answer(flock(file, LOCK_SH | LOCK_EX)));
    printf("flock of a path: %s\n", answer(flock(bare, LOCK_SH)));
    close(file), close(reader), close(writer), close(bare);
}

/* A child that takes a lock, reports it, and waits to be killed. */
static pid_t holder(int type, off_t from, off_t bytes)
{
    int   p[2];
    char  c;
    pid_t child;

    pipe(p);
    child = fork();
    if (child == 0) {
        int file = open(path, O_RDWR);

        lock(file, F_SETLK, type, from, bytes);
        write(p[1], "x", 1);
        for (;;)
            pause();
    }
    read(p[0], &c, 1), close(p[0]), close(p[1]);
    return child;
}

static void end(pid_t child) { kill(child, SIGKILL), waitpid(child, NULL, 0); }

static void several(void)
{
    int            file = open(path, O_RDWR);
    pid_t          one = holder(F_RDLCK, 50, 10), two = holder(F_RDLCK, 0, 100), three = holder(F_WRLCK, 200, 5);
    struct flock l = { .l_type = F_WRLCK };

    puts("-- several owners");
    fcntl(file, F_GETLK, &l);
    printf("the first who came: %lld+%lld of the %s\n", (long long)l.l_start, (long long)l.l_len,
           l.l_pid == one ? "first" : "others");
    l = (struct flock){ .l_type = F_RDLCK };
    fcntl(file, F_GETLK, &l);
    printf("who is in a reader's way: %lld+%lld of the %s\n", (long long)l.l_start, (long long)l.l_len,
           l.l_pid == three ? "third" : "others");
    printf("read: %s\n", answer(lock(file, F_SETLK, F_RDLCK, 40, 30)));
    printf("write: %s\n", answer(lock(file, F_SETLK, F_WRLCK, 40, 30)));
    end(one), end(three);
    printf("write still: %s\n", answer(lock(file, F_SETLK, F_WRLCK, 40, 30)));
    end(two);
    printf("write: %s\n", answer(lock(file, F_SETLK, F_WRLCK, 40, 30)));
    close(file);
}

static void nothing(int number) { (void)number; }

/* `count` processes, each with a lock of its own, each waiting for the next one's: the last of them is refused. */
static void circle(int count)
{
    int   ready[2], go[2], refused = 0, status;
    char  c;
    pid_t children[8];

    pipe(ready), pipe(go);
    for (int i = 0; i < count; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            int file = open(path, O_RDWR);

            alarm(20);
            lock(file, F_SETLK, F_WRLCK, i, 1);
            write(ready[1], "x", 1), read(go[0], &c, 1);
            status = lock(file, F_SETLKW, F_WRLCK, (i + 1) % count, 1);
            _exit(status == 0 ? 0 : errno == EDEADLK ? 1 : 2);
        }
    }
    for (int i = 0; i < count; i++)
        read(ready[0], &c, 1);
    write(go[1], "12345678", (size_t)count);
    for (int i = 0; i < count; i++) {
        waitpid(children[i], &status, 0);
        refused += WIFEXITED(status) && WEXITSTATUS(status) == 1;
        if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
            printf("a child ended with %x\n", status);
    }
    printf("a circle of %d: %d refused\n", count, refused);
    close(ready[0]), close(ready[1]), close(go[0]), close(go[1]);
}

static void waiting(void)
{
    int   file = open(path, O_RDWR), status;
    pid_t child;

    puts("-- waiting");
    for (int i = 2; i < 6; i++)
        circle(i);
    lock(file, F_SETLK, F_WRLCK, 0, 10);
    child = fork();
    if (child == 0) {
        int other = open(path, O_RDWR);

        _exit(lock(other, F_SETLKW, F_WRLCK, 5, 1) == 0 ? 3 : 4);
    }
    usleep(30000);
    lock(file, F_SETLK, F_UNLCK, 0, 5);
    usleep(30000);
    printf("another part is free: %s\n", waitpid(child, &status, WNOHANG) == 0 ? "waits" : "has it");
    lock(file, F_SETLK, F_UNLCK, 5, 1), waitpid(child, &status, 0);
    printf("this part is free: %d\n", WEXITSTATUS(status));
    child = holder(F_WRLCK, 0, 1);
    sigaction(SIGALRM, &(struct sigaction){ .sa_handler = nothing }, NULL);
    alarm(1);
    printf("interrupted: %s\n", answer(lock(file, F_SETLKW, F_WRLCK, 0, 1)));
    end(child);
    printf("then: %s\n", answer(lock(file, F_SETLKW, F_WRLCK, 0, 1)));
    close(file);
}

static void of_files(void)
{
    int            one = open(path, O_RDWR), two = open(path, O_RDWR), copy = dup(one);
    struct flock l = { .l_type = F_WRLCK };

    puts("-- of open files");
    printf("set: %s\n", answer(lock(one, F_OFD_SETLK, F_WRLCK, 0, 10)));
    printf("by a copy: %s\n", answer(lock(copy, F_OFD_SETLK, F_WRLCK, 5, 10)));
    printf("by another: %s\n", answer(lock(two, F_OFD_SETLK, F_WRLCK, 5, 10)));
    printf("by the process: %s\n", answer(lock(one, F_SETLK, F_RDLCK, 0, 1)));
    fcntl(two, F_OFD_GETLK, &l),
        printf("found: %lld+%lld %d\n", (long long)l.l_start, (long long)l.l_len, (int)l.l_pid);
    l = (struct flock){ .l_type = F_WRLCK, .l_pid = 1 };
    printf("with a number: %s\n", answer(fcntl(two, F_OFD_GETLK, &l)));
    show("seen");
    close(one), printf("one closed: %s\n", answer(lock(two, F_OFD_SETLK, F_WRLCK, 5, 10)));
    close(copy), printf("both closed: %s\n", answer(lock(two, F_OFD_SETLK, F_WRLCK, 5, 10)));
    close(two);
}

static void flocks(void)
{
    int one = open(path, O_RDWR), two = open(path, O_RDONLY), copy = dup(one);

    puts("-- flock");
    printf("shared: %s\n", answer(flock(one, LOCK_SH)));
    printf("shared: %s\n", answer(flock(two, LOCK_SH | LOCK_NB)));
    printf("exclusive: %s\n", answer(flock(one, LOCK_EX | LOCK_NB)));
    printf("the other has it alone now: %s\n", answer(flock(two, LOCK_EX | LOCK_NB)));
    printf("records are apart: %s\n", answer(lock(one, F_SETLK, F_WRLCK, 0, 0)));
    flock(two, LOCK_UN);
    printf("by a copy: %s\n", answer(flock(copy, LOCK_EX | LOCK_NB)));
    printf("and again: %s\n", answer(flock(one, LOCK_EX | LOCK_NB)));
    close(one), printf("one closed: %s\n", answer(flock(two, LOCK_SH | LOCK_NB)));
    close(copy), printf("both closed: %s\n", answer(flock(two, LOCK_SH | LOCK_NB)));
    close(two);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    splits();
    refusals();
    several();
    waiting();
    of_files();
    flocks();
    unlink(path);
    return 0;
}
