/*
 * test_group.c - stops and goings on, groups of processes, sessions, and groups that are orphaned.
 */
#include "process_notes.h"

/* ---- Stops ----------------------------------------------------------------------------------------------- */

static void gives_way_often(void)
{
    for (int i = 0; i < 6; i++)
        give_way();
}

static void stops_and_continues_a_child(void)
{
    ids[0] = fork_into(gives_way_often);
    give_way();
    kill(ids[0], SIGSTOP);
    give_way();
    check_families();
    assert_int_equal(process_find(ids[0])->state, PROCESS_STOPPED);
    assert_int_equal(wait_for(-1, NOHANG), 0);                  /* stops were not asked for */
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED | 0x1000000), ids[0]);
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), ids[0]);
    assert_int_equal(waited.status, SIGSTOP << 8 | 0x7F);
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), 0);       /* reported once */
    assert_true(list_is_empty(&process_find(1)->changed_children));
    kill(ids[0], SIGCONT);
    give_way();
    check_families();
    assert_int_equal(process_find(ids[0])->state, PROCESS_ALIVE);
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), 0);
    assert_int_equal(wait_for(ids[0], NOHANG | CONTINUED | 0x1000000), ids[0]);
    assert_int_equal(wait_for(ids[0], NOHANG | CONTINUED), ids[0]);
    assert_int_equal(waited.status, 0xFFFF);
    assert_int_equal(wait_for(ids[0], NOHANG | CONTINUED), 0);
    assert_int_equal(wait_for(-1, UNTRACED | CONTINUED), ids[0]);
    assert_int_equal(waited.status, 0);
}

static void a_parent_hears_of_stops_and_goings_on(void) { begin(stops_and_continues_a_child); }

static void gives_way_as_9(void)
{
    act_as(9);
    gives_way_often();
}

static void hears_of_stops_by_signal(void)
{
    on_signal(SIGCHLD, 100, 0);
    ids[0] = fork_into(gives_way_as_9);
    give_way();
    kill(ids[0], SIGSTOP);
    give_way();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.code, 5);                  /* CLD_STOPPED */
    assert_int_equal(handled[0].info.status, SIGSTOP);
    assert_int_equal(handled[0].info.sender, ids[0]);
    assert_int_equal(handled[0].info.uid, 9);
    handler_returns();
    kill(ids[0], SIGCONT);
    give_way();
    assert_int_equal(handlers_run, 2);
    assert_int_equal(handled[1].info.code, 6);                  /* CLD_CONTINUED */
    assert_int_equal(handled[1].info.status, SIGCONT);
    handler_returns();
    on_signal(SIGCHLD, 100, 1);                                 /* SA_NOCLDSTOP: of stops it will not hear */
    kill(ids[0], SIGSTOP);
    give_way();
    kill(ids[0], SIGCONT);
    give_way();
    assert_int_equal(handlers_run, 2);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(handlers_run, 3);
    handler_returns();
}

static void sigchld_says_who_stopped_and_goes_on(void) { begin(hears_of_stops_by_signal); }

static void waits_for_a_stop(void)
{
    ids[0] = fork_into(sleeps_long);
    ids[1] = fork_into(signals_its_parent);
    process_find(1)->actions->action[SIGUSR1].handler = SIG_IGN;
    give_way();
    kill(ids[0], SIGSTOP);
    uint64_t began = clock_now();
    assert_int_equal(wait_for(ids[0], UNTRACED), ids[0]);       /* woken by the stop, at once */
    assert_true(clock_now() == began);
    assert_int_equal(waited.status, SIGSTOP << 8 | 0x7F);
    kill(ids[0], SIGKILL);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, SIGKILL);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
}

static void a_stop_wakes_who_waits_for_it_and_a_kill_ends_the_stopped(void) { begin(waits_for_a_stop); }

static void stops_while_its_child_is_told_of(void)
{
    for (int i = 0; i < 3; i++)
        ids[i] = fork_into(sleeps_long);
    give_way();
    kill(ids[0], SIGSTOP);
    kill(ids[2], SIGSTOP);
    give_way();
    kill(ids[1], SIGKILL);
    give_way();
    check_families();
    assert_int_equal(wait_for(-1, NOHANG), ids[1]);             /* news of others is passed over */
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), ids[0]);
    assert_int_equal(wait_for(-1, NOHANG | UNTRACED), ids[2]);
    kill(ids[0], SIGKILL);
    kill(ids[2], SIGKILL);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(wait_for(-1, 0), ids[2]);
}

