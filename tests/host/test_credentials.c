/*
 * test_credentials.c - users, groups and capabilities of a thread, and the counts that a user's processes share.
 */
#include "process_world.h"

#include "process/groups.h"

enum { KEEP = -1, ALIKE = 64 };
#define BIT(capability) (1ull << (capability))
#define ALL             CAPABILITIES_ALL

static const struct credentials *acting(void) { return credentials_acting(); }
static const struct capabilities *rights(void) { return &acting()->capabilities; }

static int set_user(uint32_t real, uint32_t effective, uint32_t saved)
{
    return credentials_set_user((struct user_numbers){ real, effective, saved, 99 });
}

static int set_group(uint32_t real, uint32_t effective, uint32_t saved)
{
    return credentials_set_group((struct user_numbers){ real, effective, saved, 99 });
}

static void assert_numbers(const struct user_numbers *has, uint32_t real, uint32_t effective, uint32_t saved)
{
    assert_int_equal(has->real, real);
    assert_int_equal(has->effective, effective);
    assert_int_equal(has->saved, saved);
    assert_int_equal(has->files, effective);
}

static void assert_user(uint32_t real, uint32_t effective, uint32_t saved)
{
    assert_numbers(&acting()->user, real, effective, saved);
}

static void assert_group(uint32_t real, uint32_t effective, uint32_t saved)
{
    assert_numbers(&acting()->group, real, effective, saved);
}

/* Sets the credentials that a test wants, from any others. */
static void be(uint32_t real, uint32_t effective, uint32_t saved, struct capabilities capabilities)
{
    struct credentials *c = credentials_copy();

    user_account_put(c->account);
    c->account      = user_account_get(real);
    c->user         = (struct user_numbers){ real, effective, saved, effective };
    c->group        = c->user;
    c->capabilities = capabilities;
    credentials_take(c);
}

/* ---- Users ------------------------------------------------------------------------------------------- */

static void root_changes(void)
{
    struct process *self = current_process();

    assert_true(has_capability(CAP_SETUID));
    assert_true(rights()->permitted == ALL && rights()->effective == ALL && rights()->bounding == ALL);
    assert_true(rights()->inheritable == 0 && rights()->ambient == 0);
    self->memory->dumpable = true;
    self->parent_death_signal = 9;
    assert_int_equal(set_user((uint32_t)KEEP, (uint32_t)KEEP, 5), 0);
    assert_user(0, 0, 5);
    assert_true(self->memory->dumpable);                /* the acting identity has not changed */
    assert_int_equal(self->parent_death_signal, 9);
    assert_int_equal(set_user((uint32_t)KEEP, 7, (uint32_t)KEEP), 0);
    assert_user(0, 7, 5);
    assert_false(self->memory->dumpable);
    assert_int_equal(self->parent_death_signal, 0);
    assert_true(rights()->effective == 0);              /* acts as another now */
    assert_true(rights()->permitted == ALL);
    assert_false(has_capability(CAP_SETUID));
    assert_int_equal(set_user(3, (uint32_t)KEEP, (uint32_t)KEEP), -EPERM);
    assert_user(0, 7, 5);
    assert_int_equal(set_user((uint32_t)KEEP, 0, (uint32_t)KEEP), 0);
    assert_true(rights()->effective == ALL);            /* and the right is back */
    be(0, 0, 0, (struct capabilities){ .permitted = ALL, .effective = ALL, .ambient = 1 });
    assert_int_equal(set_user(6, 6, 0), 0);
    assert_true(rights()->permitted == ALL && rights()->effective == 0 && rights()->ambient == 1);
    be(6, 6, 0, (struct capabilities){ .permitted = ALL, .effective = BIT(CAP_SETUID), .ambient = 1 });
    assert_int_equal(set_user(6, 6, 6), 0);             /* the last of root: all is gone */
    assert_true(rights()->permitted == 0 && rights()->effective == 0 && rights()->ambient == 0);
    assert_int_equal(acting()->account->uid, 6);
    assert_int_equal(acting()->account->threads, 1);
    assert_ptr_equal(self->credentials, acting());      /* a process has those of its first thread */
    assert_int_equal(acting()->references, 2);
    assert_int_equal(set_user(0, (uint32_t)KEEP, (uint32_t)KEEP), -EPERM);
    assert_int_equal(set_user((uint32_t)KEEP, 0, (uint32_t)KEEP), -EPERM);
    assert_int_equal(set_user((uint32_t)KEEP, (uint32_t)KEEP, 0), -EPERM);
    assert_user(6, 6, 6);
}

