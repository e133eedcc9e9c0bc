/*
 * pool.c - which frames are free: bits, areas, and sets of areas by fullness.
 *
 * Reading order: words and bits; sets of areas; classes; changing bits; the three searches;
 * runs; the audit. Every access to a block of metadata goes through word_of(), area_of()
 * or a set's two levels, each announced by TOUCH(), which is nothing here and lets a test
 * count how many words a call touches.
 */
#include "memory/frames/pool.h"

#include "base/check.h"
#include "base/string.h"
#include "memory/audit.h"

#ifndef TOUCH
#define TOUCH(address) ((void)0)
#endif

_Static_assert(AREA_WORDS <= 16, "struct area has 16 bits for words");

/* ---- Words and bits --------------------------------------------------------------------- */

static word_t bit(uint32_t n) { return (word_t)1 << n % WORD_BITS; }

/* Bits [first, WORD_BITS) and bits [0, end). */
static word_t bits_from(uint32_t first) { return ~(word_t)0 << first; }
static word_t bits_below(uint32_t end)  { return end >= WORD_BITS ? ~(word_t)0 : ((word_t)1 << end) - 1; }

static uint32_t lowest_bit(word_t word)   { return (uint32_t)__builtin_ctzl(word); }

static inline word_t *word_of(const struct pool *pool, uint32_t frame)
{
    deep_assert(frame / 8 < pool->bitmap_bytes);
    TOUCH(&pool->bitmap[frame / WORD_BITS]);
    return &pool->bitmap[frame / WORD_BITS];
}

static inline struct area *area_of(const struct pool *pool, uint32_t area)
{
    deep_assert(area < pool->area_count);
    TOUCH(&pool->areas[area]);
    return &pool->areas[area];
}

/* The frames of a word that are free, whatever the polarity. */
static inline word_t free_bits(const struct pool *pool, uint32_t frame)
{
    return *word_of(pool, frame) ^ pool->used;
}

bool pool_is_free(const struct pool *pool, uint32_t frame)
{
    return free_bits(pool, frame) & bit(frame);
}

/* ---- Sets of areas ---------------------------------------------------------------------- */

static uint32_t words_for(uint32_t bits) { return (bits + WORD_BITS - 1) / WORD_BITS; }

static void set_insert(struct area_set *set, uint32_t area)
{
    uint32_t word = area / WORD_BITS, group = word / WORD_BITS;
    word_t before = set->bits[word];

    deep_assert(!(before & bit(area)) && group < WORD_BITS);
    TOUCH(&set->bits[word]);
    set->bits[word] = before | bit(area);
    if (before == 0) {
        TOUCH(&set->groups[group]);
        set->groups[group] |= bit(word);
        set->top |= bit(group);
    }
}

static void set_remove(struct area_set *set, uint32_t area)
{
    uint32_t word = area / WORD_BITS, group = word / WORD_BITS;

    deep_assert(set->bits[word] & bit(area));
    TOUCH(&set->bits[word]);
    set->bits[word] &= ~bit(area);
    if (set->bits[word] == 0) {
        TOUCH(&set->groups[group]);
        set->groups[group] &= ~bit(word);
        if (set->groups[group] == 0)
            set->top &= ~bit(group);
    }
}

/* The lowest member of a word of `bits` that is known not to be zero. */
static uint32_t set_lowest_in(const struct area_set *set, uint32_t word)
{
    deep_assert(set->bits[word] != 0);
    TOUCH(&set->bits[word]);
    return word * WORD_BITS + lowest_bit(set->bits[word]);
}

static uint32_t set_lowest_of(const struct area_set *set, uint32_t group)
{
    deep_assert(set->groups[group] != 0);
    TOUCH(&set->groups[group]);
    return set_lowest_in(set, group * WORD_BITS + lowest_bit(set->groups[group]));
}

/* The lowest member; and the lowest above `area`: up one level at a time until one is found, then down. */
static uint32_t set_first(const struct area_set *set)
{
    return set->top == 0 ? POOL_NONE : set_lowest_of(set, lowest_bit(set->top));
}

