/*
 * test_credentials_rules.c - Linux's rules of users, groups and capabilities, said once more in another way, and tried
 * with every mixture of root's and two others' numbers.
 */
#include "process_notes.h"

#include "process/user_account.h"

#define BIT(capability) (1ull << (capability))
#define PERMITTED       (CAPABILITIES_ALL & ~BIT(CAP_SYS_TIME))
#define EFFECTIVE       (BIT(CAP_CHOWN) | BIT(CAP_SYS_NICE))
#define AMBIENT         BIT(CAP_KILL)
#define INHERITABLE     (BIT(CAP_KILL) | BIT(CAP_SYS_TIME))
#define BOUNDING        (BIT(CAP_CHOWN) | BIT(CAP_SYS_ADMIN))
#define NOBODY          UINT32_MAX

static const uint32_t some[] = { 0, 1, 77 };    /* root, a low number, another */
static const uint32_t bits[] = { 0, SECURE_NO_ROOT, SECURE_NO_SETUID_FIXUP, SECURE_KEEP_CAPS };
enum { SOME = 3, MIXTURES = SOME * SOME * SOME };

static struct user_numbers mixture(unsigned n)
{
    return (struct user_numbers){ some[n % 3], some[n / 3 % 3], some[n / 9 % 3], some[n / 3 % 3] };
}

static const struct credentials *acting(void) { return credentials_acting(); }

/* The groups' numbers are none of the users'. */
static void be(struct user_numbers user, struct user_numbers group, uint64_t effective, uint32_t secure_bits)
{
    struct credentials *c = credentials_copy();

    user_account_put(c->account);
    c->account      = user_account_get(user.real);
    c->user         = user;
    c->group        = group;
    c->capabilities = (struct capabilities){ PERMITTED, effective, INHERITABLE, BOUNDING, AMBIENT, secure_bits };
    credentials_take(c);
}

static bool same(struct user_numbers a, struct user_numbers b)
{
    return a.real == b.real && a.effective == b.effective && a.saved == b.saved && a.files == b.files;
}

static bool has(struct user_numbers n, uint32_t id) { return id == n.real || id == n.effective || id == n.saved; }

static bool any_is_root(struct user_numbers n) { return n.real == 0 || n.effective == 0 || n.saved == 0; }

static const struct user_numbers groups = { 500, 501, 502, 503 };

/* ---- A new program ------------------------------------------------------------------------------------------- */

static void begins_as(struct user_numbers user, struct user_numbers group, uint32_t secure_bits)
{
    struct credentials *c;
    bool                root = (user.real == 0 || user.effective == 0) && !(secure_bits & SECURE_NO_ROOT);
    uint64_t            permitted = root ? BOUNDING | INHERITABLE : AMBIENT;
    uint64_t            effective = !root ? AMBIENT : user.effective == 0 ? permitted : AMBIENT;

    user.files = group.files = 88;
    be(user, group, EFFECTIVE, secure_bits);
    assert_int_equal(credentials_after_exec(&c), 0);
    assert_true(same(c->user, (struct user_numbers){ user.real, user.effective, user.effective, user.effective }));
    assert_true(same(c->group, (struct user_numbers){ group.real, group.effective, group.effective, group.effective }));
    assert_true(c->capabilities.permitted == permitted && c->capabilities.effective == effective);
    assert_true(c->capabilities.inheritable == INHERITABLE && c->capabilities.bounding == BOUNDING);
    assert_true(c->capabilities.ambient == AMBIENT);
    assert_int_equal(c->capabilities.secure_bits, secure_bits & ~(uint32_t)SECURE_KEEP_CAPS);
    assert_int_equal(c->references, 1);
    assert_ptr_equal(c->account, acting()->account);
    credentials_release(c);
}

static void begins_programs(void)
{
    for (unsigned n = 0; n < MIXTURES; n++)
        for (unsigned b = 0; b < COUNT_OF(bits); b++) {
            begins_as(mixture(n), groups, bits[b]);
            begins_as(mixture(n), (struct user_numbers){ 0, 0, 9, 10 }, bits[b]);
        }
}

