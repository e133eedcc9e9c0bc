/*
 * credentials.c - users, groups and capabilities of a process, and how they change together.
 */
#include "process/credentials.h"

#include "base/error.h"
#include "memory/heap/heap.h"
#include "process/family.h"
#include "process/user_account.h"

bool has_capability(const struct process *process, unsigned capability)
{
    return process->capabilities.effective >> capability & 1;
}

void credentials_start(struct process *process)
{
    process->capabilities = (struct capabilities){ .permitted = CAPABILITIES_ALL, .effective = CAPABILITIES_ALL,
                                                   .bounding = CAPABILITIES_ALL };
}

void credentials_after_exec(struct process *process)
{
    struct capabilities *c    = &process->capabilities;
    bool                 root = (process->uid == 0 || process->euid == 0) && !(c->secure_bits & SECURE_NO_ROOT);

    c->permitted    = root ? c->bounding | c->inheritable : c->ambient;
    c->effective    = root && process->euid != 0 ? c->ambient : c->permitted;
    c->secure_bits &= ~(uint32_t)SECURE_KEEP_CAPS;
    process->suid   = process->euid;
    process->sgid   = process->egid;
}

/* ---- Users ------------------------------------------------------------------------------------ */

static bool is_one_of(uint32_t id, struct user_numbers has)
{
    return id == UINT32_MAX || id == has.real || id == has.effective || id == has.saved;
}

static bool may_become(struct user_numbers has, struct user_numbers wanted)
{
    return is_one_of(wanted.real, has) && is_one_of(wanted.effective, has) && is_one_of(wanted.saved, has);
}

static void keep_old(struct user_numbers *wanted, struct user_numbers has)
{
    wanted->real      = wanted->real == UINT32_MAX ? has.real : wanted->real;
    wanted->effective = wanted->effective == UINT32_MAX ? has.effective : wanted->effective;
    wanted->saved     = wanted->saved == UINT32_MAX ? has.saved : wanted->saved;
}

static bool has_root(struct user_numbers n) { return n.real == 0 || n.effective == 0 || n.saved == 0; }

/* A process that stops being root loses what only root has, unless it asked to keep that. */
static void fix_capabilities(struct capabilities *c, struct user_numbers old, struct user_numbers new)
{
    if (c->secure_bits & SECURE_NO_SETUID_FIXUP)
        return;
    if (has_root(old) && !has_root(new)) {
        if (!(c->secure_bits & SECURE_KEEP_CAPS))
            c->permitted = c->effective = 0;
        c->ambient = 0;
    }
    if (old.effective == 0 && new.effective != 0)
        c->effective = 0;
    if (old.effective != 0 && new.effective == 0)
        c->effective = c->permitted;
}

/* Its threads count for another user from now on. */
static int change_account(struct process *process, uint32_t uid)
{
    struct user_account *old = process->account, *new;
    int                  threads = process->thread_count > 0 ? (int)process->thread_count : 1;

    if (old != NULL && old->uid == uid)
        return 0;
    new = user_account_get(uid);
    if (new == NULL)
        return -EAGAIN;
    user_account_threads(new, threads);
    user_account_threads(old, -threads);
    process->account = new;
    user_account_put(old);
    return 0;
}

/* A core of a process that has had other rights is not for all to read. */
static void forget_trust(struct process *process)
{
    process->memory->dumpable    = false;
    process->parent_death_signal = 0;
}

int credentials_set_user(struct process *process, struct user_numbers wanted)
{
    struct user_numbers has = { process->uid, process->euid, process->suid };
    int                 err;

    if (!has_capability(process, CAP_SETUID) && !may_become(has, wanted))
        return -EPERM;
    keep_old(&wanted, has);
    err = change_account(process, wanted.real);
    if (err != 0)
        return err;
    process->uid  = wanted.real;
    process->euid = wanted.effective;
    process->suid = wanted.saved;
    if (has.effective != wanted.effective)
        forget_trust(process);
    fix_capabilities(&process->capabilities, has, wanted);
    return 0;
}

int credentials_set_group(struct process *process, struct user_numbers wanted)
{
    struct user_numbers has = { process->gid, process->egid, process->sgid };

    if (!has_capability(process, CAP_SETGID) && !may_become(has, wanted))
        return -EPERM;
    keep_old(&wanted, has);
    process->gid  = wanted.real;
    process->egid = wanted.effective;
    process->sgid = wanted.saved;
    if (has.effective != wanted.effective)
        forget_trust(process);
    return 0;
}

/* ---- Supplementary groups ---------------------------------------------------------------------- */

void credentials_set_groups(struct process *process, struct groups *groups)
{
    struct groups *old = process->groups;

    groups_sort(groups);
    process->groups = groups;
    groups_release(old);
}

/* ---- Capabilities ------------------------------------------------------------------------------- */

static bool is_subset(uint64_t part, uint64_t whole) { return (part & ~whole) == 0; }

int credentials_set_capabilities(struct process *process, uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    struct capabilities *c = &process->capabilities;

    if (!has_capability(process, CAP_SETPCAP) && !is_subset(inheritable, c->inheritable | c->permitted))
        return -EPERM;
    if (!is_subset(inheritable, c->inheritable | c->bounding) || !is_subset(permitted, c->permitted) ||
        !is_subset(effective, permitted))
        return -EPERM;
    c->effective   = effective;
    c->permitted   = permitted;
    c->inheritable = inheritable;
    c->ambient    &= permitted & inheritable;
    return 0;
}

/* ---- The limit on threads ------------------------------------------------------------------------- */

bool process_is_over_limit(const struct process *process)
{
    return process->uid != 0 && !has_capability(process, CAP_SYS_RESOURCE) && !has_capability(process, CAP_SYS_ADMIN) &&
           process->account->threads >= process->limits[RLIMIT_NPROC].soft;
}
