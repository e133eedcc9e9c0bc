/*
 * test_exit_memory.c - which space the processor is in while a program ends, and what a process is made with.
 */
#include "process_notes.h"

static const struct space *space_at_end, *own_space;
static unsigned            seen;

static void looks_at_the_space(void)
{
    space_at_end = space_of_program();
    assert_null(current_process()->memory);
    assert_null(current_process()->actions);
    assert_null(current_process()->files);
    assert_null(current_process()->fs);
    seen++;
}

static void gives_way_at_its_end(void)
{
    looks_at_the_space();
    schedule();                                 /* another runs, and this one's tables are used once more */
}

static void just_ends(void) { own_space = &current_process()->memory->space; }

static void watches_an_end(void)
{
    ids[0] = fork_into(just_ends);
    on_terminal_left = looks_at_the_space;
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    on_terminal_left = NULL;
    assert_int_equal(seen, 1);
    assert_int_equal(space_at_end == own_space, stacks_are_own());       /* where its stack is mapped there alone */
}

static void a_space_is_left_before_it_is_emptied(void)
{
    seen = 0;
    begin(watches_an_end);
}

/* The last of all programs, whose space nobody else takes the place of. */
static void a_space_is_left_before_its_tables_go(void)
{
    seen = 0;
    on_terminal_left = gives_way_at_its_end;
    begin(just_ends);
    assert_int_equal(seen, 1);
    assert_ptr_equal(space_of_program(), &kernel_space);
    assert_sound();
}

/* The memory of one is another's as well: it stays as it is, and in use. */
static void shares_and_ends(void)
{
    set_word(PROGRAM_PAGE, 9);
    on_terminal_left = looks_at_the_space;
}

static void shares_its_memory(void)
{
    own_space = &current_process()->memory->space;
    ids[0] = clone_into(shares_and_ends, (struct clone_request){ .flags = VM, .exit_signal = SIGCHLD });
    give_way();
    on_terminal_left = NULL;
    assert_ptr_equal(space_at_end, own_space);
    assert_int_equal(word_at(PROGRAM_PAGE), 9);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(current_process()->memory->references, 1);
}

static void a_space_that_others_have_stays(void)
{
    seen = 0;
    begin(shares_its_memory);
}

/* Its parent has nothing left but its number: the child is for whoever comes next. */
static void lets_its_child_end(void)
{
    on_terminal_left = NULL;
    assert_null(current_process()->actions);
    schedule();
    assert_int_equal(process_find(ids[1])->state, PROCESS_ZOMBIE);
}

static void has_a_child_that_ends_with_it(void)
{
    ids[1] = fork_into(does_nothing);
    on_terminal_left = lets_its_child_end;
}

static void waits_for_a_grandchild(void)
{
    ids[0] = fork_into(has_a_child_that_ends_with_it);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
}

static void a_child_may_end_in_the_middle_of_its_parents_end(void) { begin(waits_for_a_grandchild); }

/* What is given back of others leaves the one that runs where it is. */
static void loses_children(void)
{
    const struct space *own = &current_process()->memory->space;

    no_memory_for_part = 2;
    assert_int_equal(fork_into(does_nothing), -ENOMEM);         /* the copy of its memory goes again */
    assert_ptr_equal(space_of_program(), own);
    ids[0] = fork_into(does_nothing);
    give_way();
    assert_ptr_equal(space_of_program(), own);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_ptr_equal(space_of_program(), own);
    assert_int_equal(word_at(PROGRAM_PAGE), 0);
}

static void memory_of_others_goes_without_a_change_of_space(void) { begin(loses_children); }

/* ---- What it begins with ---------------------------------------------------------------------------------- */

static void is_new(void)
{
    const struct process *self = current_process();

    assert_true(self->start_time == 5 * (uint64_t)TICK + process_find(1)->start_time);
    assert_true(self->cpu_due == NEVER && self->cpu_time == 0);
    assert_int_equal(self->alarm_interval, 0);
    assert_false(self->has_executed || self->subreaper || self->exiting || self->has_waited);
    assert_int_equal(self->parent_death_signal, 0);
    assert_null(self->timers);
    assert_int_equal(self->used.user_time, 0);
    assert_int_equal(self->thread_count, 1);
    assert_int_equal(current_thread()->phase, THREAD_RUNNING);
    assert_false(current_thread()->restore_mask);
}

static void makes_a_new_one(void)
{
    sleep_for(5 * TICK - (clock_now() - current_process()->start_time));
    process_set_subreaper(true);
    current_process()->has_executed        = true;
    current_process()->parent_death_signal = 9;
    ids[0] = fork_into(is_new);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    process_set_subreaper(false);
}

static void a_child_begins_with_its_own_time_and_none_used(void) { begin(makes_a_new_one); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_space_is_left_before_it_is_emptied),
        in_world(a_space_is_left_before_its_tables_go),
        in_world(a_space_that_others_have_stays),
        in_world(a_child_may_end_in_the_middle_of_its_parents_end),
        in_world(memory_of_others_goes_without_a_change_of_space),
        in_world(a_child_begins_with_its_own_time_and_none_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
