/*
 * test_processes.c - processes and threads begin, end, and hear of each other's ends.
 */
#include "process_world.h"

static int32_t ids[8];
static char    order[32];                       /* a letter for each thing that happened */

static void note(char letter)
{
    size_t length = strlen(order);

    assert_true(length + 1 < sizeof order);
    order[length] = letter;
    order[length + 1] = 0;
}

static void begin(void (*program)(void))
{
    order[0] = 0;
    memset(ids, 0, sizeof ids);
    run_program(program);
}

static void check_families(void)
{
    struct audit_report report;

    if (!audit_full(&report))
        fail_msg("%s: %s", report.failures[0].id, report.failures[0].text);
}

static void does_nothing(void) { }
static void exits_with_7(void) { exit_with(7); }
static void exits_with_300(void) { thread_exit(300); }
static void sleeps_long(void) { sleep_for(1000000000ull * 1000); }

static void act_as(uint32_t user)
{
    assert_int_equal(credentials_set_user((struct user_numbers){ user, user, 0, 0 }), 0);
}

static void sleeps_as_55(void)
{
    act_as(55);
    sleeps_long();
}

/* ---- Ends ------------------------------------------------------------------------------------------------ */

static void the_first_process_ends_and_nothing_is_left(void)
{
    begin(does_nothing);
    assert_int_equal(endings, 1);
    assert_int_equal(ends, 1);
    assert_int_equal(samples, 1);
    assert_int_equal(terminals_left, 1);
}

static void parent_of_one(void)
{
    int child = fork_into(exits_with_7);

    assert_int_equal(processes_alive(), 2);
    assert_int_equal(wait_for(-1, 0), child);
    assert_int_equal(waited.id, child);
    assert_int_equal(waited.status, 7 << 8);
    assert_int_equal(processes_alive(), 1);
    assert_null(process_find(child));
    assert_int_equal(wait_for(-1, 0), -ECHILD);
    assert_int_equal(wait_for(child, 0), -ECHILD);
    child = fork_into(exits_with_300);
    assert_int_equal(wait_for(child, 0), child);
    assert_int_equal(waited.status, (300 & 0xFF) << 8);         /* eight bits of the status are reported */
}

static void a_parent_hears_how_its_child_ended(void) { begin(parent_of_one); }

static void parent_of_a_killed_one(void)
{
    int child = fork_into(sleeps_long);

    kill(child, SIGTERM);
    assert_int_equal(wait_for(child, 0), child);
    assert_int_equal(waited.status, SIGTERM);
}

static void a_child_killed_by_a_signal_says_which(void) { begin(parent_of_a_killed_one); }

static void parent_that_looks(void)
{
    int child = fork_into(exits_with_7);

    assert_int_equal(wait_for(-1, NOHANG), 0);
    assert_int_equal(wait_for(child, NOHANG), 0);
    assert_int_equal(wait_for(99, NOHANG), -ECHILD);
    assert_int_equal(wait_for(1, NOHANG), -ECHILD);             /* itself */
    give_way();
    assert_int_equal(wait_for(-1, 0x1000000 | NOHANG), child);  /* WNOWAIT: it can be waited for again */
    assert_int_equal(waited.status, 7 << 8);
    assert_int_equal(process_find(child)->state, PROCESS_ZOMBIE);
    assert_int_equal(wait_for(-1, WAIT_NO_EXITED | NOHANG), 0);
    assert_int_equal(wait_for(child, NOHANG), child);
    assert_int_equal(wait_for(-1, NOHANG), -ECHILD);
}

static void a_wait_that_does_not_hang_tells_what_there_is(void) { begin(parent_that_looks); }

static void parent_of_many(void)
{
    for (int i = 0; i < 4; i++)
        ids[i] = fork_into(i == 2 ? sleeps_long : exits_with_7);
    give_way();
    check_families();
    assert_int_equal(wait_for(ids[1], 0), ids[1]);              /* a child by number, from the middle */
    assert_int_equal(wait_for(-1, 0), ids[0]);                  /* then the eldest child */
    assert_int_equal(wait_for(-1, 0), ids[3]);
    assert_int_equal(wait_for(-1, NOHANG), 0);
    kill(ids[2], SIGKILL);
    assert_int_equal(wait_for(-1, 0), ids[2]);
}

static void children_are_told_of_in_the_order_they_were_made(void) { begin(parent_of_many); }

/* Children end youngest first: each is put in front of those that ended before it. */
static void ends_after(void)
{
    for (int i = 0; i < 4; i++)
        if (current_process()->id == ids[i])
            sleep_for((uint64_t)(4 - i) * TICK);
}

static void parent_of_reversed(void)
{
    for (int i = 0; i < 4; i++)
        ids[i] = fork_into(ends_after);
    sleep_for(10 * TICK);
    check_families();
    for (int i = 0; i < 4; i++)
        assert_int_equal(wait_for(-1, NOHANG), ids[i]);
}

static void whoever_ends_first_is_told_of_in_the_order_of_birth(void) { begin(parent_of_reversed); }

/* ---- Orphans --------------------------------------------------------------------------------------------- */

static void leaves_an_orphan(void)
{
    current_process()->parent_death_signal = 0;
    ids[1] = fork_into(sleeps_long);
    process_find(ids[1])->parent_death_signal = SIGUSR1;
    process_find(ids[1])->exit_signal = SIGUSR2;
}

static void grandparent(void)
{
    struct process *orphan;

    ids[0] = fork_into(leaves_an_orphan);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    orphan = process_find(ids[1]);
    assert_ptr_equal(orphan->parent, current_process());        /* process 1 adopts */
    assert_int_equal(orphan->exit_signal, SIGCHLD);
    assert_int_equal(wait_for(-1, 0), ids[1]);
    assert_int_equal(waited.status, SIGUSR1);                   /* PR_SET_PDEATHSIG ended it */
}

