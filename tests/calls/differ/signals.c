/* signals.c - operations on signals and on the settings of timers. Handled signals follow each operation. */
#include "differ.h"

/* Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl. */
enum {
    CALL_ALARM = 27, CALL_GETITIMER = 105, CALL_RT_SIGPENDING = 176, CALL_RT_SIGTIMEDWAIT = 177, CALL_SIGALTSTACK = 186,
    CALL_TIMER_SETTIME = 260, CALL_TIMER_GETTIME = 261, CALL_TIMER_GETOVERRUN = 262, CALL_TIMER_DELETE = 263,
};
enum { SA_ONSTACK = 0x08000000, SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000,
       SA_RESETHAND = (int)0x80000000, SA_NOCLDWAIT = 2, LONG = 100000 };

static struct { int number, code, value; } handled[16];
static volatile unsigned handled_count;

/* si_signo, si_errno, si_code, then si_pid, si_uid, si_value for those that were queued. */
static void handler(int number, int *info, uint32_t *context)
{
    unsigned slot = handled_count;

    if (probe_failed(number, info[2], context + CONTEXT_REGISTERS))
        return;
    if (number == SIGSEGV || number == SIGBUS)
        leave(99);
    if (slot < COUNT_OF(handled)) {
        handled[slot].number = number;
        handled[slot].code   = info[2];
        handled[slot].value  = info[2] == -1 ? info[5] : 0;
    }
    handled_count = slot + 1;
}

void handle(int number, uint32_t flags, uint64_t mask)
{
    struct action action = { handler, flags | SA_SIGINFO | SA_RESTORER, restorer, mask };

    KERNEL(CALL_RT_SIGACTION, number, (long)&action, 0, SIGNAL_MASK);
}

static const int ours[] = { SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGCONT, SIGURG,
    SIGVTALRM, SIGWINCH, SIGRT,
                            SIGRT + 1 };

void handle_all(void)
{
    uint32_t none[2] = { 0, 0 };

    KERNEL(CALL_RT_SIGPROCMASK, SIG_SETMASK, (long)none, 0, SIGNAL_MASK);
    for (unsigned i = 0; i < COUNT_OF(ours); i++)
        handle(ours[i], SA_RESTART, 0);
    handle(SIGSEGV, 0, 0);
    handle(SIGBUS, 0, 0);
}

void tell_handled(void)
{
    for (unsigned i = 0; i < handled_count && i < COUNT_OF(handled); i++)
        tell(" <%d %d %d>", handled[i].number, handled[i].code, handled[i].value);
    handled_count = 0;
}

static int      any_signal(void) { return one_in(20) ? (int)PICK(0, -1, 65, 99) : CHANCE_OF(&chance, ours); }
static uint64_t any_mask(void)
{
    uint64_t mask = 0;

    for (unsigned left = below(4); left > 0; left--)
        mask |= 1ull << (CHANCE_OF(&chance, ours) - 1);
    return mask;
}

/* ---- Sending and holding back ----------------------------------------------------------------------- */

static void op_action(void)
{
    int           number = one_in(10) ? (int)PICK(9, 19, 0, 65) : any_signal();
    uint32_t      flags = (uint32_t)PICK(0, SA_RESTART, SA_NODEFER, SA_RESETHAND, SA_NOCLDWAIT, SA_ONSTACK, 1);
    uint64_t      mask = any_mask();
    struct action action = { handler, flags | SA_SIGINFO | SA_RESTORER, restorer, mask }, old;
    long          special = one_in(5) ? PICK(0, 1) : -1;

    if (special >= 0)
        memcpy(&action.handler, &special, sizeof action.handler);
    memset(&old, 0, sizeof old);
    tell("sigaction %d %d %x %llx", number, (int)special, flags, (unsigned long long)mask);
    answer(KERNEL(CALL_RT_SIGACTION, number, (long)&action, (long)&old, one_in(20) ? 4 : SIGNAL_MASK));
    tell(" old %x %x %x", old.flags, (unsigned)old.mask, (unsigned)(old.mask >> 32));
    tell(old.handler == handler ? " ours" : old.handler == 0 ? " default" : " other");
}

static void op_mask(void)
{
    long     how = PICK(SIG_BLOCK, SIG_BLOCK, SIG_UNBLOCK, SIG_UNBLOCK, SIG_SETMASK, 7);
    uint64_t mask = any_mask() | (one_in(8) ? 1ull << 8 | 1ull << 18 : 0), old = 0;

    tell("sigprocmask %d %llx", (int)how, (unsigned long long)mask);
    answer(KERNEL(CALL_RT_SIGPROCMASK, how, (long)&mask, (long)&old, SIGNAL_MASK));
    tell(" old %llx", (unsigned long long)old);
}

static void op_pending(void)
{
    uint64_t pending = 0;

    tell("sigpending");
    answer(KERNEL(CALL_RT_SIGPENDING, (long)&pending, one_in(20) ? 4 : SIGNAL_MASK));
    tell(" %llx", (unsigned long long)pending);
}

static void op_kill(void)
{
    int  number = any_signal();
    long self = KERNEL(CALL_GETPID, 0), call = PICK(CALL_KILL, CALL_TKILL, CALL_TGKILL);

    tell("kill %d by %d", number, (int)call);
    answer(KERNEL(call, self, call == CALL_TGKILL ? self : number, number));
}

