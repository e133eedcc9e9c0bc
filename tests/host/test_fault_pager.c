/*
 * test_fault_pager.c - faults in pages that a pager has: the program sees what is brought, or a bus error where it is
 * not, and never zeros in its place.
 */
#include "map_world.h"

#include "memory/spaces/object.h"

enum { PAGES = 8, BUS = 7 };

static struct object *object;
static unsigned       asked;
static int            error;

/* Word 0 of page n is 70 + n. */
static long fill(struct object *from, uint64_t page, const frame_t *frames, size_t count)
{
    (void)from;
    asked++;
    for (size_t i = 0; i < count && error == 0; i++)
        *(uint32_t *)&machine_ram[frame_address(frames[i])] = 70 + (uint32_t)(page + i);
    return error != 0 ? error : (long)count;
}

static const struct object_operations operations = { .fill = fill };

static void map(size_t first, uint8_t rights, uint32_t flags)
{
    struct map_request wanted = request(column(first), PAGES + 1, rights, MAP_IS_FIXED | flags);
    vaddr_t            out;

    asked  = 0;
    error  = 0;
    object = object_create_paged(OWNER_FILE, PAGES, &operations, NULL);
    assert_non_null(object);
    wanted.object = object;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    object_release(object);
}

static void what_is_away_is_brought_by_the_first_who_looks(void)
{
    static const struct { uint8_t rights; uint32_t flags; } ways[] = {
        { R, 0 }, { R | W, 0 }, { R, MAP_IS_SHARED }, { R | W, MAP_IS_SHARED },
    };

    for (unsigned i = 0; i < COUNT_OF(ways); i++) {
        map(0, ways[i].rights, ways[i].flags);
        for (size_t n = 0; n < PAGES; n++)
            assert_int_equal(word_at(column(n)), 70 + n);
        assert_in_range(asked, 1, PAGES);
        assert_int_equal(unmap(0, PAGES + 1), 0);
    }
}

static void what_is_away_is_brought_before_it_is_written_to(void)
{
    for (unsigned shared = 0; shared < 2; shared++) {
        map(0, R | W, shared ? MAP_IS_SHARED : 0);
        assert_true(writes(&program, column(3) + 4, 5));
        assert_int_equal(word_at(column(3)), 73);
        assert_int_equal(word_at(column(3) + 4), 5);
        assert_int_equal(asked, 1);
        assert_int_equal(frames_owned(OWNER_USER), !shared);    /* a copy of its own, or the object's page */
        assert_int_equal(unmap(0, PAGES + 1), 0);
    }
}

static void what_is_not_brought_is_a_bus_error(void)
{
    uint32_t value;

    map(0, R | W, 0);
    error = -EIO;
    assert_false(reads(&program, column(2), &value));
    assert_int_equal(verdict.signal, BUS);
    assert_false(writes(&program, column(2), 1));
    assert_int_equal(verdict.signal, BUS);
    assert_int_equal(asked, 2);                 /* each asks anew */
    assert_false(reads(&program, column(PAGES), &value));
    assert_int_equal(verdict.signal, BUS);      /* behind its end there is nothing to ask for */
    assert_int_equal(asked, 2);
    assert_int_equal(program.resident, 0);
    error = 0;
    assert_int_equal(word_at(column(2)), 72);
    assert_int_equal(asked, 3);
}

static void without_memory_nothing_is_brought(void)
{
    map(0, R, 0);
    assert_int_equal(word_at(column(0)), 70);   /* there are tables from now on */
    frame_fail_at(1);
    assert_int_equal(space_fault(&program, column(6), MAY_READ, &verdict), -ENOMEM);
    frame_fail_at(0);
    assert_int_equal(word_at(column(6)), 76);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(what_is_away_is_brought_by_the_first_who_looks),
        on_machine(what_is_away_is_brought_before_it_is_written_to),
        on_machine(what_is_not_brought_is_a_bus_error),
        on_machine(without_memory_nothing_is_brought),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
