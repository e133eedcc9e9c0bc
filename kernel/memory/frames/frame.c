/*
 * frame.c - physical memory, one frame at a time: records, owners, the public calls.
 *
 * frame_get() and frame_put() are the hottest calls of the memory manager, so their usual
 * course is all in view here: the newest frame of this CPU's magazine, one record, four
 * counters. No lock, no atomic read-modify-write: no other CPU touches a free frame in this
 * CPU's magazine, and only the holder of a frame's one reference touches its record.
 *
 * The states of a frame of RAM; a frame that is no RAM is ABSENT for ever:
 *
 *            a magazine is filled               frame_get()                    frame_share()
 *     free ------------------------> cached ------------------> owned, once --------------------> owned n times
 *      ^   <------------------------        <------------------   |   |      <--------------------
 *      |          or emptied                   frame_put()        |   |           frame_put()
 *      +----------------------------------------------------------+   +--> pinned: frame_pin(), for ever
 *                  frame_run_get(), frame_run_put()
 *
 * Free: count 0, its bit says free. Cached: count 0, its bit says used, in one processor's magazine (F1). Owned: a
 * count of references and an owner kind, which frame_change_owner() alone changes. Pinned: references are no longer
 * counted.
 */
#include "memory/frames/frame.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/range.h"
#include "base/string.h"
#include "memory/frames/frame_magazine.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define SELDOM __attribute__((noinline))

struct frames frames;
uint32_t      frames_wanted;

/* ---- Opening ---------------------------------------------------------------------------- */

uint64_t frames_bitmap_bytes(const struct layout_policy *policy, uint32_t end)
{
    return policy->bitmap_bytes != 0 ? policy->bitmap_bytes : pool_bitmap_bytes(end);
}

uint64_t frames_record_bytes(uint32_t end)  { return (uint64_t)end * sizeof(struct frame_record); }
uint64_t frames_summary_bytes(uint32_t end) { return pool_summary_bytes(end); }

/* One frame in 256, so that giving memory back never waits for memory; a tiny machine spares fewer. */
static uint32_t reserve_for(uint32_t ram)
{
    uint32_t reserve = ram / 256;

    if (ram < 64)
        return ram / 16;
    return reserve < 4 ? 4 : reserve > 64 ? 64 : reserve;
}

static void open_range(const struct memmap_range *range)
{
    uint32_t count = range->end.no - range->first.no;
    uint32_t state = state_of(range->owner == OWNER_FREE ? 0 : 1, range->owner);

    assert(range->first.no < range->end.no && range->end.no <= frames.end && range->owner < OWNER_COUNT);
    for (uint32_t n = range->first.no; n < range->end.no; n++)
        frames.records[n].state = state;
    frames.owned[range->owner] += count;
    frames.ram += count;
}

/*
 * Set the bits. Where the document calls unlisted memory used, only frames that the map calls free become free. Where
 * it is marked, all frames are free at first, and those that are not the pool's are marked (K4, K5): frames that the
 * map calls otherwise, and frames that it does not list, which are no memory. Both orders end alike; in the second a
 * frame that was not marked by mistake would be handed out, in the first not.
 */
static void open_bits(const struct memmap *map, enum unlisted unlisted)
{
    uint32_t seen = 0;

    if (unlisted == UNLISTED_MARKED)
        pool_give_run(&frames.pool, 0, frames.end);
    frames.free_at_first = frames.pool.free;
    for (uint32_t i = 0; i < map->count && seen < frames.end; i++) {
        const struct memmap_range *range = &map->ranges[i];
        uint32_t first = range->first.no, end = range->end.no < frames.end ? range->end.no : frames.end;
        bool     free  = range->ram && range->owner == OWNER_FREE;

        if (first >= end)
            break;
        if (unlisted == UNLISTED_MARKED && first > seen)
            pool_keep_run(&frames.pool, seen, first - seen);
        if (unlisted == UNLISTED_MARKED && !free)
            pool_keep_run(&frames.pool, first, end - first);
        else if (unlisted == UNLISTED_USED && free)
            pool_give_run(&frames.pool, first, end - first);
        seen = end;
    }
}

