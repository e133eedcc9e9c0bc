/*
 * test_frame_magazine.c - what lies in a magazine is had in need, by whoever asks, and is left alone else.
 */
#include "frame_world.h"

enum { FRAMES = 1024, MAGAZINE = 64 };

static struct frame_magazine *const mine = &frame_magazines[0];
static frame_t                      held[FRAMES];
static uint32_t                     count;

static uint32_t take_them_all(unsigned flags)
{
    frame_t frame;

    while (frame_get(OWNER_TEST, flags, &frame) == 0)
        held[count++] = frame;
    return count;
}

static void give_them_all(void)
{
    while (count > 0)
        frame_put(held[--count]);
}

static void start(uint32_t low_end)
{
    struct memmap map;

    memmap_start(&map, UINT32_MAX - 1);
    memmap_add(&map, 0, (uint64_t)FRAMES << PAGE_SHIFT, true);
    open_frames(&map, &with_magazine, low_end);
    count = 0;
}

static void end(void)
{
    assert_int_equal(owned(OWNER_TEST), 0);
    check_frames();
    close_frames();
}

/* While nothing else is to be done frames are zeroed ahead, and kept apart. */
static void zero_ahead(void)
{
    while (frames_idle())
        ;
    assert_true(mine->clean_count > 0);
    check_frames();
}

/* ---- Frames zeroed ahead ----------------------------------------------------------------------------- */

static void frames_that_are_clean_are_had_by_those_who_need_none_such(void **state)
{
    uint32_t all;

    (void)state;
    start(FRAMES);
    all = take_them_all(0);
    give_them_all();
    zero_ahead();
    assert_int_equal(take_them_all(0), all);
    assert_int_equal(mine->clean_count, 0);
    for (uint32_t n = 0; n < count && IS_CHECKED; n++)          /* who has not asked for zeros is not to rely on them */
        assert_int_equal(*frame_words(held[n]), FRAME_POISON);
    give_them_all();
    zero_ahead();
    assert_int_equal(take_them_all(FRAME_ZERO), all);
    for (uint32_t n = 0; n < count; n++)
        assert_int_equal(*frame_words(held[n]), 0);
    give_them_all();
    end();
}

static void who_asks_for_zeros_gets_clean_frames_first(void **state)
{
    uint32_t clean;

    (void)state;
    start(FRAMES);
    zero_ahead();
    clean = mine->clean_count;
    held[count++] = get(OWNER_TEST, 0);
    assert_int_equal(mine->clean_count, clean);         /* others leave them */
    held[count++] = get(OWNER_TEST, FRAME_ZERO);
    assert_int_equal(mine->clean_count, clean - 1);
    assert_int_equal(*frame_words(held[1]), 0);
    give_them_all();
    end();
}

/* The ring was empty for a moment, and nobody has looked since, when a word of frames is claimed to be zeroed. */
static void zeroing_ahead_forgets_no_peak(void **state)
{
    struct frame_sums sums;

    (void)state;
    start(FRAMES);
    frames_sums(&sums);
    assert_int_equal(sums.peak_used, 0);
    while (count < 2 * MAGAZINE)
        held[count++] = get(OWNER_TEST, 0);
    assert_int_equal(mine->claim, 0);
    while (count > MAGAZINE)
        frame_put(held[--count]);
    assert_true(frames_idle());
    frames_sums(&sums);
    assert_int_equal(sums.peak_used, 2 * MAGAZINE);
    give_them_all();
    end();
}

/* Below low_end no other frame is left than one that lies in the magazine: in its ring, or among the clean ones. */
static void low_frames_are_found_wherever_they_lie(void **state)
{
    enum { LOW = 100 };
    uint32_t all;

    (void)state;
    start(LOW);
    while (frame_get(OWNER_TEST, FRAME_LOW, &held[count]) == 0)
        count++;
    all = count;
    assert_in_range(all, LOW - 20, LOW);
    for (uint32_t n = 0; n < all; n++)
        assert_true(held[n].no < LOW);
    give_them_all();
    zero_ahead();
    while (frame_get(OWNER_TEST, FRAME_LOW, &held[count]) == 0)
        count++;
    assert_int_equal(count, all);
    for (uint32_t n = 0; n < all; n++)
        for (uint32_t m = 0; m < n; m++)
            assert_int_not_equal(held[n].no, held[m].no);
    check_frames();
    give_them_all();
    end();
}

/* ---- Runs ---------------------------------------------------------------------------------------------- */

static void a_run_from_the_bitmap_leaves_the_magazine_alone(void **state)
{
    frame_t  first;
    uint32_t in_ring;

    (void)state;
    start(FRAMES);
    while (count < 200)
        held[count++] = get(OWNER_TEST, 0);
    give_them_all();
    in_ring = frame_magazine_count(mine);
    assert_true(in_ring >= MAGAZINE);
    assert_int_equal(frame_run_get(OWNER_TEST, 300, 1, 0, 0, &first), 0);
    assert_int_equal(frame_magazine_count(mine), in_ring);
    frame_run_put(first, 300);
    end();
}

static void a_run_that_needs_the_magazines_frames_gets_them(void **state)
{
    frame_t  first;
    uint32_t all;

    (void)state;
    start(FRAMES);
    all = take_them_all(FRAME_SPARE);
    give_them_all();
    assert_true(frame_magazine_count(mine) > 0);
    assert_int_equal(frame_run_get(OWNER_TEST, all, 1, 0, FRAME_SPARE, &first), 0);
    assert_int_equal(frame_magazine_count(mine), 0);
    assert_int_equal(frame_run_get(OWNER_TEST, 1, 1, 0, FRAME_SPARE, &held[0]), -ENOMEM);
    frame_run_put(first, all);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_that_are_clean_are_had_by_those_who_need_none_such),
        cmocka_unit_test(who_asks_for_zeros_gets_clean_frames_first),
        cmocka_unit_test(zeroing_ahead_forgets_no_peak),
        cmocka_unit_test(low_frames_are_found_wherever_they_lie),
        cmocka_unit_test(a_run_from_the_bitmap_leaves_the_magazine_alone),
        cmocka_unit_test(a_run_that_needs_the_magazines_frames_gets_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
