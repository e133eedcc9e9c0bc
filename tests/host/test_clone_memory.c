/*
 * test_clone_memory.c - each block and each frame that a child or a thread needs is refused once: nothing is left.
 */
#include "process_notes.h"

#define CLEAR_SIGHAND 0x100000000ull

static void ends_at_once(void) { thread_exit(0); }

struct before {
    uint32_t threads, processes, blocks, frames;
    size_t   committed;
    int      parts;
};

static struct before now(void)
{
    return (struct before){ threads_alive(), processes_alive(), sums().live_blocks, frames_owned(OWNER_USER),
                            map_committed, parts_alive };
}

static void assert_as_before(struct before was)
{
    struct before is = now();

    assert_int_equal(is.threads, was.threads);
    assert_int_equal(is.processes, was.processes);
    assert_int_equal(is.blocks, was.blocks);
    assert_int_equal(is.frames, was.frames);
    assert_int_equal(is.committed, was.committed);
    assert_int_equal(is.parts, was.parts);
    check_families();
}

/* The first, second, third ... is refused, until the call gets through. Returns how many were. */
static unsigned sweep(void (*fail_at)(uint32_t), struct clone_request request)
{
    bool     thread = (request.flags & THREAD) != 0;
    unsigned refused = 0;
    int      id;

    heap_drain();
    for (uint32_t n = 1; ; n++) {
        struct before was = now();

        fail_at(n);
        id = clone_into(thread ? ends_at_once : does_nothing, request);
        fail_at(0);
        if (id > 0)
            break;
        assert_true(id == -ENOMEM || id == -EAGAIN);
        assert_as_before(was);
        refused++;
        heap_drain();
        assert_true(n < 60);
    }
    if (thread)
        sleep_for(TICK);
    else
        assert_int_equal(wait_for(id, 0), id);
    return refused;
}

static void clones_without_memory(void)
{
    static const uint64_t flags[] = { 0, CLEAR_SIGHAND, FILES | FS, VM, VM | FS | FILES | SIGHAND,
                                      VM | FS | FILES | SIGHAND | THREAD };
    unsigned              refused[COUNT_OF(flags)];

    for (unsigned i = 0; i < 40; i++)                           /* several frames, and two regions */
        map_pages_at(&current_process()->memory->space, PROGRAM_PAGE + (16 + 2 * i) * PAGE_SIZE, 1);
    for (unsigned i = 0; i < 40; i++)
        set_word(PROGRAM_PAGE + (16 + 2 * i) * PAGE_SIZE, i);
    on_signal(SIGUSR1, 100, 0);
    for (unsigned i = 0; i < COUNT_OF(flags); i++) {
        struct clone_request request = { .flags = flags[i], .exit_signal = flags[i] & THREAD ? 0 : SIGCHLD };

        refused[i] = sweep(heap_fail_at, request);
        assert_true(refused[i] > 0);
        assert_true(sweep(frame_fail_at, request) > 0);
    }
    assert_true(refused[0] > 40);                               /* a block for each region */
    assert_true(refused[3] < refused[0]);
    assert_true(refused[5] <= refused[4]);
    exit_with(0);
}

static void what_a_clone_lacks_memory_for_leaves_nothing_behind(void) { begin(clones_without_memory); }

/* What the parent has promised, the child must promise as well. */
static void clones_beyond_what_may_be_promised(void)
{
    struct before was;

    map_pages_at(&current_process()->memory->space, PROGRAM_PAGE + 16 * PAGE_SIZE, 3000);
    was = now();
    map_overcommit = 2;
    assert_int_equal(fork_into(does_nothing), -ENOMEM);
    map_overcommit = 0;
    assert_as_before(was);
    ids[0] = fork_into(does_nothing);
    assert_int_equal(map_committed, 2 * was.committed);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
    assert_int_equal(map_committed, was.committed);
    exit_with(0);
}

static void a_child_promises_what_its_parent_did(void) { begin(clones_beyond_what_may_be_promised); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(what_a_clone_lacks_memory_for_leaves_nothing_behind),
        in_world(a_child_promises_what_its_parent_did),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
