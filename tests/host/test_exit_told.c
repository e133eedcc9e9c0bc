/*
 * test_exit_told.c - whose number a parent is told with each change of a child, and how long the lock of processes is
 * held while one that ends gives its children away.
 */
#include "process_notes.h"

#include "process/user_account.h"

enum { REAL = 3, EFFECTIVE = 4 };

/* Credentials whose numbers all differ. */
static void be_two(void)
{
    struct credentials *c = credentials_copy();

    user_account_put(c->account);
    c->account = user_account_get(REAL);
    c->user    = (struct user_numbers){ REAL, EFFECTIVE, 5, 6 };
    c->group   = (struct user_numbers){ 7, 8, 9, 10 };
    credentials_take(c);
}

static void is_two(void)
{
    be_two();
    for (;;)
        sleeps_long();                          /* a stop ends a sleep */
}

static void hears_of_each_change(void)
{
    on_signal(SIGCHLD, 100, 0);
    ids[0] = fork_into(is_two);
    give_way();
    kill(ids[0], SIGSTOP);
    give_way();
    assert_int_equal(handlers_run, 1);
    assert_int_equal(handled[0].info.uid, REAL);
    handler_returns();
    assert_int_equal(wait_for(ids[0], UNTRACED), ids[0]);
    assert_int_equal(waited.uid, REAL);
    kill(ids[0], SIGCONT);
    give_way();
    assert_int_equal(handlers_run, 2);
    assert_int_equal(handled[1].info.uid, REAL);
    handler_returns();
    assert_int_equal(wait_for(ids[0], CONTINUED), ids[0]);
    assert_int_equal(waited.uid, REAL);
    kill(ids[0], SIGKILL);
    give_way();
    assert_int_equal(handlers_run, 3);
    assert_int_equal(handled[2].info.uid, REAL);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.uid, REAL);
}

static void a_parent_is_told_of_the_real_user(void) { begin(hears_of_each_change); }

/* ---- A parent's death ------------------------------------------------------------------------------------------- */

static void is_told_of_a_death(void)
{
    on_signal(SIGUSR1, 100, 0);
    current_process()->parent_death_signal = SIGUSR1;
    assert_int_equal(sleep_for(100 * (uint64_t)TICK), -EINTR);
    assert_int_equal(handled[0].info.uid, REAL);
    note('d');
}

static void ends_as_two(void)
{
    ids[1] = fork_into(is_told_of_a_death);
    give_way();
    be_two();
}

static void has_a_grandchild(void)
{
    ids[0] = fork_into(ends_as_two);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
}

static void a_child_is_told_of_the_real_user_that_has_ended(void)
{
    begin(has_a_grandchild);
    assert_string_equal(order, "d");
    assert_int_equal(handled[0].info.sender, ids[0]);
}

static void has_no_such_wish(void)
{
    assert_int_equal(sleep_for(3 * TICK), -ETIMEDOUT);
    assert_int_equal(signals_waiting(current_thread()), 0);
    note('q');
}

static void ends_before_its_child(void)
{
    ids[1] = fork_into(has_no_such_wish);
    give_way();
}

static void has_a_quiet_grandchild(void)
{
    ids[0] = fork_into(ends_before_its_child);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
}

static void who_does_not_ask_hears_of_no_death(void)
{
    begin(has_a_quiet_grandchild);
    assert_string_equal(order, "q");
}

/* ---- Who else hears of an end ----------------------------------------------------------------------------------- */

