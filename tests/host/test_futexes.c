/*
 * test_futexes.c - waiting for a word, waking, moving waiters, and locks whose owner ends.
 */
#include "process_notes.h"

#include "memory/spaces/object.h"

#define WORD   PROGRAM_PAGE
#define OTHER  (PROGRAM_PAGE + 64)
#define SHARED (PROGRAM_PAGE + 16 * PAGE_SIZE)
enum { ALL = -1 };

static uint32_t bits_of_next;
static uint64_t limit_of_next;
static bool     private_next;
static vaddr_t  word_of_next;

static int wake(vaddr_t at, int most) { return futex_wake(at, true, most, (uint32_t)ALL); }

/* A thread that waits for a word, and says so when it is woken. */
static char letter_of_next;

static void waiter(void)
{
    char letter = letter_of_next;
    int  err    = futex_wait(word_of_next, private_next, 0, limit_of_next, bits_of_next);

    back();
    note(err == 0 ? letter : '!');
    thread_exit(0);
}

static int start_waiter(char letter, vaddr_t word, uint32_t bits)
{
    int id;

    letter_of_next = letter;
    word_of_next   = word;
    bits_of_next   = bits;
    limit_of_next  = NEVER;
    private_next   = true;
    id = thread_into(waiter);
    give_way();
    return id;
}

static void wakes_in_order(void)
{
    for (char letter = 'a'; letter <= 'e'; letter++)
        start_waiter(letter, WORD, (uint32_t)ALL);
    assert_null(futexes_broken());
    assert_int_equal(wake(OTHER, 10), 0);
    assert_int_equal(wake(WORD, 2), 2);
    give_way();
    assert_string_equal(order, "ab");
    assert_int_equal(wake(WORD, 0), 1);                         /* as under Linux */
    assert_int_equal(wake(WORD, 10), 2);
    give_way();
    assert_string_equal(order, "abcde");
    assert_int_equal(wake(WORD, 10), 0);
    assert_null(futexes_broken());
}

static void waiters_wake_in_the_order_they_came(void) { begin(wakes_in_order); }

static void refuses_words(void)
{
    set_word(WORD, 5);
    assert_int_equal(futex_wait(WORD, true, 6, NEVER, 1), -EAGAIN);
    assert_int_equal(futex_wait(WORD, true, 5, NEVER, 0), -EINVAL);
    assert_int_equal(futex_wait(WORD + 1, true, 5, NEVER, 1), -EINVAL);
    assert_int_equal(futex_wait(WORD + 2, true, 5, NEVER, 1), -EINVAL);
    assert_int_equal(futex_wait(0xFFFFFFF0, true, 5, NEVER, 1), -EFAULT);
    assert_int_equal(futex_wait(WORD + PAGE_SIZE, true, 5, NEVER, 1), -EFAULT);
    assert_int_equal(futex_wait(WORD + PAGE_SIZE, false, 5, NEVER, 1), -EFAULT);
    assert_int_equal(futex_wake(WORD, true, 1, 0), -EINVAL);
    assert_int_equal(futex_wake(WORD + 1, true, 1, 1), -EINVAL);
    assert_int_equal(futex_wake(WORD + PAGE_SIZE, true, 1, 1), 0);      /* a private name needs no memory */
    assert_int_equal(futex_wake(WORD + PAGE_SIZE, false, 1, 1), -EFAULT);
    assert_int_equal(futex_wake(page_address(layout.user.end) - 4, true, 1, 1), 0);     /* the last word there is */
    assert_int_equal(futex_wake(page_address(layout.user.end), true, 1, 1), -EFAULT);
    assert_int_equal(futex_check(WORD, true), 0);
    assert_int_equal(futex_check(WORD, false), 0);
    assert_int_equal(futex_check(WORD + 3, true), -EINVAL);
    assert_int_equal(futex_check(WORD + PAGE_SIZE, false), -EFAULT);
    assert_int_equal(futex_wait(WORD, true, 5, clock_now() + 2 * TICK, 1), -ETIMEDOUT);
    assert_null(futexes_broken());
    words_loaded = 0;
    change_word_at = 2;                                         /* between the first look and the second */
    change_word_to = 9;
    assert_int_equal(futex_wait(WORD, true, 5, NEVER, 1), -EAGAIN);
    change_word_at = 0;
}

static void a_word_that_is_another_is_not_waited_for(void) { begin(refuses_words); }

static void interrupts_a_waiter(void)
{
    on_signal(SIGUSR1, 100, 0);
    ids[0] = start_waiter('a', WORD, 1);
    struct signal_info info = { .number = SIGUSR1 };
    signal_thread(thread_find(ids[0]), &info);
    give_way();
    assert_string_equal(order, "!");
    assert_int_equal(wake(WORD, 1), 0);                         /* the thread waits no more */
    ids[0] = start_waiter('b', WORD, 1);
    assert_int_equal(wake(WORD, 1), 1);
    signal_thread(thread_find(ids[0]), &info);                  /* woken first: that counts */
    give_way();
    assert_string_equal(order, "!b");
}

