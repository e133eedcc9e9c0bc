/*
 * epoll.c - the reports of an epoll: levels, edges, once, exclusive, epolls in epolls, descriptors that are
 * copied and closed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHAIN = 8, MANY = 1000 };

static const char *answer(int result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

static int control(int set, int what, int file, unsigned events, unsigned word)
{
    struct epoll_event event = { events, { .u32 = word } };

    return epoll_ctl(set, what, file, &event);
}

static void add(int set, int file, unsigned events, unsigned word)
{
    if (control(set, EPOLL_CTL_ADD, file, events, word) != 0)
        printf("add: %s\n", strerrorname_np(errno));
}

/* All that is ready now, as word:bits in the order of the words: the order of reports is not printed. */
static void show(const char *when, int set)
{
    struct epoll_event events[16];
    int                count = epoll_wait(set, events, 16, 0);

    printf("%s:", when);
    for (unsigned word = 0; word < 100; word++)
        for (int i = 0; i < count; i++)
            if (events[i].data.u32 == word)
                printf(" %u:%x", word, (unsigned)events[i].events);
    printf("%s\n", count < 0 ? strerrorname_np(errno) : count == 0 ? " none" : "");
}

static void fill(int file)
{
    static char block[4096];

    while (write(file, block, sizeof block) > 0)
        ;
}

static void drain(int file)
{
    static char block[4096];

    while (read(file, block, sizeof block) > 0)
        ;
}

static void pipes_by_edge(void)
{
    unsigned both = EPOLLIN | EPOLLOUT | EPOLLET;
    int      p[2], set = epoll_create1(0);
    char     c[4096] = "";

    puts("-- a pipe by edge");
    pipe2(p, O_NONBLOCK);
    add(set, p[0], both, 0), add(set, p[1], both, 1);
    show("new", set), show("again", set);
    write(p[1], c, 1), show("written", set), show("again", set);
    write(p[1], c, 1), show("written more", set);
    read(p[0], c, 1), show("read some", set);
    read(p[0], c, 1), show("read all", set);
    fill(p[1]), show("full", set);
    read(p[0], c, 1), show("one byte out", set);
    drain(p[0]), show("drained", set), show("again", set);
    control(set, EPOLL_CTL_MOD, p[1], both, 1), show("modified", set), show("again", set);
    write(p[1], c, 1), close(p[1]), show("writer closed", set), show("again", set);
    close(p[0]), show("both closed", set);
    pipe2(p, O_NONBLOCK);
    add(set, p[1], both, 1), show("new", set);
    close(p[0]), show("reader closed", set), show("again", set);
    close(p[1]), close(set);
}

static void levels_and_once(void)
{
    int      p[2], set = epoll_create1(0), event = eventfd(0, EFD_NONBLOCK);
    uint64_t value = 1;
    char     c;

    puts("-- by level, and once");
    pipe2(p, O_NONBLOCK);
    add(set, p[0], EPOLLIN, 0), add(set, event, EPOLLIN | EPOLLOUT | EPOLLONESHOT, 1);
    show("new", set), show("again", set);
    write(event, &value, 8), show("spent", set);
    control(set, EPOLL_CTL_MOD, event, EPOLLIN | EPOLLOUT | EPOLLONESHOT, 2), show("armed", set), show("again", set);
    write(p[1], "ab", 2), show("two bytes", set), show("again", set);
    read(p[0], &c, 1), show("one byte", set), read(p[0], &c, 1), show("no byte", set);
    control(set, EPOLL_CTL_MOD, p[0], 0, 0), write(p[1], "a", 1), show("nothing asked", set);
    close(p[1]), show("hung up, unasked", set);
    control(set, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 0), show("once", set), show("hung up and spent", set);
    close(p[0]), close(set);
    set = epoll_create1(0);
    add(set, event, EPOLLIN | EPOLLOUT | EPOLLET, 3), show("counter by edge", set);
    write(event, &value, 8), show("counted", set), write(event, &value, 8), show("counted", set);
    read(event, &value, 8), show("taken", set), show("again", set);
    close(event), close(set);
}

