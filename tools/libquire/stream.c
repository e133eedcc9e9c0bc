/* stream.c - writing without waiting. See stream.h. */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int stream_again(int fd, int access)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void stream_open(struct stream *stream, const struct stream_to *to, const char *name)
{
    struct stat status;
    int again = -1, fd = to->fd;

    *stream = (struct stream){ .name = name, .to = *to, .fd = fd };
    if (to->take != NULL || fd < 0 || fstat(fd, &status) != 0 || S_ISREG(status.st_mode))
        return;
    stream->socket = S_ISSOCK(status.st_mode);
    if (S_ISFIFO(status.st_mode) || isatty(fd))
        again = stream_again(fd, O_WRONLY);
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
    stream->ours = false;
}

/* As write(2), but a pipe without a reader is only an error: no signal ends the process, or calls a handler of it. */
static ssize_t write_quietly(int fd, const void *bytes, size_t count)
{
    const struct timespec at_once = { 0, 0 };
    sigset_t pipe_signal, before, pending;
    ssize_t done;
    int problem;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    done = write(fd, bytes, count);
    problem = errno;
    if (done < 0 && problem == EPIPE && sigismember(&pending, SIGPIPE) != 1)
        sigtimedwait(&pipe_signal, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = problem;
    return done;
}

ssize_t stream_write(struct stream *stream, const void *bytes, size_t count)
{
    struct pollfd room = { .fd = stream->fd, .events = POLLOUT };
    ssize_t done;

    if (stream->to.take != NULL)
        stream->to.take(stream->to.context, bytes, count);
    if (stream->to.take != NULL || stream->fd < 0)
        return (ssize_t)count;
    if (stream->careful) {
        if (poll(&room, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        count = count < PIPE_BUF ? count : PIPE_BUF;
    }
    do
        done = stream->socket ? send(stream->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL)
                              : write_quietly(stream->fd, bytes, count);
    while (done < 0 && errno == EINTR);
    return done;
}