static uint32_t set_above(const struct area_set *set, uint32_t area)
{
    uint32_t word = area / WORD_BITS, group = word / WORD_BITS;
    word_t more;

    TOUCH(&set->bits[word]);
    more = set->bits[word] & bits_from(area % WORD_BITS) & ~bit(area);
    if (more != 0)
        return word * WORD_BITS + lowest_bit(more);
    TOUCH(&set->groups[group]);
    more = set->groups[group] & bits_from(word % WORD_BITS) & ~bit(word);
    if (more != 0)
        return set_lowest_in(set, group * WORD_BITS + lowest_bit(more));
    more = set->top & bits_from(group) & ~bit(group);
    return more == 0 ? POOL_NONE : set_lowest_of(set, lowest_bit(more));
}

/* ---- Classes of fullness ---------------------------------------------------------------- */

/*
 * The class of an area that has free frames. Bands of 128: more of them would fill the fullest areas more
 * strictly, but move areas between sets more often; with four, churn leaves whole
 * areas as well as a full sort does (bench/bench_frame.c).
 */
static uint32_t class_of(const struct pool *pool, uint32_t free)
{
    deep_assert(free > 0 && free <= AREA_FRAMES);
    if (pool->search != SEARCH_FULLEST)
        return 0;
    return free == AREA_FRAMES ? POOL_CLASSES - 1 : (free - 1) / (AREA_FRAMES / (POOL_CLASSES - 1));
}

static uint32_t zone_of(const struct pool *pool, uint32_t area)
{
    return pool->search == SEARCH_FULLEST && area >= pool->low_areas;
}

/* An area's number of free frames changes: move it to the set where it belongs. */
static void area_count(struct pool *pool, uint32_t area, struct area *at, uint32_t free)
{
    uint32_t before = at->free;

    deep_assert(free <= AREA_FRAMES);
    at->free = (uint16_t)free;
    pool->free += free - before;
    if (before != 0 && free != 0 && class_of(pool, before) == class_of(pool, free))
        return;
    if (before != 0)
        set_remove(&pool->sets[zone_of(pool, area)][class_of(pool, before)], area);
    if (free != 0)
        set_insert(&pool->sets[zone_of(pool, area)][class_of(pool, free)], area);
}

/* ---- Changing bits ---------------------------------------------------------------------- */

/* Flip frames of one word; `now_free` says which way all of them go. */
static void pool_flip(struct pool *pool, uint32_t frame, word_t frames, bool now_free)
{
    uint32_t area = frame / AREA_FRAMES, many = (frames & (frames - 1)) == 0 ? 1 : word_ones(frames);
    uint16_t word = (uint16_t)(1u << frame / WORD_BITS % AREA_WORDS);
    struct area *at = area_of(pool, area);
    word_t *bits = word_of(pool, frame), left;

    deep_assert(frames != 0);
    left = (*bits ^= frames) ^ pool->used;
    assert((left & frames) == (now_free ? frames : 0));
    at->words = left != 0 ? at->words | word : at->words & ~word;
    area_count(pool, area, at, now_free ? at->free + many : at->free - many);
}

void pool_give(struct pool *pool, uint32_t frame)
{
    deep_assert(frame < pool->end);
    pool_flip(pool, frame, bit(frame), true);
}

static void flip_run(struct pool *pool, uint32_t first, uint32_t count, bool now_free)
{
    uint32_t end = first + count;

    assert(first <= end && end <= pool->end);
    while (first < end) {
        uint32_t base = first / WORD_BITS * WORD_BITS;

        pool_flip(pool, first, bits_from(first - base) & bits_below(end - base), now_free);
        first = base + WORD_BITS;
    }
}

void pool_give_run(struct pool *pool, uint32_t first, uint32_t count) { flip_run(pool, first, count, true); }
void pool_keep_run(struct pool *pool, uint32_t first, uint32_t count) { flip_run(pool, first, count, false); }

void pool_unclaim(struct pool *pool, uint32_t base, word_t frames)
{
    if (frames != 0)
        pool_flip(pool, base, frames, true);
}

/* ---- Searching -------------------------------------------------------------------------- */

/* The lowest free frame of some words of an area, which have one; and of the whole area. */
static uint32_t lowest_in_words(const struct pool *pool, uint32_t area, uint32_t words)
{
    uint32_t base = area * AREA_FRAMES + lowest_bit(words) * WORD_BITS;

    deep_assert(words != 0 && free_bits(pool, base) != 0);
    return base + lowest_bit(free_bits(pool, base));
}

