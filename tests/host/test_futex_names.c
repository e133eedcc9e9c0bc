/*
 * test_futex_names.c - which words are one word: pages of files seen at several places, and what marks a place among
 * waiters; the bits of locks whose owner has ended.
 */
#include "process_notes.h"

#include "memory/spaces/object.h"
#include "process/futex.h"

#define WORD  PROGRAM_PAGE
#define OTHER (PROGRAM_PAGE + 64)
#define ONE   (PROGRAM_PAGE + 16 * PAGE_SIZE)
#define TWO   (PROGRAM_PAGE + 32 * PAGE_SIZE)
#define HEAD  (PROGRAM_PAGE + 256)
#define NODE  (PROGRAM_PAGE + 512)
enum { LOCK_OFFSET = 8, DIED = 0x40000000, WAITERS = 0x80000000 };

static struct object *object;
static unsigned       woken;
static vaddr_t        word_of_next;

static void map_object(vaddr_t at, size_t pages, uint64_t from, unsigned flags)
{
    struct map_request wanted = { .address = at, .bytes = pages * PAGE_SIZE, .rights = MAY_READ | MAY_WRITE,
                                  .may = MAY_READ | MAY_WRITE, .flags = MAP_IS_FIXED | flags, .object = object,
                                  .offset = from };
    vaddr_t            out;

    assert_int_equal(map_create(&current_process()->memory->space, &wanted, &out), 0);
}

static void waits(void)
{
    woken += futex_wait(word_of_next, false, 0, clock_now() + 4 * TICK, ~0u) == 0;
    back();
    thread_exit(0);
}

static void start_waiter(vaddr_t at)
{
    word_of_next = at;
    woken        = 0;
    thread_into(waits);
    give_way();
}

static int wake_at(vaddr_t at) { return futex_wake(at, false, 10, ~0u); }

/* The object's pages 2 and 3 at ONE, 1 to 3 at TWO. */
static void sees_a_file_twice(void)
{
    object = object_create(OWNER_FILE, 4);
    assert_non_null(object);
    map_object(ONE, 2, 2, MAP_IS_SHARED);
    map_object(TWO, 3, 1, MAP_IS_SHARED);
    start_waiter(ONE + 8);                                      /* of page 2 */
    assert_int_equal(wake_at(TWO + 8), 0);
    assert_int_equal(wake_at(TWO + 2 * PAGE_SIZE + 8), 0);
    assert_int_equal(wake_at(TWO + PAGE_SIZE + 12), 0);
    assert_int_equal(wake_at(TWO + PAGE_SIZE + 8), 1);
    give_way();
    assert_int_equal(woken, 1);
    start_waiter(TWO + 2 * PAGE_SIZE + 4092);                   /* the last word of page 3 */
    assert_int_equal(wake_at(ONE + 4092), 0);
    assert_int_equal(wake_at(ONE + PAGE_SIZE + 4092), 1);
    give_way();
    assert_int_equal(woken, 1);
    object_release(object);
}

static void a_word_of_a_file_is_one_wherever_its_page_is_seen(void) { begin(sees_a_file_twice); }

static void waits_for_its_copy(void)
{
    woken += futex_wait(ONE, false, 0, clock_now() + 3 * TICK, ~0u) == 0;
    back();
}

static void has_a_copy_of_a_file(void)
{
    object = object_create(OWNER_FILE, 1);
    assert_non_null(object);
    woken = 0;
    map_object(ONE, 1, 0, 0);
    ids[0] = fork_into(waits_for_its_copy);
    give_way();
    assert_int_equal(wake_at(ONE), 0);                          /* each has a copy of its own */
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(woken, 0);
    object_release(object);
}

static void a_private_copy_of_a_file_has_words_of_its_own(void) { begin(has_a_copy_of_a_file); }

/* ---- Words that are there no more, or not to be read ----------------------------------------------------------- */

static void unmaps_in_between(void)
{
    struct space *space = &current_process()->memory->space;

    rwlock_write(&space->map_lock);
    give_way_inside();                          /* the other thread has read the word, and waits to look for its page */
    rwlock_write_drop(&space->map_lock);
    assert_int_equal(map_remove(space, ONE, PAGE_SIZE), 0);
    thread_exit(0);
}

static int answer;

static void names_a_word(void)
{
    answer = futex_wake(ONE, false, 1, ~0u);
    thread_exit(0);
}

