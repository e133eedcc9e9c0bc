/*
 * test_map_move.c - mremap() to the page: what it refuses, in which order, and what is counted when it does not.
 */
#include "map_world.h"

#include "memory/spaces/object.h"

enum { MAY_MOVE = 1, FIXED = 2, KEEP_OLD = 4 };

static vaddr_t out;

static int move(size_t first, size_t old, size_t new, uint32_t flags, vaddr_t place)
{
    return map_move(&program, column(first), old * PAGE_SIZE, new * PAGE_SIZE, flags, place, &out);
}

static int move_to(size_t first, size_t old, size_t new, size_t to)
{
    return move(first, old, new, MAY_MOVE | FIXED, column(to));
}

static void fill(size_t first, size_t pages)
{
    for (size_t n = 0; n < pages; n++)
        assert_true(writes(&program, column(first + n), (uint32_t)(first + n + 1)));
}

static void the_first_and_the_last_page_of_user_space_are_places(void)
{
    vaddr_t first = page_address(layout.user.first), end = page_address(layout.user.end);

    paint("ww");
    fill(0, 2);
    assert_int_equal(move(0, 2, 2, MAY_MOVE | FIXED, first), 0);
    assert_int_equal(out, first);
    assert_int_equal(word_at(first + PAGE_SIZE), 2);
    assert_int_equal(map_move(&program, first, 2 * PAGE_SIZE, 2 * PAGE_SIZE, MAY_MOVE | FIXED, end - 2 * PAGE_SIZE,
                              &out), 0);
    assert_int_equal(out, end - 2 * PAGE_SIZE);
    assert_int_equal(word_at(end - PAGE_SIZE), 2);
    assert_int_equal(program.pages, 2);
    assert_int_equal(map_move(&program, end - 2 * PAGE_SIZE, 2 * PAGE_SIZE, 2 * PAGE_SIZE, MAY_MOVE | FIXED,
                              first - PAGE_SIZE, &out), -EPERM);
    assert_int_equal(map_move(&program, end - 2 * PAGE_SIZE, 2 * PAGE_SIZE, 3 * PAGE_SIZE, 0, 0, &out), -ENOMEM);
    assert_int_equal(map_move(&program, end, PAGE_SIZE, PAGE_SIZE, MAY_MOVE, 0, &out), -EFAULT);
    assert_int_equal(map_move(&program, end - PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE, MAY_MOVE, 0, &out), -EINVAL);
    assert_int_equal(map_move(&program, end - 2 * PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE, MAY_MOVE | FIXED, end, &out),
                     -EINVAL);
    assert_int_equal(map_move(&program, end - 2 * PAGE_SIZE, 2 * PAGE_SIZE,
                              (span_pages(layout.user) + 1) * PAGE_SIZE, MAY_MOVE, 0, &out), -ENOMEM);
    assert_int_equal(map_move(&program, end - 2 * PAGE_SIZE, 2 * PAGE_SIZE,
                              (span_pages(layout.user) + 1) * PAGE_SIZE, MAY_MOVE | FIXED, first, &out), -EINVAL);
}

static void a_region_grows_in_place_up_to_its_neighbour(void)
{
    paint("ww...r");
    fill(0, 2);
    assert_int_equal(move(0, 2, 5, 0, 0), 0);
    assert_picture("wwwwwr");
    assert_int_equal(program.pages, 6);
    assert_int_equal(program.charged, 5);
    assert_int_equal(move(0, 5, 6, 0, 0), -ENOMEM);
    assert_picture("wwwwwr");
    assert_int_equal(map_committed, 5);
    assert_int_equal(move(0, 5, 6, MAY_MOVE, 0), 0);
    assert_int_equal(program.pages, 7);
    assert_int_equal(program.charged, 6);
    assert_int_equal(map_committed, 6);
    assert_int_equal(word_at(out + PAGE_SIZE), 2);
    assert_int_equal(word_at(out + 5 * PAGE_SIZE), 0);
    assert_picture(".....r");
}

static void only_the_end_of_a_region_grows_in_place(void)
{
    paint("wwww....");
    assert_int_equal(move(0, 2, 3, 0, 0), -ENOMEM);             /* its third page is there */
    assert_int_equal(move(1, 2, 3, 0, 0), -ENOMEM);
    assert_int_equal(move(3, 1, 2, 0, 0), 0);
    assert_picture("wwwww...");
    assert_int_equal(move(2, 3, 5, 0, 0), 0);
    assert_picture("wwwwwww.");
}

static void a_region_that_grows_joins_its_neighbour(void)
{
    paint("ww.ww");
    assert_int_equal(move(0, 2, 3, 0, 0), 0);
    assert_picture("wwwww");
    assert_int_equal(program.map.count, 1);
}

