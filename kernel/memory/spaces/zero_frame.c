/*
 * zero_frame.c - the one frame of zeros that all readers of untouched memory share.
 */
#include "base/check.h"
#include "base/lock.h"
#include "memory/frames/frame.h"
#include "memory/spaces/fault.h"

static struct lock zero_lock = LOCK("zero frame", RANK_ZERO);
/* [zero_lock to write] pinned: its references are not counted */
frame_t            zero_frame_number = { UINT32_MAX };

/* The frame, once made, stays: code that sees its number needs no lock. */
int make_zero_frame(void)
{
    lock_state state = lock_take(&zero_lock);
    frame_t    fresh;
    int        err = 0;

    if (!frame_exists(zero_frame_number)) {
        err = frame_get(OWNER_SHARED, FRAME_ZERO, &fresh);
        if (err == 0) {
            frame_pin(fresh);
            zero_frame_number = fresh;
        }
    }
    deep_assert(err != 0 || frame_owner(zero_frame_number) == OWNER_SHARED);
    lock_drop(&zero_lock, state);
    return err;
}

void faults_start(void) { zero_frame_number = NO_FRAME; }
