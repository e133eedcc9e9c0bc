/*
 * test_out_of_memory.c - no frame is left: the process that is ended, the message, and faults that always come back.
 */
#include "asks_memory.h"
#include "process_world.h"

#include "process/last_resort.h"
#include "process/out_of_memory.h"

static int32_t ids[8];
static bool    answer;

/* The process that the test before chose has had its second. */
static void begin(void (*program)(void))
{
    the_time += 2000000000;
    run_program(program);
}

static void touch(size_t pages)
{
    map_pages_at(&current_process()->memory->space, PROGRAM_PAGE + 16 * PAGE_SIZE, pages);
    for (size_t n = 0; n < pages; n++)
        set_word(PROGRAM_PAGE + (16 + n) * PAGE_SIZE, 1);
}

static void has_many(void)
{
    snprintf(current_process()->name, sizeof current_process()->name, "many");
    touch(200);
    sleep_for(1000 * (uint64_t)TICK);
}

static void has_some(void)
{
    snprintf(current_process()->name, sizeof current_process()->name, "some");
    touch(100);
    sleep_for(1000 * (uint64_t)TICK);
}

static void start_both(void)
{
    ids[0] = fork_into(has_some);
    ids[1] = fork_into(has_many);
    give_way();
}

static void collect(int count)
{
    while (count-- > 0)
        assert_true(wait_for(-1, 0) > 0);
}

static bool is_gone(int32_t id) { return process_find(id) == NULL || process_find(id)->memory == NULL; }

static void asks_once(void)
{
    start_both();
    assert_int_equal(process_pages(process_find(ids[1])),
                     process_find(ids[1])->memory->space.resident + process_find(ids[1])->memory->space.table_frames);
    assert_true(process_pages(process_find(ids[1])) > 200);
    assert_true(asks_for_memory());
    assert_true(is_gone(ids[1]));                       /* the process had its turn in the call */
    assert_false(is_gone(ids[0]));
    assert_int_equal(lines_told, 1);
    char wanted[128];
    snprintf(wanted, sizeof wanted,
             "out of memory: process %d (many) is killed: process 1 (first) asked for a page, and it has ", ids[1]);
    assert_memory_equal(told, wanted, strlen(wanted));
    assert_non_null(strstr(told, " pages and oom_score_adj 0, the highest score; frames: "));
    assert_non_null(strstr(told, " user "));
    assert_null(strstr(told, " user 0"));
    assert_non_null(strstr(told, ", in all "));
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
    assert_int_equal(waited.status, SIGKILL);
    assert_true(asks_for_memory());
    assert_true(is_gone(ids[0]));                       /* then the next process is ended */
    collect(1);
}

static void who_has_the_most_is_ended(void) { begin(asks_once); }

static void asks_with_adjustments(void)
{
    start_both();
    process_find(ids[0])->oom_score_adj = 500;
    process_find(ids[1])->oom_score_adj = -500;
    assert_true(asks_for_memory());
    assert_true(is_gone(ids[0]));
    assert_false(is_gone(ids[1]));
    assert_non_null(strstr(told, "oom_score_adj 500,"));
    collect(1);
    process_find(ids[1])->oom_score_adj = -1000;        /* never */
    current_process()->oom_score_adj = -999;
    assert_false(asks_for_memory());           /* then the calling process is chosen */
    assert_true(signal_kills(current_thread()));
    assert_non_null(strstr(told, "process 1 (first) is killed: it asked for a page, has "));
    assert_non_null(strstr(told, "the highest score"));
    assert_false(asks_for_memory());           /* and the message is not repeated */
    assert_int_equal(lines_told, 2);
}

/* In the middle of its end: it lets its memory go, and is not a zombie yet. */
static void waits_while_it_ends(void)
{
    struct lock guard = LOCK("test", RANK_PROCESSES);
    lock_state  state = lock_take(&guard);

    (void)!wait_on(&current_thread()->never, &guard, &state, clock_now() + 5 * TICK, 0);
    lock_drop(&guard, state);
}

