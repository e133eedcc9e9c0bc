/* stream.c - writing without waiting. See stream.h. */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void stream_open(struct stream *stream, int fd, const char *name)
{
    struct stat status;
    char path[32];
    int again = -1;

    *stream = (struct stream){ .name = name, .fd = fd };
    if (fstat(fd, &status) != 0 || S_ISREG(status.st_mode))
        return;
    stream->socket = S_ISSOCK(status.st_mode);
    if (S_ISFIFO(status.st_mode) || isatty(fd)) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        again = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    if (again >= 0) {
        stream->fd = again;
        stream->ours = true;
    } else {
        stream->careful = !stream->socket;
    }
}

void stream_close(struct stream *stream)
{
    if (stream->ours)
        close(stream->fd);
}

ssize_t stream_write(struct stream *stream, const void *bytes, size_t count)
{
    struct pollfd room = { .fd = stream->fd, .events = POLLOUT };
    ssize_t done;

    if (stream->careful) {
        if (poll(&room, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        count = count < PIPE_BUF ? count : PIPE_BUF;
    }
    do
        done = stream->socket ? send(stream->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL)
                              : write(stream->fd, bytes, count);
    while (done < 0 && errno == EINTR);
    return done;
}
