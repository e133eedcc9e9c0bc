/*
 * test_map_lock.c - locked memory, residency, and the ways of mremap that programs seldom ask for.
 */
#include "map_world.h"

#include "memory/spaces/object.h"

enum { MAY_MOVE = 1, MOVE_FIXED = 2, KEEP_OLD = 4, WIPE_ON_FORK = 18, DONT_NEED = 4, INVALIDATE = 2 };

static int lock(size_t first, size_t pages) { return map_lock(&program, column(first), pages * PAGE_SIZE, false); }

static int unlock(size_t first, size_t pages) { return map_unlock(&program, column(first), pages * PAGE_SIZE); }

/* A digit a page: is it in memory? */
static void assert_there(size_t first, const char *picture)
{
    uint8_t there[64];
    size_t  count = strlen(picture);

    assert_int_equal(map_residency(&program, span_of(page_of(column(first)), count), there), 0);
    for (size_t n = 0; n < count; n++)
        if (there[n] != (picture[n] == '1'))
            fail_msg("page %zu: %u", n, there[n]);
}

static void locked_pages_are_brought_in_and_counted(void)
{
    paint("wwwwwwww");
    assert_int_equal(lock(2, 3), 0);
    assert_there(0, "00111000");
    assert_int_equal(map_locked(&program), 3);
    assert_int_equal(program.map.count, 3);
    assert_int_equal(lock(0, 8), 0);
    assert_int_equal(map_locked(&program), 8);
    assert_int_equal(program.map.count, 1);
    assert_int_equal(unmap(3, 2), 0);
    assert_int_equal(map_locked(&program), 6);
    assert_int_equal(unlock(0, 3), 0);
    assert_int_equal(map_locked(&program), 3);
}

/* No copy may be needed at a later write: a locked page that may be written privately is the program's own. */
static void what_is_locked_to_be_written_is_no_shared_zero(void)
{
    paint("wwrr");
    assert_int_equal(lock(0, 4), 0);
    assert_int_equal(frames_owned(OWNER_USER), 2);
}

static void a_hole_ends_the_lock_but_not_what_lies_below(void)
{
    paint("www.www");
    assert_int_equal(lock(0, 7), -ENOMEM);
    assert_int_equal(map_locked(&program), 3);
    assert_there(0, "000");
    assert_int_equal(unlock(0, 7), -ENOMEM);
    assert_int_equal(map_locked(&program), 0);
}

static void the_limit_counts_no_page_twice(void)
{
    paint("wwwwwwww");
    program.limits.locked = 4 * PAGE_SIZE;
    assert_int_equal(lock(0, 5), -ENOMEM);
    assert_int_equal(lock(0, 4), 0);
    assert_int_equal(lock(0, 4), 0);
    assert_int_equal(lock(2, 3), -ENOMEM);
    assert_int_equal(lock(7, 1), -ENOMEM);
    assert_int_equal(map_locked(&program), 4);
    program.limits.locked = 0;
    assert_int_equal(lock(0, 1), -EPERM);
    assert_int_equal(unlock(0, 8), 0);
}

static void hostile_ranges_lock_nothing(void)
{
    paint("wwww");
    assert_int_equal(map_lock(&program, (vaddr_t)0 - PAGE_SIZE, PAGE_SIZE, false), -EINVAL);
    assert_int_equal(map_lock(&program, column(0), SIZE_MAX, false), 0);
    assert_int_equal(map_lock(&program, column(0), 0, false), 0);
    assert_int_equal(map_lock(&program, 0, PAGE_SIZE, false), -ENOMEM);
    assert_int_equal(map_unlock(&program, (vaddr_t)0 - PAGE_SIZE, PAGE_SIZE), -EINVAL);
    assert_int_equal(map_locked(&program), 0);
}

static void everything_to_come_is_locked(void)
{
    assert_int_equal(map_lock_all(&program, false, true, false), 0);
    assert_int_equal(map_fixed(0, 3, R | W), 0);
    assert_there(0, "111");
    assert_int_equal(map_lock_all(&program, false, true, true), 0);
    assert_int_equal(map_fixed(8, 3, R | W), 0);
    assert_there(8, "000");
    assert_int_equal(map_locked(&program), 6);
    map_unlock_all(&program);
    assert_int_equal(map_locked(&program), 0);
    assert_int_equal(map_fixed(16, 1, R | W), 0);
    assert_there(16, "0");
    assert_int_equal(map_locked(&program), 0);
}

static void a_child_inherits_no_lock_and_no_wiped_page(void)
{
    struct space child;
    uint32_t     value;

    paint("wwww");
    assert_true(writes(&program, column(0), 7) && writes(&program, column(2), 8));
    assert_int_equal(lock(0, 2), 0);
    assert_int_equal(map_advise(&program, column(2), 2 * PAGE_SIZE, WIPE_ON_FORK), 0);
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_int_equal(map_locked(&child), 0);
    space_activate(&child);
    assert_true(reads(&child, column(0), &value));
    assert_int_equal(value, 7);
    assert_true(reads(&child, column(2), &value));
    assert_int_equal(value, 0);
    space_activate(&program);
    assert_int_equal(word_at(column(2)), 8);
    map_clear(&child);
    space_destroy(&child);
}

