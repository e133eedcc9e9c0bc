/*
 * test_process_steps.c - long work on processes lets interrupts in between its steps, and bears what happens then.
 */
#include "tour_items.h"

#include "process/numbers.h"

static unsigned lettings;               /* how often interrupts came on again */
static void   (*at_letting)(void);      /* what happens then, once */

/* What happens may take locks itself. */
static void count_letting(void)
{
    void (*act)(void) = at_letting;

    lettings++;
    if (act != NULL) {
        on_interrupts = NULL;
        act();
        on_interrupts = count_letting;
    }
}

/* How often a statement lets interrupts in, with its end. */
#define LETTINGS(statement) (lettings = 0, on_interrupts = count_letting, (statement), on_interrupts = NULL, lettings)

/* ---- Tours --------------------------------------------------------------------------------------------- */

static void go_over(unsigned portion)
{
    lock_state   state = lock_take(&process_lock);
    struct tour *tour  = tour_list(&head, portion, &state);
    struct list *at;

    while ((at = tour_next(tour)) != NULL)
        note(LIST_ITEM(at, struct item, link)->letter);
    lock_drop(&process_lock, state);
}

static void a_tour_drops_the_lock_after_each_portion(void)
{
    fill_list();
    assert_int_equal(LETTINGS(go_over(100)), 1);        /* at the end */
    assert_int_equal(LETTINGS(go_over(10)), 1);         /* nine, and to find that this was all */
    assert_int_equal(LETTINGS(go_over(9)), 2);
    assert_int_equal(LETTINGS(go_over(5)), 2);
    assert_int_equal(LETTINGS(go_over(4)), 3);
    assert_int_equal(LETTINGS(go_over(3)), 4);
    assert_int_equal(LETTINGS(go_over(1)), 10);
}

/* Called when the lock is dropped for the first time, after three items. */
static void two_leave_and_one_comes(void)
{
    static struct item late = { .letter = 'z' };
    lock_state         state;

    at_letting = NULL;
    state = lock_take(&process_lock);
    tours_list_remove(&items[3].link);
    tours_list_remove(&items[6].link);
    list_insert(&head, &late.link);
    lock_drop(&process_lock, state);
}

static void what_leaves_meanwhile_is_not_visited(void)
{
    fill_list();
    at_letting = two_leave_and_one_comes;
    (void)LETTINGS(go_over(3));
    assert_string_equal(order, "abcefhiz");
}

/* ---- By number ------------------------------------------------------------------------------------------ */

enum { THREADS = 130 };

static unsigned visits;

static void visit_process(struct process *process, void *none) { (void)process; (void)none; visits++; }
static void visit_thread(struct thread *thread, void *none)    { (void)thread; (void)none; visits++; }

static void find_beyond(void)
{
    lock_state state = lock_take(&process_lock);

    assert_int_equal(process_beyond(ids[0], &state)->id, ids[1]);
    lock_drop(&process_lock, state);
}

static void find_thread_beyond(void)
{
    lock_state state = lock_take(&process_lock);

    assert_int_equal(thread_beyond(ids[1], ids[0], &state)->id, ids[1]);
    lock_drop(&process_lock, state);
}

static void has_numbers_between(void)
{
    ids[0] = current_process()->id;
    for (unsigned i = 0; i < THREADS; i++)
        thread_into(sleeps_long);
    ids[1] = fork_into(sleeps_long);
    visits = 0;
    assert_int_equal(LETTINGS(find_beyond()), 3);               /* 130 numbers that are no process's, 64 at once */
    assert_int_equal(LETTINGS(find_thread_beyond()), 3);
    assert_int_equal(LETTINGS(thread_each(visit_thread, NULL)), 3);
    assert_int_equal(visits, THREADS + 2);
    visits = 0;
    assert_int_equal(LETTINGS(process_each(visit_process, NULL)), 2 + 2 + 1);       /* after each process as well */
    assert_int_equal(visits, 2);
    kill(ids[1], SIGKILL);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
    exit_with(0);
}

static void numbers_are_looked_at_sixty_four_at_once(void) { begin(has_numbers_between); }

/* ---- Children that are given away --------------------------------------------------------------------------- */

enum { CHILDREN = 9 };

static struct process *reaper, *leaver;

static void has_nine_children_and_ends(void)
{
    for (unsigned i = 0; i < CHILDREN; i++)
        fork_into(sleeps_long);
    leaver = current_process();
    exit_with(0);
}

static unsigned children_of(const struct process *process)
{
    unsigned     count = 0;
    struct list *at;

    LIST_EACH(at, &process->children)
        count++;
    return count;
}

/* Four are given away: as if their new parent ended now. */
static void reaper_ends(void)
{
    if (leaver == NULL || children_of(leaver) != CHILDREN - 4)
        return;
    reaper->state = PROCESS_ZOMBIE;
    at_letting    = NULL;
}

static void is_a_reaper_for_a_while(void)
{
    process_set_subreaper(true);
    reaper = current_process();
    ids[1] = fork_into(has_nine_children_and_ends);
    for (;;)
        sleep_for(1000 * (uint64_t)TICK);
}

/* Also those that come meanwhile, of one that ends. */
static void end_all_children(void)
{
    while (children_of(current_process()) > 0) {
        struct process *child = LIST_ITEM(current_process()->children.next, struct process, sibling_link);

        if (child->state != PROCESS_ZOMBIE)
            kill(child->id, SIGKILL);
        assert_int_equal(wait_for(child->id, 0), child->id);
    }
}

