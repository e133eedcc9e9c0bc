/*
 * frame_many.c - references to many frames at once, for fork and exit: the loop stands beside the counts.
 */
#include "memory/frames/frame.h"

#include "base/check.h"
#include "memory/frames/frame_magazine.h"

void frame_share_all(const frame_t *frames_shared, size_t count)
{
    for (const frame_t *at = frames_shared, *end = at + count; at < end; at++) {
        struct frame_record *record = record_of(at->no);
        uint32_t             state  = state_read(record);

        assert(at->no < frames.end);
        /* Far from the limit there is only counting; frame_share() deals with the rest. */
        if (state_count(state) - 1 >= STATE_PINNED - 2 ||
            !__atomic_compare_exchange_n(&record->state, &state, state + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            frame_share(*at);
    }
}

void frame_put_all(const frame_t *frames_put, size_t count)
{
    for (const frame_t *at = frames_put, *end = at + count; at < end; at++) {
        struct frame_record *record;
        uint32_t             state;

        if (at->no >= frames.end) {
            frame_put(*at);
            continue;
        }
        record = record_of(at->no);
        state  = state_read(record);
        /* Others hold it too, and it is not pinned; frame_put() deals with the rest. */
        if (state_count(state) - 2 >= STATE_PINNED - 2 ||
            !__atomic_compare_exchange_n(&record->state, &state, state - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            frame_put(*at);
    }
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