static void sockets_by_edge(void)
{
    unsigned all = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    int      s[2], set = epoll_create1(0);
    char     c;

    puts("-- a socket by edge");
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
    add(set, s[0], all, 0), add(set, s[1], all, 1);
    show("new", set), show("again", set);
    write(s[0], "a", 1), show("sent", set), show("again", set);
    write(s[0], "b", 1), show("sent", set);
    read(s[1], &c, 1), show("received", set), read(s[1], &c, 1), show("received", set);
    shutdown(s[0], SHUT_WR), show("half closed", set), show("again", set);
    close(s[0]), show("closed", set), show("again", set);
    close(s[1]), close(set);
}

static void copies(void)
{
    int p[2], set = epoll_create1(0), copy;

    puts("-- copied and closed");
    pipe2(p, O_NONBLOCK);
    add(set, p[0], EPOLLIN, 1);
    write(p[1], "a", 1);
    copy = dup(p[0]);
    printf("add the copy: %s\n", answer(control(set, EPOLL_CTL_ADD, copy, EPOLLIN, 2)));
    show("both", set);
    close(p[0]), show("the first closed", set);
    printf("delete the first: %s\n", answer(control(set, EPOLL_CTL_DEL, p[0], 0, 0)));
    dup2(copy, p[0]);
    printf("add it again: %s\n", answer(control(set, EPOLL_CTL_ADD, p[0], EPOLLIN, 3)));
    printf("delete the first: %s\n", answer(control(set, EPOLL_CTL_DEL, p[0], 0, 0)));
    show("one left", set);
    close(copy), close(p[0]), show("all closed", set);
    if (fork() == 0) {
        show("child", set);
        close(set);
        _exit(0);
    }
    wait(NULL);
    show("parent", set);
    close(p[1]), close(set);
}

static void nested(void)
{
    int           inner = epoll_create1(0), outer = epoll_create1(0), edge = epoll_create1(0), p[2];
    struct pollfd asked = { inner, POLLIN | POLLOUT, 0 };
    char          c;

    puts("-- an epoll in an epoll");
    pipe2(p, O_NONBLOCK);
    add(inner, p[0], EPOLLIN, 1), add(outer, inner, EPOLLIN, 2), add(edge, inner, EPOLLIN | EPOLLET, 3);
    show("nothing", outer);
    printf("poll: %d\n", poll(&asked, 1, 0));
    write(p[1], "a", 1);
    show("a byte", outer), show("again", outer), show("by edge", edge), show("again", edge);
    printf("poll: %d %x\n", poll(&asked, 1, 0), asked.revents);
    show("inner", inner), show("by edge", edge);
    write(p[1], "b", 1), show("by edge", edge), show("again", edge);
    read(p[0], &c, 1), read(p[0], &c, 1), show("nothing", outer), show("by edge", edge);
    if (fork() == 0) {
        struct epoll_event event;

        printf("woken through two: %d\n", epoll_wait(outer, &event, 1, 10000));
        fflush(stdout);
        _exit(0);
    }
    write(p[1], "c", 1);
    wait(NULL);
    close(inner), show("inner closed", outer);
    close(outer), close(edge), close(p[0]), close(p[1]);
}

static void limits_of_nesting(void)
{
    int chain[CHAIN], p[2];

    puts("-- how deep");
    pipe(p);
    for (int i = 0; i < CHAIN; i++)
        chain[i] = epoll_create1(0);
    for (int i = 1; i < CHAIN; i++)
        printf("around %d: %s\n", i, answer(control(chain[i], EPOLL_CTL_ADD, chain[i - 1], EPOLLIN, 0)));
    printf("the pipe: %s\n", answer(control(chain[0], EPOLL_CTL_ADD, p[0], EPOLLIN, 0)));
    for (int i = 0; i < CHAIN; i++)
        close(chain[i]), chain[i] = epoll_create1(0);
    for (int i = 1; i < CHAIN; i++)
        printf("inside %d: %s\n", i, answer(control(chain[i - 1], EPOLL_CTL_ADD, chain[i], EPOLLIN, 0)));
    printf("itself: %s\n", answer(control(chain[0], EPOLL_CTL_ADD, chain[0], EPOLLIN, 0)));
    printf("a circle: %s\n", answer(control(chain[1], EPOLL_CTL_ADD, chain[0], EPOLLIN, 0)));
    printf("twice: %s\n", answer(control(chain[0], EPOLL_CTL_ADD, chain[1], EPOLLIN, 0)));
    for (int i = 0; i < CHAIN; i++)
        close(chain[i]);
    close(p[0]), close(p[1]);
}

