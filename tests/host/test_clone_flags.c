/*
 * test_clone_flags.c - each bit of clone()'s flags by itself: it does what it is for, and nothing else.
 */
#include "process_notes.h"

enum {
    SHARES_MEMORY = 1, SHARES_FS = 2, SHARES_FILES = 4, SHARES_ACTIONS = 8, IS_A_THREAD = 16, IS_A_BROTHER = 32,
    IS_WAITED_FOR = 64, SETS_TLS = 128, TELLS_PARENT = 256, CLEARS_AT_EXIT = 512, TELLS_CHILD = 1024,
    HAS_NO_HANDLERS = 2048, HAS_NO_OTHER_STACK = 4096, IS_REFUSED = -1,
};

#define OF_PARENT PROGRAM_PAGE
#define OF_CHILD  (PROGRAM_PAGE + 16)
#define HANDLER   ((vaddr_t)77)
#define TLS_PLACE ((vaddr_t)0x1234)
#define STACK     ((vaddr_t)0x5678)

/* What a bit does: those of the signal number, and those that this kernel has no use for, do nothing. */
static int purpose_of(unsigned bit)
{
    switch (bit) {
    case 8:  return SHARES_MEMORY | HAS_NO_OTHER_STACK;
    case 9:  return SHARES_FS;
    case 10: return SHARES_FILES;
    case 11: return SHARES_MEMORY | HAS_NO_OTHER_STACK | SHARES_ACTIONS;     /* asked for with CLONE_VM */
    case 14: return IS_WAITED_FOR;
    case 15: return IS_A_BROTHER;
    case 16: return SHARES_MEMORY | HAS_NO_OTHER_STACK | SHARES_ACTIONS | SHARES_FS | SHARES_FILES | IS_A_THREAD;
    case 19: return SETS_TLS;
    case 20: return TELLS_PARENT;
    case 21: return CLEARS_AT_EXIT;
    case 24: return TELLS_CHILD;
    case 32: return HAS_NO_HANDLERS;
    case 12: case 17: case 25: case 26: case 27: case 28: case 29: case 30: return IS_REFUSED;
    default: return bit < 32 ? 0 : IS_REFUSED;
    }
}

/* What some flags need beside them. */
static uint64_t flags_with(unsigned bit)
{
    return 1ull << bit | (bit == 11 ? VM : bit == 16 ? VM | SIGHAND | FS | FILES : 0);
}

static struct process *maker;
static uint32_t        told_child;              /* what the child found in its word */
static int             found;

static void looks_around(void)
{
    const struct process *self   = current_process();
    const struct thread  *thread = current_thread();

    found = (self->memory == maker->memory ? SHARES_MEMORY : 0) | (self->fs == maker->fs ? SHARES_FS : 0) |
            (self->files == maker->files ? SHARES_FILES : 0) | (self->actions == maker->actions ? SHARES_ACTIONS : 0) |
            (self == maker ? IS_A_THREAD : self->parent != maker ? IS_A_BROTHER : 0) |
            (self->vfork_caller == maker->id ? IS_WAITED_FOR : 0) | (tls_asked == TLS_PLACE ? SETS_TLS : 0) |
            (thread->clear_at_exit == OF_CHILD ? CLEARS_AT_EXIT : 0) |
            (word_at(OF_CHILD) == (uint32_t)thread->id ? TELLS_CHILD : 0) |
            (self->actions->action[SIGUSR1].handler != HANDLER ? HAS_NO_HANDLERS : 0) |
            (thread->alternate_stack == 0 ? HAS_NO_OTHER_STACK : 0);
    assert_true(own_frame()->stack == STACK);
    if (self != maker) {                        /* a brother is a child of his maker's maker, and ends as his maker */
        assert_int_equal(self->maker, self->parent != maker ? maker->maker : maker->id);
        assert_int_equal(self->exit_signal, self->parent != maker ? maker->exit_signal : SIGUSR2);
    }
    told_child = word_at(OF_CHILD);
    assert_true(told_child == 50000 || told_child == (uint32_t)thread->id);
    thread_exit(0);
}

static void tries_each_bit(void)
{
    maker = current_process();
    on_signal(SIGUSR1, HANDLER, 0);
    on_signal(SIGUSR2, SIG_IGN, 0);
    current_thread()->alternate_stack = 0x9000;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct clone_request request = { .flags = flags_with(bit), .stack = STACK, .parent_tid = OF_PARENT,
                                         .child_tid = OF_CHILD, .tls = TLS_PLACE, .exit_signal = SIGUSR2 };
        int id;

        set_word(OF_PARENT, 30000);
        set_word(OF_CHILD, 50000);
        tls_asked = 0;
        found = IS_REFUSED;
        id = clone_into(looks_around, request);
        if (purpose_of(bit) == IS_REFUSED) {
            assert_int_equal(id, -EINVAL);
            continue;
        }
        assert_true(id > 0);
        sleep_for(2 * TICK);
        found |= word_at(OF_PARENT) == (uint32_t)id ? TELLS_PARENT : 0;
        if (found != purpose_of(bit))
            fail_msg("bit %u: did %#x, is for %#x", bit, (unsigned)found, (unsigned)purpose_of(bit));
        assert_true(word_at(OF_PARENT) == 30000 || word_at(OF_PARENT) == (uint32_t)id);
        if (!(found & (IS_A_THREAD | IS_A_BROTHER)))
            assert_int_equal(wait_for(id, WAIT_ALL_KINDS), id);
    }
}