static void what_it_grows_by_is_promised_and_limited(void)
{
    paint("ww........");
    program.limits.whole = 4 * PAGE_SIZE;
    assert_int_equal(move(0, 2, 5, MAY_MOVE, 0), -ENOMEM);
    assert_int_equal(move(0, 2, 4, MAY_MOVE, 0), 0);
    assert_int_equal(move(0, 4, 4, MAY_MOVE | FIXED, column(20)), 0);           /* none more */
    assert_int_equal(move(20, 4, 4, MAY_MOVE | FIXED, column(0)), 0);
    program.limits.whole = SIZE_MAX;
    map_overcommit = 2;
    map_committed += 16 * MiB / PAGE_SIZE;
    assert_int_equal(move(0, 4, 5, 0, 0), -ENOMEM);
    assert_int_equal(move(0, 4, 5, MAY_MOVE, 0), -ENOMEM);
    map_committed -= 16 * MiB / PAGE_SIZE;
    map_overcommit = 0;
    assert_picture("wwww......");
    assert_int_equal(map_committed, 4);
    program.limits.locked = 5 * PAGE_SIZE;
    assert_int_equal(map_lock(&program, column(0), 4 * PAGE_SIZE, false), 0);
    assert_int_equal(move(0, 4, 6, MAY_MOVE, 0), -EAGAIN);
    assert_int_equal(move(0, 4, 5, MAY_MOVE, 0), 0);
    assert_int_equal(program.locked, 5);
    assert_int_equal(program.resident, 5);                      /* the new page is brought in */
    assert_int_equal(move(0, 5, 3, 0, 0), 0);
    assert_int_equal(program.locked, 3);
    assert_int_equal(program.resident, 3);
    assert_int_equal(map_unlock(&program, column(0), 3 * PAGE_SIZE), 0);
    program.limits.locked = SIZE_MAX;
}

static void what_is_cut_off_is_given_back(void)
{
    paint("wwwwwrrr");
    fill(0, 5);
    assert_int_equal(move(1, 3, 1, 0, 0), 0);                   /* in the middle */
    assert_picture("ww..wrrr");
    assert_int_equal(program.resident, 3);
    assert_int_equal(program.charged, 3);
    assert_int_equal(word_at(column(1)), 2);
    assert_int_equal(word_at(column(4)), 5);
    assert_int_equal(move(4, 4, 1, 0, 0), 0);                   /* of several regions */
    assert_picture("ww..w...");
    assert_int_equal(move(0, 2, 2, 0, 0), 0);                   /* nothing */
    assert_int_equal(out, column(0));
    assert_picture("ww..w...");
}

static void a_fixed_place_is_emptied_first(void)
{
    paint("ww..rrrr..");
    fill(0, 2);
    assert_int_equal(move_to(0, 2, 2, 5), 0);
    assert_picture("....rwwr..");
    assert_int_equal(word_at(column(6)), 2);
    assert_int_equal(move_to(5, 2, 1, 0), 0);                   /* shorter: the rest is gone */
    assert_picture("w...r..r..");
    assert_int_equal(program.pages, 3);
    assert_int_equal(move_to(0, 1, 3, 4), 0);                   /* longer */
    assert_picture("....wwwr..");
    assert_int_equal(word_at(column(4)), 1);
    assert_int_equal(word_at(column(6)), 0);
    assert_int_equal(program.charged, 3);
}

static void places_that_overlap_are_refused(void)
{
    paint("....wwww....");
    fill(4, 4);
    assert_int_equal(move_to(4, 4, 4, 3), -EINVAL);
    assert_int_equal(move_to(4, 4, 4, 7), -EINVAL);
    assert_int_equal(move_to(4, 4, 4, 4), -EINVAL);
    assert_int_equal(move_to(4, 2, 4, 1), -EINVAL);             /* its end meets the old pages */
    assert_int_equal(move(4, 4, 4, MAY_MOVE | FIXED, column(10) + 1), -EINVAL);
    assert_int_equal(move(4, 4, 4, FIXED, column(10)), -EINVAL);
    assert_int_equal(move(4, 4, 4, 8, 0), -EINVAL);
    assert_int_equal(move(4, 4, 0, MAY_MOVE, 0), -EINVAL);
    assert_int_equal(move(4, 5, 5, MAY_MOVE | FIXED, column(20)), -EFAULT);     /* reaches past the region */
    assert_int_equal(move(2, 1, 1, MAY_MOVE, 0), -EFAULT);      /* nothing is there */
    assert_picture("....wwww....");
    assert_int_equal(move_to(4, 4, 4, 8), 0);                   /* neighbours are no overlap */
    assert_picture("........wwww");
    assert_int_equal(move_to(8, 4, 4, 4), 0);
    assert_int_equal(word_at(column(7)), 8);
    assert_picture("....wwww....");
}

static void a_part_of_a_region_moves_away(void)
{
    paint("wwwww.....");
    fill(0, 5);
    assert_int_equal(move_to(1, 3, 3, 6), 0);
    assert_picture("w...w.www.");
    assert_int_equal(word_at(column(0)), 1);
    assert_int_equal(word_at(column(6)), 2);
    assert_int_equal(word_at(column(8)), 4);
    assert_int_equal(program.pages, 5);
    assert_int_equal(map_committed, 5);
}