void frames_open(const struct memmap *map, const struct layout_policy *policy, uint32_t low_end,
                 void *bitmap, void *summary, struct frame_record *records)
{
    uint32_t end = memmap_end(map);

    assert(end > 0 && policy->magazine <= MAGAZINE_FRAMES_MOST);
    assert((uintptr_t)records % 8 == 0);
    frames = (struct frames){
        .records = records, .end = end, .magazine = policy->magazine,
        .always = policy->zeroing == ZERO_ALL ? FRAME_ZERO : 0, .low_matters = low_end < end,
    };
    frames_wanted = 0;
    memset(frame_magazines, 0, sizeof frame_magazines);
    memset(records, 0, frames_record_bytes(end));       /* all ABSENT */
    pool_open(&frames.pool, policy, end, low_end, bitmap, frames_bitmap_bytes(policy, end), summary);
    for (uint32_t i = 0; i < map->count; i++)
        if (map->ranges[i].ram)
            open_range(&map->ranges[i]);
    open_bits(map, policy->unlisted);
    frames.owned[OWNER_ABSENT] = end - frames.ram;
    assert(frames.pool.free == frames.owned[OWNER_FREE]);       /* F1 */
    frames.reserve = reserve_for(frames.ram);
    frames.unusual = frames.always;
    for (uint32_t cpu = 0; cpu < MAX_CPUS; cpu++)
        frame_magazines[cpu].room = frames.magazine;
    frame_magazines_adjust(&frame_magazines[cpu_number()]);
}

void     frames_close(void)    { frames.records = NULL; }
bool     frames_are_open(void) { return frames.records != NULL; }
uint32_t frames_end(void)      { return frames.end; }

const uint8_t *frames_bitmap(size_t *bytes)
{
    deep_assert(frames_are_open());
    *bytes = frames.pool.bitmap_bytes;
    return (const uint8_t *)frames.pool.bitmap;
}

void frame_fail_at(uint32_t n)
{
    __atomic_store_n(&frames.fail_at, n, __ATOMIC_RELAXED);
    __atomic_store_n(&frames.unusual, frames.always | n, __ATOMIC_RELAXED);
}

uint32_t frame_fail_left(void) { return count_read(frames.fail_at); }

/* ---- Misuse ----------------------------------------------------------------------------- */

/* Count and print a misuse. Returns false: no frame became free. */
static SELDOM __attribute__((cold)) bool frame_misuse(const char *what, uint32_t frame, enum owner owner,
                                                     vaddr_t caller)
{
    __atomic_add_fetch(&frames.misuses, 1, __ATOMIC_RELAXED);
    print("frames: %s: frame 0x%x, owner %s, by @0x%08lx\n", what, frame, owner_names[owner],
          (unsigned long)caller);
    return false;
}

static bool refuse_put(uint32_t frame, uint32_t state, vaddr_t caller)
{
    if (state_owner(state) == OWNER_FREE)
        return frame_misuse("double free", frame, state_last(state), caller);
    if (state_owner(state) == OWNER_ABSENT)
        return frame_misuse("free of what is no RAM", frame, OWNER_ABSENT, caller);
    return frame_misuse("free of what the pool never gave", frame, state_owner(state), caller);
}

/* ---- Taking ----------------------------------------------------------------------------- */

/* A free frame out of the pool gets its owner. */
static void frame_hand_out(struct frame_magazine *magazine, uint32_t frame, enum owner owner, unsigned flags)
{
    struct frame_record *record = record_of(frame);
    uint32_t state = state_read(record);
    bool sound = true;

    assert(state_free(state));
    deep_assert(frame < frames.end && owner_is_given(owner));
    if (IS_CHECKED && !contents_ok(frame, state))
        sound = frame_misuse("written after it was free", frame, state_last(state), 0);
    if (state & STATE_ZEROED)
        count_add(magazine->zeroed, -1u);
    record->link = 0;
    state_write(record, state_of(1, owner));
    count_add(magazine->came[owner], 1);
    if (flags & FRAME_ZERO) {
        if (!(state & STATE_ZEROED) || !sound)
            contents_clear(frame);
    } else if (IS_CHECKED && (state & STATE_ZEROED)) {
        contents_poison(frame);
    }
}

