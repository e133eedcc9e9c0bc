/*
 * test_run_frames.c - what a run says of its frames: one after the other, whose, and shown elsewhere as well.
 */
#include "map_world.h"

#include "memory/spaces/map_pages.h"
#include "memory/tables/cursor.h"
#include "memory/tables/run.h"

static frame_t frames[8];

/* Page n of the picture shows the n-th of these frames: 0 is none. */
static void show(const uint8_t *which, size_t pages)
{
    struct cursor c;

    assert_int_equal(map_fixed(0, pages, R | W), 0);
    assert_int_equal(cursor_open(&c, &program, span_of(page_of(BASE), pages), CURSOR_BUILD), 0);
    for (size_t n = 0; n < pages; n++)
        if (which[n] != 0) {
            frame_share(frames[which[n]]);
            cursor_map(&c, page_of(BASE) + n, frames[which[n]], map_rights(R | W), CACHE_BACK);
        }
    cursor_close(&c);
}

static struct page_run lowest_run(size_t pages, unsigned flags)
{
    struct page_run run, lowest = { .kind = ENTRY_EMPTY };
    page_t          end = page_of(BASE) + pages;

    while (page_run_below(&program, page_of(BASE), &end, flags, &run))
        lowest = run;
    return lowest;
}

static void take_frames(void)
{
    assert_int_equal(frame_run_get(OWNER_USER, 8, 8, 0, 0, &frames[0]), 0);
    for (uint32_t n = 1; n < 8; n++)
        frames[n] = (frame_t){ frames[0].no + n };
}

static void give_frames(void)
{
    assert_int_equal(unmap(0, 8), 0);
    for (unsigned n = 0; n < 8; n++)
        frame_put(frames[n]);
}

static void check_row(const uint8_t *which, size_t pages, bool in_a_row)
{
    struct page_run run;

    show(which, pages);
    run = lowest_run(pages, 0);
    assert_int_equal(run.span.first, page_of(BASE));
    assert_int_equal(span_pages(run.span), pages);
    assert_int_equal(run.in_a_row, in_a_row);
    assert_true(frame_is(run.frame, frames[which[0]]));
    assert_int_equal(run.owner, OWNER_USER);
    assert_int_equal(run.shared, pages);                /* the test has a reference, too */
    assert_int_equal(unmap(0, pages), 0);
}

static void frames_follow_each_other_as_pages_do_or_not(void)
{
    take_frames();
    check_row((uint8_t[]){ 1, 2, 3, 4 }, 4, true);
    check_row((uint8_t[]){ 4, 3, 2, 1 }, 4, false);
    check_row((uint8_t[]){ 1, 2, 4, 5 }, 4, false);
    check_row((uint8_t[]){ 1, 2, 3, 7 }, 4, false);
    check_row((uint8_t[]){ 2, 4, 5, 6 }, 4, false);
    check_row((uint8_t[]){ 3, 3 }, 2, false);
    check_row((uint8_t[]){ 5 }, 1, true);
    give_frames();
}

static void a_run_ends_where_the_owner_changes_if_asked(void)
{
    struct page_run run;
    page_t          end = page_of(BASE) + 6;

    take_frames();
    frame_change_owner(frames[3], OWNER_USER, OWNER_SHARED);
    show((uint8_t[]){ 1, 2, 3, 4, 5, 6 }, 6);
    assert_true(page_run_below(&program, page_of(BASE), &end, 0, &run));
    assert_int_equal(span_pages(run.span), 6);
    assert_int_equal(run.owner, OWNER_COUNT);           /* they differ */
    assert_true(run.in_a_row);
    end = page_of(BASE) + 6;
    assert_true(page_run_below(&program, page_of(BASE), &end, RUNS_BY_OWNER, &run));
    assert_int_equal(run.owner, OWNER_USER);
    assert_int_equal(span_pages(run.span), 3);
    assert_true(page_run_below(&program, page_of(BASE), &end, RUNS_BY_OWNER, &run));
    assert_int_equal(run.owner, OWNER_SHARED);
    assert_int_equal(span_pages(run.span), 1);
    assert_true(page_run_below(&program, page_of(BASE), &end, RUNS_BY_OWNER, &run));
    assert_int_equal(run.owner, OWNER_USER);
    assert_int_equal(span_pages(run.span), 2);
    assert_false(page_run_below(&program, page_of(BASE), &end, RUNS_BY_OWNER, &run));
    assert_int_equal(unmap(0, 6), 0);
    frame_change_owner(frames[3], OWNER_SHARED, OWNER_USER);
    give_frames();
}

static void pages_that_nobody_else_shows_are_not_shared(void)
{
    struct page_run run;

    assert_int_equal(map_fixed(0, 3, R | W), 0);
    for (size_t n = 0; n < 3; n++)
        assert_true(writes(&program, column(n), 1));
    run = lowest_run(3, 0);
    assert_int_equal(run.shared, 0);
    assert_int_equal(run.owner, OWNER_USER);
    assert_ptr_equal(run.region, region_find(&program.map, page_of(BASE)));
}

/* ---- Large pages: of the frames behind one entry, all are looked at ---------------------------------------- */

static void a_large_page_may_be_of_several_owners(void)
{
    const page_t    reach = mmu_reach(MMU_LARGE_LEVEL);
    frame_t         first, last;
    struct page_run run;
    page_t          page, end;

    if (layout.purpose[PURPOSE_DIRECT] == NULL || !mmu_features.large) {
        skip_on_machine();
        return;
    }
    assert_int_equal(frame_run_get(OWNER_TEST, (uint32_t)reach, (uint32_t)reach, 0, 0, &first), 0);
    last = (frame_t){ first.no + (uint32_t)reach - 1 };
    page = page_of(layout.kernel_offset) + first.no;
    end  = page + reach;
    assert_true(page_run_below(&kernel_space, page, &end, 0, &run));
    assert_int_equal(run.owner, OWNER_TEST);
    frame_change_owner(last, OWNER_TEST, OWNER_PAGES);
    end = page + reach;
    assert_true(page_run_below(&kernel_space, page, &end, 0, &run));
    assert_int_equal(run.span.first, page);
    assert_int_equal(run.owner, OWNER_COUNT);
    assert_true(run.in_a_row && frame_is(run.frame, first));
    assert_int_equal(run.shared, 0);
    end = page + reach - 1;                             /* a part of it: all but the last, and not the first three */
    assert_true(page_run_below(&kernel_space, page + 3, &end, 0, &run));
    assert_int_equal(run.span.first, page + 3);
    assert_int_equal(run.span.end, page + reach - 1);
    assert_int_equal(run.frame.no, first.no + 3);
    assert_int_equal(run.owner, OWNER_TEST);
    frame_change_owner(last, OWNER_PAGES, OWNER_TEST);
    frame_run_put(first, (uint32_t)reach);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(frames_follow_each_other_as_pages_do_or_not),
        on_machine(a_run_ends_where_the_owner_changes_if_asked),
        on_machine(pages_that_nobody_else_shows_are_not_shared),
        on_machine(a_large_page_may_be_of_several_owners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
