/*
 * test_credentials_groups.c - supplementary groups: counted lists, freed with the last reference; sorted, and searched.
 */
#include "process_notes.h"

#include "process/groups.h"

static void a_list_is_freed_with_its_last_reference(void)
{
    uint32_t       before = sums().live_blocks;
    struct groups *groups = groups_new(3);

    assert_int_equal(groups->references, 1);
    assert_int_equal(groups->count, 3);
    assert_int_equal(sums().live_blocks, before + 1);
    assert_ptr_equal(groups_hold(groups), groups);
    assert_int_equal(groups->references, 2);
    groups_release(groups);
    assert_int_equal(groups->references, 1);
    assert_int_equal(sums().live_blocks, before + 1);
    groups_release(groups);
    assert_int_equal(sums().live_blocks, before);
    assert_null(groups_hold(NULL));
    groups_release(NULL);
}

static void what_is_in_a_list_is_found(void)
{
    for (uint32_t count = 0; count < 20; count++) {
        struct groups *groups = groups_new(count);

        for (uint32_t i = 0; i < count; i++)
            groups->gid[i] = 10 * (count - i);          /* 10, 20 ... from behind */
        groups_sort(groups);
        for (uint32_t gid = 0; gid <= 10 * count + 10; gid++)
            assert_int_equal(groups_have(groups, gid), gid > 0 && gid <= 10 * count && gid % 10 == 0);
        groups_release(groups);
    }
    assert_false(groups_have(NULL, 0));
}

/* ---- Rights that a process has had -------------------------------------------------------------------------- */

static bool trusted(void) { return current_process()->memory->dumpable && current_process()->parent_death_signal == 9; }

static void trust(void)
{
    current_process()->memory->dumpable    = true;
    current_process()->parent_death_signal = 9;
}

/* With other numbers, or with fewer rights than were permitted, the process is as before; with more it is not. */
static void changes_its_rights(void)
{
    struct credentials *changed;

    trust();
    changed = credentials_copy();
    changed->capabilities.permitted = changed->capabilities.effective = 1;
    credentials_take(changed);
    assert_true(trusted());                             /* a part of what it had */
    changed = credentials_copy();
    changed->capabilities.permitted = 3;
    credentials_take(changed);
    assert_false(trusted());                            /* more than it had */
    for (unsigned i = 0; i < 4; i++) {
        trust();
        changed = credentials_copy();
        *(i == 0 ? &changed->user.effective : i == 1 ? &changed->group.effective
          : i == 2 ? &changed->user.files : &changed->group.files) = 7 + i;
        credentials_take(changed);
        assert_false(trusted());
    }
    trust();
    credentials_take(credentials_copy());
    assert_true(trusted());
    exit_with(0);
}

static void who_has_had_other_rights_is_trusted_less(void) { begin(changes_its_rights); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_list_is_freed_with_its_last_reference),
        in_world(what_is_in_a_list_is_found),
        in_world(who_has_had_other_rights_is_trusted_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