static void orphans_become_children_of_process_1(void) { begin(grandparent); }

static void makes_a_zombie_and_ends(void)
{
    ids[1] = fork_into(exits_with_7);
    sleep_for(TICK);
}

static void inherits_a_zombie(void)
{
    ids[0] = fork_into(makes_a_zombie_and_ends);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], NOHANG), ids[1]);
    assert_int_equal(waited.status, 7 << 8);
}

static void inherits_a_zombie_and_does_not_want_it(void)
{
    on_signal(SIGCHLD, SIG_IGN, 0);
    ids[0] = fork_into(makes_a_zombie_and_ends);
    sleep_for(5 * TICK);
    assert_int_equal(processes_alive(), 1);
}

static void a_zombie_goes_to_the_new_parent(void)
{
    begin(inherits_a_zombie);
    assert_true(ids[1] > ids[0]);
}

static void a_zombie_that_the_new_parent_does_not_want_is_freed(void) { begin(inherits_a_zombie_and_does_not_want_it); }

static void asks_for_orphans(void)
{
    process_set_subreaper(true);
    ids[1] = fork_into(leaves_an_orphan);
    ids[2] = ids[1];
    assert_int_equal(wait_for(ids[2], 0), ids[2]);
    assert_ptr_equal(process_find(ids[1])->parent, current_process());
    assert_int_equal(wait_for(-1, 0), ids[1]);
    process_set_subreaper(false);
    ids[2] = fork_into(leaves_an_orphan);
    assert_int_equal(wait_for(ids[2], 0), ids[2]);
    assert_int_equal(process_find(ids[1])->parent->id, 1);
}

static void has_a_subreaper(void)
{
    ids[0] = fork_into(asks_for_orphans);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(-1, 0), ids[1]);
}

static void a_subreaper_adopts_what_is_below_it_while_it_wants_to(void) { begin(has_a_subreaper); }

/* When process 1 ends no process adopts its children: they have no parent, and are freed when they end. */
static void leaves_everybody(void)
{
    ids[0] = fork_into(ends_after);
}

static void children_of_process_1_have_no_parent_when_it_ends(void)
{
    begin(leaves_everybody);
    assert_int_equal(processes_alive(), 0);
}

/* ---- Zombies nobody wants -------------------------------------------------------------------------------- */

static void ignores_its_children(void)
{
    on_signal(SIGCHLD, SIG_IGN, 0);
    fork_into(does_nothing);
    assert_int_equal(wait_for(-1, 0), -ECHILD);                 /* waits for all, then there is none */
    assert_int_equal(processes_alive(), 1);
    on_signal(SIGCHLD, 100, 2);                                 /* SA_NOCLDWAIT */
    fork_into(does_nothing);
    give_way();
    assert_int_equal(processes_alive(), 1);
    assert_int_equal(handlers_run, 1);                          /* the signal is sent all the same */
    on_signal(SIGCHLD, SIG_IGN, 0);
    ids[0] = clone_into(does_nothing, (struct clone_request){ .exit_signal = SIGUSR2 });
    on_signal(SIGUSR2, SIG_IGN, 0);
    give_way();
    assert_int_equal(processes_alive(), 2);                     /* another signal than SIGCHLD: it stays */
    assert_int_equal(wait_for(-1, NOHANG), -ECHILD);            /* and only __WCLONE or __WALL find the child */
    assert_int_equal(wait_for(-1, (int)0x80000000 | NOHANG), ids[0]);
    ids[0] = clone_into(does_nothing, (struct clone_request){ .exit_signal = 0 });
    give_way();
    assert_int_equal(wait_for(ids[0], NOHANG), -ECHILD);
    assert_int_equal(wait_for(ids[0], WAIT_ALL_KINDS), ids[0]);
}

static void who_ignores_sigchld_has_no_zombies(void) { begin(ignores_its_children); }

static void hears_of_ends(void)
{
    on_signal(SIGCHLD, 100, 0);
    ids[0] = fork_into(exits_with_7);
    give_way();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.number, SIGCHLD);
    assert_int_equal(handled[0].info.sender, ids[0]);
    assert_int_equal(handled[0].info.code, 1);                  /* CLD_EXITED */
    assert_int_equal(handled[0].info.status, 7);
    handler_returns();
    ids[1] = fork_into(sleeps_as_55);
    give_way();
    kill(ids[1], SIGKILL);
    give_way();
    assert_int_equal(handled[1].info.code, 2);                  /* CLD_KILLED */
    assert_int_equal(handled[1].info.status, SIGKILL);
    assert_int_equal(handled[1].info.sender, ids[1]);
    assert_int_equal(handled[1].info.uid, 55);
    handler_returns();
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(wait_for(-1, 0), ids[1]);
    assert_int_equal(waited.uid, 55);
    ids[2] = fork_into(sleeps_long);
    process_find(ids[2])->exit_status = 0x80 | SIGABRT;
    process_find(ids[2])->exiting = true;                       /* a status with the mark of a core */
    kill(ids[2], SIGKILL);
    give_way();
    assert_int_equal(handled[2].info.code, 3);                  /* CLD_DUMPED */
    assert_int_equal(handled[2].info.status, SIGABRT);
    handler_returns();
    assert_int_equal(wait_for(-1, 0), ids[2]);
}

static void sigchld_says_who_ended_and_how(void) { begin(hears_of_ends); }

/* ---- Waiting and signals --------------------------------------------------------------------------------- */

static void signals_its_parent(void)
{
    sleep_for(TICK);
    kill(1, SIGUSR1);
    sleep_for(5 * TICK);
}

