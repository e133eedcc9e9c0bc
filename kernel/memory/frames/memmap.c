/*
 * memmap.c - makes a sorted, disjoint list of what the firmware says of physical memory.
 *
 * All changes go through memmap_overlay(): it walks the pieces that a new range meets (parts of
 * ranges already there, and the gaps between them), asks piece_rule() what each piece becomes,
 * and lets memmap_set() store the answer. A piece is uniform, so memmap_set() adds at most two ranges,
 * and the two spare places at the end of the table are enough to work in. memmap_fit() then
 * brings the table back to MEMMAP_RANGES.
 */
#include "memory/frames/memmap.h"
#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "memory/audit.h"

/* What a piece of memory is; a gap in the table is { GAP }. */
enum kind { GAP, RESERVED, RAM };

struct piece {
    enum kind  kind;
    enum owner owner;
};

enum act { ADD_USABLE, ADD_RESERVED, OWN };

/* The stricter word wins: see the header. */
static struct piece piece_rule(struct piece old, enum act act, enum owner owner)
{
    switch (act) {
    case ADD_RESERVED:
        return (struct piece){ RESERVED, OWNER_ABSENT };
    case ADD_USABLE:
        return old.kind == GAP ? (struct piece){ RAM, OWNER_FREE } : old;
    default:
        return old.kind == RAM && old.owner == OWNER_FREE ? (struct piece){ RAM, owner } : old;
    }
}

static bool piece_same(struct piece a, struct piece b)
{
    return a.kind == b.kind && a.owner == b.owner;
}

static struct piece piece_of(const struct memmap_range *range)
{
    return (struct piece){ range->ram ? RAM : RESERVED, range->owner };
}

static uint32_t frames_in(const struct memmap_range *range)
{
    deep_assert(range->first.no < range->end.no);
    return range->end.no - range->first.no;
}

static void add_saturating(uint64_t *sum, uint64_t more)
{
    if (!checked_add(*sum, more, sum))
        *sum = UINT64_MAX;
}

/* The first range that ends after a frame; count if there is none. */
static uint32_t range_from(const struct memmap *map, uint32_t frame)
{
    uint32_t low = 0, high = map->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (map->ranges[middle].end.no > frame)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void open_place(struct memmap *map, uint32_t at)
{
    assert(map->count < COUNT_OF(map->ranges));
    memmove(&map->ranges[at + 1], &map->ranges[at], (map->count - at) * sizeof(map->ranges[0]));
    map->count++;
}

static void remove_range(struct memmap *map, uint32_t at)
{
    assert(at < map->count);
    map->count--;
    memmove(&map->ranges[at], &map->ranges[at + 1], (map->count - at) * sizeof(map->ranges[0]));
}

/* Join a range with the one after it if they meet and are alike. */
static void memmap_join(struct memmap *map, uint32_t at)
{
    struct memmap_range *left = &map->ranges[at], *right = left + 1;

    if (at + 1 < map->count && left->end.no == right->first.no && piece_same(piece_of(left), piece_of(right))) {
        left->end = right->end;
        remove_range(map, at + 1);
    }
}

/* [first, end) lies in range `at`, or in the gap before it. It becomes `piece`, which is not a gap. */
static void memmap_set(struct memmap *map, uint32_t at, uint32_t first, uint32_t end, struct piece piece)
{
    struct memmap_range *range = &map->ranges[at];
    bool inside = at < map->count && range->first.no <= first;

    assert(first < end && piece.kind != GAP && (!inside || end <= range->end.no));
    if (inside && first > range->first.no) {            /* keep what lies before */
        open_place(map, at);
        range[0].end.no = range[1].first.no = first;
        range = &map->ranges[++at];
    }
    if (!inside || end < range->end.no) {               /* and what lies after */
        open_place(map, at);
        if (inside)
            range[1].first.no = end;
    }
    *range = (struct memmap_range){ { first }, { end }, piece.kind == RAM, piece.owner };
    memmap_join(map, at);
    if (at > 0)
        memmap_join(map, at - 1);
}

/*
 * The table is too long: give up the entry that costs least. That is the smallest free piece of RAM,
 * or the smallest gap between two reserved ranges, which then become one. When there is
 * neither, RAM that has an owner is forgotten: it then counts as absent, which is safe too.
 */
static void memmap_fit(struct memmap *map)
{
    while (map->count > MEMMAP_RANGES) {
        uint32_t best = 0, cost = UINT32_MAX;
        bool gap = false;

        for (uint32_t i = 0; i < map->count; i++) {
            const struct memmap_range *range = &map->ranges[i];

            if (range->ram && range->owner == OWNER_FREE && frames_in(range) < cost) {
                best = i, cost = frames_in(range), gap = false;
            } else if (!range->ram && i + 1 < map->count && !range[1].ram &&
                       range[1].first.no - range->end.no < cost) {
                best = i, cost = range[1].first.no - range->end.no, gap = true;
            }
        }
        for (uint32_t i = 0; cost == UINT32_MAX && i < map->count; i++)
            if (map->ranges[i].ram)
                best = i, cost = 0;
        if (gap) {
            map->ranges[best].end = map->ranges[best + 1].end;
            remove_range(map, best + 1);
        } else {
            add_saturating(&map->lost, (uint64_t)frames_in(&map->ranges[best]) << PAGE_SHIFT);
            remove_range(map, best);
        }
    }
}

static void memmap_overlay(struct memmap *map, uint32_t first, uint32_t end, enum act act, enum owner owner)
{
    assert(end <= map->limit);
    while (first < end) {
        uint32_t at = range_from(map, first), stop_at = end;
        struct piece old = { GAP, OWNER_ABSENT }, new;

        if (at < map->count) {
            const struct memmap_range *range = &map->ranges[at];
            bool inside = range->first.no <= first;
            uint32_t border = inside ? range->end.no : range->first.no;

            if (inside)
                old = piece_of(range);
            if (border < stop_at)
                stop_at = border;
        }
        new = piece_rule(old, act, owner);
        if (!piece_same(old, new)) {
            memmap_set(map, at, first, stop_at, new);
            memmap_fit(map);
        }
        first = stop_at;
    }
    deep_assert(memmap_ok(map));
}

static uint32_t memmap_clip(const struct memmap *map, uint64_t frame)
{
    return frame < map->limit ? (uint32_t)frame : map->limit;
}

void memmap_start(struct memmap *map, uint32_t limit)
{
    map->count = 0;
    map->limit = limit;
    map->beyond = map->lost = 0;
}

void memmap_add(struct memmap *map, uint64_t base, uint64_t length, bool usable)
{
    uint64_t last, first, end;

    if (length == 0)
        return;
    if (!checked_add(base, length - 1, &last))
        last = UINT64_MAX;
    first = base >> PAGE_SHIFT;
    end = (last >> PAGE_SHIFT) + 1;
    if (!usable) {
        memmap_overlay(map, memmap_clip(map, first), memmap_clip(map, end), ADD_RESERVED, OWNER_ABSENT);
        return;
    }

    /* Whole frames only. The first and the last may be the same one. */
    if (!is_aligned(base, PAGE_SIZE))
        first++;
    if ((last & (PAGE_SIZE - 1)) != PAGE_SIZE - 1)
        end--;
    if (first >= end) {
        add_saturating(&map->lost, last - base + 1);
        return;
    }
    add_saturating(&map->lost, (first << PAGE_SHIFT) - base);
    add_saturating(&map->lost, last - ((end << PAGE_SHIFT) - 1));
    if (end > map->limit) {
        uint64_t from = first > map->limit ? first : map->limit;

        add_saturating(&map->beyond, (end - from) << PAGE_SHIFT);
    }
    memmap_overlay(map, memmap_clip(map, first), memmap_clip(map, end), ADD_USABLE, OWNER_FREE);
}

void memmap_own(struct memmap *map, paddr_t start, paddr_t end, enum owner owner)
{
    assert(owner != OWNER_FREE && owner != OWNER_ABSENT);
    if (start < end)
        memmap_overlay(map, memmap_clip(map, start >> PAGE_SHIFT), memmap_clip(map, ((end - 1) >> PAGE_SHIFT) + 1), OWN,
                       owner);
}

int memmap_take(struct memmap *map, uint64_t bytes, uint64_t align, paddr_t from, paddr_t below,
                enum owner owner, paddr_t *start)
{
    assert(bytes > 0 && align >= PAGE_SIZE && (align & (align - 1)) == 0);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct memmap_range *range = &map->ranges[i];
        uint64_t at = frame_address(range->first), end = frame_address(range->end);

        if (!range->ram || range->owner != OWNER_FREE)
            continue;
        if (at < from)
            at = from;
        if (end > below)
            end = below;
        if (!checked_round_up(at, align, &at) || at >= end || round_down(end - at, PAGE_SIZE) < bytes)
            continue;
        assert(is_aligned(at, align) && at >= from && at + bytes <= below);
        memmap_own(map, at, at + bytes, owner);
        *start = at;
        return 0;
    }
    return -ENOMEM;
}

