/*
 * test_frame_history.c - whatever was taken and given back, by whichever processor: after each call the reserve, the
 * rooms of magazines, what is told of shortage, and the peak are what frame.h says.
 *
 * Also compiled as a release build (test_frame_history_release.c), where the short ways through frame_get() and
 * frame_put() are taken.
 */
#include "frame_world.h"

enum { FRAMES = 0x1000, RUNS = 8, CPUS = 3 };

static const struct layout_policy one_kept  = { .search = SEARCH_FIRST, .magazine = 1 };
static const struct layout_policy some_kept = { .polarity = ONE_IS_FREE, .search = SEARCH_NEXT, .magazine = 21 };

static frame_t  held[FRAMES];
static struct { frame_t first; uint32_t count; } runs[RUNS];
static uint32_t held_count, free_now, peak, taken, given;
static bool     drained;

static struct frame_magazine *mine(void) { return &frame_magazines[host_cpu]; }

static void begin(const struct layout_policy *policy, uint32_t low_end)
{
    host_cpu = 0;
    open_pc(policy, low_end);
    memset(runs, 0, sizeof runs);
    held_count = taken = given = 0;
    drained  = false;
    free_now = PC_FREE;
    peak     = frames.ram - PC_FREE;
}

static void note_use(void)
{
    peak = frames.ram - free_now > peak ? frames.ram - free_now : peak;
    assert_int_equal(frames_free(), free_now);
}

/* What holds between any two calls. */
static void assert_settled(void)
{
    uint32_t bits = frames.pool.free;

    assert_int_equal(!!(frames_wanted & FRAMES_LOW), bits < 2 * frames.reserve);
    assert_int_equal(frames.is_short, bits < frames.reserve);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        const struct frame_magazine *magazine = &frame_magazines[cpu];

        if (cpu == host_cpu || !drained)                /* else it takes its room back with its own next call */
            assert_int_equal(magazine->room, frames.is_short || magazine->wanted ? 0 : frames.magazine);
        assert_true(magazine->newest - magazine->oldest <= frames.magazine);
    }
    assert_int_equal(host_interrupts_off, 0);
}

/* Who may not touch the reserve leaves it as it is; who finds nothing has said so, and others are asked. */
static void take_one(unsigned flags)
{
    uint32_t bits = frames.pool.free, kept = frame_magazine_count(mine()), reserve = frames.reserve;
    frame_t  frame;
    int      err = frame_get(OWNER_USER, flags, &frame);

    if (err == 0) {
        held[held_count++] = frame;
        free_now--;
        taken++;
        assert_true(frame_is_sole(frame, OWNER_USER));
        assert_true(!(flags & FRAME_LOW) || frame.no < frames.pool.low_end);
    } else {
        assert_int_equal(err, -ENOMEM);
        for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
            if (cpu != host_cpu)
                assert_int_equal(frame_magazines[cpu].wanted, frames.magazine > 0);
    }
    assert_int_equal(frames_were_refused(), err != 0 && !(flags & FRAME_SPARE));
    assert_false(frames_were_refused());
    if (!(flags & FRAME_SPARE))
        assert_true(frames.pool.free >= (bits < reserve ? bits : reserve));
    if (!(flags & FRAME_LOW))
        assert_int_equal(err == 0, kept > 0 || bits > (flags & FRAME_SPARE ? 0 : reserve));
}

static void give_one(void)
{
    uint32_t at;

    if (held_count == 0)
        return;
    at = test_random(held_count);
    assert_true(frame_put(held[at]));
    held[at] = held[--held_count];
    free_now++;
    given++;
}

static void take_or_give_run(void)
{
    uint32_t at = test_random(RUNS), count = 1 + test_random(150);
    unsigned flags = test_random(2) ? FRAME_SPARE : 0;

    if (runs[at].count > 0) {
        frame_run_put(runs[at].first, runs[at].count);
        free_now += runs[at].count;
        given     += runs[at].count;
        runs[at].count = 0;
    } else if (frame_run_get(OWNER_STACK, count, 1u << test_random(4), 0, flags, &runs[at].first) == 0) {
        runs[at].count = count;
        free_now -= count;
        taken     += count;
        if (!(flags & FRAME_SPARE))
            assert_true(frames.pool.free >= frames.reserve);
    } else {
        assert_int_equal(frames_were_refused(), flags == 0);
    }
}

/* Each frame in a magazine is told once; together they are those that are free, but not in the bitmap. */
static uint32_t in_magazines(void)
{
    static uint8_t seen[FRAMES];
    uint32_t       told = 0, there = 0;

    memset(seen, 0, sizeof seen);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
        for (uint32_t n = 0; n < frame_magazine_count(&frame_magazines[cpu]); n++, told++)
            seen[frame_magazine_frame(&frame_magazines[cpu], n)]++;
    for (uint32_t n = 0; n < FRAMES; n++) {
        bool is = frame_owner((frame_t){ n }) == OWNER_FREE && !pool_is_free(&frames.pool, n);

        assert_int_equal(seen[n], is);
        there += is;
    }
    assert_int_equal(told, there);
    return there;
}

