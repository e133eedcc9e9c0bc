/*
 * test_map.c - mmap, munmap and mprotect: pictures, and Linux's errors.
 */
#include "map_world.h"

static vaddr_t out;

/* ---- mmap --------------------------------------------------------------------------------------- */

static void neighbours_that_mean_the_same_are_one_region(void)
{
    paint("ww......");
    assert_int_equal(map_fixed(2, 2, R | W), 0);
    assert_picture("wwww....");
    assert_int_equal(map_fixed(6, 1, R | W), 0);
    assert_picture("wwww..w.");
    assert_int_equal(map_fixed(4, 2, R | W), 0);
    assert_picture("wwwwwww.");
    assert_int_equal(program.map.count, 1);
    assert_int_equal(program.pages, 7);
}

static void neighbours_that_differ_stay_apart(void)
{
    paint("wwrrwwxx--");
    assert_picture("wwrrwwxx--");
    assert_int_equal(program.map.count, 5);
}

static void a_fixed_mapping_replaces_what_was_there(void)
{
    paint("wwwwwwww");
    assert_true(writes(&program, column(3), 7));
    assert_int_equal(map_fixed(2, 3, R), 0);
    assert_picture("wwrrrwww");
    assert_int_equal(word_at(column(3)), 0);
}

static void no_replace_refuses_what_is_taken(void)
{
    struct map_request wanted = request(column(1), 3, R, MAP_IS_FIXED | MAP_NO_REPLACE);

    paint("...w....");
    assert_int_equal(map_create(&program, &wanted, &out), -EEXIST);
    wanted.bytes = 2 * PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_picture(".rrw....");
}

static void a_hint_is_taken_if_it_is_free(void)
{
    struct map_request wanted = request(column(2) + 5, 2, R, 0);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(out, column(2));
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(out, 0x30000000 - 2 * PAGE_SIZE);      /* taken: highest below map_end */
    assert_picture("..rr....");
}

static void places_go_down_from_the_top(void)
{
    struct map_request wanted = request(0, 3, R | W, 0);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(out, 0x30000000 - 3 * PAGE_SIZE);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(out, 0x30000000 - 6 * PAGE_SIZE);
    assert_int_equal(program.map.count, 1);
}

static void mmap_refuses_what_linux_refuses(void)
{
    struct map_request wanted = request(column(0), 1, R, MAP_IS_FIXED);
    vaddr_t            first  = page_address(layout.purpose[PURPOSE_USER]->span.first);
    vaddr_t            end    = page_address(layout.purpose[PURPOSE_USER]->span.end);

    wanted.bytes = 0;
    assert_int_equal(map_create(&program, &wanted, &out), -EINVAL);
    wanted = request(column(0) + 1, 1, R, MAP_IS_FIXED);
    assert_int_equal(map_create(&program, &wanted, &out), -EINVAL);
    wanted = request(first - PAGE_SIZE, 1, R, MAP_IS_FIXED);
    assert_int_equal(map_create(&program, &wanted, &out), -EPERM);
    wanted = request(first, 1, R, MAP_IS_FIXED);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    wanted = request(end - PAGE_SIZE, 2, R, MAP_IS_FIXED);
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    wanted = request(end - PAGE_SIZE, 1, R, MAP_IS_FIXED);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    wanted = request(0, (end >> PAGE_SHIFT) + 1, R, 0);
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    wanted = request(0, 2, R, 0);
    wanted.offset = UINT64_MAX;
    assert_int_equal(map_create(&program, &wanted, &out), -EOVERFLOW);
    assert_int_equal(program.map.count, 2);
}

static void limits_are_kept(void)
{
    struct map_request wanted = request(0, 4, R | W, 0);

    program.limits.whole = 6 * PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    program.limits.whole = SIZE_MAX;
    program.limits.data  = 6 * PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    wanted.rights = R;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(map_committed, 4);
}

static void promises_are_counted(void)
{
    size_t             all    = frames_end();
    struct map_request wanted = request(0, all + 1, R | W, 0);

    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);         /* mode 0: more than can ever be */
    wanted.flags = MAP_NO_RESERVE;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(map_committed, 0);
    map_overcommit = 1;
    wanted.flags = 0;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(map_committed, all + 1);
    map_overcommit = 2;
    wanted.bytes = PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    map_overcommit = 0;
}

