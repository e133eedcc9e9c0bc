/*
 * test_pool.c - bits, areas and the three searches, against an array of booleans.
 */
#include "support.h"

#include "memory/frames/pool.h"

enum { MOST = 64 * AREA_FRAMES };       /* frames of the largest pool modelled frame by frame */

static struct pool pool;
static void *bitmap, *summary;
static bool model[MOST];                /* is frame n free? */
static uint32_t model_end;

static const struct layout_policy by_address = { .search = SEARCH_FIRST };

static void pool_close(void)
{
    free(bitmap);
    free(summary);
    bitmap = summary = NULL;
}

static void pool_start(const struct layout_policy *policy, uint32_t end, uint32_t low_end)
{
    size_t bytes = pool_bitmap_bytes(end);

    pool_close();
    bitmap = junk(bytes);
    summary = junk(pool_summary_bytes(end));
    pool_open(&pool, policy, end, low_end, bitmap, bytes, summary);
    memset(model, 0, sizeof model);
    model_end = end;
}

static void check_pool(void)
{
    struct audit_report report = { 0 };

    for (uint32_t area = 0; area < pool.area_count; area++)
        pool_audit_area(&pool, area, &report);
    pool_audit_sets(&pool, &report);
    report_show(&report);
    assert_int_equal(report.failed, 0);
}

static void check_model(void)
{
    uint32_t free_frames = 0;

    for (uint32_t n = 0; n < model_end; n++) {
        assert_int_equal(pool_is_free(&pool, n), model[n]);
        free_frames += model[n];
    }
    assert_int_equal(pool.free, free_frames);
    check_pool();
}

/* ---- The model's answers ---------------------------------------------------------------- */

static uint32_t first_free(uint32_t from)
{
    for (uint32_t n = from; n < model_end; n++)
        if (model[n])
            return n;
    return POOL_NONE;
}

static uint32_t area_free(uint32_t area)
{
    uint32_t count = 0;

    for (uint32_t n = area * AREA_FRAMES; n < (area + 1) * AREA_FRAMES && n < model_end; n++)
        count += model[n];
    return count;
}

static uint32_t band(uint32_t count) { return count == AREA_FRAMES ? 4 : (count - 1) / 128; }

/* High areas before low ones, fullest band first, then by address. */
static uint32_t fullest_free(uint32_t low_areas)
{
    for (uint32_t zone = 2; zone-- > 0;)
        for (uint32_t want = 0; want < 5; want++)
            for (uint32_t area = 0; area * AREA_FRAMES < model_end; area++)
                if ((area >= low_areas) == zone && area_free(area) > 0 && band(area_free(area)) == want)
                    return first_free(area * AREA_FRAMES);
    return POOL_NONE;
}

static uint32_t model_run(uint32_t count, uint32_t align, uint32_t below)
{
    if (below > model_end)
        below = model_end;
    for (uint64_t first = 0; first + count <= below; first += align) {
        uint32_t n = 0;

        while (n < count && model[first + n])
            n++;
        if (n == count)
            return (uint32_t)first;
    }
    return POOL_NONE;
}

/* ---- Changing the model and the pool alike ---------------------------------------------- */

static void give(uint32_t frame)
{
    model[frame] = true;
    pool_give(&pool, frame);
}

static void give_run(uint32_t first, uint32_t count)
{
    memset(&model[first], true, count);
    pool_give_run(&pool, first, count);
}

static void took(uint32_t frame)
{
    assert_true(frame < model_end && model[frame]);
    model[frame] = false;
}

/* ---- Tests ------------------------------------------------------------------------------ */

