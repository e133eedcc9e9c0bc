/*
 * frame_magazine.c - each CPU's magazine of frames: refilling, emptying, zeroing ahead.
 *
 * frame.c takes the ring's newest frame and gives to a ring with room by itself; the rarer cases
 * are here, in the order in which a call tries them.
 */
#include "memory/frames/frame_magazine.h"

#include "base/check.h"
#include "base/string.h"
#include "memory/tables/slot.h"

/* Compiled to be small: where frames run short, or more are used than ever. */
#define RARE __attribute__((cold, noinline))

struct frame_magazine frame_magazines[MAX_CPUS];
_Static_assert((int)MAGAZINE_MOST == (int)MAGAZINE_FRAMES_MOST,
               "a magazine has room for what any document keeps at hand");
struct lock  pool_lock = LOCK("pool", RANK_POOL);

/* ---- The peak ---------------------------------------------------------------------------- */

/*
 * Frames not free: those used in the bitmap less those in this CPU's magazine at its lowest since
 * the last call. Frames in other CPUs' magazines count as used; with one CPU and no frames zeroed
 * ahead the peak is exact, else never too small.
 */
RARE void peak_note(struct frame_magazine *mine)
{
    uint32_t used = frames.ram - frames.pool.free;

    used -= mine->lowest + mine->clean_count + word_ones(mine->claim);
    if (used > frames.peak)
        frames.peak = used;
    mine->lowest = mine->newest - mine->oldest;
}

/* Mostly there is nothing to note, even with the frames of the magazine. */
static inline void peak_look(struct frame_magazine *mine)
{
    if (frames.ram - frames.pool.free > frames.peak)
        peak_note(mine);
    mine->lowest = mine->newest - mine->oldest;
}

/* ---- Taking ----------------------------------------------------------------------------- */

static uint32_t take_newest(struct frame_magazine *magazine)
{
    uint32_t newest = magazine->newest - 1;

    deep_assert(magazine->newest != magazine->oldest);
    __atomic_store_n(&magazine->newest, newest, __ATOMIC_RELAXED);
    if (newest - magazine->oldest < magazine->lowest)
        magazine->lowest = newest - magazine->oldest;
    return magazine->ring[newest % MAGAZINE_MOST];
}

static uint32_t take_from_claim(struct frame_magazine *magazine)
{
    uint32_t frame = magazine->base + (uint32_t)__builtin_ctzl(magazine->claim);

    deep_assert(magazine->claim != 0);
    magazine->claim &= magazine->claim - 1;
    return frame;
}

/* A frame of the magazine that is below low_end, or POOL_NONE. */
static uint32_t low_in_magazine(struct frame_magazine *magazine)
{
    uint32_t low_end = frames.pool.low_end;

    deep_assert(lock_held(&pool_lock));
    /* bound: MAGAZINE_FRAMES_MOST */
    for (uint32_t n = magazine->newest; n != magazine->oldest; n--) {
        uint32_t frame = magazine->ring[(n - 1) % MAGAZINE_MOST];

        if (frame < low_end) {
            magazine->ring[(n - 1) % MAGAZINE_MOST] = take_newest(magazine);
            return frame;
        }
    }
    if (magazine->claim != 0 && magazine->base + (uint32_t)__builtin_ctzl(magazine->claim) < low_end)
        return take_from_claim(magazine);
    for (uint32_t n = 0; n < magazine->clean_count; n++) {
        uint32_t frame = magazine->clean[n];

        if (frame < low_end) {
            magazine->clean[n] = magazine->clean[--magazine->clean_count];
            return frame;
        }
    }
    return POOL_NONE;
}

/* A frame below low_end: the ring's newest if that is one; else from the bitmap; else another of the magazine. */
static uint32_t take_low(struct frame_magazine *magazine, unsigned flags)
{
    uint32_t frame = POOL_NONE;
    lock_state state;

    if (magazine->newest != magazine->oldest &&
        magazine->ring[(magazine->newest - 1) % MAGAZINE_MOST] < frames.pool.low_end)
        return take_newest(magazine);
    state = lock_take(&pool_lock);
    peak_note(magazine);
    if (frames.pool.free > frames.reserve || (flags & FRAME_SPARE))
        frame = pool_take(&frames.pool, true);
    if (frame == POOL_NONE)
        frame = low_in_magazine(magazine);
    if (frame == POOL_NONE)
        frame_magazines_want(magazine);
    frame_magazines_adjust(magazine);
    lock_drop(&pool_lock, state);
    return frame;
}

/*
 * From the bitmap: a word for the magazine, or without a magazine one frame. Frames of the reserve
 * are given singly, and only with FRAME_SPARE.
 */