static void op_queue(void)
{
    int  number = any_signal(), value = (int)below(1000), code = (int)PICK(-1, -1, -1, -2, -60, 0, 1, -6);
    int  info[32] = { number, 0, code, 1, 2, value };
    long self = KERNEL(CALL_GETPID, 0);
    bool thread = one_in(2);

    tell("sigqueue %d %d %d to %s", number, code, value, thread ? "thread" : "process");
    answer(thread ? KERNEL(CALL_RT_TGSIGQUEUEINFO, self, self, number, (long)info) : KERNEL(CALL_RT_SIGQUEUEINFO,
        self, number, (long)info));
}

static void op_wait(void)
{
    uint64_t mask = any_mask() | any_mask();
    int      info[32] = { 0 };
    int32_t  time[2] = { 0, (int32_t)PICK(0, 0, 0, -1, 1000000000) };

    tell("sigtimedwait %llx %d", (unsigned long long)mask, time[1]);
    answer(KERNEL(CALL_RT_SIGTIMEDWAIT, (long)&mask, (long)info, (long)time, SIGNAL_MASK));
    tell(" code %d", info[2]);
    if (info[2] == -1)
        tell(" value %d", info[5]);
}

static void op_stack(void)
{
    static char stack[16384];
    struct { char *at; int flags; uint32_t size; } new = { stack, (int)PICK(0, 0, 2, 1, 4, 0x80000000),
        (uint32_t)PICK(16384, 2048, 2047, 100) }, old;
    bool set = one_in(2);

    memset(&old, 0, sizeof old);
    tell("sigaltstack %d %x %u", set, (unsigned)new.flags, new.size);
    answer(KERNEL(CALL_SIGALTSTACK, set ? (long)&new : 0, (long)&old));
    tell(" old %x %u %d", (unsigned)old.flags, old.size, old.at == stack);
}

/* ---- Timers: what was set, never how long it is still ------------------------------------------------- */

static void tell_timer(const int32_t *value, int32_t second)
{
    tell(" every %d.%d %s", value[0], value[1] / second, value[2] != 0 || value[3] != 0 ? "runs" : "stands");
}

static void op_itimer(void)
{
    long    which = PICK(0, 0, 1, 2, 3, -1);
    int32_t value[4] = { (int32_t)PICK(0, LONG, 5), (int32_t)PICK(0, 500000, 999999, 1000000, -1), (int32_t)PICK(0,
        LONG, LONG), 0 }, old[4] = { 0 };
    bool    set = one_in(2);

    tell("%s %d %d.%d %d", set ? "setitimer" : "getitimer", (int)which, value[0], value[1], value[2]);
    answer(set ? KERNEL(CALL_SETITIMER, which, (long)value, (long)old) : KERNEL(CALL_GETITIMER, which, (long)old));
    tell_timer(old, 100000);
}

static void op_alarm(void)
{
    unsigned seconds = (unsigned)PICK(0, LONG, LONG * 2, -1), left;

    tell("alarm %u", seconds);
    left = (unsigned)KERNEL(CALL_ALARM, (long)seconds);
    tell(" = %u", (left + 1000) / 10000);
}

/* Numbers of timers are a kernel's own choice: here they are the first, the second and so on. */
static int      timers[3] = { 7777, 7777, 7777 };
static unsigned timers_made;

static void op_timer_create(void)
{
    uint32_t event[16] = { below(100), (uint32_t)any_signal(), (uint32_t)PICK(0, 1, 1, 4, 3),
        (uint32_t)KERNEL(CALL_GETPID, 0) };
    long     clock = PICK(0, 1, 1, 7, 99);
    int      number = -1;
    bool     none = one_in(5);

    tell("timer_create %d %d %d %d", (int)clock, none ? -1 : (int)event[2], event[1], event[0]);
    if (answer(KERNEL(CALL_TIMER_CREATE, clock, none ? 0 : (long)event, (long)&number)) == 0)
        timers[timers_made++ % COUNT_OF(timers)] = number;
}

static void op_timer(void)
{
    int32_t value[4] = { (int32_t)PICK(0, LONG), (int32_t)PICK(0, 0, 500000000, 1000000000, -1), (int32_t)PICK(0,
        LONG), 0 }, old[4] = { 0 };
    long    call = PICK(CALL_TIMER_SETTIME, CALL_TIMER_SETTIME, CALL_TIMER_GETTIME, CALL_TIMER_GETOVERRUN,
    CALL_TIMER_DELETE);
    unsigned which = below(COUNT_OF(timers));
    long     number = one_in(10) ? PICK(-1, 8888) : timers[which];

    tell("timer %d of %d %d.%d %d", (int)which, (int)call, value[0], value[1], value[2]);
    answer(call == CALL_TIMER_SETTIME ? KERNEL(call, number, 0, (long)value, (long)old) : KERNEL(call, number,
        (long)old));
    tell_timer(old, 100000000);
    if (call == CALL_TIMER_DELETE && number == timers[which])
        timers[which] = 7777;                   /* which numbers are given again is a kernel's own choice */
}

static operation *const operations[] = {
    op_action, op_action, op_mask, op_mask, op_mask, op_mask, op_pending, op_pending, op_kill, op_kill, op_kill,
        op_queue, op_queue, op_queue, op_wait,
    op_wait, op_stack, op_itimer, op_itimer, op_alarm, op_timer_create, op_timer, op_timer,
};
const struct family signals = { operations, COUNT_OF(operations) };