static uint32_t lowest_in_area(const struct pool *pool, uint32_t area)
{
    return lowest_in_words(pool, area, area_of(pool, area)->words);
}

/* The first free frame at or after `frame`; POOL_NONE if there is none up to the end. For orders by address. */
static uint32_t free_from(const struct pool *pool, uint32_t frame)
{
    uint32_t area = frame / AREA_FRAMES, word = frame / WORD_BITS % AREA_WORDS;
    word_t frames = free_bits(pool, frame) & bits_from(frame % WORD_BITS);
    uint32_t words;

    if (frames != 0)
        return frame / WORD_BITS * WORD_BITS + lowest_bit(frames);
    words = area_of(pool, area)->words & ~1u << word;
    if (words != 0)
        return lowest_in_words(pool, area, words);
    area = set_above(&pool->sets[0][0], area);
    return area == POOL_NONE ? POOL_NONE : lowest_in_area(pool, area);
}

/* The best area of a zone: the lowest of the first class that has any. The best of all: zone 1 comes first. */
static uint32_t fullest_area(const struct pool *pool, uint32_t zone)
{
    for (uint32_t class = 0; class < POOL_CLASSES; class++)
        if (pool->sets[zone][class].top != 0)
            return set_first(&pool->sets[zone][class]);
    return POOL_NONE;
}

static uint32_t best_area(const struct pool *pool)
{
    uint32_t area = fullest_area(pool, 1);

    return area != POOL_NONE ? area : fullest_area(pool, 0);
}

/* A low frame: in zone 0, or in the part of zone 1's first area that lies below low_end. */
static uint32_t low_frame(const struct pool *pool)
{
    uint32_t area = fullest_area(pool, 0), frame;

    if (area == POOL_NONE && pool->low_areas < pool->area_count)
        area = area_of(pool, pool->low_areas)->free != 0 ? pool->low_areas : POOL_NONE;
    if (area == POOL_NONE)
        return POOL_NONE;
    frame = lowest_in_area(pool, area);
    return frame < pool->low_end ? frame : POOL_NONE;
}

uint32_t pool_peek(const struct pool *pool, bool low)
{
    uint32_t area, frame;

    if (pool->free == 0)
        return POOL_NONE;
    if (pool->search == SEARCH_FULLEST)
        return low ? low_frame(pool) : lowest_in_area(pool, best_area(pool));
    if (pool->search == SEARCH_NEXT && !low) {
        frame = free_from(pool, pool->next);
        if (frame != POOL_NONE)
            return frame;
    }
    area = set_first(&pool->sets[0][0]);
    frame = lowest_in_area(pool, area);
    return low && frame >= pool->low_end ? POOL_NONE : frame;
}

uint32_t pool_take(struct pool *pool, bool low)
{
    uint32_t frame = pool_peek(pool, low);

    if (frame != POOL_NONE) {
        pool_flip(pool, frame, bit(frame), false);
        pool->next = frame;
    }
    return frame;
}

word_t pool_claim(struct pool *pool, uint32_t most, uint32_t *base)
{
    uint32_t frame = most == 0 ? POOL_NONE : pool_peek(pool, false), many;
    word_t frames;

    if (frame == POOL_NONE)
        return 0;
    *base = frame / WORD_BITS * WORD_BITS;
    deep_assert(pool_is_free(pool, frame));
    frames = free_bits(pool, frame) & bits_from(frame % WORD_BITS);
    for (many = word_ones(frames); many > most; many--)     /* leave the highest */
        frames &= ~((word_t)1 << (WORD_BITS - 1 - __builtin_clzl(frames)));
    pool_flip(pool, *base, frames, false);
    deep_assert(word_ones(frames) <= most);
    pool->next = *base + WORD_BITS - 1 - (uint32_t)__builtin_clzl(frames);
    return frames;
}

/* ---- Runs ------------------------------------------------------------------------------- */

/* A run that grows while the bitmap is read in order: [first, end) is free. */
struct run {
    uint32_t first, end;
    uint32_t longest;
    uint32_t count, align;          /* of the run that is wanted                     */
};

