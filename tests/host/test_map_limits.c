/*
 * test_map_limits.c - where mappings go when there is little room, and what a space may have: to the page.
 */
#include "map_world.h"

#include "memory/spaces/map_pages.h"
#include "memory/spaces/object.h"

enum { DONT_NEED = 4, FREE = 8, REMOVE = 9,
       COLD = 20, DONT_NEED_LOCKED = 24 };
enum { SYNC_ASYNC = 1, SYNC_INVALIDATE = 2, SYNC_SYNC = 4 };

static vaddr_t out;

static int map_anywhere(vaddr_t hint, size_t pages)
{
    struct map_request wanted = request(hint, pages, R, 0);

    return map_create(&program, &wanted, &out);
}

/* ---- Places ---------------------------------------------------------------------------------------------- */

static void where_there_is_no_room_below_the_top_the_rest_is_taken(void)
{
    vaddr_t first = page_address(layout.user.first), end = page_address(layout.user.end);

    map_overcommit = 1;
    program.limits.map_end = first + 4 * PAGE_SIZE;
    assert_int_equal(map_anywhere(0, 4), 0);
    assert_int_equal(out, first);
    assert_int_equal(map_anywhere(0, 2), 0);                    /* the highest that is free at all */
    assert_int_equal(out, end - 2 * PAGE_SIZE);
    program.limits.map_end = (vaddr_t)(end + PAGE_SIZE);        /* an end that is none: user space's */
    assert_int_equal(map_anywhere(0, 1), 0);
    assert_int_equal(out, end - 3 * PAGE_SIZE);
    program.limits.map_end = first - PAGE_SIZE;
    assert_int_equal(map_anywhere(0, 1), 0);
    assert_int_equal(out, end - 4 * PAGE_SIZE);
    assert_int_equal(map_anywhere(0, span_pages(layout.user) - 7), -ENOMEM);
    assert_int_equal(map_anywhere(0, span_pages(layout.user) - 8), 0);
    assert_int_equal(map_anywhere(0, 1), -ENOMEM);
}

static void a_hint_that_does_not_fit_is_none(void)
{
    vaddr_t first = page_address(layout.user.first), end = page_address(layout.user.end);

    assert_int_equal(map_anywhere(first, 1), 0);
    assert_int_equal(out, first);
    assert_int_equal(map_anywhere(end - PAGE_SIZE, 1), 0);
    assert_int_equal(out, end - PAGE_SIZE);
    assert_int_equal(map_anywhere(end - 2 * PAGE_SIZE, 2), 0);  /* the second page is taken, and the last */
    assert_int_equal(out, 0x30000000 - 2 * PAGE_SIZE);
    assert_int_equal(map_anywhere(first - PAGE_SIZE, 1), 0);
    assert_int_equal(out, 0x30000000 - 3 * PAGE_SIZE);
    assert_int_equal(map_anywhere((vaddr_t)end, 1), 0);
    assert_int_equal(out, 0x30000000 - 4 * PAGE_SIZE);
}

static void what_is_refused_is_known_without_mapping(void)
{
    struct map_request wanted = request(column(1), 2, R, MAP_IS_FIXED | MAP_NO_REPLACE);

    paint(".rr...");
    assert_int_equal(map_refusal(&program, &wanted), -EEXIST);
    wanted.address = column(3);
    assert_int_equal(map_refusal(&program, &wanted), 0);
    assert_picture(".rr...");
    wanted.bytes = 0;
    assert_int_equal(map_refusal(&program, &wanted), -EINVAL);
    wanted.bytes = PAGE_SIZE;
    wanted.offset = UINT64_MAX;
    assert_int_equal(map_refusal(&program, &wanted), -EOVERFLOW);
    wanted.offset = 0;
    wanted.bytes = (span_pages(layout.user) + 1) * PAGE_SIZE;
    assert_int_equal(map_refusal(&program, &wanted), -ENOMEM);
}

/* ---- What a space may have --------------------------------------------------------------------------------- */

