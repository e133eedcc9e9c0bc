/*
 * frame_sums.c - how many frames there are, by owner and by state.
 *
 * Magazines of other CPUs are read without a lock that would stop them, so sums are exact whenever no other CPU
 * is inside a call of frame.h.
 */
#include "memory/frames/frame_magazine.h"

/* How many more frames an owner has than when the pool opened. All sums here are modulo 2^32. */
static uint32_t frames_gained(enum owner owner)
{
    uint32_t sum = 0;

    for (uint32_t cpu = 0; cpu < MAX_CPUS; cpu++)
        sum += (uint32_t)(count_read(frame_magazines[cpu].came[owner]) - count_read(frame_magazines[cpu].went[owner]));
    return sum;
}

uint32_t frames_owned(enum owner owner)
{
    uint32_t taken = 0;

    if (owner != OWNER_FREE)
        return frames.owned[owner] + frames_gained(owner);
    for (uint32_t other = 0; other < OWNER_COUNT; other++)
        taken += frames_gained((enum owner)other);
    return frames.owned[OWNER_FREE] - taken;
}

uint32_t frames_free(void) { return frames_owned(OWNER_FREE); }

void frames_sums(struct frame_sums *out)
{
    lock_state state = 0;
    bool taken = pool_enter(&state);

    peak_note(&frame_magazines[cpu_number()]);
    *out = (struct frame_sums){
        .ram = frames.ram, .peak_used = frames.peak,
        .reserve = frames.reserve, .misuses = count_read(frames.misuses), .pinned = count_read(frames.pinned),
    };
    for (uint32_t cpu = 0; cpu < MAX_CPUS; cpu++) {
        out->magazine += frame_magazine_count(&frame_magazines[cpu]);
        out->zeroed += count_read(frame_magazines[cpu].zeroed);
        out->gets -= count_read(frame_magazines[cpu].changes);
        out->puts -= count_read(frame_magazines[cpu].changes);
        for (uint32_t owner = 0; owner < OWNER_COUNT; owner++) {
            out->gets += count_read(frame_magazines[cpu].came[owner]);
            out->puts += count_read(frame_magazines[cpu].went[owner]);
        }
    }
    pool_leave(taken, state);
    for (uint32_t owner = 0; owner < OWNER_COUNT; owner++)
        out->owned[owner] = frames_owned((enum owner)owner);
}

void frames_runs(struct frame_runs *out)
{
    *out = (struct frame_runs){ pool_largest_run(&frames.pool), pool_free_areas(&frames.pool) };
}
