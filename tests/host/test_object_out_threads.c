/*
 * test_object_out_threads.c - threads of a program use pages of an object while another lets them go: they take turns
 * in the middle of packing and of bringing back, and each sees what was written last.
 */
#include "process_world.h"

#include "clean.h"
#include "memory/pageout/object_out.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/object_parts.h"

enum { PAGES = 24, STEPS = 1500 };
#define SHOWN (PROGRAM_PAGE + 16 * PAGE_SIZE)
#define shown(n) (SHOWN + (vaddr_t)(n) * PAGE_SIZE)

static struct object *object;
static uint32_t       model[PAGES];             /* the first word of each page: written with it at once */
static unsigned       working, inside, most_fillings;

/*
 * The turn is over, so that the next point of rest, and the next wait for a lock, lets others run. Threads that sleep
 * inside a call may have references to frames of their own, which the audit cannot know.
 */
static void end_turn(void)
{
    if (any(2) == 0)
        tick();
    if (inside == 0 && any(16) == 0)
        assert_clean();
}

static void note_fillings(void)
{
    unsigned count = 0;

    for (const struct filling *f = object->fillings; f != NULL; f = f->next)
        count++;
    if (count > most_fillings)
        most_fillings = count;
}

/* By a fault, or by what the tables show already. */
static void touch(void)
{
    size_t   n = any(PAGES);
    uint32_t value = any(UINT32_MAX);

    if (any(2) == 0) {
        assert_true(access_own(shown(n), false, &value));
        assert_int_equal(value, model[n]);
    } else {
        assert_true(access_own(shown(n), true, &value));
        model[n] = value;
    }
}

/* As read() and write() do. */
static void ask(void)
{
    size_t    n = any(PAGES);
    frame_t   frame;
    uint32_t *word;

    assert_int_equal(object_page(object, n, true, &frame), 0);
    word = (uint32_t *)&machine_ram[frame_address(frame)];
    assert_int_equal(*word, model[n]);
    if (any(4) == 0)
        point_of_rest();                        /* meanwhile the page must not go */
    *word = ++model[n];
    frame_put(frame);
}

static void worker(void)
{
    for (unsigned n = 0; n < STEPS; n++) {
        end_turn();
        inside++;
        if (any(2) == 0)
            touch();
        else
            ask();
        inside--;
        note_fillings();
    }
    working--;
    thread_exit(0);
}

static void let_all_go(void)
{
    while (working > 0) {
        end_turn();
        (void)object_page_out(object, any(PAGES), UINT32_MAX);
        point_of_rest();
    }
}

static void program(void)
{
    struct map_request wanted = { .address = SHOWN, .bytes = PAGES * PAGE_SIZE, .rights = MAY_READ | MAY_WRITE,
                                  .may = MAY_READ | MAY_WRITE, .flags = MAP_IS_FIXED | MAP_IS_SHARED };
    struct space      *space = &current_process()->memory->space;
    struct swap_sums   sums;
    vaddr_t            out;

    object = object_create(OWNER_SHARED, PAGES);
    assert_non_null(object);
    wanted.object = object;
    assert_int_equal(map_create(space, &wanted, &out), 0);
    memset(model, 0, sizeof model);
    for (working = 0; working < 3; working++)
        thread_into(worker);
    let_all_go();
    swap_sums(&sums);
    assert_true(sums.out > 200 && sums.in > 200);
    assert_clean();
    for (size_t n = 0; n < PAGES; n++)
        assert_int_equal(word_at(shown(n)), model[n]);
    assert_int_equal(map_remove(space, SHOWN, PAGES * PAGE_SIZE), 0);
    object_release(object);
    swap_sums(&sums);
    assert_int_equal(sums.used, 0);
}

static void threads_see_what_was_written_last(void)
{
    for (unsigned n = 0; n < 3; n++)
        run_program(program);
    assert_true(most_fillings > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(threads_see_what_was_written_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