static void memory_that_may_be_written_has_a_limit_of_its_own(void)
{
    struct map_request shared = request(column(20), 5, R | W, MAP_IS_FIXED | MAP_IS_SHARED);

    program.limits.data = 4 * PAGE_SIZE;
    assert_int_equal(map_fixed(0, 5, R | W), -ENOMEM);
    assert_int_equal(map_fixed(0, 3, R | W), 0);
    assert_int_equal(map_fixed(8, 2, R | W), -ENOMEM);
    assert_int_equal(map_fixed(8, 1, R | W), 0);
    assert_int_equal(map_fixed(9, 1, R | W), -ENOMEM);
    assert_int_equal(map_fixed(9, 9, R), 0);                    /* no promise, and no data */
    assert_int_equal(map_create(&program, &shared, &out), 0);
    program.limits.data = SIZE_MAX;
}

static void all_memory_has_a_limit_to_the_page(void)
{
    program.limits.whole = 4 * PAGE_SIZE + 5;
    assert_int_equal(map_fixed(0, 5, R), -ENOMEM);
    assert_int_equal(map_fixed(0, 4, R), 0);
    assert_int_equal(map_fixed(0, 1, R), -ENOMEM);              /* what is replaced counts until then */
    assert_int_equal(unmap(3, 1), 0);
    assert_int_equal(map_fixed(0, 1, R), 0);
    program.limits.whole = SIZE_MAX;
}

static void locked_mappings_ask_for_their_limit(void)
{
    struct map_request wanted = request(column(0), 2, R | W, MAP_IS_FIXED | MAP_IS_LOCKED);

    program.limits.locked = 0;
    assert_int_equal(map_create(&program, &wanted, &out), -EPERM);
    assert_int_equal(map_fixed(0, 2, R | W), 0);
    program.limits.locked = PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), -EAGAIN);
    program.limits.locked = 2 * PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(program.locked, 2);
    assert_int_equal(program.resident, 2);                      /* brought in */
    program.limits.locked = SIZE_MAX;
}

static void a_child_for_which_no_promise_is_left_is_empty(void)
{
    struct space child;
    size_t       more = 16 * MiB / PAGE_SIZE;

    paint("rrwwww");
    assert_int_equal(space_create(&child), 0);
    map_overcommit = 2;
    map_committed += more;
    assert_int_equal(map_copy(&child, &program), -ENOMEM);
    map_committed -= more;
    map_overcommit = 0;
    assert_int_equal(child.map.count, 0);
    assert_int_equal(child.charged, 0);
    assert_int_equal(map_committed, 4);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_int_equal(map_committed, 8);
    map_clear(&child);
    space_destroy(&child);
}

/* ---- mlockall() ------------------------------------------------------------------------------------------------ */

static void all_that_is_there_is_locked_and_brought_in(void)
{
    paint("ww.rr.--");
    program.limits.locked = 5 * PAGE_SIZE;
    assert_int_equal(map_lock_all(&program, true, false, false), -ENOMEM);
    assert_int_equal(program.locked, 0);
    assert_int_equal(program.resident, 0);
    program.limits.locked = 6 * PAGE_SIZE;
    assert_int_equal(map_lock_all(&program, true, false, false), 0);
    assert_int_equal(program.locked, 6);
    assert_int_equal(program.resident, 4);                      /* what has no rights is not there */
    assert_int_equal(program.lock_future, 0);
    assert_int_equal(map_fixed(10, 1, R | W), 0);
    assert_int_equal(program.locked, 6);
    map_unlock_all(&program);
    assert_int_equal(program.locked, 0);
    program.limits.locked = 0;
    assert_int_equal(map_lock_all(&program, true, false, false), -EPERM);
    program.limits.locked = SIZE_MAX;
    assert_int_equal(map_lock_all(&program, true, true, true), 0);              /* on fault */
    assert_int_equal(program.locked, 7);
    assert_int_equal(program.resident, 4);
    assert_int_equal(map_fixed(12, 1, R | W), 0);
    assert_int_equal(program.locked, 8);
    assert_int_equal(program.resident, 4);
    map_unlock_all(&program);
}

/* ---- Advice ---------------------------------------------------------------------------------------------------- */

static int advise(size_t first, size_t pages, int advice)
{
    return map_advise(&program, column(first), pages * PAGE_SIZE, advice);
}

static void advice_of_ranges_that_are_none_is_refused(void)
{
    vaddr_t end = page_address(layout.user.end);

    paint("ww");
    assert_int_equal(map_advise(&program, end - PAGE_SIZE, 2 * PAGE_SIZE, DONT_NEED), -ENOMEM);
    assert_int_equal(map_advise(&program, column(0), SIZE_MAX - PAGE_SIZE + 1, DONT_NEED), -EINVAL);  /* comes round */
    assert_int_equal(map_advise(&program, column(0), 0, DONT_NEED), 0);
    assert_int_equal(map_advise(&program, column(0), 1, 12345), -EINVAL);
    assert_int_equal(map_advise(&program, column(0) + 1, PAGE_SIZE, DONT_NEED), -EINVAL);
}