static void populate_makes_the_pages_present(void)
{
    struct map_request wanted = request(column(0), 5, R | W, MAP_IS_FIXED | MAP_POPULATE_NOW);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(program.resident, 5);
    assert_int_equal(frames_owned(OWNER_USER), 5);
}

/* ---- munmap --------------------------------------------------------------------------------------- */

static void unmap_middle_leaves_two_regions(void)
{
    paint("wwwwwwww..");
    for (size_t n = 0; n < 8; n++)
        assert_true(writes(&program, column(n), 100 + n));
    assert_int_equal(unmap(2, 3), 0);
    assert_picture("ww...www..");
    assert_int_equal(word_at(column(1)), 101);
    assert_int_equal(word_at(column(5)), 105);
    assert_false(writes(&program, column(3), 1));
    assert_int_equal(verdict.code, 1);
    assert_int_equal(frames_owned(OWNER_USER), 5);
}

static void unmap_across_regions_needs_no_memory(void)
{
    paint("wwrrrrxx..");
    heap_fail_at(1);
    assert_int_equal(unmap(1, 6), 0);
    heap_fail_at(0);
    assert_picture("w......x..");
}

static size_t live_blocks(void)
{
    struct heap_sums sums;

    heap_drain();
    heap_sums(&sums);
    return sums.live_blocks;
}

/* Pages that may be written are charged; the two regions that would be new are given back. */
static void rights_that_would_be_charged_too_much_change_nothing(void)
{
    enum { LARGE = 16 * MiB / PAGE_SIZE };          /* as much as there is */
    size_t blocks;

    assert_int_equal(map_fixed(0, LARGE, R), 0);
    map_overcommit = 2;
    blocks = live_blocks();
    assert_int_equal(map_protect(&program, column(1), (LARGE - 2) * PAGE_SIZE, R | W), -ENOMEM);
    assert_int_equal(live_blocks(), blocks);
    assert_int_equal(program.map.count, 1);
    assert_int_equal(program.charged, 0);
    assert_int_equal(map_protect(&program, column(1), PAGE_SIZE, R | W), 0);
    assert_picture("rwrrrr");
    assert_int_equal(live_blocks(), blocks + 2);
    map_overcommit = 0;
}

/* What a mapping inside another would need to split it was set aside, and is given back with its own region. */
static void a_mapping_inside_another_that_is_charged_too_much_changes_nothing(void)
{
    enum { LARGE = 16 * MiB / PAGE_SIZE };
    struct map_request wanted = request(column(1), LARGE - 2, R | W, MAP_IS_FIXED);
    size_t             blocks;

    assert_int_equal(map_fixed(LARGE, 1, R), 0);
    assert_int_equal(unmap(LARGE, 1), 0);
    assert_non_null(program.spare);                 /* the node that went is kept for the one that comes */
    assert_int_equal(map_fixed(0, LARGE, R), 0);
    assert_null(program.spare);
    map_overcommit = 2;
    blocks = live_blocks();
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    assert_non_null(program.spare);
    assert_int_equal(live_blocks(), blocks + 1);
    assert_int_equal(program.map.count, 1);
    assert_int_equal(program.charged, 0);
    map_overcommit = 0;
}

static void unmap_of_nothing_is_no_error(void)
{
    paint("ww....ww");
    assert_int_equal(unmap(2, 4), 0);
    assert_int_equal(map_remove(&program, column(0) + 1, PAGE_SIZE), -EINVAL);
    assert_int_equal(map_remove(&program, column(0), 0), -EINVAL);
    assert_int_equal(map_remove(&program, page_address(layout.user.end), PAGE_SIZE), -EINVAL);
    assert_int_equal(map_remove(&program, column(0), SIZE_MAX - PAGE_SIZE), -EINVAL);
    assert_int_equal(map_remove(&program, column(0), SIZE_MAX), -EINVAL);
    assert_picture("ww....ww");
}

/* ---- mprotect -------------------------------------------------------------------------------------- */

