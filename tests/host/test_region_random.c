/*
 * test_region_random.c - thousands of regions at random, against a plain array of pages; and how balanced the tree is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "memory/spaces/region.h"

enum { MANY = 4096, BIG_PAGES = 1 << 15, STEPS = 30000 };

static struct region_tree big_tree;
static struct region      many[MANY];
static char               big_picture[BIG_PAGES + 1];
static uint64_t           seed = 0x9E3779B97F4A7C15u;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

static void paint(struct span span, char colour)
{
    memset(big_picture + span.first, colour, span_pages(span));
}

static void one_random_step(struct region *region)
{
    size_t      first = any(BIG_PAGES), pages = 1 + any(12);
    struct span span = span_of(first, first + pages > BIG_PAGES ? BIG_PAGES - first : pages);

    if (region->height == 0) {
        bool fits = strspn(big_picture + first, ".") >= span_pages(span);

        region->span = span;
        assert_int_equal(region_insert(&big_tree, region), fits ? 0 : -EEXIST);
        if (fits)
            paint(span, 'X');
    } else if (any(3) == 0) {
        struct span old = region->span, new = { old.first + any(3), old.end + any(5) };
        int         expected;

        paint(old, '.');
        new.end = new.end > BIG_PAGES ? BIG_PAGES : new.end;
        expected = strspn(big_picture + old.first, ".") >= new.end - old.first ? 0 : -EEXIST;
        if (span_empty(new))
            expected = -EINVAL;
        assert_int_equal(region_resize(&big_tree, region, new), expected);
        paint(region->span, 'X');
    } else {
        paint(region->span, '.');
        region_remove(&big_tree, region);
    }
}

static void one_random_question(void)
{
    size_t a = any(BIG_PAGES), b = any(BIG_PAGES);
    size_t pages = 1 + any(any(8) ? 24 : 300), align = (size_t)1 << any(7);
    size_t from = a < b ? a : b, to = (a < b ? b : a) + 1, expected = 0;

    for (int top = 0; top < 2; top++) {
        page_t first = 0;
        bool   there = false;

        for (size_t i = 0; i + pages <= to - from && !there; i++) {
            size_t at = top ? to - pages - i : from + i;

            there = at % align == 0 && big_picture[at] == '.' && strspn(big_picture + at, ".") >= pages;
            expected = there ? at : 0;
        }
        assert_int_equal(region_gap(&big_tree, pages, align, (struct span){ from, to }, top, &first), there);
        assert_int_equal(first, expected);
    }
}

static void thousands_at_random_agree_with_the_model(void **state)
{
    size_t most = 0;

    (void)state;
    memset(many, 0, sizeof many);
    memset(big_picture, '.', BIG_PAGES);
    region_tree_start(&big_tree, (struct span){ 0, BIG_PAGES });
    for (int i = 0; i < STEPS; i++) {
        one_random_step(&many[any(MANY)]);
        most = big_tree.count > most ? big_tree.count : most;
        if (i % 16 == 0)
            one_random_question();
        if (i % 64 == 0)
            assert_true(region_tree_ok(&big_tree));
    }
    assert_true(most > 1000);
    assert_true(big_tree.root->height < 18);
    for (int i = 0; i < MANY; i++)
        if (many[i].height > 0)
            region_remove(&big_tree, &many[i]);
    assert_null(big_tree.root);
    assert_int_equal(big_tree.count, 0);
}

/* In order and in reverse, where an unbalanced tree would be a list. */
static void regions_in_order_stay_balanced(void **state)
{
    (void)state;
    for (int reverse = 0; reverse < 2; reverse++) {
        memset(many, 0, sizeof many);
        region_tree_start(&big_tree, (struct span){ 0, BIG_PAGES });
        for (size_t i = 0; i < MANY; i++) {
            many[i].span = span_of((reverse ? MANY - 1 - i : i) * 8, 7);
            assert_int_equal(region_insert(&big_tree, &many[i]), 0);
        }
        assert_true(region_tree_ok(&big_tree));
        assert_true(big_tree.root->height <= 17);       /* 1.44 log2(4096) */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_at_random_agree_with_the_model),
        cmocka_unit_test(regions_in_order_stay_balanced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