/* ---- The old place is kept ------------------------------------------------------------------------------ */

static void what_stays_behind_is_empty(void)
{
    paint("wwww");
    fill(0, 4);
    assert_int_equal(map_lock(&program, column(0), 4 * PAGE_SIZE, true), 0);
    assert_int_equal(move(0, 4, 4, MAY_MOVE | KEEP_OLD, column(10)), 0);
    assert_int_equal(out, column(10));
    assert_int_equal(program.pages, 8);
    assert_int_equal(program.locked, 4);                        /* the new one is locked, and the old no more */
    assert_int_equal(program.charged, 8);
    assert_int_equal(word_at(column(0)), 0);
    assert_int_equal(word_at(column(13)), 4);
    assert_int_equal(move(10, 4, 3, MAY_MOVE | KEEP_OLD, 0), -EINVAL);
    assert_int_equal(move(10, 4, 4, KEEP_OLD, 0), -EINVAL);
    assert_int_equal(move(10, 4, 4, MAY_MOVE | KEEP_OLD, column(11)), -EINVAL); /* a hint that meets the old pages */
    assert_int_equal(move(10, 4, 4, MAY_MOVE | KEEP_OLD, column(20) + 1), -EINVAL);
    assert_int_equal(map_unlock(&program, column(10), 4 * PAGE_SIZE), 0);
}

/* An old size of 0 shows shared pages once more; private ones are refused. */
static void shared_pages_are_shown_once_more(void)
{
    struct map_request wanted = request(column(4), 4, R | W, MAP_IS_FIXED | MAP_IS_SHARED);

    paint("ww");
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    fill(4, 4);
    assert_int_equal(move(0, 0, 2, MAY_MOVE, 0), -EINVAL);
    assert_int_equal(move(5, 0, 2, MAY_MOVE, 0), 0);
    assert_int_equal(word_at(out), 6);
    assert_int_equal(word_at(out + PAGE_SIZE), 7);
    assert_int_equal(program.pages, 2 + 4 + 2);
    assert_int_equal(move(5, 0, 2, MAY_MOVE | FIXED, column(5)), -EFAULT);
    assert_int_equal(move(5, 0, 2, MAY_MOVE | FIXED, column(4)), -EINVAL);
    assert_int_equal(move(5, 0, 2, MAY_MOVE | FIXED, column(6)), 0);            /* over its own neighbours */
    assert_int_equal(word_at(column(6)), 6);
    assert_int_equal(word_at(column(7)), 7);
    assert_int_equal(word_at(column(5)), 6);
}

/* ---- Other parts of an object, without moving ------------------------------------------------------------ */

static void another_part_is_shown_only_of_what_is_shared(void)
{
    struct map_request wanted = request(column(4), 4, R | W, MAP_IS_FIXED | MAP_IS_SHARED);

    paint("ww");
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    fill(4, 4);
    assert_int_equal(map_show_other(&program, column(0), PAGE_SIZE, 0), -EINVAL);
    assert_int_equal(map_show_other(&program, column(2), PAGE_SIZE, 0), -EINVAL);
    assert_int_equal(map_show_other(&program, column(4), 5 * PAGE_SIZE, 0), -EINVAL);
    assert_int_equal(map_show_other(&program, column(4), 0, 0), -EINVAL);
    assert_int_equal(map_show_other(&program, column(4), PAGE_SIZE - 1, 0), -EINVAL);
    assert_int_equal(map_show_other(&program, column(4), PAGE_SIZE, UINT64_MAX), -EINVAL);
    assert_int_equal(map_show_other(&program, column(4) + 77, PAGE_SIZE + 99, 2), 0);   /* whole pages */
    assert_int_equal(word_at(column(4)), 7);
    assert_int_equal(word_at(column(5)), 6);
    assert_int_equal(map_show_other(&program, column(4), 4 * PAGE_SIZE, 0), -EINVAL);   /* two regions by now */
    assert_int_equal(map_show_other(&program, column(4), PAGE_SIZE, 0), 0);
    assert_int_equal(program.map.count, 2);
    assert_int_equal(map_show_other(&program, column(4), 4 * PAGE_SIZE, 1), 0);
    assert_int_equal(word_at(column(4)), 6);
    assert_int_equal(word_at(column(6)), 8);
    assert_int_equal(program.pages, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(the_first_and_the_last_page_of_user_space_are_places),
        on_machine(a_region_grows_in_place_up_to_its_neighbour),
        on_machine(only_the_end_of_a_region_grows_in_place),
        on_machine(a_region_that_grows_joins_its_neighbour),
        on_machine(what_it_grows_by_is_promised_and_limited),
        on_machine(what_is_cut_off_is_given_back),
        on_machine(a_fixed_place_is_emptied_first),
        on_machine(places_that_overlap_are_refused),
        on_machine(a_part_of_a_region_moves_away),
        on_machine(what_stays_behind_is_empty),
        on_machine(shared_pages_are_shown_once_more),
        on_machine(another_part_is_shown_only_of_what_is_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
