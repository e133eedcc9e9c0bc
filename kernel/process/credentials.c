/*
 * credentials.c - users, groups and capabilities of a thread, and how they change together.
 */
#include "process/credentials.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/heap/heap.h"
#include "process/family.h"
#include "process/user_account.h"

const struct credentials *credentials_acting(void) { return current_thread()->credentials; }

bool has_capability(unsigned capability)
{
    const struct credentials *c = credentials_acting();

    assert(capability < CAPABILITIES);
    return c == NULL || (c->capabilities.effective >> capability & 1);
}

/* ---- Shared, until one changes them ------------------------------------------------------------- */

struct credentials *credentials_of_root(void)
{
    struct credentials *c = heap_alloc(sizeof *c, HEAP_ZERO);

    if (c == NULL)
        return NULL;
    c->references = 1;
    c->capabilities = (struct capabilities){ .permitted = CAPABILITIES_ALL, .effective = CAPABILITIES_ALL,
                                             .bounding = CAPABILITIES_ALL };
    c->account = user_account_get(0);
    if (c->account != NULL)
        return c;
    heap_free_sized(c, sizeof *c);
    return NULL;
}

struct credentials *credentials_hold(struct credentials *c)
{
    assert(c->references > 0);
    __atomic_add_fetch(&c->references, 1, __ATOMIC_RELAXED);
    return c;
}

