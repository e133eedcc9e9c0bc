/*
 * credentials.c - users, groups and capabilities: who a process is and what it may do.
 */
#include "base/check.h"
#include "base/error.h"
#include "linux/calls.h"
#include "memory/spaces/user.h"
#include "process/credentials.h"
#include "process/process.h"

/* ---- Users and groups ------------------------------------------------------------------------ */

SYSTEM_CALL(getuid32) { return current_process()->uid; }
SYSTEM_CALL(geteuid32) { return current_process()->euid; }
SYSTEM_CALL(getgid32) { return current_process()->gid; }
SYSTEM_CALL(getegid32) { return current_process()->egid; }

static long set_user(uintptr_t real, uintptr_t effective, uintptr_t saved)
{
    return credentials_set_user(current_process(),
                                (struct user_numbers){ (uint32_t)real, (uint32_t)effective, (uint32_t)saved });
}

static long set_group_id(uintptr_t real, uintptr_t effective, uintptr_t saved)
{
    return credentials_set_group(current_process(),
                                 (struct user_numbers){ (uint32_t)real, (uint32_t)effective, (uint32_t)saved });
}

SYSTEM_CALL(setresuid32, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
    return set_user(real, effective, saved);
}

SYSTEM_CALL(setresgid32, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
    return set_group_id(real, effective, saved);
}

/* setuid: root sets all three numbers; others the effective one alone, and only to their real or saved number. */
SYSTEM_CALL(setuid32, uint32_t, user)
{
    if (user == UINT32_MAX)
        return -EINVAL;
    if (has_capability(current_process(), CAP_SETUID))
        return set_user(user, user, user);
    if (user != current_process()->uid && user != current_process()->suid)
        return -EPERM;
    return set_user(UINT32_MAX, user, UINT32_MAX);
}

SYSTEM_CALL(setgid32, uint32_t, group)
{
    if (group == UINT32_MAX)
        return -EINVAL;
    if (has_capability(current_process(), CAP_SETGID))
        return set_group_id(group, group, group);
    if (group != current_process()->gid && group != current_process()->sgid)
        return -EPERM;
    return set_group_id(UINT32_MAX, group, UINT32_MAX);
}

/*
 * The saved number follows the effective one when the real one is set, or the effective one to another number than the
 * real one.
 */
static uintptr_t saved_after(uint32_t real, uint32_t effective, uint32_t has_real, uint32_t has_effective)
{
    bool follows = real != UINT32_MAX || (effective != UINT32_MAX && effective != has_real);

    return !follows ? UINT32_MAX : effective != UINT32_MAX ? effective : has_effective;
}

static bool is_either(uint32_t id, uint32_t one, uint32_t other) { return id == UINT32_MAX || id == one ||
                                                                   id == other; }

SYSTEM_CALL(setreuid32, uint32_t, real, uint32_t, effective)
{
    const struct process *p = current_process();

    if (!has_capability(p, CAP_SETUID) && !is_either(real, p->uid, p->euid))
        return -EPERM;
    return set_user(real, effective, saved_after(real, effective, p->uid, p->euid));
}

SYSTEM_CALL(setregid32, uint32_t, real, uint32_t, effective)
{
    const struct process *p = current_process();

    if (!has_capability(p, CAP_SETGID) && !is_either(real, p->gid, p->egid))
        return -EPERM;
    return set_group_id(real, effective, saved_after(real, effective, p->gid, p->egid));
}

SYSTEM_CALL(setfsuid32, uint32_t, user) { return current_process()->euid; }
SYSTEM_CALL(setfsgid32, uint32_t, group) { return current_process()->egid; }

static long write_three(user_t a, user_t b, user_t c, const uint32_t ids[3])
{
    return user_write(a, &ids[0], 4) != 0 || user_write(b, &ids[1], 4) != 0 ||
           user_write(c, &ids[2], 4) != 0 ? -EFAULT : 0;
}