static void assert_sums(uint32_t more)
{
    struct frame_sums sums;
    uint32_t          zeroed = 0;

    frames_sums(&sums);
    for (uint32_t n = 0; n < FRAMES; n++)
        zeroed += state_free(frames.records[n].state) && (frames.records[n].state & STATE_ZEROED);
    assert_in_range(sums.peak_used, peak, peak + more);
    assert_int_equal(sums.gets, taken);
    assert_int_equal(sums.puts, given);
    assert_int_equal(sums.zeroed, zeroed);
    assert_int_equal(sums.magazine, in_magazines());
    assert_int_equal(sums.owned[OWNER_FREE], free_now);
    assert_int_equal(sums.reserve, frames.reserve);
    assert_int_equal(sums.misuses + sums.pinned, 0);
}

static void step(uint32_t number, bool zeroes)
{
    bool fills = number / 700 % 2 == 0;

    switch (test_random(fills ? 12 : 14)) {
    case 0: case 1: case 2: case 3: case 4:
        for (unsigned n = fills ? 20 : 2; n > 0; n--) {
            take_one(test_random(2) ? test_random(8) : 0);
            note_use();
            assert_settled();
        }
        break;
    case 5: case 6:
        take_or_give_run();
        break;
    case 7:
        if (zeroes)
            frames_idle();
        break;
    default:
        for (unsigned n = fills ? 2 : 20; n > 0; n--) {
            give_one();
            assert_settled();
        }
    }
    note_use();
    assert_settled();
}

static void any_history(unsigned cpus, bool zeroes)
{
    uint32_t more = (cpus - 1) * 2 * MAGAZINE_MOST + (zeroes ? cpus * CLEAN_MOST : 0);

    for (uint32_t number = 0; number < (IS_CHECKED ? 4200 : 8400); number++) {
        host_cpu = test_random(cpus);
        step(number, zeroes);
        if (cpus == 1 && test_random(200) == 0) {
            frames_drain();
            drained = true;
            assert_int_equal(in_magazines(), 0);
        }
        if (test_random(150) == 0)
            assert_sums(more);
    }
    assert_sums(more);
    check_frames();
}

static void after_any_history_all_is_as_it_is_told(void **state)
{
    const struct layout_policy *policies[] = { &bare, &next, &one_kept, &some_kept, &with_magazine };
    const uint32_t              borders[]  = { 1u << 20, 0x300 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++)
        for (size_t k = 0; k < COUNT_OF(borders); k++) {
            begin(policies[i], borders[k]);
            any_history(1, false);
            begin(policies[i], borders[k]);
            any_history(1, true);
        }
}

static void so_it_is_with_several_processors(void **state)
{
    const struct layout_policy *policies[] = { &some_kept, &with_magazine };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++)
        for (unsigned zeroes = 0; zeroes < 2; zeroes++) {
            begin(policies[i], 0x300);
            any_history(CPUS, zeroes);
        }
    host_cpu = 0;
}

/* ---- The peak, where frames go past the magazine ------------------------------------------------------- */

static void assert_peak(uint32_t more)
{
    struct frame_sums sums;

    frames_sums(&sums);
    assert_int_equal(sums.peak_used, frames.ram - PC_FREE + more);
}

/* Nobody has looked at the sums since the most were used: each call that changes the bitmap notes it before. */
static void a_peak_is_noted_before_the_bitmap_changes(void **state)
{
    frame_t first;

    (void)state;
    begin(&with_magazine, 1u << 20);
    for (unsigned n = 0; n < 10; n++)
        take_one(0);
    frame_reclaim((frame_t){ 0x180 }, 0x10, OWNER_BOOT);
    assert_peak(10);

    begin(&with_magazine, 1u << 20);
    for (unsigned n = 0; n < 70; n++)
        take_one(0);
    while (held_count > 0)
        give_one();
    frames_drain();
    assert_peak(70);

    begin(&with_magazine, 1u << 20);
    assert_int_equal(frame_run_get(OWNER_USER, 100, 1, 0, 0, &first), 0);
    for (unsigned n = 0; n < 10; n++)
        take_one(0);
    frame_run_put(first, 100);
    assert_peak(110);
    assert_int_equal(frame_run_get(OWNER_USER, 99, 1, 0, 0, &first), 0);
    frame_run_put(first, 99);
    assert_peak(110);
}

/* Frames that are cleared ahead count once at most, in all. */
static void what_lies_ready_is_hardly_any_use(void **state)
{
    (void)state;
    begin(&with_magazine, 1u << 20);
    while (frames_idle())
        ;
    assert_int_equal(mine()->clean_count, CLEAN_MOST);
    assert_sums(CLEAN_MOST);
    frames_drain();
    assert_sums(CLEAN_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_any_history_all_is_as_it_is_told),
        cmocka_unit_test(so_it_is_with_several_processors),
        cmocka_unit_test(a_peak_is_noted_before_the_bitmap_changes),
        cmocka_unit_test(what_lies_ready_is_hardly_any_use),
    };

    return cmocka_run_group_tests_name("frame_history", tests, NULL, finish);
}
