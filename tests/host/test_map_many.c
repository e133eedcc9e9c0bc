/*
 * test_map_many.c - the number of regions that a program may have, from each call that adds one; and what mmap(),
 * mprotect(), mremap() and brk() say at the ends of their numbers.
 *
 * 65530 regions take long to make and to look at: the count says that they are there.
 */
#include "map_world.h"

#include "memory/heap/heap.h"
#include "memory/spaces/map_pages.h"
#include "memory/spaces/map_region.h"
#include "memory/spaces/object.h"

enum { MAY_MOVE = 1, FIXED = 2, KEEP_OLD = 4, DONT_FORK = 10, REGIONS_KEPT = 3, VIDEO = 0xB8000 };

static vaddr_t out;
static size_t  not_there;

/* From now on the program counts so many regions; until regions_end(). */
static void count_as(size_t regions)
{
    not_there          += regions - program.map.count;
    program.map.count   = regions;
}

static void regions_end(const char *picture)
{
    program.map.count -= not_there;
    not_there          = 0;
    assert_picture(picture);
}

static int move(size_t first, size_t old, size_t new, uint32_t flags, vaddr_t place)
{
    return map_move(&program, column(first), old * PAGE_SIZE, new * PAGE_SIZE, flags, place, &out);
}

/* ---- As many regions as there may be ------------------------------------------------------------------------- */

static void what_would_split_a_region_is_refused(void)
{
    paint("wwwww.rrr");
    count_as(REGIONS_MAXIMUM);
    assert_int_equal(unmap(1, 1), -ENOMEM);
    assert_int_equal(unmap(1, 3), -ENOMEM);
    assert_int_equal(protect(6, 1, R | W), -ENOMEM);
    assert_int_equal(protect(7, 2, R | W), -ENOMEM);
    assert_int_equal(map_lock(&program, column(1), PAGE_SIZE, true), -ENOMEM);
    assert_int_equal(map_advise(&program, column(2), PAGE_SIZE, DONT_FORK), -EAGAIN);
    assert_int_equal(move(1, 2, 1, 0, 0), -ENOMEM);             /* the third page would be a hole in the middle */
    regions_end("wwwww.rrr");
    assert_int_equal(program.charged, 5);
    assert_int_equal(program.locked, 0);
}

static void what_splits_none_is_done_all_the_same(void)
{
    paint("wwwww.rrr");
    count_as(REGIONS_MAXIMUM);
    assert_int_equal(unmap(0, 1), 0);
    assert_int_equal(unmap(4, 1), 0);
    assert_int_equal(protect(6, 3, R | W), 0);
    assert_int_equal(map_lock(&program, column(1), 3 * PAGE_SIZE, true), 0);
    assert_int_equal(map_advise(&program, column(6), 3 * PAGE_SIZE, DONT_FORK), 0);
    assert_int_equal(move(6, 3, 2, 0, 0), 0);
    assert_int_equal(unmap(6, 2), 0);
    regions_end(".www.....");
    assert_int_equal(map_unlock(&program, column(1), 3 * PAGE_SIZE), 0);
}

static void the_last_region_but_one_may_be_split(void)
{
    paint("wwwww");
    count_as(REGIONS_MAXIMUM - 1);
    assert_int_equal(unmap(1, 1), 0);
    assert_int_equal(unmap(3, 1), -ENOMEM);
    regions_end("w.www");
    count_as(REGIONS_MAXIMUM - 1);
    assert_int_equal(protect(3, 1, R), 0);                      /* two more: as on Linux, room for one is asked for */
    assert_int_equal(protect(0, 1, R), 0);
    regions_end("r.wrw");
}

