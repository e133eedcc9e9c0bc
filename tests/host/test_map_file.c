/*
 * test_map_file.c - regions that show files: each holds its file, however it came to be, and drops it once.
 */
#include "map_world.h"

#include "memory/spaces/object.h"

enum { MAY_MOVE = 1, KEEP_OLD = 4, WIPE_ON_FORK = 18 };

static int            held, other_held;
static struct object *contents;
static vaddr_t        out;

static void hold(void *file)    { (*(int *)file)++; }
static void release(void *file) { (*(int *)file)--; }

static void begin(void)
{
    map_file_hold    = hold;
    map_file_release = release;
    held = other_held = 0;
    contents = object_create(OWNER_FILE, 64);
    assert_non_null(contents);
}

static void end(void)
{
    map_clear(&program);
    assert_int_equal(held, 0);
    assert_int_equal(other_held, 0);
    object_release(contents);
}

static int map_file(size_t first, size_t pages, uint64_t offset, uint32_t flags, int *file)
{
    struct map_request wanted = request(column(first), pages, R | W, MAP_IS_FIXED | flags);

    wanted.object = contents;
    wanted.offset = offset;
    wanted.file   = file;
    return map_create(&program, &wanted, &out);
}

static void each_part_of_a_region_holds_its_file(void)
{
    begin();
    assert_int_equal(map_file(0, 8, 0, 0, &held), 0);
    assert_int_equal(held, 1);
    assert_int_equal(protect(2, 3, R), 0);              /* three parts */
    assert_int_equal(held, 3);
    assert_int_equal(protect(2, 3, R | W), 0);          /* and one again */
    assert_int_equal(held, 1);
    assert_int_equal(unmap(3, 1), 0);
    assert_int_equal(held, 2);
    assert_int_equal(unmap(0, 3), 0);
    assert_int_equal(held, 1);
    assert_int_equal(map_fixed(4, 4, R), 0);            /* replaced */
    assert_int_equal(held, 0);
    end();
}

static void only_pages_of_one_file_that_follow_each_other_join(void)
{
    begin();
    assert_int_equal(map_file(0, 2, 4, 0, &held), 0);
    assert_int_equal(map_file(2, 2, 6, 0, &held), 0);
    assert_int_equal(program.map.count, 1);
    assert_int_equal(map_file(4, 2, 9, 0, &held), 0);   /* another place in the file */
    assert_int_equal(map_file(6, 2, 11, 0, &other_held), 0);
    assert_int_equal(map_file(8, 2, 13, MAP_IS_SHARED, &other_held), 0);
    assert_int_equal(program.map.count, 4);
    assert_int_equal(held, 2);
    assert_int_equal(other_held, 2);
    assert_clean();
    end();
}

static void a_refused_mapping_holds_nothing(void)
{
    begin();
    assert_int_equal(map_file(0, 2, 0, MAP_NO_REPLACE, &held), 0);
    assert_int_equal(map_file(1, 2, 0, MAP_NO_REPLACE, &held), -EEXIST);
    assert_int_equal(held, 1);
    program.limits.whole = 3 * PAGE_SIZE;
    assert_int_equal(map_file(8, 2, 0, 0, &held), -ENOMEM);
    assert_int_equal(held, 1);
    program.limits.whole = SIZE_MAX;
    end();
}

static void a_child_holds_the_file_too(void)
{
    struct space child;

    begin();
    assert_int_equal(map_file(0, 4, 0, 0, &held), 0);
    assert_int_equal(map_file(8, 4, 0, MAP_IS_SHARED, &other_held), 0);
    assert_int_equal(map_advise(&program, column(0), PAGE_SIZE, WIPE_ON_FORK), -EINVAL);    /* a file is not wiped */
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_int_equal(held, 2);
    assert_int_equal(other_held, 2);
    map_clear(&child);
    space_destroy(&child);
    assert_int_equal(held, 1);
    end();
}

static void a_region_that_moves_holds_its_file_once(void)
{
    begin();
    assert_int_equal(map_file(0, 4, 0, MAP_IS_SHARED, &held), 0);
    assert_int_equal(map_fixed(4, 1, R), 0);
    assert_int_equal(map_move(&program, column(0), 4 * PAGE_SIZE, 6 * PAGE_SIZE, MAY_MOVE, 0, &out), 0);
    assert_int_equal(held, 1);
    assert_int_equal(map_move(&program, out, 2 * PAGE_SIZE, 2 * PAGE_SIZE, MAY_MOVE | KEEP_OLD, 0, &out), 0);
    assert_int_equal(held, 2);
    end();
}

static void another_part_of_a_file_is_shown_for_the_same_file(void)
{
    begin();
    assert_int_equal(map_file(0, 6, 0, MAP_IS_SHARED, &held), 0);
    assert_int_equal(map_show_other(&program, column(2), 2 * PAGE_SIZE, 40), 0);
    assert_int_equal(program.map.count, 3);
    assert_int_equal(held, 3);
    assert_int_equal(map_show_other(&program, column(2), 2 * PAGE_SIZE, 2), 0);         /* as it was */
    assert_int_equal(program.map.count, 1);
    assert_int_equal(held, 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(each_part_of_a_region_holds_its_file),
        on_machine(only_pages_of_one_file_that_follow_each_other_join),
        on_machine(a_refused_mapping_holds_nothing),
        on_machine(a_child_holds_the_file_too),
        on_machine(a_region_that_moves_holds_its_file_once),
        on_machine(another_part_of_a_file_is_shown_for_the_same_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
