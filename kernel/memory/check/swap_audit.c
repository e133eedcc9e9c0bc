/*
 * swap_audit.c - the invariants of swap slots, G1 to G3, checked; X5 is checked by audit_cross.c.
 */
#include "memory/audit.h"

#include "base/check.h"
#include "memory/frames/frame.h"
#include "memory/pageout/swap_parts.h"
#include "memory/tables/slot.h"

/* One past an area's last slot: the device's last table may have more than the device has pages. */
static uint32_t last_end(const struct swap_area *area)
{
    uint32_t end = area_end(area);

    return area == &swap.device && end > SLOT_DEVICE + swap.pages ? SLOT_DEVICE + swap.pages : end;
}

/* The slots that the free list has, or more than there are where it has a loop or leads nowhere. The lock is held. */
static uint32_t free_slots(const struct swap_area *area, const char *id, struct audit_report *report)
{
    uint32_t end = last_end(area), most = end - area->first, listed = 0;

    for (uint32_t slot = area->first_free; slot != NO_SLOT && listed <= most; listed++) {
        report->checked++;
        if (slot < area->first || slot >= end || swap_slot_at(slot)->references != 0) {
            audit_fail(report, id, "swap slot %u is listed as free and is not", slot);
            return most + 1;
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

static void audit_packed(struct audit_report *report)
{
    uint32_t end = last_end(&swap.packed), used = 0, listed = free_slots(&swap.packed, "G1", report);

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
    if (used != swap.packed.used || swap.frames != frames_owned(OWNER_COMPRESSED))
        audit_fail(report, "G2", "%u swap slots and %u frames counted, there are %u and %u", swap.packed.used,
                   swap.frames, used, frames_owned(OWNER_COMPRESSED));
}

static void audit_device(struct audit_report *report)
{
    uint32_t end = last_end(&swap.device), used = 0, bad = 0;
    uint32_t listed = free_slots(&swap.device, "G3", report);

    /* bound: SWAP_TABLES times SLOTS_A_FRAME */
    for (uint32_t slot = SLOT_DEVICE; slot < end; slot++) {
        struct swap_slot s = *swap_slot_at(slot);

        report->checked++;
        used += s.references != 0;
        bad  += s.references == 0 && s.place == PLACE_BAD;
    }
    if (listed <= end - SLOT_DEVICE && listed + used + bad != end - SLOT_DEVICE)
        audit_fail(report, "G3", "of %u slots of the swap device %u are in use, %u bad, and %u listed as free",
                   end - SLOT_DEVICE, used, bad, listed);
    if (used != swap.device.used || bad != swap.bad)
        audit_fail(report, "G3", "%u used and %u bad slots of the swap device counted, there are %u and %u",
                   swap.device.used, swap.bad, used, bad);
}

void swap_audit(struct audit_report *report)
{
    lock_state state = lock_take(&swap_lock);

    audit_packed(report);
    audit_device(report);
    lock_drop(&swap_lock, state);
}