/* Pages that go out use the reserve themselves: where it ends, no more can be done for it. */
static SELDOM int refuse_request(unsigned flags)
{
    if (!(flags & FRAME_SPARE))
        __atomic_or_fetch(&frames_wanted, FRAMES_REFUSED, __ATOMIC_RELAXED);
    return -ENOMEM;
}

bool frames_were_refused(void)
{
    return __atomic_fetch_and(&frames_wanted, ~(uint32_t)FRAMES_REFUSED, __ATOMIC_RELAXED) & FRAMES_REFUSED;
}

/* The unusual frame_get(): flags, an empty ring, contents known, a failure asked for. */
static SELDOM int get_otherwise(enum owner owner, unsigned flags, frame_t *out)
{
    lock_state interrupts = interrupts_off();
    struct frame_magazine *magazine = &frame_magazines[cpu_number()];
    uint32_t frame = frame_magazine_take(magazine, flags | frames.always);

    assert((flags & ~(unsigned)(FRAME_ZERO | FRAME_LOW | FRAME_SPARE)) == 0);
    if (frame != POOL_NONE)
        frame_hand_out(magazine, frame, owner, flags | frames.always);
    interrupts_restore(interrupts);
    if (frame == POOL_NONE)
        return refuse_request(flags);
    out->no = frame;
    return 0;
}

int frame_get(enum owner owner, unsigned flags, frame_t *out)
{
    lock_state interrupts = interrupts_off();
    struct frame_magazine *magazine = &frame_magazines[cpu_number()];
    uint32_t left = magazine->newest - magazine->oldest;

    assert(owner_is_given(owner));
    if (likely((flags | count_read(frames.unusual)) == 0 && left != 0)) {
        uint32_t newest = magazine->newest - 1, frame = magazine->ring[newest % MAGAZINE_MOST];
        struct frame_record *record = record_of(frame);

        if (likely(state_free_plain(state_read(record)))) {
            record->link = 0;
            state_write(record, state_of(1, owner));
            count_add(magazine->came[owner], 1);
            __atomic_store_n(&magazine->newest, newest, __ATOMIC_RELAXED);
            if (left - 1 < magazine->lowest)
                magazine->lowest = left - 1;
            interrupts_restore(interrupts);
            out->no = frame;
            return 0;
        }
    }
    interrupts_restore(interrupts);
    return get_otherwise(owner, flags, out);
}

/* ---- Giving back ------------------------------------------------------------------------ */

static inline void frame_take_back(struct frame_magazine *magazine, uint32_t frame, enum owner owner)
{
    deep_assert(state_count(state_read(record_of(frame))) == 1);
    if (IS_CHECKED)
        contents_poison(frame);
    state_write(record_of(frame), state_freed_by(owner) | (IS_CHECKED ? STATE_POISONED : 0));
    count_add(magazine->went[owner], 1);
}

