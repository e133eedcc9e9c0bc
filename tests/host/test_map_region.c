/*
 * test_map_region.c - regions that are split, cut and joined: which fields keep neighbours apart, and what is counted.
 */
#include "map_world.h"

#include "memory/spaces/map_region.h"
#include "memory/spaces/object.h"

static vaddr_t        out;
static struct region *lower, *upper;
static int            file, other_file;

static void hold(void *held)    { (*(int *)held)++; }
static void release(void *held) { (*(int *)held)--; }

/* Two neighbours of three pages that differ in their names alone. */
static void make_neighbours(void)
{
    struct map_request wanted = request(column(3), 3, R | W, MAP_IS_FIXED);

    wanted.name = "another";
    map_file_hold    = hold;
    map_file_release = release;
    assert_int_equal(map_fixed(0, 3, R | W), 0);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    lower = region_find(&program.map, page_of(column(0)));
    upper = region_find(&program.map, page_of(column(3)));
    assert_ptr_not_equal(lower, upper);
    upper->name = lower->name;
}

/* True when they have become one. */
static bool join(struct region *region)
{
    size_t before = program.map.count;

    rwlock_write(&program.map_lock);
    region = map_join(&program, region);
    rwlock_write_drop(&program.map_lock);
    if (program.map.count == before)
        return false;
    assert_int_equal(program.map.count, before - 1);
    assert_int_equal(span_pages(region->span), 6);
    return true;
}

/* While a field of the upper one is another they stay apart, from whichever side they are looked at. */
#define APART(field, value)                     \
    do {                                        \
        __typeof__(upper->field) was_ = upper->field; \
                                                \
        upper->field = (value);                 \
        assert_false(join(lower));              \
        assert_false(join(upper));              \
        upper->field = was_;                    \
    } while (0)

static void each_field_keeps_neighbours_apart(void)
{
    make_neighbours();
    APART(rights, map_rights(R));
    APART(may, R | W);
    APART(shared, true);
    APART(uncharged, true);
    APART(grows, REGION_GROWS_DOWN);
    APART(not_forked, true);
    APART(name, "name");
    APART(locked, REGION_LOCKED);
    APART(told, REGION_TOLD_RANDOM);
    APART(file, &file);
    assert_true(join(upper));
    assert_picture("wwwwww");
}

static void neighbours_join_from_below_as_well(void)
{
    make_neighbours();
    program.recent = upper;
    assert_true(join(lower));
    assert_ptr_not_equal(program.recent, upper);        /* it is gone */
    assert_picture("wwwwww");
}

static void of_one_file_only_pages_that_follow_each_other_join(void)
{
    make_neighbours();
    lower->file = upper->file = &file;
    file = 2;
    other_file = 1;
    APART(file, &other_file);
    APART(offset, 2);
    APART(offset, 4);
    upper->offset = 3;
    assert_true(join(upper));
    assert_int_equal(file, 1);
    assert_int_equal(unmap(0, 6), 0);
    assert_int_equal(file, 0);
    assert_int_equal(other_file, 1);
}

static void three_become_one(void)
{
    paint("www");
    assert_int_equal(protect(1, 1, R), 0);
    assert_picture("wrw");
    assert_int_equal(protect(1, 1, R | W), 0);
    assert_picture("www");
    assert_int_equal(program.map.count, 1);
}

/* ---- A part of a region alone ---------------------------------------------------------------------------- */

static struct region *isolate(size_t first, size_t pages)
{
    struct region *region = region_find(&program.map, page_of(column(first))), *part;

    rwlock_write(&program.map_lock);
    part = map_isolate(&program, region, span_of(page_of(column(first)), pages));
    rwlock_write_drop(&program.map_lock);
    return part;
}

