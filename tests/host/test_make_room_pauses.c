/*
 * test_make_room_pauses.c - looks for room ahead of need: how many calls do without after some in vain, and that a look
 * which found pages makes an end of that.
 */
#include "process_notes.h"

#include "process/make_room.h"

/* Where a test asks only for make_room(), the linker would be content with that of arch/host/sleep.c. */
__attribute__((used)) static bool (*const room)(size_t) = make_room;

#define PAGES_AT (PROGRAM_PAGE + 16 * PAGE_SIZE)

static unsigned lettings, rests;

static void count_letting(void) { lettings++; }

/* Whether a call looks at pages: it lets interrupts in oftener then. */
static bool looks(void)
{
    lettings      = 0;
    frames_wanted = FRAMES_LOW;
    on_interrupts = count_letting;
    make_room_ahead();
    on_interrupts = NULL;
    frames_wanted = 0;
    return lettings > rests;
}

static void learn_rest(void)
{
    rests = 0;
    looks();
    looks();
    rests = lettings;                           /* of two calls in a row the second does not look */
}

static void has_pages(void)
{
    map_pages_at(&current_process()->memory->space, PAGES_AT, 200);
    for (size_t n = 0; n < 200; n++)
        set_word(PAGES_AT + n * PAGE_SIZE, 1);
    sleeps_long();
}

static void expect_looks(const char *pattern)
{
    char seen[32];

    assert_true(strlen(pattern) < sizeof seen);
    memset(seen, 0, sizeof seen);
    for (size_t n = 0; n < strlen(pattern); n++)
        seen[n] = looks() ? 'L' : '.';
    assert_string_equal(seen, pattern);
}

static void finds_room_between(void)
{
    assert_int_equal(map_lock(&current_process()->memory->space, PROGRAM_PAGE, PAGE_SIZE, false), 0);
    learn_rest();
    expect_looks("L...L.......L");
    ids[0] = fork_into(has_pages);
    give_way();
    while (process_find(ids[0])->memory->space.swapped == 0)
        (void)looks();
    kill(ids[0], SIGKILL);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    expect_looks("L.L...L.......L");
}

static void after_a_look_that_found_pages_pauses_are_short_again(void) { begin(finds_room_between); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(after_a_look_that_found_pages_pauses_are_short_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