static void root_becomes_another_and_loses_its_rights(void) { run_program(root_changes); }

static void keeps_rights(void)
{
    be(0, 0, 0, (struct capabilities){ .permitted = ALL, .effective = ALL, .ambient = 3,
                                       .secure_bits = SECURE_KEEP_CAPS });
    assert_int_equal(set_user(6, 6, 6), 0);
    assert_true(rights()->permitted == ALL && rights()->effective == 0 && rights()->ambient == 0);
    be(0, 0, 0, (struct capabilities){ .permitted = ALL, .effective = ALL, .ambient = 3,
                                       .secure_bits = SECURE_NO_SETUID_FIXUP });
    assert_int_equal(set_user(6, 6, 6), 0);
    assert_true(rights()->permitted == ALL && rights()->effective == ALL && rights()->ambient == 3);
    for (uint32_t n = 0; n < 3; n++) {                  /* any of the three is root's: not gone yet */
        be(n == 0 ? 0 : 5, n == 1 ? 0 : 5, n == 2 ? 0 : 5,
           (struct capabilities){ .permitted = ALL, .effective = BIT(CAP_SETUID), .ambient = 3 });
        assert_int_equal(set_user(5, 5, 5), 0);
        assert_true(rights()->permitted == 0 && rights()->ambient == 0);
    }
}

static void rights_stay_where_that_was_asked(void) { run_program(keeps_rights); }

static void ordinary_changes(void)
{
    be(1, 2, 3, (struct capabilities){ 0 });
    assert_int_equal(set_user((uint32_t)KEEP, 1, (uint32_t)KEEP), 0);
    assert_user(1, 1, 3);
    assert_int_equal(set_user((uint32_t)KEEP, 3, (uint32_t)KEEP), 0);
    assert_user(1, 3, 3);
    assert_int_equal(set_user((uint32_t)KEEP, 2, (uint32_t)KEEP), -EPERM);      /* its number once, not now */
    assert_int_equal(set_user(3, 1, 1), 0);
    assert_user(3, 1, 1);
    assert_int_equal(acting()->account->uid, 3);
    assert_int_equal(set_group(9, (uint32_t)KEEP, (uint32_t)KEEP), -EPERM);
    assert_int_equal(set_group((uint32_t)KEEP, 9, (uint32_t)KEEP), -EPERM);
    assert_int_equal(set_group((uint32_t)KEEP, (uint32_t)KEEP, 9), -EPERM);
    assert_group(1, 2, 3);
    current_process()->memory->dumpable = true;
    assert_int_equal(set_group(2, (uint32_t)KEEP, 1), 0);
    assert_group(2, 2, 1);
    assert_true(current_process()->memory->dumpable);
    assert_int_equal(set_group((uint32_t)KEEP, 1, (uint32_t)KEEP), 0);
    assert_group(2, 1, 1);
    assert_false(current_process()->memory->dumpable);
    be(1, 1, 1, (struct capabilities){ .effective = BIT(CAP_SETGID) });
    assert_int_equal(set_group(9, 8, 7), 0);
    assert_group(9, 8, 7);
    assert_int_equal(set_user(9, 9, 9), -EPERM);        /* the right for groups is not that for users */
    be(1, 1, 1, (struct capabilities){ .effective = BIT(CAP_SETUID) });
    assert_int_equal(set_group(9, 9, 9), -EPERM);
    assert_int_equal(set_user(9, 9, 9), 0);
}

static void others_change_only_between_their_own_numbers(void) { run_program(ordinary_changes); }

static void listens(void) { sleep_for(100 * (uint64_t)TICK); }

static void becomes_6(void)
{
    assert_int_equal(set_user(6, 6, 6), 0);
    assert_int_equal(acting()->account->threads, 1);
    assert_int_equal(acting()->references, 1);          /* the process's are another thread's */
    assert_int_equal(current_process()->credentials->user.real, 0);
    listens();
}

