/*
 * pipes.c - packets in pipes, bytes moved between pipes and files without a program's memory, and the text of fdinfo.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *answer(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

static void say(const char *what, long result)
{
    if (result < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %ld\n", what, result);
}

static int waiting(int file)
{
    int bytes = -1;

    ioctl(file, FIONREAD, &bytes);
    return bytes;
}

/* Read once, and print how much came and how it begins. */
static void read_once(const char *what, int file, size_t most)
{
    static char bytes[70000];
    ssize_t     got = read(file, bytes, most);

    if (got < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %zd %.*s\n", what, got, got < 8 ? (int)got : 8, bytes);
}

static void packets(void)
{
    static char large[10000];
    int         p[2];

    puts("-- packets");
    memset(large, 'x', sizeof large);
    say("pipe2", pipe2(p, O_DIRECT | O_NONBLOCK));
    printf("flags %x %x\n", fcntl(p[0], F_GETFL) & O_DIRECT, fcntl(p[1], F_GETFL) & O_DIRECT);
    write(p[1], "one", 3), write(p[1], "two and more", 12), write(p[1], "", 0), write(p[1], "three", 5);
    printf("waiting %d\n", waiting(p[0]));
    read_once("all of one", p[0], 100);
    read_once("part of two", p[0], 3);
    read_once("three", p[0], 5);
    read_once("empty", p[0], 5);
    say("large", write(p[1], large, sizeof large));
    read_once("its first", p[0], 70000), read_once("its second", p[0], 70000), read_once("its third", p[0], 70000);
    for (int i = 0; write(p[1], "x", 1) == 1; i++)
        if (i > 100)
            exit(1);
    printf("full: %s, waiting %d\n", strerrorname_np(errno), waiting(p[0]));
    puts("-- packets and a stream");
    while (read(p[0], large, sizeof large) > 0)
        ;
    say("no more packets", fcntl(p[1], F_SETFL, O_NONBLOCK));
    write(p[1], "abc", 3), write(p[1], "def", 3);
    say("packets again", fcntl(p[1], F_SETFL, O_NONBLOCK | O_DIRECT));
    write(p[1], "ghi", 3), write(p[1], "jkl", 3);
    say("a stream again", fcntl(p[1], F_SETFL, O_NONBLOCK));
    write(p[1], "mno", 3), write(p[1], "pqr", 3);
    printf("waiting %d\n", waiting(p[0]));
    for (int i = 0; i < 4; i++)
        read_once("part", p[0], 100);
    say("smaller", fcntl(p[1], F_SETPIPE_SZ, 4096));
    say("fifos alone", fcntl(open("/dev/null", O_WRONLY), F_SETFL, O_DIRECT));
    say("odd flags", pipe2(p, O_DIRECT | O_APPEND));
    close(p[0]), close(p[1]);
}

static int file_of(const char *text)
{
    int file = memfd_create("file", 0);

    write(file, text, strlen(text));
    lseek(file, 0, SEEK_SET);
    return file;
}

static void splices(void)
{
    int    p[2], q[2], s[2], file = file_of("0123456789abcdef"), other = file_of("");
    loff_t at = 4, far = 1000, before = -1;

    puts("-- splice");
    pipe2(p, O_NONBLOCK), pipe2(q, O_NONBLOCK), socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    say("from a file", splice(file, NULL, p[1], NULL, 3, 0));
    say("its position", lseek(file, 0, SEEK_CUR));
    say("from a place", splice(file, &at, p[1], NULL, 5, 0));
    printf("the place %lld, the position %ld\n", (long long)at, (long)lseek(file, 0, SEEK_CUR));
    say("from behind the end", splice(file, &far, p[1], NULL, 5, 0));
    printf("waiting %d\n", waiting(p[0]));
    at = 2;
    say("to a file's place", splice(p[0], NULL, other, &at, 4, 0));
    printf("the place %lld\n", (long long)at);
    say("to a socket", splice(p[0], NULL, s[0], NULL, 2, SPLICE_F_MORE));
    read_once("there", s[1], 10);
    say("between pipes", splice(p[0], NULL, q[1], NULL, 100, 0));
    read_once("there", q[0], 10);
    say("from an empty pipe", splice(p[0], NULL, other, NULL, 1, 0));
    say("from an empty pipe to a pipe", splice(p[0], NULL, q[1], NULL, 1, SPLICE_F_NONBLOCK));
    write(p[1], "abc", 3);
    say("to null", splice(p[0], NULL, open("/dev/null", O_WRONLY), NULL, 100, 0));
    close(p[1]);
    say("from its end", splice(p[0], NULL, other, NULL, 1, 0));
    pread(other, (char[8]){ 0 }, 8, 0), lseek(other, 0, SEEK_SET), read_once("the file", other, 20);

    puts("-- and what is no splice");
    pipe2(p, O_NONBLOCK), write(p[1], "abc", 3);
    say("no pipe", splice(file, NULL, other, NULL, 1, 0));
    say("one pipe", splice(p[0], NULL, p[1], NULL, 1, 0));
    say("nothing", splice(-1, NULL, -1, NULL, 0, 0xFFFF));
    say("odd flags", splice(p[0], NULL, q[1], NULL, 1, 0x100));
    say("a place in a pipe", splice(p[0], &at, q[1], NULL, 1, 0));
    say("a place in the other", splice(p[0], NULL, q[1], &at, 1, 0));
    say("a place before the start", splice(p[0], NULL, other, &before, 1, 0));
    say("a bad place", splice(p[0], NULL, other, (loff_t *)8, 1, 0));
    say("a place in a socket", splice(p[0], NULL, s[0], &at, 1, 0));
    say("the wrong end", splice(p[1], NULL, q[1], NULL, 1, 0));
    say("the other wrong end", splice(p[0], NULL, q[0], NULL, 1, 0));
    say("no file", splice(p[0], NULL, 999, NULL, 1, 0));
    say("to an event counter", splice(p[0], NULL, eventfd(0, 0), NULL, 8, 0));
    say("appending", splice(p[0], NULL, open("/proc/self/fd/0", O_PATH), NULL, 1, 0));
    fcntl(other, F_SETFL, O_APPEND);
    say("to a file that is appended to", splice(p[0], NULL, other, NULL, 1, 0));
    printf("waiting %d\n", waiting(p[0]));
    signal(SIGPIPE, SIG_IGN);
    close(q[0]);
    say("to a pipe that nobody reads", splice(p[0], NULL, q[1], NULL, 1, 0));
    say("and from a file", splice(file, NULL, q[1], NULL, 1, 0));
    close(file), close(other), close(s[0]), close(s[1]), close(q[1]), close(p[0]), close(p[1]);
}

/* A writer that waits for room goes on when a splice has made some; a splice that waits for bytes when they come. */
static void waits(void)
{
    int p[2], q[2], status;

    puts("-- waiting");
    pipe(p), pipe(q);
    if (fork() == 0) {
        char byte;

        read(q[0], &byte, 1);                   /* the parent is about to wait */
        usleep(1000), write(p[1], "late", 4);
        _exit(0);
    }
    write(q[1], "x", 1);
    say("waited for", splice(p[0], NULL, q[1], NULL, 10, 0));
    read_once("it was", q[0], 10);
    wait(&status);
    while (waiting(p[0]) < 65536)
        write(p[1], (char[4096]){ 'f' }, 4096);
    if (fork() == 0)
        _exit(write(p[1], "room", 4) != 4);
    say("some room", splice(p[0], NULL, open("/dev/null", O_WRONLY), NULL, 4096, 0));
    wait(&status);
    printf("the writer: %d, waiting %d\n", WEXITSTATUS(status), waiting(p[0]));
    close(p[0]), close(p[1]), close(q[0]), close(q[1]);
}

static void tees(void)
{
    int p[2], q[2];

    puts("-- tee");
    pipe2(p, O_NONBLOCK), pipe2(q, O_NONBLOCK);
    say("nothing there", tee(p[0], q[1], 10, 0));
    write(p[1], "abcdef", 6);
    say("some of it", tee(p[0], q[1], 4, 0));
    say("all of it", tee(p[0], q[1], 100, SPLICE_F_NONBLOCK));
    read_once("copies", q[0], 100), read_once("what was there", p[0], 100);
    say("one pipe", tee(p[0], p[1], 1, 0)), say("no pipe", tee(p[0], open("/dev/null", O_WRONLY), 1, 0));
    say("the wrong end", tee(p[1], q[1], 1, 0)), say("odd flags", tee(p[0], q[1], 0, 0x100));
    say("none", tee(-1, -1, 0, 0));
    close(p[0]), close(p[1]), close(q[0]), close(q[1]);
}

static void memory(void)
{
    static char  large[100000];
    char         one[4] = { 0 }, two[8] = { 0 };
    struct iovec out[] = { { "abc", 3 }, { "", 0 }, { "defgh", 5 } }, in[] = { { one, 3 }, { two, 8 } };
    struct iovec all = { large, sizeof large }, bad[] = { { "ok", 2 }, { NULL, 8 } };
    int          p[2];
    long         moved;

    puts("-- vmsplice");
    bad[1].iov_base = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pipe2(p, 0);
    say("in", vmsplice(p[1], out, 3, 0));
    say("out", vmsplice(p[0], in, 2, 0));
    printf("%s %s\n", one, two);
    moved = vmsplice(p[1], &all, 1, 0);         /* the number depends on where the pages begin */
    printf("more than there is room for: %s\n", moved > 61440 && moved <= 65536 ? "some" : "not some");
    say("and without waiting", vmsplice(p[1], &all, 1, SPLICE_F_NONBLOCK));
    while (waiting(p[0]) > 0)
        read(p[0], large, sizeof large);
    say("nothing there", vmsplice(p[0], in, 2, SPLICE_F_NONBLOCK));
    say("half of it bad", vmsplice(p[1], bad, 2, 0));
    say("no pieces", vmsplice(p[1], NULL, 0, 0));
    say("too many", vmsplice(p[1], out, 1025, 0));
    say("a bad list", vmsplice(p[1], (struct iovec *)8, 1, 0));
    say("no pipe", vmsplice(open("/dev/null", O_WRONLY), out, 1, 0));
    say("odd flags", vmsplice(p[1], out, 1, 0x100));
    close(p[0]), close(p[1]);
}

/* Lines of fdinfo that begin so; numbers of inodes and devices differ from machine to machine. */
static void facts(const char *what, int file, const char *begin)
{
    char path[40], line[200];
    FILE *info;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", file);
    info = fopen(path, "r");
    while (info != NULL && fgets(line, sizeof line, info) != NULL) {
        char *end = strstr(line, " ino:");

        if (strncmp(line, begin, strlen(begin)) != 0)
            continue;
        if (end != NULL)
            strcpy(end, " ...\n");
        printf("%s: %s", what, line);
    }
    if (info != NULL)
        fclose(info);
}

static void descriptions(void)
{
    struct epoll_event event   = { EPOLLIN | EPOLLET, { .u64 = 0x123456789ABCDEFull } };
    struct epoll_event once    = { EPOLLOUT | EPOLLONESHOT, { .u64 = 7 } };
    int                counter = eventfd(0x1234, EFD_NONBLOCK), set = epoll_create1(0), p[2];

    puts("-- fdinfo");
    pipe(p);
    dup2(p[0], 50), dup2(p[1], 51);
    facts("counter", counter, "eventfd-count");
    epoll_ctl(set, EPOLL_CTL_ADD, 50, &event);
    facts("set", set, "tfd");
    epoll_ctl(set, EPOLL_CTL_DEL, 50, NULL), epoll_ctl(set, EPOLL_CTL_ADD, 51, &once);
    facts("another", set, "tfd");
    epoll_wait(set, &event, 1, 0);
    facts("once", set, "tfd");
    printf("%s\n", answer(0));
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    packets();
    splices();
    waits();
    tees();
    memory();
    descriptions();
    return 0;
}