/* Limits, and what membarrier(2) was told of. */
static void a_child_has_its_parents_limits_and_barriers(void)
{
    struct space child;

    program.limits.locked = 7 * PAGE_SIZE;
    program.limits.data   = 9 * PAGE_SIZE;
    program.barriers      = 0x58;
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_memory_equal(&child.limits, &program.limits, sizeof child.limits);
    assert_int_equal(child.barriers, 0x58);
    map_clear(&child);
    space_destroy(&child);
}

static void locked_memory_refuses_to_be_forgotten(void)
{
    paint("wwww");
    assert_int_equal(lock(0, 4), 0);
    assert_int_equal(map_advise(&program, column(0), PAGE_SIZE, DONT_NEED), -EINVAL);
    assert_int_equal(map_sync(&program, column(0), PAGE_SIZE, INVALIDATE), -EBUSY);
    assert_int_equal(map_sync(&program, column(0), PAGE_SIZE, 0), 0);
}

static void pages_move_and_their_place_stays(void)
{
    vaddr_t out;

    paint("wwww");
    assert_true(writes(&program, column(1), 5));
    assert_int_equal(map_move(&program, column(0), 4 * PAGE_SIZE, 4 * PAGE_SIZE, MAY_MOVE | MOVE_FIXED | KEEP_OLD,
                              column(10), &out), 0);
    assert_int_equal(word_at(column(11)), 5);
    assert_there(0, "0000");
    assert_int_equal(program.pages, 8);
    assert_int_equal(program.charged, 8);
    assert_int_equal(map_move(&program, column(0), 4 * PAGE_SIZE, 2 * PAGE_SIZE, MAY_MOVE | KEEP_OLD, 0, &out),
                     -EINVAL);
}

static void an_old_size_of_nothing_shows_shared_memory_twice(void)
{
    struct map_request wanted = request(column(0), 4, R | W, MAP_IS_FIXED | MAP_IS_SHARED);
    vaddr_t            out;

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_true(writes(&program, column(2), 5));
    assert_int_equal(map_move(&program, column(1), 0, 2 * PAGE_SIZE, MAY_MOVE | MOVE_FIXED, column(10), &out), 0);
    assert_int_equal(word_at(column(11)), 5);
    assert_true(writes(&program, column(11), 6));
    assert_int_equal(word_at(column(2)), 6);
    assert_int_equal(map_fixed(20, 2, R | W), 0);
    assert_int_equal(map_move(&program, column(20), 0, PAGE_SIZE, MAY_MOVE, 0, &out), -EINVAL);
}

static void shared_memory_has_numbers_of_its_own(void)
{
    struct map_request wanted = request(column(0), 1, R | W, MAP_IS_FIXED | MAP_IS_SHARED);
    vaddr_t            out;

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    wanted.address = column(1);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_not_equal(region_find(&program.map, page_of(column(0)))->object->number,
                         region_find(&program.map, page_of(column(1)))->object->number);
}

/* On either side of a table's border, where only one of the two tables is there. */
static void pages_without_a_table_are_not_there(void)
{
    assert_int_equal(map_fixed(1022, 6, R | W), 0);
    assert_there(1022, "000000");
    assert_true(writes(&program, column(1025), 1));
    assert_there(1022, "000100");
    assert_true(writes(&program, column(1023), 1));
    assert_there(1022, "010100");
    assert_int_equal(map_advise(&program, column(1025), PAGE_SIZE, DONT_NEED), 0);
    assert_there(1022, "010000");
    assert_there(1023, "10000");
}

static void the_most_pages_are_remembered(void)
{
    paint("wwwwwwww");
    assert_int_equal(lock(0, 8), 0);
    assert_int_equal(unmap(0, 6), 0);
    assert_int_equal(program.pages, 2);
    assert_int_equal(space_most_pages(&program), 8);
    assert_int_equal(space_peak(&program), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(locked_pages_are_brought_in_and_counted),
        on_machine(what_is_locked_to_be_written_is_no_shared_zero),
        on_machine(a_hole_ends_the_lock_but_not_what_lies_below),
        on_machine(the_limit_counts_no_page_twice),
        on_machine(hostile_ranges_lock_nothing),
        on_machine(everything_to_come_is_locked),
        on_machine(a_child_inherits_no_lock_and_no_wiped_page),
        on_machine(a_child_has_its_parents_limits_and_barriers),
        on_machine(locked_memory_refuses_to_be_forgotten),
        on_machine(pages_move_and_their_place_stays),
        on_machine(an_old_size_of_nothing_shows_shared_memory_twice),
        on_machine(shared_memory_has_numbers_of_its_own),
        on_machine(pages_without_a_table_are_not_there),
        on_machine(the_most_pages_are_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