/* mmap() may pass the number by one, as on Linux. */
static void a_mapping_may_be_one_more(void)
{
    struct map_request wanted = request(column(2), 1, R, MAP_IS_FIXED);

    paint("w");
    count_as(REGIONS_MAXIMUM);
    assert_int_equal(map_refusal(&program, &wanted), 0);
    assert_int_equal(map_fixed(2, 1, R), 0);
    assert_int_equal(map_fixed(4, 1, R), -ENOMEM);
    assert_int_equal(map_fixed(0, 1, R), -ENOMEM);
    assert_int_equal(map_refusal(&program, &wanted), -ENOMEM);
    regions_end("w.r..");
}

static void a_move_leaves_some_for_others(void)
{
    paint("ww");
    count_as(REGIONS_MAXIMUM - REGIONS_KEPT);
    assert_int_equal(move(0, 2, 2, MAY_MOVE | FIXED, column(4)), -ENOMEM);
    assert_int_equal(move(0, 2, 2, MAY_MOVE | KEEP_OLD, 0), -ENOMEM);
    assert_int_equal(move(0, 2, 3, MAY_MOVE, 0), 0);            /* where it is */
    assert_int_equal(out, column(0));
    regions_end("www...");
    assert_int_equal(map_fixed(3, 1, R), 0);
    count_as(REGIONS_MAXIMUM - REGIONS_KEPT);
    assert_int_equal(move(0, 3, 4, MAY_MOVE, 0), -ENOMEM);
    count_as(REGIONS_MAXIMUM - REGIONS_KEPT - 1);
    assert_int_equal(move(0, 3, 3, MAY_MOVE | FIXED, column(4)), 0);
    regions_end("...rwww.");
    count_as(REGIONS_MAXIMUM - REGIONS_KEPT - 1);
    assert_int_equal(move(4, 3, 3, MAY_MOVE | KEEP_OLD, column(0)), 0);
    regions_end("wwwrwww.");
    count_as(REGIONS_MAXIMUM - REGIONS_KEPT - 1);
    assert_int_equal(move(0, 3, 4, MAY_MOVE, 0), 0);
    regions_end("...rwww.");
    assert_int_equal(program.charged, 7);
}

static void another_part_of_an_object_is_shown_while_one_more_may_be(void)
{
    struct map_request wanted = request(column(0), 4, R | W, MAP_IS_FIXED | MAP_IS_SHARED);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    count_as(REGIONS_MAXIMUM);
    assert_int_equal(map_show_other(&program, column(1), PAGE_SIZE, 3), -ENOMEM);
    count_as(REGIONS_MAXIMUM - 1);
    assert_int_equal(map_show_other(&program, column(3), PAGE_SIZE, 0), 0);
    regions_end("www|w");
}

/* ---- mmap() --------------------------------------------------------------------------------------------------- */

static void numbers_at_their_ends_are_refused_by_name(void)
{
    struct map_request wanted = request(column(0), 1, R, MAP_IS_FIXED);

    wanted.offset = UINT64_MAX - 1;
    assert_int_equal(map_refusal(&program, &wanted), 0);        /* the last page of the longest file */
    wanted.bytes = PAGE_SIZE + 1;
    assert_int_equal(map_refusal(&program, &wanted), -EOVERFLOW);
    wanted.bytes = SIZE_MAX;
    assert_int_equal(map_refusal(&program, &wanted), -ENOMEM);  /* more than can be, wherever in a file */
    wanted = request(column(0), 1, R, MAP_IS_FIXED | MAP_IS_LOCKED);
    program.limits.locked = 0;
    assert_int_equal(map_refusal(&program, &wanted), -EPERM);
    program.limits.locked = PAGE_SIZE - 1;
    assert_int_equal(map_refusal(&program, &wanted), -EAGAIN);
    program.limits.locked = PAGE_SIZE;
    assert_int_equal(map_refusal(&program, &wanted), 0);
    program.limits.locked = SIZE_MAX;
}