static uint32_t magazine_refill(struct frame_magazine *magazine, bool from_reserve)
{
    lock_state state = lock_take(&pool_lock);
    uint32_t spare = frames.pool.free > frames.reserve ? frames.pool.free - frames.reserve : 0;
    uint32_t frame = POOL_NONE;

    peak_look(magazine);
    if (from_reserve || (frames.magazine == 0 && spare > 0)) {
        frame = pool_take(&frames.pool, false);
    } else if (spare > 0) {
        assert(magazine->claim == 0);           /* else its frames would be lost */
        magazine->claim = pool_claim(&frames.pool, spare < frames.magazine ? spare : frames.magazine, &magazine->base);
        frame = take_from_claim(magazine);
    }
    if (frame == POOL_NONE && (magazine->clean_count == 0 || from_reserve))
        frame_magazines_want(magazine);
    frame_magazines_adjust(magazine);
    lock_drop(&pool_lock, state);
    return frame;
}

bool frame_magazine_fails(void)
{
    if (count_read(frames.fail_at) == 0 || __atomic_sub_fetch(&frames.fail_at, 1, __ATOMIC_RELAXED) != 0)
        return false;
    __atomic_store_n(&frames.unusual, frames.always, __ATOMIC_RELAXED);
    return true;
}

uint32_t frame_magazine_take(struct frame_magazine *magazine, unsigned flags)
{
    uint32_t frame;

    deep_assert(frames_are_open());
    if (frame_magazine_fails())
        return POOL_NONE;
    if ((flags & FRAME_LOW) && frames.low_matters)
        return take_low(magazine, flags);
    if ((flags & FRAME_ZERO) && magazine->clean_count > 0)
        return magazine->clean[--magazine->clean_count];
    if (magazine->newest != magazine->oldest)
        return take_newest(magazine);
    if (magazine->claim != 0)
        return take_from_claim(magazine);
    frame = magazine_refill(magazine, false);
    if (frame == POOL_NONE && magazine->clean_count > 0)
        frame = magazine->clean[--magazine->clean_count];
    if (frame == POOL_NONE && (flags & FRAME_SPARE))
        frame = magazine_refill(magazine, true);
    return frame;
}

/* ---- Giving ----------------------------------------------------------------------------- */

void frame_magazine_give(struct frame_magazine *magazine, uint32_t frame)
{
    lock_state state = lock_take(&pool_lock);

    peak_look(magazine);
    if (count_read(magazine->wanted))
        frame_magazine_empty(magazine);
    if (count_read(magazine->room) == 0) {
        pool_give(&frames.pool, frame);
    } else {
        pool_give(&frames.pool, magazine->ring[magazine->oldest++ % MAGAZINE_MOST]);
        magazine->ring[magazine->newest++ % MAGAZINE_MOST] = frame;
    }
    frame_magazines_adjust(magazine);
    lock_drop(&pool_lock, state);
}

void frame_magazine_empty(struct frame_magazine *magazine)
{
    assert(lock_held(&pool_lock));
    /* bound: MAGAZINE_FRAMES_MOST */
    while (magazine->oldest != magazine->newest)
        pool_give(&frames.pool, magazine->ring[magazine->oldest++ % MAGAZINE_MOST]);
    while (magazine->clean_count > 0)
        pool_give(&frames.pool, magazine->clean[--magazine->clean_count]);
    pool_unclaim(&frames.pool, magazine->base, magazine->claim);
    magazine->claim = 0;
    __atomic_store_n(&magazine->wanted, 0, __ATOMIC_RELAXED);
}

void frame_magazines_want(const struct frame_magazine *mine)
{
    assert(lock_held(&pool_lock));
    /* bound: MAX_CPUS */
    for (uint32_t cpu = 0; frames.magazine > 0 && cpu < MAX_CPUS; cpu++) {
        if (&frame_magazines[cpu] != mine) {
            __atomic_store_n(&frame_magazines[cpu].wanted, 1, __ATOMIC_RELAXED);
            __atomic_store_n(&frame_magazines[cpu].room, 0, __ATOMIC_RELAXED);
        }
    }
}

/* Frames have become short, or are so no longer. */
static RARE void adjust_rooms(struct frame_magazine *mine)
{
    bool is_short = frames.pool.free < frames.reserve;
    bool is_low   = frames.pool.free < 2 * frames.reserve;

    if (is_low != (count_read(frames_wanted) & FRAMES_LOW))
        __atomic_xor_fetch(&frames_wanted, FRAMES_LOW, __ATOMIC_RELAXED);
    if (is_short != frames.is_short) {
        frames.is_short = is_short;
        /* bound: MAX_CPUS */
        for (uint32_t cpu = 0; cpu < MAX_CPUS; cpu++)
            if (!count_read(frame_magazines[cpu].wanted))
                __atomic_store_n(&frame_magazines[cpu].room, is_short ? 0 : frames.magazine, __ATOMIC_RELAXED);
    } else if (!is_short && !count_read(mine->wanted)) {
        __atomic_store_n(&mine->room, frames.magazine, __ATOMIC_RELAXED);
    }
}

