/*
 * stream.h - one of our standard streams, written without waiting.
 *
 * O_NONBLOCK belongs to the open file, which we share with whoever started us, so setting it
 * would change their terminal or pipe. A pipe or terminal is opened once more instead; where
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
    bool        ours;           /* opened once more: close it              */
    bool        socket;
    bool        careful;        /* it could block: look before each write  */
};

void stream_open(struct stream *stream, int fd, const char *name);
void stream_close(struct stream *stream);

/* As write(2) would on a descriptor that does not block. */
ssize_t stream_write(struct stream *stream, const void *bytes, size_t count);

#endif
