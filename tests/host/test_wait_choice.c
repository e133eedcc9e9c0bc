/*
 * test_wait_choice.c - which child's change a wait tells of: where others change in the middle of the look, by group,
 * by thread; and that no look keeps anything for itself.
 */
#include "process_notes.h"

enum { NO_THREAD = 0x20000000, OFTEN = 200, MANY = 70 };

static struct process *self(void) { return current_process(); }

/* A child whose end says another signal than SIGCHLD: waits pass it over that do not ask for such. */
static int32_t fork_of_other_kind(void (*program)(void))
{
    return clone_into(program, (struct clone_request){ .exit_signal = SIGURG });
}

static void kill_all(void)
{
    struct list *at;

    LIST_EACH(at, &self()->children)
        (void)signal_process(LIST_ITEM(at, struct process, sibling_link), &(struct signal_info){ .number = SIGKILL });
    while (wait_for(-1, WAIT_ALL_KINDS) > 0)
        continue;
}

/* ---- Changes in the middle of a look ---------------------------------------------------------------------- */

static struct process *to_be_stopped;
static unsigned        rests_before;

/* At a rest of the look, so late: the child stops. */
static void stops_it(void)
{
    lock_state state;

    if (rests_before-- > 0)
        return;
    on_interrupts = NULL;
    state = lock_take(&process_lock);
    to_be_stopped->state       = PROCESS_STOPPED;
    to_be_stopped->stop_signal = SIGSTOP;
    process_note_change(to_be_stopped, &state);
    lock_drop(&process_lock, state);
}

static void goes_on(struct process *process)
{
    lock_state state = lock_take(&process_lock);

    process->state = PROCESS_ALIVE;
    lock_drop(&process_lock, state);
}

static void changes_while_it_is_passed(void)
{
    for (int i = 0; i < MANY; i++)
        fork_of_other_kind(sleeps_long);
    ids[0] = fork_into(sleeps_long);
    give_way();
    to_be_stopped = process_find(ids[0]);
    rests_before  = 2;                          /* two come before the look */
    on_interrupts = stops_it;                   /* no child has changed when the look begins */
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), ids[0]);
    assert_int_equal(waited.status, SIGSTOP << 8 | 0x7F);
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), 0);
    goes_on(to_be_stopped);
    kill_all();
}

static void a_change_in_the_middle_of_a_look_is_found(void) { begin(changes_while_it_is_passed); }

static void changes_beside_one_that_is_found(void)
{
    ids[0] = fork_into(sleeps_long);
    for (int i = 0; i < MANY; i++)
        fork_of_other_kind(does_nothing);
    ids[1] = fork_into(does_nothing);
    give_way();
    to_be_stopped = process_find(ids[0]);
    rests_before  = 2;                          /* two come before the look */
    on_interrupts = stops_it;
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), ids[1]);          /* the look has passed the other one */
    assert_null(on_interrupts);
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), ids[0]);
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), 0);
    goes_on(to_be_stopped);
    kill_all();
}

static void what_is_found_is_told_though_another_changes(void) { begin(changes_beside_one_that_is_found); }

/* ---- Looks leave nothing behind --------------------------------------------------------------------------- */

/* As often as there is no end of looks that were given up in the middle. */
static void looks_often(void)
{
    ids[0] = fork_of_other_kind(sleeps_long);
    ids[1] = fork_into(sleeps_long);
    ids[2] = fork_into(sleeps_long);
    assert_int_equal(process_set_group(ids[1], ids[1]), 0);
    assert_int_equal(process_set_group(ids[2], ids[1]), 0);
    give_way();
    for (int i = 0; i < OFTEN; i++) {
        assert_int_equal(wait_for(-1, NOHANG), 0);
        assert_int_equal(wait_for(-ids[1], NOHANG), 0);
        assert_false(process_group_is_orphaned(process_find(ids[1])));
    }
    for (int i = 0; i < OFTEN; i++) {
        kill(ids[2], i % 2 == 0 ? SIGSTOP : SIGCONT);
        give_way();
        assert_int_equal(wait_for(-1, NOHANG | UNTRACED | CONTINUED), i % 2 == 0 ? ids[2] : ids[2]);
        if (i % 2 == 1 && process_find(ids[2]) == NULL)
            break;
    }
    kill_all();
}

static void a_look_that_finds_early_is_over(void) { begin(looks_often); }

static void lasts(void)
{
    for (;;)
        sleeps_long();
}

static void end_one(int32_t id)
{
    signal_process(process_find(id), &(struct signal_info){ .number = SIGKILL });
    while (schedule_ready() > 0)
        schedule();
}

