/*
 * stream.h - writing to a standard stream without waiting.
 *
 * O_NONBLOCK belongs to the open file, which quire shares with the process that started it, so setting
 * it would change that process's terminal or pipe. A pipe or terminal is opened once more instead; where
 * that is refused, no more is written at a time than poll(2) has promised room for.
 */
#ifndef QUIRE_STREAM_H
#define QUIRE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stream {
    const char *name;           /* for messages */
    int         fd;
    bool        ours;           /* opened once more: stream_close() closes it              */
    bool        socket;
    bool        careful;        /* a write could block: poll before each   */
};

void stream_open(struct stream *stream, int fd, const char *name);
void stream_close(struct stream *stream);

/* As write(2) would on a descriptor that does not block. */
ssize_t stream_write(struct stream *stream, const void *bytes, size_t count);

#endif
