/*
 * test_frame_runs.c - frames with owners: misuse, runs, the map's own memory, and calls that are made to fail.
 *
 * Also compiled as a release build (test_frame_runs_release.c), where frames hold no poison and the short ways through
 * frame_get() and frame_put() are taken.
 */
#include "frame_world.h"

/* ---- Misuse ----------------------------------------------------------------------------- */

static void expect_refused(frame_t frame, const char *words, const char *owner)
{
    uint32_t before = misuses(), free_before = frames_free();

    printed_forget();
    assert_false(frame_put(frame));
    assert_int_equal(misuses(), before + 1);
    assert_int_equal(frames_free(), free_before);
    assert_non_null(strstr(printed(), words));
    assert_non_null(strstr(printed(), owner));
    check_frames();
}

static void wrong_frees_are_refused_and_named(void **state)
{
    frame_t frame, other;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame = get(OWNER_HEAP, 0);
    other = get(OWNER_USER, 0);
    frame_put(frame);
    expect_refused(frame, "double free", "heap");               /* in the magazine */
    frames_drain();
    expect_refused(frame, "double free", "heap");               /* in the bitmap */
    expect_refused((frame_t){ 0x200 }, "double free", "absent");    /* never handed out */
    expect_refused((frame_t){ 0xA0 }, "no RAM", "absent");
    expect_refused((frame_t){ 0x1000 }, "no RAM", "absent");
    expect_refused(NO_FRAME, "no RAM", "absent");
    expect_refused((frame_t){ 0 }, "never gave", "held");
    expect_refused((frame_t){ 0x100 }, "never gave", "image");
    expect_refused((frame_t){ 0x180 }, "never gave", "boot");
    assert_true(frame_put(other));
    check_frames();
}

/* ---- Runs ------------------------------------------------------------------------------- */