/* What mlockall(MCL_FUTURE) asked for holds for mappings that are to come, and is no less than what they ask for. */
static void a_mapping_to_come_is_locked_as_was_asked(void)
{
    struct map_request wanted = request(column(0), 2, R | W, MAP_IS_FIXED);
    struct map_request locked = request(column(4), 1, R | W, MAP_IS_FIXED | MAP_IS_LOCKED);

    assert_int_equal(map_lock_all(&program, false, true, true), 0);
    program.limits.locked = PAGE_SIZE;
    assert_int_equal(map_refusal(&program, &wanted), -EAGAIN);
    assert_int_equal(map_create(&program, &wanted, &out), -EAGAIN);
    program.limits.locked = 3 * PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(program.locked, 2);
    assert_int_equal(program.resident, 0);
    assert_int_equal(map_create(&program, &locked, &out), 0);   /* on fault, as was asked for all of them */
    assert_int_equal(program.locked, 3);
    map_unlock_all(&program);
    program.limits.locked = SIZE_MAX;
}

static void what_is_populated_is_there_as_far_as_it_may_be(void)
{
    struct map_request wanted = request(column(0), 3, R, MAP_IS_FIXED | MAP_POPULATE_NOW);
    uint32_t           frames = frames_owned(OWNER_USER);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(program.resident, 3);
    assert_int_equal(frames_owned(OWNER_USER), frames);         /* to be read: all of them show the zeros */
    wanted = request(column(4), 3, R | W, MAP_IS_FIXED | MAP_POPULATE_NOW);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(program.resident, 6);
    assert_int_equal(frames_owned(OWNER_USER), frames + 3);
    wanted = request(column(8), 3, 0, MAP_IS_FIXED | MAP_POPULATE_NOW);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(program.resident, 6);
}

/* ---- mprotect() ------------------------------------------------------------------------------------------------ */

static void rights_that_need_memory_are_not_promised_without_it(void)
{
    paint("rrrrr");
    for (uint32_t n = 1; n <= 2; n++) {
        heap_drain();
        heap_fail_at(n);
        assert_int_equal(protect(1, 2, R | W), -ENOMEM);
        heap_fail_at(0);
        assert_int_equal(program.charged, 0);
        assert_int_equal(map_committed, 0);
    }
    assert_picture("rrrrr");
    assert_int_equal(protect(1, 2, R | W), 0);
    assert_int_equal(program.charged, 2);
    assert_int_equal(protect(1, 2, R | W | X), 0);              /* promised already */
    assert_int_equal(program.charged, 2);
    assert_int_equal(protect(0, 5, R), 0);
    assert_int_equal(map_committed, 0);
}

static void a_range_of_no_bytes_begins_at_a_page(void)
{
    assert_int_equal(map_protect(&program, column(0), 0, R), 0);
    assert_int_equal(map_protect(&program, column(0) + 1, 0, R), -EINVAL);
    assert_int_equal(map_protect_growing(&program, column(0) + 1, 0, R), -EINVAL);
    assert_int_equal(map_protect(&program, column(0) + 1, PAGE_SIZE, R), -EINVAL);
    assert_int_equal(map_protect_growing(&program, column(0), PAGE_SIZE, R), -ENOMEM);  /* no region at all */
    paint(".w");
    assert_int_equal(map_protect_growing(&program, column(2), PAGE_SIZE, R), -ENOMEM);  /* none above */
    assert_int_equal(map_protect_growing(&program, column(0), PAGE_SIZE, R), -ENOMEM);  /* one behind the range */
    assert_int_equal(map_protect_growing(&program, column(0), 2 * PAGE_SIZE, R), -EINVAL);
}

/* ---- mremap() --------------------------------------------------------------------------------------------------- */

