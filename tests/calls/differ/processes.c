/* processes.c - operations on processes: their ends, credentials, limits, groups, settings. */
#include "differ.h"

/* Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl. */
enum {
    CALL_GETPGRP = 65, CALL_GETPRIORITY = 96, CALL_SETPRIORITY = 97, CALL_GETPGID = 132, CALL_PERSONALITY = 136,
    CALL_GETSID = 147,
    CALL_SCHED_GETPARAM = 155, CALL_SCHED_SETSCHEDULER = 156, CALL_SCHED_GETSCHEDULER = 157, CALL_PRIORITY_MAX = 159,
    CALL_PRIORITY_MIN = 160, CALL_GETUID32 = 199, CALL_SETREUID32 = 203, CALL_SETREGID32 = 204, CALL_GETGROUPS32 = 205,
    CALL_SETGROUPS32 = 206, CALL_SETRESUID32 = 208, CALL_GETRESUID32 = 209, CALL_SETRESGID32 = 210,
    CALL_GETRESGID32 = 211,
    CALL_SETUID32 = 213, CALL_SETGID32 = 214, CALL_SETFSUID32 = 215, CALL_SETFSGID32 = 216,
    CALL_CAPGET = 184, CALL_CAPSET = 185, CALL_FUTEX = 240, CALL_WAITID = 284,
    CALL_GET_ROBUST_LIST = 312,
    CALL_GETRANDOM = 355, CALL_MEMBARRIER = 375,
};

unsigned depth;

/* Some operations of any kind; each is printed at once, as it may be the last. */
static void be_child(uint64_t seed)
{
    depth++;
    for (unsigned i = 0; i < 3; i++) {
        tell(" {");
        operate((seed & 0xFFull << 56) | mix(seed, i) >> 8);
        tell("}");
        flush();
    }
}

static void op_fork(void)
{
    long     how = PICK(0, 1, 2, 3), status = PICK(0, 1, 77, 255, 256, -1), child;
    uint64_t seed = chance.state;
    int      got = -1;

    tell("fork %d %d", (int)how, (int)status);
    flush();
    child = depth < 2 ? split() : -1;
    if (child == 0) {
        be_child(seed);
        if (how == 1)
            KERNEL(CALL_KILL, KERNEL(CALL_GETPID, 0), SIGKILL);
        if (how == 2)
            __asm__ volatile("ud2");
        leave((int)status);
    }
    while (KERNEL(CALL_WAIT4, child, (long)&got, how == 3 ? 0 : WAIT_ALL, 0) == -EINTR)
        ;
    tell(" = %x", (unsigned)got);
}

static void op_wait(void)
{
    long who = PICK(-1, 0, 1000000, -1000000, -2147483647 - 1), flags = PICK(0, 2, 0x40000000, 0x80000000, 99);
    int  status = -1;

    tell("wait4 %d %x", (int)who, (unsigned)flags);
    answer(KERNEL(CALL_WAIT4, who, (long)&status, flags | WNOHANG, 0));
    tell(" %d", status);
}

static void op_waitid(void)
{
    long kind = PICK(0, 1, 2, 3, 7), flags = PICK(4, 5, 4 | 0x01000000, 0, 12, 99) | WNOHANG, child;
    int  info[32] = { 0 }, status = (int)below(256);

    tell("waitid %d %x", (int)kind, (unsigned)flags);
    if (kind == 1 && flags == 5 && (child = split()) >= 0) {
        if (child == 0)
            leave(status);
        answer(KERNEL(CALL_WAITID, 1, child, (long)info, 4, 0));
        tell(" %d code %d status %d", info[0], info[2], info[5]);
    } else {
        answer(KERNEL(CALL_WAITID, kind, 1000000, (long)info, flags, 0));
        tell(" %d", info[0]);
    }
}

static void op_kill_other(void)
{
    long who = PICK(1000000, -1000000), number = PICK(0, 10, 65);

    tell("kill %d %d", (int)who, (int)number);
    answer(KERNEL(CALL_KILL, who, number));
}

static void op_group(void)
{
    long call = PICK(CALL_GETPGID, CALL_GETSID, CALL_GETPGRP, CALL_SETPGID, CALL_SETSID), who = PICK(0, 0, 1000000,
        -1), group = PICK(0, 1000000, -1);
    long result;

    tell("group %d %d %d =", (int)call, (int)who, (int)group);
    result = KERNEL(call, who, group);
    tell_process(result);
}

