/*
 * test_rest.c - long operations rest between two batches, and at each point of rest every invariant holds.
 *
 * Code that runs there (another process, the auditor, a snapshot) finds sound memory in the middle of the operation.
 */
#include "map_world.h"

#include "base/rwlock.h"
#include "memory/tables/cursor.h"

/* 7 MiB: two tables, many batches. */
enum { PAGES = 1792, MAY_MOVE = 1, DONT_NEED = 4 };

static unsigned      rests;
static struct space *locked;            /* whose map is held while they rest */

static void look_at_rest(void)
{
    rests++;
    if (locked != NULL)
        assert_true(rwlock_held_to_write(&locked->map_lock));
    assert_clean();
}

/* How many points of rest a statement has. */
#define RESTS(space, statement) \
    (rests = 0, locked = (space), machine_at_rest(look_at_rest), (statement), machine_at_rest(NULL), rests)

static void fill(void)
{
    assert_int_equal(map_fixed(0, PAGES, R | W), 0);
    for (size_t n = 0; n < PAGES; n++)
        assert_true(writes(&program, column(n), (uint32_t)n));
}

/* Batches of CURSOR_BATCH pages at most, so at least as many rests. */
static bool are_many(unsigned times) { return times >= PAGES / CURSOR_BATCH; }

static void unmapping_rests(void)
{
    fill();
    assert_true(are_many(RESTS(&program, assert_int_equal(unmap(0, PAGES), 0))));
    assert_int_equal(frames_owned(OWNER_USER), 0);
}

static void forgetting_rests(void)
{
    fill();
    assert_true(are_many(RESTS(&program, assert_int_equal(
        map_advise(&program, column(0), PAGES * PAGE_SIZE, DONT_NEED), 0))));
    assert_int_equal(word_at(column(5)), 0);
}

/* Also where one call removes rights and adds others: until then an entry has only the rights that both allow. */
static void protecting_rests(void)
{
    static const uint8_t steps[] = { R, R | W, R | X, R | W, 0, R | W, X, R };

    fill();
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        assert_true(are_many(RESTS(&program, assert_int_equal(
            map_protect(&program, column(0), PAGES * PAGE_SIZE, steps[i]), 0))));
    for (size_t n = 0; n < PAGES; n += 97)
        assert_int_equal(word_at(column(n)), n);
}

static void forking_rests(void)
{
    struct space child;
    uint32_t     value;

    fill();
    assert_int_equal(space_create(&child), 0);
    assert_true(RESTS(&program, assert_int_equal(map_copy(&child, &program), 0)) > PAGES / (4 * CURSOR_BATCH));
    space_activate(&child);
    for (size_t n = 0; n < PAGES; n += 89) {
        assert_true(reads(&child, column(n), &value));
        assert_int_equal(value, n);
    }
    space_activate(&program);
    assert_true(RESTS(&child, map_clear(&child)) > PAGES / (4 * CURSOR_BATCH));     /* the parent has the frames, too */
    space_destroy(&child);
    assert_int_equal(word_at(column(1)), 1);
}

/* Nothing is left of a child whose memory was not enough, whenever that shows. */
static void a_fork_that_fails_between_two_rests_leaves_nothing(void)
{
    size_t   nodes = 0;
    unsigned failed = 0;

    fill();
    for (uint32_t nth = 1; nth < 12; nth++) {
        struct space child;
        uint32_t     tables;
        int          err;

        assert_int_equal(space_create(&child), 0);
        tables = frames_owned(OWNER_TABLES);
        frame_fail_at(nth);
        rests  = 0;
        locked = NULL;
        machine_at_rest(look_at_rest);
        err = map_copy(&child, &program);
        machine_at_rest(NULL);
        frame_fail_at(0);
        failed += err != 0;
        if (err != 0)
            assert_true(child.map.count == 0 && child.resident == 0 && frames_owned(OWNER_TABLES) == tables);
        map_clear(&child);
        space_destroy(&child);
        nodes += err == 0;
    }
    assert_true(failed > 0 && nodes > 0);
}

