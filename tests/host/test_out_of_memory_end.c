/*
 * test_out_of_memory_end.c - a process that was chosen ends: until it is a zombie its memory is coming.
 */
#include "asks_memory.h"
#include "process_notes.h"

#include "process/out_of_memory.h"

static struct process *victim;
static unsigned        looks;

/* Wherever interrupts come in, and another program could have its turn, while the victim gives its memory back. */
static void look(void)
{
    if (victim->memory != NULL || victim->state == PROCESS_ZOMBIE || current_process() != victim)
        return;
    on_interrupts = NULL;
    looks++;
    assert_true(memory_is_coming());
    on_interrupts = look;
}

static void has_memory(void)
{
    map_pages_at(&current_process()->memory->space, PROGRAM_PAGE + 16 * PAGE_SIZE, 200);
    for (size_t n = 0; n < 200; n++)
        set_word(PROGRAM_PAGE + (16 + n) * PAGE_SIZE, 1);
    sleeps_long();
}

static void asks_for_a_page(void)
{
    assert_false(memory_is_coming());
    ids[0] = fork_into(has_memory);
    give_way();
    victim = process_find(ids[0]);
    looks  = 0;
    on_interrupts = look;
    assert_true(asks_for_memory());            /* and others have their turn */
    sleep_for(TICK);
    on_interrupts = NULL;
    assert_int_equal(victim->state, PROCESS_ZOMBIE);
    assert_true(looks > 0);
    assert_false(memory_is_coming());
    assert_int_equal(lines_told, 1);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_false(memory_is_coming());
}

/* Another one was chosen while the first had begun to give its frames back. */
static void memory_is_coming_until_the_process_is_a_zombie(void)
{
    the_time += 2000000000;
    begin(asks_for_a_page);
}

/* ---- Who has not tried again ------------------------------------------------------------------------------------ */

static void asks_late(void)
{
    ids[1] = fork_into(has_memory);
    ids[0] = fork_into(has_memory);
    give_way();
    while (process_find(ids[0])->state == PROCESS_ALIVE && process_find(ids[1])->state == PROCESS_ALIVE)
        assert_true(asks_for_memory());
    assert_int_equal(lines_told, 1);
    current_thread()->memory_gone = 0xBAD;              /* one that was refused its frame before that */
    assert_true(process_give_memory_back());
    assert_int_equal(lines_told, 1);
    assert_true(process_give_memory_back());            /* it was refused once more */
    assert_int_equal(lines_told, 2);
    while (wait_for(-1, 0) > 0)
        ;
}

/* A second process ended for a thread that had only not yet seen what the first one gave back. */
static void who_has_not_tried_again_since_memory_came_ends_nobody(void)
{
    the_time += 2000000000;
    begin(asks_late);
}

/* ---- Scores, to the page ---------------------------------------------------------------------------------------- */

static size_t pages_of_next;

static void has_so_many(void)
{
    map_pages_at(&current_process()->memory->space, PROGRAM_PAGE + 16 * PAGE_SIZE, pages_of_next);
    for (size_t n = 0; n < pages_of_next; n++)
        set_word(PROGRAM_PAGE + (16 + n) * PAGE_SIZE, 1);
    sleeps_long();
}

static int32_t start_with(size_t pages, int32_t adjust)
{
    int32_t id;

    pages_of_next = pages;
    id = fork_into(has_so_many);
    give_way();
    process_find(id)->oom_score_adj = adjust;
    return id;
}

/* A thousandth of 8096 frames is 8.096: what 999 thousandths are less than all, downwards, is 9 pages. */
static void chooses(void)
{
    static const struct { size_t more; unsigned chosen; } cases[] = { { 8, 0 }, { 9, 0 }, { 10, 1 } };

    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        struct frame_sums sums;

        frames_sums(&sums);
        assert_int_equal(sums.ram, 8096);
        ids[0] = start_with(20, 1000);
        ids[1] = start_with(20 + cases[i].more, 999);
        assert_true(asks_for_memory());
        sleep_for(TICK);
        assert_int_equal(process_find(ids[cases[i].chosen])->state, PROCESS_ZOMBIE);
        assert_int_equal(process_find(ids[1 - cases[i].chosen])->state, PROCESS_ALIVE);
        kill(ids[1 - cases[i].chosen], SIGKILL);
        while (wait_for(-1, 0) > 0)
            ;
    }
}

static void of_equal_scores_the_lower_number_ends(void)
{
    the_time += 2000000000;
    begin(chooses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(memory_is_coming_until_the_process_is_a_zombie),
        in_world(who_has_not_tried_again_since_memory_came_ends_nobody),
        in_world(of_equal_scores_the_lower_number_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
