/*
 * test_futex_steps.c - words with many waiters, and lists of locks that a dying thread cannot read to their end.
 */
#include "process_notes.h"

#include "memory/spaces/object.h"

#define WORD   PROGRAM_PAGE
#define OTHER  (PROGRAM_PAGE + 64)
#define HEAD   (PROGRAM_PAGE + 256)
#define NODE   (PROGRAM_PAGE + 512)
#define NOWHERE (PROGRAM_PAGE + 100 * PAGE_SIZE)
enum { MANY = 70, LOCK_OFFSET = 8, DIED = 0x40000000, WAITERS = 0x80000000 };

static unsigned lettings, woken;
static vaddr_t  word_of_waiters;

static void count_letting(void) { lettings++; }

static void waits(void)
{
    if (futex_wait(word_of_waiters, true, 0, NEVER, ~0u) == 0)
        woken++;
    back();
    thread_exit(0);
}

static void start_waiters(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        thread_into(waits);
    sleep_for(TICK);
}

/* How often the lock was dropped while so many were woken, but for its end. */
static unsigned lettings_with(unsigned count)
{
    int found;

    word_of_waiters = WORD;
    woken = 0;
    start_waiters(count);
    lettings = 0;
    on_interrupts = count_letting;
    found = futex_wake(WORD, true, 1000, ~0u);
    on_interrupts = NULL;
    assert_int_equal(found, count);
    assert_null(futexes_broken());
    sleep_for(TICK);
    assert_int_equal(woken, count);
    return lettings;
}

static void wakes_many(void)
{
    unsigned least = lettings_with(1);

    assert_int_equal(lettings_with(31), least);
    assert_int_equal(lettings_with(32), least + 1);
    assert_int_equal(lettings_with(33), least + 1);
    assert_int_equal(lettings_with(63), least + 1);
    assert_int_equal(lettings_with(64), least + 2);
    assert_int_equal(lettings_with(MANY), least + 2);
}

static void thirty_two_waiters_are_looked_at_at_once(void) { begin(wakes_many); }

static void moves_many(void)
{
    word_of_waiters = WORD;
    woken = 0;
    start_waiters(MANY);
    assert_int_equal(futex_requeue(WORD, true, 40, OTHER, 1000, false, 0), MANY);
    sleep_for(TICK);
    assert_int_equal(woken, 40);
    assert_int_equal(futex_wake(WORD, true, 1000, ~0u), 0);
    assert_int_equal(futex_wake(OTHER, true, 1000, ~0u), MANY - 40);
    sleep_for(TICK);
    assert_int_equal(woken, MANY);
}

static void many_waiters_are_woken_and_moved_in_one_call(void) { begin(moves_many); }

/* ---- Two objects, one page of each at the same place in it ----------------------------------------------- */

static void map_object(struct object *object, vaddr_t at)
{
    struct map_request wanted = { .address = at, .bytes = PAGE_SIZE, .rights = MAY_READ | MAY_WRITE,
                                  .may = MAY_READ | MAY_WRITE, .flags = MAP_IS_FIXED | MAP_IS_SHARED,
                                  .object = object };
    vaddr_t            out;

    assert_int_equal(map_create(&current_process()->memory->space, &wanted, &out), 0);
}

static void waits_for_shared(void)
{
    woken += futex_wait(PROGRAM_PAGE + 16 * PAGE_SIZE, false, 0, clock_now() + 4 * TICK, ~0u) == 0;
    back();
    thread_exit(0);
}

static void has_two_objects(void)
{
    struct object *one = object_create(OWNER_FILE, 1), *two = object_create(OWNER_FILE, 1);

    woken = 0;
    map_object(one, PROGRAM_PAGE + 16 * PAGE_SIZE);
    map_object(two, PROGRAM_PAGE + 32 * PAGE_SIZE);
    map_object(one, PROGRAM_PAGE + 48 * PAGE_SIZE);
    thread_into(waits_for_shared);
    give_way();
    assert_int_equal(futex_wake(PROGRAM_PAGE + 32 * PAGE_SIZE, false, 1, ~0u), 0);
    assert_int_equal(futex_wake(PROGRAM_PAGE + 48 * PAGE_SIZE, false, 1, ~0u), 1);
    sleep_for(TICK);
    assert_int_equal(woken, 1);
    assert_int_equal(futex_wake(NOWHERE, false, 1, ~0u), -EFAULT);              /* no region: no name for the word */
    assert_int_equal(futex_wait(NOWHERE, false, 0, NEVER, ~0u), -EFAULT);
    assert_int_equal(futex_wait(NOWHERE, true, 0, NEVER, ~0u), -EFAULT);
    object_release(one);
    object_release(two);
}

static void words_of_two_objects_are_two(void) { begin(has_two_objects); }

/* ---- Robust lists whose locks cannot be read ---------------------------------------------------------------- */

static void has_locks_nowhere(void)
{
    struct thread *self = current_thread();

    set_word(HEAD, (uint32_t)NODE);
    set_word(HEAD + 4, LOCK_OFFSET);
    set_word(HEAD + 8, 0);
    set_word(NODE, (uint32_t)(NOWHERE - LOCK_OFFSET));                          /* its lock is in no region */
    set_word(NODE + LOCK_OFFSET, (uint32_t)self->id | WAITERS);
    self->robust_list = HEAD;
    thread_exit(0);
}

static void looks_at_what_is_left(void)
{
    int32_t id = thread_into(has_locks_nowhere);

    sleep_for(2 * TICK);
    assert_null(thread_find(id));
    assert_int_equal(word_at(NODE + LOCK_OFFSET), WAITERS | DIED);
}

static void a_lock_that_cannot_be_read_ends_the_list(void) { begin(looks_at_what_is_left); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(thirty_two_waiters_are_looked_at_at_once),
        in_world(many_waiters_are_woken_and_moved_in_one_call),
        in_world(words_of_two_objects_are_two),
        in_world(a_lock_that_cannot_be_read_ends_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