static void moving_rests(void)
{
    vaddr_t to;

    fill();
    assert_int_equal(map_fixed(PAGES, 1, R), 0);        /* no room to grow in place */
    assert_true(RESTS(&program, assert_int_equal(
        map_move(&program, column(0), PAGES * PAGE_SIZE, (PAGES + 8) * PAGE_SIZE, MAY_MOVE, 0, &to), 0)) >
        PAGES / (4 * CURSOR_BATCH));
    assert_true(to != column(0));
    assert_int_equal(word_at(to + 1000 * PAGE_SIZE), 1000);
}

/* Tables far apart: the way between them is no long work either. */
static void thin_memory_rests_at_each_table(void)
{
    enum { APART = 1024, TABLES = 24 };

    map_overcommit = 1;
    assert_int_equal(map_fixed(0, APART * TABLES, R | W), 0);
    for (size_t n = 0; n < TABLES; n++)
        assert_true(writes(&program, column(n * APART), 1));
    assert_true(RESTS(&program, assert_int_equal(unmap(0, APART * TABLES), 0)) >= TABLES / 2);
    assert_int_equal(frames_owned(OWNER_USER), 0);
}

/* ---- Objects ---------------------------------------------------------------------------------------- */

/* So few that with the copies they fit into the machine under every layout. */
enum { SHOWN = 1024 };

static bool rests_often(unsigned times) { return times >= SHOWN / CURSOR_BATCH; }

static struct object *object;

/* The object's pages are shown twice, and half of the second view are copies of the program's own. */
static void show_object(void)
{
    struct map_request one = request(column(0), SHOWN, R | W, MAP_IS_FIXED | MAP_IS_SHARED);
    struct map_request two = request(column(SHOWN), SHOWN, R | W, MAP_IS_FIXED);
    vaddr_t            out;

    object = object_create(OWNER_SHARED, SHOWN);
    assert_non_null(object);
    one.object = two.object = object;
    assert_int_equal(map_create(&program, &one, &out), 0);
    assert_int_equal(map_create(&program, &two, &out), 0);
    for (size_t n = 0; n < SHOWN; n++) {
        assert_true(writes(&program, column(n), (uint32_t)n));
        if (n % 2 == 0)
            assert_true(writes(&program, column(SHOWN + n), (uint32_t)n + 1));
        else
            assert_int_equal(word_at(column(SHOWN + n)), n);
    }
    assert_int_equal(object->writers, 1);
}

static void hide_object(void)
{
    assert_int_equal(unmap(0, 2 * SHOWN), 0);
    assert_true(object->mappings == NULL && object->writers == 0);
    object_release(object);
    assert_int_equal(frames_owned(OWNER_SHARED), 0);
}

static void cutting_an_object_off_rests(void)
{
    show_object();
    assert_true(rests_often(RESTS(NULL, object_resize(object, 5))));
    assert_int_equal(object->pages, 5);
    assert_int_equal(object->resident, 5);
    assert_int_equal(frames_owned(OWNER_USER), 3);      /* copies beyond the end are gone as well */
    assert_int_equal(word_at(column(4)), 4);
    hide_object();
}

static void punching_an_object_rests_and_leaves_copies(void)
{
    show_object();
    assert_true(rests_often(RESTS(NULL, object_punch(object, 3, SHOWN))));
    assert_int_equal(object->resident, 3);
    assert_int_equal(frames_owned(OWNER_USER), SHOWN / 2);
    assert_int_equal(word_at(column(SHOWN + 10)), 11);
    assert_int_equal(word_at(column(10)), 0);
    hide_object();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(unmapping_rests),
        on_machine(forgetting_rests),
        on_machine(protecting_rests),
        on_machine(forking_rests),
        on_machine(a_fork_that_fails_between_two_rests_leaves_nothing),
        on_machine(moving_rests),
        on_machine(thin_memory_rests_at_each_table),
        on_machine(cutting_an_object_off_rests),
        on_machine(punching_an_object_rests_and_leaves_copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