static void op_limit(void)
{
    long     which = PICK(1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 13, 16, -1);
    uint64_t new[2] = { (uint64_t)PICK(0, 1, 300, 100000000, -1), (uint64_t)PICK(300, 1, 100000000, -1) },
        old[2] = { 0, 0 };

    /* Descriptors and the space's size stay: the program itself needs them. */
    if (which == 7 || which == 9 || which == 2)
        new[0] = 250, new[1] = which == 7 ? 256 : ~0ull;
    tell("prlimit %d %d %d", (int)which, (int)new[0], (int)new[1]);
    answer(KERNEL(CALL_PRLIMIT64, 0, which, which == 9 || which == 2 || which == 3 ? 0 : (long)new, 0));
    if (which == 4 || which == 13)
        KERNEL(CALL_PRLIMIT64, 0, which, 0, (long)old), tell(" now %d %d", (int)old[0], (int)old[1]);
}

static void tell_users(long call)
{
    uint32_t users[3] = { 9, 9, 9 };

    KERNEL(call, (long)&users[0], (long)&users[1], (long)&users[2]);
    tell(" %d %d %d", (int)users[0], (int)users[1], (int)users[2]);
}

static void op_users(void)
{
    long call = PICK(CALL_SETUID32, CALL_SETREUID32, CALL_SETRESUID32), a = PICK(0, -1, 0, 5, 6), b = PICK(0, -1, 5),
        c = PICK(0, -1, 0, 6);

    tell("user %d %d %d %d", (int)call, (int)a, (int)b, (int)c);
    answer(KERNEL(call, a, b, c));
    tell_users(CALL_GETRESUID32);
}

static void op_groups(void)
{
    long call = PICK(CALL_SETGID32, CALL_SETREGID32, CALL_SETRESGID32), a = PICK(0, -1, 5, 6), b = PICK(0, -1, 5),
        c = PICK(0, -1, 0, 6);

    tell("group %d %d %d %d", (int)call, (int)a, (int)b, (int)c);
    answer(KERNEL(call, a, b, c));
    tell_users(CALL_GETRESGID32);
}

static void op_more_groups(void)
{
    uint32_t list[4] = { 7, 3, 5, 1 };
    long     count = PICK(0, 1, 3, -1, 70000), asked = PICK(0, 4, 1), got;

    tell("setgroups %d", (int)count);
    answer(KERNEL(CALL_SETGROUPS32, count, (long)list));
    got = KERNEL(CALL_GETGROUPS32, asked, (long)list);
    tell(" groups %d of %d", (int)got, (int)asked);
}

/* Capabilities that are given up, taken back, or were never held: the sets are printed. */
static void op_capabilities(void)
{
    uint32_t header[2] = { (uint32_t)PICK(0x20080522, 0x20080522, 0x20080522, 0x19980330, 7), 0 }, sets[6] = { 0 };
    long     gone = PICK(1, 3, 5, 6, 7, 8, 24, 25, 32), which = PICK(0, 0, 1, 2), add = one_in(3);

    tell("capset %x %d %d %d", (unsigned)header[0], (int)gone, (int)which, (int)add);
    KERNEL(CALL_CAPGET, (long)header, (long)sets);
    if (add)
        sets[3 * (gone / 32) + which] |= 1u << gone % 32;
    else
        sets[3 * (gone / 32) + which] &= ~(1u << gone % 32);
    answer(KERNEL(CALL_CAPSET, (long)header, (long)sets));
    header[0] = 0x20080522;
    answer(KERNEL(CALL_CAPGET, (long)header, (long)sets));
    tell_digest(sets, sizeof sets);
}

/* The identity for files: setfsuid and setfsgid, which return the old one. */
static void op_files_of(void)
{
    long call = PICK(CALL_SETFSUID32, CALL_SETFSGID32, 138, 139), who = PICK(0, 5, 5, 6, 70000, -1);

    tell("files of %d %d", (int)call, (int)who);
    answer(KERNEL(call, who));
    answer(KERNEL(call, -1));
}

/* The calls of 16 bits, and the numbers that they tell. */
static void op_narrow_users(void)
{
    uint16_t told[3] = { 9, 9, 9 };
    long     call = PICK(23, 46, 70, 71, 164, 170, 24, 47, 49, 50), a = PICK(0, 0xFFFF, 5, -1, 0x10005),
        b = PICK(0xFFFF, 0, 5), c = PICK(0xFFFF, 0xFFFF, 6);

    tell("narrow user %d %d %d %d", (int)call, (int)a, (int)b, (int)c);
    answer(KERNEL(call, a, b, c));
    for (long get = 165; get <= 171; get += 6) {
        KERNEL(get, (long)&told[0], (long)&told[1], (long)&told[2]);
        tell(" %d %d %d", told[0], told[1], told[2]);
    }
}

