/*
 * test_group_orphans.c - which groups are cut off from their session by an end, and so hear SIGHUP and go on.
 *
 * Process 1 is the outer program; a session below it has a shell, which leads it, jobs and their members.
 */
#include "process_notes.h"

static int32_t shell, job, member_id;

static bool is_stopped(int32_t id) { return process_find(id) != NULL && process_find(id)->state == PROCESS_STOPPED; }

/* A member that stops; it ends by the SIGHUP that comes before the SIGCONT. */
static void stops(void)
{
    kill(current_process()->id, SIGSTOP);
    note('?');
}

static void lasts_three_ticks(void) { sleep_for(3 * TICK); }

static void joins(int32_t id, int32_t group) { assert_int_equal(process_set_group(id, group), 0); }

static void begin_session(void)
{
    shell = process_new_session();
    assert_int_equal(shell, current_process()->id);
}

/* Process 1 waits for all there are, and so for those that are left to it. */
static void waits_for_all(void)
{
    while (wait_for(-1, 0) > 0)
        continue;
}

/* ---- The group of the one that ends ------------------------------------------------------------------------- */

static void leads_a_job_with_a_stopped_member(void)
{
    joins(0, 0);
    member_id = fork_into(stops);
    sleep_for(2 * TICK);
    assert_true(is_stopped(member_id));
}

static void has_a_job(void)
{
    begin_session();
    job = fork_into(leads_a_job_with_a_stopped_member);
    assert_int_equal(wait_for(job, 0), job);
    sleep_for(TICK);
    assert_true(process_find(member_id) == NULL || process_find(member_id)->state == PROCESS_ZOMBIE);
    sleep_for(TICK);
}

static void starts_a_session_with_a_job(void)
{
    int32_t id = fork_into(has_a_job);

    assert_int_equal(wait_for(id, 0), id);
    assert_int_equal(waited.status, 0);
    assert_int_equal(wait_for(member_id, 0), member_id);
    assert_int_equal(waited.status, SIGHUP);
}

static void who_ends_as_the_link_of_its_group_sets_it_going(void)
{
    begin(starts_a_session_with_a_job);
    assert_string_equal(order, "");
}

/* The same with a second one in the group, whose parent is the shell. */
static void has_a_job_of_two(void)
{
    int32_t second;

    begin_session();
    job    = fork_into(leads_a_job_with_a_stopped_member);
    give_way();
    second = fork_into(sleeps_long);
    joins(second, job);
    assert_int_equal(wait_for(job, 0), job);
    sleep_for(2 * TICK);
    assert_true(is_stopped(member_id));                 /* the shell may continue it still */
    assert_int_equal(process_find(second)->state, PROCESS_ALIVE);
    kill(second, SIGKILL);
    assert_int_equal(wait_for(second, 0), second);
    kill(member_id, SIGKILL);
}

static void starts_a_session_with_a_job_of_two(void)
{
    int32_t id = fork_into(has_a_job_of_two);

    assert_int_equal(wait_for(id, 0), id);
    assert_int_equal(waited.status, 0);
    waits_for_all();
}

static void another_of_the_group_with_such_a_parent_keeps_it_as_it_is(void)
{
    begin(starts_a_session_with_a_job_of_two);
}

/* ---- Children in the same group ---------------------------------------------------------------------------------- */

static void leads_a_session_of_one_group(void)
{
    begin_session();
    member_id = fork_into(stops);
    give_way();
    assert_true(is_stopped(member_id));
}

static void outlives_a_session(void)
{
    int32_t id = fork_into(leads_a_session_of_one_group);

    assert_int_equal(wait_for(id, 0), id);
    sleep_for(2 * TICK);
    assert_true(is_stopped(member_id));                 /* its parent never was a link: nothing has changed for it */
    kill(member_id, SIGKILL);
    assert_int_equal(wait_for(member_id, 0), member_id);
    assert_int_equal(waited.status, SIGKILL);
}

static void a_parent_in_the_same_group_was_no_link(void)
{
    begin(outlives_a_session);
    assert_string_equal(order, "");
}

/* A child in a session of its own: its group is none of its parent's affairs. */
static void stops_in_its_own_session(void)
{
    process_new_session();
    stops();
}

static void has_a_child_in_another_session(void)
{
    begin_session();
    member_id = fork_into(stops_in_its_own_session);
    give_way();
    assert_true(is_stopped(member_id));
}

static void outlives_a_parent_of_another_session(void)
{
    int32_t id = fork_into(has_a_child_in_another_session);

    assert_int_equal(wait_for(id, 0), id);
    sleep_for(2 * TICK);
    assert_true(is_stopped(member_id));
    kill(member_id, SIGKILL);
    assert_int_equal(wait_for(member_id, 0), member_id);
}

static void a_parent_in_another_session_was_no_link(void) { begin(outlives_a_parent_of_another_session); }

/* ---- Which others are links ------------------------------------------------------------------------------- */

static void (*second_program)(void);

/* The one whose end is looked at: its child stops in a group of its own. */
static void links_a_stopped_child(void)
{
    member_id = fork_into(stops);
    joins(member_id, member_id);
    job = member_id;
    sleep_for(4 * TICK);
    assert_true(is_stopped(member_id));
}

