/*
 * test_process_looks.c - how many processes, threads and numbers are looked at under one hold of the lock, who is
 * visited, and how a change of a child enters its parent's list while that list changes.
 */
#include "process_notes.h"

static unsigned lettings, visits;

static void count_letting(void) { lettings++; }

static void visit(struct process *process, void *none)
{
    assert_non_null(process);
    assert_null(none);
    visits++;
}

static void visit_thread(struct thread *thread, void *none)
{
    assert_non_null(thread);
    assert_null(none);
    visits++;
}

static void kill_all(void)
{
    struct list *at;

    LIST_EACH(at, &current_process()->children)
        (void)signal_process(LIST_ITEM(at, struct process, sibling_link), &(struct signal_info){ .number = SIGKILL });
    while (wait_for(-1, WAIT_ALL_KINDS) > 0)
        continue;
}

/* ---- Under one hold of the lock --------------------------------------------------------------------------- */

static unsigned lettings_of(void (*look)(void))
{
    visits = lettings = 0;
    on_interrupts = count_letting;
    look();
    on_interrupts = NULL;
    return lettings;
}

static void look_at_group(void)   { process_each_in_group(1, visit, NULL); }
static void look_at_session(void) { process_each_in_session(1, visit, NULL); }

static void visits_members(void)
{
    for (unsigned members = 1; members <= 13; members++) {
        unsigned expected = 1 + members / 4;    /* the end, and after each four, where that is not the end */

        assert_int_equal(lettings_of(look_at_group), expected);
        assert_int_equal(visits, members);
        assert_int_equal(lettings_of(look_at_session), expected);
        assert_int_equal(visits, members);
        fork_into(sleeps_long);
    }
    kill_all();
}

static void four_members_are_visited_at_once(void) { begin(visits_members); }

static void look_beyond(void)
{
    lock_state state = lock_take(&process_lock);

    assert_ptr_equal(process_beyond(1, &state)->threads, thread_numbered(ids[0]));
    lock_drop(&process_lock, state);
}

static unsigned threads_between;

static void looks_past_threads(void)
{
    for (unsigned n = 0; n < threads_between; n++)
        thread_into(sleeps_long);
    ids[0] = fork_into(sleeps_long);
    ids[1] = (int32_t)lettings_of(look_beyond);
    kill_all();
    exit_with(0);
}

static unsigned lettings_past(unsigned threads)
{
    threads_between = threads;
    begin(looks_past_threads);
    return (unsigned)ids[1];
}

static void sixty_four_numbers_are_passed_at_once(void)
{
    assert_int_equal(lettings_past(0), 1);
    assert_int_equal(lettings_past(63), 1);
    assert_int_equal(lettings_past(64), 2);
    assert_int_equal(lettings_past(65), 2);
    assert_int_equal(lettings_past(127), 2);
    assert_int_equal(lettings_past(128), 3);
}

/* ---- Who is visited --------------------------------------------------------------------------------------- */

static void has_a_zombie_and_threads(void)
{
    ids[0] = fork_into(does_nothing);
    thread_into(sleeps_long);
    ids[1] = fork_into(sleeps_long);
    give_way();
    assert_int_equal(process_find(ids[0])->state, PROCESS_ZOMBIE);
    visits = 0;
    thread_each(visit_thread, NULL);
    assert_int_equal(visits, 3);                /* a zombie has none */
    visits = 0;
    process_each(visit, NULL);
    assert_int_equal(visits, 3);
    kill_all();
    exit_with(0);
}

static void a_zombie_is_a_process_without_a_thread(void) { begin(has_a_zombie_and_threads); }

/* ---- No number is left ------------------------------------------------------------------------------------ */

static void has_all_numbers(void)
{
    static struct number all[NUMBERS];
    uint32_t             count = 0;
    uint64_t             made  = processes_made();
    lock_state           state = lock_take(&process_lock);

    while (number_take(&all[count]) == 0)
        count++;
    lock_drop(&process_lock, state);
    assert_int_equal(count, NUMBERS - 2);       /* 1 is this process's own, and there is no 0 */
    assert_int_equal(fork_into(does_nothing), -EAGAIN);
    assert_int_equal(thread_into(does_nothing), -EAGAIN);
    assert_int_equal(processes_alive(), 1);
    assert_int_equal(threads_alive(), 1);
    assert_int_equal(processes_made(), made);
    assert_int_equal(parts_alive, 2);
    assert_true(list_is_empty(&current_process()->children));
    assert_int_equal(current_process()->credentials->account->threads, 1);
    state = lock_take(&process_lock);
    number_drop(&all[77]);
    lock_drop(&process_lock, state);
    ids[0] = fork_into(does_nothing);
    assert_int_equal(ids[0], all[77].value);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    state = lock_take(&process_lock);
    for (uint32_t n = 0; n < count; n++)
        if (n != 77)
            number_drop(&all[n]);
    lock_drop(&process_lock, state);
}

static void without_a_number_nothing_is_made(void) { begin(has_all_numbers); }

