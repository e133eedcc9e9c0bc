/*
 * test_group_rules.c - groups and sessions that stay as they are, signals for groups whose members leave meanwhile,
 * exec among threads that sleep, and what is said of a death.
 */
#include "process_notes.h"

#include "process/numbers.h"

static struct process *self(void) { return current_process(); }

static void kill_all(void)
{
    struct list *at;

    LIST_EACH(at, &self()->children)
        (void)signal_process(LIST_ITEM(at, struct process, sibling_link), &(struct signal_info){ .number = SIGKILL });
    while (wait_for(-1, 0) > 0)
        continue;
}

/* ---- What is refused changes nothing, nor what is so already ---------------------------------------------- */

static int32_t  members_seen[8];
static unsigned count_seen;

static void see(struct process *process, void *data)
{
    (void)data;
    members_seen[count_seen++] = process->id;
}

static void is_in_its_group_already(void)
{
    for (int i = 0; i < 3; i++) {
        ids[i] = fork_into(sleeps_long);
        assert_int_equal(process_set_group(ids[i], ids[0]), 0);
    }
    assert_int_equal(process_set_group(ids[0], ids[0]), 0);
    assert_int_equal(process_set_group(ids[1], ids[0]), 0);
    count_seen = 0;
    process_each_in_group(ids[0], see, NULL);
    assert_int_equal(count_seen, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(members_seen[i], ids[i]);              /* in the order they joined */
    kill_all();
}

static void who_joins_its_own_group_keeps_its_place(void) { begin(is_in_its_group_already); }

static void leads_a_group_and_wants_a_session(void)
{
    assert_int_equal(process_set_group(0, 0), 0);
    self()->terminal = (struct terminal *)&ids;
    assert_int_equal(process_new_session(), -EPERM);
    assert_int_equal(self()->session, 1);
    assert_int_equal(self()->group, self()->id);
    assert_ptr_equal(self()->terminal, &ids);
    note('s');
}

static void has_one_who_wants_a_session(void)
{
    ids[0] = fork_into(leads_a_group_and_wants_a_session);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void a_session_that_is_refused_is_not_begun(void)
{
    begin(has_one_who_wants_a_session);
    assert_string_equal(order, "s");
}

/* ---- Which groups are orphaned ---------------------------------------------------------------------------- */

static void leads_a_session(void)
{
    assert_true(process_new_session() > 0);
    sleeps_long();
}

static void looks_at_groups(void)
{
    ids[0] = fork_into(leads_a_session);
    ids[1] = fork_into(sleeps_long);
    ids[2] = fork_into(sleeps_long);
    assert_int_equal(process_set_group(ids[1], ids[1]), 0);
    assert_int_equal(process_set_group(ids[2], ids[1]), 0);
    give_way();
    assert_true(process_group_is_orphaned(process_find(ids[0])));       /* its parent is in another session */
    assert_false(process_group_is_orphaned(process_find(ids[1])));
    kill(ids[1], SIGKILL);
    give_way();
    assert_false(process_group_is_orphaned(process_find(ids[2])));
    kill(ids[2], SIGKILL);
    give_way();
    assert_true(process_group_is_orphaned(process_find(ids[2])));       /* zombies alone */
    assert_true(process_group_is_orphaned(self()));
    kill_all();
}

static void a_group_of_zombies_is_orphaned(void) { begin(looks_at_groups); }

/* ---- Signals for many, some of whom leave ----------------------------------------------------------------- */

enum { MEMBERS = 20, AT_ONCE = 8 };

static struct process *members[2 * MEMBERS];

static uint64_t bit(int number) { return 1ull << (number - 1); }

static void blocks_and_sleeps(void)
{
    signal_set_mask(bit(SIGUSR1) | bit(SIGUSR2));
    for (;;)
        sleep_for(1000 * (uint64_t)TICK);
}

/* Members from the first on, one of the second kind in a group of its own. */
static void make_group(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        members[i] = process_find(fork_into(blocks_and_sleeps));
        assert_int_equal(process_set_group(members[i]->id, members[first]->id), 0);
    }
    sleep_for(TICK);
}

static bool has(unsigned member, int number) { return (members[member]->pending.pending & bit(number)) != 0; }

static unsigned leaver;

static void loses_one(void)
{
    lock_state state;

    make_group(0, MEMBERS);
    make_group(MEMBERS, 1);
    state = lock_take(&process_lock);
    signal_members(members[0]->group_number, SIGUSR1);
    process_join_group(members[leaver], members[MEMBERS]->group_number);
    lock_drop(&process_lock, state);
    back();
    for (unsigned i = 0; i < MEMBERS; i++)
        assert_int_equal(has(i, SIGUSR1), i != leaver || i <= AT_ONCE);
    assert_false(has(MEMBERS, SIGUSR1));
    kill_all();
}

static void whoever_leaves_all_others_get_the_signal(void)
{
    for (leaver = AT_ONCE - 1; leaver <= AT_ONCE + 3; leaver++)
        begin(loses_one);
    leaver = MEMBERS - 1;
    begin(loses_one);
}

static unsigned members_wanted;

static void is_sent_two(void)
{
    lock_state state;

    make_group(0, members_wanted);
    state = lock_take(&process_lock);
    signal_members(members[0]->group_number, SIGUSR1);
    signal_members(members[0]->group_number, SIGUSR2);
    lock_drop(&process_lock, state);
    back();
    for (unsigned i = 0; i < members_wanted; i++)
        assert_true(has(i, SIGUSR1) && has(i, SIGUSR2));
    check_families();
    kill_all();
}

/* Wherever a portion ends: in the middle of the first signal, with it, or after. */
static void two_signals_come_to_groups_of_any_size(void)
{
    for (members_wanted = 1; members_wanted <= MEMBERS; members_wanted++)
        begin(is_sent_two);
}

static void two_groups_are_sent_one(void)
{
    lock_state state;

    make_group(0, MEMBERS);
    make_group(MEMBERS, MEMBERS);
    state = lock_take(&process_lock);
    signal_members(members[0]->group_number, SIGUSR1);
    signal_members(members[MEMBERS]->group_number, SIGUSR2);
    lock_drop(&process_lock, state);
    back();
    for (unsigned i = 0; i < 2 * MEMBERS; i++)
        assert_true(has(i, i < MEMBERS ? SIGUSR1 : SIGUSR2) && !has(i, i < MEMBERS ? SIGUSR2 : SIGUSR1));
    kill_all();
}

static void two_large_groups_are_sent_each_its_own(void) { begin(two_groups_are_sent_one); }

/* ---- One thread is to remain ------------------------------------------------------------------------------ */

static void sleeps_in_a_thread(void) { sleeps_long(); note('?'); }

static void is_slow_to_end(void)
{
    wait_start(&self()->child_change);
    assert_int_equal(wait_linked(clock_now() + 3 * TICK, 0), -ETIMEDOUT);       /* no signal ends this */
    wait_end();
    back();
    note('?');
}

static void remains_alone(void)
{
    uint64_t began;

    on_signal(SIGUSR1, 100, 0);
    for (int i = 0; i < 3; i++)
        thread_into(sleeps_in_a_thread);
    give_way();
    began = clock_now();
    assert_int_equal(thread_stay_alone(), 0);
    assert_int_equal(clock_now(), began);                       /* they are woken to end */
    assert_int_equal(threads_alive(), 1);
    thread_into(is_slow_to_end);
    give_way();
    assert_int_equal(signal_thread(current_thread(), &(struct signal_info){ .number = SIGUSR1 }), 0);
    assert_int_equal(thread_stay_alone(), 0);                   /* a signal that waits does not disturb */
    assert_int_equal(threads_alive(), 1);
    assert_true(clock_now() >= began + 3 * TICK);
    assert_null(self()->survivor);
    back();
    assert_int_equal(handlers_run, 1);
}

static void who_is_to_remain_wakes_the_others_and_waits(void)
{
    begin(remains_alone);
    assert_string_equal(order, "");
}

/* ---- Stopped, and to end ---------------------------------------------------------------------------------- */

static void is_there_as_well(void)
{
    for (;;)
        sleep_for(1000 * (uint64_t)TICK);
}

/* In a call, while a stop has come to all other threads. */
static void is_in_a_call(void)
{
    ids[1] = thread_into(is_there_as_well);
    while (self()->state != PROCESS_STOPPED)
        give_way_inside();
    for (int i = 0; i < 4; i++)
        give_way_inside();
    exit_with(3);
}

static void stops_it_in_a_call(void)
{
    ids[0] = fork_into(is_in_a_call);
    give_way();
    assert_int_equal(signal_thread(thread_find(ids[1]), &(struct signal_info){ .number = SIGSTOP }), 0);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, 3 << 8);
}