static void asks_while_one_lets_go(void)
{
    start_both();
    on_part_gone = waits_while_it_ends;
    assert_true(asks_for_memory());
    assert_null(process_find(ids[1])->memory);
    assert_int_not_equal(process_find(ids[1])->state, PROCESS_ZOMBIE);
    assert_true(memory_is_coming());
    assert_true(asks_for_memory());            /* waits, and chooses nobody */
    assert_int_equal(lines_told, 1);
    assert_false(is_gone(ids[0]));
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
    assert_false(memory_is_coming());
    kill(ids[0], SIGKILL);
    collect(1);
}

static void nobody_else_is_ended_while_one_lets_its_memory_go(void) { begin(asks_while_one_lets_go); }

/* Who has the number of the one chosen last is another, and is not passed over for it. */
static void ends_the_next(void)
{
    ids[0] = fork_into(has_many);
    give_way();
    assert_true(asks_for_memory());
    assert_true(is_gone(ids[0]));
    collect(1);
}

static void a_number_that_is_given_again_is_not_taken_for_the_last_one_chosen(void)
{
    begin(ends_the_next);
    begin(ends_the_next);                               /* process 1 begins the numbers anew */
    assert_int_equal(ids[0], 2);
    assert_int_equal(lines_told, 2);
}

static void adjustments_count_in_thousandths_of_all_memory(void) { begin(asks_with_adjustments); }

static void is_spared_but_alone(void)
{
    current_process()->oom_score_adj = -1000;
    assert_false(asks_for_memory());
    assert_non_null(strstr(told, "has "));
    assert_non_null(strstr(told, " pages and oom_score_adj -1000, and no other may be ended; frames:"));
    answer = signal_kills(current_thread());
}

static void where_nobody_may_be_ended_the_one_that_asks_is(void)
{
    begin(is_spared_but_alone);
    assert_true(answer);
}

static void shares(void) { sleep_for(1000 * (uint64_t)TICK); }

static void asks_with_sharers(void)
{
    ids[0] = fork_into(has_many);
    give_way();
    /* Another process in the same space. */
    ids[1] = clone_into(shares, (struct clone_request){ .flags = VM, .exit_signal = SIGCHLD });
    struct shared_space *old = process_find(ids[1])->memory;
    memory_hold(process_find(ids[1])->memory = process_find(ids[0])->memory);
    memory_release(old);
    give_way();
    assert_true(asks_for_memory());
    give_way();
    assert_true(is_gone(ids[0]) && is_gone(ids[1]));
    collect(2);
}

static void all_that_share_the_memory_end(void) { begin(asks_with_sharers); }

static void borrows(void)
{
    answer = asks_for_memory();                /* a vfork child has its caller's memory: both are ended */
    back();
}

static void lends(void)
{
    touch(100);
    clone_into(borrows, (struct clone_request){ .flags = VM | VFORK, .exit_signal = SIGCHLD });
}

static void has_a_lender(void)
{
    ids[0] = fork_into(lends);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, SIGKILL);
    while (wait_for(-1, 0) > 0)
        ;
}

static void a_child_of_vfork_is_not_chosen_but_its_parent(void)
{
    begin(has_a_lender);
    assert_false(answer);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "process %d (first) is killed: process %d", ids[0], ids[0] + 1);
    assert_non_null(strstr(told, "is killed: it asked for a page"));
}

/* With CLONE_VFORK alone: its caller waits, but has lent it nothing. */
static void makes_one_with_its_own(void)
{
    clone_into(has_many, (struct clone_request){ .flags = VFORK, .exit_signal = SIGCHLD });
}

static void asks_beside_one_with_its_own(void)
{
    ids[0] = fork_into(makes_one_with_its_own);
    give_way();
    give_way();
    assert_true(asks_for_memory());
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    while (wait_for(-1, 0) > 0)
        ;
}

