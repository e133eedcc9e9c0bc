/*
 * swap_audit.c - the invariants of swap slots, G1 and G2, checked; X5 is checked by audit_cross.c.
 */
#include "memory/audit.h"

#include "base/check.h"
#include "memory/frames/frame.h"
#include "memory/pageout/swap_parts.h"
#include "memory/tables/slot.h"

/* The slots that the free list has, or more than there are where it has a loop or leads nowhere. The lock is held. */
static uint32_t free_slots(struct audit_report *report)
{
    uint32_t end = swap.tables * SLOTS_A_FRAME, listed = 0;

    for (uint32_t slot = swap.first_free; slot != NO_SLOT && listed <= end; listed++) {
        report->checked++;
        if (slot >= end || swap_slot_at(slot)->references != 0) {
            audit_fail(report, "G1", "swap slot %u is listed as free and is not", slot);
            return end + 1;
        }
        slot = swap_slot_at(slot)->place;
    }
    return listed;
}

static bool has_part(uint32_t place)
{
    frame_t             frame = swap_place_frame(place);
    const struct parts *parts;

    if (frame.no >= frames_end() || frame_owner(frame) != OWNER_COMPRESSED)
        return false;
    parts = frame_view(frame, SLOT_TO);
    return parts->count >= 2 && parts->count <= SWAP_PARTS && swap_place_part(place) < parts->count &&
           (parts->used >> swap_place_part(place) & 1);
}

void swap_audit(struct audit_report *report)
{
    lock_state state = lock_take(&swap_lock);
    uint32_t   end = swap.tables * SLOTS_A_FRAME, used = 0, listed = free_slots(report);

    /* bound: SWAP_TABLES times SLOTS_A_FRAME */
    for (uint32_t slot = 0; slot < end; slot++) {
        struct swap_slot s = *swap_slot_at(slot);

        report->checked++;
        used += s.references != 0;
        if (s.references != 0 && !has_part(s.place))
            audit_fail(report, "G1", "swap slot %u has no part of a frame that is in use", slot);
    }
    if (listed <= end && listed + used != end)
        audit_fail(report, "G1", "of %u swap slots %u are in use, and %u are listed as free", end, used, listed);
    if (used != swap.used || swap.frames != frames_owned(OWNER_COMPRESSED))
        audit_fail(report, "G2", "%u swap slots and %u frames counted, there are %u and %u", swap.used, swap.frames,
                   used, frames_owned(OWNER_COMPRESSED));
    lock_drop(&swap_lock, state);
}