static void run_break(struct run *run, uint32_t next)
{
    run->first = run->end = next;
}

/* The run goes on up to `end`; true when it has `count` frames from a multiple of `align` on. */
static bool run_grow(struct run *run, uint32_t end)
{
    uint64_t first = ((uint64_t)run->first + run->align - 1) & ~((uint64_t)run->align - 1);

    deep_assert(run->first <= run->end && run->end <= end);
    run->end = end;
    if (end - run->first > run->longest)
        run->longest = end - run->first;
    if (first + run->count > end)
        return false;
    run->first = (uint32_t)first;
    return true;
}

/* Go on with the word of frames from `base` on, of which `frames` are free. True when the run is found. */
static bool run_word(struct run *run, uint32_t base, word_t frames)
{
    uint32_t at = 0;

    if (~frames == 0)
        return run_grow(run, base + WORD_BITS);
    while (frames >> at != 0) {
        uint32_t free = lowest_bit(frames >> at);

        if (free > 0)
            run_break(run, base + at + free);
        at += free;
        free = lowest_bit(~(frames >> at));             /* not all ones: either at > 0 or frames has a zero */
        if (run_grow(run, base + at + free))
            return true;
        at += free;
        if (at >= WORD_BITS)
            return false;
    }
    run_break(run, base + WORD_BITS);
    return false;
}

/* Read the bitmap up to `below`; true when the wanted run was found. */
static bool run_search(const struct pool *pool, struct run *run, uint32_t below, bool spare_whole)
{
    for (uint32_t area = 0; (uint64_t)area * AREA_FRAMES < below; area++) {
        uint32_t base = area * AREA_FRAMES, free = area_of(pool, area)->free;

        if (free == 0 || (spare_whole && free == AREA_FRAMES)) {
            run_break(run, base + AREA_FRAMES);
        } else if (free == AREA_FRAMES && below - base >= AREA_FRAMES) {
            if (run_grow(run, base + AREA_FRAMES))
                return true;
        } else {
            for (uint32_t at = base; at < base + AREA_FRAMES && at < below; at += WORD_BITS)
                if (run_word(run, at, free_bits(pool, at) & bits_below(below - at)))
                    return true;
        }
    }
    return false;
}

uint32_t pool_find_run(const struct pool *pool, uint32_t count, uint32_t align, uint32_t below,
                       bool spare_whole)
{
    struct run run = { .count = count, .align = align };

    assert(count > 0 && align > 0 && (align & (align - 1)) == 0);
    if (below > pool->end)
        below = pool->end;
    return run_search(pool, &run, below, spare_whole) ? run.first : POOL_NONE;
}

uint32_t pool_largest_run(const struct pool *pool)
{
    struct run run = { .count = UINT32_MAX, .align = 1 };

    run_search(pool, &run, pool->end, false);
    return run.longest;
}

uint32_t pool_free_areas(const struct pool *pool)
{
    uint32_t whole = 0;

    for (uint32_t n = 0; n < pool->area_count; n++)
        whole += pool->areas[n].free == AREA_FRAMES;
    return whole;
}

/* ---- Opening ---------------------------------------------------------------------------- */

static uint32_t areas_for(uint32_t end) { return end / AREA_FRAMES + (end % AREA_FRAMES != 0); }

uint64_t pool_bitmap_bytes(uint32_t end)
{
    return (uint64_t)areas_for(end) * (AREA_FRAMES / 8);
}

/* Words of all sets, then the areas, so that each is aligned. */
static uint64_t set_words(uint32_t areas)
{
    return words_for(areas) + words_for(words_for(areas));
}

uint64_t pool_summary_bytes(uint32_t end)
{
    return set_words(areas_for(end)) * POOL_ZONES * POOL_CLASSES * sizeof(word_t) +
           areas_for(end) * sizeof(struct area);
}

