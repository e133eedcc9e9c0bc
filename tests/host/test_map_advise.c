/*
 * test_map_advise.c - advice that a region remembers: all of it, against a table; and what comes of it.
 */
#include "map_world.h"

#include "memory/spaces/map_pages.h"
#include "memory/spaces/object.h"

enum { DONT_FORK = 10, DO_FORK = 11, DO_DUMP = 17, WIPE_ON_FORK = 18, KEEP_ON_FORK = 19, ALL = 127 };

/* The bits of `told` after each advice: of a region that had none, and of one that had all. */
static const struct { int advice; uint16_t of_none, of_all; } kept[] = {
    { 0,  0,                       ALL & ~(REGION_TOLD_RANDOM | REGION_TOLD_SEQUENTIAL) },  /* MADV_NORMAL */
    { 1,  REGION_TOLD_RANDOM,      ALL & ~REGION_TOLD_SEQUENTIAL },
    { 2,  REGION_TOLD_SEQUENTIAL,  ALL & ~REGION_TOLD_RANDOM },
    { 12, REGION_TOLD_MERGEABLE,   ALL },
    { 13, 0,                       ALL & ~REGION_TOLD_MERGEABLE },
    { 14, REGION_TOLD_HUGE,        ALL & ~REGION_TOLD_NO_HUGE },
    { 15, REGION_TOLD_NO_HUGE,     ALL & ~REGION_TOLD_HUGE },
    { 16, REGION_TOLD_NO_DUMP,     ALL },
    { 17, 0,                       ALL & ~REGION_TOLD_NO_DUMP },
    { 18, REGION_TOLD_WIPED,       ALL },
    { 19, 0,                       ALL & ~REGION_TOLD_WIPED },
};

static vaddr_t out;

static int advise(size_t first, size_t pages, int advice)
{
    return map_advise(&program, column(first), pages * PAGE_SIZE, advice);
}

static uint16_t told(size_t n) { return region_find(&program.map, page_of(column(n)))->told; }

static void each_advice_sets_and_clears_its_own_bits(void)
{
    paint("wwww");
    for (unsigned i = 0; i < COUNT_OF(kept); i++)
        for (unsigned all = 0; all < 2; all++) {
            region_find(&program.map, page_of(column(0)))->told = all ? ALL : 0;
            assert_int_equal(advise(0, 4, kept[i].advice), 0);
            assert_int_equal(told(0), all ? kept[i].of_all : kept[i].of_none);
            assert_int_equal(program.map.count, 1);
        }
}

static void advice_of_a_part_makes_it_a_region_of_its_own(void)
{
    paint("wwwwww");
    assert_int_equal(advise(2, 2, 1), 0);
    assert_picture("ww|ww|ww");
    assert_int_equal(told(1), 0);
    assert_int_equal(told(3), REGION_TOLD_RANDOM);
    assert_int_equal(told(4), 0);
    assert_int_equal(advise(1, 2, 1), 0);
    assert_picture("w|www|ww");
    assert_int_equal(advise(0, 6, 0), 0);
    assert_picture("wwwwww");
    assert_int_equal(program.map.count, 1);
}

static void holes_are_passed_over_and_reported(void)
{
    paint("ww.ww.");
    assert_int_equal(advise(0, 5, 2), -ENOMEM);
    assert_int_equal(told(0), REGION_TOLD_SEQUENTIAL);
    assert_int_equal(told(4), REGION_TOLD_SEQUENTIAL);
    assert_int_equal(advise(3, 3, 0), -ENOMEM);
    assert_int_equal(told(4), 0);
    assert_int_equal(advise(2, 1, 0), -ENOMEM);
    assert_int_equal(advise(8, 2, 0), -ENOMEM);
}

static void a_child_gets_what_it_is_to_get(void)
{
    struct space child;
    uint32_t     value;

    paint("wwwwww");
    for (size_t n = 0; n < 6; n++)
        assert_true(writes(&program, column(n), (uint32_t)n + 1));
    assert_int_equal(advise(1, 2, DONT_FORK), 0);
    assert_int_equal(advise(4, 1, WIPE_ON_FORK), 0);
    assert_int_equal(advise(2, 1, DO_FORK), 0);
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_picture_of(&child, "w.ww|w|w");
    assert_int_equal(child.pages, 5);
    assert_int_equal(child.charged, 5);
    space_activate(&child);
    for (size_t n = 0; n < 6; n++) {
        assert_int_equal(reads(&child, column(n), &value), n != 1);
        if (n != 1)
            assert_int_equal(value, n == 4 ? 0 : n + 1);
    }
    space_activate(&program);
    map_clear(&child);
    space_destroy(&child);
}