static void loses_a_page(void)
{
    map_pages_at(&current_process()->memory->space, ONE, 1);
    set_word(ONE, 5);
    answer = 99;
    thread_into(unmaps_in_between);
    thread_into(names_a_word);
    sleep_for(2 * TICK);
    assert_int_equal(answer, -EFAULT);
}

static void a_word_that_goes_before_it_is_named_has_no_name(void) { begin(loses_a_page); }

static void may_not_read(void)
{
    struct map_request wanted = { .address = ONE, .bytes = PAGE_SIZE, .flags = MAP_IS_FIXED };
    vaddr_t            out;

    assert_int_equal(map_create(&current_process()->memory->space, &wanted, &out), 0);
    assert_int_equal(futex_wake(ONE, false, 1, ~0u), -EFAULT);
    assert_int_equal(futex_check(ONE, false), -EFAULT);
    assert_int_equal(futex_check(ONE, true), 0);
}

static void a_word_that_may_not_be_read_has_no_shared_name(void) { begin(may_not_read); }

/* ---- How many --------------------------------------------------------------------------------------------- */

static void moves_none(void)
{
    word_of_next = WORD;
    woken = 0;
    thread_into(waits);
    thread_into(waits);
    give_way();
    assert_int_equal(futex_requeue(WORD, false, 0, OTHER, 0, false, 0), 0);     /* none is woken, none moves */
    assert_int_equal(futex_requeue(WORD, false, 1, OTHER, 0, false, 0), 1);
    give_way();
    assert_int_equal(woken, 1);
    assert_int_equal(futex_requeue(OTHER, false, 1, WORD + 1, 0, true, 0), -EINVAL);
    assert_int_equal(futex_requeue(OTHER + 1, false, 1, WORD, 0, true, 0), -EINVAL);
    assert_int_equal(wake_at(WORD), 1);
    give_way();
    assert_int_equal(woken, 2);
}

static void as_many_move_as_are_to(void) { begin(moves_none); }

static void clears_its_word(void)
{
    current_thread()->clear_at_exit = WORD;
    set_word(WORD, 0);
    sleep_for(2 * TICK);
    thread_exit(0);
}

static void joins_by_two(void)
{
    thread_into(clears_its_word);
    give_way();
    start_waiter(WORD);
    thread_into(waits);
    sleep_for(3 * TICK);
    assert_int_equal(woken, 1);                 /* of those that wait for its end */
    assert_int_equal(wake_at(WORD), 1);
    give_way();
}

static void the_end_of_a_thread_wakes_one(void) { begin(joins_by_two); }

static void ends_alone_with_a_word(void)
{
    set_word(ONE, 7);
    current_thread()->clear_at_exit = ONE;
}

static void shares_a_word(void)
{
    object = object_create(OWNER_FILE, 1);
    map_object(ONE, 1, 0, MAP_IS_SHARED);
    ids[0] = fork_into(ends_alone_with_a_word);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(word_at(ONE), 7);          /* nobody else has its space, so its word is left as it is */
    object_release(object);
}

static void who_is_alone_in_its_space_clears_no_word(void) { begin(shares_a_word); }

/* ---- The mark at a waker's place ------------------------------------------------------------------------------ */

static unsigned looks;

/* Between two holds of the lock. */
static void looks_at_the_lists(void)
{
    on_interrupts = NULL;
    assert_null(futexes_broken());
    assert_int_equal(current_thread()->futex.bits, 1);          /* as its last wait has left it */
    looks++;
    on_interrupts = looks_at_the_lists;
}

static void waits_privately(void)
{
    woken += futex_wait(WORD, true, 0, NEVER, ~0u) == 0;
    back();
    thread_exit(0);
}

static void wakes_itself_later(void)
{
    sleep_for(TICK);
    assert_int_equal(futex_wake(OTHER, true, 1, ~0u), 1);
    thread_exit(0);
}

/* It has waited for another word, and was woken, before it wakes more than are looked at at once. */
static void wakes_many_after_a_wait(void)
{
    thread_into(wakes_itself_later);
    assert_int_equal(futex_wait(OTHER, true, 0, NEVER, 1), 0);
    back();
    assert_true(current_thread()->futex.woken);
    woken = looks = 0;
    for (unsigned i = 0; i < 70; i++)
        thread_into(waits_privately);
    sleep_for(TICK);
    on_interrupts = looks_at_the_lists;
    assert_int_equal(futex_wake(WORD, true, 100, ~0u), 70);
    on_interrupts = NULL;
    assert_true(looks >= 2);
    assert_null(futexes_broken());
    assert_int_equal(futex_wake(OTHER, true, 1, ~0u), 0);
    sleep_for(TICK);
    assert_int_equal(woken, 70);
}