/* A process that nobody has made by fork: the console's, and the first program's. */
static void a_new_process_has_no_limit_of_time_and_all_rights(void)
{
    struct process *process = process_new();

    assert_true(process->cpu_due == NEVER);
    assert_true(process->start_time == clock_now());
    assert_int_equal(process->id, 0);
    assert_int_equal(process->credentials->user.real, 0);
    assert_true(process->credentials->capabilities.effective == CAPABILITIES_ALL);
    assert_true(list_is_empty(&process->children) && list_is_empty(&process->changed_children));
    process_free(process);
    order[0] = 0;
}

/* ---- Changes that are noted ------------------------------------------------------------------------------- */

/* A stop that was waited for is news no more; the going on after it is. */
static void stops_and_goes_on(void)
{
    ids[0] = fork_into(sleeps_long);
    give_way();
    kill(ids[0], SIGSTOP);
    give_way();
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), ids[0]);
    assert_true(list_is_empty(&current_process()->changed_children));
    signal_set_mask(1ull << (SIGCHLD - 1));
    kill(ids[0], SIGCONT);
    check_families();
    sleep_for(TICK);
    kill_all();
}

static void a_stop_that_was_waited_for_is_no_news(void) { begin(stops_and_goes_on); }

static void lasts(void)
{
    for (;;)
        sleeps_long();
}

static void goes_on_while_it_is_waited_for(void)
{
    uint32_t before;

    ids[0] = fork_into(lasts);
    ids[1] = fork_into(lasts);
    give_way();
    before = current_process()->child_changes;
    kill(ids[0], SIGSTOP);
    give_way();
    assert_int_equal(current_process()->child_changes, before + 1);
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), ids[0]);
    kill(ids[0], SIGCONT);
    give_way();
    assert_int_equal(current_process()->child_changes, before + 2);
    assert_int_equal(wait_for(-1, NOHANG | CONTINUED), ids[0]);
    assert_int_equal(waited.status, 0xFFFF);
    assert_int_equal(wait_for(-1, NOHANG | CONTINUED), 0);
    assert_true(list_is_empty(&current_process()->changed_children));
    kill(ids[0], SIGSTOP);
    give_way();
    kill(ids[0], SIGCONT);                      /* the stop was not waited for, and is over */
    give_way();
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), 0);
    check_families();
    assert_int_equal(wait_for(-1, NOHANG | CONTINUED), ids[0]);
    assert_true(list_is_empty(&current_process()->changed_children));
    kill_all();
}

static void each_stop_and_going_on_is_one_change(void) { begin(goes_on_while_it_is_waited_for); }

/* ---- The list changes in the middle of a search ----------------------------------------------------------- */

enum { YOUNGER = 70 };
static struct process *given_away, *other_parent;
static unsigned        rests_before;

/* At a rest of the search: the child has another parent. */
static void gives_it_away(void)
{
    lock_state state;

    if (rests_before-- > 0)
        return;
    on_interrupts = NULL;
    state = lock_take(&process_lock);
    process_adopt(other_parent, given_away);
    lock_drop(&process_lock, state);
}

/* At a rest of the search: the same change is entered by another. */
static void enters_it_first(void)
{
    lock_state state;

    if (rests_before-- > 0)
        return;
    on_interrupts = NULL;
    state = lock_take(&process_lock);
    process_note_change(given_away, &state);
    lock_drop(&process_lock, state);
}

static void (*meanwhile)(void);

/* An elder one has changed, and a third behind so many younger ones that have not been waited for. */
static void searches_far(void)
{
    struct process *self = current_process();
    lock_state      state;

    ids[0] = fork_into(does_nothing);
    ids[1] = fork_into(lasts);
    ids[2] = fork_into(lasts);
    for (int i = 0; i < YOUNGER; i++)
        fork_into(does_nothing);
    give_way();
    given_away   = process_find(ids[1]);
    other_parent = process_find(ids[2]);
    state = lock_take(&process_lock);
    given_away->state = PROCESS_STOPPED;
    on_interrupts = meanwhile;
    rests_before  = 0;
    process_note_change(given_away, &state);
    assert_null(on_interrupts);                 /* it rested on its way */
    given_away->state = PROCESS_ALIVE;
    lock_drop(&process_lock, state);
    assert_ptr_equal(given_away->parent, meanwhile == gives_it_away ? other_parent : self);
    assert_ptr_equal(given_away->parent->changed_children.next, meanwhile == gives_it_away ? &given_away->changed_link :
                                                                self->changed_children.next);
    assert_false(list_is_empty(&given_away->changed_link));
    check_families();
    kill(ids[1], SIGKILL);
    give_way();
    kill_all();
}

static void a_change_goes_with_its_child_to_another_parent(void)
{
    meanwhile = gives_it_away;
    begin(searches_far);
}

static void a_change_is_entered_once(void)
{
    meanwhile = enters_it_first;
    begin(searches_far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(four_members_are_visited_at_once),
        in_world(sixty_four_numbers_are_passed_at_once),
        in_world(a_zombie_is_a_process_without_a_thread),
        in_world(without_a_number_nothing_is_made),
        in_world(a_new_process_has_no_limit_of_time_and_all_rights),
        in_world(a_stop_that_was_waited_for_is_no_news),
        in_world(each_stop_and_going_on_is_one_change),
        in_world(a_change_goes_with_its_child_to_another_parent),
        in_world(a_change_is_entered_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
