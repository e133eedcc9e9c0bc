/*
 * test_stack.c - kernel stacks: one pool for all, or a pool for each space, as the layout's document says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "clean.h"
#include "cpu.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"

enum { RAM = 64 << 20 };

static struct space a, b;

static void boot(void)
{
    const char *problem = machine_boot(RAM);

    if (problem != NULL)
        fail_msg("%s", problem);
    assert_int_equal(space_create(&a), 0);
    assert_int_equal(space_create(&b), 0);
}

static bool audit_names(const char *id)
{
    struct audit_report report;

    audit_full(&report);
    return report.failed > 0 && strcmp(report.failures[0].id, id) == 0;
}

/* Nothing is current that the test has made, and all it took is given back. */
static void end(void)
{
    space_activate(&kernel_space);
    space_destroy(&a);
    space_destroy(&b);
    assert_int_equal(frames_owned(OWNER_STACK), 0);
    assert_clean();
}

static struct stack get(struct space *space)
{
    struct stack stack;

    assert_int_equal(stack_get(space, &stack), 0);
    return stack;
}

static volatile uint32_t *top_word(const struct stack *stack) { return pointer_to(stack->top - sizeof(uint32_t)); }

static bool reads(vaddr_t address)
{
    struct machine_fault fault;

    return !MACHINE_FAULTS(&fault, (void)*(volatile uint32_t *)pointer_to(address));
}

/* Two spaces' first stacks are at one address, each with its own contents, or at two that both spaces see. */
static void spaces_have_stacks_of_their_own(void **state)
{
    struct stack of_a, of_b;

    (void)state;
    boot();
    of_a = get(&a);
    of_b = get(&b);
    assert_int_equal(of_a.top == of_b.top, stacks_are_own());
    space_activate(&a);
    *top_word(&of_a) = 0xAAAA;
    space_activate(&b);
    *top_word(&of_b) = 0xBBBB;
    space_activate(&a);
    assert_int_equal(*top_word(&of_a), 0xAAAA);
    space_activate(&kernel_space);
    assert_int_equal(reads(of_a.bottom), !stacks_are_own());
    assert_clean();
    stack_put(&of_a);
    stack_put(&of_b);
    end();
}

/* A checked kernel knows it when a stack is given back: from the top down to the lowest word that was written. */
static void the_deepest_use_is_known(void **state)
{
    size_t before;

    (void)state;
    boot();
    before = stacks_deepest();
    for (size_t words = 8; words <= 512; words *= 8) {
        struct stack stack = get(&kernel_space);
        size_t       bytes = words * sizeof(uint32_t);

        *(volatile uint32_t *)pointer_to(stack.top - bytes) = 1;
        stack_put(&stack);
        assert_int_equal(stacks_deepest(), bytes > before ? bytes : before);
    }
    assert_int_equal(stacks_deepest(), 2048);
    end();
}

/* Stacks of kernel space are not mapped in a space that has a window of its own. */
static void kernel_spaces_stacks_are_nobody_elses(void **state)
{
    struct stack of_kernel;

    (void)state;
    boot();
    of_kernel = get(&kernel_space);
    assert_true(reads(of_kernel.bottom));
    space_activate(&a);
    assert_int_equal(reads(of_kernel.bottom), !stacks_are_own());
    assert_clean();
    space_activate(&kernel_space);
    stack_put(&of_kernel);
    end();
}

static uint32_t take_all(struct space *space, struct stack *stacks)
{
    uint32_t count = 0;
    int      err;

    while ((err = stack_get(space, &stacks[count])) == 0)
        count++;
    assert_int_equal(err, -EAGAIN);
    return count;
}

static void every_slot_of_a_pool_and_no_more(void **state)
{
    struct stack *stacks = calloc(stacks_total() + 1, sizeof *stacks), other;
    uint32_t      taken;

    (void)state;
    boot();
    for (int round = 0; round < 2; round++) {
        taken = take_all(&a, stacks);
        assert_int_equal(taken, stacks_total());
        assert_int_equal(stacks_used(&a), taken);
        assert_clean();
        if (stacks_are_own()) {
            assert_int_equal(stacks_used(&b), 0);
            other = get(&b);
            stack_put(&other);
        } else {
            assert_int_equal(stack_get(&b, &other), -EAGAIN);
        }
        while (taken > 0)
            stack_put(&stacks[--taken]);
        assert_int_equal(frames_owned(OWNER_STACK), 0);
        assert_clean();
    }
    end();
    free(stacks);
}