static void a_waker_among_waiters_is_no_waiter(void) { begin(wakes_many_after_a_wait); }

/* ---- Locks whose owner has ended -------------------------------------------------------------------------- */

static uint32_t bits_beside;                    /* in the word, beside the owner's number */
static vaddr_t  low_bit;                        /* in pointers: a lock that hands its priority on */
static bool     pending_only;

static void ends_with_a_lock(void)
{
    struct thread *self = current_thread();

    set_word(NODE, (uint32_t)(HEAD | low_bit));
    set_word(HEAD, pending_only ? (uint32_t)HEAD : (uint32_t)(NODE | low_bit));
    set_word(HEAD + 4, LOCK_OFFSET);
    set_word(HEAD + 8, pending_only ? (uint32_t)(NODE | low_bit) : 0);
    set_word(NODE + LOCK_OFFSET, (uint32_t)self->id | bits_beside);
    set_word(NODE + LOCK_OFFSET + 4, 0xABCD);
    self->robust_list = HEAD;
    thread_exit(0);
}

static void lets_two_end(uint32_t beside)
{
    bits_beside = beside;
    for (int n = 0; n < 2; n++) {               /* one number is odd, one is even */
        thread_into(ends_with_a_lock);
        sleep_for(TICK);
        assert_int_equal(word_at(NODE + LOCK_OFFSET), (beside & WAITERS) | DIED);
        assert_int_equal(word_at(NODE + LOCK_OFFSET + 4), 0xABCD);
    }
}

static void loses_owners(void)
{
    for (int pending = 0; pending < 2; pending++)
        for (low_bit = 0; low_bit < 2; low_bit++) {
            pending_only = pending;
            lets_two_end(0);
            lets_two_end(WAITERS);
            lets_two_end(DIED);
            lets_two_end(DIED | WAITERS);
        }
}

static void a_dead_owners_lock_says_so_and_whether_others_wait(void) { begin(loses_owners); }

/* As many locks as are looked at, and one more: each in a word of three. */
enum { LOCKS = 2048, LOCK_BYTES = 12 };
#define LOCK_AT(n) (ONE + (vaddr_t)(n) * LOCK_BYTES)

static void ends_with_many_locks(void)
{
    struct thread *self = current_thread();

    for (unsigned n = 0; n <= LOCKS; n++) {
        set_word(LOCK_AT(n), (uint32_t)(n < LOCKS ? LOCK_AT(n + 1) : HEAD));
        set_word(LOCK_AT(n) + LOCK_OFFSET, (uint32_t)self->id);
    }
    set_word(HEAD, (uint32_t)LOCK_AT(0));
    set_word(HEAD + 4, LOCK_OFFSET);
    set_word(HEAD + 8, 0);
    self->robust_list = HEAD;
    thread_exit(0);
}

static void loses_an_owner_of_many(void)
{
    int32_t id;

    map_pages_at(&current_process()->memory->space, ONE, 8);
    id = thread_into(ends_with_many_locks);
    sleep_for(2 * TICK);
    assert_int_equal(word_at(LOCK_AT(0) + LOCK_OFFSET), DIED);
    assert_int_equal(word_at(LOCK_AT(LOCKS - 1) + LOCK_OFFSET), DIED);
    assert_int_equal(word_at(LOCK_AT(LOCKS) + LOCK_OFFSET), (uint32_t)id);
}

static void two_thousand_and_forty_eight_locks_are_marked(void) { begin(loses_an_owner_of_many); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_word_of_a_file_is_one_wherever_its_page_is_seen),
        in_world(a_private_copy_of_a_file_has_words_of_its_own),
        in_world(a_word_that_goes_before_it_is_named_has_no_name),
        in_world(a_word_that_may_not_be_read_has_no_shared_name),
        in_world(as_many_move_as_are_to),
        in_world(the_end_of_a_thread_wakes_one),
        in_world(who_is_alone_in_its_space_clears_no_word),
        in_world(a_waker_among_waiters_is_no_waiter),
        in_world(a_dead_owners_lock_says_so_and_whether_others_wait),
        in_world(two_thousand_and_forty_eight_locks_are_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