static void ends_twice(void)
{
    ids[0] = fork_into(does_nothing);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void all_above_hear_of_each_end(void)
{
    begin(ends_twice);
    assert_int_equal(endings, 2);
    assert_int_equal(ends, 2);
    assert_int_equal(samples, 2);
    assert_int_equal(terminals_left, 2);
}

/* ---- In which order ------------------------------------------------------------------------------------------- */

static void leaves_three_zombies(void)
{
    for (int i = 1; i <= 3; i++)
        ids[i] = fork_into(does_nothing);
    sleep_for(TICK);
}

static void takes_three_zombies(void)
{
    ids[0] = fork_into(leaves_three_zombies);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(wait_for(-1, 0), ids[i]);
}

static void children_are_given_away_in_their_order(void) { begin(takes_three_zombies); }

/* ---- How long the lock is held ---------------------------------------------------------------------------- */

static unsigned lettings, children_wanted, ancestors_wanted;

static void count_letting(void) { lettings++; }

static void start_counting(void)
{
    lettings      = 0;
    on_interrupts = count_letting;
}

static void leaves_children(void)
{
    for (unsigned n = 0; n < children_wanted; n++)
        fork_into(sleeps_long);
    give_way();
    on_part_gone = start_counting;              /* its end has begun */
}

static void kills(struct process *process, void *data)
{
    struct signal_info info = { .number = SIGKILL };

    (void)data;
    if (process->id != 1)
        assert_int_equal(signal_process(process, &info), 0);
}

static void kill_all(void)
{
    process_each(kills, NULL);
    while (wait_for(-1, 0) > 0)
        continue;
}

static void waits_for_one_with_children(void)
{
    ids[0] = fork_into(leaves_children);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    on_interrupts = NULL;
    ids[1] = (int32_t)lettings;
    kill_all();
}

static int lettings_with_children(unsigned count)
{
    children_wanted = count;
    begin(waits_for_one_with_children);
    return ids[1];
}

static void four_children_are_given_away_at_once(void)
{
    int least = lettings_with_children(1);

    assert_int_equal(lettings_with_children(2), least);
    assert_int_equal(lettings_with_children(3), least);
    assert_int_equal(lettings_with_children(4), least + 1);
    assert_int_equal(lettings_with_children(5), least + 1);
    assert_int_equal(lettings_with_children(7), least + 1);
    assert_int_equal(lettings_with_children(8), least + 2);
}

static void has_so_many_ancestors(void)
{
    if (ancestors_wanted-- > 0) {
        int32_t id = fork_into(has_so_many_ancestors);

        wait_for(id, 0);
        return;
    }
    children_wanted = 1;
    leaves_children();
    ids[2] = current_process()->id;
}

static void has_a_long_line(void)
{
    process_set_subreaper(true);                /* it is asked for, and taken back: the way up is gone all the same */
    process_set_subreaper(false);
    ids[0] = fork_into(has_so_many_ancestors);
    while (ids[2] == 0 || (process_find(ids[2]) != NULL && process_find(ids[2])->state != PROCESS_ZOMBIE))
        give_way();
    on_interrupts = NULL;
    ids[1] = (int32_t)lettings;
    kill_all();
}

static int lettings_with_ancestors(unsigned count)
{
    ancestors_wanted = count;
    begin(has_a_long_line);
    return ids[1];
}

/* Process 1 and the first of the line are passed as well. */
static void sixty_four_ancestors_are_looked_at_at_once(void)
{
    int least = lettings_with_ancestors(1);

    assert_int_equal(lettings_with_ancestors(2), least);
    assert_int_equal(lettings_with_ancestors(62), least);
    assert_int_equal(lettings_with_ancestors(63), least + 1);
    assert_int_equal(lettings_with_ancestors(64), least + 1);
    assert_int_equal(lettings_with_ancestors(126), least + 1);
    assert_int_equal(lettings_with_ancestors(127), least + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_parent_is_told_of_the_real_user),
        in_world(a_child_is_told_of_the_real_user_that_has_ended),
        in_world(who_does_not_ask_hears_of_no_death),
        in_world(all_above_hear_of_each_end),
        in_world(children_are_given_away_in_their_order),
        in_world(four_children_are_given_away_at_once),
        in_world(sixty_four_ancestors_are_looked_at_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