static void stops_and_ends_are_told_of_each_to_whoever_asks(void) { begin(stops_while_its_child_is_told_of); }

static void continues_process_1(void)
{
    give_way();
    assert_int_equal(process_find(1)->state, PROCESS_STOPPED);
    kill(1, SIGCONT);
    note('k');
}

/* Without a parent there is nobody to be told. */
static void stops_without_a_parent(void)
{
    fork_into(continues_process_1);
    kill(1, SIGSTOP);
    note('c');
    assert_int_equal(wait_for(-1, 0) > 0, 1);
}

static void a_process_without_a_parent_stops_and_goes_on(void)
{
    begin(stops_without_a_parent);
    assert_string_equal(order, "kc");
}

/* ---- Groups and sessions --------------------------------------------------------------------------------- */

static void makes_groups(void)
{
    assert_int_equal(current_process()->group, 1);
    assert_int_equal(current_process()->session, 1);
    assert_int_equal(process_set_group(0, 0), -EPERM);          /* the caller leads the session */
    for (int i = 0; i < 3; i++)
        ids[i] = fork_into(member);
    assert_int_equal(process_find(ids[0])->group, 1);
    assert_int_equal(process_set_group(ids[0], -1), -EINVAL);
    assert_int_equal(process_set_group(99, 99), -ESRCH);
    assert_int_equal(process_set_group(ids[0], ids[1]), -EPERM);        /* no such group */
    assert_int_equal(process_set_group(ids[0], 99), -EPERM);
    assert_int_equal(process_set_group(ids[0], 0), 0);
    assert_int_equal(process_find(ids[0])->group, ids[0]);
    assert_int_equal(process_set_group(ids[0], ids[0]), 0);             /* as it is already */
    assert_int_equal(process_set_group(ids[1], ids[0]), 0);
    assert_int_equal(process_find(ids[1])->group, ids[0]);
    process_find(ids[2])->has_executed = true;
    assert_int_equal(process_set_group(ids[2], ids[0]), -EACCES);
    process_find(ids[2])->has_executed = false;
    check_families();
    assert_int_equal(wait_for(-ids[0], NOHANG), 0);
    assert_int_equal(wait_for(-99, NOHANG), -ECHILD);
    assert_int_equal(wait_for(-ids[1], NOHANG), -ECHILD);
    assert_int_equal(wait_for(0, 0), ids[2]);                           /* its own group has only this child */
    assert_int_equal(wait_for(0, 0), -ECHILD);
    assert_int_equal(wait_for(-ids[0], 0), ids[0]);
    assert_int_equal(wait_for(-ids[0], 0), ids[1]);                     /* the group outlives its leader */
    assert_int_equal(wait_for(-ids[0], 0), -ECHILD);
}

static void groups_are_made_joined_and_waited_for(void) { begin(makes_groups); }

static void moves_itself(void)
{
    assert_int_equal(process_set_group(0, 0), 0);
    assert_int_equal(current_process()->group, current_process()->id);
    assert_int_equal(process_set_group(0, 1), 0);
    assert_int_equal(current_process()->group, 1);
    assert_int_equal(process_set_group(1, 1), -ESRCH);                  /* a child cannot move its parent */
    current_process()->has_executed = true;
    assert_int_equal(process_set_group(current_process()->id, 0), 0);   /* itself it may move after exec, too */
    assert_int_equal(process_set_group(0, 1), 0);
}

static void begins_a_session(void)
{
    struct process *self = current_process();

    self->terminal = (struct terminal *)self;
    ids[1] = process_new_session();
    assert_int_equal(ids[1], self->id);
    assert_int_equal(self->session, self->id);
    assert_int_equal(self->group, self->id);
    assert_null(self->terminal);
    assert_int_equal(process_new_session(), -EPERM);                    /* the caller leads a group */
    assert_int_equal(process_set_group(0, 1), -EPERM);                  /* and the session */
    give_way();
}