/* What each advice that is followed at once says of pages that are not the pool's, of a file's, and of shared ones. */
static const struct { int advice, physical, of_file, shared; } answers[] = {
    { 3, 0, 0, 0 },                             /* MADV_WILLNEED */
    { 4, -EINVAL, 0, 0 },                       /* MADV_DONTNEED */
    { 8, -EINVAL, -EINVAL, -EINVAL },           /* MADV_FREE */
    { 9, -EINVAL, -EACCES, 0 },                 /* MADV_REMOVE */
    { 10, 0, 0, 0 },                            /* MADV_DONTFORK */
    { 11, -EINVAL, 0, 0 },                      /* MADV_DOFORK */
    { 20, -EINVAL, 0, 0 },                      /* MADV_COLD */
    { 21, -EINVAL, 0, 0 },                      /* MADV_PAGEOUT */
    { 24, -EINVAL, 0, 0 },                      /* MADV_DONTNEED_LOCKED */
    { 25, -EINVAL, -EINVAL, -EINVAL },          /* MADV_COLLAPSE */
    { 26, -EINVAL, -EINVAL, -EINVAL },          /* none */
};

static void advice_asks_what_kind_of_memory_it_is(void)
{
    struct map_request of_file = request(column(4), 2, R | W, MAP_IS_FIXED);
    struct map_request shared  = request(column(8), 2, R | W, MAP_IS_FIXED | MAP_IS_SHARED);
    int                status;

    of_file.object = object_create(OWNER_FILE, 2);
    assert_int_equal(try_map_pages(&program, column(0), 0xB8000, 2 * PAGE_SIZE, &status), column(0));
    assert_int_equal(map_create(&program, &of_file, &out), 0);
    assert_int_equal(map_create(&program, &shared, &out), 0);
    object_release(of_file.object);
    for (unsigned i = 0; i < COUNT_OF(answers); i++) {
        int advice = answers[i].advice, physical = advise(0, 2, advice), file = advise(4, 2, advice);
        int both   = advise(8, 2, advice);

        if (physical != answers[i].physical || file != answers[i].of_file || both != answers[i].shared)
            fail_msg("advice %d: %d, %d, %d", advice, physical, file, both);
        assert_clean();
    }
    assert_int_equal(program.resident, 2);      /* what is physical is always there */
}

/* 22 and 23: MADV_POPULATE_READ and _WRITE. */
static void what_cannot_be_brought_in_is_told_apart(void)
{
    struct map_request of_file = request(column(8), 3, R, MAP_IS_FIXED);

    of_file.object = object_create(OWNER_FILE, 2);
    assert_int_equal(map_create(&program, &of_file, &out), 0);
    object_release(of_file.object);
    paint("ww.rr-");
    assert_int_equal(advise(0, 2, 23), 0);
    assert_int_equal(program.resident, 2);
    assert_int_equal(advise(1, 2, 22), -ENOMEM);                /* a hole */
    assert_int_equal(advise(3, 2, 22), 0);
    assert_int_equal(advise(3, 2, 23), -EINVAL);                /* no right to write */
    assert_int_equal(advise(5, 1, 22), -EINVAL);
    assert_int_equal(advise(8, 3, 22), -EFAULT);                /* behind the file's end */
    assert_int_equal(advise(8, 2, 22), 0);
    assert_int_equal(unmap(0, 2), 0);
    assert_int_equal(map_fixed(0, 2, R | W), 0);
    frame_fail_at(1);
    assert_int_equal(advise(0, 2, 23), -ENOMEM);
    frame_fail_at(0);
    assert_int_equal(advise(0, 2, 23), 0);
}

static void shared_memory_is_not_wiped(void)
{
    struct map_request wanted = request(column(0), 2, R | W, MAP_IS_FIXED | MAP_IS_SHARED);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(advise(0, 2, WIPE_ON_FORK), -EINVAL);
    assert_int_equal(advise(0, 2, KEEP_ON_FORK), 0);
    assert_int_equal(advise(0, 2, DONT_FORK), 0);
    assert_int_equal(advise(0, 2, DO_FORK), 0);
    assert_int_equal(advise(0, 2, DO_DUMP), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(each_advice_sets_and_clears_its_own_bits),
        on_machine(advice_of_a_part_makes_it_a_region_of_its_own),
        on_machine(holes_are_passed_over_and_reported),
        on_machine(a_child_gets_what_it_is_to_get),
        on_machine(advice_asks_what_kind_of_memory_it_is),
        on_machine(what_cannot_be_brought_in_is_told_apart),
        on_machine(shared_memory_is_not_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
