/*
 * frame_many.c - references to many frames at once, and frames that are kept for good.
 */
#include "memory/frames/frame_many.h"

#include "base/check.h"

void frame_put_all(const frame_t *frames_put, size_t count)
{
    for (const frame_t *at = frames_put, *end = at + count; at < end; at++)
        if (!frame_put_shared(*at))
            frame_put(*at);
}

void frame_pin(frame_t frame)
{
    struct frame_record *record;
    uint32_t             state;

    assert(frame.no < frames.end);
    record = record_of(frame.no);
    state  = state_read(record);
    do {
        assert(state_count(state) > 0 && state_count(state) < STATE_PINNED);
    } while (!__atomic_compare_exchange_n(&record->state, &state, state | STATE_PINNED, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    __atomic_add_fetch(&frames.pinned, 1, __ATOMIC_RELAXED);
}

void frame_show(frame_t frame)
{
    enum owner owner = frame_owner(frame);

    assert(frame.no < frames_end() && (owner == OWNER_ABSENT || owner == OWNER_HELD));
    state_write(record_of(frame.no), state_of(STATE_PINNED, owner));
}

bool frame_is_pinned(frame_t frame) { return frame_references(frame) == STATE_PINNED; }
