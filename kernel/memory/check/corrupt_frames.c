/*
 * corrupt_frames.c - corrupting the memory map, the frame pool, and what ties frames to tables.
 */
#include "memory/check/corrupt.h"

#include "base/check.h"
#include "base/string.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "memory/start.h"
#include "memory/frames/frame_magazine.h"
#include "memory/tables/table.h"

static frame_t frame;           /* taken for a corruption, given back when it is restored */

static bool corrupt_take(enum owner owner)
{
    return frame_get(owner, 0, &frame) == 0;
}

/* ---- P: the memory map, which only these functions change ---------------------------------- */

static struct memmap        saved_map;
static struct memmap       *map(void)        { return (struct memmap *)memory_map(); }
static struct memmap_range *last_range(void) { return &map()->ranges[map()->count - 1]; }

static void save_map(void)    { saved_map = *map(); }
static void restore_map(void) { *map() = saved_map; }

bool corrupt_p1(void)
{
    struct memmap_range *last = last_range();

    if (map()->count == MEMMAP_RANGES)
        return false;
    save_map();
    last[1] = (struct memmap_range){ .first = last->end, .end = last->end, .ram = !last->ram };
    map()->count++;
    return true;
}

void restore_p1(void) { restore_map(); }

bool corrupt_p2(void)
{
    uint32_t i = 0;

    while (i < map()->count && map()->ranges[i].end.no - map()->ranges[i].first.no < 2)
        i++;
    if (i == map()->count || map()->count == MEMMAP_RANGES)
        return false;
    save_map();
    memmove(&map()->ranges[i + 1], &map()->ranges[i], (map()->count - i) * sizeof map()->ranges[0]);
    map()->count++;
    map()->ranges[i].end.no = map()->ranges[i + 1].first.no = map()->ranges[i].first.no + 1;
    return true;
}

void restore_p2(void) { restore_map(); }

bool corrupt_p3(void)
{
    save_map();
    map()->limit = last_range()->end.no - 1;
    return true;
}

void restore_p3(void) { restore_map(); }

/* ---- F: the frame pool ----------------------------------------------------------------------- */

static uint32_t saved_state;

bool corrupt_f1(void)
{
    if (!corrupt_take(OWNER_TEST))
        return false;
    saved_state = record_of(frame.no)->state;
    record_of(frame.no)->state = state_of(0, OWNER_TEST);
    return true;
}

void restore_f1(void)
{
    record_of(frame.no)->state = saved_state;
    frame_put(frame);
}

bool corrupt_f2(void)
{
    frames.pool.areas[0].free++;
    return true;
}

void restore_f2(void) { frames.pool.areas[0].free--; }

bool corrupt_f3(void)
{
    frame_magazines[cpu_number()].came[OWNER_TEST]++;
    return true;
}

void restore_f3(void) { frame_magazines[cpu_number()].came[OWNER_TEST]--; }

/* The bit and the counts of its area agree afterwards: only the record and the map know better. */
bool corrupt_f4(void)
{
    uint32_t n = 0;

    while (n < frames.end && frame_is_ram((frame_t){ n }))
        n++;
    if (n == frames.end)
        return false;
    frame = (frame_t){ n };
    pool_give(&frames.pool, n);
    return true;
}

void restore_f4(void) { pool_keep_run(&frames.pool, frame.no, 1); }

static uint32_t saved_word;

static uint32_t exchange_first_word(uint32_t word)
{
    lock_state state = interrupts_off();
    uint32_t  *first = frame_view(frame, SLOT_INSPECT);
    uint32_t   old   = *first;

    *first = word;
    interrupts_restore(state);
    return old;
}

bool corrupt_f5(void)
{
    if (!IS_CHECKED || !corrupt_take(OWNER_TEST))
        return false;
    frame_put(frame);
    saved_word = exchange_first_word(0xBAD);
    return true;
}

void restore_f5(void) { (void)exchange_first_word(saved_word); }

/* ---- X: between frames and tables -------------------------------------------------------------- */

bool corrupt_x1(void) { return corrupt_take(OWNER_TABLES); }
void restore_x1(void)  { frame_put(frame); }

static struct region region;

static frame_t frame_of_region(void)
{
    unsigned   level;
    lock_state state = lock_take(&kernel_space.tables_lock);
    entry_t    e     = table_lookup(&kernel_space, region.span.first, &level);

    lock_drop(&kernel_space.tables_lock, state);
    assert(level == 1);
    return entry_frame(e);
}

static bool map_region(void) { return kernel_map(&region, PURPOSE_HEAP, "corruption", 1, 0, OWNER_USER) == 0; }

bool corrupt_x2(void)
{
    if (!map_region())
        return false;
    frame = frame_of_region();
    frame_share(frame);
    return true;
}

void restore_x2(void)
{
    frame_put(frame);
    kernel_unmap(&region);
}

bool corrupt_x3(void)
{
    if (!map_region())
        return false;
    frame = frame_of_region();
    frame_change_owner(frame, OWNER_USER, OWNER_HELD);
    return true;
}

void restore_x3(void)
{
    frame_change_owner(frame, OWNER_HELD, OWNER_USER);
    kernel_unmap(&region);
}

bool corrupt_x4(void)
{
    struct memmap_range *range = &map()->ranges[0];

    save_map();
    range->ram = !range->ram;
    return true;
}

void restore_x4(void) { restore_map(); }
