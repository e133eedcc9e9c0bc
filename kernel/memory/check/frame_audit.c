/*
 * frame_audit.c - the frame pool's invariants F1 to F5 checked.
 *
 * Magazines of other CPUs are read without a lock that would stop them, so the audit is
 * right whenever no other CPU is inside a call of frame.h.
 */
#include "memory/audit.h"

#include "base/check.h"
#include "memory/frames/frame_magazine.h"

/* ---- The audit -------------------------------------------------------------------------- */

static uint32_t times_in_magazines(uint32_t frame)
{
    uint32_t times = 0;

    for (uint32_t cpu = 0; cpu < MAX_CPUS; cpu++)
        for (uint32_t n = 0; n < frame_magazine_count(&frame_magazines[cpu]); n++)
            times += frame_magazine_frame(&frame_magazines[cpu], n) == frame;
    return times;
}

/* F1, F4, F5 for one frame that has a record. */
static void audit_frame(uint32_t frame, struct audit_report *report)
{
    uint32_t state = state_read(&frames.records[frame]);
    bool bit = pool_is_free(&frames.pool, frame);

    report->checked++;
    if (state_owner(state) == OWNER_ABSENT) {
        if (bit)
            audit_fail(report, "F4", "frame 0x%x is no RAM, yet free in the bitmap", frame);
        return;
    }
    if ((state_owner(state) == OWNER_FREE) != (state_count(state) == 0)) {
        audit_fail(report, "F1", "frame 0x%x belongs to %s and has %u references", frame,
                   owner_names[state_owner(state)], state_count(state));
        return;
    }
    if (bit && !state_free(state))
        audit_fail(report, "F1", "frame 0x%x is free in the bitmap, but belongs to %s", frame,
                   owner_names[state_owner(state)]);
    if (!bit && state_free(state) && times_in_magazines(frame) != 1)
        audit_fail(report, "F1", "frame 0x%x is free, but used in the bitmap and %u times in magazines", frame,
                   times_in_magazines(frame));
    if (IS_CHECKED && state_free(state) && !contents_ok(frame, state))
        audit_fail(report, "F5", "frame 0x%x is free and was written to; last owner %s", frame,
                   owner_names[state_last(state)]);
}

/* F1, the other way round: a frame in a magazine is free, and used in the bitmap. */
static void audit_magazine(const struct frame_magazine *magazine, struct audit_report *report)
{
    for (uint32_t n = 0; n < frame_magazine_count(magazine); n++) {
        uint32_t frame = frame_magazine_frame(magazine, n);

        if (frame >= frames.end || !state_free(state_read(&frames.records[frame])) ||
            pool_is_free(&frames.pool, frame))
            audit_fail(report, "F1", "frame 0x%x is in a magazine, but not free, or in the bitmap too", frame);
    }
}

/* F3: the records say what the sums say. */
static void audit_sums(const uint32_t *counted, struct audit_report *report)
{
    uint32_t ram = 0;

    for (uint32_t owner = 0; owner < OWNER_COUNT; owner++) {
        uint32_t sum = frames_owned((enum owner)owner);

        if (owner != OWNER_ABSENT)
            ram += sum;
        if (counted[owner] != sum)
            audit_fail(report, "F3", "%u frames belong to %s, the sum says %u", counted[owner],
                       owner_names[owner], sum);
    }
    if (ram != frames.ram)
        audit_fail(report, "F3", "the owners have %u frames, RAM is %u", ram, frames.ram);
}

void frames_audit_area(uint32_t area, struct audit_report *report)
{
    uint32_t first = area * AREA_FRAMES, end = first + AREA_FRAMES;
    lock_state state = 0;
    bool taken = pool_enter(&state);

    pool_audit_area(&frames.pool, area, report);
    for (uint32_t frame = first; frame < end; frame++) {
        if (frame < frames.end)
            audit_frame(frame, report);
        else if (pool_is_free(&frames.pool, frame))
            audit_fail(report, "F4", "frame 0x%x is past the last frame, yet free in the bitmap", frame);
    }
    pool_leave(taken, state);
}

uint32_t frames_areas(void) { return frames.pool.area_count; }

void frames_audit(struct audit_report *report)
{
    uint32_t counted[OWNER_COUNT] = { 0 };
    lock_state state = 0;
    bool taken;

    for (uint32_t area = 0; area < frames.pool.area_count; area++)
        frames_audit_area(area, report);
    taken = pool_enter(&state);
    pool_audit_sets(&frames.pool, report);
    for (uint32_t cpu = 0; cpu < MAX_CPUS; cpu++)
        audit_magazine(&frame_magazines[cpu], report);
    for (uint32_t frame = 0; frame < frames.end; frame++)
        counted[state_owner(state_read(&frames.records[frame]))]++;
    pool_leave(taken, state);
    audit_sums(counted, report);
}

bool frames_ok(void)
{
    struct audit_report report = { 0 };

    frames_audit(&report);
    return report.failed == 0;
}