/* Bit n % 8 of byte n / 8 is frame n, in either polarity; what is no RAM reads used. */
static void raw_bytes_are_as_the_document_says(void **state)
{
    (void)state;
    for (int polarity = ONE_IS_USED; polarity <= ONE_IS_FREE; polarity++) {
        struct layout_policy policy = { .polarity = (enum polarity)polarity };
        uint8_t used = polarity == ONE_IS_USED ? 0xFF : 0, *bytes;

        pool_start(&policy, 1000, 1000);
        bytes = bitmap;
        for (size_t n = 0; n < pool_bitmap_bytes(1000); n++)
            assert_int_equal(bytes[n], used);
        pool_give(&pool, 0);
        pool_give(&pool, 13);
        pool_give_run(&pool, 16, 8);
        pool_give(&pool, 999);
        assert_int_equal(bytes[0], used ^ 0x01);
        assert_int_equal(bytes[1], used ^ 0x20);
        assert_int_equal(bytes[2], used ^ 0xFF);
        assert_int_equal(bytes[124], used ^ 0x80);
        assert_int_equal(pool_take(&pool, false), 0);
        assert_int_equal(bytes[0], used);
        pool_keep_run(&pool, 18, 3);
        assert_int_equal(bytes[2], used ^ 0xE3);
    }
}

static void a_fixed_bitmap_is_written_to_its_end(void **state)
{
    struct layout_policy policy = { .polarity = ONE_IS_FREE };
    enum { BYTES = 128 * 1024 };
    uint8_t *bytes;

    (void)state;
    pool_close();
    bytes = bitmap = junk(BYTES);
    summary = junk(pool_summary_bytes(8192));
    pool_open(&pool, &policy, 8192, 8192, bitmap, BYTES, summary);
    for (size_t n = 0; n < BYTES; n++)
        assert_int_equal(bytes[n], 0);
    check_pool();
    bytes[BYTES - 1] = 0x80;
    {
        struct audit_report report = { 0 };

        pool_audit_sets(&pool, &report);
        assert_true(report_names(&report, "F4"));
    }
}

static void first_fit_is_the_lowest_frame(void **state)
{
    (void)state;
    pool_start(&by_address, 5000, 5000);
    give_run(100, 4000);
    for (uint32_t n = 0; n < 3000; n++)
        took(pool_take(&pool, false));
    give(2000), give(150), give(3099);
    assert_int_equal(pool_take(&pool, false), 150);
    assert_int_equal(pool_take(&pool, false), 2000);
    assert_int_equal(pool_take(&pool, false), 3099);
    assert_int_equal(pool_take(&pool, false), 3100);
}

static void next_fit_goes_on_and_wraps(void **state)
{
    struct layout_policy policy = { .search = SEARCH_NEXT };

    (void)state;
    pool_start(&policy, 1100, 1100);
    give_run(10, 1080);
    assert_int_equal(pool_take(&pool, false), 10);
    assert_int_equal(pool_take(&pool, false), 11);
    give(10);                                           /* lower: not before the search wraps */
    for (uint32_t n = 12; n < 1090; n++)
        assert_int_equal(pool_take(&pool, false), n);
    assert_int_equal(pool_take(&pool, false), 10);
    assert_int_equal(pool_take(&pool, false), POOL_NONE);
}

static void fullest_opens_a_whole_area_last(void **state)
{
    struct layout_policy policy = { .search = SEARCH_FULLEST };
    uint32_t taken = 0;

    (void)state;
    pool_start(&policy, 8 * AREA_FRAMES, 8 * AREA_FRAMES);
    give_run(0, 2 * AREA_FRAMES);                       /* whole */
    give_run(3 * AREA_FRAMES, 300);                     /* partly used */
    give_run(5 * AREA_FRAMES, 20);                      /* fuller */
    for (; taken < 20; taken++)
        assert_int_equal(pool_take(&pool, false), 5 * AREA_FRAMES + taken);
    for (; taken < 320; taken++)
        assert_int_equal(pool_take(&pool, false), 3 * AREA_FRAMES + taken - 20);
    assert_int_equal(pool_take(&pool, false), 0);
    assert_int_equal(pool_free_areas(&pool), 1);
}

