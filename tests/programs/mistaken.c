/*
 * mistaken.c - things taken for what they are not: a socket's own node for the name of one, files of /proc for files
 * with pages; and calls about very many things, which give way to others on the way.
 */
#include "answers.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { LAYERS = 5, A_LAYER = 40, MANY = 4000 };

/* A path through /proc/self/fd leads to the socket itself, which has a name by no path. */
static void name_of_a_socket(void)
{
    int                to = socket(AF_UNIX, SOCK_STREAM, 0), from = socket(AF_UNIX, SOCK_STREAM, 0);
    int                datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un name = { .sun_family = AF_UNIX };

    snprintf(name.sun_path, sizeof name.sun_path, "/proc/self/fd/%d", to);
    SAY(connect(from, (struct sockaddr *)&name, sizeof name));
    SAY(sendto(datagram, "", 1, 0, (struct sockaddr *)&name, sizeof name));
    SAY(connect(datagram, (struct sockaddr *)&name, sizeof name));
}

static void holes_in_proc(void)
{
    int file = open("/proc/self/comm", O_WRONLY);

    SAY(fallocate(file, 0, 0, 4096));
    SAY(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
    SAY(fallocate(file, FALLOC_FL_ZERO_RANGE, 0, 4096));
}

static void rights_of_what_has_no_name(void)
{
    char path[32];
    int  epoll = epoll_create1(0), counter = eventfd(0, 0), ends[2];

    snprintf(path, sizeof path, "/proc/self/fd/%d", counter);
    SAY(fchmod(epoll, 0640));
    SAY(chmod(path, 0640));
    SAY(fchown(counter, 1, 1));
    SAY(pipe(ends));
    SAY(fchmod(ends[0], 0640));
}

/* Very many paths lead through these epolls, in which there is no other file. */
static void layers_of_epolls(void)
{
    struct rlimit      limit = { LAYERS * A_LAYER + 20, LAYERS * A_LAYER + 20 };
    struct epoll_event event = { .events = EPOLLIN };
    int                layers[LAYERS][A_LAYER], added = 0;

    SAY(setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < LAYERS * A_LAYER; i++)
        layers[i / A_LAYER][i % A_LAYER] = epoll_create1(0);
    for (int layer = LAYERS - 2; layer >= 0; layer--)
        for (int i = 0; i < A_LAYER * A_LAYER; i++)
            added += epoll_ctl(layers[layer][i / A_LAYER], EPOLL_CTL_ADD, layers[layer + 1][i % A_LAYER], &event) == 0;
    SAY(added);
    SAY(epoll_ctl(layers[LAYERS - 1][0], EPOLL_CTL_ADD, layers[0][0], &event));
    SAY(epoll_wait(layers[0][0], &event, 1, 0));
}

/* Each row of these gives way to other threads, which changes nothing for the caller. */
static void very_many_at_once(void)
{
    struct rlimit  limit = { MANY + 10, MANY + 10 };
    struct pollfd *asked = calloc(MANY, sizeof *asked);
    struct flock   lock  = { .l_type = F_WRLCK, .l_len = 1 };
    int            ends[2], file, made = 0, locked = 0, left = 0;

    SAY(setrlimit(RLIMIT_NOFILE, &limit));
    SAY(pipe(ends));
    for (int i = 0; i < MANY; i++)
        asked[i] = (struct pollfd){ .fd = ends[0], .events = POLLIN };
    SAY(poll(asked, MANY, 10));
    SAY(write(ends[1], "", 1));
    SAY(poll(asked, MANY, -1) == MANY);
    file = open("/tmp/mistaken", O_RDWR | O_CREAT, 0600);
    for (; locked < MANY && fcntl(file, F_SETLK, &lock) == 0; lock.l_start += 2)
        locked++;
    SAY(locked == MANY);
    while (fcntl(file, F_DUPFD_CLOEXEC, 0) >= 0)
        made++;
    SAY(made > MANY / 2);
    SAY(close_range(3, ~0u, 0));
    for (int i = 3; i < MANY; i++)
        left += fcntl(i, F_GETFD) >= 0;
    SAY(left);
    SAY(unlink("/tmp/mistaken"));
}

/* A message that holds the last reference to other sockets, whose messages hold more. */
static void messages_in_messages(void)
{
    int ends[2], before[2], sent = 0;

    socketpair(AF_UNIX, SOCK_DGRAM, 0, before);
    for (int i = 0; i < 300; i++) {
        char            room[CMSG_SPACE(2 * sizeof(int))] = { 0 };
        struct msghdr   message = { .msg_control = room, .msg_controllen = sizeof room };
        struct cmsghdr *control = CMSG_FIRSTHDR(&message);

        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type  = SCM_RIGHTS;
        control->cmsg_len   = CMSG_LEN(2 * sizeof(int));
        memcpy(CMSG_DATA(control), before, sizeof before);
        socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
        sent += sendmsg(ends[0], &message, 0) == 0;
        close(before[0]);
        close(before[1]);
        memcpy(before, ends, sizeof before);
    }
    SAY(sent);
    SAY(close(before[0]));
    SAY(close(before[1]));
}

int main(int argc, char **argv)
{
    static const struct part parts[] = {
        { "the name of a socket", name_of_a_socket },
        { "holes in files of /proc", holes_in_proc },
        { "rights of what has no name", rights_of_what_has_no_name },
        { "layers of epolls", layers_of_epolls },
        { "very many at once", very_many_at_once },
        { "messages in messages", messages_in_messages },
    };

    answer_parts(parts, sizeof parts / sizeof parts[0], argc > 1 ? argv[1] : NULL);
    return 0;
}
