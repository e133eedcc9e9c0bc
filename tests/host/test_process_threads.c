/*
 * test_process_threads.c - threads of one process: the end of one, of all, of all but one; their children.
 */
#include "process_notes.h"

static void threads_end_themselves(void) { thread_exit(3); }

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

/* It may have waited for memory meanwhile; whoever told all there were to end would not tell the new one. */
static void makes_others_when_it_is_to_end(void)
{
    struct clone_request thread = { .flags = VM | FS | FILES | SIGHAND | THREAD }, child = { .exit_signal = SIGCHLD };

    signal_end_threads(current_process(), NULL);        /* another is in exec, or all of a group are killed */
    assert_true(signal_kills(current_thread()));
    assert_int_equal(process_clone(&thread), -EAGAIN);
    assert_int_equal(process_clone(&child), -EAGAIN);
    assert_int_equal(current_process()->thread_count, 1);
    assert_true(list_is_empty(&current_process()->children));
    note('a');
    exit_with(3);
}

static void parent_of_one_that_is_to_end(void)
{
    ids[0] = fork_into(makes_others_when_it_is_to_end);
    assert_int_equal(wait_for(-1, 0), ids[0]);
}

static void who_is_to_end_makes_no_others(void)
{
    begin(parent_of_one_that_is_to_end);
    assert_string_equal(order, "a");
}

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

/* ---- Signals for one of them ------------------------------------------------------------------------------- */

static uint64_t slept[3];
static unsigned sleepers;

static void sleeps_twenty_ticks(void)
{
    unsigned mine  = sleepers++;
    uint64_t began = clock_now();

    sleep_for(20 * (uint64_t)TICK);
    slept[mine] = clock_now() - began;
    thread_exit(0);
}

static void interrupts_one_of_three(void)
{
    unsigned interrupted = 0;

    sleepers = 0;
    on_signal(SIGUSR1, 100, 0);
    for (unsigned i = 0; i < 3; i++)
        thread_into(sleeps_twenty_ticks);
    give_way();
    signal_set_mask(1ull << (SIGUSR1 - 1));
    kill(current_process()->id, SIGUSR1);
    sleep_for(40 * (uint64_t)TICK);
    for (unsigned i = 0; i < 3; i++)
        interrupted += slept[i] < 20 * (uint64_t)TICK;
    assert_int_equal(interrupted, 1);
    assert_int_equal(handlers_run, 1);
}

/* The idle thread's, and that of a thread which is about to end. */
static void a_thread_without_a_process_has_no_signals(void)
{
    assert_null(current_process());
    assert_false(signal_pending(current_thread()));
    assert_false(signal_kills(current_thread()));
}

static void a_signal_for_the_process_wakes_one_thread(void) { begin(interrupts_one_of_three); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_signal_for_the_process_wakes_one_thread),
        in_world(a_thread_without_a_process_has_no_signals),
        in_world(the_end_of_a_process_ends_its_threads),
        in_world(the_last_thread_ends_the_process),
        in_world(exec_leaves_one_thread),
        in_world(of_two_in_exec_one_gives_up),
        in_world(who_is_to_end_makes_no_others),
        in_world(a_thread_may_wait_for_its_own_children_only),
        in_world(children_of_a_thread_that_ended_are_the_eldests),
        in_world(threads_count_for_their_user),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