static void a_stop_does_not_keep_threads_from_their_end(void) { begin(stops_it_in_a_call); }

/* ---- What is said of a death ------------------------------------------------------------------------------ */

static vaddr_t noted_at, died_at;
static bool    noted_by_another;
static int     noted_code = 1, died_code = 1;

static void notes_a_fault(void)
{
    struct fault_verdict verdict = { .signal = SIGSEGV, .code = noted_code, .address = noted_at,
                                     .reason = "no\nregion" };

    process_note_fault(&verdict, 0x1234);
}

static void dies_of_it(void)
{
    struct signal_info info = { .number = SIGSEGV, .code = died_code, .address = died_at };

    snprintf(self()->name, sizeof self()->name, "a\tb");
    the_program = self()->id;
    if (!noted_by_another)
        notes_a_fault();
    signal_fault(&info);
    back();
}

static void has_one_that_dies(void)
{
    if (noted_by_another)
        notes_a_fault();
    ids[0] = fork_into(dies_of_it);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, SIGSEGV);
}

static unsigned lines_of(vaddr_t noted, vaddr_t died, bool by_another)
{
    noted_at         = noted;
    died_at          = died;
    noted_by_another = by_another;
    lines_told       = 0;
    told[0]          = 0;
    begin(has_one_that_dies);
    return lines_told;
}