/* CLONE_PARENT needs a parent: the test's process is a child of the first. */
static void has_a_child_that_tries(void)
{
    ids[0] = fork_into(tries_each_bit);
    while (wait_for(-1, 0) > 0)
        continue;
}

static void a_bit_does_what_it_is_for_and_nothing_else(void) { begin(has_a_child_that_tries); }

/* Bits that do nothing make no sense of what makes none. */
static void tries_what_makes_no_sense(void)
{
    static const uint64_t refused[] = { SIGHAND, THREAD, THREAD | VM, THREAD | SIGHAND, SIGHAND | FS | FILES };

    for (unsigned i = 0; i < COUNT_OF(refused); i++)
        for (uint64_t beside = 0; beside < 0x100; beside = 2 * beside + 1)
            assert_int_equal(clone_into(does_nothing, (struct clone_request){ .flags = refused[i] | beside }), -EINVAL);
    assert_int_equal(processes_alive(), 1);
}

static void what_needs_another_flag_is_refused_without_it(void) { begin(tries_what_makes_no_sense); }

/* ---- What a child may lack ------------------------------------------------------------------------------------ */

static void lacks_one_part(void)
{
    for (unsigned part = 1; part <= 2; part++) {                        /* open files, then folders */
        no_memory_for_part = part;
        assert_int_equal(fork_into(does_nothing), -ENOMEM);
        assert_int_equal(no_memory_for_part, 0);
        assert_int_equal(parts_alive, 2);
    }
    ids[0] = fork_into(does_nothing);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void a_child_has_all_parts_or_is_not_made(void) { begin(lacks_one_part); }

static void runs_on_and_on(void)
{
    for (;;) {
        tick();
        back();
    }
}

static void is_limited_and_forks(void)
{
    struct process *self = current_process();

    self->limits[RLIMIT_CPU] = (struct limit){ 2, 3 };
    ids[0] = fork_into(runs_on_and_on);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(waited.status, SIGXCPU);
    assert_true(waited.usage.user_time >= 2000000000 && waited.usage.user_time < 2100000000);
}

static void a_child_has_its_parents_limit_of_time(void) { begin(is_limited_and_forks); }

/* ---- Two who wait for their memory ------------------------------------------------------------------------------ */

static void borrows_shortly(void) { sleep_for(2 * TICK); note('s'); }

static void borrows_longer(void) { sleep_for(5 * TICK); note('l'); }

static void lends_shortly(void)
{
    ids[1] = clone_into(borrows_shortly, (struct clone_request){ .flags = VFORK | VM, .exit_signal = SIGCHLD });
    note('1');
    thread_exit(0);
}

static void lends_twice(void)
{
    thread_into(lends_shortly);
    ids[0] = clone_into(borrows_longer, (struct clone_request){ .flags = VFORK | VM, .exit_signal = SIGCHLD });
    note('2');
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
}

static void of_two_threads_each_waits_for_its_own_childs_end(void)
{
    begin(lends_twice);
    assert_string_equal(order, "s1l2");
}

/* ---- What a child has of its maker's turn -------------------------------------------------------------------- */

static int  policy, priority, niceness, io_priority;
static bool resets;

static void looks_at_its_turn(void)
{
    const struct thread *self = current_thread();

    policy      = self->policy;
    priority    = self->priority;
    niceness    = self->nice;
    io_priority = self->io_priority;
    resets      = self->resets_on_fork;
}

static void fork_with(bool reset, int own_policy, int own_priority, int own_nice)
{
    struct thread *self = current_thread();

    self->resets_on_fork = reset;
    self->policy         = own_policy;
    self->priority       = own_priority;
    self->nice           = own_nice;
    self->io_priority    = 9;
    policy = priority = niceness = io_priority = 99;
    ids[0] = fork_into(looks_at_its_turn);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(io_priority, 9);
    assert_false(resets);
}

#define child_has(the_policy, the_priority, the_niceness) \
    assert_true(policy == (the_policy) && priority == (the_priority) && niceness == (the_niceness))

static void forks_by_turns(void)
{
    fork_with(false, 1, 1, -3);                 /* nothing is reset */
    child_has(1, 1, -3);
    fork_with(true, 1, 1, -3);                  /* the least priority of a policy with some */
    child_has(0, 0, 0);
    fork_with(true, 1, 1, 3);                   /* the ordinary policy begins without niceness */
    child_has(0, 0, 0);
    fork_with(true, 3, 0, 3);                   /* a policy without priorities stays, and so does being nice */
    child_has(3, 0, 3);
    fork_with(true, 3, 0, -1);
    child_has(3, 0, 0);
    fork_with(false, 0, 0, 19);
    child_has(0, 0, 19);
}

static void a_reset_is_of_what_others_suffer_from(void) { begin(forks_by_turns); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_bit_does_what_it_is_for_and_nothing_else),
        in_world(what_needs_another_flag_is_refused_without_it),
        in_world(a_child_has_all_parts_or_is_not_made),
        in_world(a_child_has_its_parents_limit_of_time),
        in_world(of_two_threads_each_waits_for_its_own_childs_end),
        in_world(a_reset_is_of_what_others_suffer_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