static void waits_and_is_told_something_else(void)
{
    on_signal(SIGUSR1, 100, 0);
    ids[0] = fork_into(signals_its_parent);
    assert_int_equal(wait_for(-1, 0), -ERESTARTSYS);
    assert_int_equal(handlers_run, 1);
    handler_returns();
    assert_int_equal(wait_for(-1, 0), ids[0]);
}

static void a_signal_ends_a_wait(void) { begin(waits_and_is_told_something_else); }

static void waits_with_a_handler_for_sigchld(void)
{
    on_signal(SIGCHLD, 100, 0);
    ids[0] = fork_into(exits_with_7);
    assert_int_equal(wait_for(-1, 0), ids[0]);                  /* the news comes with the signal */
    assert_int_equal(handlers_run, 1);
    handler_returns();
}

static void news_that_comes_with_a_signal_is_told_all_the_same(void) { begin(waits_with_a_handler_for_sigchld); }

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

/* ---- Groups and sessions --------------------------------------------------------------------------------- */

static void member(void) { give_way(); give_way(); give_way(); give_way(); }

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

/* ---- clone() --------------------------------------------------------------------------------------------- */

static int try_clone(uint64_t flags)
{
    int id = clone_into(does_nothing, (struct clone_request){ .flags = flags, .exit_signal = SIGCHLD });

    if (id > 0 && !(flags & THREAD))
        assert_int_equal(wait_for(id, 0), id);
    return id;
}

static void looks_at_its_actions(void)
{
    const struct signal_action *action = current_process()->actions->action;

    assert_int_equal(action[1].handler, SIG_IGN);
    assert_int_equal(action[SIGUSR1].handler, SIG_DFL);
    assert_int_equal(action[SIGUSR1].flags, 0);
    assert_int_equal(action[64].handler, SIG_DFL);
    note('f');
}

static void clears_handlers(void)
{
    on_signal(1, SIG_IGN, SA_RESTART);
    on_signal(SIGUSR1, 100, SA_RESTART);
    on_signal(64, 100, 0);
    ids[0] = clone_into(looks_at_its_actions, (struct clone_request){ .flags = 0x100000000ull,
                                                                      .exit_signal = SIGCHLD });
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(current_process()->actions->action[SIGUSR1].handler, 100);
}

static void a_child_may_begin_without_handlers(void)
{
    begin(clears_handlers);
    assert_string_equal(order, "f");
}

static void tries_flags(void)
{
    static const uint64_t refused[] = { SIGHAND, THREAD, THREAD | VM, THREAD | SIGHAND, 0x1000, 0x20000, 0x2000000,
                                        0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, PARENT,
                                        0x200000000, 1ull << 63 };

    for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(try_clone(refused[i]), -EINVAL);
    assert_true(try_clone(VM | SIGHAND) > 0);
    assert_true(try_clone(VM) > 0);
    assert_true(try_clone(FS | FILES) > 0);
}

static void flags_that_make_no_sense_are_refused(void) { begin(tries_flags); }

static struct process *maker_of_parts;

static void compares_parts_shared(void)
{
    const struct process *self = current_process();

    assert_ptr_equal(self->files, maker_of_parts->files);
    assert_ptr_equal(self->fs, maker_of_parts->fs);
    assert_ptr_equal(self->actions, maker_of_parts->actions);
    assert_ptr_equal(self->memory, maker_of_parts->memory);
    assert_int_equal(self->memory->references, 2);
    set_word(PROGRAM_PAGE, 42);
    note('s');
}

static void compares_parts_copied(void)
{
    const struct process *self = current_process();

    assert_ptr_not_equal(self->files, maker_of_parts->files);
    assert_ptr_not_equal(self->fs, maker_of_parts->fs);
    assert_ptr_not_equal(self->actions, maker_of_parts->actions);
    assert_ptr_not_equal(self->memory, maker_of_parts->memory);
    assert_int_equal(self->actions->action[SIGUSR1].handler, 77);
    assert_int_equal(self->memory->references, 1);
    assert_false(self->memory->dumpable);
    assert_int_equal(self->memory->argument_start, 1);
    assert_int_equal(self->memory->argument_end, 2);
    assert_int_equal(self->memory->environment_start, 3);
    assert_int_equal(self->memory->environment_end, 4);
    assert_int_equal(word_at(PROGRAM_PAGE), 42);
    set_word(PROGRAM_PAGE, 43);
    assert_ptr_equal(self->credentials, maker_of_parts->credentials);
    assert_ptr_equal(current_thread()->credentials, self->credentials);
    assert_int_equal(self->personality, 11);
    assert_int_equal(self->oom_score_adj, 12);
    assert_int_equal(self->limits[RLIMIT_NOFILE].soft, 13);
    assert_ptr_equal(self->terminal, &ids);
    assert_string_equal(self->name, "maker");
    assert_int_equal(self->exit_signal, SIGCHLD);
    assert_int_equal(current_thread()->mask, 1ull << 40);
    assert_int_equal(current_thread()->timer_slack, 14);
    assert_true(current_thread()->no_new_privileges);
    assert_string_equal(current_thread()->name, "thread");
    assert_int_equal(current_thread()->alternate_stack, 15);
    assert_int_equal(current_thread()->alternate_size, 16);
    assert_int_equal(current_thread()->alternate_flags, 17);
    note('c');
}

