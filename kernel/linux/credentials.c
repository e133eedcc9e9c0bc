/*
 * credentials.c - the calls about users, groups and capabilities of processes.
 */
#include "base/check.h"
#include "base/error.h"
#include "linux/calls.h"
#include "linux/structures.h"
#include "memory/spaces/user.h"
#include "process/credentials.h"
#include "process/process.h"

/* ---- Users and groups ------------------------------------------------------------------------ */

SYSTEM_CALL(getuid32) { return (long)credentials_acting()->user.real; }
SYSTEM_CALL(geteuid32) { return (long)credentials_acting()->user.effective; }
SYSTEM_CALL(getgid32) { return (long)credentials_acting()->group.real; }
SYSTEM_CALL(getegid32) { return (long)credentials_acting()->group.effective; }

static bool is_or_none(uint32_t id, uint32_t has) { return id == UINT32_MAX || id == has; }

/* setresuid, setresgid: what would change nothing is nothing; else `files` would follow. */
static long set_three(struct user_numbers wanted, const struct user_numbers *has,
                      int (*set)(struct user_numbers numbers))
{
    if (is_or_none(wanted.real, has->real) && is_or_none(wanted.saved, has->saved) &&
        is_or_none(wanted.effective, has->effective) && is_or_none(wanted.effective, has->files))
        return 0;
    return set(wanted);
}

SYSTEM_CALL(setresuid32, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
    return set_three((struct user_numbers){ real, effective, saved, 0 }, &credentials_acting()->user,
                     credentials_set_user);
}

SYSTEM_CALL(setresgid32, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
    return set_three((struct user_numbers){ real, effective, saved, 0 }, &credentials_acting()->group,
                     credentials_set_group);
}

/*
 * setuid, setgid: a process with the capability sets all numbers; others set the effective number only, to their real
 * or saved number.
 */
static long set_all_or_effective(uint32_t id, const struct user_numbers *has, unsigned capability,
                                 int (*set)(struct user_numbers numbers))
{
    if (id == UINT32_MAX)
        return -EINVAL;
    if (has_capability(capability))
        return set((struct user_numbers){ id, id, id, 0 });
    if (id != has->real && id != has->saved)
        return -EPERM;
    return set((struct user_numbers){ UINT32_MAX, id, UINT32_MAX, 0 });
}

SYSTEM_CALL(setuid32, uint32_t, user)
{
    return set_all_or_effective(user, &credentials_acting()->user, CAP_SETUID, credentials_set_user);
}

SYSTEM_CALL(setgid32, uint32_t, group)
{
    return set_all_or_effective(group, &credentials_acting()->group, CAP_SETGID, credentials_set_group);
}

static bool is_either(uint32_t id, uint32_t one, uint32_t other) { return id == UINT32_MAX || id == one ||
                                                                   id == other; }

/*
 * setreuid, setregid: the saved number becomes the effective one when the real number is set, or when the effective
 * number is set to another than the real number.
 */
static long set_two(uint32_t real, uint32_t effective, const struct user_numbers *has, unsigned capability,
                    int (*set)(struct user_numbers numbers))
{
    bool     follows = real != UINT32_MAX || (effective != UINT32_MAX && effective != has->real);
    uint32_t saved   = !follows ? UINT32_MAX : effective != UINT32_MAX ? effective : has->effective;

    if (!has_capability(capability) && !is_either(real, has->real, has->effective))
        return -EPERM;
    return set((struct user_numbers){ real, effective, saved, 0 });
}

SYSTEM_CALL(setreuid32, uint32_t, real, uint32_t, effective)
{
    return set_two(real, effective, &credentials_acting()->user, CAP_SETUID, credentials_set_user);
}

SYSTEM_CALL(setregid32, uint32_t, real, uint32_t, effective)
{
    return set_two(real, effective, &credentials_acting()->group, CAP_SETGID, credentials_set_group);
}

SYSTEM_CALL(setfsuid32, uint32_t, user) { return (long)credentials_set_files_user(user); }
SYSTEM_CALL(setfsgid32, uint32_t, group) { return (long)credentials_set_files_group(group); }

/* Numbers are written in 32 bits, or by older calls in 16, where larger numbers are written as this one. */
enum { OVERFLOW_ID = 65534, ID_NONE_16 = 65535 };