static void a_signal_ends_a_wait(void) { begin(interrupts_a_waiter); }

static void wakes_by_bits(void)
{
    start_waiter('a', WORD, 1);
    start_waiter('b', WORD, 2);
    start_waiter('c', WORD, 3);
    assert_int_equal(futex_wake(WORD, true, 10, 4), 0);
    assert_int_equal(futex_wake(WORD, true, 10, 2), 2);
    give_way();
    assert_string_equal(order, "bc");
    assert_int_equal(futex_wake(WORD, true, 10, 5), 1);
    give_way();
    assert_string_equal(order, "bca");
}

static void only_waiters_for_one_of_the_bits_are_woken(void) { begin(wakes_by_bits); }

static void moves_waiters(void)
{
    for (char letter = 'a'; letter <= 'f'; letter++)
        start_waiter(letter, WORD, 1);
    assert_int_equal(futex_requeue(WORD, true, -1, OTHER, 1, false, 0), -EINVAL);
    assert_int_equal(futex_requeue(WORD, true, 1, OTHER, -1, false, 0), -EINVAL);
    assert_int_equal(futex_requeue(WORD + 1, true, 1, OTHER, 1, false, 0), -EINVAL);
    assert_int_equal(futex_requeue(WORD, true, 1, OTHER + 1, 1, false, 0), -EINVAL);
    assert_int_equal(futex_requeue(WORD, true, 1, OTHER, 1, true, 5), -EAGAIN);
    assert_int_equal(futex_requeue(WORD + PAGE_SIZE, true, 1, OTHER, 1, true, 5), -EFAULT);
    assert_int_equal(futex_requeue(WORD, true, 1, OTHER, 2, true, 0), 3);
    give_way();
    assert_string_equal(order, "a");
    assert_null(futexes_broken());
    assert_int_equal(wake(OTHER, 1), 1);
    give_way();
    assert_string_equal(order, "ab");
    assert_int_equal(futex_requeue(WORD, true, 0, WORD, 2, false, 0), 2);       /* to their own word: they stay */
    assert_int_equal(wake(WORD, 10), 3);
    give_way();
    assert_string_equal(order, "abdef");
    assert_int_equal(futex_requeue(WORD, true, 0, OTHER, 2, false, 0), 0);
    assert_int_equal(futex_requeue(OTHER, true, 2, WORD, 2, false, 0), 1);
    give_way();
    assert_string_equal(order, "abdefc");
    set_word(WORD, 0);
    words_loaded = 0;
    change_word_at = 2;
    change_word_to = 9;
    assert_int_equal(futex_requeue(WORD, true, 1, OTHER, 1, true, 0), -EAGAIN);
    change_word_at = 0;
}

static void waiters_move_to_another_word_in_their_order(void) { begin(moves_waiters); }

/* ---- Words that several spaces see ----------------------------------------------------------------------- */

static void map_shared(struct object *object, vaddr_t at, uint64_t page)
{
    struct map_request wanted = { .address = at, .bytes = 2 * PAGE_SIZE, .rights = MAY_READ | MAY_WRITE,
                                  .may = MAY_READ | MAY_WRITE, .flags = MAP_IS_FIXED | MAP_IS_SHARED,
                                  .object = object, .offset = page };
    vaddr_t            out;

    assert_int_equal(map_create(&current_process()->memory->space, &wanted, &out), 0);
}

static struct object *shared_object;

static void waits_from_elsewhere(void)
{
    map_shared(shared_object, SHARED + 8 * PAGE_SIZE, 0);       /* another address in another space */
    note(futex_wait(SHARED + 8 * PAGE_SIZE + PAGE_SIZE + 4, false, 0, NEVER, 1) == 0 ? 'x' : '!');
}

static void waits_for_its_own(void)
{
    note(futex_wait(WORD, false, 0, clock_now() + 3 * TICK, 1) == 0 ? '!' : 'o');
}

static void wakes_elsewhere(void)
{
    shared_object = object_create(OWNER_FILE, 4);
    assert_non_null(shared_object);
    map_shared(shared_object, SHARED, 0);
    ids[0] = fork_into(waits_from_elsewhere);
    ids[1] = fork_into(waits_for_its_own);
    give_way();
    assert_int_equal(futex_wake(SHARED + PAGE_SIZE + 4, true, 1, 1), 0);        /* another name */
    assert_int_equal(futex_wake(SHARED + 4, false, 1, 1), 0);                   /* another page */
    assert_int_equal(futex_wake(SHARED + PAGE_SIZE, false, 1, 1), 0);           /* another word */
    assert_int_equal(futex_wake(WORD, false, 10, 1), 0);                        /* private memory is not shared */
    assert_int_equal(futex_wake(SHARED + PAGE_SIZE + 4, false, 1, 1), 1);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
    assert_string_equal(order, "xo");
    object_release(shared_object);
}