static bool was_left_stopped;

static void has_a_link_and_another(void)
{
    int32_t link, other;

    begin_session();
    link = fork_into(links_a_stopped_child);
    give_way();
    give_way();
    assert_true(is_stopped(member_id));
    other = fork_into(second_program);
    assert_int_equal(wait_for(link, 0), link);
    give_way();
    was_left_stopped = is_stopped(member_id);
    assert_int_equal(wait_for(other, 0), other);
}

static void starts_a_session_with_a_link(void)
{
    int32_t id = fork_into(has_a_link_and_another);

    assert_int_equal(wait_for(id, 0), id);
    assert_int_equal(waited.status, 0);
    waits_for_all();
}

static bool is_left_stopped_beside(void (*program)(void))
{
    second_program = program;
    begin(starts_a_session_with_a_link);
    assert_string_equal(order, "");
    return was_left_stopped;
}

/* Its child is a zombie in the group, and no link any more. */
static void has_a_zombie_in_the_group(void)
{
    int32_t zombie = fork_into(lasts_three_ticks);

    joins(zombie, job);
    kill(zombie, SIGKILL);
    sleep_for(8 * TICK);
    assert_int_equal(wait_for(zombie, 0), zombie);
}

static void has_a_living_child_in_the_group(void)
{
    int32_t child = fork_into(sleeps_long);

    joins(child, job);
    sleep_for(8 * TICK);
    kill(child, SIGKILL);
    assert_int_equal(wait_for(child, 0), child);
}

/* Parent and child are both in the group, and the parent's parent is outside of the session. */
static void is_in_the_group_with_its_child(void)
{
    int32_t child;

    on_signal(SIGHUP, SIG_IGN, 0);
    joins(0, job);
    child = fork_into(sleeps_long);
    sleep_for(8 * TICK);
    kill(child, SIGKILL);
    assert_int_equal(wait_for(child, 0), child);
}

static void leaves_such_a_one_behind(void) { fork_into(is_in_the_group_with_its_child); }

static void a_member_is_a_link_while_it_and_its_parent_live_in_two_groups(void)
{
    assert_false(is_left_stopped_beside(does_nothing));
    assert_false(is_left_stopped_beside(has_a_zombie_in_the_group));
    assert_true(is_left_stopped_beside(has_a_living_child_in_the_group));
    assert_false(is_left_stopped_beside(leaves_such_a_one_behind));
}

/* ---- Group 1 ---------------------------------------------------------------------------------------------- */

static void stops_in_group_1(void)
{
    on_signal(SIGHUP, SIG_DFL, 0);
    joins(0, 1);
    kill(current_process()->id, SIGSTOP);
    note('?');
}

static void leaves_group_1_and_has_a_child_there(void)
{
    joins(0, 0);
    member_id = fork_into(stops_in_group_1);
    give_way();
    give_way();
    assert_true(is_stopped(member_id));
}

static void leads_group_1(void)
{
    on_signal(SIGHUP, 200, 0);
    job = fork_into(leaves_group_1_and_has_a_child_there);
    assert_int_equal(wait_for(job, 0), job);
    assert_int_equal(wait_for(member_id, 0), member_id);
    assert_int_equal(waited.status, SIGHUP);
}

static void the_first_group_is_like_any_other(void)
{
    begin(leads_group_1);
    assert_string_equal(order, "");
    assert_int_equal(handlers_run, 1);          /* the group is sent the signal, its leader as well */
}

/* ---- Two groups of one parent ----------------------------------------------------------------------------- */

static int32_t first_member, second_member, third_member;

static void links_two_groups(void)
{
    first_member  = fork_into(stops);
    second_member = fork_into(stops);
    third_member  = fork_into(stops);
    joins(first_member, 0);
    joins(second_member, 0);
    joins(third_member, first_member);
    give_way();
    assert_true(is_stopped(first_member) && is_stopped(second_member) && is_stopped(third_member));
}

static void has_a_link_of_two(void)
{
    begin_session();
    job = fork_into(links_two_groups);
    assert_int_equal(wait_for(job, 0), job);
    sleep_for(TICK);
}

static void asks_for_three_fates(void)
{
    int32_t id = fork_into(has_a_link_of_two);

    assert_int_equal(wait_for(id, 0), id);
    assert_int_equal(wait_for(first_member, 0), first_member);
    assert_int_equal(waited.status, SIGHUP);
    assert_int_equal(wait_for(second_member, 0), second_member);
    assert_int_equal(waited.status, SIGHUP);
    assert_int_equal(wait_for(third_member, 0), third_member);
    assert_int_equal(waited.status, SIGHUP);
}

static void each_group_that_is_cut_off_hears_of_it(void) { begin(asks_for_three_fates); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(who_ends_as_the_link_of_its_group_sets_it_going),
        in_world(another_of_the_group_with_such_a_parent_keeps_it_as_it_is),
        in_world(a_parent_in_the_same_group_was_no_link),
        in_world(a_parent_in_another_session_was_no_link),
        in_world(a_member_is_a_link_while_it_and_its_parent_live_in_two_groups),
        in_world(the_first_group_is_like_any_other),
        in_world(each_group_that_is_cut_off_hears_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
