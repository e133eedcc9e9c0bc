/*
 * test_frame_sums.c - frames with owners: what is counted adds up after any history, and what is broken is named.
 *
 * Also compiled as a release build (test_frame_sums_release.c), where frames hold no poison and the short ways through
 * frame_get() and frame_put() are taken.
 */
#include "frame_world.h"

/* ---- Sums ------------------------------------------------------------------------------- */

static void the_peak_is_the_most_ever_used(void **state)
{
    const struct layout_policy *policies[] = { &bare, &with_magazine };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        static frame_t held[3000];
        struct frame_sums sums;
        uint32_t count = 0, peak, base;

        open_pc(policies[i], 1u << 20);
        frames_sums(&sums);
        peak = base = sums.ram - PC_FREE;
        assert_int_equal(sums.peak_used, base);
        for (uint32_t step = 0; step < 20000; step++) {
            if (count < 3000 && test_random(10) < (step % 4000 < 2000 ? 9u : 1u)) {
                held[count++] = get(OWNER_USER, test_random(2) ? FRAME_ZERO : FRAME_LOW);
            } else if (count > 0) {
                uint32_t at = test_random(count);

                frame_put(held[at]);
                held[at] = held[--count];
            }
            peak = base + count > peak ? base + count : peak;
            if (step % 1000 == 0) {
                frames_sums(&sums);
                assert_int_equal(sums.peak_used, peak);
            }
        }
        assert_true(peak > base + 1000);
    }
}

/* The sums are not read during the peak: it is noted where frames go to the pool and come from it. */
static void a_peak_that_nobody_looked_at_is_known_afterwards(void **state)
{
    const struct layout_policy *policies[] = { &bare, &with_magazine };
    static frame_t              held[3000];
    struct frame_sums           sums;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        open_frames_flat(policies[i], 4096);
        for (unsigned n = 0; n < 3000; n++)
            held[n] = get(OWNER_USER, 0);
        for (unsigned n = 0; n < 3000; n++)
            frame_put(held[n]);
        frames_sums(&sums);
        assert_in_range(sums.peak_used, 2990, 3000);
    }
}

static void an_emptied_magazine_is_no_peak(void **state)
{
    struct frame_sums sums;

    (void)state;
    open_frames_flat(&with_magazine, 4096);
    frame_put(get(OWNER_USER, 0));
    frames_drain();
    frames_sums(&sums);
    assert_int_equal(sums.peak_used, 1);
}

/* A peak that comes and goes without a call that looks at the bitmap. */
static void a_peak_inside_the_magazine_counts(void **state)
{
    const unsigned flags[] = { 0, FRAME_ZERO };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        frame_t held[105];
        struct frame_sums sums;
        uint32_t base;

        open_pc(&with_magazine, 1u << 20);
        frames_sums(&sums);
        base = sums.peak_used;
        for (uint32_t n = 0; n < 100; n++)
            held[n] = get(OWNER_USER, flags[i]);
        for (uint32_t n = 60; n < 100; n++)
            frame_put(held[n]);
        frames_sums(&sums);
        assert_int_equal(sums.peak_used, base + 100);
        for (uint32_t n = 60; n < 105; n++)
            held[n] = get(OWNER_USER, flags[i]);
        for (uint32_t n = 70; n < 105; n++)
            frame_put(held[n]);
        frames_sums(&sums);
        assert_int_equal(sums.peak_used, base + 105);
    }
}

/* Everything at random, with a model that remembers owner and count of each frame. */
static void any_history_adds_up(void **state)
{
    static struct { enum owner owner; uint32_t count; } model[0x1000];

    (void)state;
    for (uint32_t round = 0; round < (IS_CHECKED ? 8 : 40); round++) {
        struct layout_policy policy = { .polarity = round & 1 ? ONE_IS_FREE : ONE_IS_USED,
                                        .search = (enum search)(round % 3), .magazine = round % 4 * 21 };
        uint32_t live = 0;

        open_pc(&policy, round % 5 ? 0x300 + 0x100 * round : 1u << 20);
        memset(model, 0, sizeof model);
        for (uint32_t step = 0; step < 3000; step++) {
            enum owner owner = (enum owner)(OWNER_TABLES + test_random(OWNER_COUNT - OWNER_TABLES));
            uint32_t at = test_random(0x1000), count = 1 + test_random(12), phase = step / 500 % 2;
            frame_t frame;

            switch (test_random(10)) {
            case 0: case 1: case 2: case 3:
                for (uint32_t n = 0; n < (phase ? 30 : 3); n++) {
                    if (frame_get(owner, test_random(8), &frame) != 0)
                        continue;
                    assert_int_equal(model[frame.no].count, 0);
                    model[frame.no].owner = owner;
                    model[frame.no].count = 1;
                    live++;
                }
                break;
            case 4: case 5: case 6:
                for (uint32_t n = 0; n < (phase ? 10 : 200); n++, at = test_random(0x1000)) {
                    if (model[at].count == 0)
                        continue;
                    assert_int_equal(frame_put((frame_t){ at }), model[at].count == 1);
                    live -= --model[at].count == 0;
                }
                break;
            case 7:
                if (frame_run_get(owner, count, 1u << test_random(4), 0, 0, &frame) == 0) {
                    for (uint32_t n = frame.no; n < frame.no + count; n++) {
                        assert_int_equal(model[n].count, 0);
                        model[n].owner = owner;
                        model[n].count = 1;
                    }
                    live += count;
                }
                break;
            case 8:
                if (model[at].count > 0) {
                    frame_share((frame_t){ at });
                    model[at].count++;
                    frame_change_owner((frame_t){ at }, model[at].owner, owner);
                    model[at].owner = owner;
                }
                break;
            case 9:
                if (test_random(3) == 0)
                    frames_idle();
                if (test_random(20) == 0)
                    frames_drain();
                break;
            }
            if (step % 300 == 0) {
                assert_int_equal(frames_free(), PC_FREE - live);
                for (uint32_t n = 0; n < 0x1000; n++)
                    if (model[n].count > 0) {
                        assert_int_equal(frame_owner((frame_t){ n }), model[n].owner);
                        assert_int_equal(frame_references((frame_t){ n }), model[n].count);
                    }
                check_frames();
            }
        }
        for (uint32_t n = 0; n < 0x1000; n++)
            for (; model[n].count > 0; model[n].count--)
                frame_put((frame_t){ n });
        assert_int_equal(frames_free(), PC_FREE);
        assert_int_equal(misuses(), 0);
        check_frames();
    }
}