static void a_word_in_shared_memory_is_one_for_all(void) { begin(wakes_elsewhere); }

static void names_are_two(void)
{
    start_waiter('a', WORD, 1);
    assert_int_equal(futex_wake(WORD, false, 1, 1), 0);         /* FUTEX_PRIVATE_FLAG is part of the name */
    assert_int_equal(futex_wake(WORD, true, 1, 1), 1);
    give_way();
    private_next = false;
    letter_of_next = 'b';
    thread_into(waiter);
    give_way();
    assert_int_equal(futex_wake(WORD, true, 1, 1), 0);
    assert_int_equal(futex_wake_at(WORD, 1), 1);
    give_way();
    assert_string_equal(order, "ab");
}

static void private_and_shared_names_are_two(void) { begin(names_are_two); }

/* ---- Robust lists ---------------------------------------------------------------------------------------- */

#define HEAD   (PROGRAM_PAGE + 256)
#define NODE(n) (PROGRAM_PAGE + 512 + 64 * (vaddr_t)(n))
enum { LOCK_OFFSET = 8, DIED = 0x40000000, WAITERS = 0x80000000 };

/* A list of three locks and a pending one, as the C library has them. */
static void set_robust(unsigned nodes, uint32_t pending)
{
    for (unsigned n = 0; n < nodes; n++)
        set_word(NODE(n), n + 1 < nodes ? (uint32_t)NODE(n + 1) : (uint32_t)HEAD);
    set_word(HEAD, nodes > 0 ? (uint32_t)NODE(0) : (uint32_t)HEAD);
    set_word(HEAD + 4, LOCK_OFFSET);
    set_word(HEAD + 8, pending);
    current_thread()->robust_list = HEAD;
}

static void holds_locks(void)
{
    uint32_t own = (uint32_t)current_thread()->id;

    set_robust(3, (uint32_t)NODE(5));
    set_word(NODE(0) + LOCK_OFFSET, own);
    set_word(NODE(1) + LOCK_OFFSET, own | WAITERS);
    set_word(NODE(2) + LOCK_OFFSET, own + 1);                   /* another's: left alone */
    set_word(NODE(5) + LOCK_OFFSET, own | WAITERS);
    thread_exit(0);
}

static void watches_locks(void)
{
    private_next = false;
    start_waiter('n', NODE(1) + LOCK_OFFSET, 1);
    ids[0] = thread_into(holds_locks);
    private_next = false;
    letter_of_next = 'w';
    word_of_next = NODE(6);
    give_way();
    assert_int_equal(word_at(NODE(0) + LOCK_OFFSET), DIED);
    assert_int_equal(word_at(NODE(1) + LOCK_OFFSET), DIED | WAITERS);
    assert_int_equal(word_at(NODE(2) + LOCK_OFFSET), (uint32_t)ids[0] + 1);
    assert_int_equal(word_at(NODE(5) + LOCK_OFFSET), DIED | WAITERS);
    assert_int_equal(wake(NODE(1) + LOCK_OFFSET, 1), 1);
    give_way();
}

static void locks_of_a_thread_that_ends_are_marked(void) { begin(watches_locks); }

static void waits_for_a_lock(void)
{
    note(futex_wait(NODE(0) + LOCK_OFFSET, false, word_at(NODE(0) + LOCK_OFFSET), NEVER, 1) == 0 ? 'k' : '!');
    thread_exit(0);
}

static void ends_with_a_lock(void)
{
    set_robust(1, 0);
    set_word(NODE(0) + LOCK_OFFSET, (uint32_t)current_thread()->id | WAITERS);
    sleep_for(TICK);
    thread_exit(0);
}

static void ends_with_a_pending_lock(void)
{
    set_robust(1, (uint32_t)NODE(0));                           /* a node in both lists is handled once */
    set_word(NODE(0) + LOCK_OFFSET, (uint32_t)current_thread()->id | WAITERS);
    sleep_for(TICK);
    thread_exit(0);
}

