/*
 * test_object_copies.c - an object is cut off, or gets a hole, while programs have copies of it, in memory or out.
 */
#include "map_world.h"

#include "memory/pageout/swap.h"
#include "memory/spaces/object.h"

enum { PAGES = 8, PAGE_OUT = 21 };

static struct object *object;
static vaddr_t        out;

static uint32_t slots_used(void)
{
    struct swap_sums sums;

    swap_sums(&sums);
    return sums.used;
}

static void map_object(size_t first, size_t pages, uint64_t offset, uint32_t flags)
{
    struct map_request wanted = request(column(first), pages, R | W, MAP_IS_FIXED | flags);

    wanted.object = object;
    wanted.offset = offset;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
}

/*
 * Columns 0..7 show the object, shared; 10..17 privately. Of these, pages 1, 3, 5, 7 are copies of the program's own,
 * and of the copies 3 and 7 are out.
 */
static void show_object(void)
{
    object = object_create(OWNER_FILE, PAGES);
    assert_non_null(object);
    map_object(0, PAGES, 0, MAP_IS_SHARED);
    map_object(10, PAGES, 0, 0);
    for (uint32_t n = 0; n < PAGES; n++) {
        assert_true(writes(&program, column(n), n + 1));
        assert_int_equal(word_at(column(10 + n)), n + 1);
    }
    for (uint32_t n = 1; n < PAGES; n += 2)
        assert_true(writes(&program, column(10 + n), 100 + n));
    assert_int_equal(map_advise(&program, column(13), PAGE_SIZE, PAGE_OUT), 0);
    assert_int_equal(map_advise(&program, column(17), PAGE_SIZE, PAGE_OUT), 0);
    assert_int_equal(slots_used(), 2);
    assert_int_equal(frames_owned(OWNER_USER), 2);
    assert_clean();
}

static void hide_object(void)
{
    assert_int_equal(unmap(0, 20), 0);
    object_release(object);
    assert_int_equal(slots_used(), 0);
    assert_int_equal(frames_owned(OWNER_FILE), 0);
}

static void assert_bus(size_t n)
{
    uint32_t value;

    assert_false(reads(&program, column(n), &value));
    assert_int_equal(verdict.signal, 7);
}

static void what_is_cut_off_goes_with_all_copies(void)
{
    show_object();
    object_resize(object, 4);
    assert_int_equal(object->resident, 4);
    assert_int_equal(frames_owned(OWNER_USER), 1);
    assert_int_equal(slots_used(), 1);                  /* that of page 3 */
    assert_clean();
    assert_int_equal(word_at(column(13)), 103);
    assert_int_equal(word_at(column(11)), 101);
    assert_int_equal(word_at(column(3)), 4);
    assert_bus(4);
    assert_bus(15);
    assert_bus(17);
    object_resize(object, PAGES);
    assert_int_equal(word_at(column(15)), 0);
    assert_int_equal(word_at(column(17)), 0);
    hide_object();
}

static void a_hole_leaves_copies_alone(void)
{
    show_object();
    object_punch(object, 2, 6);
    assert_int_equal(object->resident, 4);
    assert_int_equal(frames_owned(OWNER_USER), 2);
    assert_int_equal(slots_used(), 2);
    assert_clean();
    assert_int_equal(word_at(column(1)), 2);
    assert_int_equal(word_at(column(2)), 0);
    assert_int_equal(word_at(column(5)), 0);
    assert_int_equal(word_at(column(6)), 7);
    assert_int_equal(word_at(column(12)), 0);           /* was the object's page */
    assert_int_equal(word_at(column(13)), 103);         /* a copy that was out */
    assert_int_equal(word_at(column(15)), 105);
    assert_int_equal(word_at(column(16)), 7);
    hide_object();
}

/* Regions that begin in the middle of the object, show less than goes, or only what stays. */
static void only_the_pages_that_show_it_are_taken_out(void)
{
    object = object_create(OWNER_FILE, PAGES);
    map_object(0, 3, 1, MAP_IS_SHARED);                 /* pages 1..3 */
    map_object(10, 3, 3, MAP_IS_SHARED);                /* 3..5 */
    map_object(20, 2, 6, MAP_IS_SHARED);                /* 6, 7 */
    for (uint32_t n = 0; n < 3; n++) {
        assert_true(writes(&program, column(n), n + 2));
        assert_true(writes(&program, column(10 + n), n + 4));
    }
    assert_true(writes(&program, column(20), 7) && writes(&program, column(21), 8));
    assert_int_equal(program.resident, 8);
    object_punch(object, 3, 5);
    assert_int_equal(program.resident, 8 - 3);          /* page 3 twice, and page 4 */
    assert_int_equal(object->resident, 5);
    assert_clean();
    assert_int_equal(word_at(column(2)), 0);
    assert_int_equal(word_at(column(1)), 3);
    assert_int_equal(word_at(column(12)), 6);
    object_resize(object, 7);
    assert_int_equal(word_at(column(20)), 7);
    assert_bus(21);
    object_resize(object, 3);
    assert_int_equal(word_at(column(1)), 3);
    assert_bus(2);
    assert_bus(12);
    assert_bus(20);
    assert_int_equal(unmap(0, 30), 0);
    object_release(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(what_is_cut_off_goes_with_all_copies),
        on_machine(a_hole_leaves_copies_alone),
        on_machine(only_the_pages_that_show_it_are_taken_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