static void refusals(void)
{
    int                p[2], set = epoll_create1(0), file = open("/tmp/epoll-file", O_RDWR | O_CREAT, 0600);
    int                path = open("/tmp", O_PATH);
    struct epoll_event event;

    puts("-- refusals");
    pipe(p);
    printf("a file: %s\n", answer(control(set, EPOLL_CTL_ADD, file, EPOLLIN, 0)));
    printf("a path: %s\n", answer(control(set, EPOLL_CTL_ADD, path, EPOLLIN, 0)));
    printf("closed: %s\n", answer(control(set, EPOLL_CTL_ADD, 99, EPOLLIN, 0)));
    printf("not an epoll: %s\n", answer(control(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN, 0)));
    printf("another operation: %s\n", answer(control(set, 7, p[0], EPOLLIN, 0)));
    printf("modify: %s\n", answer(control(set, EPOLL_CTL_MOD, p[0], EPOLLIN, 0)));
    printf("delete: %s\n", answer(epoll_ctl(set, EPOLL_CTL_DEL, p[0], NULL)));
    printf("no event: %s\n", answer(epoll_ctl(set, EPOLL_CTL_ADD, p[0], NULL)));
    printf("exclusive once: %s\n",
           answer(control(set, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0)));
    printf("exclusive: %s\n", answer(control(set, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLWAKEUP, 0)));
    printf("modified: %s\n", answer(control(set, EPOLL_CTL_MOD, p[0], EPOLLIN, 0)));
    printf("wait for 0: %s\n", answer(epoll_wait(set, &event, 0, 0)));
    printf("wait for -1: %s\n", answer(epoll_wait(set, &event, -1, 0)));
    printf("wait at a file: %s\n", answer(epoll_wait(file, &event, 1, 0)));
    printf("wait at nothing: %s\n", answer(epoll_wait(99, &event, 1, 0)));
    write(p[1], "a", 1);
    printf("to nowhere: %s\n", answer(epoll_wait(set, (struct epoll_event *)8, 1, 0)));
    show("kept", set);
    printf("read: %s\n", answer(read(set, &event, 1)));
    close(p[0]), close(p[1]), close(set), close(file), close(path);
}

static void nothing(int number) { (void)number; }

static void signals_and_limits(void)
{
    int                set = epoll_create1(0);
    struct epoll_event event;
    struct timespec    short_while = { 0, 1000000 };

    puts("-- time and signals");
    printf("1 ms: %d\n", epoll_wait(set, &event, 1, 1));
    printf("pwait2: %d\n", epoll_pwait2(set, &event, 1, &short_while, NULL));
    short_while.tv_nsec = 1000000000;
    printf("pwait2: %s\n", answer(epoll_pwait2(set, &event, 1, &short_while, NULL)));
    sigaction(SIGALRM, &(struct sigaction){ .sa_handler = nothing, .sa_flags = SA_RESTART }, NULL);
    alarm(1);
    printf("interrupted: %s\n", answer(epoll_wait(set, &event, 1, -1)));
    close(set);
}

/* Each of many is reported once before any is reported again. */
static void turns(void)
{
    static int seen[MANY];
    int        set = epoll_create1(0), least = MANY, most = 0;

    puts("-- turns");
    for (int i = 0; i < MANY; i++)
        add(set, eventfd(1, 0), EPOLLIN, (unsigned)i);
    for (int i = 0; i < MANY / 10 * 2; i++) {
        struct epoll_event events[10];

        for (int n = epoll_wait(set, events, 10, 0); n-- > 0; )
            seen[events[n].data.u32]++;
    }
    for (int i = 0; i < MANY; i++) {
        least = seen[i] < least ? seen[i] : least;
        most  = seen[i] > most ? seen[i] : most;
    }
    printf("each of %d between %d and %d times\n", MANY, least, most);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    pipes_by_edge();
    levels_and_once();
    sockets_by_edge();
    copies();
    nested();
    limits_of_nesting();
    refusals();
    signals_and_limits();
    turns();
    return 0;
}
