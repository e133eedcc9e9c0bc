/*
 * test_run.c - runs of pages that the tables treat alike, against looking at every page.
 */
#include "map_world.h"

#include "memory/tables/run.h"
#include "memory/tables/table.h"

/* ---- Against every page ------------------------------------------------------------------------- */

static entry_t entry_of(struct space *space, page_t page, unsigned *level)
{
    lock_state state = lock_take(&space->tables_lock);
    entry_t    e     = table_lookup(space, page, level);

    lock_drop(&space->tables_lock, state);
    return e;
}

/* A run agrees with the entry of each of its pages. */
static void assert_true_of_pages(struct space *space, const struct page_run *run, unsigned flags)
{
    size_t shared = 0;

    for (page_t page = run->span.first; page < run->span.end; page++) {
        unsigned level;
        entry_t  e     = entry_of(space, page, &level);
        frame_t  frame = { entry_frame(e).no + (uint32_t)(page % mmu_reach(level)) };

        assert_int_equal(entry_kind(e, level), run->kind);
        assert_int_equal(entry_rights(e).kernel, run->rights.kernel);
        assert_int_equal(entry_rights(e).user, run->rights.user);
        assert_int_equal(entry_present(e) ? entry_cache(e) : CACHE_BACK, run->cache);
        assert_ptr_equal(region_find(&space->map, page), run->region);
        if (run->kind != ENTRY_PRESENT)
            continue;
        if (run->in_a_row)
            assert_int_equal(frame.no, run->frame.no + (page - run->span.first));
        if (flags & RUNS_BY_OWNER)
            assert_int_equal(frame_owner(frame), run->owner);
        shared += level == 1 && frame_references(frame) > 1;
    }
    assert_int_equal(shared, run->shared);
}

static void assert_empty(struct space *space, page_t first, page_t end)
{
    for (page_t page = first; page < end; page++) {
        unsigned level;
        entry_t  e = entry_of(space, page, &level);

        assert_true(entry_kind(e, level) == ENTRY_EMPTY || entry_kind(e, level) == ENTRY_IDENTITY);
        if (level > 1)
            page |= mmu_reach(level) - 1;
    }
}

/* All runs of a span: each true, and nothing between them. Returns how many. */
static unsigned check_runs(struct space *space, struct span span, unsigned flags)
{
    struct page_run run;
    page_t          end = span.end, above = span.end;
    unsigned        count = 0;

    for (; page_run_below(space, span.first, &end, flags, &run); count++) {
        assert_true(span_covers(span, run.span) && run.span.end <= above && !span_empty(run.span));
        assert_true_of_pages(space, &run, flags);
        assert_empty(space, run.span.end, above);
        above = run.span.first;
    }
    assert_empty(space, span.first, above);
    return count;
}

static void kernel_space_is_told_page_by_page(void)
{
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *row = &layout.regions[i];

        if (row->backing == BACKING_ALIAS || row->purpose == PURPOSE_USER)
            continue;
        for (unsigned flags = 0; flags <= RUNS_BY_OWNER; flags++)
            (void)check_runs(&kernel_space, row->span, flags);
    }
}

/* ---- A program's ----------------------------------------------------------------------------------- */

static void fill(size_t first, size_t pages)
{
    for (size_t n = first; n < first + pages; n++)
        assert_true(writes(&program, column(n), (uint32_t)n));
}

static void runs_end_where_pages_differ(void)
{
    struct span all = span_of(page_of(BASE), 10);

    assert_int_equal(map_fixed(0, 3, R | W), 0);
    assert_int_equal(map_fixed(3, 2, R | W), 0);            /* joins the first */
    assert_int_equal(map_fixed(7, 2, R | W), 0);
    fill(0, 5);
    fill(7, 1);
    assert_int_equal(check_runs(&program, all, 0), 2);
    assert_int_equal(protect(1, 1, R), 0);                  /* three regions, three runs of it */
    assert_int_equal(check_runs(&program, all, 0), 4);
    assert_int_equal(unmap(3, 1), 0);
    assert_int_equal(check_runs(&program, all, 0), 5);
    assert_int_equal(unmap(0, 10), 0);
    assert_int_equal(check_runs(&program, all, 0), 0);
}

/* A run does not reach beyond the range asked for, where the tables go on. */
static void runs_stay_inside_the_span(void)
{
    struct page_run run;
    page_t          end = page_of(BASE) + 3;

    assert_int_equal(map_fixed(0, 5, R | W), 0);
    fill(0, 5);
    assert_true(page_run_below(&program, page_of(BASE) + 1, &end, 0, &run));
    assert_int_equal(run.span.first, page_of(BASE) + 1);
    assert_int_equal(run.span.end, page_of(BASE) + 3);
    assert_false(page_run_below(&program, page_of(BASE) + 1, &end, 0, &run));
}

/* In a self-map, kernel space once showed the pages of whatever program was running. */
static void kernel_space_has_nothing_of_a_programs(void)
{
    assert_int_equal(map_fixed(0, 4, R | W), 0);
    fill(0, 4);
    assert_int_equal(check_runs(&program, layout.purpose[PURPOSE_USER]->span, 0), 1);
    assert_int_equal(check_runs(&kernel_space, span_of(page_of(BASE), 1024), 0), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        on_machine(kernel_space_is_told_page_by_page), on_machine(runs_end_where_pages_differ),
        on_machine(runs_stay_inside_the_span), on_machine(kernel_space_has_nothing_of_a_programs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