static void a_new_program_has_what_its_users_numbers_give(void) { begin(begins_programs); }

/* ---- Other numbers -------------------------------------------------------------------------------------------- */

static struct user_numbers wanted_of(unsigned n)
{
    const uint32_t all[] = { NOBODY, 0, 1, 77, 99 };

    return (struct user_numbers){ all[n % 5], all[n / 5 % 5], all[n / 25], 12345 };
}

static struct user_numbers after(struct user_numbers old, struct user_numbers wanted)
{
    if (wanted.real != NOBODY)
        old.real = wanted.real;
    if (wanted.effective != NOBODY)
        old.effective = wanted.effective;
    if (wanted.saved != NOBODY)
        old.saved = wanted.saved;
    old.files = old.effective;
    return old;
}

static bool may(struct user_numbers old, struct user_numbers wanted, bool may_all)
{
    return may_all || ((wanted.real == NOBODY || has(old, wanted.real)) &&
                       (wanted.effective == NOBODY || has(old, wanted.effective)) &&
                       (wanted.saved == NOBODY || has(old, wanted.saved)));
}

static void becomes(struct user_numbers old, struct user_numbers wanted, uint64_t effective, uint32_t secure_bits)
{
    bool                allowed = may(old, wanted, effective & BIT(CAP_SETUID));
    struct user_numbers new = after(old, wanted);
    uint64_t            permitted = PERMITTED, ambient = AMBIENT;

    be(old, groups, effective, secure_bits);
    assert_int_equal(credentials_set_user(wanted), allowed ? 0 : -EPERM);
    assert_true(same(acting()->user, allowed ? new : old));
    assert_true(same(acting()->group, groups));
    assert_int_equal(acting()->account->uid, acting()->user.real);
    assert_int_equal(acting()->account->threads, 1);
    if (allowed && !(secure_bits & SECURE_NO_SETUID_FIXUP)) {
        if (any_is_root(old) && !any_is_root(new)) {
            ambient = 0;
            if (!(secure_bits & SECURE_KEEP_CAPS))
                permitted = effective = 0;
        }
        if (old.effective == 0 && new.effective != 0)
            effective = 0;
        else if (old.effective != 0 && new.effective == 0)
            effective = permitted;
    }
    assert_true(acting()->capabilities.permitted == permitted && acting()->capabilities.effective == effective);
    assert_true(acting()->capabilities.ambient == ambient);
}

static void becomes_users(void)
{
    for (unsigned n = 0; n < MIXTURES; n++)
        for (unsigned w = 0; w < 125; w++) {
            becomes(mixture(n), wanted_of(w), BIT(CAP_SETUID) | EFFECTIVE, bits[w % COUNT_OF(bits)]);
            becomes(mixture(n), wanted_of(w), BIT(CAP_SETGID) | EFFECTIVE, bits[(w + n) % COUNT_OF(bits)]);
        }
}

static void a_user_changes_by_the_rules(void) { begin(becomes_users); }

static void joins(struct user_numbers old, struct user_numbers wanted, uint64_t effective)
{
    bool allowed = may(old, wanted, effective & BIT(CAP_SETGID));

    be((struct user_numbers){ 500, 501, 502, 503 }, old, effective, 0);
    assert_int_equal(credentials_set_group(wanted), allowed ? 0 : -EPERM);
    assert_true(same(acting()->group, allowed ? after(old, wanted) : old));
    assert_true(same(acting()->user, groups));
    assert_true(acting()->capabilities.effective == effective && acting()->capabilities.permitted == PERMITTED);
}

static void joins_groups(void)
{
    for (unsigned n = 0; n < MIXTURES; n++)
        for (unsigned w = 0; w < 125; w++) {
            joins(mixture(n), wanted_of(w), BIT(CAP_SETGID) | EFFECTIVE);
            joins(mixture(n), wanted_of(w), BIT(CAP_SETUID) | EFFECTIVE);
        }
}

static void a_group_changes_by_the_rules(void) { begin(joins_groups); }

/* ---- Whose files they are --------------------------------------------------------------------------------------- */