/* 64 GiB, of which a few frames at both ends are touched. */
static void large_memory_works_the_same(void **state)
{
    struct memmap map;
    frame_t frame, first;

    (void)state;
    memmap_start(&map, UINT32_MAX - 1);
    memmap_add(&map, 0, 64 * GiB, true);
    memmap_own(&map, 0, 64 * GiB - 1 * GiB, OWNER_HELD);
    open_frames(&map, &with_magazine, 1u << 16);
    assert_int_equal(frames_free(), GiB / PAGE_SIZE);
    frame = get(OWNER_USER, FRAME_ZERO);
    assert_true(frame.no >= (63 * GiB) / PAGE_SIZE);
    assert_int_equal(frame_run_get(OWNER_USER, 1000, 512, 0, 0, &first), 0);
    assert_true(frame_put(frame));
    frame_run_put(first, 1000);
    assert_int_equal(frames_free(), GiB / PAGE_SIZE);
    assert_false(frame_put((frame_t){ 5 }));
    assert_int_equal(misuses(), 1);
}

/* A machine of eight frames: nothing is kept back that would make it useless. */
static void tiny_memory_works_too(void **state)
{
    (void)state;
    for (uint32_t count = 1; count < 70; count++) {
        struct frame_sums sums;

        open_frames_flat(&with_magazine, count);
        frames_sums(&sums);
        assert_true(sums.reserve <= count / 4);
        assert_int_equal(take_all(OWNER_USER, 0), count - sums.reserve);
        assert_int_equal(take_all(OWNER_USER, FRAME_SPARE), sums.reserve);
        check_frames();
    }
}

/* ---- Invariants broken on purpose ------------------------------------------------------- */

static void expect_named(const char *id)
{
    struct audit_report report = { 0 };

    assert_false(frames_ok());
    frames_audit(&report);
    assert_true(report_names(&report, id));
}

/* Its own complaint, beside that about all owners together. */
static void expect_sum_named(const char *owner)
{
    struct audit_report report = { 0 };
    char                words[64];
    bool                said = false;

    snprintf(words, sizeof words, "frames belong to %s, the sum says", owner);
    frames_audit(&report);
    for (unsigned n = 0; n < report.failed && n < COUNT_OF(report.failures); n++)
        said |= strstr(report.failures[n].text, words) != NULL;
    assert_true(said);
}

static void broken_pools_are_named(void **state)
{
    struct frame_record saved;
    frame_t frame;
    word_t bits;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame = get(OWNER_USER, 0);
    frame_put(get(OWNER_USER, 0));

    saved = frames.records[frame.no];
    frames.records[frame.no].state = state_of(0, OWNER_USER);
    expect_named("F1");
    frames.records[frame.no].state = state_of(2, OWNER_FREE);
    expect_named("F1");
    frames.records[frame.no].state = state_of(0, OWNER_FREE);   /* lost: free, in no bitmap and no magazine */
    expect_named("F1");
    frames.records[frame.no].state = state_of(1, OWNER_HEAP);
    expect_named("F3");
    frames.records[frame.no] = saved;

    bits = frames.pool.bitmap[frame.no / WORD_BITS];
    frames.pool.bitmap[frame.no / WORD_BITS] ^= (word_t)1 << frame.no % WORD_BITS;
    expect_named("F1");
    expect_named("F2");
    frames.pool.bitmap[frame.no / WORD_BITS] = bits;

    frame_magazines[0].ring[frame_magazines[0].newest++ % MAGAZINE_MOST] =
        frame_magazines[0].ring[frame_magazines[0].oldest % MAGAZINE_MOST];
    expect_named("F1");                                         /* in the magazine twice */
    frame_magazines[0].newest--;
    frame_magazines[0].ring[frame_magazines[0].newest++ % MAGAZINE_MOST] = 0x100;
    expect_named("F1");                                         /* in the magazine, and the kernel's image */
    frame_magazines[0].newest--;

    for (unsigned owner = 0; owner < OWNER_COUNT; owner++) {    /* each has its sum, also frames that are not there */
        frame_magazines[0].came[owner]++;
        expect_sum_named(owner_names[owner]);
        frame_magazines[0].came[owner]--;
    }
    frames.ram++;
    expect_named("F3");
    frames.ram--;

    pool_give(&frames.pool, 0xA1);
    expect_named("F4");
    pool_keep_run(&frames.pool, 0xA1, 1);
    check_frames();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peak_is_the_most_ever_used),
        cmocka_unit_test(a_peak_inside_the_magazine_counts),
        cmocka_unit_test(a_peak_that_nobody_looked_at_is_known_afterwards),
        cmocka_unit_test(an_emptied_magazine_is_no_peak),
        cmocka_unit_test(any_history_adds_up),
        cmocka_unit_test(large_memory_works_the_same),
        cmocka_unit_test(tiny_memory_works_too),
        cmocka_unit_test(broken_pools_are_named),
    };

    return cmocka_run_group_tests_name("frame_sums", tests, NULL, finish);
}