static void what_is_locked_moves_though_less_may_be_locked_by_now(void)
{
    paint("www...");
    assert_int_equal(map_lock(&program, column(0), 3 * PAGE_SIZE, false), 0);
    program.limits.locked = PAGE_SIZE;
    assert_int_equal(move(0, 3, 3, MAY_MOVE | FIXED, column(4)), 0);
    assert_int_equal(program.locked, 3);
    assert_int_equal(move(4, 3, 4, MAY_MOVE, 0), -EAGAIN);
    assert_int_equal(move(4, 3, 3, MAY_MOVE | KEEP_OLD, column(0)), -EAGAIN);   /* both count until then */
    assert_picture("....www");
    program.limits.locked = SIZE_MAX;
    assert_int_equal(map_unlock(&program, column(4), 3 * PAGE_SIZE), 0);
}

static void a_region_shows_no_page_behind_the_longest_file(void)
{
    struct map_request wanted = request(column(0), 2, R, MAP_IS_FIXED);

    wanted.object = object_create(OWNER_FILE, 1);
    wanted.offset = UINT64_MAX - 4;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    object_release(wanted.object);
    assert_int_equal(move(0, 2, 5, 0, 0), -EINVAL);
    assert_int_equal(move(1, 1, 4, 0, 0), -EINVAL);
    assert_int_equal(move(1, 1, 3, 0, 0), 0);
    assert_picture("rrrr.");
    assert_int_equal(map_show_other(&program, column(0), PAGE_SIZE, 0), -EINVAL);       /* a private one */
}

/* What cannot be written promises no memory, in place and elsewhere, done or not. */
static void what_is_not_promised_moves_and_grows_for_nothing(void)
{
    paint("rr.r");
    map_overcommit = 2;
    map_committed += 16 * MiB / PAGE_SIZE;
    assert_int_equal(move(0, 2, 3, 0, 0), 0);
    assert_int_equal(move(0, 4, 5, 0, 0), 0);
    assert_int_equal(map_fixed(5, 1, X), 0);
    assert_int_equal(move(0, 5, 6, 0, 0), -ENOMEM);
    assert_int_equal(move(0, 5, 6, MAY_MOVE, 0), 0);
    map_committed -= 16 * MiB / PAGE_SIZE;
    map_overcommit = 0;
    assert_int_equal(map_committed, 0);
    assert_int_equal(program.pages, 7);
    assert_picture(".....x");
}

static void a_physical_page_is_shown_once(void)
{
    int status;

    assert_int_equal(try_map_pages(&program, column(0), VIDEO, 2 * PAGE_SIZE, &status), column(0));
    assert_int_equal(move(0, 2, 3, MAY_MOVE, 0), -EFAULT);
    assert_int_equal(move(1, 0, 1, MAY_MOVE, 0), -EFAULT);
    assert_int_equal(move(0, 2, 2, MAY_MOVE | KEEP_OLD, column(4)), -EINVAL);
    assert_int_equal(map_show_other(&program, column(0), PAGE_SIZE, 1), -EINVAL);
    assert_int_equal(map_lock(&program, column(0), 2 * PAGE_SIZE, true), 0);            /* it stays anyhow */
    assert_int_equal(program.locked, 0);
    assert_int_equal(map_lock_all(&program, true, false, true), 0);
    assert_int_equal(program.locked, 0);
    assert_int_equal(move(0, 2, 2, MAY_MOVE | FIXED, column(4)), 0);
    assert_picture("....ww");
    assert_int_equal(move(4, 2, 1, 0, 0), 0);
    assert_picture("....w.");
    assert_int_equal(program.charged, 0);
}

static void a_place_that_would_take_the_page_to_be_shown_is_refused(void)
{
    struct map_request wanted = request(column(2), 2, R | W, MAP_IS_FIXED | MAP_IS_SHARED);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(move(2, 0, 2, MAY_MOVE | FIXED, column(2)), -EFAULT);
    assert_int_equal(move(3, 0, 2, MAY_MOVE | FIXED, column(2)), -EINVAL);
    assert_int_equal(move(2, 0, 2, MAY_MOVE | FIXED, column(0)), 0);
    assert_picture("ww|ww");
    assert_int_equal(move(2, 2, 2, MAY_MOVE | KEEP_OLD, column(6) + 1), -EINVAL);
    assert_int_equal(move(2, 2, 2, MAY_MOVE | KEEP_OLD, (vaddr_t)page_address(layout.user.end - 1)), -EINVAL);
    assert_int_equal(move(2, 2, 2, MAY_MOVE | KEEP_OLD, column(3)), -EINVAL);
    assert_picture("ww|ww");
}

