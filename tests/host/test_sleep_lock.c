/*
 * test_sleep_lock.c - who is given a lock of readers and writers, who may overtake, and whose turn comes first.
 */
#include "process_notes.h"

#include "base/rwlock.h"

static struct rwlock rwlock = RWLOCK("test", RWLOCK_MAP);
static struct mutex  mutex  = MUTEX("test");
static unsigned      passed;

static void writes_once(void)
{
    rwlock_write(&rwlock);
    note('w');
    give_way_inside();
    rwlock_write_drop(&rwlock);
}

static void reads_once(void)
{
    rwlock_read(&rwlock);
    note('r');
    rwlock_read_drop(&rwlock);
}

/* ---- Given to who was woken in vain ------------------------------------------------------------------------- */

/* The waiter is woken, finds the lock taken again, and is given it at the next drop, before it runs. */
static void drops_and_takes(bool write, void (*other)(void))
{
    ids[0] = fork_into(other);
    rwlock_write(&rwlock);
    give_way_inside();
    rwlock_write_drop(&rwlock);
    if (write)
        rwlock_write(&rwlock);
    else
        rwlock_read(&rwlock);
    note('h');
    give_way_inside();                                  /* it tries, in vain where one of both writes */
    if (write)
        rwlock_write_drop(&rwlock);
    else
        rwlock_read_drop(&rwlock);
}

static void writer_after_writer(void)
{
    drops_and_takes(true, writes_once);
    assert_int_equal(rwlock.state, RWLOCK_WRITER);      /* the waiter's already, which has not run */
    assert_null(rwlock.waiting.first);
    assert_string_equal(order, "h");
    rwlock_write(&rwlock);                              /* waits for it */
    note('H');
    rwlock_write_drop(&rwlock);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(rwlock.state, 0);
    exit_with(0);
}

static void a_writer_woken_in_vain_is_given_the_lock(void)
{
    begin(writer_after_writer);
    assert_string_equal(order, "hwH");
}

static void reader_after_writer(void)
{
    drops_and_takes(true, reads_once);
    assert_int_equal(rwlock.state, 1);                  /* read by the waiter */
    assert_null(rwlock.waiting.first);
    rwlock_read(&rwlock);                               /* so does this one */
    assert_int_equal(rwlock.state, 2);
    note('H');
    rwlock_read_drop(&rwlock);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(rwlock.state, 0);
    exit_with(0);
}

static void a_reader_woken_in_vain_is_given_the_lock(void)
{
    begin(reader_after_writer);
    assert_string_equal(order, "hHr");
}

static void reader_joins_reader(void)
{
    drops_and_takes(false, reads_once);                 /* not in vain */
    assert_string_equal(order, "hr");
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(rwlock.state, 0);
    exit_with(0);
}

static void a_reader_that_is_woken_joins_the_readers(void) { begin(reader_joins_reader); }

/* A writer that has tried waits on while one of two readers is left. */
static void reads_for_a_while(void)
{
    rwlock_read(&rwlock);
    give_way_inside();
    give_way_inside();
    give_way_inside();
    note('x');
    rwlock_read_drop(&rwlock);
}

static void writer_behind_two(void)
{
    ids[0] = fork_into(reads_for_a_while);
    ids[1] = fork_into(writes_once);
    rwlock_read(&rwlock);
    give_way_inside();
    assert_int_equal(rwlock.state, 2 | RWLOCK_WAITED);
    rwlock_read_drop(&rwlock);
    assert_int_equal(rwlock.state, 1 | RWLOCK_WAITED);
    assert_non_null(rwlock.waiting.first);
    assert_int_equal(wait_for(-1, 0) > 0, 1);
    assert_int_equal(wait_for(-1, 0) > 0, 1);
    assert_int_equal(rwlock.state, 0);
    exit_with(0);
}

static void a_writer_waits_until_the_last_reader_is_gone(void)
{
    begin(writer_behind_two);
    assert_string_equal(order, "xw");
}

/* ---- Overtaken ------------------------------------------------------------------------------------------------ */