/* The console's children: the first has stopped, and others end one by one. */
static void a_parent_without_threads_passes_over_stops(void)
{
    struct process    *console = process_new();
    struct process_end end;
    int32_t            first = 0;

    order[0] = 0;
    assert_int_equal(process_enlist(console, NULL, NULL), 0);
    console->actions = actions_new(NULL);
    for (int i = 0; i < 40; i++) {
        struct process *child = start_program(lasts);
        int32_t         id    = child->id;
        lock_state      state = lock_take(&process_lock);

        process_adopt(console, child);
        lock_drop(&process_lock, state);
        while (schedule_ready() > 0)
            schedule();
        if (i == 0) {
            first = id;
            signal_process(child, &(struct signal_info){ .number = SIGSTOP });
            while (schedule_ready() > 0)
                schedule();
            assert_int_equal(child->state, PROCESS_STOPPED);
            continue;
        }
        end_one(id);
        assert_true(process_collect(console, -1, &end));
        assert_int_equal(end.id, id);
        assert_false(process_collect(console, -1, &end));
    }
    end_one(first);
    assert_true(process_collect(console, -1, &end));
    process_let_go(console);
    lock_state state = lock_take(&process_lock);
    process_delist(console);
    lock_drop(&process_lock, state);
    process_free(console);
}

/* ---- By group, and by thread ------------------------------------------------------------------------------ */

static void has_group_2(void)
{
    assert_int_equal(fork_into(sleeps_long), 2);
    ids[0] = fork_into(does_nothing);
    assert_int_equal(process_set_group(2, 2), 0);
    give_way();
    assert_int_equal(wait_for(-2, NOHANG), 0);                  /* group 2, and not any child */
    assert_int_equal(wait_for(-1, NOHANG), ids[0]);
    kill(2, SIGKILL);
    give_way();
    assert_int_equal(wait_for(0, NOHANG), -ECHILD);             /* none is in the own group */
    assert_int_equal(wait_for(-2, NOHANG), 2);
    assert_int_equal(wait_for(-2, NOHANG), -ECHILD);
}

static void groups_are_named_by_negative_numbers(void) { begin(has_group_2); }

/* A number of a thread that has ended may be another process's thread's. */
static void has_a_child_of_nobody_here(void)
{
    ids[0] = fork_into(sleeps_long);
    ids[1] = fork_into(sleeps_long);
    give_way();
    assert_int_equal(wait_for(ids[0], NOHANG | NO_THREAD), 0);
    process_find(ids[0])->maker = ids[1];
    assert_int_equal(wait_for(ids[0], NOHANG | NO_THREAD), 0);  /* the eldest's, who asks */
    kill_all();
}

static void a_makers_number_that_another_has_is_nobodys(void) { begin(has_a_child_of_nobody_here); }

/* ---- Two who end a process -------------------------------------------------------------------------------- */

static void ends_it_a_second_time(void)
{
    give_way_inside();                          /* in a call, when the other one ends the process */
    exit_with(5);
}

static void ends_it_first(void)
{
    thread_into(ends_it_a_second_time);
    give_way();
    exit_with(3);
}

static void waits_for_both(void)
{
    ids[0] = fork_into(ends_it_first);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, 3 << 8);
}

static void the_first_to_end_a_process_says_how(void) { begin(waits_for_both); }

/* ---- Waits without a limit -------------------------------------------------------------------------------- */

static void looks_at_its_parent(void)
{
    const struct thread *parent = self()->parent->threads;

    assert_int_equal(parent->phase, THREAD_WAITING);
    assert_false(parent->sleep_timer.armed);
    note('l');
}

static void waits_without_a_limit(void)
{
    ids[0] = fork_into(looks_at_its_parent);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    ids[0] = clone_into(looks_at_its_parent, (struct clone_request){ .flags = VM | VFORK, .exit_signal = SIGCHLD });
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void a_wait_for_a_child_sets_no_timer(void)
{
    begin(waits_without_a_limit);
    assert_string_equal(order, "ll");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_change_in_the_middle_of_a_look_is_found),
        in_world(what_is_found_is_told_though_another_changes),
        in_world(a_look_that_finds_early_is_over),
        in_world(a_parent_without_threads_passes_over_stops),
        in_world(groups_are_named_by_negative_numbers),
        in_world(a_makers_number_that_another_has_is_nobodys),
        in_world(the_first_to_end_a_process_says_how),
        in_world(a_wait_for_a_child_sets_no_timer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