static void protect_splits_and_joins(void)
{
    paint("wwwwwwww");
    assert_int_equal(protect(2, 3, R), 0);
    assert_picture("wwrrrwww");
    assert_int_equal(protect(4, 2, R), 0);
    assert_picture("wwrrrrww");
    assert_int_equal(protect(2, 4, R | W), 0);
    assert_picture("wwwwwwww");
    assert_int_equal(program.map.count, 1);
    assert_int_equal(program.charged, 8);
}

static void rights_taken_are_gone_and_come_back(void)
{
    paint("www");
    assert_true(writes(&program, column(1), 42));
    assert_int_equal(protect(1, 1, R), 0);
    assert_int_equal(word_at(column(1)), 42);
    assert_false(writes(&program, column(1), 43));
    assert_int_equal(verdict.code, 2);
    assert_int_equal(protect(1, 1, 0), 0);
    assert_false(reads(&program, column(1), &(uint32_t){ 0 }));
    assert_int_equal(verdict.code, 2);
    assert_int_equal(protect(1, 1, R | W), 0);
    assert_int_equal(word_at(column(1)), 42);
    assert_true(writes(&program, column(1), 43));
    assert_int_equal(frames_owned(OWNER_USER), 1);
    assert_picture("www");
}

/* The right to write comes back with the call, and not by a fault, where no other entry can show the frame. */
static void what_is_a_programs_alone_can_be_written_at_once(void)
{
    uint64_t reused = fault_counts[FAULT_REUSE];

    paint("wwww");
    assert_true(writes(&program, column(0), 1));
    assert_true(writes(&program, column(1), 2));
    assert_int_equal(word_at(column(2)), 0);                    /* the frame of zeros */
    assert_int_equal(protect(0, 4, R), 0);
    assert_false(is_writable(column(0)));
    assert_false(writes(&program, column(0), 3));
    assert_int_equal(protect(0, 4, R | W), 0);
    assert_true(is_writable(column(0)) && is_writable(column(1)));
    assert_false(is_writable(column(2)) || is_writable(column(3)));
    assert_int_equal(protect(1, 1, 0), 0);
    assert_int_equal(protect(0, 4, R | W), 0);
    assert_true(is_writable(column(1)));
    assert_true(writes(&program, column(0), 3) && writes(&program, column(1), 4) && writes(&program, column(2), 5));
    assert_int_equal(fault_counts[FAULT_REUSE], reused);
    assert_clean();
}

static void protect_stops_at_a_hole(void)
{
    paint("www..www");
    assert_int_equal(protect(1, 6, R), -ENOMEM);
    assert_picture("wrr..www");
    assert_int_equal(map_protect(&program, column(0) + 1, PAGE_SIZE, R), -EINVAL);
    assert_int_equal(map_protect(&program, column(3), 0, R), 0);
    assert_int_equal(map_protect(&program, column(0), SIZE_MAX - PAGE_SIZE, R), -ENOMEM);
    assert_picture("wrr..www");
}

static void protect_gives_no_more_than_may_be(void)
{
    struct map_request wanted = request(column(4), 4, R, MAP_IS_FIXED);

    paint("wwww....");
    wanted.may = R;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(protect(2, 4, R | X), -EACCES);
    assert_picture("wwxxrrrr");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(neighbours_that_mean_the_same_are_one_region),
        on_machine(neighbours_that_differ_stay_apart),
        on_machine(a_fixed_mapping_replaces_what_was_there),
        on_machine(no_replace_refuses_what_is_taken),
        on_machine(a_hint_is_taken_if_it_is_free),
        on_machine(places_go_down_from_the_top),
        on_machine(mmap_refuses_what_linux_refuses),
        on_machine(limits_are_kept),
        on_machine(promises_are_counted),
        on_machine(populate_makes_the_pages_present),
        on_machine(unmap_middle_leaves_two_regions),
        on_machine(unmap_across_regions_needs_no_memory),
        on_machine(rights_that_would_be_charged_too_much_change_nothing),
        on_machine(a_mapping_inside_another_that_is_charged_too_much_changes_nothing),
        on_machine(unmap_of_nothing_is_no_error),
        on_machine(protect_splits_and_joins),
        on_machine(rights_taken_are_gone_and_come_back),
        on_machine(what_is_a_programs_alone_can_be_written_at_once),
        on_machine(protect_stops_at_a_hole),
        on_machine(protect_gives_no_more_than_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
