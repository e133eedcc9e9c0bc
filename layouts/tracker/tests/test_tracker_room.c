/*
 * test_tracker_room.c - page-table objects without memory, and without room to grow or to move.
 *
 * Runs only for layouts whose table access is `tracked`.
 */
#include "tracker_world.h"

#ifdef LAYOUT_ACCESS_TRACKED

static void create_long(struct another *a)
{
    create(a);
    map_in(&a->space, layout.user.end - 1, 1);
}

/*
 * Let allocation k fail, for k = 1, 2, ... until the object has moved: to the top, or below others that have it. The
 * fourth from the top lies in two pages of the list.
 */
static void move_without_memory(unsigned above)
{
    struct another behind, others[3];
    int            err = -ENOMEM;
    uint32_t       k = 1;

    start();
    create(&behind);
    for (unsigned i = 0; i < above; i++)
        create_long(&others[i]);
    map_in(&space, page_of_table(0), 7);
    for (; err == -ENOMEM; k++) {
        struct frame_sums before, after;
        vaddr_t           object = object_of(&space);
        frame_t           frame = new_frame(8);
        uint32_t          value;

        frames_sums(&before);
        frame_fail_at(k);
        err = try_map(&space, layout.user.end - 1, frame);
        frame_fail_at(0);
        if (err != 0) {
            frames_sums(&after);
            assert_memory_equal(before.owned, after.owned, sizeof before.owned);
            assert_int_equal(object_of(&space), object);
            assert_int_equal(pages_of(&space), 2);
            frame_put(frame);
        }
        assert_clean();
        assert_true(user_reads(page_of_table(0), &value));
        assert_int_equal(value, 7);
    }
    assert_int_equal(err, 0);
    assert_in_range(k, 4, 10);                      /* a table and a page of the list, at least */
    discard_in(&space, page_of_table(0));
    discard_in(&space, layout.user.end - 1);
    for (unsigned i = 0; i < above; i++)
        space_destroy(&others[i].space);
    space_destroy(&behind.space);
    end();
}

static void without_memory_a_move_changes_nothing(void **state)
{
    (void)state;
    move_without_memory(0);
    move_without_memory(3);
}

/* Places that lie in three pages of the list: those made already go again. */
static void without_memory_no_page_of_the_list_is_left(void **state)
{
    struct span places = span_of(5 * POINTERS_A_PAGE - 1, POINTERS_A_PAGE + 2);
    lock_state  locked;
    uint32_t    free;

    (void)state;
    start();
    free   = frames_free();
    locked = lock_take(&trackers_lock);
    for (uint32_t k = 1; k <= 3; k++) {
        frame_fail_at(k);
        assert_int_equal(lists_prepare(places), -ENOMEM);
        assert_int_equal(frames_free(), free);
    }
    frame_fail_at(0);
    assert_int_equal(lists_prepare(places), 0);
    assert_int_equal(frames_free(), free - 3);
    for (uint32_t n = 4; n <= 6; n++)
        assert_int_equal(pinned_page_out(trackers_list_page(n)), 0);
    lock_drop(&trackers_lock, locked);
    end();
}

/* The first space of a page of trackers takes the most frames: root, page B, a page of trackers. */
static void without_memory_no_space_is_half_made(void **state)
{
    static struct another spaces[TRACKERS_A_PAGE];
    int                   err = -ENOMEM;
    unsigned              made = 0;
    uint32_t              k = 1;

    (void)state;
    start();
    while (made < TRACKERS_A_PAGE - 2)              /* the master table and `space` have one each */
        create(&spaces[made++]);
    assert_false(pinned_page_is_there(trackers_page(1)));
    for (; err == -ENOMEM; k++) {
        uint32_t free = frames_free();

        frame_fail_at(k);
        err = try_create(&spaces[made]);
        frame_fail_at(0);
        if (err != 0)
            assert_int_equal(frames_free(), free);
        assert_clean();
    }
    assert_int_equal(err, 0);
    assert_int_equal(k, 5);
    made++;
    assert_int_equal(spaces[made - 1].space.home.tracker, TRACKERS_A_PAGE);    /* the 513th page table */
    assert_true(pinned_page_is_there(trackers_page(1)));
    while (made > 0)
        space_destroy(&spaces[--made].space);
    assert_false(pinned_page_is_there(trackers_page(1)));
    end();
}

enum { LONG_ONES = 1200 };

/*
 * Objects of the greatest length fill the region; then growth is refused, and the object is unchanged. A short one
 * still finds a place to move to.
 */
static void without_room_an_object_stays_as_it_is(void **state)
{
    static struct another spaces[LONG_ONES];
    unsigned              made = 0;
    uint32_t              value;
    frame_t               frame;
    int                   err = 0;

    (void)state;
    assert_null(machine_boot(64 * MiB));
    while (err == 0 && made < LONG_ONES) {
        create(&spaces[made]);
        map_in(&spaces[made].space, page_of_table(0), made);
        frame = new_frame(made);
        err   = try_map(&spaces[made].space, layout.user.end - 1, frame);
        made++;
    }
    assert_int_equal(err, -ENOMEM);
    frame_put(frame);
    assert_in_range(made, 1000, LONG_ONES - 1);
    assert_int_equal(pages_of(&spaces[made - 1].space), 2);
    assert_int_equal(tracked_counts().refused, 1);
    assert_true(machine_load(&spaces[made - 1].space, page_address(page_of_table(0)), true, &value,
                             &(struct machine_fault){ 0 }));
    assert_int_equal(value, made - 1);
    assert_clean();
    create(&spaces[made]);
    map_in(&spaces[made - 1].space, page_of_table(1), 1);
    assert_int_equal(pages_of(&spaces[made - 1].space), 3);
    assert_int_equal(tracked_counts().refused, 1);
    assert_clean();
    space_destroy(&spaces[made].space);
    space_destroy(&spaces[0].space);                /* room for one */
    map_in(&spaces[made - 1].space, layout.user.end - 1, 1);
    assert_clean();
    while (made > 1)
        space_destroy(&spaces[--made].space);
    assert_int_equal(owned(OWNER_TEST), 0);
    assert_clean();
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_a_move_changes_nothing),
        cmocka_unit_test(without_memory_no_page_of_the_list_is_left),
        cmocka_unit_test(without_memory_no_space_is_half_made),
        cmocka_unit_test(without_room_an_object_stays_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) { return no_tests(); }

#endif