uint32_t memmap_ram(const struct memmap *map)
{
    uint32_t frames = 0;

    for (uint32_t i = 0; i < map->count; i++)
        if (map->ranges[i].ram)
            frames += frames_in(&map->ranges[i]);
    return frames;
}

uint32_t memmap_end(const struct memmap *map)
{
    for (uint32_t i = map->count; i > 0; i--)
        if (map->ranges[i - 1].ram)
            return map->ranges[i - 1].end.no;
    return 0;
}

const struct memmap_range *memmap_find(const struct memmap *map, frame_t frame)
{
    uint32_t at = range_from(map, frame.no);

    return at < map->count && map->ranges[at].first.no <= frame.no ? &map->ranges[at] : NULL;
}

void memmap_audit(const struct memmap *map, struct audit_report *report)
{
    if (map->count > MEMMAP_RANGES)
        audit_fail(report, "P1", "%u ranges, the table holds %u", map->count, (unsigned)MEMMAP_RANGES);
    for (uint32_t i = 0; i < map->count && i < MEMMAP_RANGES; i++) {
        const struct memmap_range *range = &map->ranges[i], *next = range + 1;
        bool last = i + 1 == map->count;

        report->checked++;
        if (range->first.no >= range->end.no || (!last && range->end.no > next->first.no))
            audit_fail(report, "P1", "range %u: frames 0x%x to 0x%x, next from 0x%x", i, range->first.no,
                       range->end.no, last ? map->limit : next->first.no);
        if (!last && range->end.no == next->first.no && piece_same(piece_of(range), piece_of(next)))
            audit_fail(report, "P2", "ranges %u and %u meet at frame 0x%x and are alike", i, i + 1,
                       next->first.no);
        if (range->end.no > map->limit)
            audit_fail(report, "P3", "range %u ends at frame 0x%x, limit 0x%x", i, range->end.no, map->limit);
    }
}

bool memmap_ok(const struct memmap *map)
{
    struct audit_report report = { 0 };

    memmap_audit(map, &report);
    return report.failed == 0;
}
