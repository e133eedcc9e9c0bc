/*
 * waiting.c - bombs of pipes, sockets, signals and timers, and what waits for them. See bombs.h.
 */
#include "bombs.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* ---- Pipes, sockets and what waits for them ------------------------------------------------------------ */

static void pipes(void)
{
    int ends[2];

    many_descriptors();
    UNTIL_REFUSED(pipe(ends) == 0);
}

static void pipes_full(void)
{
    int ends[2];

    many_descriptors();
    for (;;) {
        count_or_hold(pipe2(ends, O_NONBLOCK) == 0);
        while (write(ends[1], block, sizeof block) > 0)
            ;
    }
}

static void pipes_wide(void)
{
    int ends[2];

    many_descriptors();
    for (;;) {
        count_or_hold(pipe2(ends, O_NONBLOCK) == 0);
        fcntl(ends[1], F_SETPIPE_SZ, 1024 * 1024);
        while (write(ends[1], block, sizeof block) > 0)
            ;
    }
}

static void sockets(void)
{
    many_descriptors();
    UNTIL_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static void sockets_full(void)
{
    int ends[2];

    many_descriptors();
    for (;;) {
        count_or_hold(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
        while (write(ends[0], block, 4096) > 0)
            ;
    }
}

static void datagrams(void)
{
    int ends[2];

    many_descriptors();
    for (;;) {
        count_or_hold(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) == 0);
        while (write(ends[0], block, 1) > 0)
            ;
    }
}

static void unaccepted(void)
{
    struct sockaddr_un at = { AF_UNIX, "server" };
    int server = socket(AF_UNIX, SOCK_STREAM, 0);

    many_descriptors();
    unlink(at.sun_path);
    bind(server, (struct sockaddr *)&at, sizeof at);
    listen(server, INT_MAX);
    for (;;) {
        int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

        count_or_hold(client >= 0 && connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    }
}

static bool send_descriptor(int to, int file)
{
    union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control = { .head = { CMSG_LEN(sizeof(int)),
                                                                                             SOL_SOCKET, SCM_RIGHTS } };
    struct iovec  data    = { block, 1 };
    struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof control };

    memcpy(CMSG_DATA(&control.head), &file, sizeof file);
    return sendmsg(to, &message, MSG_DONTWAIT) == 1;
}

/* Sockets that travel through each other, and hold the only references to each other. */
static void in_flight(void)
{
    for (;;) {
        int ends[2];

        count_or_hold(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
        count_or_hold(send_descriptor(ends[0], ends[1]) && send_descriptor(ends[1], ends[0]));
        close(ends[0]);
        close(ends[1]);
    }
}

static void epolls(void)
{
    many_descriptors();
    UNTIL_REFUSED(epoll_create1(0) >= 0);
}

static void epoll_entries(void)
{
    int epoll = epoll_create1(0);

    many_descriptors();
    for (;;) {
        struct epoll_event event = { .events = EPOLLIN };
        int file = eventfd(0, 0);

        count_or_hold(file >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event) == 0);
    }
}

static void epoll_nest(void)
{
    int outer = epoll_create1(0);

    many_descriptors();
    for (;;) {
        struct epoll_event event = { .events = EPOLLIN };
        int inner = epoll_create1(0);

        count_or_hold(inner >= 0 && epoll_ctl(inner, EPOLL_CTL_ADD, outer, &event) == 0);
        outer = inner;
    }
}

static void eventfds(void)
{
    many_descriptors();
    UNTIL_REFUSED(eventfd(0, 0) >= 0);
}

static void terminals(void)
{
    many_descriptors();
    UNTIL_REFUSED(open("/dev/ptmx", O_RDWR | O_NOCTTY) >= 0);
}

/* ---- Signals and timers -------------------------------------------------------------------------------- */

static void timers(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_NONE };
    timer_t timer;

    UNTIL_REFUSED(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0);
}

static void timers_fast(void)
{
    struct itimerspec often = { { 0, 1 }, { 0, 1 } };
    struct sigevent   event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1 };
    int timer;

    signal(SIGRTMIN + 1, SIG_IGN);
    for (;;)
        count_or_hold(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0 &&
                      syscall(SYS_timer_settime, timer, 0, &often, NULL) == 0);
}

static void signals_queued(void)
{
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
    sigset_t all;

    setrlimit(RLIMIT_SIGPENDING, &limit);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    UNTIL_REFUSED(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ 0 }) == 0);
}

/* ---- Signals and timers as files ----------------------------------------------------------------------- */

static void timer_files(void)
{
    struct itimerspec often = { { 0, 1 }, { 0, 1 } };

    many_descriptors();
    for (;;) {
        int file = timerfd_create(CLOCK_MONOTONIC, 0);

        count_or_hold(file >= 0 && timerfd_settime(file, 0, &often, NULL) == 0);
    }
}

static void signal_files(void)
{
    sigset_t all;

    many_descriptors();
    sigfillset(&all);
    UNTIL_REFUSED(signalfd(-1, &all, 0) >= 0);
}

const struct bomb bombs_of_waiting[] = {
    { "pipes", pipes }, { "pipe-contents", pipes_full }, { "wide-pipes", pipes_wide }, { "sockets", sockets },
    { "socket-buffers", sockets_full }, { "datagrams", datagrams }, { "unaccepted", unaccepted },
    { "in-flight", in_flight }, { "epolls", epolls }, { "epoll-entries", epoll_entries },
    { "epoll-nest", epoll_nest }, { "eventfds", eventfds }, { "terminals", terminals }, { "timers", timers },
    { "fast-timers", timers_fast }, { "queued-signals", signals_queued }, { "timer-files", timer_files },
    { "signal-files", signal_files },
    { NULL, NULL }
};
