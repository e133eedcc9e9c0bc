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

/* ---- How many faults there were of each kind -------------------------------------------------------------------- */

static uint64_t before[FAULT_ACTIONS];

static void count_from_here(void) { memcpy(before, fault_counts, sizeof before); }

/* So many more of one kind, and of no other. */
static void expect_counted(enum fault_action action, uint64_t more)
{
    for (unsigned i = 0; i < FAULT_ACTIONS; i++)
        if (fault_counts[i] - before[i] != (i == action ? more : 0))
            fail_msg("%s: %llu more", fault_action_names[i], (unsigned long long)(fault_counts[i] - before[i]));
    count_from_here();
}

static void each_fault_is_counted_once(void)
{
    uint32_t value;

    paint("wwr");
    count_from_here();
    assert_true(writes(&program, column(0), 1));
    expect_counted(FAULT_ZERO, 1);
    assert_true(writes(&program, column(0), 2));                /* no fault */
    assert_int_equal(word_at(column(1)), 0);
    expect_counted(FAULT_ZERO_READ, 1);
    assert_false(writes(&program, column(2), 1));
    expect_counted(FAULT_SEGV_ACCESS, 1);
    assert_false(reads(&program, column(4), &value));
    expect_counted(FAULT_SEGV_MAP, 1);
    frame_fail_at(1);
    assert_int_equal(space_fault(&program, column(2), MAY_READ, &verdict), 0);  /* the frame of zeros is there */
    frame_fail_at(0);
    expect_counted(FAULT_ZERO_READ, 1);
    frame_fail_at(1);
    assert_int_equal(space_fault(&program, column(1), MAY_WRITE, &verdict), -ENOMEM);
    frame_fail_at(0);
    expect_counted(FAULT_DONE, 0);                              /* what fails is no fault that was dealt with */
    assert_true(writes(&program, column(1), 3));
    expect_counted(FAULT_COPY, 1);
    assert_int_equal(space_fault(&program, column(1), MAY_WRITE, &verdict), 0);
    expect_counted(FAULT_DONE, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(what_is_away_is_brought_by_the_first_who_looks),
        on_machine(what_is_away_is_brought_before_it_is_written_to),
        on_machine(what_is_not_brought_is_a_bus_error),
        on_machine(without_memory_nothing_is_brought),
        on_machine(each_fault_is_counted_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