static void high_memory_first_and_low_for_those_who_need_it(void **state)
{
    struct layout_policy policy = { .search = SEARCH_FULLEST };

    (void)state;
    pool_start(&policy, 4 * AREA_FRAMES, AREA_FRAMES + 100);
    give_run(0, 4 * AREA_FRAMES);
    for (uint32_t n = 0; n < 3 * AREA_FRAMES; n++)
        assert_true(pool_take(&pool, false) >= AREA_FRAMES);    /* all but the area that is low as a whole */
    assert_int_equal(pool_take(&pool, false), 0);
    assert_int_equal(pool_take(&pool, true), 1);
    while (pool_take(&pool, true) != POOL_NONE)
        ;
    assert_int_equal(pool.free, 0);
    pool_give(&pool, AREA_FRAMES + 99);                 /* the last low frame, in the area that is cut */
    pool_give(&pool, AREA_FRAMES + 100);
    assert_int_equal(pool_take(&pool, true), AREA_FRAMES + 99);
    assert_int_equal(pool_take(&pool, true), POOL_NONE);
    assert_int_equal(pool_take(&pool, false), AREA_FRAMES + 100);
}

static void claims_are_of_one_word_and_no_more_than_asked(void **state)
{
    struct layout_policy policy = { .search = SEARCH_FULLEST };
    uint32_t base;
    word_t claim;

    (void)state;
    pool_start(&policy, 2 * AREA_FRAMES, 2 * AREA_FRAMES);
    pool_give_run(&pool, WORD_BITS - 3, 10);
    claim = pool_claim(&pool, 64, &base);
    assert_int_equal(base, 0);
    assert_int_equal(word_ones(claim), 3);
    claim = pool_claim(&pool, 4, &base);
    assert_int_equal(base, WORD_BITS);
    assert_int_equal(claim, 15);
    pool_unclaim(&pool, base, claim & 6);
    assert_int_equal(pool.free, 5);
    check_pool();
    assert_int_equal(pool_claim(&pool, 0, &base), 0);
    assert_int_equal(pool_claim(&pool, 64, &base), 0x76);
    assert_int_equal(pool_claim(&pool, 64, &base), 0);
    assert_int_equal(pool_take(&pool, false), POOL_NONE);
}

/* Everything at random, in every policy, compared with the array after each step. */
static void any_history_equals_the_model(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 60; round++) {
        struct layout_policy policy = { .polarity = round & 1 ? ONE_IS_FREE : ONE_IS_USED,
                                        .search = (enum search)(round / 2 % 3) };
        uint32_t end = 1 + test_random(round < 30 ? 1500 : 20 * AREA_FRAMES), last = 0;
        uint32_t low_end = test_random(end + 200);

        pool_start(&policy, end, low_end);
        for (uint32_t step = 0; step < 300; step++) {
            uint32_t first = test_random(end), count = 1 + test_random(test_random(2) ? 30 : 700);
            uint32_t expected, got, base;
            word_t claim;

            switch (test_random(7)) {
            case 0:
            case 1:
                for (uint32_t n = first; n < end && n < first + count; n++)
                    if (!model[n])
                        give(n);
                break;
            case 2:
                while (count > 1 && (first + count > end || memchr(&model[first], true, count) != NULL))
                    count /= 2;
                if (!model[first])
                    give_run(first, count);
                break;
            case 3:
                got = pool_find_run(&pool, count, 1, UINT32_MAX, false);
                if (got != POOL_NONE) {
                    pool_keep_run(&pool, got, count);
                    for (uint32_t n = got; n < got + count; n++)
                        took(n);
                }
                break;
            case 4:
                expected = first_free(0);
                got = pool_take(&pool, true);
                if (policy.search != SEARCH_FULLEST)
                    assert_int_equal(got, expected < low_end ? expected : POOL_NONE);
                else
                    assert_true(expected < low_end ? got < low_end : got == POOL_NONE);
                if (got != POOL_NONE)
                    took(last = got);
                break;
            case 5:
                for (uint32_t n = 0; n < 20; n++) {
                    expected = policy.search == SEARCH_FIRST ? first_free(0)
                             : policy.search == SEARCH_NEXT ? first_free(last)
                             : fullest_free(low_end >= end ? UINT32_MAX : low_end / AREA_FRAMES);
                    if (expected == POOL_NONE)
                        expected = first_free(0);
                    assert_int_equal(pool_peek(&pool, false), expected);
                    got = pool_take(&pool, false);
                    assert_int_equal(got, expected);
                    if (got == POOL_NONE)
                        break;
                    took(last = got);
                }
                break;
            case 6:
                claim = pool_claim(&pool, count, &base);
                assert_true(word_ones(claim) <= count);
                assert_int_equal(claim == 0, first_free(0) == POOL_NONE);
                for (; claim != 0; claim &= claim - 1)
                    took(last = base + (uint32_t)__builtin_ctzl(claim));
                break;
            }
            if (step % 10 == 0)
                check_model();
        }
        check_model();
    }
}