static void tries_to_move_who_is_in_another_session(void)
{
    ids[0] = fork_into(moves_itself);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    ids[0] = fork_into(begins_a_session);
    give_way();
    assert_int_equal(process_set_group(ids[0], 1), -EPERM);
    ids[2] = fork_into(member);
    assert_int_equal(process_set_group(ids[2], ids[0]), -EPERM);        /* a group of another session */
    check_families();
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(wait_for(-1, 0), ids[2]);
}

static void sessions_keep_to_themselves(void) { begin(tries_to_move_who_is_in_another_session); }

static unsigned visits;
static int32_t  visited[8];
static void visit(struct process *process, void *data)
{
    assert_ptr_equal(data, &visits);
    visited[visits++] = process->id;
}

static void counts_everybody(void)
{
    for (int i = 0; i < 3; i++)
        ids[i] = fork_into(member);
    assert_int_equal(process_set_group(ids[1], 0), 0);
    visits = 0;
    process_each(visit, &visits);
    assert_int_equal(visits, 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(visited[i + 1], ids[i]);
    visits = 0;
    process_each_in_group(1, visit, &visits);
    assert_int_equal(visits, 3);
    assert_int_equal(visited[2], ids[2]);
    visits = 0;
    process_each_in_session(1, visit, &visits);
    assert_int_equal(visits, 4);
    visits = 0;
    process_each_in_group(77, visit, &visits);
    process_each_in_session(77, visit, &visits);
    assert_int_equal(visits, 0);
    assert_int_equal(process_last_number(), ids[2]);
    assert_ptr_equal(thread_find(ids[2])->process, process_find(ids[2]));
    assert_null(thread_find(77));
    for (int i = 0; i < 3; i++)
        assert_int_equal(wait_for(-1, 0), ids[i]);
}

static void each_process_is_visited_in_order(void) { begin(counts_everybody); }

/* ---- Orphaned groups ------------------------------------------------------------------------------------- */

/* Process 1's child leads a group; its own child stops in another: with the leader the last link goes. */
static void stops_itself_in_a_group_of_its_own(void)
{
    process_set_group(0, 0);
    kill(current_process()->id, SIGSTOP);
    note('c');                                  /* SIGHUP, then SIGCONT: gone on only where the first is handled */
}

static void leader_of_the_link(void)
{
    assert_int_equal(process_new_session(), current_process()->id);
    on_signal(SIGHUP, 200, 0);
    ids[1] = fork_into(stops_itself_in_a_group_of_its_own);
    ids[2] = fork_into(does_nothing);           /* in the leader's group, which gets no signal */
    give_way();
    assert_int_equal(process_find(ids[1])->state, PROCESS_STOPPED);
    assert_false(process_group_is_orphaned(process_find(ids[1])));
    assert_true(process_group_is_orphaned(current_process()));
}

static void has_a_shell(void)
{
    ids[0] = fork_into(leader_of_the_link);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
    assert_int_equal(waited.status, 0);
    assert_int_equal(wait_for(-1, 0), ids[2]);
}

static void a_stopped_group_that_is_orphaned_hears_sighup_and_goes_on(void)
{
    begin(has_a_shell);
    assert_string_equal(order, "c");
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.number, SIGHUP);
    assert_int_equal(handled[0].thread, ids[1]);
}

/* A second link keeps the group as it is. */
static void waits_for_its_stopped_brother(void)
{
    sleep_for(3 * TICK);
}

static void leader_with_a_second_link(void)
{
    assert_int_equal(process_new_session(), current_process()->id);
    ids[1] = fork_into(stops_itself_in_a_group_of_its_own);
    give_way();
    ids[3] = fork_into(waits_for_its_stopped_brother);
    /* A member of the stopped group whose parent, the brother, goes on living. */
    ids[4] = fork_into(sleeps_long);
    assert_int_equal(process_set_group(ids[4], ids[1]), 0);
    lock_state state = lock_take(&process_lock);
    process_adopt(process_numbered(ids[3]), process_numbered(ids[4]));
    lock_drop(&process_lock, state);
}

