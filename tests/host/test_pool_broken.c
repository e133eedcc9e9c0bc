/*
 * test_pool_broken.c - each count, bit and summary of the pool, wrong once: the auditor says which.
 */
#include "no_document.h"
#include "support.h"

#include "memory/frames/pool.h"

enum { AREAS = 9000, HIGH = 8900, END = AREAS * AREA_FRAMES - 100, LOW = 40 * AREA_FRAMES };

static struct pool pool;
static void       *bitmap, *summary;

static void start(enum search search)
{
    struct layout_policy policy = { .search = search };
    size_t               bytes  = pool_bitmap_bytes(END) + 64;

    free(bitmap);
    free(summary);
    bitmap  = junk(bytes);
    summary = junk(pool_summary_bytes(END));
    pool_open(&pool, &policy, END, LOW, bitmap, bytes, summary);
    pool_give_run(&pool, 100, END - 100);
    pool_keep_run(&pool, 5 * AREA_FRAMES, 700);
}

static const char *said(struct audit_report *report)
{
    *report = (struct audit_report){ 0 };
    for (uint32_t area = 0; area < pool.area_count; area++)
        pool_audit_area(&pool, area, report);
    pool_audit_sets(&pool, report);
    return report->failed > 0 ? report->failures[0].text : NULL;
}

static void assert_sound(void)
{
    struct audit_report report;
    const char         *text = said(&report);

    if (text != NULL)
        fail_msg("%s", text);
}

static void assert_says(const char *id, const char *words)
{
    struct audit_report report;
    const char         *text = said(&report);

    assert_non_null(text);
    assert_string_equal(report.failures[0].id, id);
    if (strstr(text, words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, text);
}

/* One field by so much; then as it was. */
#define WRONG(field, change, id, words)                                                                 \
    do {                                                                                                \
        (field) ^= (change);                                                                            \
        assert_says(id, words);                                                                         \
        (field) ^= (change);                                                                            \
        assert_sound();                                                                                 \
    } while (0)

static word_t bit(uint32_t n) { return (word_t)1 << n % WORD_BITS; }

/* The set that holds an area. */
static struct area_set *set_of(uint32_t area)
{
    for (unsigned zone = 0; zone < POOL_ZONES; zone++)
        for (unsigned class = 0; class < POOL_CLASSES; class++)
            if (pool.sets[zone][class].bits[area / WORD_BITS] & bit(area))
                return &pool.sets[zone][class];
    fail_msg("area %u is in no set", area);
    return NULL;
}

static void check_each_part(enum search search)
{
    struct area_set *whole, *broken;

    start(search);
    assert_sound();
    whole  = set_of(HIGH);
    broken = set_of(6);
    assert_ptr_not_equal(whole, broken);
    WRONG(pool.areas[HIGH].free, 512 ^ 511, "F2", "area 8900 says 511 free frames, its bits 512");
    WRONG(pool.areas[6].free, 4, "F2", "free frames, its bits 324");
    WRONG(pool.areas[6].words, 1u << 1, "F2", "area 6: words 0x");
    WRONG(pool.areas[HIGH].words, 1u << (AREA_WORDS - 1), "F2", "area 8900: words 0x");
    WRONG(whole->bits[HIGH / WORD_BITS], bit(HIGH), "F2", "area 8900, 512 frames free, is missing from the set");
    WRONG(broken->bits[0], bit(6), "F2", "area 6, 324 frames free, is missing from the set of zone 0");
    WRONG(broken->bits[0], bit(5), "F2", "area 5, 0 frames free, is wrongly in the set of zone 0");
    WRONG(whole->groups[HIGH / WORD_BITS / WORD_BITS], bit(HIGH / WORD_BITS), "F2", "at word");
    WRONG(whole->groups[0], bit(0), "F2", "is wrong at word 0");
    WRONG(whole->top, bit(0), "F2", "is wrong at group 0");
    WRONG(whole->top, bit(HIGH / WORD_BITS / WORD_BITS), "F2", "is wrong at group");
    WRONG(pool.free, 1, "F2", "the pool says");
    WRONG(((word_t *)bitmap)[AREAS * AREA_WORDS], bit(7), "F4", "frame 0x465007 is past the last frame");
    WRONG(((word_t *)bitmap)[AREAS * AREA_WORDS + 64 / sizeof(word_t) - 1], bit(0), "F4", "is past the last frame");
}

static void each_part_of_the_pool_that_is_wrong_is_named(void **state)
{
    (void)state;
    check_each_part(SEARCH_FULLEST);
}

/* ---- Runs across areas -------------------------------------------------------------------------------------- */

static void a_run_is_found_wherever_it_begins_and_ends(void **state)
{
    (void)state;
    start(SEARCH_FIRST);
    assert_int_equal(pool_find_run(&pool, 1, 1, 0xFFFFFFFF, false), 100);
    assert_int_equal(pool_find_run(&pool, 1, 64, 0xFFFFFFFF, false), 128);
    assert_int_equal(pool_find_run(&pool, 5 * AREA_FRAMES - 100, 1, 0xFFFFFFFF, false), 100);
    assert_int_equal(pool_find_run(&pool, 5 * AREA_FRAMES - 99, 1, 0xFFFFFFFF, false), 5 * AREA_FRAMES + 700);
    assert_int_equal(pool_find_run(&pool, 5 * AREA_FRAMES - 100, 1, 5 * AREA_FRAMES, false), 100);      /* just below */
    assert_int_equal(pool_find_run(&pool, 5 * AREA_FRAMES - 100, 1, 5 * AREA_FRAMES - 1, false), POOL_NONE);
    assert_int_equal(pool_find_run(&pool, 2 * AREA_FRAMES, 1, 3 * AREA_FRAMES + 1, false), 100);
    assert_int_equal(pool_find_run(&pool, AREA_FRAMES, AREA_FRAMES, 2 * AREA_FRAMES, false), AREA_FRAMES);
    assert_int_equal(pool_find_run(&pool, AREA_FRAMES, AREA_FRAMES, 2 * AREA_FRAMES - 1, false), POOL_NONE);
    assert_int_equal(pool_find_run(&pool, 300, 1, 0xFFFFFFFF, true), 100);      /* of areas that are broken into */
    assert_int_equal(pool_find_run(&pool, 413, 1, 0xFFFFFFFF, true), POOL_NONE);
    assert_int_equal(pool_find_run(&pool, 412, 1, 0xFFFFFFFF, true), 100);
    assert_int_equal(pool_largest_run(&pool), END - 5 * AREA_FRAMES - 700);
    assert_int_equal(pool_free_areas(&pool), 4 + AREAS - 7 - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_of_the_pool_that_is_wrong_is_named),
        cmocka_unit_test(a_run_is_found_wherever_it_begins_and_ends),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free(bitmap);
    free(summary);
    return failed;
}