static void waits_for_locks(void)
{
    thread_into(ends_with_a_lock);
    give_way();
    thread_into(waits_for_a_lock);
    thread_into(waits_for_a_lock);
    sleep_for(3 * TICK);
    assert_string_equal(order, "k");                            /* one of the waiters is woken */
    assert_int_equal(futex_wake_at(NODE(0) + LOCK_OFFSET, 10), 1);
    give_way();
    thread_into(ends_with_a_pending_lock);
    give_way();
    thread_into(waits_for_a_lock);
    thread_into(waits_for_a_lock);
    sleep_for(3 * TICK);
    assert_string_equal(order, "kkk");
    assert_int_equal(futex_wake_at(NODE(0) + LOCK_OFFSET, 10), 1);
    give_way();
}

static void one_waiter_of_a_dead_owners_lock_is_woken(void) { begin(waits_for_locks); }

/* Nobody has said that anybody waits: whoever does so by itself is left to its own. */
static void ends_with_a_lock_that_nobody_wants(void)
{
    set_robust(1, 0);
    set_word(NODE(0) + LOCK_OFFSET, (uint32_t)current_thread()->id);
    sleep_for(TICK);
    thread_exit(0);
}

static void waits_for_a_quiet_lock(void)
{
    thread_into(ends_with_a_lock_that_nobody_wants);
    give_way();
    thread_into(waits_for_a_lock);
    sleep_for(3 * TICK);
    assert_int_equal(word_at(NODE(0) + LOCK_OFFSET), DIED);
    assert_string_equal(order, "");
    assert_int_equal(futex_wake_at(NODE(0) + LOCK_OFFSET, 10), 1);
    give_way();
    assert_string_equal(order, "k");
}

static void without_the_waiters_bit_no_waiter_is_woken(void) { begin(waits_for_a_quiet_lock); }

static void has_a_bad_list(void)
{
    uint32_t own = (uint32_t)current_thread()->id;

    set_robust(3, 0);
    set_word(NODE(0), 0x10);                                    /* leads nowhere: what is before it counts */
    set_word(NODE(0) + LOCK_OFFSET, own);
    set_word(NODE(1) + LOCK_OFFSET, own);
    thread_exit(0);
}

static void has_a_ring(void)
{
    set_robust(2, 0);
    set_word(NODE(1), (uint32_t)NODE(0));                       /* never comes back to its head */
    thread_exit(0);
}

static void has_a_crooked_lock(void)
{
    uint32_t own = (uint32_t)current_thread()->id;

    set_robust(1, 0);
    set_word(HEAD + 4, 9);
    set_word(NODE(0) + 8, own);
    set_word(NODE(0) + 12, own);
    thread_exit(0);
}

static void has_no_head(void)
{
    current_thread()->robust_list = PROGRAM_PAGE + PAGE_SIZE;
    thread_exit(0);
}

static void meets_bad_lists(void)
{
    ids[0] = thread_into(has_a_bad_list);
    give_way();
    assert_int_equal(word_at(NODE(0) + LOCK_OFFSET), DIED);
    assert_int_equal(word_at(NODE(1) + LOCK_OFFSET), (uint32_t)ids[0]);
    thread_into(has_a_ring);
    give_way();
    words_loaded = 0;
    thread_into(has_a_ring);
    give_way();
    assert_in_range(words_loaded, 2 * 2048, 2 * 2048 + 4);      /* 2048 entries, and no more */
    ids[0] = thread_into(has_a_crooked_lock);
    give_way();
    assert_int_equal(word_at(NODE(0) + 8), (uint32_t)ids[0]);
    thread_into(has_no_head);
    give_way();
    assert_int_equal(threads_alive(), 1);
}

static void a_list_that_leads_nowhere_harms_nobody(void) { begin(meets_bad_lists); }

static void two_share_memory(void)
{
    current_thread()->clear_at_exit = WORD;
    set_word(WORD, 7);
}

static void clears_words(void)
{
    ids[0] = clone_into(two_share_memory, (struct clone_request){ .flags = VM, .exit_signal = SIGCHLD });
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(word_at(WORD), 0);                         /* the other process still has the memory */
    current_thread()->clear_at_exit = WORD + 1;                 /* no futex can be at that address: no effect */
}

static void a_word_is_cleared_for_whoever_shares_the_memory(void) { begin(clears_words); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(waiters_wake_in_the_order_they_came),
        in_world(a_word_that_is_another_is_not_waited_for),
        in_world(a_signal_ends_a_wait),
        in_world(only_waiters_for_one_of_the_bits_are_woken),
        in_world(waiters_move_to_another_word_in_their_order),
        in_world(a_word_in_shared_memory_is_one_for_all),
        in_world(private_and_shared_names_are_two),
        in_world(locks_of_a_thread_that_ends_are_marked),
        in_world(one_waiter_of_a_dead_owners_lock_is_woken),
        in_world(without_the_waiters_bit_no_waiter_is_woken),
        in_world(a_list_that_leads_nowhere_harms_nobody),
        in_world(a_word_is_cleared_for_whoever_shares_the_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