static void shared_memory_is_not_freed_for_good(void)
{
    struct map_request wanted = request(column(4), 2, R | W, MAP_IS_FIXED | MAP_IS_SHARED);

    paint("ww");
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_true(writes(&program, column(4), 7));
    assert_int_equal(advise(4, 1, FREE), -EINVAL);
    assert_int_equal(advise(4, 1, DONT_NEED), 0);
    assert_int_equal(word_at(column(4)), 7);                    /* the object has it */
    assert_true(writes(&program, column(0), 7));
    assert_int_equal(advise(0, 1, FREE), 0);
    assert_int_equal(word_at(column(0)), 0);
    assert_int_equal(advise(0, 1, REMOVE), -EINVAL);            /* no object */
    assert_int_equal(map_lock(&program, column(0), PAGE_SIZE, false), 0);
    assert_true(writes(&program, column(0), 8));
    assert_int_equal(advise(0, 1, DONT_NEED), -EINVAL);
    assert_int_equal(advise(0, 1, COLD), -EINVAL);
    assert_int_equal(word_at(column(0)), 8);
    assert_int_equal(advise(0, 1, DONT_NEED_LOCKED), 0);
    assert_int_equal(word_at(column(0)), 0);
    assert_int_equal(map_unlock(&program, column(0), PAGE_SIZE), 0);
}

static int synchronise(size_t first, size_t pages, int flags)
{
    return map_sync(&program, column(first), pages * PAGE_SIZE, flags);
}

static void synchronising_finds_holes_and_locks(void)
{
    paint("ww.ww");
    assert_int_equal(synchronise(0, 2, SYNC_SYNC), 0);
    assert_int_equal(synchronise(0, 2, SYNC_ASYNC | SYNC_INVALIDATE), 0);
    assert_int_equal(synchronise(0, 2, SYNC_ASYNC | SYNC_SYNC), -EINVAL);
    assert_int_equal(synchronise(0, 2, 8), -EINVAL);
    assert_int_equal(synchronise(0, 0, SYNC_SYNC), 0);
    assert_int_equal(map_sync(&program, column(0) + 1, PAGE_SIZE, 0), -EINVAL);
    assert_int_equal(map_sync(&program, column(0), SIZE_MAX, 0), 0);            /* as under Linux: no bytes */
    assert_int_equal(map_sync(&program, column(0), SIZE_MAX - PAGE_SIZE + 1, 0), -ENOMEM);
    assert_int_equal(synchronise(0, 3, 0), -ENOMEM);
    assert_int_equal(synchronise(0, 4, 0), -ENOMEM);
    assert_int_equal(synchronise(2, 2, 0), -ENOMEM);
    assert_int_equal(synchronise(3, 2, 0), 0);
    assert_int_equal(synchronise(3, 3, 0), -ENOMEM);
    assert_int_equal(map_lock(&program, column(4), PAGE_SIZE, false), 0);
    assert_int_equal(synchronise(3, 2, SYNC_INVALIDATE), -EBUSY);
    assert_int_equal(synchronise(3, 1, SYNC_INVALIDATE), 0);
    assert_int_equal(synchronise(3, 2, SYNC_SYNC), 0);
    assert_int_equal(map_unlock(&program, column(4), PAGE_SIZE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(where_there_is_no_room_below_the_top_the_rest_is_taken),
        on_machine(a_hint_that_does_not_fit_is_none),
        on_machine(what_is_refused_is_known_without_mapping),
        on_machine(memory_that_may_be_written_has_a_limit_of_its_own),
        on_machine(all_memory_has_a_limit_to_the_page),
        on_machine(locked_mappings_ask_for_their_limit),
        on_machine(a_child_for_which_no_promise_is_left_is_empty),
        on_machine(all_that_is_there_is_locked_and_brought_in),
        on_machine(advice_of_ranges_that_are_none_is_refused),
        on_machine(shared_memory_is_not_freed_for_good),
        on_machine(synchronising_finds_holes_and_locks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