static void moves_one_thread(void)
{
    int32_t id = thread_into(becomes_6);

    thread_into(listens);
    give_way();
    assert_user(0, 0, 0);
    assert_int_equal(acting()->account->threads, 2);
    assert_int_equal(thread_find(id)->credentials->user.real, 6);
    assert_null(user_accounts_broken(3));
    assert_string_equal(user_accounts_broken(2), "U2");
    assert_sound();
    exit_with(0);
}

static void a_thread_counts_for_its_own_user(void) { run_program(moves_one_thread); }

static void first_ends(void)
{
    thread_into(becomes_6);
    give_way();
    thread_exit(0);
}

static void has_a_first_that_ends(void)
{
    int32_t id = fork_into(first_ends);

    sleep_for(2 * TICK);
    assert_int_equal(process_find(id)->credentials->user.real, 0);      /* as long as its number is not another's */
    assert_sound();
    assert_int_equal(wait_for(id, 0), id);
    assert_int_equal(waited.uid, 0);
}

static void a_process_has_its_first_threads_to_the_end(void) { run_program(has_a_first_that_ends); }

static void has_no_memory(void)
{
    const struct credentials *before = acting();
    struct credentials       *out;
    struct groups            *groups = groups_new(1);

    groups->gid[0] = 4;
    heap_drain();
    for (uint32_t n = 1; n <= 2; n++) {                 /* the copy, and the new user's account */
        heap_fail_at(n);
        assert_int_equal(set_user(6, 6, 6), -ENOMEM);
        heap_fail_at(0);
        assert_ptr_equal(acting(), before);
    }
    heap_fail_at(1);
    assert_int_equal(set_group(6, 6, 6), -ENOMEM);
    heap_fail_at(1);
    assert_int_equal(credentials_set_groups(groups), -ENOMEM);
    heap_fail_at(1);
    assert_int_equal(credentials_set_capabilities(0, 0, 0), -ENOMEM);
    heap_fail_at(1);
    assert_int_equal(credentials_after_exec(&out), -ENOMEM);
    heap_fail_at(1);
    assert_int_equal(credentials_act_as_real(&out), -ENOMEM);
    heap_fail_at(1);
    assert_int_equal(credentials_set_files_user(6), 0);
    heap_fail_at(1);
    assert_int_equal(credentials_set_files_group(6), 0);
    heap_fail_at(0);
    assert_ptr_equal(acting(), before);
    assert_int_equal(acting()->references, 2);
    assert_user(0, 0, 0);
    groups_release(groups);
}

static void without_memory_nothing_changes(void) { run_program(has_no_memory); }

static void there_is_no_root_without_memory(void)
{
    for (uint32_t n = 1; n <= 2; n++) {
        heap_drain();
        heap_fail_at(n);
        assert_null(credentials_of_root());
        heap_fail_at(0);
        assert_int_equal(sums().live_blocks, heap_before.live_blocks);
    }
    credentials_release(credentials_of_root());
    credentials_release(NULL);
}

/* ---- exec ---------------------------------------------------------------------------------------------- */

static struct capabilities after_exec(uint32_t uid, uint32_t euid, uint32_t secure)
{
    struct credentials *out;

    be(uid, euid, 77, (struct capabilities){ .permitted = 1, .effective = 1, .inheritable = 2, .bounding = 4,
                                             .ambient = 8, .secure_bits = secure });
    assert_int_equal(credentials_after_exec(&out), 0);
    assert_int_equal(acting()->user.saved, 77);         /* `out` is a copy that no thread acts by yet */
    credentials_take(out);
    assert_user(uid, euid, euid);
    assert_group(uid, euid, euid);
    return *rights();
}

static void executes(void)
{
    struct capabilities c = after_exec(0, 0, 0);

    assert_true(c.permitted == 6 && c.effective == 6);
    c = after_exec(0, 5, SECURE_KEEP_CAPS | SECURE_NO_CAP_AMBIENT_RAISE);
    assert_true(c.permitted == 6 && c.effective == 8);
    assert_int_equal(c.secure_bits, SECURE_NO_CAP_AMBIENT_RAISE);
    c = after_exec(5, 0, 0);
    assert_true(c.permitted == 6 && c.effective == 6);
    c = after_exec(5, 5, 0);
    assert_true(c.permitted == 8 && c.effective == 8);
    c = after_exec(0, 0, SECURE_NO_ROOT);
    assert_true(c.permitted == 8 && c.effective == 8);
    assert_int_equal(c.secure_bits, SECURE_NO_ROOT);
}