uint16_t id_narrowed(uint32_t id) { return id > UINT16_MAX ? OVERFLOW_ID : (uint16_t)id; }
uint32_t id_widened(uint32_t id) { return (uint16_t)id == ID_NONE_16 ? UINT32_MAX : (uint16_t)id; }

static int write_id(user_t to, uint32_t id, size_t width)
{
    uint16_t narrow = id_narrowed(id);

    assert(width == sizeof id || width == sizeof narrow);
    return width == sizeof id ? user_write(to, &id, width) : user_write(to, &narrow, width);
}

static long tell_three(user_t a, user_t b, user_t c, const struct user_numbers *ids, size_t width)
{
    return write_id(a, ids->real, width) != 0 || write_id(b, ids->effective, width) != 0 ||
           write_id(c, ids->saved, width) != 0 ? -EFAULT : 0;
}

SYSTEM_CALL(getresuid32, user_t, real, user_t, effective, user_t, saved)
{
    return tell_three(real, effective, saved, &credentials_acting()->user, sizeof(uint32_t));
}

SYSTEM_CALL(getresgid32, user_t, real, user_t, effective, user_t, saved)
{
    return tell_three(real, effective, saved, &credentials_acting()->group, sizeof(uint32_t));
}

SYSTEM_CALL(getresuid16, user_t, real, user_t, effective, user_t, saved)
{
    return tell_three(real, effective, saved, &credentials_acting()->user, sizeof(uint16_t));
}

SYSTEM_CALL(getresgid16, user_t, real, user_t, effective, user_t, saved)
{
    return tell_three(real, effective, saved, &credentials_acting()->group, sizeof(uint16_t));
}

SYSTEM_CALL(getuid16) { return id_narrowed(credentials_acting()->user.real); }
SYSTEM_CALL(geteuid16) { return id_narrowed(credentials_acting()->user.effective); }
SYSTEM_CALL(getgid16) { return id_narrowed(credentials_acting()->group.real); }
SYSTEM_CALL(getegid16) { return id_narrowed(credentials_acting()->group.effective); }
SYSTEM_CALL(setuid16, uint32_t, user) { return call_setuid32(id_widened(user)); }
SYSTEM_CALL(setgid16, uint32_t, group) { return call_setgid32(id_widened(group)); }
SYSTEM_CALL(setfsuid16, uint32_t, user) { return call_setfsuid32(id_widened(user)); }
SYSTEM_CALL(setfsgid16, uint32_t, group) { return call_setfsgid32(id_widened(group)); }

SYSTEM_CALL(setreuid16, uint32_t, real, uint32_t, effective)
{
    return call_setreuid32(id_widened(real), id_widened(effective));
}

SYSTEM_CALL(setregid16, uint32_t, real, uint32_t, effective)
{
    return call_setregid32(id_widened(real), id_widened(effective));
}

SYSTEM_CALL(setresuid16, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
    return call_setresuid32(id_widened(real), id_widened(effective), id_widened(saved));
}

SYSTEM_CALL(setresgid16, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
    return call_setresgid32(id_widened(real), id_widened(effective), id_widened(saved));
}

/* ---- Supplementary groups ---------------------------------------------------------------------- */

static int read_group(user_t list, uint32_t at, uint32_t *gid, size_t width)
{
    uint16_t narrow = 0;
    int      err;

    deep_assert(gid != NULL);
    assert(width == sizeof(uint32_t) || width == sizeof(uint16_t));
    err = width == sizeof *gid ? user_read(gid, list + at * width, width) :
          user_read(&narrow, list + at * width, width);
    if (width != sizeof *gid)
        *gid = id_widened(narrow);
    return err != 0 ? err : *gid == UINT32_MAX ? -EINVAL : 0;
}

static long get_groups(int room, user_t list, size_t width)
{
    const struct groups *groups = credentials_acting()->groups;
    uint32_t             count  = groups != NULL ? groups->count : 0;
    int                  err    = 0;

    if (room < 0 || (room > 0 && count > (uint32_t)room))
        return -EINVAL;
    for (uint32_t i = 0; room > 0 && err == 0 && i < count; i++)
        err = write_id(list + i * width, groups->gid[i], width);
    return err != 0 ? err : (long)count;
}