void credentials_release(struct credentials *c)
{
    if (c == NULL || __atomic_sub_fetch(&c->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    groups_release(c->groups);
    user_account_put(c->account);
    heap_free_sized(c, sizeof *c);
}

struct credentials *credentials_copy(void)
{
    struct credentials *c = heap_alloc(sizeof *c, 0);

    if (c == NULL)
        return NULL;
    *c            = *credentials_acting();
    c->references = 1;
    groups_hold(c->groups);
    user_account_hold(c->account);
    return c;
}

static bool is_subset(uint64_t part, uint64_t whole) { return (part & ~whole) == 0; }

/* A core of a process that has had other rights is not for all to read, and its parent's end is none of its affairs. */
static void trust_less(struct process *process, const struct credentials *old, const struct credentials *new)
{
    if (old->user.effective == new->user.effective && old->group.effective == new->group.effective &&
        old->user.files == new->user.files && old->group.files == new->group.files &&
        is_subset(new->capabilities.permitted, old->capabilities.permitted))
        return;
    process->memory->dumpable    = false;
    process->parent_death_signal = 0;
}

/* Signals are sent from interrupts, too: so the old credentials are released only when no pointer leads there. */
void credentials_take(struct credentials *changed)
{
    struct thread      *self    = current_thread();
    struct process     *process = self->process;
    struct credentials *old     = self->credentials;

    trust_less(process, old, changed);
    user_account_threads(changed->account, 1);
    user_account_threads(old->account, -1);
    self->credentials = changed;
    if (self->id == process->id) {
        assert(process->credentials == old);
        process->credentials = credentials_hold(changed);
        credentials_release(old);
    }
    credentials_release(old);
}

int credentials_after_exec(struct credentials **out)
{
    struct credentials  *changed = credentials_copy();
    struct capabilities *c;
    bool                 root;

    if (changed == NULL)
        return -ENOMEM;
    c    = &changed->capabilities;
    root = (changed->user.real == 0 || changed->user.effective == 0) && !(c->secure_bits & SECURE_NO_ROOT);
    c->permitted    = root ? c->bounding | c->inheritable : c->ambient;
    c->effective    = root && changed->user.effective != 0 ? c->ambient : c->permitted;
    c->secure_bits &= ~(uint32_t)SECURE_KEEP_CAPS;
    changed->user.saved  = changed->user.files  = changed->user.effective;
    changed->group.saved = changed->group.files = changed->group.effective;
    *out = changed;
    return 0;
}

/* ---- Users ------------------------------------------------------------------------------------ */

static bool is_one_of(uint32_t id, const struct user_numbers *has)
{
    return id == UINT32_MAX || id == has->real || id == has->effective || id == has->saved;
}

static bool may_become(const struct user_numbers *has, const struct user_numbers *wanted)
{
    return is_one_of(wanted->real, has) && is_one_of(wanted->effective, has) && is_one_of(wanted->saved, has);
}

static struct user_numbers numbers_after(const struct user_numbers *has, const struct user_numbers *wanted)
{
    struct user_numbers after = {
        .real      = wanted->real == UINT32_MAX ? has->real : wanted->real,
        .effective = wanted->effective == UINT32_MAX ? has->effective : wanted->effective,
        .saved     = wanted->saved == UINT32_MAX ? has->saved : wanted->saved,
    };

    after.files = after.effective;
    return after;
}

static bool has_root(const struct user_numbers *n) { return n->real == 0 || n->effective == 0 || n->saved == 0; }

/* A process that stops being root loses its capabilities, unless it asked to keep them. */
static void fix_capabilities(struct capabilities *c, const struct user_numbers *old, const struct user_numbers *new)
{
    if (c->secure_bits & SECURE_NO_SETUID_FIXUP)
        return;
    if (has_root(old) && !has_root(new)) {
        if (!(c->secure_bits & SECURE_KEEP_CAPS))
            c->permitted = c->effective = 0;
        c->ambient = 0;
    }
    if (old->effective == 0 && new->effective != 0)
        c->effective = 0;
    if (old->effective != 0 && new->effective == 0)
        c->effective = c->permitted;
}

/* Count for another user's account from now on. Returns 0 or -ENOMEM. */
static int change_account(struct credentials *changed)
{
    struct user_account *old = changed->account, *new;

    if (old->uid == changed->user.real)
        return 0;
    new = user_account_get(changed->user.real);
    if (new == NULL)
        return -ENOMEM;
    changed->account = new;
    user_account_put(old);
    return 0;
}

int credentials_set_user(struct user_numbers wanted)
{
    const struct user_numbers *has = &credentials_acting()->user;
    struct credentials        *changed;

    if (!has_capability(CAP_SETUID) && !may_become(has, &wanted))
        return -EPERM;
    changed = credentials_copy();
    if (changed == NULL)
        return -ENOMEM;
    changed->user = numbers_after(has, &wanted);
    if (change_account(changed) != 0) {
        credentials_release(changed);
        return -ENOMEM;
    }
    fix_capabilities(&changed->capabilities, has, &changed->user);
    credentials_take(changed);
    return 0;
}

int credentials_set_group(struct user_numbers wanted)
{
    const struct user_numbers *has = &credentials_acting()->group;
    struct credentials        *changed;

    if (!has_capability(CAP_SETGID) && !may_become(has, &wanted))
        return -EPERM;
    changed = credentials_copy();
    if (changed == NULL)
        return -ENOMEM;
    changed->group = numbers_after(has, &wanted);
    credentials_take(changed);
    return 0;
}

/* ---- Whose files they are ----------------------------------------------------------------------- */

/* Capabilities that are about files: setfsuid() takes and gives them with root's number. */
static const uint64_t of_files = 1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_DAC_READ_SEARCH |
                                 1ull << CAP_FOWNER | 1ull << CAP_FSETID | 1ull << CAP_LINUX_IMMUTABLE |
                                 1ull << CAP_MKNOD | 1ull << CAP_MAC_OVERRIDE;

static void fix_file_capabilities(struct capabilities *c, uint32_t old, uint32_t new)
{
    if (c->secure_bits & SECURE_NO_SETUID_FIXUP)
        return;
    if (old == 0 && new != 0)
        c->effective &= ~of_files;
    if (old != 0 && new == 0)
        c->effective |= c->permitted & of_files;
}

static bool may_set_files(const struct user_numbers *has, uint32_t id, unsigned capability)
{
    return id != UINT32_MAX && id != has->files && (is_one_of(id, has) || has_capability(capability));
}

uint32_t credentials_set_files_user(uint32_t user)
{
    uint32_t            old     = credentials_acting()->user.files;
    struct credentials *changed = may_set_files(&credentials_acting()->user, user, CAP_SETUID) ? credentials_copy() :
                                  NULL;

    if (changed != NULL) {
        changed->user.files = user;
        fix_file_capabilities(&changed->capabilities, old, user);
        credentials_take(changed);
    }
    return old;
}

uint32_t credentials_set_files_group(uint32_t group)
{
    uint32_t            old     = credentials_acting()->group.files;
    struct credentials *changed = may_set_files(&credentials_acting()->group, group, CAP_SETGID) ? credentials_copy() :
                                  NULL;

    if (changed != NULL) {
        changed->group.files = group;
        credentials_take(changed);
    }
    return old;
}

int credentials_act_as_real(struct credentials **before)
{
    struct credentials  *as_real = credentials_copy();
    struct capabilities *c;

    if (as_real == NULL)
        return -ENOMEM;
    c = &as_real->capabilities;
    as_real->user.files  = as_real->user.real;
    as_real->group.files = as_real->group.real;
    if (!(c->secure_bits & SECURE_NO_SETUID_FIXUP))
        c->effective = as_real->user.real == 0 ? c->permitted : 0;
    *before = current_thread()->credentials;
    current_thread()->credentials = as_real;
    return 0;
}

void credentials_act_again(struct credentials *before)
{
    credentials_release(current_thread()->credentials);
    current_thread()->credentials = before;
}

/* ---- Supplementary groups ---------------------------------------------------------------------- */

int credentials_set_groups(struct groups *groups)
{
    struct credentials *changed = credentials_copy();

    if (changed == NULL)
        return -ENOMEM;
    groups_sort(groups);
    groups_release(changed->groups);
    changed->groups = groups;
    credentials_take(changed);
    return 0;
}

/* ---- Capabilities ------------------------------------------------------------------------------- */

int credentials_set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    const struct capabilities *c = &credentials_acting()->capabilities;
    struct credentials        *changed;

    if (!has_capability(CAP_SETPCAP) && !is_subset(inheritable, c->inheritable | c->permitted))
        return -EPERM;
    if (!is_subset(inheritable, c->inheritable | c->bounding) || !is_subset(permitted, c->permitted) ||
        !is_subset(effective, permitted))
        return -EPERM;
    changed = credentials_copy();
    if (changed == NULL)
        return -ENOMEM;
    changed->capabilities.effective   = effective;
    changed->capabilities.permitted   = permitted;
    changed->capabilities.inheritable = inheritable;
    changed->capabilities.ambient    &= permitted & inheritable;
    credentials_take(changed);
    return 0;
}

/* ---- The limit on threads ------------------------------------------------------------------------- */

bool process_is_over_limit(const struct process *process)
{
    const struct credentials *c = credentials_acting();

    return c->user.real != 0 && !has_capability(CAP_SYS_RESOURCE) && !has_capability(CAP_SYS_ADMIN) &&
           c->account->threads >= process->limits[RLIMIT_NPROC].soft;
}