static void a_new_program_has_what_its_user_gives_it(void) { run_program(executes); }

/* ---- Whose files ---------------------------------------------------------------------------------------- */

static void owns_files(void)
{
    const uint64_t of_files = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) |
                              BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MKNOD) | BIT(CAP_MAC_OVERRIDE);

    assert_int_equal(credentials_set_files_user(7), 0);
    assert_int_equal(acting()->user.files, 7);
    assert_int_equal(acting()->user.effective, 0);
    assert_true(rights()->effective == (ALL & ~of_files));
    assert_int_equal(credentials_set_files_user((uint32_t)KEEP), 7);    /* asks only */
    assert_int_equal(credentials_set_files_user(8), 7);
    assert_true(rights()->effective == (ALL & ~of_files));
    assert_int_equal(credentials_set_files_user(0), 8);
    assert_true(rights()->effective == ALL);
    assert_int_equal(credentials_set_files_group(7), 0);
    assert_int_equal(credentials_set_files_group(9), 7);
    assert_int_equal(acting()->group.files, 9);
    assert_true(rights()->effective == ALL);
    be(0, 0, 0, (struct capabilities){ .permitted = ALL, .effective = ALL, .secure_bits = SECURE_NO_SETUID_FIXUP });
    assert_int_equal(credentials_set_files_user(7), 0);
    assert_true(rights()->effective == ALL);
    be(1, 2, 3, (struct capabilities){ 0 });
    assert_int_equal(credentials_set_files_user(9), 2);
    assert_int_equal(acting()->user.files, 2);          /* refused */
    assert_int_equal(credentials_set_files_group(9), 2);
    assert_int_equal(acting()->group.files, 2);
    assert_int_equal(credentials_set_files_user(3), 2);
    assert_int_equal(credentials_set_files_user(1), 3);
    assert_int_equal(credentials_set_files_group(1), 2);
    assert_int_equal(acting()->group.files, 1);
    be(1, 2, 3, (struct capabilities){ .effective = BIT(CAP_SETUID) });
    assert_int_equal(credentials_set_files_group(9), 2);
    assert_int_equal(acting()->group.files, 2);
    assert_int_equal(credentials_set_files_user(9), 2);
    assert_int_equal(acting()->user.files, 9);
    be(1, 2, 3, (struct capabilities){ .effective = BIT(CAP_SETGID) });
    assert_int_equal(credentials_set_files_group(9), 2);
    assert_int_equal(acting()->group.files, 9);
}

static void files_have_an_owner_of_their_own(void) { run_program(owns_files); }

static void acts_as_real(void)
{
    struct credentials *before;

    be(1, 0, 3, (struct capabilities){ .permitted = 6, .effective = 2 });
    assert_int_equal(credentials_act_as_real(&before), 0);
    assert_int_equal(acting()->user.files, 1);
    assert_int_equal(acting()->group.files, 1);
    assert_true(rights()->effective == 0);
    assert_ptr_equal(current_process()->credentials, before);
    credentials_act_again(before);
    assert_ptr_equal(acting(), before);
    assert_int_equal(acting()->user.files, 0);
    be(0, 1, 3, (struct capabilities){ .permitted = 6, .effective = 2 });
    assert_int_equal(credentials_act_as_real(&before), 0);
    assert_true(rights()->effective == 6);
    credentials_act_again(before);
    be(1, 0, 3, (struct capabilities){ .permitted = 6, .effective = 2, .secure_bits = SECURE_NO_SETUID_FIXUP });
    assert_int_equal(credentials_act_as_real(&before), 0);
    assert_true(rights()->effective == 2);
    credentials_act_again(before);
}

static void who_asks_for_the_real_user_acts_as_that_for_a_while(void) { run_program(acts_as_real); }

/* ---- Capabilities ----------------------------------------------------------------------------------------- */

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    return credentials_set_capabilities(effective, permitted, inheritable);
}

