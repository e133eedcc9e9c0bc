/*
 * stream.h - writing to a standard stream without waiting.
 *
 * O_NONBLOCK belongs to the open file, which the caller may share with the process that started it, so setting
 * it would change that process's terminal or pipe. A pipe or terminal is opened once more instead; where
 * that is refused, no more is written at a time than poll(2) has promised room for. A reader that has gone is an error,
 * EPIPE, and no SIGPIPE for this process.
 */
#ifndef QUIRE_STREAM_H
#define QUIRE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where bytes go: to a function, else to a descriptor; with neither they are dropped. */
struct stream_to {
    int    fd;                  /* or -1 */
    void (*take)(void *context, const void *bytes, size_t length);
    void  *context;
};

/* Where a program's input is from: a descriptor, else bytes, else it has ended. */
struct input {
    int            fd;          /* or -1 */
    const uint8_t *bytes;
    size_t         length;
};

struct stream {
    const char *name;           /* for messages */
    struct stream_to to;
    int         fd;
    bool        ours;           /* opened once more: stream_close() closes it              */
    bool        socket;
    bool        careful;        /* a write could block: poll before each   */
};

void stream_open(struct stream *stream, const struct stream_to *to, const char *name);
void stream_close(struct stream *stream);

/* Open a pipe or a terminal once more, so that it does not block there. -1: that is refused. */
int stream_again(int fd, int access);

/* As write(2) would on a descriptor that does not block. */
ssize_t stream_write(struct stream *stream, const void *bytes, size_t count);

#endif