/* ---- brk() ------------------------------------------------------------------------------------------------------- */

static void the_break_has_ends_of_its_own(void)
{
    vaddr_t start = program.limits.break_start;

    assert_int_equal(map_break(&program, start + 5), start + 5);
    assert_int_equal(map_break(&program, start + PAGE_SIZE), start + PAGE_SIZE);        /* in the page that it has */
    assert_int_equal(map_break(&program, start + 1), start + 1);
    assert_int_equal(program.pages, 1);
    assert_int_equal(map_break(&program, start - 1), start + 1);
    program.limits.break_most = start + 3 * PAGE_SIZE;
    assert_int_equal(map_break(&program, start + 3 * PAGE_SIZE + 1), start + 1);
    assert_int_equal(map_break(&program, start + 3 * PAGE_SIZE), start + 3 * PAGE_SIZE);
    program.limits.break_most = 0;
    program.limits.data = 4 * PAGE_SIZE;
    assert_int_equal(map_break(&program, start + 4 * PAGE_SIZE + 1), start + 3 * PAGE_SIZE);
    assert_int_equal(map_break(&program, start + 4 * PAGE_SIZE), start + 4 * PAGE_SIZE);
    program.limits.data = SIZE_MAX;
    assert_int_equal(map_break(&program, page_address(layout.user.end) + 1), start + 4 * PAGE_SIZE);
    assert_int_equal(map_break(&program, UINTPTR_MAX), start + 4 * PAGE_SIZE);
    assert_int_equal(program.pages, 4);
}

static void the_break_stops_below_what_is_mapped(void)
{
    vaddr_t            start  = program.limits.break_start;
    struct map_request wanted = request(start + 3 * PAGE_SIZE, 1, R, MAP_IS_FIXED);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(map_break(&program, start + 3 * PAGE_SIZE + 1), start);
    assert_int_equal(map_break(&program, start + 3 * PAGE_SIZE), start + 3 * PAGE_SIZE);
    assert_true(writes(&program, start + 3 * PAGE_SIZE - 4, 1));
    assert_int_equal(program.charged, 3);
    assert_int_equal(map_break(&program, start + 2 * PAGE_SIZE), start + 2 * PAGE_SIZE);
    assert_int_equal(program.charged, 2);
    assert_int_equal(program.resident, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(what_would_split_a_region_is_refused),
        on_machine(what_splits_none_is_done_all_the_same),
        on_machine(the_last_region_but_one_may_be_split),
        on_machine(a_mapping_may_be_one_more),
        on_machine(a_move_leaves_some_for_others),
        on_machine(another_part_of_an_object_is_shown_while_one_more_may_be),
        on_machine(numbers_at_their_ends_are_refused_by_name),
        on_machine(a_mapping_to_come_is_locked_as_was_asked),
        on_machine(what_is_populated_is_there_as_far_as_it_may_be),
        on_machine(rights_that_need_memory_are_not_promised_without_it),
        on_machine(a_range_of_no_bytes_begins_at_a_page),
        on_machine(what_is_locked_moves_though_less_may_be_locked_by_now),
        on_machine(a_region_shows_no_page_behind_the_longest_file),
        on_machine(what_is_not_promised_moves_and_grows_for_nothing),
        on_machine(a_physical_page_is_shown_once),
        on_machine(a_place_that_would_take_the_page_to_be_shown_is_refused),
        on_machine(the_break_has_ends_of_its_own),
        on_machine(the_break_stops_below_what_is_mapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