static void changes_capabilities(void)
{
    be(1, 1, 1, (struct capabilities){ .permitted = 7, .effective = 3, .inheritable = 8, .bounding = 7, .ambient = 6 });
    assert_int_equal(set_capabilities(8, 7, 0), -EPERM);        /* effective beyond permitted */
    assert_int_equal(set_capabilities(0, 15, 0), -EPERM);       /* permitted beyond what was */
    assert_int_equal(set_capabilities(0, 7, 16), -EPERM);       /* inheritable beyond permitted and inheritable */
    assert_true(rights()->permitted == 7 && rights()->effective == 3 && rights()->inheritable == 8 &&
                rights()->ambient == 6);
    assert_int_equal(set_capabilities(4, 7, 12), 0);
    assert_true(rights()->permitted == 7 && rights()->effective == 4 && rights()->inheritable == 12 &&
                rights()->ambient == 4);
    assert_int_equal(set_capabilities(0, 3, 4), 0);
    assert_true(rights()->permitted == 3 && rights()->ambient == 0);
    be(1, 1, 1, (struct capabilities){ .permitted = 16 });
    assert_int_equal(set_capabilities(0, 16, 16), -EPERM);      /* none beyond the bounds is inherited */
    be(1, 1, 1, (struct capabilities){ .bounding = 32, .effective = BIT(CAP_SETPCAP) });
    assert_int_equal(set_capabilities(0, 0, 64), -EPERM);
    assert_int_equal(set_capabilities(0, 0, 32), 0);            /* CAP_SETPCAP reaches to the bounds */
    assert_true(rights()->inheritable == 32);
}

static void capabilities_can_only_be_given_up(void) { run_program(changes_capabilities); }

/* ---- Supplementary groups ---------------------------------------------------------------------------------- */

static struct groups *groups_of(uint32_t count, const uint32_t *numbers)
{
    struct groups *groups = groups_new(count);

    assert_non_null(groups);
    memcpy(groups->gid, numbers, count * sizeof *numbers);
    return groups;
}

static void joins_groups(void)
{
    static const uint32_t some[] = { 9, 3, 7, 3, 1 }, one[] = { 4 };
    struct groups        *first = groups_hold(groups_of(5, some));

    assert_int_equal(credentials_set_groups(first), 0);
    assert_ptr_equal(acting()->groups, first);
    for (uint32_t i = 0; i + 1 < 5; i++)
        assert_true(first->gid[i] <= first->gid[i + 1]);
    for (uint32_t i = 0; i < 5; i++)
        assert_true(groups_have(acting()->groups, some[i]));
    for (uint32_t gid = 0; gid <= 10; gid += 2)
        assert_false(groups_have(acting()->groups, gid));
    assert_false(groups_have(NULL, 0));
    assert_int_equal(set_user(5, 5, 5), 0);
    assert_int_equal(first->references, 2);                     /* a copy shares them */
    assert_int_equal(wait_for(fork_into(listens), NOHANG), 0);
    assert_ptr_equal(process_find(2)->credentials, acting());
    assert_int_equal(acting()->references, 4);                  /* two processes, two threads */
    assert_int_equal(credentials_set_groups(groups_of(1, one)), 0);
    assert_int_equal(first->references, 2);                     /* the child has them still */
    assert_true(groups_have(acting()->groups, 4));
    assert_false(groups_have(acting()->groups, 9));
    kill(2, SIGKILL);
    assert_int_equal(wait_for(-1, 0), 2);
    assert_int_equal(first->references, 1);
    groups_release(first);
}

static void groups_are_sorted_shared_and_found(void) { run_program(joins_groups); }

static void any_numbers_are_sorted(void)
{
    for (uint32_t count = 0; count < 40; count++) {
        struct groups *groups = groups_new(count);
        uint64_t       sum = 0, after = 0;

        for (uint32_t i = 0; i < count; i++)
            sum += groups->gid[i] = any(50);
        groups_sort(groups);
        for (uint32_t i = 0; i < count; i++) {
            after += groups->gid[i];
            assert_true(i == 0 || groups->gid[i - 1] <= groups->gid[i]);
            assert_true(groups_have(groups, groups->gid[i]));
        }
        assert_true(sum == after);
        groups_release(groups);
    }
}