/* The unusual frame_put(): several references or none, a frame that the pool never gave, no room in the ring. */
static SELDOM bool put_otherwise(uint32_t frame, uint32_t state, vaddr_t caller)
{
    struct frame_record *record = record_of(frame);
    lock_state interrupts;
    struct frame_magazine *magazine;

    /* bound: a processor that loses has let another win */
    while (state_count(state) > 1) {
        if (state_count(state) == STATE_PINNED)
            return false;
        /* Release: the CPU that drops the last reference sees what this one wrote to the frame. */
        if (__atomic_compare_exchange_n(&record->state, &state, state - 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return false;
    }
    if (!state_single(state))
        return refuse_put(frame, state, caller);
    interrupts = interrupts_off();
    magazine = &frame_magazines[cpu_number()];
    frame_take_back(magazine, frame, state_owner(state));
    if (magazine->newest - magazine->oldest < count_read(magazine->room))
        magazine->ring[magazine->newest++ % MAGAZINE_MOST] = frame;
    else
        frame_magazine_give(magazine, frame);
    interrupts_restore(interrupts);
    return true;
}

bool frame_put(frame_t frame)
{
    lock_state interrupts;
    struct frame_magazine *magazine;
    uint32_t state, newest;

    if (unlikely(frame.no >= frames.end))
        return frame_misuse("free of what is no RAM", frame.no, OWNER_ABSENT, caller_address());
    state = state_read(record_of(frame.no));
    if (likely(state_single(state))) {
        interrupts = interrupts_off();
        magazine = &frame_magazines[cpu_number()];
        newest = magazine->newest;
        if (likely(newest - magazine->oldest < count_read(magazine->room))) {
            frame_take_back(magazine, frame.no, state_owner(state));
            magazine->ring[newest % MAGAZINE_MOST] = frame.no;
            __atomic_store_n(&magazine->newest, newest + 1, __ATOMIC_RELAXED);
            interrupts_restore(interrupts);
            return true;
        }
        interrupts_restore(interrupts);
    }
    return put_otherwise(frame.no, state, caller_address());
}

bool frame_put_of(frame_t frame, enum owner owner)
{
    enum owner has = frame_owner(frame);

    if (has != owner && has != OWNER_FREE && has != OWNER_ABSENT)
        return frame_misuse("free of what somebody else has", frame.no, has, caller_address());
    return frame_put(frame);
}

void frame_share(frame_t frame)
{
    struct frame_record *record;
    uint32_t state;

    assert(frame.no < frames.end);
    record = record_of(frame.no);
    state = state_read(record);
    do {
        assert(state_count(state) > 0);
        if (state_count(state) == STATE_PINNED)
            return;
    } while (!__atomic_compare_exchange_n(&record->state, &state, state + 1, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    if (state_count(state) + 1 == STATE_PINNED)
        __atomic_add_fetch(&frames.pinned, 1, __ATOMIC_RELAXED);
}

/* ---- Runs ------------------------------------------------------------------------------- */

/* Areas that are partly used are tried first where a run can fit in one, so that whole areas are kept. */
static uint32_t frames_find_run(uint32_t count, uint32_t align, uint32_t below)
{
    uint32_t first = POOL_NONE;

    deep_assert(lock_held(&pool_lock));
    if (count <= AREA_FRAMES)
        first = pool_find_run(&frames.pool, count, align, below, true);
    return first != POOL_NONE ? first : pool_find_run(&frames.pool, count, align, below, false);
}

static uint32_t frames_take_run(uint32_t count, uint32_t align, uint32_t below, unsigned flags,
                                struct frame_magazine *magazine)
{
    uint64_t need = (uint64_t)count + (flags & FRAME_SPARE ? 0 : frames.reserve);
    uint32_t first = POOL_NONE;

    assert(lock_held(&pool_lock));
    peak_note(magazine);
    if (frames.pool.free >= need)
        first = frames_find_run(count, align, below);
    if (first == POOL_NONE) {
        frame_magazine_empty(magazine);
        frame_magazines_want(magazine);
        if (frames.pool.free >= need)
            first = frames_find_run(count, align, below);
    }
    if (first != POOL_NONE)
        pool_keep_run(&frames.pool, first, count);
    frame_magazines_adjust(magazine);
    return first;
}

int frame_run_get(enum owner owner, uint32_t count, uint32_t align, uint32_t below, unsigned flags,
                  frame_t *first)
{
    lock_state state;
    uint32_t at;

    assert(owner_is_given(owner));
    assert(count > 0 && align > 0 && (align & (align - 1)) == 0);
    flags |= frames.always;
    if (below == 0 || below > frames.end)
        below = frames.end;
    if ((flags & FRAME_LOW) && below > frames.pool.low_end)
        below = frames.pool.low_end;
    if (frame_magazine_fails())
        return refuse_request(flags);

    state = lock_take(&pool_lock);
    at = frames_take_run(count, align, below, flags, &frame_magazines[cpu_number()]);
    lock_drop(&pool_lock, state);
    if (at == POOL_NONE)
        return refuse_request(flags);
    assert(is_aligned(at, align) && at < below && count <= below - at);

    /* The run is taken. One frame at a time, because clearing many with interrupts off would take long. */
    /* bound: `count`, interrupts come between two frames */
    for (uint32_t n = at; n < at + count; n++) {
        state = interrupts_off();
        frame_hand_out(&frame_magazines[cpu_number()], n, owner, flags);
        interrupts_restore(state);
    }
    first->no = at;
    return 0;
}

/* Whether all of a run can be freed; if not, the misuse is reported. */
static bool run_is_ours(frame_t first, uint32_t count, vaddr_t caller)
{
    if (first.no >= frames.end || count > frames.end - first.no)
        return frame_misuse("free of a run that leaves RAM", first.no, OWNER_ABSENT, caller);
    for (uint32_t n = first.no; n < first.no + count; n++) {
        uint32_t state = state_read(record_of(n));

        if (state_count(state) > 1)
            return frame_misuse("free of a run still shared", n, state_owner(state), caller);
        if (state_count(state) == 0 || !owner_is_given(state_owner(state)))
            return refuse_put(n, state, caller);
    }
    return true;
}

void frame_run_put(frame_t first, uint32_t count)
{
    lock_state state;
    struct frame_magazine *magazine;

    if (count == 0 || !run_is_ours(first, count, caller_address()))
        return;
    state = lock_take(&pool_lock);
    magazine = &frame_magazines[cpu_number()];
    peak_note(magazine);
    /* bound: `count`, of callers in the kernel */
    for (uint32_t n = first.no; n < first.no + count; n++)
        frame_take_back(magazine, n, state_owner(state_read(record_of(n))));
    pool_give_run(&frames.pool, first.no, count);
    frame_magazines_adjust(magazine);
    lock_drop(&pool_lock, state);
}

void frame_reclaim(frame_t first, uint32_t count, enum owner owner)
{
    lock_state state = lock_take(&pool_lock);
    struct frame_magazine *magazine = &frame_magazines[cpu_number()];

    assert(frames_are_open() && owner > OWNER_FREE && owner < OWNER_COUNT);
    assert(count > 0);
    peak_note(magazine);
    /* bound: `count`, once at boot */
    for (uint32_t n = first.no; n - first.no < count && n < frames.end; n++) {
        if (state_read(record_of(n)) == state_of(1, owner)) {
            frame_take_back(magazine, n, owner);
            pool_give(&frames.pool, n);
        }
    }
    frame_magazines_adjust(magazine);
    lock_drop(&pool_lock, state);
}

/* ---- Asking ----------------------------------------------------------------------------- */

uint32_t frame_references(frame_t frame)
{
    return frame.no < frames.end ? state_count(state_read(record_of(frame.no))) : 0;
}

enum owner frame_owner(frame_t frame)
{
    return frame.no < frames.end ? state_owner(state_read(record_of(frame.no))) : OWNER_ABSENT;
}

bool frame_is_sole(frame_t frame, enum owner owner)
{
    deep_assert(owner_is_given(owner));
    return frame.no < frames.end && state_read(record_of(frame.no)) == state_of(1, owner);
}

bool frame_is_ram(frame_t frame) { return frame_owner(frame) != OWNER_ABSENT; }

void frame_change_owner(frame_t frame, enum owner from, enum owner to)
{
    lock_state interrupts = interrupts_off();
    struct frame_magazine *magazine = &frame_magazines[cpu_number()];
    struct frame_record *record;
    uint32_t state;

    assert(frame.no < frames.end && to > OWNER_FREE && to < OWNER_COUNT);
    record = record_of(frame.no);
    state = state_read(record);
    /* bound: a processor that loses has let another win */
    do {
        assert(state_count(state) > 0 && state_owner(state) == from);
    } while (!__atomic_compare_exchange_n(&record->state, &state, state_of(state_count(state), to), true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    count_add(magazine->went[from], 1);
    count_add(magazine->came[to], 1);
    count_add(magazine->changes, 1);
    interrupts_restore(interrupts);
}

uint32_t frame_link(frame_t frame)
{
    assert(frame.no < frames.end);
    return record_of(frame.no)->link;
}

void frame_count_link(frame_t frame, int more)
{
    assert(frame.no < frames.end);
    record_of(frame.no)->link += (uint32_t)more;
}

void frame_set_link(frame_t frame, uint32_t link)
{
    assert(frame.no < frames.end);
    record_of(frame.no)->link = link;
}