static void a_death_is_told_with_the_fault_that_was_its_own(void)
{
    assert_int_equal(lines_of(0x40, 0x44, false), 0);
    assert_int_equal(lines_of(0x48, 0x48, true), 0);
    assert_int_equal(lines_of(0x4C, 0x4C, false), 1);
    assert_non_null(strstr(told, "0x00001234"));
    assert_non_null(strstr(told, "0x0000004c"));
    assert_null(strchr(told, '\n'));                            /* whatever a program calls itself */
    assert_null(strchr(told, '\t'));
}

/* A handler that could not be entered has no address: there the two must both be of that kind. */
static void a_death_without_an_address_is_told_if_the_fault_had_none_either(void)
{
    static const struct { int noted, died; unsigned lines; } kinds[] = {
        { SI_KERNEL, SI_KERNEL, 1 }, { SI_KERNEL, 1, 0 }, { 1, SI_KERNEL, 0 }, { 1, 1, 0 },
    };

    for (unsigned i = 0; i < COUNT_OF(kinds); i++) {
        noted_code = kinds[i].noted;
        died_code  = kinds[i].died;
        assert_int_equal(lines_of(0x40, 0x44, false), kinds[i].lines);
    }
    noted_code = died_code = 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(who_joins_its_own_group_keeps_its_place),
        in_world(a_session_that_is_refused_is_not_begun),
        in_world(a_group_of_zombies_is_orphaned),
        in_world(whoever_leaves_all_others_get_the_signal),
        in_world(two_signals_come_to_groups_of_any_size),
        in_world(two_large_groups_are_sent_each_its_own),
        in_world(who_is_to_remain_wakes_the_others_and_waits),
        in_world(a_stop_does_not_keep_threads_from_their_end),
        in_world(a_death_is_told_with_the_fault_that_was_its_own),
        in_world(a_death_without_an_address_is_told_if_the_fault_had_none_either),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