#define OF_FILES (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) | \
                  BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MKNOD) | BIT(CAP_MAC_OVERRIDE))

static void owns_as(struct user_numbers old, uint32_t user, uint64_t effective, uint32_t secure_bits)
{
    bool                changes = user != NOBODY && (has(old, user) || user == old.files ||
                                                     (effective & BIT(CAP_SETUID)) != 0);
    struct user_numbers new = old;

    be(old, groups, effective, secure_bits);
    assert_int_equal(credentials_set_files_user(user), old.files);
    if (changes)
        new.files = user;
    assert_true(same(acting()->user, new));
    assert_true(same(acting()->group, groups));
    if (!(secure_bits & SECURE_NO_SETUID_FIXUP)) {
        if (old.files == 0 && new.files != 0)
            effective &= ~OF_FILES;
        else if (old.files != 0 && new.files == 0)
            effective |= PERMITTED & OF_FILES;
    }
    assert_true(acting()->capabilities.effective == effective && acting()->capabilities.permitted == PERMITTED);
}

static void owns_files_of_group(struct user_numbers old, uint32_t group, uint64_t effective)
{
    struct user_numbers new = old;

    be(groups, old, effective, 0);
    assert_int_equal(credentials_set_files_group(group), old.files);
    if (group != NOBODY && (has(old, group) || (effective & BIT(CAP_SETGID)) != 0))
        new.files = group;
    assert_true(same(acting()->group, new));
    assert_true(same(acting()->user, groups));
    assert_true(acting()->capabilities.effective == effective);
}

static void owns_files(void)
{
    const uint32_t all[] = { NOBODY, 0, 1, 77, 99 };

    for (unsigned n = 0; n < MIXTURES; n++)
        for (unsigned w = 0; w < 5 * 5; w++)
            for (unsigned b = 0; b < COUNT_OF(bits); b++) {
                struct user_numbers old = mixture(n);

                old.files = all[w / 5] == NOBODY ? old.files : all[w / 5];
                owns_as(old, all[w % 5], EFFECTIVE | BIT(CAP_SETUID), bits[b]);
                owns_as(old, all[w % 5], EFFECTIVE | BIT(CAP_SETGID), bits[b]);
                owns_as(old, all[w % 5], CAPABILITIES_ALL, bits[b]);
                owns_files_of_group(old, all[w % 5], EFFECTIVE | BIT(CAP_SETGID));
                owns_files_of_group(old, all[w % 5], EFFECTIVE | BIT(CAP_SETUID));
            }
}

static void files_change_their_owner_by_the_rules(void) { begin(owns_files); }

/* Whose files they are already is no change: the credentials stay the very same. */
static void asks_for_what_it_has(void)
{
    const struct credentials *before;

    be((struct user_numbers){ 0, 1, 77, 99 }, (struct user_numbers){ 4, 5, 6, 7 }, CAPABILITIES_ALL, 0);
    before = acting();
    assert_int_equal(credentials_set_files_user(99), 99);
    assert_ptr_equal(acting(), before);
    assert_int_equal(credentials_set_files_group(7), 7);
    assert_ptr_equal(acting(), before);
    assert_int_equal(credentials_set_files_user(NOBODY), 99);
    assert_int_equal(credentials_set_files_group(NOBODY), 7);
    assert_ptr_equal(acting(), before);
    assert_int_equal(before->references, 2);
}

static void who_asks_for_what_is_so_keeps_its_credentials(void) { begin(asks_for_what_it_has); }

/* ---- As the real user ------------------------------------------------------------------------------------------- */

static void acts_as_real(void)
{
    for (unsigned n = 0; n < MIXTURES; n++)
        for (unsigned b = 0; b < COUNT_OF(bits); b++) {
            struct user_numbers user = mixture(n), as_real = user, group = { 500, 501, 502, 500 };
            uint64_t            effective = user.real == 0 ? PERMITTED : 0;
            struct credentials *before;

            be(user, groups, EFFECTIVE, bits[b]);
            assert_int_equal(credentials_act_as_real(&before), 0);
            as_real.files = user.real;
            assert_true(same(acting()->user, as_real) && same(acting()->group, group));
            if (bits[b] & SECURE_NO_SETUID_FIXUP)
                effective = EFFECTIVE;
            assert_true(acting()->capabilities.effective == effective);
            assert_true(acting()->capabilities.permitted == PERMITTED);
            credentials_act_again(before);
            assert_true(same(acting()->user, user) && same(acting()->group, groups));
            assert_true(acting()->capabilities.effective == EFFECTIVE);
        }
}

