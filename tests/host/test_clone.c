/*
 * test_clone.c - what a new process or thread shares, copies and inherits; vfork; limits, and no memory.
 */
#include "process_notes.h"

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
    assert_int_equal(process_find(ids[0] + 1)->vfork_caller, 0);        /* it borrows no more: the memory is its own */
    assert_int_equal(wait_for(-1, 0), ids[0] + 1);      /* the borrower goes on, and ends */
}

static void only_a_kill_ends_the_wait_of_vfork(void)
{
    begin(kills_a_lender);
    assert_string_equal(order, "e");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(flags_that_make_no_sense_are_refused),
        in_world(a_child_may_begin_without_handlers),
        in_world(parts_are_shared_or_copied_as_the_flags_say),
        in_world(a_thread_begins_with_its_stack_and_tells_its_end),
        in_world(children_inherit_turns_unless_they_are_reset),
        in_world(a_brother_is_the_parents_child),
        in_world(vfork_waits_for_the_childs_end),
        in_world(only_a_kill_ends_the_wait_of_vfork),
        in_world(a_user_has_so_many_threads),
        in_world(a_fork_without_memory_leaves_nothing_behind),
        in_world(the_file_that_is_run_is_held_once_for_each_space),
        in_world(a_file_that_is_written_to_is_not_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