static void makes_both(void)
{
    struct process *self = maker_of_parts = current_process();

    assert_int_equal(clone_into(compares_parts_shared, (struct clone_request){ .flags = VM | FS | FILES | SIGHAND,
                                                                              .exit_signal = SIGCHLD }), 2);
    assert_int_equal(wait_for(2, 0), 2);
    assert_int_equal(word_at(PROGRAM_PAGE), 42);
    assert_int_equal(self->memory->references, 1);
    self->memory->dumpable = false;
    self->memory->argument_start = 1;
    self->memory->argument_end = 2;
    self->memory->environment_start = 3;
    self->memory->environment_end = 4;
    self->personality = 11;
    self->oom_score_adj = 12;
    self->limits[RLIMIT_NOFILE].soft = 13;
    self->terminal = (struct terminal *)&ids;
    self->actions->action[SIGUSR1].handler = 77;
    snprintf(self->name, sizeof self->name, "maker");
    current_thread()->mask = 1ull << 40;
    current_thread()->timer_slack = 14;
    current_thread()->no_new_privileges = true;
    current_thread()->alternate_stack = 15;
    current_thread()->alternate_size = 16;
    current_thread()->alternate_flags = 17;
    snprintf(current_thread()->name, sizeof current_thread()->name, "thread");
    assert_int_equal(fork_into(compares_parts_copied), 3);
    assert_int_equal(wait_for(3, 0), 3);
    assert_int_equal(word_at(PROGRAM_PAGE), 42);                /* the child's word was its own */
}

static void parts_are_shared_or_copied_as_the_flags_say(void)
{
    begin(makes_both);
    assert_string_equal(order, "sc");
}

static void looks_at_its_stack(void)
{
    assert_int_equal(own_frame()->stack, 0x1234);
    assert_int_equal(current_thread()->alternate_stack, 0);
    note('n');
}

static void makes_thread_with_words(void)
{
    struct clone_request request = { .flags = VM | FS | FILES | SIGHAND | THREAD | SETTLS | PARENT_SETTID |
                                              CHILD_CLEARTID | CHILD_SETTID,
                                     .stack = 0x1234, .parent_tid = PROGRAM_PAGE, .child_tid = PROGRAM_PAGE + 8,
                                     .tls = 0x5678 };
    int id;

    current_thread()->alternate_stack = 15;
    tls_asked = 0;
    id = clone_into(looks_at_its_stack, request);
    assert_true(id > 1);
    assert_int_equal(tls_asked, 0x5678);
    assert_int_equal(word_at(PROGRAM_PAGE), (uint32_t)id);
    assert_int_equal(word_at(PROGRAM_PAGE + 8), (uint32_t)id);
    assert_int_equal(thread_find(id)->clear_at_exit, PROGRAM_PAGE + 8);
    assert_int_equal(current_process()->thread_count, 2);
    assert_int_equal(futex_wait(PROGRAM_PAGE + 8, false, (uint32_t)id, NEVER, 1), 0);  /* as pthread_join() does */
    assert_int_equal(word_at(PROGRAM_PAGE + 8), 0);
    give_way();
    assert_int_equal(current_process()->thread_count, 1);
    assert_int_equal(threads_alive(), 1);
    assert_null(thread_find(id));
    assert_int_equal(word_at(PROGRAM_PAGE), (uint32_t)id);
    tls_answer = -EINVAL;
    assert_int_equal(clone_into(does_nothing, request), -EINVAL);
    assert_int_equal(threads_alive(), 1);
}

static void threads_end_themselves(void) { thread_exit(3); }

static void a_thread_begins_with_its_stack_and_tells_its_end(void)
{
    begin(makes_thread_with_words);
    assert_string_equal(order, "n");
}

static void checks_its_turn(void)
{
    const struct thread *self = current_thread();

    ids[4] = self->policy;
    ids[5] = self->priority;
    ids[6] = self->nice;
}

static void expect_turn(int policy, int priority, int nice)
{
    int id = fork_into(checks_its_turn);

    assert_int_equal(wait_for(id, 0), id);
    assert_int_equal(ids[4], policy);
    assert_int_equal(ids[5], priority);
    assert_int_equal(ids[6], nice);
}

static void has_turns(void)
{
    struct thread *self = current_thread();

    self->policy = 1;
    self->priority = 10;
    self->nice = -5;
    expect_turn(1, 10, -5);
    self->resets_on_fork = true;
    expect_turn(0, 0, 0);
    self->nice = 5;
    expect_turn(0, 0, 0);
    self->policy = 3;
    self->priority = 0;
    expect_turn(3, 0, 5);
    self->nice = -1;
    expect_turn(3, 0, 0);
}

static void children_inherit_turns_unless_they_are_reset(void) { begin(has_turns); }

static void brother(void)
{
    assert_int_equal(current_process()->parent->id, 1);
    note('b');
}

static void makes_a_brother(void)
{
    current_process()->exit_signal = SIGUSR2;
    ids[1] = clone_into(brother, (struct clone_request){ .flags = PARENT, .exit_signal = SIGCHLD });
}

static void has_children_who_make_brothers(void)
{
    on_signal(SIGUSR2, SIG_IGN, 0);
    ids[0] = fork_into(makes_a_brother);
    assert_int_equal(wait_for(ids[0], WAIT_ALL_KINDS), ids[0]);
    assert_int_equal(process_find(ids[1])->exit_signal, SIGUSR2);   /* its end is signalled as its brother's */
    assert_int_equal(process_find(ids[1])->maker, 1);
    assert_int_equal(wait_for(ids[1], WAIT_ALL_KINDS), ids[1]);
    ids[0] = clone_into(does_nothing, (struct clone_request){ .exit_signal = 65 });
    assert_int_equal(process_find(ids[0])->exit_signal, 0);         /* no signal has that number */
    assert_int_equal(wait_for(ids[0], WAIT_ALL_KINDS), ids[0]);
    ids[0] = clone_into(does_nothing, (struct clone_request){ .exit_signal = 64 });
    assert_int_equal(process_find(ids[0])->exit_signal, 64);
    on_signal(64, SIG_IGN, 0);
    assert_int_equal(wait_for(ids[0], WAIT_ALL_KINDS), ids[0]);
    ids[0] = clone_into(does_nothing, (struct clone_request){ .exit_signal = -1 });
    assert_int_equal(process_find(ids[0])->exit_signal, 0);
    assert_int_equal(wait_for(ids[0], WAIT_ALL_KINDS), ids[0]);
}

