/*
 * signal.c - the calls about signals: kill, sigaction, masks, waiting for signals, alternate stacks.
 */
#include "base/check.h"
#include "base/error.h"
#include "linux/calls.h"
#include "linux/structures.h"
#include "process/family.h"
#include "process/process.h"
#include "linux/abi.h"

enum { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2, MASK_BYTES = 8 };

static bool is_signal_number(uintptr_t number) { return number >= 1 && number <= SIGNALS; }

/* ---- Sending ------------------------------------------------------------------------------------ */

static struct signal_info info_from_me(int number, int code)
{
    return (struct signal_info){ .number = number, .code = code, .sender = current_process()->id,
                                 .uid = credentials_acting()->user.real };
}

/* kill(2): the same user, or CAP_KILL; SIGCONT within the session. Then the number must be valid. */
static int may_send(const struct process *to, int number)
{
    const struct process      *self = current_process();
    const struct user_numbers *mine, *his;

    deep_assert(to != NULL);
    mine = &credentials_acting()->user;
    his  = &to->credentials->user;
    if (self != to && mine->effective != his->saved && mine->effective != his->real && mine->real != his->saved &&
        mine->real != his->real && !has_capability(CAP_KILL) && !(number == SIGCONT && self->session == to->session))
        return -EPERM;
    return number < 0 || number > SIGNALS ? -EINVAL : 0;
}

static int send_process(struct process *p, const struct signal_info *info)
{
    int err;

    deep_assert(p != NULL && info != NULL);
    err = may_send(p, info->number);
    return err != 0 || info->number == 0 ? err : signal_process(p, info);
}

/* A thread's number also means its process. */
static int send_to(int32_t id, const struct signal_info *info)
{
    struct process *p = process_find(id);
    struct thread  *t = p == NULL ? thread_find(id) : NULL;

    deep_assert(info != NULL);
    if (t != NULL)
        p = t->process;
    return p != NULL ? send_process(p, info) : -ESRCH;
}

struct many {
    const struct signal_info *info;
    int                       sent, found, err;         /* err: of a process that could not be sent to */
};

static void send_to_one(struct process *p, void *data)
{
    struct many *many = data;
    int          err;

    deep_assert(p != NULL && data != NULL);
    err = send_process(p, many->info);
    many->found++;
    many->sent += err == 0;
    if (err != 0)
        many->err = err;
}

static void send_to_other(struct process *p, void *data)
{
    deep_assert(p != NULL && data != NULL);
    if (p->id != 1 && p != current_process())
        send_to_one(p, data);
}

static int outcome_of_many(const struct many *many) { return many->sent > 0 ? 0 : many->found > 0 ? many->err :
                                                      -ESRCH; }

SYSTEM_CALL(kill, int32_t, id, int, number)
{
    struct signal_info info = info_from_me(number, SI_USER);
    struct many        many = { .info = &info };

    if (id > 0)
        return send_to(id, &info);
    if (id == INT32_MIN)
        return -ESRCH;
    if (id == -1)
        process_each(send_to_other, &many);
    else
        process_each_in_group(id == 0 ? current_process()->group : -id, send_to_one, &many);
    return outcome_of_many(&many);
}

/*
 * Send to a thread of process `group`, or (0) of any process. A process that has ended keeps its number, and signals to
 * it are ignored.
 */
static long send_thread(int32_t group, int32_t id, const struct signal_info *info)
{
    struct thread  *thread = thread_find(id);
    struct process *p      = thread != NULL ? thread->process : process_find(id);
    int             err;

    deep_assert(info != NULL);
    if (p == NULL || (group != 0 && p->id != group))
        return -ESRCH;
    err = may_send(p, info->number);
    return err != 0 || info->number == 0 || thread == NULL ? err : signal_thread(thread, info);
}

static long send_to_thread(int32_t group, int32_t id, uintptr_t number, int code)
{
    struct signal_info info = info_from_me(number, code);

    if (id <= 0)
        return -EINVAL;
    return send_thread(group, id, &info);
}

