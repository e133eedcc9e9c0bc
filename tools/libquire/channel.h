/*
 * channel.h - the host's end of the channel to a sandboxed program (kernel/devices/channel.h
 * describes its frames). No function here blocks: session.h waits.
 */
#ifndef QUIRE_TOOLS_CHANNEL_H
#define QUIRE_TOOLS_CHANNEL_H

#include "../../kernel/devices/channel.h"

#include <stdbool.h>
#include <stdint.h>

struct channel {
    int      fd;
    uint8_t  in[CHANNEL_HEADER + CHANNEL_PAYLOAD];
    size_t   whole, gap;            /* of the first frame, with what was joined to it: its contents, and unused bytes
                                     * behind them; both 0: not looked at yet */
    size_t   in_first, in_length;   /* of `in`: where the first frame begins, and how many bytes there are from it */
    uint8_t *out;                   /* frames that the machine has not taken yet */
    size_t   out_length, out_room;
    bool     ended;                 /* the machine has closed its end            */
    bool     nonsense;              /* the machine broke the protocol            */
};

struct channel_frame {
    enum channel_kind kind;
    size_t            length;       /* CHANNEL_PAYLOAD at most */
    const uint8_t    *bytes;        /* valid until channel_drop() */
};

void channel_open(struct channel *channel, int fd);
void channel_close(struct channel *channel);

/* Read the bytes that have come. */
void channel_read(struct channel *channel);

/*
 * The first complete frame, which stays first until it is dropped. Output of one stream that came in several frames is
 * one, which becomes longer as more comes: its bytes so far stay the same. False: there is none yet.
 */
bool channel_next(struct channel *channel, struct channel_frame *frame);
void channel_drop(struct channel *channel);

/* Queue a frame and send what the machine takes; channel_write() sends more of it later. */
void channel_send(struct channel *channel, enum channel_kind kind, const void *bytes, uint16_t length);
void channel_write(struct channel *channel);

/* Little-endian numbers of a payload. */
uint32_t channel_number(const uint8_t *bytes);

#endif