/* The first words of a thread's stack are written while another space is in use. */
static void written_from_elsewhere(void **state)
{
    const uint32_t words[3] = { 1, 2, 3 };
    struct stack   of_a, of_b;

    (void)state;
    boot();
    of_a = get(&a);
    of_b = get(&b);
    space_activate(&b);
    *top_word(&of_b) = 77;
    stack_write(&of_a, words, sizeof words);
    assert_int_equal(*top_word(&of_b), 77);
    stack_write(&of_b, words, 4);
    assert_int_equal(*top_word(&of_b), 1);
    space_activate(&a);
    assert_memory_equal(pointer_to(of_a.top - sizeof words), words, sizeof words);
    space_activate(&kernel_space);
    stack_put(&of_a);
    stack_put(&of_b);
    end();
}

/* exec: the stack a thread runs on goes with it, contents, address and all. */
static void a_stack_moves_to_another_space(void **state)
{
    struct stack here, there;
    uint32_t     frames;

    (void)state;
    boot();
    here = get(&a);
    space_activate(&a);
    *top_word(&here) = 0x5EED;
    frames = frames_owned(OWNER_STACK);
    assert_int_equal(stack_follow(&b, &here, &there), 0);
    assert_clean();
    stack_stay(&here, &there);
    assert_int_equal(frames_owned(OWNER_STACK), frames);
    assert_int_equal(*top_word(&here), 0x5EED);

    assert_int_equal(stack_follow(&b, &here, &there), 0);
    assert_int_equal(there.top, here.top);
    stack_move(&b, &here, &there);
    assert_true(space_of_program() == &b);
    assert_int_equal(*top_word(&there), 0x5EED);
    assert_int_equal(frames_owned(OWNER_STACK), frames);
    if (stacks_are_own())
        assert_int_equal(stacks_used(&a), 0);
    assert_clean();
    space_activate(&kernel_space);
    stack_put(&there);
    end();
}

/* Where the slot is in use already: a space that is not fresh. */
static void a_stack_does_not_move_onto_another(void **state)
{
    struct stack of_a, of_b, there;

    (void)state;
    boot();
    of_a = get(&a);
    of_b = get(&b);
    if (stacks_are_own())
        assert_int_equal(stack_follow(&b, &of_a, &there), -EAGAIN);
    stack_put(&of_a);
    stack_put(&of_b);
    end();
}

static uint32_t free_frames(void) { return frames_owned(OWNER_FREE); }

/* The first, second, third ... frame or block is refused, until nothing is asked for any more. */
static void sweep(void (*fail_at)(uint32_t), int (*attempt)(void))
{
    int err = -ENOMEM;

    for (uint32_t n = 1; err != 0; n++) {
        uint32_t before = free_frames();

        fail_at(n);
        err = attempt();
        fail_at(0);
        assert_true(err == 0 || err == -ENOMEM);
        if (err != 0)
            assert_int_equal(free_frames(), before);
        assert_clean();
        assert_true(n < 20);
    }
}

static struct stack first, moved;

static int get_first(void)      { return stack_get(&a, &first); }
static int follow_first(void)   { return stack_follow(&b, &first, &moved); }

static void no_memory_leaks_nothing(void **state)
{
    static void (*const fail_at[])(uint32_t) = { frame_fail_at, heap_fail_at };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(fail_at); i++) {
        boot();
        first = get(&a);                        /* tables and slabs of the kernel that stay once they are there */
        stack_put(&first);
        sweep(fail_at[i], get_first);
        space_activate(&a);
        sweep(fail_at[i], follow_first);
        stack_move(&b, &first, &moved);
        space_activate(&kernel_space);
        stack_put(&moved);
        end();
    }
}

/* The kernel's corruptions are of kernel space's pool; a process's is looked at as well. */
static void the_auditor_looks_at_each_pool(void **state)
{
    struct stack of_a, guarded;

    (void)state;
    boot();
    of_a = get(&a);
    of_a.space->stacks->used++;
    assert_true(audit_names("K3"));
    of_a.space->stacks->used--;
    of_a.space->stacks->taken[0] ^= 1 << of_a.slot;
    assert_true(audit_names("K1"));
    of_a.space->stacks->taken[0] ^= 1 << of_a.slot;
    space_activate(&a);
    assert_true(stack_guarding(of_a.bottom - 1, &guarded) && guarded.slot == of_a.slot);
    space_activate(&b);
    assert_int_equal(stack_guarding(of_a.bottom - 1, &guarded), !stacks_are_own());
    space_activate(&kernel_space);
    stack_put(&of_a);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spaces_have_stacks_of_their_own),
        cmocka_unit_test(the_deepest_use_is_known),
        cmocka_unit_test(kernel_spaces_stacks_are_nobody_elses),
        cmocka_unit_test(every_slot_of_a_pool_and_no_more),
        cmocka_unit_test(written_from_elsewhere),
        cmocka_unit_test(a_stack_moves_to_another_space),
        cmocka_unit_test(a_stack_does_not_move_onto_another),
        cmocka_unit_test(no_memory_leaks_nothing),
        cmocka_unit_test(the_auditor_looks_at_each_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
