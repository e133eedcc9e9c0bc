/*
 * test_tour.c - going over lists that change meanwhile: each that stays is visited once, in order.
 */
#include "tour_items.h"

static lock_state  state;

/* The next few steps of a tour, or all that are left. */
static void go_on(struct tour *tour, unsigned steps)
{
    struct list *at;

    while (steps-- > 0 && (at = tour_next(tour)) != NULL)
        note(LIST_ITEM(at, struct item, link)->letter);
}

static void leave(unsigned item) { tours_list_remove(&items[item].link); }

static void each_is_visited_once_from_the_first_to_the_last(void)
{
    fill_list();
    state = lock_take(&process_lock);
    go_on(tour_list(&head, 4, &state), 100);
    assert_string_equal(order, "abcdefghi");
    order[0] = 0;
    go_on(tour_list_back(&head, 4, &state), 100);
    assert_string_equal(order, "ihgfedcba");
    lock_drop(&process_lock, state);
}

static void what_leaves_is_not_visited(void)
{
    struct tour *there, *back;

    fill_list();
    state = lock_take(&process_lock);
    there = tour_list(&head, 2, &state);
    go_on(there, 3);
    leave(3);                                   /* the next one */
    leave(4);                                   /* then the next again */
    leave(1);                                   /* one that was visited */
    leave(7);                                   /* one further on */
    go_on(there, 100);
    assert_string_equal(order, "abcfgi");
    order[0] = 0;
    back = tour_list_back(&head, 2, &state);
    go_on(back, 1);
    leave(6);
    leave(5);
    go_on(back, 100);
    assert_string_equal(order, "ica");
    lock_drop(&process_lock, state);
}

static void the_last_one_may_leave(void)
{
    struct tour *tour;

    fill_list();
    state = lock_take(&process_lock);
    tour = tour_list(&head, 2, &state);
    go_on(tour, ITEMS - 1);
    leave(ITEMS - 1);
    assert_null(tour_next(tour));
    assert_string_equal(order, "abcdefgh");
    lock_drop(&process_lock, state);
}

static void what_comes_meanwhile_is_visited_at_the_end(void)
{
    struct item late = { .letter = 'z' };
    struct tour *tour;

    fill_list();
    state = lock_take(&process_lock);
    tour  = tour_list(&head, 2, &state);
    go_on(tour, 5);
    list_insert(&head, &late.link);
    go_on(tour, 100);
    assert_string_equal(order, "abcdefghiz");
    lock_drop(&process_lock, state);
}

/* As many as there may be at once; one that ended does not hear of what leaves. */
static void tours_under_way_do_not_disturb_each_other(void)
{
    struct tour *tours[4 * MAX_CPUS];

    fill_list();
    state = lock_take(&process_lock);
    for (unsigned i = 0; i < COUNT_OF(tours); i++) {
        tours[i] = i % 2 == 0 ? tour_list(&head, 3, &state) : tour_list_back(&head, 3, &state);
        for (unsigned j = 0; j < i; j++)
            assert_ptr_not_equal(tours[i], tours[j]);
    }
    go_on(tours[0], 4);                         /* e is next */
    go_on(tours[1], 4);                         /* so it is backwards */
    tour_end(tours[2]);
    leave(4);
    leave(0);
    order[0] = 0;
    go_on(tours[0], 100);
    assert_string_equal(order, "fghi");
    order[0] = 0;
    go_on(tours[1], 100);
    assert_string_equal(order, "dcb");
    order[0] = 0;
    tours[2] = tour_list(&head, 3, &state);
    go_on(tours[2], 2);
    assert_string_equal(order, "bc");
    for (unsigned i = 2; i < COUNT_OF(tours); i++)
        tour_end(tours[i]);
    lock_drop(&process_lock, state);
}

/* ---- Threads ------------------------------------------------------------------------------------------- */