void frame_magazines_adjust(struct frame_magazine *mine)
{
    deep_assert(lock_held(&pool_lock) || frames.peak == 0);
    mine->lowest = mine->newest - mine->oldest;
    peak_look(mine);
    if (frames.pool.free < 2 * frames.reserve || frames.is_short || count_read(frames_wanted) ||
        count_read(mine->room) != frames.magazine)
        adjust_rooms(mine);
}

void frames_drain(void)
{
    lock_state state = lock_take(&pool_lock);

    peak_note(&frame_magazines[cpu_number()]);
    /* bound: MAX_CPUS */
    for (uint32_t cpu = 0; cpu < MAX_CPUS; cpu++)
        frame_magazine_empty(&frame_magazines[cpu]);
    frame_magazines_adjust(&frame_magazines[cpu_number()]);
    lock_drop(&pool_lock, state);
}

/* ---- Looking ---------------------------------------------------------------------------- */

uint32_t frame_magazine_count(const struct frame_magazine *magazine)
{
    return magazine->newest - magazine->oldest + magazine->clean_count + word_ones(magazine->claim);
}

uint32_t frame_magazine_frame(const struct frame_magazine *magazine, uint32_t n)
{
    word_t claim = magazine->claim;

    assert(n < frame_magazine_count(magazine));
    if (n < magazine->newest - magazine->oldest)
        return magazine->ring[(magazine->oldest + n) % MAGAZINE_MOST];
    n -= magazine->newest - magazine->oldest;
    if (n < magazine->clean_count)
        return magazine->clean[n];
    for (n -= magazine->clean_count; n > 0; n--)
        claim &= claim - 1;
    return magazine->base + (uint32_t)__builtin_ctzl(claim);
}

/* ---- Contents, and zeroing ahead -------------------------------------------------------- */

void contents_clear(uint32_t frame)
{
    page_clear(frame_view((frame_t){ frame }, SLOT_POOL));
}

void contents_poison(uint32_t frame)
{
    page_fill(frame_view((frame_t){ frame }, SLOT_POOL), FRAME_POISON);
}

bool contents_ok(uint32_t frame, uint32_t state)
{
    if ((state & (STATE_ZEROED | STATE_POISONED)) == 0)
        return true;
    return page_holds(frame_view((frame_t){ frame }, SLOT_POOL), state & STATE_ZEROED ? 0 : FRAME_POISON);
}

/* Clear a free frame, which no other CPU can take meanwhile. */
static void clear_ahead(struct frame_magazine *magazine, uint32_t frame)
{
    struct frame_record *record = record_of(frame);
    uint32_t state = state_read(record);

    assert(state_free(state));
    if (state & STATE_ZEROED)
        return;
    contents_clear(frame);
    state_write(record, (state & ~STATE_POISONED) | STATE_ZEROED);
    count_add(magazine->zeroed, 1);
}

/* Without a magazine: clear the frame that will be handed out next; it stays in the bitmap. */
static bool idle_in_place(struct frame_magazine *magazine)
{
    lock_state state = lock_take(&pool_lock);
    uint32_t frame = pool_peek(&frames.pool, false);
    bool work = frame != POOL_NONE && !(state_read(record_of(frame)) & STATE_ZEROED);

    if (work)
        clear_ahead(magazine, frame);
    lock_drop(&pool_lock, state);
    return work;
}

bool frames_idle(void)
{
    lock_state interrupts = interrupts_off();
    struct frame_magazine *magazine = &frame_magazines[cpu_number()];
    uint32_t room = count_read(magazine->room) / 2, frame = POOL_NONE;
    bool work = false;

    if (frames.magazine == 0) {
        work = idle_in_place(magazine);
    } else if (magazine->clean_count < (room < CLEAN_MOST ? room : CLEAN_MOST)) {
        frame = magazine->claim != 0 ? take_from_claim(magazine) : magazine_refill(magazine, false);
        work = frame != POOL_NONE;
    }
    if (frame != POOL_NONE) {
        clear_ahead(magazine, frame);
        assert(magazine->clean_count < CLEAN_MOST);
        magazine->clean[magazine->clean_count++] = frame;
    }
    interrupts_restore(interrupts);
    return work;
}