static void a_brother_is_the_parents_child(void)
{
    begin(has_children_who_make_brothers);
    assert_string_equal(order, "b");
}

/* ---- vfork ----------------------------------------------------------------------------------------------- */

static void borrows(void)
{
    assert_int_equal(current_process()->vfork_caller, 1);
    set_word(PROGRAM_PAGE, 5);
    sleep_for(3 * TICK);
    note('1');
}

static void lends(void)
{
    int id = clone_into(borrows, (struct clone_request){ .flags = VFORK | VM, .exit_signal = SIGCHLD });

    note('2');                                  /* only once the child needs the space no more */
    assert_int_equal(word_at(PROGRAM_PAGE), 5);
    assert_int_equal(wait_for(id, 0), id);
}

static void vfork_waits_for_the_childs_end(void)
{
    begin(lends);
    assert_string_equal(order, "12");
}

static void borrows_for_ever(void) { sleep_for(1000 * (uint64_t)TICK); note('e'); }

static void lends_and_is_killed(void)
{
    clone_into(borrows_for_ever, (struct clone_request){ .flags = VFORK | VM, .exit_signal = SIGCHLD });
    note('x');
}

static void kills_a_lender(void)
{
    ids[0] = fork_into(lends_and_is_killed);
    sleep_for(2 * TICK);
    kill(ids[0], SIGUSR1);                      /* does not end the wait: it comes when the memory is back */
    give_way();
    assert_int_equal(process_find(ids[0])->thread_count, 1);
    kill(ids[0], SIGKILL);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, SIGKILL);
    assert_int_equal(wait_for(-1, 0), ids[0] + 1);      /* the borrower goes on, and ends */
}

static void only_a_kill_ends_the_wait_of_vfork(void)
{
    begin(kills_a_lender);
    assert_string_equal(order, "e");
}

/* ---- Threads of one process ------------------------------------------------------------------------------ */

static void thread_that_sleeps(void)
{
    sleep_for(1000 * (uint64_t)TICK);
    note('!');
}

static void ends_with_threads(void)
{
    thread_into(thread_that_sleeps);
    thread_into(thread_that_sleeps);
    give_way();
    assert_int_equal(threads_alive(), 3 + (current_process()->id != 1));
    exit_with(9);
}

static void parent_of_threads(void)
{
    ids[0] = fork_into(ends_with_threads);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(waited.status, 9 << 8);
    assert_int_equal(threads_alive(), 1);
}

static void the_end_of_a_process_ends_its_threads(void)
{
    begin(parent_of_threads);
    assert_string_equal(order, "");
}

static void first_thread_ends_early(void)
{
    ids[1] = thread_into(threads_end_themselves);
    thread_exit(4);
}

static void parent_of_an_early_one(void)
{
    ids[0] = fork_into(first_thread_ends_early);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, 3 << 8);            /* the last thread's */
}

static void the_last_thread_ends_the_process(void) { begin(parent_of_an_early_one); }

static void stays_alone(void)
{
    int32_t id = current_process()->id;

    ids[2] = current_thread()->id;
    assert_int_not_equal(ids[2], id);
    assert_int_equal(thread_stay_alone(), 0);
    assert_int_equal(current_process()->thread_count, 1);
    assert_int_equal(current_thread()->id, id);         /* the thread that called exec is the first now */
    assert_ptr_equal(thread_find(id), current_thread());
    assert_null(thread_find(ids[2]));
    assert_null(current_process()->survivor);
    assert_int_equal(thread_stay_alone(), 0);           /* a thread that is alone keeps its number */
    assert_int_equal(current_thread()->id, id);
    check_families();
    note('a');
    exit_with(6);
}

static void has_threads_of_which_one_stays(void)
{
    thread_into(thread_that_sleeps);
    thread_into(stays_alone);
    thread_that_sleeps();
}

static void parent_of_a_survivor(void)
{
    ids[0] = fork_into(has_threads_of_which_one_stays);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(waited.status, 6 << 8);
}

static void exec_leaves_one_thread(void)
{
    begin(parent_of_a_survivor);
    assert_string_equal(order, "a");
}

static void stays_alone_too_late(void)
{
    current_process()->survivor = current_process()->threads;   /* another is in exec */
    assert_int_equal(thread_stay_alone(), -EINTR);
    current_process()->survivor = NULL;
    current_process()->exiting = true;
    assert_int_equal(thread_stay_alone(), -EINTR);
    current_process()->exiting = false;
}

static void of_two_in_exec_one_gives_up(void) { begin(stays_alone_too_late); }

static void makes_a_child_of_its_own(void)
{
    ids[1] = fork_into(member);
    assert_int_equal(wait_for(-1, 0x20000000 | NOHANG), 0);     /* __WNOTHREAD: its own child */
    give_way();
    give_way();
}

static void asks_for_its_own_children(void)
{
    ids[0] = thread_into(makes_a_child_of_its_own);
    give_way();
    assert_int_equal(wait_for(-1, 0x20000000 | NOHANG), -ECHILD);       /* another thread's */
    assert_int_equal(wait_for(ids[1], 0x20000000 | NOHANG), -ECHILD);
    assert_int_equal(wait_for(-1, NOHANG), 0);
    exit_with(0);
}

static void a_thread_may_wait_for_its_own_children_only(void) { begin(asks_for_its_own_children); }

