/*
 * test_mmu_entries.c - the entries of the two-level format say what they were made of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cpu.h"
#include "memory/tables/table.h"

static const struct rights kernel_data = { MAY_READ | MAY_WRITE, 0 };
static const struct rights user_data   = { MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
static const struct rights user_const  = { MAY_READ, MAY_READ };

static void a_leaf_says_what_it_was_made_of(void **state)
{
    (void)state;
    for (unsigned kernel = 0; kernel < 8; kernel++)
        for (unsigned user = 0; user < 8; user++)
            for (int cache = CACHE_BACK; cache <= CACHE_OFF; cache++)
                for (unsigned level = 1; level <= 2; level++) {
                    struct rights want = { (uint8_t)kernel, (uint8_t)user }, allowed = mmu_allow(want), got;
                    entry_t made = entry_leaf((frame_t){ 0xFFC00 }, want, (enum cache)cache, level == 2, level);
                    entry_t e = made;

                    if ((kernel | user) == 0)
                        continue;
                    got = entry_rights(e);
                    assert_int_equal(entry_kind(e, level), ENTRY_PRESENT);
                    assert_int_equal(entry_frame(e).no, 0xFFC00);
                    assert_int_equal(entry_cache(e), cache);
                    assert_int_equal(entry_global(e), level == 2);
                    assert_memory_equal(&got, &allowed, sizeof got);
                    assert_true(rights_within(want, got));
                    assert_false(entry_accessed(e) || entry_dirty(e));
                    assert_int_equal(entry_with_frame(entry_with_use(made, true), (frame_t){ 0xFF800 }).raw,
                                     entry_with_use(entry_leaf((frame_t){ 0xFF800 }, want, (enum cache)cache,
                                                               level == 2, level), true).raw);
                    e = entry_with_rights(e, kernel_data);
                    assert_int_equal(entry_with_rights(e, want).raw, made.raw);
                    assert_int_equal(rights_within(entry_rights(e), got), (e.raw & ~made.raw) == 0);
                    assert_int_equal(entry_with_rights(e, (struct rights){ 0, 0 }).raw |
                                     entry_with_rights(entry_empty(), want).raw, made.raw);
                }
}

static void an_absent_entry_keeps_kind_number_and_rights(void **state)
{
    (void)state;
    for (int kind = ENTRY_EMPTY; kind < ENTRY_PRESENT; kind++)
        for (unsigned kernel = 0; kernel < 8; kernel++)
            for (unsigned user = 0; user < 8; user++) {
                struct rights keep = { (uint8_t)kernel, (uint8_t)user }, got;
                entry_t       e = entry_absent((enum entry_kind)kind, 0xABCDE, keep);

                got = entry_kept_rights(e);
                assert_false(entry_present(e));
                for (unsigned level = 1; level <= 2; level++)
                    assert_int_equal(entry_kind(e, level), kind);
                assert_int_equal(entry_slot_number(e), 0xABCDE);
                assert_memory_equal(&got, &keep, sizeof got);
            }
    assert_int_equal(entry_empty().raw, 0);
}

static void blocking_remembers_what_was_written_to(void **state)
{
    (void)state;
    for (unsigned dirty = 0; dirty < 2; dirty++) {
        entry_t e = entry_leaf((frame_t){ 77 }, user_data, CACHE_BACK, false, 1);
        entry_t blocked, again;

        e.raw |= dirty ? I386_DIRTY : 0;
        blocked = entry_block(e, entry_rights(e));
        again   = entry_unblock(blocked, user_const, false);
        assert_int_equal(entry_kind(blocked, 1), ENTRY_BLOCKED);
        assert_int_equal(entry_frame(blocked).no, 77);
        assert_int_equal(entry_dirty(again), dirty);
        assert_int_equal(entry_frame(again).no, 77);
        assert_int_equal(entry_rights(again).user & MAY_WRITE, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_says_what_it_was_made_of),
        cmocka_unit_test(an_absent_entry_keeps_kind_number_and_rights),
        cmocka_unit_test(blocking_remembers_what_was_written_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