void pool_open(struct pool *pool, const struct layout_policy *policy, uint32_t end, uint32_t low_end,
               void *bitmap, size_t bitmap_bytes, void *summary)
{
    uint32_t areas = areas_for(end);
    word_t *at = summary;

    assert(bitmap_bytes >= pool_bitmap_bytes(end) && bitmap_bytes % sizeof(word_t) == 0);
    assert((uintptr_t)bitmap % sizeof(word_t) == 0 && (uintptr_t)summary % sizeof(word_t) == 0);
    assert(words_for(words_for(areas)) <= WORD_BITS);
    *pool = (struct pool){
        .bitmap = bitmap, .bitmap_bytes = bitmap_bytes, .end = end, .area_count = areas,
        .low_end = low_end < end ? low_end : end, .low_areas = low_end < end ? low_end / AREA_FRAMES : areas,
        .used = policy->polarity == ONE_IS_USED ? ~(word_t)0 : 0, .search = policy->search,
    };
    memset(bitmap, policy->polarity == ONE_IS_USED ? 0xFF : 0, bitmap_bytes);
    memset(summary, 0, pool_summary_bytes(end));
    for (uint32_t zone = 0; zone < POOL_ZONES; zone++) {
        for (uint32_t class = 0; class < POOL_CLASSES; class++) {
            pool->sets[zone][class] = (struct area_set){ .bits = at, .groups = at + words_for(areas) };
            at += set_words(areas);
        }
    }
    pool->areas = (struct area *)at;
    assert((uintptr_t)(pool->areas + areas) - (uintptr_t)summary == pool_summary_bytes(end));
}

/* ---- The audit -------------------------------------------------------------------------- */

/* F2: an area's counts equal its bits; it is in the set of its class and in no other. */
void pool_audit_area(const struct pool *pool, uint32_t area, struct audit_report *report)
{
    const struct area *at = &pool->areas[area];
    uint32_t free = 0, words = 0;

    for (uint32_t n = 0; n < AREA_WORDS; n++) {
        word_t frames = free_bits(pool, area * AREA_FRAMES + n * WORD_BITS);

        free += word_ones(frames);
        words |= (frames != 0) << n;
    }
    if (at->free != free)
        audit_fail(report, "F2", "area %u says %u free frames, its bits %u", area, at->free, free);
    else if (at->words != words)
        audit_fail(report, "F2", "area %u: words 0x%x have free frames, by bits 0x%x", area, at->words,
                   words);
    for (uint32_t zone = 0; zone < POOL_ZONES; zone++) {
        for (uint32_t class = 0; class < POOL_CLASSES; class++) {
            bool belongs = at->free != 0 && zone == zone_of(pool, area) && class == class_of(pool, at->free);

            if (!!(pool->sets[zone][class].bits[area / WORD_BITS] & bit(area)) != belongs)
                audit_fail(report, "F2", "area %u, %u frames free, is %s the set of zone %u, class %u", area,
                           at->free, belongs ? "missing from" : "wrongly in", zone, class);
        }
    }
}

/* F2: the summaries of the sets, and the free frames of all areas. F4: bits past the last frame. */
void pool_audit_sets(const struct pool *pool, struct audit_report *report)
{
    uint32_t words = words_for(pool->area_count), free = 0;

    for (uint32_t n = 0; n < POOL_ZONES * POOL_CLASSES; n++) {
        const struct area_set *set = &pool->sets[n / POOL_CLASSES][n % POOL_CLASSES];

        for (uint32_t word = 0; word < words; word++)
            if ((set->bits[word] != 0) != !!(set->groups[word / WORD_BITS] & bit(word)))
                audit_fail(report, "F2", "summary of set %u is wrong at word %u", n, word);
        for (uint32_t group = 0; group < words_for(words); group++)
            if ((set->groups[group] != 0) != !!(set->top & bit(group)))
                audit_fail(report, "F2", "summary of set %u is wrong at group %u", n, group);
    }
    for (uint32_t area = 0; area < pool->area_count; area++)
        free += pool->areas[area].free;
    if (free != pool->free)
        audit_fail(report, "F2", "the areas have %u free frames, the pool says %u", free, pool->free);
    for (uint32_t at = pool->area_count * AREA_FRAMES; at / 8 < pool->bitmap_bytes; at += WORD_BITS)
        if (free_bits(pool, at) != 0)
            audit_fail(report, "F4", "frame 0x%x is past the last frame 0x%x, yet free in the bitmap",
                       at + lowest_bit(free_bits(pool, at)), pool->end);
}