static void a_part_becomes_a_region(void)
{
    struct region *part;

    paint("wwwwww");
    part = isolate(0, 6);                               /* all of it */
    assert_int_equal(program.map.count, 1);
    assert_int_equal(span_pages(part->span), 6);
    part = isolate(0, 2);
    assert_int_equal(program.map.count, 2);
    assert_int_equal(part->span.first, page_of(column(0)));
    assert_int_equal(span_pages(part->span), 2);
    part = isolate(3, 2);
    assert_int_equal(program.map.count, 4);
    assert_int_equal(part->span.first, page_of(column(3)));
    assert_int_equal(span_pages(part->span), 2);
    part = isolate(5, 1);
    assert_int_equal(program.map.count, 4);
    assert_picture("ww|w|ww|w");
    assert_int_equal(program.pages, 6);
    assert_int_equal(program.charged, 6);
}

static void without_memory_a_region_stays_whole(void)
{
    paint("wwwwww");
    for (uint32_t n = 1; n <= 2; n++) {
        heap_fail_at(n);
        assert_null(isolate(2, 2));
        heap_fail_at(0);
        assert_picture("wwwwww");
        assert_int_equal(program.map.count, 1);
    }
    heap_fail_at(2);
    assert_non_null(isolate(0, 2));                     /* one node is enough */
    heap_fail_at(0);
    assert_int_equal(program.map.count, 2);
}

/* ---- Cuts ---------------------------------------------------------------------------------------------------- */

static void what_is_cut_is_counted(void)
{
    struct object     *object = object_create(OWNER_FILE, 16);
    struct map_request wanted = request(column(10), 6, R, MAP_IS_FIXED | MAP_IS_SHARED);

    wanted.object = object;
    wanted.offset = 4;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    paint("wwwwww");
    assert_int_equal(map_lock(&program, column(0), 6 * PAGE_SIZE, true), 0);
    assert_int_equal(program.pages, 12);
    assert_int_equal(program.locked, 6);
    assert_int_equal(unmap(2, 1), 0);
    assert_int_equal(program.pages, 11);
    assert_int_equal(program.locked, 5);
    assert_int_equal(program.charged, 5);
    assert_int_equal(program.most_pages, 12);
    assert_int_equal(unmap(0, 1), 0);
    assert_int_equal(unmap(5, 1), 0);
    assert_picture(".w.ww.");
    assert_int_equal(program.locked, 3);
    assert_int_equal(map_committed, 3);
    assert_int_equal(unmap(10, 2), 0);                  /* what is left shows the same pages of the object as before */
    assert_int_equal(region_find(&program.map, page_of(column(12)))->offset, 6);
    assert_int_equal(unmap(13, 1), 0);
    assert_int_equal(region_find(&program.map, page_of(column(12)))->offset, 6);
    assert_int_equal(region_find(&program.map, page_of(column(14)))->offset, 8);
    assert_int_equal(unmap(15, 1), 0);
    assert_int_equal(region_find(&program.map, page_of(column(14)))->offset, 8);
    assert_int_equal(program.pages, 3 + 2);
    assert_int_equal(object->references, 3);
    assert_int_equal(unmap(0, 20), 0);
    assert_int_equal(program.pages, 0);
    assert_int_equal(object->references, 1);
    assert_int_equal(program.most_pages, 12);
    object_release(object);
}

static void the_most_pages_are_known_afterwards(void)
{
    assert_int_equal(map_fixed(0, 3, R), 0);
    assert_int_equal(unmap(0, 2), 0);
    assert_int_equal(program.most_pages, 3);
    assert_int_equal(map_fixed(4, 1, R), 0);
    assert_int_equal(unmap(4, 1), 0);
    assert_int_equal(program.most_pages, 3);            /* two were fewer */
    assert_int_equal(map_fixed(4, 5, R), 0);
    assert_int_equal(unmap(4, 5), 0);
    assert_int_equal(program.most_pages, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(each_field_keeps_neighbours_apart),
        on_machine(neighbours_join_from_below_as_well),
        on_machine(of_one_file_only_pages_that_follow_each_other_join),
        on_machine(three_become_one),
        on_machine(a_part_becomes_a_region),
        on_machine(without_memory_a_region_stays_whole),
        on_machine(what_is_cut_is_counted),
        on_machine(the_most_pages_are_known_afterwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