static void runs_are_taken_and_given_back(void **state)
{
    const struct layout_policy *policies[] = { &bare, &next, &with_magazine };
    static const struct { uint32_t count, align, below; } wanted[] = {
        { 1, 1, 0 }, { 2, 1, 0 }, { 3, 4, 0 }, { 64, 64, 0x100 }, { 512, 512, 0 }, { 512, 1, 0 },
        { 513, 1, 0 }, { 1500, 256, 0 }, { 0x1000 - 0x200, 512, 0 }, { 0x1000 - 0x190, 16, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        open_pc(policies[i], 1u << 20);
        for (size_t n = 0; n < COUNT_OF(wanted); n++) {
            frame_t first = NO_FRAME;

            assert_int_equal(frame_run_get(OWNER_STACK, wanted[n].count, wanted[n].align, wanted[n].below,
                                           FRAME_SPARE, &first), 0);
            assert_int_equal(first.no % wanted[n].align, 0);
            if (wanted[n].below)
                assert_true(first.no + wanted[n].count <= wanted[n].below);
            assert_int_equal(owned(OWNER_STACK), wanted[n].count);
            for (uint32_t k = 0; k < wanted[n].count; k++)
                assert_int_equal(frame_references((frame_t){ first.no + k }), 1);
            check_frames();
            if (n % 2) {
                frame_run_put(first, wanted[n].count);
            } else {
                for (uint32_t k = 0; k < wanted[n].count; k++)
                    assert_true(frame_put((frame_t){ first.no + k }));
            }
            assert_int_equal(frames_free(), PC_FREE);
            check_frames();
        }
        assert_int_equal(misuses(), 0);
    }
}

static void small_runs_spare_whole_areas(void **state)
{
    frame_t first;

    (void)state;
    open_pc(&bare, 1u << 20);
    assert_int_equal(frame_run_get(OWNER_HEAP, 0x60, 1, 0, 0, &first), 0);
    assert_int_equal(first.no, 1);
    assert_int_equal(frame_run_get(OWNER_HEAP, 0x60, 1, 0, 0, &first), 0);
    assert_int_equal(first.no, 0x190);
    assert_int_equal(frame_run_get(OWNER_HEAP, 0x60, 1, 0, 0, &first), 0);
    assert_int_equal(first.no, 0x1F0);              /* no broken area has so many: a border is crossed */
    assert_int_equal(frame_run_get(OWNER_HEAP, 0x60, 0x40, 0, 0, &first), 0);
    assert_int_equal(first.no, 0x280);

    open_pc(&bare, 1u << 20);
    assert_int_equal(frame_run_get(OWNER_HEAP, 1, 0x800, 0, 0, &first), 0);
    assert_int_equal(first.no, 0x800);
    assert_int_equal(frame_run_get(OWNER_HEAP, 0x100, 1, 0, 0, &first), 0);
    assert_int_equal(first.no, 0x801);              /* a whole area at 0x200 would have been lower */
}

/* The run exists only with what lies in the magazine. */
static void a_run_is_found_behind_the_magazine(void **state)
{
    static frame_t held[PC_FREE];
    frame_t first;
    uint32_t count = 0;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    while (frame_get(OWNER_USER, FRAME_SPARE, &held[count]) == 0)
        count++;
    for (uint32_t n = 0; n < count; n++)
        if (held[n].no >= 0x3E0 && held[n].no < 0x410)
            frame_put(held[n]);
    assert_int_equal(frame_run_get(OWNER_TEST, 0x31, 1, 0, FRAME_SPARE, &first), -ENOMEM);
    assert_int_equal(frame_run_get(OWNER_TEST, 0x30, 1, 0, FRAME_SPARE, &first), 0);
    assert_int_equal(first.no, 0x3E0);
    check_frames();
}

static void runs_arrive_zeroed_when_asked(void **state)
{
    frame_t first;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    assert_int_equal(frame_run_get(OWNER_TABLES, 20, 4, 0, FRAME_ZERO, &first), 0);
    for (uint32_t n = 0; n < 20; n++) {
        assert_true(page_holds(frame_words((frame_t){ first.no + n }), 0));
        memset(frame_words((frame_t){ first.no + n }), 1, PAGE_SIZE);
    }
    frame_run_put(first, 20);
    assert_int_equal(frame_run_get(OWNER_TABLES, 40, 1, 0, FRAME_ZERO, &first), 0);
    for (uint32_t n = 0; n < 40; n++)
        assert_true(page_holds(frame_words((frame_t){ first.no + n }), 0));
}

static void low_runs_are_below_the_border(void **state)
{
    frame_t first;

    (void)state;
    open_pc(&with_magazine, 0x250);
    assert_int_equal(frame_run_get(OWNER_TABLES, 0xC0, 1, 0, FRAME_LOW, &first), 0);
    assert_int_equal(first.no, 0x190);
    assert_int_equal(frame_run_get(OWNER_TABLES, 0xC0, 1, 0, FRAME_LOW, &first), -ENOMEM);
    assert_int_equal(frame_run_get(OWNER_TABLES, 0xC0, 1, 0, 0, &first), 0);
    assert_true(first.no >= 0x250);
}

/* Of all that is free only what begins at 0x190 has room for so many; `below` and the border of low frames end it. */
static void runs_end_where_they_are_asked_to(void **state)
{
    static const struct { uint32_t low_end, below; unsigned flags; uint32_t first; } all[] = {
        { 1u << 20, 0x250, 0, 0x190 }, { 1u << 20, 0x24F, 0, 0 }, { 1u << 20, 0x250, FRAME_LOW, 0x190 },
        { 0x300, 0x250, FRAME_LOW, 0x190 }, { 0x300, 0x24F, FRAME_LOW, 0 }, { 0x250, 0x300, FRAME_LOW, 0x190 },
        { 0x24F, 0x300, FRAME_LOW, 0 }, { 0x24F, 0x250, 0, 0x190 }, { 0x250, 0xFFFFFFFF, FRAME_LOW, 0x190 },
        { 0x250, 0, FRAME_LOW, 0x190 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        frame_t first = { 0 };
        int     err;

        open_pc(&bare, all[i].low_end);
        err = frame_run_get(OWNER_TABLES, 0xC0, 1, all[i].below, all[i].flags, &first);
        if (err != (all[i].first != 0 ? 0 : -ENOMEM) || first.no != all[i].first)
            fail_msg("case %zu: %d, 0x%x", i, err, first.no);
        check_frames();
    }
    open_pc(&bare, 1u << 20);
    assert_int_equal(frame_run_get(OWNER_TABLES, 2, 1, frames_end() + 100, 0, &(frame_t){ 0 }), 0);
    assert_int_equal(frame_run_get(OWNER_TABLES, 0xE71, 1, UINT32_MAX, 0, &(frame_t){ 0 }), -ENOMEM);
}

/* Numbers behind the last frame are nobody's, and nobody's alone. */
static void behind_the_last_frame_is_nothing(void **state)
{
    frame_t last = { 0xFFF }, frame;

    (void)state;
    open_pc(&bare, 1u << 20);
    assert_int_equal(frames_end(), last.no + 1);
    do
        frame = get(OWNER_USER, FRAME_SPARE);
    while (frame.no != last.no);
    assert_true(frame_is_sole(last, OWNER_USER));
    assert_false(frame_is_sole(last, OWNER_TABLES));
    assert_int_equal(frame_references(last), 1);
    for (uint32_t no = last.no + 1; no <= last.no + 2; no++) {
        assert_false(frame_is_sole((frame_t){ no }, OWNER_USER));
        assert_int_equal(frame_references((frame_t){ no }), 0);
        assert_int_equal(frame_owner((frame_t){ no }), OWNER_ABSENT);
        assert_false(frame_is_ram((frame_t){ no }));
    }
    assert_false(frame_is_sole(NO_FRAME, OWNER_USER));
    frame_share(last);
    assert_false(frame_is_sole(last, OWNER_USER));
}

static void a_run_not_wholly_ours_is_refused_whole(void **state)
{
    frame_t first;
    uint32_t free_before;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    assert_int_equal(frame_run_get(OWNER_STACK, 8, 1, 0, 0, &first), 0);
    frame_share((frame_t){ first.no + 3 });
    free_before = frames_free();
    printed_forget();
    frame_run_put(first, 8);
    assert_non_null(strstr(printed(), "shared"));
    frame_put((frame_t){ first.no + 3 });
    frame_run_put(first, 9);                        /* one frame too many, which is free */
    assert_non_null(strstr(printed(), "double free"));
    frame_run_put((frame_t){ 0xFFE }, 3);
    frame_run_put((frame_t){ UINT32_MAX - 1 }, UINT32_MAX);
    assert_non_null(strstr(printed(), "leaves RAM"));
    frame_run_put((frame_t){ 0x170 }, 4);
    assert_non_null(strstr(printed(), "image"));
    assert_int_equal(misuses(), 5);
    assert_int_equal(frames_free(), free_before);
    check_frames();
    frame_run_put(first, 8);
    assert_int_equal(frames_free(), free_before + 8);
    frame_run_put(first, 0);
    check_frames();
}

/* ---- The map's memory given to the pool ------------------------------------------------- */

static void boot_memory_is_reclaimed_once(void **state)
{
    struct frame_sums sums;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame_share((frame_t){ 0x185 });                            /* still in use */
    frame_reclaim((frame_t){ 0x170 }, 0x30, OWNER_BOOT);        /* reaches into image and free memory */
    assert_int_equal(frames_free(), PC_FREE + 15);
    assert_int_equal(owned(OWNER_BOOT), 1);
    assert_int_equal(owned(OWNER_IMAGE), 0x80);
    check_frames();
    frame_reclaim((frame_t){ 0x170 }, 0x30, OWNER_BOOT);
    frame_reclaim((frame_t){ 0xFF0 }, UINT32_MAX, OWNER_BOOT);
    assert_int_equal(frames_free(), PC_FREE + 15);
    frames_sums(&sums);
    assert_int_equal(sums.misuses, 0);
    check_frames();
    assert_int_equal(take_all(OWNER_TEST, FRAME_SPARE), PC_FREE + 15);
    check_frames();
}

/* ---- The failure sweep ------------------------------------------------------------------ */

static void the_nth_call_fails_once(void **state)
{
    const struct layout_policy *policies[] = { &bare, &next, &with_magazine };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        open_pc(policies[i], 1u << 20);
        frame_put(get(OWNER_USER, 0));
        for (uint32_t n = 1; n < 6; n++) {
            frame_t frame = { 77 };

            frame_fail_at(n);
            for (uint32_t k = 1; k < n; k++)
                frame_put(get(OWNER_USER, k % 2 ? FRAME_ZERO : 0));
            if (n % 2)
                assert_int_equal(frame_get(OWNER_USER, 0, &frame), -ENOMEM);
            else
                assert_int_equal(frame_run_get(OWNER_USER, 2, 1, 0, 0, &frame), -ENOMEM);
            assert_int_equal(frame.no, 77);
            frame_put(get(OWNER_USER, 0));
            frame_fail_at(1);
            frame_fail_at(0);
            frame_put(get(OWNER_USER, 0));
            assert_int_equal(frames_free(), PC_FREE);
            check_frames();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_frees_are_refused_and_named),
        cmocka_unit_test(runs_are_taken_and_given_back),
        cmocka_unit_test(small_runs_spare_whole_areas),
        cmocka_unit_test(a_run_is_found_behind_the_magazine),
        cmocka_unit_test(runs_arrive_zeroed_when_asked),
        cmocka_unit_test(low_runs_are_below_the_border),
        cmocka_unit_test(runs_end_where_they_are_asked_to),
        cmocka_unit_test(behind_the_last_frame_is_nothing),
        cmocka_unit_test(a_run_not_wholly_ours_is_refused_whole),
        cmocka_unit_test(boot_memory_is_reclaimed_once),
        cmocka_unit_test(the_nth_call_fails_once),
    };

    return cmocka_run_group_tests_name("frame_runs", tests, NULL, finish);
}