/* ---- Accounts -------------------------------------------------------------------------------------------- */

static void a_users_account_is_one(void)
{
    struct user_account *a = user_account_get(5), *b = user_account_get(5 + ALIKE);
    struct user_account *c = user_account_get(5 + 2 * ALIKE), *d = user_account_get(6);

    assert_ptr_not_equal(a, b);                                 /* one list, two users */
    assert_ptr_equal(user_account_get(5), a);
    assert_int_equal(a->references, 2);
    assert_null(user_accounts_broken(0));
    user_account_put(b);                                        /* with others below it */
    assert_null(user_accounts_broken(0));
    user_account_put(a);
    assert_int_equal(a->references, 1);
    assert_ptr_equal(user_account_get(5 + 2 * ALIKE), c);
    user_account_put(c);
    user_account_put(c);
    user_account_put(a);
    user_account_put(d);
    user_account_put(NULL);
    assert_int_equal(sums().live_blocks, heap_before.live_blocks);
}

/* Numbers with their low bits alike, which once were one long list: at any time each is found, and none is lost. */
static void any_numbers_have_accounts(void)
{
    static struct user_account *accounts[2000];
    uint32_t                    count = COUNT_OF(accounts);

    for (uint32_t i = 0; i < count; i++)
        assert_non_null(accounts[i] = user_account_get(i * 1103515245u * ALIKE));
    assert_null(user_accounts_broken(0));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t which = i * 7 % count;

        assert_ptr_equal(user_account_get(which * 1103515245u * ALIKE), accounts[which]);
        user_account_put(accounts[which]);
        user_account_put(accounts[which]);
        if (i % 50 == 0)
            assert_null(user_accounts_broken(0));
    }
    assert_int_equal(sums().live_blocks, heap_before.live_blocks);
}

static void signals_are_counted_up_to_the_most(void)
{
    struct user_account *a = user_account_get(5);

    assert_true(user_account_queue(a, 2));
    assert_true(user_account_queue(a, 2));
    assert_false(user_account_queue(a, 2));
    assert_int_equal(a->signals, 2);
    assert_int_equal(a->references, 3);
    user_account_put(a);                                        /* a queued signal keeps it */
    user_account_unqueue(a);
    assert_int_equal(a->signals, 1);
    assert_ptr_equal(user_account_get(5), a);
    user_account_put(a);
    user_account_unqueue(a);
    assert_int_equal(sums().live_blocks, heap_before.live_blocks);
}

static void the_check_of_accounts_sees_what_is_wrong(void)
{
    struct user_account *a = user_account_get(5), *b = user_account_get(5 + ALIKE);

    b->uid++;                                                   /* leads elsewhere */
    assert_string_equal(user_accounts_broken(0), "U1");
    b->uid--;
    b->uid = 5;                                                 /* twice */
    assert_string_equal(user_accounts_broken(0), "U1");
    b->uid = 5 + ALIKE;
    assert_null(user_accounts_broken(0));
    a->references = 0;
    assert_string_equal(user_accounts_broken(0), "U1");
    a->references = 1;
    b->threads = 4;
    assert_string_equal(user_accounts_broken(0), "U2");
    assert_null(user_accounts_broken(4));
    b->threads = 0;
    user_account_put(a);
    user_account_put(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(root_becomes_another_and_loses_its_rights),
        in_world(rights_stay_where_that_was_asked),
        in_world(others_change_only_between_their_own_numbers),
        in_world(a_thread_counts_for_its_own_user),
        in_world(a_process_has_its_first_threads_to_the_end),
        in_world(without_memory_nothing_changes),
        in_world(there_is_no_root_without_memory),
        in_world(a_new_program_has_what_its_user_gives_it),
        in_world(files_have_an_owner_of_their_own),
        in_world(who_asks_for_the_real_user_acts_as_that_for_a_while),
        in_world(capabilities_can_only_be_given_up),
        in_world(groups_are_sorted_shared_and_found),
        in_world(any_numbers_are_sorted),
        in_world(a_users_account_is_one),
        in_world(any_numbers_have_accounts),
        in_world(signals_are_counted_up_to_the_most),
        in_world(the_check_of_accounts_sees_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
