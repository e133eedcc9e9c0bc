/*
 * channel_frames.h - the channel's frames and the credit for input, as the guest sees them (devices/channel.h).
 *
 * No device is used here: bytes arrive in pieces of any size, and functions of the caller are called for what they
 * mean. The host is not trusted: for any bytes the reader ends, keeps to its memory and reports only what the protocol
 * allows.
 *
 * Locking  none; one caller at a time.
 */
#ifndef QUIRE_DEVICES_CHANNEL_FRAMES_H
#define QUIRE_DEVICES_CHANNEL_FRAMES_H

#include "base/types.h"
#include "devices/channel.h"

/* The functions that are called for arriving frames. */
struct channel_events {
    void (*input)(const uint8_t *bytes, size_t count);          /* in pieces as they arrive       */
    void (*placed)(uint32_t bytes);                             /* input lies in the place that was named */
    void (*input_end)(void);
    void (*input_done)(void);                                   /* a frame of input, PLACED, or the end is complete */
    void (*input_state)(unsigned state);                        /* enum channel_input_state */
    void (*input_failed)(unsigned error);                       /* before an end that is an error */
    void (*window)(unsigned columns, unsigned rows);
    void (*signal)(unsigned number, unsigned about);            /* about: CHANNEL_TO_...; with SIGPIPE a channel_kind */
    void (*ping)(void);
    void (*begin)(const uint8_t seed[CHANNEL_SEED]);
};

/* A frame that is arriving. Zeroed at first. */
struct channel_reader {
    uint8_t  head[CHANNEL_HEADER + CHANNEL_SEED];  /* the header and, but for input, the contents that matter */
    unsigned head_bytes;
    uint32_t left;                      /* bytes of contents still to come                                   */
    bool     nonsense;                  /* the host broke the protocol: all further bytes are ignored        */
};

/* Read the bytes that have arrived, and call the functions. */
void channel_take(struct channel_reader *reader, const struct channel_events *events, const uint8_t *bytes,
                  size_t count);

/* Write a frame's header. count <= CHANNEL_PAYLOAD. */
void channel_head(uint8_t out[CHANNEL_HEADER], enum channel_kind kind, size_t count);

/*
 * Input that has come and is not read yet, in a memory of `room` bytes that belongs to the caller: bytes `emptied` to
 * `filled` of it. It is asked for only when the last has been read, and then begins at byte 0. The host's credit is
 * what it may still send.
 *
 *   S1  emptied <= filled
 *   S2  filled + promised <= room
 */
struct channel_store {
    uint32_t room;
    uint32_t filled, emptied;
    uint32_t promised;                  /* the credit not yet used          */
    uint32_t lost;                      /* bytes sent without credit        */
};

bool     channel_store_ok(const struct channel_store *store);            /* S1, S2 */
static inline uint32_t channel_store_holds(const struct channel_store *store) { return store->filled - store->emptied; }
/* Promise the host all the room, and return it. Nothing is held, and no credit is open. */
uint32_t channel_store_promise(struct channel_store *store);
/* The host's credit is used up or cancelled. */
void     channel_store_settle(struct channel_store *store);
/* So many bytes have come. Returns how many of them are wanted; their place begins at what `filled` was. */
uint32_t channel_store_accept(struct channel_store *store, size_t count);
/* So many bytes have been read. */
void     channel_store_drop(struct channel_store *store, size_t count);

#endif