static void goes_over_its_threads(void)
{
    struct process *self = current_process();
    struct thread  *threads[5];
    struct tour    *tour;

    for (unsigned i = 1; i < COUNT_OF(threads); i++)
        threads[i] = thread_find(thread_into(sleeps_long));
    threads[0] = self->threads;
    state = lock_take(&process_lock);
    tour  = tour_threads(self, 2, &state);
    for (unsigned i = 0; i < COUNT_OF(threads); i++)
        assert_ptr_equal(tour_next_thread(tour), threads[i]);
    assert_null(tour_next_thread(tour));
    tour = tour_threads(self, 2, &state);
    assert_ptr_equal(tour_next_thread(tour), threads[0]);
    tours_leave_thread(threads[1]);
    tours_leave_thread(threads[4]);             /* not the next */
    assert_ptr_equal(tour_next_thread(tour), threads[2]);
    tours_leave_thread(threads[0]);
    assert_ptr_equal(tour_next_thread(tour), threads[3]);
    tours_leave_thread(threads[4]);
    assert_null(tour_next_thread(tour));
    lock_drop(&process_lock, state);
    exit_with(0);
}

static void threads_are_visited_by_age_but_for_those_that_leave(void) { begin(goes_over_its_threads); }

/* ---- All processes, all threads: by number ----------------------------------------------------------------- */

static int32_t  seen[16];
static unsigned seen_count;

static void see_process(struct process *process, void *data)
{
    assert_ptr_equal(data, seen);
    assert_true(lock_held(&process_lock));
    seen[seen_count++] = process->id;
}

static void see_thread(struct thread *thread, void *data)
{
    assert_ptr_equal(data, seen);
    assert_true(lock_held(&process_lock));
    seen[seen_count++] = thread->id;
}

static void has_two_threads(void)
{
    ids[4] = thread_into(sleeps_long);
    sleeps_long();
}

static void goes_over_all(void)
{
    ids[0] = current_process()->id;
    ids[1] = thread_into(sleeps_long);
    ids[2] = fork_into(has_two_threads);
    ids[3] = fork_into(sleeps_long);
    sleep_for(TICK);
    seen_count = 0;
    process_each(see_process, seen);
    assert_int_equal(seen_count, 3);
    assert_true(seen[0] == ids[0] && seen[1] == ids[2] && seen[2] == ids[3]);
    seen_count = 0;
    thread_each(see_thread, seen);
    assert_int_equal(seen_count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(seen[i], ids[i]);

    state = lock_take(&process_lock);
    assert_ptr_equal(process_beyond(-1, &state), current_process());
    assert_ptr_equal(process_beyond(ids[0], &state), process_numbered(ids[2]));
    assert_ptr_equal(process_beyond(ids[1], &state), process_numbered(ids[2]));
    assert_ptr_equal(process_beyond(ids[2], &state), process_numbered(ids[3]));
    assert_null(process_beyond(ids[3], &state));
    assert_ptr_equal(thread_beyond(ids[2], 0, &state), thread_numbered(ids[2]));
    assert_ptr_equal(thread_beyond(ids[2], ids[2], &state), thread_numbered(ids[4]));
    assert_null(thread_beyond(ids[2], ids[4], &state));
    assert_ptr_equal(thread_beyond(ids[0], ids[0], &state), thread_numbered(ids[1]));
    assert_null(thread_beyond(ids[0], ids[1], &state));
    assert_null(process_numbered(ids[1]));                      /* a thread's number, and no process's */
    assert_null(thread_numbered(ids[4] + 1));
    lock_drop(&process_lock, state);
    kill(ids[2], SIGKILL);
    kill(ids[3], SIGKILL);
    assert_int_equal(wait_for(-1, 0), ids[2]);
    assert_int_equal(wait_for(-1, 0), ids[3]);
    exit_with(0);
}

static void processes_and_threads_are_visited_by_number(void) { begin(goes_over_all); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(each_is_visited_once_from_the_first_to_the_last),
        in_world(what_leaves_is_not_visited),
        in_world(the_last_one_may_leave),
        in_world(what_comes_meanwhile_is_visited_at_the_end),
        in_world(tours_under_way_do_not_disturb_each_other),
        in_world(threads_are_visited_by_age_but_for_those_that_leave),
        in_world(processes_and_threads_are_visited_by_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