static void a_child_of_vfork_with_memory_of_its_own_is_chosen(void)
{
    begin(asks_beside_one_with_its_own);
    assert_non_null(strstr(told, "(many) is killed"));
}

static void will_not_end(void)
{
    touch(200);
    wait_start(&current_process()->child_change);
    assert_int_equal(wait_linked(NEVER, 0), 0);         /* something keeps it from ending */
    wait_end();
}

static void asks_again(void)
{
    uint64_t began;

    ids[0] = fork_into(will_not_end);
    ids[1] = fork_into(has_some);
    give_way();
    began = clock_now();
    assert_true(asks_for_memory());
    assert_int_equal(lines_told, 1);
    while (clock_now() < began + 1000000000ull - 2 * (uint64_t)TICK) {
        assert_true(asks_for_memory());
        assert_int_equal(lines_told, 1);                /* the process has a second to end */
        sleep_for(TICK);
    }
    assert_false(is_gone(ids[1]));
    sleep_for(3 * TICK);
    if (is_gone(ids[1]))
        fail_msg("another was ended too early");
    assert_true(asks_for_memory());
    assert_int_equal(lines_told, 2);                    /* then another process is chosen */
    assert_true(is_gone(ids[1]));
    wake_all(&process_find(ids[0])->child_change);
    collect(2);
}

static void who_does_not_end_in_a_second_is_passed_over(void) { begin(asks_again); }

/* ---- Faults that come back ------------------------------------------------------------------------------- */

static void gives_up(void)
{
    struct fault_verdict verdict = { .signal = SIGBUS, .code = 3 };
    struct fault_repeat  repeat  = { .where = 0x20000000 | MAY_WRITE, .unchanged = 0 };

    assert_int_equal(program_fault_give_up(&repeat, &verdict), -EFAULT);
    assert_non_null(strstr(told, "process 1 (first): the write at 0x20000000 faults again and again, its entry "
                                 "stays 00"));
    assert_string_equal(verdict.reason, "the fault comes back unchanged");
    assert_int_equal(verdict.signal, SIGBUS);           /* all other fields are unchanged */
    repeat.where = 0x20001000 | MAY_READ;
    assert_int_equal(program_fault_give_up(&repeat, &verdict), -EFAULT);
    assert_non_null(strstr(told, "the read at 0x20001000 faults"));
    for (int i = 0; i < 30; i++)
        assert_int_equal(program_fault_give_up(&repeat, &verdict), -EFAULT);
    assert_int_equal(lines_told, 16);                   /* the log is not the program's to fill */
}

static void a_fault_that_always_comes_back_is_told_sixteen_times(void) { begin(gives_up); }

static const char *stopped;

static void gives_up_for_good(void)
{
    struct fault_verdict verdict = { 0 };
    struct fault_repeat  repeat  = { .where = 0x20000000 | MAY_WRITE, .unchanged = 4 };

    stopped = MACHINE_STOPS((void)program_fault_give_up(&repeat, &verdict));
}

static void a_checked_kernel_stops_for_a_fault_that_changes_nothing(void)
{
    stopped = NULL;
    begin(gives_up_for_good);
    assert_non_null(stopped);
    assert_non_null(strstr(stopped, "repeat->unchanged == 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(who_has_the_most_is_ended),
        in_world(nobody_else_is_ended_while_one_lets_its_memory_go),
        in_world(a_number_that_is_given_again_is_not_taken_for_the_last_one_chosen),
        in_world(adjustments_count_in_thousandths_of_all_memory),
        in_world(where_nobody_may_be_ended_the_one_that_asks_is),
        in_world(all_that_share_the_memory_end),
        in_world(a_child_of_vfork_is_not_chosen_but_its_parent),
        in_world(a_child_of_vfork_with_memory_of_its_own_is_chosen),
        in_world(who_does_not_end_in_a_second_is_passed_over),
        in_world(a_fault_that_always_comes_back_is_told_sixteen_times),
        in_world(a_checked_kernel_stops_for_a_fault_that_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