static void has_a_reaper(void)
{
    leaver = NULL;
    ids[0] = fork_into(is_a_reaper_for_a_while);
    give_way();
    at_letting    = reaper_ends;
    on_interrupts = count_letting;
    sleep_for(TICK);
    on_interrupts = NULL;
    assert_null(at_letting);
    reaper->state = PROCESS_ALIVE;
    assert_int_equal(children_of(reaper), 4 + 1);               /* and the leaver */
    assert_int_equal(children_of(current_process()), CHILDREN - 4 + 1);
    check_families();
    end_all_children();
    exit_with(0);
}

static void a_new_parent_that_ends_meanwhile_gets_no_more_children(void) { begin(has_a_reaper); }

/* ---- A line of ancestors longer than one step looks at ----------------------------------------------------- */

enum { LINE = 68 };

static unsigned depth;

static void is_left(void) { sleep_for(3 * TICK); }

/* The last of the line leaves a child and ends; the others wait. */
static void goes_on_with_the_line(void)
{
    if (++depth == LINE) {
        ids[1] = fork_into(is_left);
        exit_with(0);
    }
    ids[2] = fork_into(goes_on_with_the_line);
    assert_true(wait_for(-1, 0) > 0);
    exit_with(0);
}

static void begins_a_line(void)
{
    process_set_subreaper(true);
    ids[0] = current_process()->id;
    fork_into(goes_on_with_the_line);
    sleep_for(TICK);
    assert_ptr_equal(process_find(ids[1])->parent, current_process());
    note('r');
    while (wait_for(-1, 0) > 0)
        ;
    exit_with(0);
}

static void has_a_line(void)
{
    depth = 0;
    fork_into(begins_a_line);
    assert_true(wait_for(-1, 0) > 0);
    exit_with(0);
}

static void the_nearest_subreaper_is_found_however_far_up(void)
{
    begin(has_a_line);
    assert_string_equal(order, "r");
}

/* ---- Signals for a large group --------------------------------------------------------------------------------- */

enum { MEMBERS = 20, AT_ONCE = 8 };

static struct process *members[MEMBERS + 1];

static uint64_t bit(int number) { return 1ull << (number - 1); }

static void blocks_and_sleeps(void)
{
    signal_set_mask(bit(SIGUSR1) | bit(SIGUSR2));
    for (;;)
        sleep_for(1000 * (uint64_t)TICK);
}

/* members[0] to [MEMBERS-1] are one group, in that order; the last one has a group of its own. */
static void make_group(void)
{
    for (unsigned i = 0; i <= MEMBERS; i++) {
        members[i] = process_find(fork_into(blocks_and_sleeps));
        assert_int_equal(process_set_group(members[i]->id, members[i < MEMBERS ? 0 : i]->id), 0);
    }
    sleep_for(TICK);
}

static void end_group(void)
{
    end_all_children();
    exit_with(0);
}

static bool has_signal(unsigned member, int number) { return (members[member]->pending.pending & bit(number)) != 0; }

static void moves_members_away(void)
{
    struct number *group, *other;
    lock_state     state;

    make_group();
    group = members[0]->group_number;
    other = members[MEMBERS]->group_number;
    state = lock_take(&process_lock);
    signal_members(group, SIGUSR1);
    for (unsigned i = 0; i < MEMBERS; i++)                      /* a step is for the beginning, one to spare */
        assert_int_equal(has_signal(i, SIGUSR1), i < AT_ONCE + 1);
    process_join_group(members[AT_ONCE + 1], other);            /* the next one */
    process_join_group(members[AT_ONCE + 4], other);            /* one that comes later */
    process_join_group(members[2], other);                      /* one that has its signal */
    lock_drop(&process_lock, state);
    back();
    for (unsigned i = 0; i < MEMBERS; i++)
        assert_int_equal(has_signal(i, SIGUSR1), i != AT_ONCE + 1 && i != AT_ONCE + 4);
    check_families();
    end_group();
}

static void who_leaves_a_group_before_its_turn_gets_no_signal(void) { begin(moves_members_away); }

static void moves_all_away(void)
{
    struct number *group, *other;
    lock_state     state;

    make_group();
    group = members[0]->group_number;
    other = members[MEMBERS]->group_number;
    state = lock_take(&process_lock);
    number_hold(group);
    signal_members(group, SIGUSR1);
    signal_members(group, SIGUSR2);
    assert_false(list_is_empty(&group->send_link));
    for (unsigned i = 0; i < MEMBERS; i++)
        process_join_group(members[i], other);
    assert_int_equal(group->to_send, 0);
    assert_int_equal(group->sending, 0);
    assert_true(list_is_empty(&group->send_link));
    number_drop(group);
    lock_drop(&process_lock, state);
    back();
    for (unsigned i = 0; i < MEMBERS; i++)
        assert_false(has_signal(i, SIGUSR2));
    check_families();
    end_group();
}

static void what_was_to_be_sent_goes_with_the_last_member(void) { begin(moves_all_away); }

static void sends_in_portions(void)
{
    unsigned before;

    make_group();
    on_let_in = count_letting;
    lettings  = 0;
    assert_int_equal(signal_group(members[0]->id, SIGUSR1), 0);
    before = lettings;
    back();
    assert_int_equal(before, 0);
    assert_int_equal(lettings, 2);                              /* 9, 10 and the last; then nothing is left */
    on_let_in = NULL;
    end_group();
}

static void a_group_is_sent_its_signals_in_portions(void) { begin(sends_in_portions); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_tour_drops_the_lock_after_each_portion),
        in_world(what_leaves_meanwhile_is_not_visited),
        in_world(numbers_are_looked_at_sixty_four_at_once),
        in_world(a_new_parent_that_ends_meanwhile_gets_no_more_children),
        in_world(the_nearest_subreaper_is_found_however_far_up),
        in_world(who_leaves_a_group_before_its_turn_gets_no_signal),
        in_world(what_was_to_be_sent_goes_with_the_last_member),
        in_world(a_group_is_sent_its_signals_in_portions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
