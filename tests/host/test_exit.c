/*
 * test_exit.c - processes and threads end, and who hears of it.
 */
#include "process_notes.h"

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

static void leaves_a_zombie(void)
{
    ids[0] = fork_into(exits_with_7);
    give_way();
    assert_int_equal(process_find(ids[0])->state, PROCESS_ZOMBIE);
}

static void a_zombie_of_process_1_goes_with_it(void)
{
    begin(leaves_a_zombie);
    assert_int_equal(processes_alive(), 0);
}

/* ---- Zombies nobody wants -------------------------------------------------------------------------------- */

static void sleeps_as_55(void)
{
    act_as(55);
    sleeps_long();
}

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
        in_world(a_zombie_of_process_1_goes_with_it),
        in_world(who_ignores_sigchld_has_no_zombies),
        in_world(sigchld_says_who_ended_and_how),
        in_world(a_signal_ends_a_wait),
        in_world(news_that_comes_with_a_signal_is_told_all_the_same),
        in_world(the_console_collects_what_it_started),
        in_world(a_death_by_a_fault_is_told_with_its_place),
        in_world(other_deaths_are_the_parents_business),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