static void has_a_shell_with_two(void)
{
    ids[0] = fork_into(leader_with_a_second_link);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(process_find(ids[1])->state, PROCESS_STOPPED);     /* the brother still links it */
    assert_int_equal(wait_for(ids[3], 0), ids[3]);                      /* now no process links it */
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
    assert_int_equal(waited.status, SIGHUP);
    assert_int_equal(wait_for(ids[4], 0), ids[4]);
    assert_int_equal(waited.status, SIGHUP);                            /* the whole group */
}

static void a_group_is_left_alone_while_anybody_links_it(void) { begin(has_a_shell_with_two); }

/* Terminal stops do nothing to an orphaned group, SIGSTOP does. */
static void is_told_to_stop(void)
{
    kill(1, SIGTSTP);
    note('t');
    ids[0] = fork_into(member);
    assert_int_equal(process_set_group(ids[0], 0), 0);
    kill(ids[0], SIGTSTP);
    give_way();
    assert_int_equal(process_find(ids[0])->state, PROCESS_STOPPED);     /* its parent links its group */
    assert_int_equal(process_find(ids[0])->stop_signal, SIGTSTP);
    kill(ids[0], SIGKILL);
    assert_int_equal(wait_for(-1, 0), ids[0]);
}

static void stops_from_the_terminal_pass_over_an_orphaned_group(void)
{
    begin(is_told_to_stop);
    assert_string_equal(order, "t");
}

/* ---- More members than are sent their signal at once -------------------------------------------------------- */

enum { VERY_MANY = 30 };

static int32_t forks_a_large_group(void)
{
    int32_t leader = 0;

    for (int i = 0; i < VERY_MANY; i++) {
        int32_t id = fork_into(sleeps_long);

        assert_int_equal(process_set_group(id, leader), 0);
        leader = leader != 0 ? leader : id;
    }
    return leader;
}

static void ends_a_large_group(void)
{
    int32_t leader = forks_a_large_group();

    assert_int_equal(signal_group(leader, SIGUSR1), 0);
    give_way();
    give_way();
    check_families();
    for (int i = 0; i < VERY_MANY; i++) {
        assert_int_equal(wait_for(-leader, NOHANG), leader + i);
        assert_int_equal(waited.status, SIGUSR1);
    }
    assert_int_equal(wait_for(-leader, NOHANG), -ECHILD);
    assert_int_equal(signal_group(leader, SIGUSR1), -ESRCH);
}

static void each_member_of_a_large_group_gets_its_signal(void) { begin(ends_a_large_group); }

/* The second is given while the first has not been sent to all. */
static void stops_and_continues_a_large_group(void)
{
    int32_t leader = forks_a_large_group();

    give_way();
    assert_int_equal(signal_group(leader, SIGSTOP), 0);
    give_way();
    give_way();
    for (int32_t id = leader; id < leader + VERY_MANY; id++)
        assert_int_equal(process_find(id)->state, PROCESS_STOPPED);
    assert_int_equal(signal_group(leader, SIGHUP), 0);
    assert_int_equal(signal_group(leader, SIGCONT), 0);
    give_way();
    give_way();
    for (int i = 0; i < VERY_MANY; i++) {
        assert_int_equal(wait_for(-leader, NOHANG), leader + i);
        assert_int_equal(waited.status, SIGHUP);
    }
}

static void two_signals_go_to_all_of_a_large_group(void) { begin(stops_and_continues_a_large_group); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_parent_hears_of_stops_and_goings_on),
        in_world(sigchld_says_who_stopped_and_goes_on),
        in_world(a_stop_wakes_who_waits_for_it_and_a_kill_ends_the_stopped),
        in_world(stops_and_ends_are_told_of_each_to_whoever_asks),
        in_world(a_process_without_a_parent_stops_and_goes_on),
        in_world(groups_are_made_joined_and_waited_for),
        in_world(sessions_keep_to_themselves),
        in_world(each_process_is_visited_in_order),
        in_world(a_stopped_group_that_is_orphaned_hears_sighup_and_goes_on),
        in_world(a_group_is_left_alone_while_anybody_links_it),
        in_world(stops_from_the_terminal_pass_over_an_orphaned_group),
        in_world(each_member_of_a_large_group_gets_its_signal),
        in_world(two_signals_go_to_all_of_a_large_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