static void op_clone3(void)
{
    uint64_t words[12] = { 0 };
    long     size = PICK(88, 88, 64, 80, 63, 0, 96, 5000), odd = PICK(-1, -1, 0, 4, 5, 6, 8, 9, 10, 11), child;
    int      got = -1;

    words[4] = (uint64_t)PICK(17, 17, 0, 65);
    if (odd >= 0)
        words[odd] = (uint64_t)PICK(1, 0x8000, 0x10000, 0x400000, 65536, 0x100000000 - 4096);
    tell("clone3 %d %d %x", (int)size, (int)odd, odd >= 0 ? (unsigned)words[odd] : 0);
    flush();
    if (odd == 0 && (words[0] & 0x8000))
        words[4] = 17;                          /* a brother would not be waited for */
    child = depth < 2 ? KERNEL(CALL_CLONE3, (long)words, size) : -1;
    if (child == 0)
        leave(3);
    if (answer_ok(child) >= 0)
        KERNEL(CALL_WAIT4, child, (long)&got, 0x40000000, 0), tell(" %x", (unsigned)got);
}

static void op_priority(void)
{
    long which = PICK(0, 0, 1, 2, 3), who = PICK(0, 0, 1000000), value = PICK(0, 5, 19, 30, 3);

    tell("priority %d %d %d", (int)which, (int)who, (int)value);
    answer(KERNEL(CALL_SETPRIORITY, which, which == 0 ? who : 1000000, value));
    answer(KERNEL(CALL_GETPRIORITY, which, which == 0 ? who : 1000000));
}

static void op_settings(void)
{
    long what = PICK(1, 2, 3, 4, 7, 8, 21, 29, 30, 36, 37, 38, 39, 15, 16, 999), value = PICK(0, 1, 10, 65, -1);
    int  out = -1;

    /* Options that answer through a pointer: PR_GET_PDEATHSIG, PR_GET_CHILD_SUBREAPER. */
    memset(buffer, 0, 32);
    tell("prctl %d %d", (int)what, (int)value);
    if (what == 15 || what == 16)
        answer(KERNEL(CALL_PRCTL, what, (long)(what == 15 ? any_bytes(20) : buffer), 0, 0, 0)), tell_digest(buffer, 16);
    else if (what == 2 || what == 37)
        answer(KERNEL(CALL_PRCTL, what, (long)&out, 0, 0, 0)), tell(" %d", out);
    else
        answer(KERNEL(CALL_PRCTL, what, value, 0, 0, 0));
}

static void op_scheduler(void)
{
    long call = PICK(CALL_SCHED_GETSCHEDULER, CALL_PRIORITY_MAX, CALL_PRIORITY_MIN, CALL_SCHED_GETPARAM),
        first = PICK(0, 1, 2, 3, 5, -1);
    int  out = -1;

    tell("scheduler %d %d", (int)call, (int)first);
    if (call == CALL_SCHED_GETSCHEDULER || call == CALL_SCHED_GETPARAM)
        first = first < 0 ? -1 : 0;
    answer(KERNEL(call, first, (long)&out));
    tell(" %d", out);
}

static void op_futex(void)
{
    static uint32_t word = 5;
    long what = PICK(0, 1, 9, 10, 3, 4, 5, 99) | PICK(0, 128), at = one_in(8) ? PICK(0, 1, 0xC0000000) : (long)&word,
        value = PICK(0, 1, 4, -1);

    tell("futex %d %d %d", (int)what, at == (long)&word, (int)value);
    answer(KERNEL(CALL_FUTEX, at, what, value, 0, (long)&word, one_in(2) ? 5 : 4));
}

static void op_random(void)
{
    long size = PICK(0, 1, 100, 256), flags = PICK(0, 2, 4, 6);          /* not GRND_NONBLOCK:
        Linux may have just started */

    tell("getrandom %d %d", (int)size, (int)flags);
    answer(KERNEL(CALL_GETRANDOM, (long)buffer, size, flags));
}

static operation *const operations[] = {
    op_fork, op_fork, op_fork, op_fork, op_wait, op_waitid, op_waitid, op_kill_other, op_group, op_group, op_limit,
        op_limit, op_users, op_groups, op_capabilities, op_capabilities, op_files_of, op_narrow_users, op_clone3,
    op_more_groups, op_priority, op_settings, op_settings, op_scheduler, op_futex, op_random,
};
const struct family processes = { operations, COUNT_OF(operations) };
