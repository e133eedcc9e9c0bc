/*
 * prctl.c - settings of a thread and a process: prctl and personality.
 *
 * Source   Linux man-pages, prctl(2), personality(2), capabilities(7).
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "linux/calls.h"
#include "memory/spaces/user.h"
#include "process/credentials.h"
#include "process/process.h"

enum {
    PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG = 2, PR_GET_DUMPABLE = 3, PR_SET_DUMPABLE = 4, PR_GET_KEEPCAPS = 7,
    PR_SET_KEEPCAPS = 8, PR_GET_TIMING = 13, PR_SET_TIMING = 14, PR_SET_NAME = 15, PR_GET_NAME = 16,
    PR_GET_SECCOMP = 21, PR_CAPBSET_READ = 23, PR_CAPBSET_DROP = 24, PR_GET_TSC = 25, PR_SET_TSC = 26,
    PR_GET_SECUREBITS = 27, PR_SET_SECUREBITS = 28, PR_SET_TIMERSLACK = 29, PR_GET_TIMERSLACK = 30,
    PR_SET_CHILD_SUBREAPER = 36, PR_GET_CHILD_SUBREAPER = 37, PR_SET_NO_NEW_PRIVS = 38, PR_GET_NO_NEW_PRIVS = 39,
    PR_GET_TID_ADDRESS = 40, PR_CAP_AMBIENT = 47,
};
enum { TSC_ENABLE = 1, SLACK_AT_FIRST = 50000 };

static long tell_number(user_t to, int32_t value) { return user_write(to, &value, sizeof value); }

static long set_name(user_t from)
{
    char name[16];
    long length = user_read_text(name, from, sizeof name);

    if (length == -EFAULT)
        return length;
    /* The name ends with the first NUL; further bytes are not copied. */
    if (length >= 0)
        memset(name + length, 0, sizeof name - (size_t)length);
    name[sizeof name - 1] = '\0';
    memcpy(current_thread()->name, name, sizeof name);
    if (current_thread()->id == current_process()->id)
        memcpy(current_process()->name, name, sizeof name);
    return 0;
}

static long set_dumpable(uintptr_t value)
{
    if (value > 1)
        return -EINVAL;
    current_process()->memory->dumpable = value;
    return 0;
}

static long set_death_signal(uintptr_t number)
{
    if (number > SIGNALS)
        return -EINVAL;
    current_process()->parent_death_signal = (int32_t)number;
    return 0;
}

static long set_timer_slack(uintptr_t nanoseconds)
{
    current_thread()->timer_slack = nanoseconds;
    return 0;
}

static long timer_slack(void)
{
    uint64_t own = current_thread()->timer_slack;

    return own == 0 ? SLACK_AT_FIRST : (long)own;
}

static long set_no_new_privileges(uintptr_t value, uintptr_t rest)
{
    if (value != 1 || rest != 0)
        return -EINVAL;
    current_thread()->no_new_privileges = true;
    return 0;
}

static long no_new_privileges(uintptr_t rest) { return rest != 0 ? -EINVAL : current_thread()->no_new_privileges; }

/* ---- Capabilities ---------------------------------------------------------------------------- */

static const struct capabilities *own_capabilities(void) { return &credentials_acting()->capabilities; }

/* Give the thread these credentials. */
static long set_capabilities(const struct capabilities *wanted)
{
    struct credentials *changed = credentials_copy();

    if (changed == NULL)
        return -ENOMEM;
    changed->capabilities = *wanted;
    credentials_take(changed);
    return 0;
}

static long keep_capabilities(uintptr_t value)
{
    struct capabilities c = *own_capabilities();

    if (value > 1)
        return -EINVAL;
    if (c.secure_bits & SECURE_KEEP_CAPS_LOCKED)
        return -EPERM;
    c.secure_bits = value ? c.secure_bits | SECURE_KEEP_CAPS : c.secure_bits & ~(uint32_t)SECURE_KEEP_CAPS;
    return set_capabilities(&c);
}

/* A locked bit cannot be changed, and its lock cannot be removed. */
static long set_secure_bits(uintptr_t bits)
{
    struct capabilities c      = *own_capabilities();
    uint32_t            locked = c.secure_bits & SECURE_LOCKS;

    if ((locked >> 1 & (c.secure_bits ^ bits)) != 0 || (locked & ~bits) != 0 ||
        (bits & ~(uintptr_t)SECURE_BITS) != 0 || !has_capability(CAP_SETPCAP))
        return -EPERM;
    c.secure_bits = (uint32_t)bits;
    return set_capabilities(&c);
}

