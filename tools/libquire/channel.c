/* channel.c - frames out of bytes, and bytes out of frames. See channel.h. */
#include "channel.h"
#include "arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void channel_open(struct channel *channel, int fd)
{
    memset(channel, 0, sizeof(*channel));
    channel->fd = fd;
}

void channel_close(struct channel *channel)
{
    close(channel->fd);
    drop(channel->out);
    channel->fd = -1;
    channel->out = NULL;
}

void channel_read(struct channel *channel)
{
    ssize_t got;

    if (channel->in_first > 0)
        memmove(channel->in, channel->in + channel->in_first, channel->in_length);
    channel->in_first = 0;
    got = recv(channel->fd, channel->in + channel->in_length, sizeof(channel->in) - channel->in_length, MSG_DONTWAIT);
    if (got > 0)
        channel->in_length += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        channel->ended = true;
}

static bool known(unsigned kind)
{
    return (kind >= CHANNEL_OUTPUT && kind <= CHANNEL_PONG) || kind == CHANNEL_UNREAD;
}

static size_t first_length(const struct channel *channel)
{
    const uint8_t *first = channel->in + channel->in_first;

    return first[2] | (size_t)first[3] << 8;
}

/* Join the frames behind the first that are output of the same stream: one write(2) is as dear as 4 096 bytes. */
static void join(struct channel *channel)
{
    uint8_t *first = channel->in + channel->in_first;

    while (first[0] == CHANNEL_OUTPUT || first[0] == CHANNEL_ERRORS) {
        size_t at = CHANNEL_HEADER + channel->whole + channel->gap, length;
        const uint8_t *next = first + at;

        if (channel->in_length < at + CHANNEL_HEADER || next[0] != first[0] || next[1] != 0)
            return;
        length = next[2] | (size_t)next[3] << 8;
        if (channel->in_length < at + CHANNEL_HEADER + length)
            return;
        memmove(first + CHANNEL_HEADER + channel->whole, next + CHANNEL_HEADER, length);
        channel->whole += length;
        channel->gap   += CHANNEL_HEADER;
    }
}

bool channel_next(struct channel *channel, struct channel_frame *frame)
{
    const uint8_t *first = channel->in + channel->in_first;

    if (channel->nonsense || channel->in_length < CHANNEL_HEADER)
        return false;
    if (!known(first[0]) || first[1] != 0) {
        channel->nonsense = true;
        return false;
    }
    if (channel->whole + channel->gap == 0) {
        if (channel->in_length < CHANNEL_HEADER + first_length(channel))
            return false;
        channel->whole = first_length(channel);
    }
    join(channel);
    *frame = (struct channel_frame){ first[0], channel->whole, first + CHANNEL_HEADER };
    return true;
}

void channel_drop(struct channel *channel)
{
    size_t gone = CHANNEL_HEADER + channel->whole + channel->gap;

    channel->whole = channel->gap = 0;
    channel->in_length -= gone;
    channel->in_first = channel->in_length > 0 ? channel->in_first + gone : 0;
}

void channel_send(struct channel *channel, enum channel_kind kind, const void *bytes, uint16_t length)
{
    const uint8_t header[CHANNEL_HEADER] = { (uint8_t)kind, 0, (uint8_t)length, (uint8_t)(length >> 8) };
    size_t needed = channel->out_length + sizeof(header) + length;

    if (needed > channel->out_room) {
        channel->out = grown(channel->out, needed * 2, 1);
        channel->out_room = needed * 2;
    }
    memcpy(channel->out + channel->out_length, header, sizeof(header));
    if (length > 0)
        memcpy(channel->out + channel->out_length + sizeof(header), bytes, length);
    channel->out_length = needed;
    channel_write(channel);
}

void channel_write(struct channel *channel)
{
    ssize_t sent = send(channel->fd, channel->out, channel->out_length, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent < 0) {
        /* The machine has gone; reading will report it, after the last frames. */
        if (errno != EAGAIN && errno != EINTR)
            channel->out_length = 0;
        return;
    }
    channel->out_length -= (size_t)sent;
    memmove(channel->out, channel->out + sent, channel->out_length);
}

uint32_t channel_number(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}