static void maker_ends(void)
{
    ids[1] = fork_into(sleeps_long);
    thread_exit(0);
}

static void is_eldest(void)
{
    ids[0] = thread_into(maker_ends);
    sleep_for(2 * TICK);
    assert_int_equal(wait_for(ids[1], 0x20000000 | NOHANG), 0);         /* the maker is gone: the eldest's */
    kill(ids[1], SIGKILL);
    assert_int_equal(wait_for(ids[1], 0x20000000), ids[1]);
}

static void children_of_a_thread_that_ended_are_the_eldests(void) { begin(is_eldest); }

static void thread_lists(void)
{
    struct process *self = current_process();

    for (int i = 0; i < 3; i++)
        ids[i] = thread_into(thread_that_sleeps);
    give_way();
    assert_int_equal(self->thread_count, 4);
    assert_int_equal(self->credentials->account->threads, 4);
    assert_int_equal(processes_made() >= 4, 1);
    struct signal_info info = { .number = SIGKILL };
    (void)info;
    check_families();
    exit_with(0);
}

static void threads_count_for_their_user(void)
{
    uint64_t made = processes_made();

    begin(thread_lists);
    assert_int_equal(processes_made(), made + 4);
}

/* ---- Limits, and no memory ------------------------------------------------------------------------------- */

/* The thread's acting credentials are changed in place: they have no other reference. */
static void is_limited(void)
{
    struct process     *self = current_process();
    struct credentials *c    = self->credentials;

    self->limits[RLIMIT_NPROC] = (struct limit){ 1, 1 };
    ids[0] = fork_into(does_nothing);
    assert_true(ids[0] > 0);                                    /* root is under no limit */
    assert_int_equal(wait_for(-1, 0), ids[0]);
    c->user.real = 1;
    ids[0] = fork_into(does_nothing);
    assert_true(ids[0] > 0);                                    /* nor is a user with the capability */
    assert_int_equal(wait_for(-1, 0), ids[0]);
    c->capabilities.effective = 1ull << CAP_SYS_ADMIN;
    assert_false(process_is_over_limit(self));
    c->capabilities.effective = 1ull << CAP_SYS_RESOURCE;
    assert_false(process_is_over_limit(self));
    c->capabilities.effective = 0;
    assert_true(process_is_over_limit(self));
    assert_int_equal(fork_into(does_nothing), -EAGAIN);
    self->limits[RLIMIT_NPROC].soft = 2;
    ids[0] = fork_into(does_nothing);
    assert_true(ids[0] > 0);
    assert_int_equal(fork_into(does_nothing), -EAGAIN);         /* the child counts until it is waited for */
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_false(process_is_over_limit(self));
    c->user.real = 0;
}

static void a_user_has_so_many_threads(void) { begin(is_limited); }

/* Let the n-th of the heap's blocks fail, for n = 1, 2, 3 ... until the fork gets through. */
static void forks_without_memory(void)
{
    uint32_t threads = threads_alive(), processes = processes_alive();
    int      id      = -ENOMEM, failed = 0;

    no_memory_for_state = true;
    assert_int_equal(fork_into(does_nothing), -ENOMEM);
    no_memory_for_state = false;
    no_memory_for_parts = true;
    assert_int_equal(fork_into(does_nothing), -ENOMEM);
    no_memory_for_parts = false;
    assert_int_equal(threads_alive(), threads);
    assert_int_equal(processes_alive(), processes);
    for (uint32_t n = 1; id == -ENOMEM && n < 100; n++, failed += id == -ENOMEM) {
        frame_fail_at(n);
        id = fork_into(does_nothing);
        frame_fail_at(0);
        assert_int_equal(threads_alive(), threads + (id > 0));
        assert_int_equal(processes_alive(), processes + (id > 0));
        check_families();
    }
    assert_true(id > 0 && failed > 2);
    assert_int_equal(wait_for(id, 0), id);
}

static void a_fork_without_memory_leaves_nothing_behind(void) { begin(forks_without_memory); }

/* ---- The file that is run -------------------------------------------------------------------------------- */

static struct node program_file;

static void runs_a_file(void)
{
    assert_int_equal(memory_set_executable(current_process()->memory, &program_file), 0);
    ids[0] = fork_into(member);
    assert_int_equal(program_file.runners, 2);
    assert_int_equal(program_file.uses, 2);
    ids[1] = clone_into(member, (struct clone_request){ .flags = VM, .exit_signal = SIGCHLD });
    assert_int_equal(program_file.runners, 2);                  /* a space counts once */
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(program_file.runners, 1);
    assert_int_equal(wait_for(-1, 0), ids[1]);
    assert_int_equal(program_file.runners, 1);
}

static void the_file_that_is_run_is_held_once_for_each_space(void)
{
    program_file = (struct node){ 0 };
    begin(runs_a_file);
    assert_int_equal(program_file.uses, 0);
    assert_int_equal(program_file.runners, 0);
}

static void runs_a_busy_file(void)
{
    program_file.runners = -1;                                  /* somebody writes to it */
    assert_int_equal(memory_set_executable(current_process()->memory, &program_file), -ETXTBSY);
    assert_null(current_process()->memory->executable);
    assert_int_equal(program_file.uses, 0);
}

static void a_file_that_is_written_to_is_not_run(void)
{
    program_file = (struct node){ 0 };
    begin(runs_a_busy_file);
}

/* ---- A parent without threads ---------------------------------------------------------------------------- */

