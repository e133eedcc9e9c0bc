/*
 * wide_streams.c - pipes, sockets, events, and waiting for many of them.
 */
#include "wide.h"

enum { UNIX = 1, STREAM = 1, MANY = 1000, POLL_IN = 1, POLL_OUT = 4, CTL_ADD = 1, CTL_DELETE = 2, BUFFER = 65536 };

static char buffer[BUFFER];

static void make_pipe(int ends[2])
{
    good(call(SYS_PIPE, (word)ends, 0, 0, 0), "pipe");
}

static void make_sockets(int ends[2])
{
    good(call(SYS_SOCKETPAIR, UNIX, STREAM, 0, (word)ends), "socketpair");
}

static void close_both(const int ends[2])
{
    close_file(ends[0]);
    close_file(ends[1]);
}

/* ---- 64 KiB, in one call at each end, from a child ----------------------------------------- */

static word pieces;

static void send_pieces(char *fd)
{
    for (word i = 0; i < pieces; i++)
        for (word sent = 0; sent < BUFFER;)
            sent += (word)good(call(SYS_WRITE, (word)fd, (word)buffer + sent, BUFFER - sent, 0), "write");
}

static count receive_pieces(void (*make)(int [2]), word times)
{
    int ends[2], child;
    count start, cost;

    make(ends);
    pieces = times;
    start  = now();
    child  = fork_and(send_pieces, (char *)ends[1]);
    for (word left = times * BUFFER; left > 0;)
        left -= (word)good(call(SYS_READ, (word)ends[0], (word)buffer, left < BUFFER ? left : BUFFER, 0), "read");
    cost = now() - start;
    wait_for(child);
    close_both(ends);
    return cost;
}

count pipe_64k(word times)
{
    return receive_pieces(make_pipe, times);
}

count socket_64k(word times)
{
    return receive_pieces(make_sockets, times);
}

/* ---- A byte ------------------------------------------------------------------------------ */

/* Written and read by the same process. */
count pipe_here(word times)
{
    int ends[2];
    count start, cost;

    make_pipe(ends);
    start = now();
    for (word i = 0; i < times; i++) {
        call(SYS_WRITE, (word)ends[1], (word)buffer, 1, 0);
        call(SYS_READ, (word)ends[0], (word)buffer, 1, 0);
    }
    cost = now() - start;
    close_both(ends);
    return cost;
}

static void echo_bytes(char *fd)
{
    char byte;

    for (word i = 0; i < pieces; i++) {
        call(SYS_READ, (word)fd, (word)&byte, 1, 0);
        call(SYS_WRITE, (word)fd, (word)&byte, 1, 0);
    }
}

count socket_round_trip(word times)
{
    int ends[2], child;
    char byte = 'q';
    count start = 0, cost;

    make_sockets(ends);
    pieces = times + 1;
    child  = fork_and(echo_bytes, (char *)ends[1]);
    for (word i = 0; i < times + 1; i++) {
        if (i == 1)
            start = now();                  /* the child is there */
        call(SYS_WRITE, (word)ends[0], (word)&byte, 1, 0);
        call(SYS_READ, (word)ends[0], (word)&byte, 1, 0);
    }
    cost = now() - start;
    wait_for(child);
    close_both(ends);
    return cost;
}

count event_cycle(word times)
{
    unsigned long long number = 1;
    int fd = good(call(SYS_EVENTFD, 0, 0, 0, 0), "eventfd");
    count start = now(), cost;

    for (word i = 0; i < times; i++) {
        call(SYS_WRITE, (word)fd, (word)&number, sizeof number, 0);
        call(SYS_READ, (word)fd, (word)&number, sizeof number, 0);
    }
    cost = now() - start;
    close_file(fd);
    return cost;
}

/* ---- Made and closed ----------------------------------------------------------------------- */

static count make_and_close(void (*make)(int [2]), word times)
{
    count start = now();

    for (word i = 0; i < times; i++) {
        int ends[2];

        make(ends);
        close_both(ends);
    }
    return now() - start;
}

count pipe_cycle(word times)
{
    return make_and_close(make_pipe, times);
}

count socket_cycle(word times)
{
    return make_and_close(make_sockets, times);
}

/* ---- Waiting for many: descriptors of one pipe, of which none is ready, or the first is ---- */

struct polled { int fd; short events, revents; };
struct epolled { word events; unsigned long long data; } __attribute__((packed));

static struct polled polled[MANY];
static struct epolled epolled[16];

static void fill_pipes(int ends[2], word number)
{
    make_pipe(ends);
    for (word i = 0; i < number; i++)
        polled[i] = (struct polled){ .fd = good(call(SYS_DUP, (word)ends[0], 0, 0, 0), "dup"), .events = POLL_IN };
}

static void drop_pipes(const int ends[2], word number)
{
    for (word i = 0; i < number; i++)
        close_file(polled[i].fd);
    close_both(ends);
}

static count poll_many(word number, word times)
{
    int ends[2];
    count start, cost;

    fill_pipes(ends, number);
    start = now();
    for (word i = 0; i < times; i++)
        call(SYS_POLL, (word)polled, number, 0, 0);
    cost = now() - start;
    drop_pipes(ends, number);
    return cost;
}

count poll_1(word times)
{
    return poll_many(1, times);
}

count poll_1000(word times)
{
    return poll_many(MANY, times);
}

count select_64(word times)
{
    word set[4], none[2] = { 0, 0 };
    int ends[2];
    count start, cost;

    fill_pipes(ends, 64);
    start = now();
    for (word i = 0; i < times; i++) {
        set[0] = 0;
        set[1] = set[2] = -1u >> 1;
        set[3] = 0;
        call5(SYS_SELECT, 64, (word)set, 0, 0, (word)none);
    }
    cost = now() - start;
    drop_pipes(ends, 64);
    return cost;
}

static int watch_pipes(word number)
{
    int epoll = good(call(SYS_EPOLL_CREATE, 0, 0, 0, 0), "epoll_create1");

    for (word i = 0; i < number; i++) {
        struct epolled event = { POLL_IN, i };

        good(call(SYS_EPOLL_CTL, (word)epoll, CTL_ADD, (word)polled[i].fd, (word)&event), "epoll_ctl");
    }
    return epoll;
}

static count epoll_many(word number, word ready, word times)
{
    int ends[2], epoll;
    count start, cost;

    fill_pipes(ends, number);
    epoll = watch_pipes(number);
    call(SYS_WRITE, (word)ends[1], (word)buffer, ready, 0);
    start = now();
    for (word i = 0; i < times; i++)
        call(SYS_EPOLL_WAIT, (word)epoll, (word)epolled, 16, 0);
    cost = now() - start;
    close_file(epoll);
    drop_pipes(ends, number);
    return cost;
}

count epoll_1000(word times)
{
    return epoll_many(MANY, 0, times);
}

count epoll_ready(word times)
{
    return epoll_many(1, 1, times);
}

count epoll_change(word times)
{
    struct epolled event = { POLL_IN, 0 };
    int ends[2], epoll;
    count start, cost;

    make_pipe(ends);
    epoll = watch_pipes(0);
    start = now();
    for (word i = 0; i < times; i++) {
        good(call(SYS_EPOLL_CTL, (word)epoll, CTL_ADD, (word)ends[0], (word)&event), "epoll_ctl");
        good(call(SYS_EPOLL_CTL, (word)epoll, CTL_DELETE, (word)ends[0], (word)&event), "epoll_ctl");
    }
    cost = now() - start;
    close_file(epoll);
    close_both(ends);
    return cost;
}