SYSTEM_CALL(tgkill, int32_t, group, int32_t, id, int, number)
{
    return group <= 0 ? -EINVAL : send_to_thread(group, id, number, SI_TKILL);
}

SYSTEM_CALL(tkill, int32_t, id, int, number) { return send_to_thread(0, id, number, SI_TKILL); }

/* siginfo_t as sigqueue() fills it: number, errno, code, sender, user, value. */
static int read_info(user_t from, int number, int32_t to, struct signal_info *out)
{
    int32_t words[6];
    int     err = user_read(words, from, sizeof words);

    deep_assert(out != NULL);
    if (err != 0)
        return err;
    if ((words[2] >= 0 || words[2] == SI_TKILL) && to != current_thread()->id)      /* only the kernel may use them */
        return -EPERM;
    *out = (struct signal_info){ .number = number, .error = words[1], .code = words[2], .sender = words[3],
                                 .uid = (uint32_t)words[4], .value = (uint32_t)words[5], .status = words[5],
                                 .address = (uint32_t)words[3], .timer = words[3] };
    return 0;
}

SYSTEM_CALL(rt_sigqueueinfo, int32_t, id, int, number, user_t, info_at)
{
    struct signal_info info;
    int                err;

    err = read_info(info_at, number, id, &info);
    return err != 0 ? err : send_to(id, &info);
}

SYSTEM_CALL(rt_tgsigqueueinfo, int32_t, group, int32_t, id, int, number, user_t, info_at)
{
    struct signal_info info;
    int                err = read_info(info_at, number, id, &info);

    if (err != 0)
        return err;
    return group <= 0 || id <= 0 ? -EINVAL : send_thread(group, id, &info);
}

/* ---- Actions -------------------------------------------------------------------------------------- */

/* Flags that an action may have: others are cleared, so that a program can see that they are unknown. */
static const uint32_t known_flags = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER |
                                    SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND;

/* An action that ignores a signal also removes it from those that are pending, in all threads. */
static int set_action(uintptr_t number, const struct signal_action *new, struct signal_action *old)
{
    struct signal_action *place;

    if (!is_signal_number(number) || (new != NULL && (number == SIGKILL || number == SIGSTOP)))
        return -EINVAL;
    place = &current_process()->actions->action[number];
    *old  = *place;
    if (new != NULL) {
        *place = *new;
        place->flags &= known_flags;
        place->mask  &= ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1));
        if (new->handler == SIG_IGN || (new->handler == SIG_DFL && (number == SIGCHLD || number == SIGCONT ||
                                                                    number == SIGURG || number == SIGWINCH)))
            signal_forget(current_process(), 1ull << (number - 1));
    }
    return 0;
}

struct linux_action { uint32_t handler, flags, restorer, mask[2]; };
struct linux_old_action { uint32_t handler, mask, flags, restorer; };

SYSTEM_CALL(rt_sigaction, int, number, user_t, from, user_t, to, size_t, mask_bytes)
{
    struct linux_action  raw;
    struct signal_action new, old;
    int                  err = 0;

    if (mask_bytes != MASK_BYTES)
        return -EINVAL;
    if (from != 0) {
        err = user_read(&raw, from, sizeof raw);
        new = (struct signal_action){ .handler = raw.handler, .restorer = raw.restorer, .flags = raw.flags,
                                      .mask = (uint64_t)raw.mask[1] << 32 | raw.mask[0] };
    }
    if (err == 0)
        err = set_action(number, from != 0 ? &new : NULL, &old);
    if (err == 0 && to != 0) {
        raw = (struct linux_action){ (uint32_t)old.handler, old.flags, (uint32_t)old.restorer,
                                     { (uint32_t)old.mask, (uint32_t)(old.mask >> 32) } };
        err = user_write(to, &raw, sizeof raw);
    }
    return err;
}