static void the_console_collects_what_it_started(void)
{
    struct process    *console = process_new(), *children[3];
    struct process_end end;

    order[0] = 0;
    assert_int_equal(process_enlist(console, NULL, NULL), 0);
    console->actions = actions_new(NULL);
    for (int i = 0; i < 3; i++) {
        children[i] = start_program(i == 1 ? sleeps_long : exits_with_7);
        lock_state state = lock_take(&process_lock);
        process_adopt(console, children[i]);
        lock_drop(&process_lock, state);
        ids[i] = children[i]->id;
    }
    children[1]->name[0] = 'X';
    assert_false(process_collect(console, -1, &end));
    while (schedule_ready() > 0)
        schedule();
    assert_false(process_collect(console, ids[1], &end));       /* the process has not ended */
    assert_false(process_collect(console, 99, &end));
    assert_true(process_collect(console, ids[2], &end));
    assert_int_equal(end.id, ids[2]);
    assert_true(process_collect(console, -1, &end));
    assert_int_equal(end.id, ids[0]);
    assert_int_equal(end.status, 7 << 8);
    assert_string_equal(end.name, "first");
    assert_false(process_collect(console, -1, &end));
    struct signal_info stop_it = { .number = SIGSTOP }, end_it = { .number = SIGKILL };
    signal_process(children[1], &stop_it);
    while (schedule_ready() > 0)
        schedule();
    assert_int_equal(children[1]->state, PROCESS_STOPPED);
    assert_false(process_collect(console, -1, &end));           /* a stop is no end */
    signal_process(children[1], &end_it);
    while (schedule_ready() > 0)
        schedule();
    assert_true(process_collect(console, -1, &end));
    assert_int_equal(end.status, SIGKILL);
    assert_string_equal(end.name, "Xirst");
    lock_state state = lock_take(&process_lock);
    process_delist(console);
    lock_drop(&process_lock, state);
    process_let_go(console);
    process_free(console);
}

/* ---- What they have used --------------------------------------------------------------------------------- */

static void uses(void)
{
    struct thread *self = current_thread();

    tick();
    tick();
    self->used.system_time = 3;
    self->used.faults_minor = 4;
    self->used.faults_major = 5;
    self->used.reads = 6;
    self->used.bytes_read = 7;
    self->used.writes = 8;
    self->used.bytes_written = 9;
    set_word(PROGRAM_PAGE, 1);
    current_process()->used.system_time = 5;                    /* of threads that have ended */
    assert_int_equal(process_time(current_process()), 2 * TICK + 5);
    assert_int_equal(thread_time(self), 2 * TICK);
    assert_int_equal(process_time(current_process()->parent), 0);
}

static void counts_usage(void)
{
    struct resource_usage own;

    ids[0] = fork_into(uses);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(waited.usage.user_time, 2 * TICK);
    assert_int_equal(waited.usage.system_time, 8);
    assert_int_equal(waited.usage.faults_minor, 4);
    assert_int_equal(waited.usage.faults_major, 5);
    assert_int_equal(waited.usage.reads, 6);
    assert_int_equal(waited.usage.bytes_read, 7);
    assert_int_equal(waited.usage.writes, 8);
    assert_int_equal(waited.usage.bytes_written, 9);
    assert_int_equal(waited.usage.switches_involuntary, 0);
    assert_int_equal(waited.usage.peak, 1);
    ids[0] = fork_into(uses);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(current_process()->children_used.user_time, 4 * TICK);
    assert_int_equal(current_process()->children_used.writes, 16);
    assert_int_equal(current_process()->children_used.peak, 1);         /* the largest, and no sum */
    give_way();
    process_usage(current_process(), &own);
    assert_int_equal(own.user_time, 0);
    assert_int_equal(own.peak, 0);
    set_word(PROGRAM_PAGE, 1);
    process_usage(current_process(), &own);
    assert_int_equal(own.peak, 1);
    current_process()->used.peak = 9;                                   /* of a program before exec */
    process_usage(current_process(), &own);
    assert_int_equal(own.peak, 9);
    usage_keep_peak(current_process());
    assert_int_equal(current_process()->used.peak, 9);                  /* the larger one stays */
    current_process()->used.peak = 0;
    usage_keep_peak(current_process());
    assert_int_equal(current_process()->used.peak, 1);
    current_thread()->used.bytes_read = 11;
    current_process()->used.bytes_read = 4;
    process_usage(current_process(), &own);
    assert_int_equal(own.bytes_read, 15);
}

static void a_wait_tells_what_a_child_has_used(void) { begin(counts_usage); }

static void spins(void)
{
    for (int i = 0; i < 1000; i++) {
        tick();
        back();
        if (handlers_run > visits) {
            visited[visits++] = i;
            handler_returns();
        }
    }
}

static void has_two_seconds(void)
{
    struct process *self = current_process();

    visits = 0;
    self->limits[RLIMIT_CPU] = (struct limit){ 2, 4 };
    on_signal(SIGXCPU, 100, 0);
    process_watch_cpu_limit(self);
    spins();
}

static void rlimit_cpu_warns_each_second_and_then_kills(void)
{
    begin(has_two_seconds);
    assert_int_equal(visits, 2);                /* at 2 s and 3 s; at 4 s the program ends */
    assert_int_equal(visited[0], 199);
    assert_int_equal(visited[1], 299);
    assert_int_equal(handled[0].info.code, SI_KERNEL);
}

static void has_no_second(void)
{
    struct process *self = current_process();

    visits = 0;
    self->limits[RLIMIT_CPU] = (struct limit){ 0, LIMIT_NONE };
    on_signal(SIGXCPU, 100, 0);
    process_watch_cpu_limit(self);
    assert_int_equal(self->cpu_due, 1000000000);
    self->limits[RLIMIT_CPU] = (struct limit){ LIMIT_NONE, LIMIT_NONE };
    process_watch_cpu_limit(self);
    assert_true(self->cpu_due == UINT64_MAX);
    self->limits[RLIMIT_CPU].soft = UINT64_MAX / 1000000000ull;
    process_watch_cpu_limit(self);
    assert_true(self->cpu_due == UINT64_MAX);
    self->limits[RLIMIT_CPU].soft--;
    process_watch_cpu_limit(self);
    assert_true(self->cpu_due == (UINT64_MAX / 1000000000ull - 1) * 1000000000ull);
}