/* Without a turn for the waiter in between. */
static void overtakes(bool write, void (*other)(void))
{
    passed = 0;
    ids[0] = fork_into(other);
    rwlock_write(&rwlock);
    give_way_inside();
    rwlock_write_drop(&rwlock);
    for (int i = 0; i < 40 && order[0] == '\0'; i++) {
        if (write)
            rwlock_write(&rwlock);
        else
            rwlock_read(&rwlock);
        passed += order[0] == '\0';
        if (write)
            rwlock_write_drop(&rwlock);
        else
            rwlock_read_drop(&rwlock);
    }
    assert_int_equal(wait_for(-1, 0), ids[0]);
    exit_with(0);
}

static void writer_overtakes_writer(void) { overtakes(true, writes_once); }
static void writer_overtakes_reader(void) { overtakes(true, reads_once); }
static void reader_overtakes_reader(void) { overtakes(false, reads_once); }
static void reader_overtakes_writer(void) { overtakes(false, writes_once); }

static void a_waiter_is_overtaken_sixteen_times(void)
{
    void (*const programs[])(void) = { writer_overtakes_writer, writer_overtakes_reader, reader_overtakes_reader,
                                       reader_overtakes_writer };

    for (unsigned i = 0; i < COUNT_OF(programs); i++) {
        begin(programs[i]);
        assert_int_equal(passed, 16);
    }
}

/* ---- Turns ------------------------------------------------------------------------------------------------------ */

/* It was dropped while somebody waited, who has been let in since. */
static void passes_on_to_nobody(void)
{
    struct rwlock lock = RWLOCK("test", RWLOCK_MAP);

    rwlock_pass_on(&lock);
    assert_false(rwlock_held(&lock));
    rwlock_write(&lock);
    rwlock_write_drop(&lock);
}

static void a_lock_that_nobody_waits_for_stays_free(void) { begin(passes_on_to_nobody); }

static void holds_mutex_once(void)
{
    mutex_take(&mutex);
    note('m');
    mutex_drop(&mutex);
}

static void computes(void)
{
    note('c');
    give_way();
    note('c');
}

/* Who is woken for a lock is the next to run, before threads that came earlier. */
static void wakes_for_a_lock(void)
{
    mutex_take(&mutex);
    ids[0] = fork_into(holds_mutex_once);
    give_way();
    ids[1] = fork_into(computes);
    ids[2] = fork_into(computes);
    mutex_drop(&mutex);
    give_way();
    while (wait_for(-1, 0) > 0)
        ;
    exit_with(0);
}

static void who_is_woken_for_a_lock_is_the_next_to_run(void)
{
    begin(wakes_for_a_lock);
    assert_string_equal(order, "mcccc");
}

static bool     stop_now;
static unsigned rounds, turns_of_others;

/* Two that hand a lock to each other without end. */
static void hands_over(void)
{
    while (!stop_now) {
        mutex_take(&mutex);
        rounds++;
        pass_time(TICK / 2);
        give_way_inside();                              /* the other one comes to wait */
        mutex_drop(&mutex);
        give_way();
    }
}

static void waits_for_its_turn(void)
{
    for (int i = 0; i < 4; i++) {
        turns_of_others++;
        give_way();
    }
    stop_now = true;
}

static void starts_two_and_one(void)
{
    stop_now = false;
    rounds = turns_of_others = 0;
    fork_into(hands_over);
    fork_into(hands_over);
    fork_into(waits_for_its_turn);
    while (wait_for(-1, 0) > 0)
        ;
    exit_with(0);
}

static void others_have_their_turn_beside_those_that_share_a_lock(void)
{
    begin(starts_two_and_one);
    assert_int_equal(turns_of_others, 4);
    assert_in_range(rounds, 4, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_writer_woken_in_vain_is_given_the_lock),
        in_world(a_reader_woken_in_vain_is_given_the_lock),
        in_world(a_reader_that_is_woken_joins_the_readers),
        in_world(a_writer_waits_until_the_last_reader_is_gone),
        in_world(a_waiter_is_overtaken_sixteen_times),
        in_world(a_lock_that_nobody_waits_for_stays_free),
        in_world(who_is_woken_for_a_lock_is_the_next_to_run),
        in_world(others_have_their_turn_beside_those_that_share_a_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