SYSTEM_CALL(sigaction, int, number, user_t, from, user_t, to)
{
    struct linux_old_action raw;
    struct signal_action    new, old;
    int                     err = 0;

    if (from != 0) {
        err = user_read(&raw, from, sizeof raw);
        new = (struct signal_action){ .handler = raw.handler, .restorer = raw.restorer, .flags = raw.flags,
                                      .mask = raw.mask };
    }
    if (err == 0)
        err = set_action(number, from != 0 ? &new : NULL, &old);
    if (err == 0 && to != 0) {
        raw = (struct linux_old_action){ (uint32_t)old.handler, (uint32_t)old.mask, old.flags, (uint32_t)old.restorer };
        err = user_write(to, &raw, sizeof raw);
    }
    return err;
}

SYSTEM_CALL(signal, int, number, user_t, handler)
{
    struct signal_action new = { .handler = handler, .flags = SA_RESETHAND | SA_NODEFER }, old;
    int                  err = set_action(number, &new, &old);

    return err != 0 ? err : (long)old.handler;
}

/* ---- Masks ------------------------------------------------------------------------------------------ */

static int set_new_mask(int how, uint64_t set)
{
    uint64_t mask = current_thread()->mask;

    switch (how) {
    case SIG_BLOCK:   mask |= set;  break;
    case SIG_UNBLOCK: mask &= ~set; break;
    case SIG_SETMASK: mask = set;   break;
    default:          return -EINVAL;
    }
    signal_set_mask(mask);
    return 0;
}

static long change_mask(int how, user_t from, user_t to, size_t bytes)
{
    uint64_t old = current_thread()->mask, set = old & ~(bytes == 8 ? ~0ull : 0xFFFFFFFFull);
    int      err = 0;

    assert(bytes == sizeof(uint32_t) || bytes == MASK_BYTES);
    if (from != 0) {
        err = user_read(&set, from, bytes);
        if (err == 0)
            err = set_new_mask(how, set);
    }
    return err == 0 && to != 0 ? user_write(to, &old, bytes) : err;
}

SYSTEM_CALL(rt_sigprocmask, int, how, user_t, from, user_t, to, size_t, bytes)
{
    return bytes != MASK_BYTES ? -EINVAL : change_mask(how, from, to, MASK_BYTES);
}

SYSTEM_CALL(sigprocmask, int, how, user_t, from, user_t, to) { return change_mask(how, from, to, 4); }
SYSTEM_CALL(sgetmask) { return (long)(uint32_t)current_thread()->mask; }

SYSTEM_CALL(ssetmask, uint32_t, mask)
{
    uint32_t old = (uint32_t)current_thread()->mask;

    signal_set_mask(mask);
    return (long)old;
}

static uint64_t waiting_and_blocked(void) { return signals_waiting(current_thread()) & current_thread()->mask; }

SYSTEM_CALL(rt_sigpending, user_t, to, size_t, bytes)
{
    uint64_t set = waiting_and_blocked();

    return bytes > MASK_BYTES ? -EINVAL : user_write(to, &set, bytes);
}

SYSTEM_CALL(sigpending, user_t, to)
{
    uint32_t set = (uint32_t)waiting_and_blocked();

    return user_write(to, &set, sizeof set);
}

/* ---- Waiting ------------------------------------------------------------------------------------------- */

static long suspend_until_signal(uint64_t mask)
{
    struct thread     *self  = current_thread();
    struct wait_queue *never = &self->never;

    self->saved_mask   = self->mask;
    signal_set_mask(mask);
    self->restore_mask = true;
    while (!signal_pending(self))
        wait_on(never, NULL, NULL, NEVER, WAIT_SIGNALS);
    return -ERESTARTNOHAND;
}

SYSTEM_CALL(rt_sigsuspend, user_t, from, size_t, bytes)
{
    uint64_t mask;

    if (bytes != MASK_BYTES)
        return -EINVAL;
    return user_read(&mask, from, sizeof mask) != 0 ? -EFAULT : suspend_until_signal(mask);
}