static void a_limit_of_no_second_is_one_of_one(void) { begin(has_no_second); }

/* ---- What is said of a death ----------------------------------------------------------------------------- */

static void dies_of_a_fault(void)
{
    struct fault_verdict verdict = { .signal = SIGSEGV, .code = 1, .address = 0x1234, .reason = "nothing is there" };
    struct signal_info   info    = { .number = SIGSEGV, .code = 1, .address = 0x1234 };

    process_note_fault(&verdict, 0x8048000);
    signal_fault(&info);
    back();
    note('!');
}

static void a_death_by_a_fault_is_told_with_its_place(void)
{
    order[0] = 0;
    forget_text();
    start_program(dies_of_a_fault);
    the_program = 1;
    run();
    assert_string_equal(told, "first[1]: signal 11 at instruction 0x08048000, address 0x00001234: nothing is there");
    assert_string_equal(order, "");
    assert_null(strstr(said, "signal 11"));
    the_program = 2;
    told[0] = 0;
    run_program(dies_of_a_fault);
    assert_string_equal(told, "");
    assert_non_null(strstr(said, "first[1]: signal 11 at instruction 0x08048000, address 0x00001234: nothing"));
}

static void tells_no_stories(void)
{
    struct fault_verdict verdict = { .signal = SIGSEGV, .code = 1, .address = 0x1234, .reason = "nothing is there" };
    struct signal_info   info    = { .number = SIGSEGV, .code = 1, .address = 0x1234 };

    process_note_fault(&verdict, 0x8048000);
    info.number = SIGTERM;
    process_report_death(&info);
    info.number = SIGSEGV;
    info.code = 0;                              /* kill() says so */
    process_report_death(&info);
    info.code = 1;
    info.address = 0x1235;
    process_report_death(&info);
    assert_int_equal(lines_told, 0);
    info.address = 0x1234;
    process_report_death(&info);
    assert_int_equal(lines_told, 1);
    info.number = SIGBUS;
    process_report_death(&info);
    assert_int_equal(lines_told, 2);
}

static void other_deaths_are_the_parents_business(void)
{
    start_program(tells_no_stories);
    the_program = 1;
    run();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(the_first_process_ends_and_nothing_is_left),
        in_world(a_parent_hears_how_its_child_ended),
        in_world(a_child_killed_by_a_signal_says_which),
        in_world(a_wait_that_does_not_hang_tells_what_there_is),
        in_world(children_are_told_of_in_the_order_they_were_made),
        in_world(whoever_ends_first_is_told_of_in_the_order_of_birth),
        in_world(orphans_become_children_of_process_1),
        in_world(a_zombie_goes_to_the_new_parent),
        in_world(a_zombie_that_the_new_parent_does_not_want_is_freed),
        in_world(a_subreaper_adopts_what_is_below_it_while_it_wants_to),
        in_world(children_of_process_1_have_no_parent_when_it_ends),
        in_world(who_ignores_sigchld_has_no_zombies),
        in_world(sigchld_says_who_ended_and_how),
        in_world(a_signal_ends_a_wait),
        in_world(news_that_comes_with_a_signal_is_told_all_the_same),
        in_world(a_parent_hears_of_stops_and_goings_on),
        in_world(sigchld_says_who_stopped_and_goes_on),
        in_world(a_stop_wakes_who_waits_for_it_and_a_kill_ends_the_stopped),
        in_world(stops_and_ends_are_told_of_each_to_whoever_asks),
        in_world(groups_are_made_joined_and_waited_for),
        in_world(sessions_keep_to_themselves),
        in_world(each_process_is_visited_in_order),
        in_world(a_stopped_group_that_is_orphaned_hears_sighup_and_goes_on),
        in_world(a_group_is_left_alone_while_anybody_links_it),
        in_world(stops_from_the_terminal_pass_over_an_orphaned_group),
        in_world(flags_that_make_no_sense_are_refused),
        in_world(a_child_may_begin_without_handlers),
        in_world(parts_are_shared_or_copied_as_the_flags_say),
        in_world(a_thread_begins_with_its_stack_and_tells_its_end),
        in_world(children_inherit_turns_unless_they_are_reset),
        in_world(a_brother_is_the_parents_child),
        in_world(vfork_waits_for_the_childs_end),
        in_world(only_a_kill_ends_the_wait_of_vfork),
        in_world(the_end_of_a_process_ends_its_threads),
        in_world(the_last_thread_ends_the_process),
        in_world(exec_leaves_one_thread),
        in_world(of_two_in_exec_one_gives_up),
        in_world(a_thread_may_wait_for_its_own_children_only),
        in_world(children_of_a_thread_that_ended_are_the_eldests),
        in_world(threads_count_for_their_user),
        in_world(a_user_has_so_many_threads),
        in_world(a_fork_without_memory_leaves_nothing_behind),
        in_world(the_file_that_is_run_is_held_once_for_each_space),
        in_world(a_file_that_is_written_to_is_not_run),
        in_world(the_console_collects_what_it_started),
        in_world(a_wait_tells_what_a_child_has_used),
        in_world(rlimit_cpu_warns_each_second_and_then_kills),
        in_world(a_limit_of_no_second_is_one_of_one),
        in_world(a_death_by_a_fault_is_told_with_its_place),
        in_world(other_deaths_are_the_parents_business),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