static long set_groups(uintptr_t count, user_t list, size_t width)
{
    struct groups *groups;
    int            err = 0;

    if (!has_capability(CAP_SETGID))
        return -EPERM;
    if (count > GROUPS_MOST)
        return -EINVAL;
    groups = groups_new((uint32_t)count);
    if (groups == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; err == 0 && i < count; i++)
        err = read_group(list, i, &groups->gid[i], width);
    if (err == 0)
        err = credentials_set_groups(groups);
    if (err != 0)
        groups_release(groups);
    return err;
}

SYSTEM_CALL(getgroups32, int, room, user_t, list) { return get_groups(room, list, sizeof(uint32_t)); }
SYSTEM_CALL(setgroups32, uint32_t, count, user_t, list) { return set_groups(count, list, sizeof(uint32_t)); }
SYSTEM_CALL(getgroups16, int, room, user_t, list) { return get_groups(room, list, sizeof(uint16_t)); }
SYSTEM_CALL(setgroups16, uint32_t, count, user_t, list) { return set_groups(count, list, sizeof(uint16_t)); }

/* ---- Capabilities ------------------------------------------------------------------------------ */

enum { CAPABILITY_1 = 0x19980330, CAPABILITY_2 = 0x20071026, CAPABILITY_3 = 0x20080522 };

struct linux_capabilities { uint32_t effective, permitted, inheritable; };

/* The words of 32 capabilities that a version has. For an unknown version the known one is written to the program. */
static int words_of_version(user_t header, size_t *words)
{
    uint32_t version, known = CAPABILITY_3;

    deep_assert(words != NULL);
    if (user_read(&version, header, sizeof version) != 0)
        return -EFAULT;
    if (version == CAPABILITY_1 || version == CAPABILITY_2 || version == CAPABILITY_3) {
        *words = version == CAPABILITY_1 ? 1 : 2;
        return 0;
    }
    return user_write(header, &known, sizeof known) != 0 ? -EFAULT : -EINVAL;
}

static int read_target(user_t header, int32_t *id) { return user_read(id, header + sizeof(uint32_t), sizeof *id); }

/* The credentials of the thread, or of the process that has ended, with that number; 0: the caller. NULL: none. */
static const struct credentials *credentials_of(int32_t id)
{
    const struct thread  *thread  = id != 0 ? thread_find(id) : current_thread();
    const struct process *process = thread == NULL ? process_find(id) : NULL;

    return thread != NULL ? thread->credentials : process != NULL ? process->credentials : NULL;
}

SYSTEM_CALL(capget, user_t, header, user_t, data)
{
    struct linux_capabilities sets[2];
    const struct credentials *c;
    size_t                    words;
    int32_t                   id;
    int                       err = words_of_version(header, &words);

    if (data == 0 || err != 0)
        return data == 0 && err == -EINVAL ? 0 : err;
    if (read_target(header, &id) != 0)
        return -EFAULT;
    if (id < 0)
        return -EINVAL;
    c = credentials_of(id);
    if (c == NULL)
        return -ESRCH;
    for (unsigned i = 0; i < 2; i++)
        sets[i] = (struct linux_capabilities){ (uint32_t)(c->capabilities.effective >> 32 * i),
                                               (uint32_t)(c->capabilities.permitted >> 32 * i),
                                               (uint32_t)(c->capabilities.inheritable >> 32 * i) };
    return user_write(data, sets, words * sizeof sets[0]);
}

static uint64_t joined(uint32_t low, uint32_t high) { return ((uint64_t)high << 32 | low) & CAPABILITIES_ALL; }

SYSTEM_CALL(capset, user_t, header, user_t, data)
{
    struct linux_capabilities sets[2] = { { 0, 0, 0 } };
    size_t                    words;
    int32_t                   id;
    int                       err = words_of_version(header, &words);

    if (err != 0)
        return err;
    if (read_target(header, &id) != 0)
        return -EFAULT;
    if (id != 0 && id != current_thread()->id)
        return -EPERM;
    if (user_read(sets, data, words * sizeof sets[0]) != 0)
        return -EFAULT;
    return credentials_set_capabilities(joined(sets[0].effective, sets[1].effective),
                                        joined(sets[0].permitted, sets[1].permitted),
                                        joined(sets[0].inheritable, sets[1].inheritable));
}
