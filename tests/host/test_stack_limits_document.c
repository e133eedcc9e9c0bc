/*
 * test_stack_limits_document.c - kernel stacks, where a document lets fewer of them be than its window has room for;
 * and which stack an address belongs to that is in none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "clean.h"
#include "cpu.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/heap/stack.h"
#include "memory/spaces/space.h"
#include "own_document.h"

enum { FEW = 10, MORE = 45 };

static struct stack stacks[MORE];

/* A machine whose document says how many stacks there are. False where its stacks are each process's own. */
static bool boot(size_t most)
{
    struct layout_region *row;
    const char           *wrong;

    read_document();
    row = own_row(PURPOSE_STACKS);
    row->maximum = (uint32_t)most * row->unit;
    if (row->scope == SCOPE_PROCESS)
        return false;
    wrong = machine_boot(16 * MiB);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    return true;
}

static void as_many_stacks_as_the_document_says(void **state)
{
    static const size_t counts[] = { FEW, 1, 32, 33, MORE };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        size_t count = counts[i], step;

        if (!boot(count))
            return;
        step = own_row(PURPOSE_STACKS)->unit + own_row(PURPOSE_STACKS)->guard;
        assert_int_equal(stacks_total(), count);
        for (size_t n = 0; n < count; n++)
            assert_int_equal(stack_get(&kernel_space, &stacks[n]), 0);
        assert_int_equal(stacks_used(&kernel_space), count);
        assert_int_equal(stack_get(&kernel_space, &stacks[0]), -EAGAIN);
        for (size_t n = 0; n < count; n++) {
            page_t first = own_row(PURPOSE_STACKS)->span.first + stacks[n].slot * step + own_row(PURPOSE_STACKS)->guard;

            assert_in_range(stacks[n].slot, 0, count - 1);
            assert_int_equal(stacks[n].bottom, page_address(first));
            assert_int_equal(stacks[n].top, page_address(first + own_row(PURPOSE_STACKS)->unit));
            for (size_t k = 0; k < n; k++)
                assert_int_not_equal(stacks[k].slot, stacks[n].slot);
        }
        assert_clean();
        while (count > 0)
            stack_put(&stacks[--count]);
        assert_int_equal(stacks_used(&kernel_space), 0);
        machine_stop();
    }
}

static bool guards(vaddr_t address, uint32_t slot)
{
    struct stack found;

    return stack_guarding(address, &found) && found.slot == slot && found.top == stacks[slot].top &&
           found.bottom == stacks[slot].bottom;
}

/* An overflow is of the stack whose guard it meets, and where the stack below is not in use, of the one above that. */
static void an_address_in_no_stack_belongs_to_the_one_above(void **state)
{
    struct stack found, by_slot[FEW];
    vaddr_t      window, end, of_slot, guard;

    (void)state;
    if (!boot(FEW))
        return;
    window  = page_address(own_row(PURPOSE_STACKS)->span.first);
    end     = page_address(own_row(PURPOSE_STACKS)->span.end);
    guard   = page_address(own_row(PURPOSE_STACKS)->guard);
    of_slot = page_address(own_row(PURPOSE_STACKS)->unit) + guard;
    for (unsigned n = 0; n < FEW; n++) {
        assert_int_equal(stack_get(&kernel_space, &found), 0);
        by_slot[found.slot] = found;
    }
    memcpy(stacks, by_slot, sizeof by_slot);
    for (uint32_t slot = 0; slot < FEW && guard > 0; slot++) {
        assert_true(guards(window + slot * of_slot, slot));
        assert_true(guards(window + slot * of_slot + guard - 1, slot));
        assert_false(stack_guarding(window + slot * of_slot + guard, &found));          /* in the stack itself */
        assert_false(stack_guarding(window + (slot + 1) * of_slot - 1, &found));
    }
    assert_false(stack_guarding(window - 1, &found));
    assert_false(stack_guarding(window + FEW * of_slot, &found));                       /* there are no more stacks */
    assert_false(stack_guarding(end - 1, &found));
    assert_false(stack_guarding(end, &found));
    stack_put(&by_slot[3]);
    assert_false(stack_guarding(window + 3 * of_slot, &found));                         /* no stack, no guard */
    assert_true(guards(window + 3 * of_slot + guard, 4));
    assert_true(guards(window + 4 * of_slot - 1, 4));
    stack_put(&by_slot[FEW - 1]);
    assert_false(stack_guarding(window + FEW * of_slot - 1, &found));                   /* none above */
    for (unsigned n = 0; n < FEW - 1; n++)
        if (n != 3)
            stack_put(&by_slot[n]);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_stacks_as_the_document_says),
        cmocka_unit_test(an_address_in_no_stack_belongs_to_the_one_above),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
