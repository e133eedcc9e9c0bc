/*
 * channel_frames.h - the channel's frames and the credit for input, as the guest sees them (devices/channel.h).
 *
 * Nothing here knows a device: bytes arrive in pieces of any size, and what they mean is told. The host
 * is not trusted: whatever arrives, this ends, keeps to its memory and tells only what the protocol allows.
 *
 * Locking  none; one caller at a time.
 */
#ifndef QUIRE_DEVICES_CHANNEL_FRAMES_H
#define QUIRE_DEVICES_CHANNEL_FRAMES_H

#include "base/types.h"
#include "devices/channel.h"

/* What arriving frames mean. */
struct channel_events {
    void (*input)(const uint8_t *bytes, size_t count);          /* in pieces as they arrive       */
    void (*input_end)(void);
    void (*input_done)(void);                                   /* a frame of input, or its end, is complete */
    void (*input_state)(unsigned state);                        /* enum channel_input_state */
    void (*window)(unsigned columns, unsigned rows);
    void (*signal)(unsigned number, unsigned about);            /* about: for whom; a channel_kind with SIGPIPE */
    void (*ping)(void);
};

/* A frame that is arriving. Zeroed at first. */
struct channel_reader {
    uint8_t  head[CHANNEL_HEADER + 4];  /* the header and, but for input, the contents as far as they matter */
    unsigned head_bytes;
    uint32_t left;                      /* bytes of contents still to come                                   */
    bool     nonsense;                  /* the host does not speak this protocol: nothing is told any more   */
};

void channel_take(struct channel_reader *reader, const struct channel_events *events, const uint8_t *bytes,
                  size_t count);

/* A frame's header. count <= CHANNEL_PAYLOAD. */
void channel_head(uint8_t out[CHANNEL_HEADER], enum channel_kind kind, size_t count);

/*
 * Input that waits for somebody to read it, and the credit the host has: bytes it may still send. The ring is the
 * caller's, `room` bytes, a power of two.
 *   filled - emptied + promised <= room
 */
struct channel_store {
    uint8_t *ring;
    uint32_t room;
    uint32_t filled, emptied;           /* bytes ever; both wrap     */
    uint32_t promised;                  /* the credit not yet used   */
    uint32_t lost;                      /* sent without credit       */
};

/* At most `most` bytes are asked for: as many as there is room for. Returns how many; they count as promised. */
uint32_t channel_store_promise(struct channel_store *store, uint32_t most);
/* Nothing is asked for any more. */
void     channel_store_settle(struct channel_store *store);
void     channel_store_put(struct channel_store *store, const uint8_t *bytes, size_t count);
/* The next bytes in one piece, at most `most`; then say how many of them were used. */
const uint8_t *channel_store_look(const struct channel_store *store, size_t most, size_t *count);
void     channel_store_drop(struct channel_store *store, size_t count);
static inline uint32_t channel_store_holds(const struct channel_store *store) { return store->filled - store->emptied; }

#endif
