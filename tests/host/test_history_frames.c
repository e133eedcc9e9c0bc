/*
 * test_history_frames.c - long histories of memory maps, pools and frames, and a sum of all that each has come to:
 * test_history_frames.txt.
 *
 * Which frame a call hands out, in which set an area lies, what a magazine remembers: all of it follows from the calls
 * before, and from nothing else. So a change anywhere shows in a sum.
 *
 * Also compiled as a release build (test_history_frames_release.c), which keeps lines of its own.
 */
#include "frame_world.h"

#include "kept_lines.h"

enum { FRAMES = 0x1000 };

static uint32_t sum;

static void begin_sum(void) { sum = 2166136261u; }

static void add_bytes(const void *bytes, size_t count)
{
    for (const uint8_t *at = bytes; count > 0; count--)
        sum = (sum ^ *at++) * 16777619u;
}

static void add(uint64_t number) { add_bytes(&number, sizeof number); }

/* ---- Memory maps ----------------------------------------------------------------------------------------- */

static void add_map(const struct memmap *map)
{
    add(map->count);
    add(map->lost);
    add(map->beyond);
    for (uint32_t i = 0; i < map->count; i++) {
        add(map->ranges[i].first.no);
        add(map->ranges[i].end.no);
        add(map->ranges[i].ram | map->ranges[i].owner << 1);
    }
    add(memmap_ram(map));
    add(memmap_end(map));
}

static void overlay(struct memmap *map, uint32_t limit, uint32_t most)
{
    static const enum owner owners[] = { OWNER_HELD, OWNER_IMAGE, OWNER_BOOT, OWNER_BITMAP };
    uint64_t first = test_random(limit + 50), count = 1 + test_random(most);
    uint64_t skew  = test_random(3) ? 0 : test_random(4096);
    paddr_t  at    = (paddr_t)first * PAGE_SIZE + skew, start = 0;
    uint64_t bytes = count * PAGE_SIZE - (test_random(3) ? 0 : test_random(4096));

    switch (test_random(8)) {
    case 0: case 1: case 2: case 3:
        memmap_add(map, at, bytes, true);
        break;
    case 4:
        memmap_add(map, at, bytes, false);
        break;
    case 5: case 6:
        memmap_own(map, at, at + bytes / 3, owners[test_random(COUNT_OF(owners))]);
        break;
    default:
        add((uint64_t)(uint32_t)memmap_take(map, bytes, (uint64_t)PAGE_SIZE << test_random(4), at, at + 9 * bytes,
                                            OWNER_RECORDS, &start));
        add(start);
    }
}