static long bound_has(uintptr_t capability)
{
    return capability >= CAPABILITIES ? -EINVAL : (long)(own_capabilities()->bounding >> capability & 1);
}

static long drop_bound(uintptr_t capability)
{
    struct capabilities c = *own_capabilities();

    if (!has_capability(CAP_SETPCAP))
        return -EPERM;
    if (capability >= CAPABILITIES)
        return -EINVAL;
    c.bounding &= ~(1ull << capability);
    return set_capabilities(&c);
}

enum { AMBIENT_IS_SET = 1, AMBIENT_RAISE, AMBIENT_LOWER, AMBIENT_CLEAR };

static long change_ambient(uintptr_t what, uintptr_t capability, uintptr_t rest)
{
    struct capabilities c   = *own_capabilities();
    uint64_t            bit = capability < CAPABILITIES ? 1ull << capability : 0;

    if (rest != 0 || (what == AMBIENT_CLEAR ? capability != 0 : bit == 0) || what < AMBIENT_IS_SET ||
        what > AMBIENT_CLEAR)
        return -EINVAL;
    if (what == AMBIENT_IS_SET)
        return (c.ambient & bit) != 0;
    if (what == AMBIENT_RAISE && (!(c.permitted & bit) || !(c.inheritable & bit) ||
                                  (c.secure_bits & SECURE_NO_CAP_AMBIENT_RAISE)))
        return -EPERM;
    c.ambient = what == AMBIENT_RAISE ? c.ambient | bit : what == AMBIENT_LOWER ? c.ambient & ~bit : 0;
    return set_capabilities(&c);
}

/* ---- The calls --------------------------------------------------------------------------------- */

SYSTEM_CALL(prctl, int, option, uintptr_t, first, uintptr_t, second, uintptr_t, third, uintptr_t, fourth)
{
    struct process *p = current_process();

    switch (option) {
    case PR_SET_PDEATHSIG:       return set_death_signal(first);
    case PR_GET_PDEATHSIG:       return tell_number(first, p->parent_death_signal);
    case PR_GET_DUMPABLE:        return p->memory->dumpable;
    case PR_SET_DUMPABLE:        return set_dumpable(first);
    case PR_GET_KEEPCAPS:        return (own_capabilities()->secure_bits & SECURE_KEEP_CAPS) != 0;
    case PR_SET_KEEPCAPS:        return keep_capabilities(first);
    case PR_GET_TIMING:          return 0;
    case PR_SET_TIMING:          return first == 0 ? 0 : -EINVAL;
    case PR_SET_NAME:            return set_name(first);
    case PR_GET_NAME:            return user_write(first, current_thread()->name, sizeof current_thread()->name);
    case PR_GET_SECCOMP:         return 0;
    case PR_CAPBSET_READ:        return bound_has(first);
    case PR_CAPBSET_DROP:        return drop_bound(first);
    case PR_GET_TSC:             return tell_number(first, TSC_ENABLE);
    case PR_SET_TSC:             return first == TSC_ENABLE ? 0 : -EINVAL;
    case PR_GET_SECUREBITS:      return (long)own_capabilities()->secure_bits;
    case PR_SET_SECUREBITS:      return set_secure_bits(first);
    case PR_SET_TIMERSLACK:      return set_timer_slack(first);
    case PR_GET_TIMERSLACK:      return timer_slack();
    case PR_SET_CHILD_SUBREAPER: process_set_subreaper(first != 0); return 0;
    case PR_GET_CHILD_SUBREAPER: return tell_number(first, p->subreaper);
    case PR_SET_NO_NEW_PRIVS:    return set_no_new_privileges(first, second | third | fourth);
    case PR_GET_NO_NEW_PRIVS:    return no_new_privileges(first | second | third | fourth);
    case PR_GET_TID_ADDRESS:     return tell_number(first, (int32_t)current_thread()->clear_at_exit);
    case PR_CAP_AMBIENT:         return change_ambient(first, second, third | fourth);
    default:                     return -EINVAL;
    }
}

/* Stored, inherited and returned. Only STICKY_TIMEOUTS has an effect (poll.c): addresses are never random. */
SYSTEM_CALL(personality, uint32_t, wanted)
{
    uint32_t old = current_process()->personality;

    if (wanted != UINT32_MAX)
        current_process()->personality = wanted;
    return (long)old;
}