/* Exact: a run is found if and only if there is one, and it is the lowest. */
static void runs_are_exact(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 400; round++) {
        uint32_t end = 1 + test_random(3 * AREA_FRAMES), longest = 0;

        pool_start(&by_address, end, end);
        for (uint32_t at = 0; at < end;) {                      /* free and used stretches in turn */
            uint32_t used = test_random(round % 3 ? 4 : 200), count = test_random(round % 2 ? 12 : 900);

            at += used;
            if (at >= end)
                break;
            count = count < end - at ? count : end - at;
            if (count > 0)
                give_run(at, count);
            at += count + 1;
        }
        for (uint32_t n = 0, run = 0; n < end; n++) {
            run = model[n] ? run + 1 : 0;
            longest = run > longest ? run : longest;
        }
        assert_int_equal(pool_largest_run(&pool), longest);
        for (uint32_t query = 0; query < 60; query++) {
            uint32_t count = 1 + test_random(query % 2 ? 16 : 1100), align = 1u << test_random(11);
            uint32_t below = test_random(3) ? end : test_random(end + 1);

            assert_int_equal(pool_find_run(&pool, count, align, below, false),
                             model_run(count, align, below));
        }
        assert_int_equal(pool_find_run(&pool, longest + 1, 1, end, false), POOL_NONE);
    }
}

static void a_run_may_spare_whole_areas(void **state)
{
    (void)state;
    pool_start(&by_address, 4 * AREA_FRAMES, 4 * AREA_FRAMES);
    give_run(0, AREA_FRAMES);
    give_run(2 * AREA_FRAMES + 7, 30);
    assert_int_equal(pool_find_run(&pool, 20, 1, UINT32_MAX, true), 2 * AREA_FRAMES + 7);
    assert_int_equal(pool_find_run(&pool, 20, 1, UINT32_MAX, false), 0);
    assert_int_equal(pool_find_run(&pool, 31, 1, UINT32_MAX, true), POOL_NONE);
    assert_int_equal(pool_find_run(&pool, 31, 1, UINT32_MAX, false), 0);
}