SYSTEM_CALL(getresuid32, user_t, real, user_t, effective, user_t, saved)
{
    const struct process *p = current_process();

    return write_three(real, effective, saved, (uint32_t[]){ p->uid, p->euid, p->suid });
}

SYSTEM_CALL(getresgid32, user_t, real, user_t, effective, user_t, saved)
{
    const struct process *p = current_process();

    return write_three(real, effective, saved, (uint32_t[]){ p->gid, p->egid, p->sgid });
}

/* Groups come and go in 32 bits, or by the older calls in 16, where larger numbers are told as this one. */
enum { GROUP_TOO_LARGE = 65534, GROUP_NONE_16 = 65535 };

static int write_group(user_t list, uint32_t at, uint32_t gid, size_t width)
{
    uint16_t narrow = gid > UINT16_MAX ? GROUP_TOO_LARGE : (uint16_t)gid;

    assert(width == sizeof(uint32_t) || width == sizeof(uint16_t));
    return width == sizeof gid ? user_write(list + at * width, &gid, width) :
           user_write(list + at * width, &narrow, width);
}

static int read_group(user_t list, uint32_t at, uint32_t *gid, size_t width)
{
    uint16_t narrow = 0;
    int      err;

    deep_assert(gid != NULL);
    assert(width == sizeof(uint32_t) || width == sizeof(uint16_t));
    err = width == sizeof *gid ? user_read(gid, list + at * width, width) :
          user_read(&narrow, list + at * width, width);
    if (width != sizeof *gid)
        *gid = narrow == GROUP_NONE_16 ? UINT32_MAX : narrow;
    return err != 0 ? err : *gid == UINT32_MAX ? -EINVAL : 0;
}

static long get_groups(int room, user_t list, size_t width)
{
    const struct groups *groups = current_process()->groups;
    uint32_t             count  = groups != NULL ? groups->count : 0;
    int                  err    = 0;

    if (room < 0 || (room > 0 && count > (uint32_t)room))
        return -EINVAL;
    for (uint32_t i = 0; room > 0 && err == 0 && i < count; i++)
        err = write_group(list, i, groups->gid[i], width);
    return err != 0 ? err : (long)count;
}

static long set_groups(uintptr_t count, user_t list, size_t width)
{
    struct groups *groups;
    int            err = 0;

    if (!has_capability(current_process(), CAP_SETGID))
        return -EPERM;
    if (count > GROUPS_MOST)
        return -EINVAL;
    groups = groups_new((uint32_t)count);
    if (groups == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; err == 0 && i < count; i++)
        err = read_group(list, i, &groups->gid[i], width);
    if (err == 0)
        credentials_set_groups(current_process(), groups);
    else
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

/* How many words of 32 capabilities a version has; of an unknown one the program is told which is known. */
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

SYSTEM_CALL(capget, user_t, header, user_t, data)
{
    struct linux_capabilities sets[2];
    const struct thread      *thread;
    const struct process     *p = current_process();
    size_t                    words;
    int32_t                   id;
    int                       err = words_of_version(header, &words);

    if (data == 0 || err != 0)
        return data == 0 && err == -EINVAL ? 0 : err;
    if (read_target(header, &id) != 0)
        return -EFAULT;
    if (id < 0)
        return -EINVAL;
    if (id != 0) {
        thread = thread_find(id);
        p      = thread != NULL ? thread->process : process_find(id);
    }
    if (p == NULL)
        return -ESRCH;
    for (unsigned i = 0; i < 2; i++)
        sets[i] = (struct linux_capabilities){ (uint32_t)(p->capabilities.effective >> 32 * i),
                                               (uint32_t)(p->capabilities.permitted >> 32 * i),
                                               (uint32_t)(p->capabilities.inheritable >> 32 * i) };
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
    return credentials_set_capabilities(current_process(), joined(sets[0].effective, sets[1].effective),
                                        joined(sets[0].permitted, sets[1].permitted),
                                        joined(sets[0].inheritable, sets[1].inheritable));
}
