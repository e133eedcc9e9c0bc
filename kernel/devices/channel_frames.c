/*
 * channel_frames.c - the channel's frames and the credit for input. See channel_frames.h.
 */
#include "devices/channel_frames.h"

#include "base/check.h"

enum { KIND = 0, ZERO = 1, LENGTH = 2, CONTENTS = CHANNEL_HEADER };

void channel_head(uint8_t out[CHANNEL_HEADER], enum channel_kind kind, size_t count)
{
    assert(count <= CHANNEL_PAYLOAD);
    out[KIND]       = (uint8_t)kind;
    out[ZERO]       = 0;
    out[LENGTH]     = (uint8_t)count;
    out[LENGTH + 1] = (uint8_t)(count >> 8);
}

static unsigned number_at(const uint8_t *bytes) { return bytes[0] | (unsigned)bytes[1] << 8; }

static uint32_t long_at(const uint8_t *bytes) { return number_at(bytes) | (uint32_t)number_at(bytes + 2) << 16; }

/* A header is complete. */
static void begin_frame(struct channel_reader *r, const struct channel_events *events)
{
    r->left = number_at(r->head + LENGTH);
    if (r->head[ZERO] != 0)
        r->nonsense = true;
    else if (r->head[KIND] == CHANNEL_INPUT && r->left == 0)
        events->input_end();
}

/* A frame other than input is complete; one that is too short says nothing. */
static void end_frame(struct channel_reader *r, const struct channel_events *events)
{
    unsigned contents = r->head_bytes - CHANNEL_HEADER;

    if (r->head[KIND] == CHANNEL_INPUT)
        events->input_done();
    else if (r->head[KIND] == CHANNEL_PLACED && contents >= 4)
        events->placed(long_at(r->head + CONTENTS));
    else if (r->head[KIND] == CHANNEL_INPUT_STATE && contents >= 1)
        events->input_state(r->head[CONTENTS]);
    else if (r->head[KIND] == CHANNEL_INPUT_FAILED && contents >= 1)
        events->input_failed(r->head[CONTENTS]);
    else if (r->head[KIND] == CHANNEL_WINDOW && contents >= 4)
        events->window(number_at(r->head + CONTENTS), number_at(r->head + CONTENTS + 2));
    else if (r->head[KIND] == CHANNEL_SIGNAL && contents >= 1)
        events->signal(r->head[CONTENTS], contents >= 2 ? r->head[CONTENTS + 1] : 0);
    else if (r->head[KIND] == CHANNEL_PING)
        events->ping();
    else if (r->head[KIND] == CHANNEL_BEGIN && contents >= CHANNEL_SEED)
        events->begin(r->head + CONTENTS);
}

/* Contents: input is passed on, of all else the first bytes are kept. */
static size_t take_contents(struct channel_reader *r, const struct channel_events *events, const uint8_t *bytes,
                            size_t count)
{
    if (count > r->left)
        count = r->left;
    if (r->head[KIND] == CHANNEL_INPUT)
        events->input(bytes, count);
    for (size_t i = 0; r->head[KIND] != CHANNEL_INPUT && i < count && r->head_bytes < sizeof r->head; i++)
        r->head[r->head_bytes++] = bytes[i];
    r->left -= (uint32_t)count;
    return count;
}

void channel_take(struct channel_reader *r, const struct channel_events *events, const uint8_t *bytes, size_t count)
{
    while (count > 0 && !r->nonsense) {
        size_t taken = 1;

        if (r->head_bytes < CHANNEL_HEADER) {
            r->head[r->head_bytes++] = *bytes;
            if (r->head_bytes == CHANNEL_HEADER)
                begin_frame(r, events);
        } else {
            taken = take_contents(r, events, bytes, count);
        }
        if (r->head_bytes >= CHANNEL_HEADER && r->left == 0) {
            if (!r->nonsense)
                end_frame(r, events);
            r->head_bytes = 0;
        }
        bytes += taken;
        count -= taken;
    }
}

/* ---- Credit -------------------------------------------------------------------------------- */

bool channel_store_ok(const struct channel_store *s)
{
    return s->emptied <= s->filled && s->filled <= s->room && s->promised <= s->room - s->filled;
}

uint32_t channel_store_promise(struct channel_store *s)
{
    assert(channel_store_holds(s) == 0 && s->promised == 0);
    s->filled   = s->emptied = 0;
    return s->promised = s->room;
}

void channel_store_settle(struct channel_store *s) { s->promised = 0; }

uint32_t channel_store_accept(struct channel_store *s, size_t count)
{
    uint32_t wanted = count < s->promised ? (uint32_t)count : s->promised;

    s->lost     += (uint32_t)(count - wanted);
    s->promised -= wanted;
    s->filled   += wanted;
    deep_assert(channel_store_ok(s));
    return wanted;
}

void channel_store_drop(struct channel_store *s, size_t count)
{
    assert(count <= channel_store_holds(s));
    s->emptied += (uint32_t)count;
}