static void a_look_at_rights_is_by_the_real_numbers(void) { begin(acts_as_real); }

/* ---- The limit on threads --------------------------------------------------------------------------------------- */

static void is_over(uint32_t user, uint64_t effective, uint64_t limit, bool over)
{
    current_process()->limits[RLIMIT_NPROC].soft = limit;
    be((struct user_numbers){ user, 5, 6, 7 }, groups, effective, 0);
    assert_int_equal(process_is_over_limit(current_process()), over);
}

static void counts_its_threads(void)
{
    is_over(1, 0, 2, false);                            /* one thread, and one more may come */
    is_over(1, 0, 1, true);
    is_over(0, 0, 1, false);                            /* the real user root has no limit, whatever rights */
    is_over(1, BIT(CAP_SYS_RESOURCE), 1, false);
    is_over(1, BIT(CAP_SYS_ADMIN), 1, false);
    is_over(1, CAPABILITIES_ALL & ~BIT(CAP_SYS_ADMIN) & ~BIT(CAP_SYS_RESOURCE), 1, true);
}

static void root_and_two_rights_have_no_limit_of_threads(void) { begin(counts_its_threads); }

/* ---- capset() --------------------------------------------------------------------------------------------- */

/* Two bits stand for all: each set has neither, one, or both. */
static void has_rights(uint64_t permitted, uint64_t inheritable, uint64_t bounding, bool may_all)
{
    const uint64_t fixed = may_all ? BIT(CAP_SETPCAP) : 0;

    for (unsigned n = 0; n < 64; n++) {
        uint64_t            wants_effective = n & 3, wants_permitted = n >> 2 & 3, wants_inheritable = n >> 4;
        struct credentials *c;
        bool                allowed;

        be(groups, groups, fixed, 0);
        c = credentials_copy();
        c->capabilities = (struct capabilities){ permitted | fixed, fixed, inheritable, bounding, 3, 0 };
        credentials_take(c);
        allowed = (wants_permitted & ~permitted) == 0 && (wants_effective & ~wants_permitted) == 0 &&
                  (wants_inheritable & ~(inheritable | bounding)) == 0 &&
                  (may_all || (wants_inheritable & ~(inheritable | permitted)) == 0);
        assert_int_equal(credentials_set_capabilities(wants_effective, wants_permitted, wants_inheritable),
                         allowed ? 0 : -EPERM);
        assert_true(acting()->capabilities.effective == (allowed ? wants_effective : fixed));
        assert_true(acting()->capabilities.permitted == (allowed ? wants_permitted : permitted | fixed));
        assert_true(acting()->capabilities.inheritable == (allowed ? wants_inheritable : inheritable));
        assert_true(acting()->capabilities.ambient == (allowed ? wants_permitted & wants_inheritable : 3));
        assert_true(acting()->capabilities.bounding == bounding);
    }
}

static void sets_capabilities(void)
{
    for (unsigned n = 0; n < 64; n++) {
        has_rights(n & 3, n >> 2 & 3, n >> 4, false);
        has_rights(n & 3, n >> 2 & 3, n >> 4, true);
    }
}

static void capabilities_change_by_the_rules(void) { begin(sets_capabilities); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_new_program_has_what_its_users_numbers_give),
        in_world(a_user_changes_by_the_rules),
        in_world(a_group_changes_by_the_rules),
        in_world(files_change_their_owner_by_the_rules),
        in_world(who_asks_for_what_is_so_keeps_its_credentials),
        in_world(a_look_at_rights_is_by_the_real_numbers),
        in_world(root_and_two_rights_have_no_limit_of_threads),
        in_world(capabilities_change_by_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