SYSTEM_CALL(sigsuspend, int, unused_first, int, unused_second, uint32_t, mask) { return suspend_until_signal(mask); }

SYSTEM_CALL(pause)
{
    struct wait_queue *never = &current_thread()->never;

    while (!signal_pending(current_thread()))
        wait_on(never, NULL, NULL, NEVER, WAIT_SIGNALS);
    return -ERESTARTNOHAND;
}

static long wait_for_signal(user_t set_at, user_t info_at, uint64_t deadline)
{
    struct thread     *self  = current_thread();
    struct wait_queue *never = &self->never;
    struct signal_info info;
    uint32_t           encoded[SIGNAL_INFO_BYTES / 4];
    uint64_t           set;
    long               err = 0;

    if (user_read(&set, set_at, sizeof set) != 0)
        return -EFAULT;
    self->waiting_for = set &= ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1));
    while (!signal_take(set, &info) && err == 0) {
        err = wait_on(never, NULL, NULL, deadline, WAIT_SIGNALS);
        if (err == -EINTR && (signals_waiting(self) & set))
            err = 0;
    }
    self->waiting_for = 0;
    if (err != 0)
        return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
    signal_info_encode(encoded, &info);
    if (info_at != 0 && user_write(info_at, encoded, sizeof encoded) != 0)
        return -EFAULT;
    return info.number;
}

static long wait_until(user_t set, user_t info_at, user_t time_at, size_t bytes, int (*read)(user_t, uint64_t *))
{
    uint64_t time = 0;
    int      err  = time_at != 0 ? read(time_at, &time) : 0;

    if (bytes != MASK_BYTES)
        return -EINVAL;
    return err != 0 ? err : wait_for_signal(set, info_at, time_at != 0 ? deadline_after(time) : NEVER);
}

SYSTEM_CALL(rt_sigtimedwait, user_t, set, user_t, info_at, user_t, time_at, size_t, bytes)
{
    return wait_until(set, info_at, time_at, bytes, time_read32);
}

SYSTEM_CALL(rt_sigtimedwait_time64, user_t, set, user_t, info_at, user_t, time_at, size_t, bytes)
{
    return wait_until(set, info_at, time_at, bytes, time_read64);
}

/* ---- Handlers: their stack, and the way back ------------------------------------------------------------- */

enum { STACK_LEAST = 2048 };

int alternate_set(struct thread *thread, vaddr_t stack, const struct alternate_stack *wanted)
{
    uint32_t mode = wanted->flags & ~SS_AUTODISARM;

    if (alternate_is_used(thread, stack))
        return -EPERM;
    if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
        return -EINVAL;
    if (mode != SS_DISABLE && wanted->bytes < STACK_LEAST)
        return -ENOMEM;
    thread->alternate_stack = mode == SS_DISABLE ? 0 : wanted->at;
    thread->alternate_size  = mode == SS_DISABLE ? 0 : wanted->bytes;
    thread->alternate_flags = wanted->flags;
    return 0;
}

SYSTEM_CALL(sigaltstack, user_t, from, user_t, to)
{
    struct thread         *self = current_thread();
    vaddr_t                sp   = registers_stack(thread_frame(self));
    uint32_t               mode = self->alternate_size == 0 ? SS_DISABLE : alternate_is_used(self, sp) ? SS_ONSTACK : 0;
    struct alternate_stack old  = { (uint32_t)self->alternate_stack, mode | (self->alternate_flags & SS_AUTODISARM),
                                    (uint32_t)self->alternate_size };
    struct alternate_stack new;
    int                    err  = 0;

    if (from != 0)
        err = user_read(&new, from, sizeof new) != 0 ? -EFAULT : alternate_set(self, sp, &new);
    return err != 0 || to == 0 ? err : user_write(to, &old, sizeof old);
}

SYSTEM_CALL(sigreturn) { return signal_frame_pop(thread_frame(current_thread())); }
SYSTEM_CALL(rt_sigreturn) { return signal_frame_pop_rt(thread_frame(current_thread())); }
