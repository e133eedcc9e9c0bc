/*
 * frame_many.h - references counted in line, for loops over many entries of page tables: those of fork and exit.
 *
 * Contracts are those of frame_share() and frame_put() (frame.h). As the frame pool's own state is visible here, only
 * files with such a loop include this.
 *
 * Cost     some ten instructions for a frame that is shared, and far from as often as can be counted.
 */
#ifndef QUIRE_MEMORY_FRAME_MANY_H
#define QUIRE_MEMORY_FRAME_MANY_H

#include "base/check.h"
#include "memory/frames/frame.h"
#include "memory/frames/frame_magazine.h"

/* frame_share(), which deals with counts near the limit. */
static inline void frame_share_in_line(frame_t frame)
{
    struct frame_record *record = record_of(frame.no);
    uint32_t             state;

    assert(frame.no < frames.end);
    state = state_read(record);
    if (state_count(state) - 1 >= STATE_PINNED - 2 ||
        !__atomic_compare_exchange_n(&record->state, &state, state + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        frame_share(frame);
}

/*
 * frame_put() of a frame that others hold too, and that is not pinned. Otherwise false, and nothing has changed: that
 * is frame_put()'s to do.
 */
static inline bool frame_put_shared(frame_t frame)
{
    struct frame_record *record;
    uint32_t             state;

    if (frame.no >= frames.end)
        return false;
    record = record_of(frame.no);
    state  = state_read(record);
    return state_count(state) - 2 < STATE_PINNED - 2 &&
           __atomic_compare_exchange_n(&record->state, &state, state - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

#endif