static void maps_of_what_firmware_says(void **state)
{
    static const struct { uint32_t limit, most, steps; } all[] = {
        { 300, 40, 200 }, { 3000, 12, 700 }, { 4000, 3, 2500 }, { 4000, 1, 3000 }, { 100000, 5000, 300 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        for (unsigned round = 0; round < 4; round++) {
            struct memmap map;

            memmap_start(&map, all[i].limit);
            begin_sum();
            for (uint32_t step = 0; step < all[i].steps; step++) {
                overlay(&map, all[i].limit, all[i].most);
                assert_true(memmap_ok(&map));
                if (step % 16 == 0)
                    add_map(&map);
            }
            for (uint32_t n = 0; n < all[i].limit; n += 1 + all[i].limit / 500) {
                const struct memmap_range *range = memmap_find(&map, (frame_t){ n });

                add(range == NULL ? 0 : 1 + (uint64_t)(range - map.ranges));
            }
            add_map(&map);
            kept_line("a map of at most %u frames, %u: %u ranges, %u frames of RAM, 0x%llx bytes lost, 0x%llx beyond; "
                      "%08x", all[i].limit, round, map.count, memmap_ram(&map), (unsigned long long)map.lost,
                      (unsigned long long)map.beyond, sum);
        }
}

/* ---- Pools --------------------------------------------------------------------------------------------------- */

static struct pool pool;
static void       *bitmap, *summary;
static size_t      bitmap_bytes;

static void add_pool(uint32_t end)
{
    add(pool.free);
    add(pool.next);
    add_bytes(bitmap, bitmap_bytes);
    add_bytes(summary, pool_summary_bytes(end));
    for (unsigned n = 0; n < POOL_ZONES * POOL_CLASSES; n++)
        add(pool.sets[n / POOL_CLASSES][n % POOL_CLASSES].top);
}

static void pool_step(uint32_t end)
{
    uint32_t at = test_random(end), many = 1 + test_random(test_random(4) ? 20 : 1200), base = 0, found;
    uint32_t below = test_random(3) ? UINT32_MAX : at, align = 1u << test_random(7);
    word_t   claim;

    switch (test_random(7)) {
    case 0:
        add(pool_take(&pool, test_random(3) == 0));
        break;
    case 1:
        claim = pool_claim(&pool, test_random(70), &base);
        add(claim);
        add(base);
        if (claim != 0 && test_random(2))
            pool_unclaim(&pool, base, claim);
        break;
    case 2:
        add(pool_peek(&pool, test_random(2)));
        break;
    case 3: case 4:
        for (; many > 0 && at < end; at++, many--)
            if (!pool_is_free(&pool, at))
                pool_give(&pool, at);
        break;
    default:
        found = pool_find_run(&pool, many, align, below, test_random(2));
        add(found);
        if (found != POOL_NONE)
            pool_keep_run(&pool, found, many);
    }
}

static void pools_of_each_kind(void **state)
{
    static const struct { uint32_t end, low_end; } sizes[] = {
        { 100, 64 }, { 4000, 1000 }, { 4096, 4096 }, { 40 * AREA_FRAMES + 7, 9 * AREA_FRAMES + 3 },
        { 4200 * AREA_FRAMES, 70 * AREA_FRAMES },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (unsigned kind = 0; kind < 6; kind++) {
            struct layout_policy policy = { .polarity = kind & 1 ? ONE_IS_FREE : ONE_IS_USED,
                                            .search = (enum search)(kind / 2) };
            bool     large = sizes[i].end > 100000;
            uint32_t steps = large ? 400 : 3000;

            bitmap_bytes = pool_bitmap_bytes(sizes[i].end) + 64;
            bitmap  = junk(bitmap_bytes);
            summary = junk(pool_summary_bytes(sizes[i].end));
            pool_open(&pool, &policy, sizes[i].end, sizes[i].low_end, bitmap, bitmap_bytes, summary);
            begin_sum();
            add_pool(sizes[i].end);
            pool_give_run(&pool, 3, sizes[i].end - 5);
            for (uint32_t step = 0; step < steps; step++) {
                pool_step(sizes[i].end);
                if (step % (large ? 100 : 40) == 0)
                    add_pool(sizes[i].end);
            }
            add(pool_largest_run(&pool));
            add(pool_free_areas(&pool));
            kept_line("a pool of %u frames, kind %u: %u free, %u in a row, %u areas; %08x", sizes[i].end, kind,
                      pool.free, pool_largest_run(&pool), pool_free_areas(&pool), sum);
            free(bitmap);
            free(summary);
        }
}

/* ---- Frames ------------------------------------------------------------------------------------------------------ */

static frame_t  held[FRAMES];
static uint32_t held_count;

static void add_frames(void)
{
    add_bytes(frames.records, frames.end * sizeof *frames.records);
    add_bytes(frame_magazines, sizeof frame_magazines);
    add(frames.peak);
    add(frames.is_short | frames_wanted << 1);
    add(frames.unusual | (uint64_t)frames.misuses << 32);
    add(frames.pinned);
    add(frames.pool.free);
    add(frames.pool.next);
}

static void hold(frame_t frame)
{
    held[held_count++] = frame;
    add(frame.no);
}

static void frame_step(bool fills)
{
    enum owner owner = (enum owner)(OWNER_TABLES + test_random(OWNER_COUNT - OWNER_TABLES));
    uint32_t   count = 1 + test_random(60), align = 1u << test_random(5), at;
    uint32_t   below = test_random(2) ? test_random(FRAMES) : 0;
    frame_t    frame;

    host_cpu = test_random(4) ? 0 : test_random(MAX_CPUS);
    switch (test_random(fills ? 9 : 14)) {
    case 0: case 1: case 2: case 3:
        for (unsigned n = fills ? 25 : 3; n > 0; n--)
            if (frame_get(owner, test_random(8), &frame) == 0)
                hold(frame);
        break;
    case 4:
        if (frame_run_get(owner, count, align, below, test_random(8), &frame) == 0)
            for (uint32_t n = 0; n < count; n++)
                hold((frame_t){ frame.no + n });
        break;
    case 5:
        add(frames_idle());
        break;
    case 6:
        if (test_random(10) == 0)
            frames_drain();
        else
            add(frame_put_of((frame_t){ test_random(FRAMES + 9) }, OWNER_COUNT - 1));
        break;
    default:
        for (unsigned n = fills ? 2 : 25; n > 0 && held_count > 0; n--) {
            at = test_random(held_count);
            frame = held[at];
            if (frame_references(frame) == 0) {         /* frame_put_of() has given it back */
                held[at] = held[--held_count];
                continue;
            }
            if (test_random(9) == 0) {
                frame_share(frame);
                add(frame_put(frame));
            }
            if (test_random(9) == 0)
                frame_set_link(frame, n);
            if (frame_references(frame) == 1)
                held[at] = held[--held_count];
            add(frame_put(frame));
        }
    }
    host_cpu = 0;
}

static void frames_under_each_policy(void **state)
{
    static const uint32_t magazines[] = { 0, 1, 21, 64 };

    (void)state;
    for (unsigned kind = 0; kind < 12; kind++)
        for (size_t i = 0; i < COUNT_OF(magazines); i++) {
            struct layout_policy policy = { .polarity = kind & 1 ? ONE_IS_FREE : ONE_IS_USED, .magazine = magazines[i],
                                            .search = (enum search)(kind / 2 % 3),
                                            .zeroing = kind < 9 ? ZERO_USER : ZERO_ALL };

            open_pc(&policy, kind % 4 == 3 ? 0x300 : 1u << 20);
            held_count = 0;
            begin_sum();
            add_frames();
            for (uint32_t step = 0; step < 900; step++) {
                frame_step(step / 250 % 2 == 0);
                if (step % 100 == 0)
                    add_frames();
            }
            frame_reclaim((frame_t){ 0x170 }, 0x40, OWNER_BOOT);
            add_frames();
            kept_line("frames, kind %u, %u in a magazine: %u held, %u free; %08x", kind, magazines[i], held_count,
                      frames_free(), sum);
        }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_of_what_firmware_says),
        cmocka_unit_test(pools_of_each_kind),
        cmocka_unit_test(frames_under_each_policy),
    };

    return cmocka_run_group_tests_name("history_frames", tests, NULL, finish);
}

int main(void) { return kept_run(IS_CHECKED ? "test_history_frames" : "test_history_frames_release", run_all); }