/* 64 GiB: three levels of summary, and areas at both ends of every level. */
static void large_pools_reach_every_area(void **state)
{
    uint32_t end = 1u << 24, areas = end / AREA_FRAMES;
    static const uint32_t some[] = { 0, 1, 63, 64, 4095, 4096, 4097, 20000, 32766, 32767 };

    (void)state;
    for (enum search search = SEARCH_FIRST; search <= SEARCH_FULLEST; search++) {
        struct layout_policy policy = { .search = search };
        size_t bytes = pool_bitmap_bytes(end);

        pool_close();
        bitmap = junk(bytes);
        summary = junk(pool_summary_bytes(end));
        pool_open(&pool, &policy, end, end, bitmap, bytes, summary);
        assert_int_equal(pool.area_count, areas);
        assert_true((pool_summary_bytes(end) + bytes) * 8 * 100 <= 115ull * end);      /* 1.15 bits a frame */
        for (size_t i = COUNT_OF(some); i-- > 0;)
            pool_give(&pool, some[i] * AREA_FRAMES + i);
        for (size_t i = 0; i < COUNT_OF(some); i++)
            assert_int_equal(pool_take(&pool, false), some[i] * AREA_FRAMES + i);
        assert_int_equal(pool_take(&pool, false), POOL_NONE);
        if (search == SEARCH_NEXT) {                    /* frames behind the position wait until the search wraps */
            static const uint32_t order[] = { 4097, 20000, 4096 };

            for (size_t i = 0; i < COUNT_OF(order); i++)
                pool_give(&pool, order[i] * AREA_FRAMES);
            for (size_t i = 0; i < COUNT_OF(order); i++) {
                pool.next = i == 0 ? 4097 * AREA_FRAMES : pool.next;
                assert_int_equal(pool_take(&pool, false), order[i] * AREA_FRAMES);
            }
        }
    }
}

static void giving_what_is_free_stops(void **state)
{
    (void)state;
    pool_start(&by_address, 600, 600);
    pool_give_run(&pool, 10, 5);
    assert_non_null(MACHINE_STOPS(pool_give(&pool, 12)));
    pool_start(&by_address, 600, 600);
    assert_non_null(MACHINE_STOPS(pool_keep_run(&pool, 10, 5)));
}

/* ---- Invariants broken on purpose ------------------------------------------------------- */

static void expect_named(const char *id)
{
    struct audit_report report = { 0 };

    for (uint32_t area = 0; area < pool.area_count; area++)
        pool_audit_area(&pool, area, &report);
    pool_audit_sets(&pool, &report);
    assert_true(report_names(&report, id));
}

static void broken_pools_are_named(void **state)
{
    struct layout_policy policy = { .search = SEARCH_FULLEST };

    (void)state;
    pool_start(&policy, 4 * AREA_FRAMES, 4 * AREA_FRAMES);
    pool_give_run(&pool, 5, AREA_FRAMES);
    check_pool();

    pool.areas[0].free++;
    expect_named("F2");
    pool.areas[0].free--;
    pool.areas[1].words |= 2;
    expect_named("F2");
    pool.areas[1].words &= ~2;
    pool.sets[0][2].bits[0] |= 1;
    expect_named("F2");
    pool.sets[0][2].bits[0] = 0;
    pool.sets[0][0].groups[0] = 0;
    expect_named("F2");
    pool.sets[0][0].groups[0] = 1;
    pool.sets[0][3].top = 0;
    expect_named("F2");
    pool.sets[0][3].top = 1;
    pool.free++;
    expect_named("F2");
    pool.free--;
    pool.bitmap[1] ^= 1;
    expect_named("F2");
    pool.bitmap[1] ^= 1;
    check_pool();
}

static int finish(void **state)
{
    (void)state;
    pool_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_bytes_are_as_the_document_says),
        cmocka_unit_test(a_fixed_bitmap_is_written_to_its_end),
        cmocka_unit_test(first_fit_is_the_lowest_frame),
        cmocka_unit_test(next_fit_goes_on_and_wraps),
        cmocka_unit_test(fullest_opens_a_whole_area_last),
        cmocka_unit_test(high_memory_first_and_low_for_those_who_need_it),
        cmocka_unit_test(claims_are_of_one_word_and_no_more_than_asked),
        cmocka_unit_test(any_history_equals_the_model),
        cmocka_unit_test(runs_are_exact),
        cmocka_unit_test(a_run_may_spare_whole_areas),
        cmocka_unit_test(large_pools_reach_every_area),
        cmocka_unit_test(giving_what_is_free_stops),
        cmocka_unit_test(broken_pools_are_named),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, finish);
}
