/* processes.c - rounds of processes, threads, futexes, signals and timers. */
#include "mixed.h"

enum { FAMILY = 6, TEAM = 4, TURNS = 16, EXCHANGES = 20, WAITING = 3, QUEUED = 12 };
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_CMP_REQUEUE = 4, SIG_BLOCK = 0, SIG_UNBLOCK = 1, FAILED_EXEC = 99 };

/* Seconds after which an expected event counts as missing. */
enum { LATEST = 60 };

static union stack stacks[TEAM] __attribute__((aligned(STACK_BYTES)));

long start_on(union stack *stack, long flags, void (*run)(void *), void *argument)
{
    char       *top   = stack->bytes + STACK_BYTES - 16;
    struct call clone = { CALL_CLONE, { flags, (long)top, 0, 0, (long)&stack->begin.alive, 0 } };

    stack->begin.run      = run;
    stack->begin.argument = argument;
    stack->begin.alive    = 1;
    return kernel_call_twice(&clone, top);
}

/* A child of start_on() finds its function at the bottom of its stack. */
void child_main(void)
{
    union stack *stack = (union stack *)((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(STACK_BYTES - 1));

    stack->begin.run(stack->begin.argument);
    for (;;)
        KERNEL(CALL_EXIT, 0);
}

/* ---- Processes ------------------------------------------------------------------------------------------ */

/* This program again, which exits with a given status. */
static void execute_self(void *status)
{
    char *words[] = { "mixed", "leave", status, NULL }, *none[] = { NULL };

    KERNEL(CALL_EXECVE, (long)"/proc/self/exe", (long)words, (long)none);
    leave(FAILED_EXEC);
}

/* Child n leaves with n in a way of its own. */
static void be_child(unsigned n)
{
    char status[2] = { (char)('0' + n), '\0' };
    long grandchild;

    if (n % 3 == 0)
        execute_self(status);
    if (n % 3 == 1) {
        grandchild = DONE(split());
        if (grandchild == 0)
            leave((int)n + 40);
        child_ended(grandchild, ((int)n + 40) << 8);
    }
    leave((int)n);
}

static void wait_for_family(const long children[])
{
    for (unsigned n = 0, seen = 0; n < FAMILY; n++) {
        int  status;
        long who = DONE(KERNEL(CALL_WAIT4, -1, (long)&status, 0, 0));
        unsigned child = 0;

        while (child < FAMILY && children[child] != who)
            child++;
        GOOD(child < FAMILY && (seen & 1u << child) == 0);
        seen |= 1u << child;
        SAME(status, child << 8);
    }
    SAME(KERNEL(CALL_WAIT4, -1, 0, WNOHANG, 0), -ECHILD);
}

static void wait_to_be_killed(void)
{
    for (;;)
        sleep_ms(60000);
}

/* A child whose parent ends first; the child ends under another parent. */
static void leave_orphan(void)
{
    long child = DONE(split());

    if (child == 0) {
        if (split() == 0)
            KERNEL(CALL_SCHED_YIELD, 0);
        leave(0);
    }
    child_ended(child, 0);
}

void round_processes(void)
{
    long children[FAMILY], killed;

    for (unsigned n = 0; n < FAMILY; n++)
        if ((children[n] = DONE(split())) == 0)
            be_child(n);
    wait_for_family(children);
    killed = DONE(split());
    if (killed == 0)
        wait_to_be_killed();
    SAME(KERNEL(CALL_KILL, killed, SIGTERM), 0);
    child_ended(killed, SIGTERM);
    SAME(KERNEL(CALL_KILL, killed, 0), -ESRCH);
    child_ended(DONE(start_on(&stacks[0], VFORK_FLAGS, execute_self, "8")), 8 << 8);
    leave_orphan();
}

/* ---- Threads --------------------------------------------------------------------------------------------- */

long futex_wait(volatile int32_t *word, int32_t value, uint32_t limit_ms)
{
    int32_t limit[2] = { (int32_t)(limit_ms / 1000), (int32_t)(limit_ms % 1000 * 1000000) };

    return KERNEL(CALL_FUTEX, (long)word, FUTEX_WAIT, value, limit_ms != 0 ? (long)limit : 0, 0, 0);
}

long futex_wake(volatile int32_t *word, int count)
{
    return KERNEL(CALL_FUTEX, (long)word, FUTEX_WAKE, count, 0, 0, 0);
}

/* Source: Drepper, "Futexes are tricky", the second lock: 0 free, 1 taken, 2 taken and waited for. */
static volatile int32_t lock;
static uint32_t counted;

static void lock_take(void)
{
    int32_t state = __sync_val_compare_and_swap(&lock, 0, 1);

    if (state == 0)
        return;
    if (state != 2)
        state = __sync_lock_test_and_set(&lock, 2);
    while (state != 0) {
        futex_wait(&lock, 2, 0);
        state = __sync_lock_test_and_set(&lock, 2);
    }
}

static void lock_give(void)
{
    if (__sync_fetch_and_sub(&lock, 1) != 1) {
        lock = 0;
        futex_wake(&lock, 1);
    }
}

/* Each member counts under the lock, and maps and unmaps pages of its own beside the others. */
static void be_member(void *argument)
{
    uint32_t seed = (uint32_t)argument;

    for (unsigned turn = 0; turn < TURNS; turn++) {
        uint32_t *page, before;

        lock_take();
        before = counted;
        if (turn % 8 == 0)
            KERNEL(CALL_SCHED_YIELD, 0);
        counted = before + 1;
        lock_give();
        page = (uint32_t *)map_pages(2, MAP_PRIVATE);
        SAME(page[PAGE / 4], 0);
        bytes_fill(page, 256, seed + turn, 0);
        SAME(bytes_hold(page, 256, seed + turn, 0), 256);
        SAME(KERNEL(CALL_MUNMAP, (long)page, 2 * PAGE), 0);
    }
}

static void join(union stack *stack)
{
    int32_t alive;

    while ((alive = stack->begin.alive) != 0)
        futex_wait(&stack->begin.alive, alive, 0);
}

void round_threads(void)
{
    counted = 0;
    for (unsigned n = 0; n < TEAM; n++)
        DONE(start_on(&stacks[n], THREAD_FLAGS, be_member, (void *)(chance_word(&me->chance) >> 1)));
    for (unsigned n = 0; n < TEAM; n++)
        join(&stacks[n]);
    SAME(counted, TEAM * TURNS);
    SAME(lock, 0);
}

/* ---- Futexes between processes ---------------------------------------------------------------------------- */

struct together { volatile int32_t turn, first, second; };

static void take_turns(struct together *together, int32_t mine)
{
    for (unsigned n = 0; n < EXCHANGES; n++) {
        while (together->turn % 2 != mine)
            futex_wait(&together->turn, 1 - mine + (together->turn & ~1), 1000);
        together->turn++;
        futex_wake(&together->turn, 1);
    }
}

/* All waiters of one word are moved to another, and woken there. */
static void move_waiters(struct together *together)
{
    long children[WAITING], moved = 0;

    for (unsigned n = 0; n < WAITING; n++)
        if ((children[n] = DONE(split())) == 0)
            leave((int)-futex_wait(&together->first, 0, 0));
    while (moved < WAITING) {
        moved += DONE(KERNEL(CALL_FUTEX, (long)&together->first, FUTEX_CMP_REQUEUE, 0, 100, (long)&together->second,
                             0));
        KERNEL(CALL_SCHED_YIELD, 0);
    }
    SAME(futex_wake(&together->first, 100), 0);
    SAME(futex_wake(&together->second, 100), WAITING);
    for (unsigned n = 0; n < WAITING; n++)
        child_ended(children[n], 0);
}

void round_futexes(void)
{
    struct together *together = (struct together *)map_pages(1, MAP_SHARED);
    long child = DONE(split());

    if (child == 0) {
        take_turns(together, 1);
        leave(0);
    }
    take_turns(together, 0);
    child_ended(child, 0);
    SAME(together->turn, 2 * EXCHANGES);
    SAME(futex_wait(&together->first, 1, 5), -EAGAIN);
    SAME(futex_wait(&together->first, 0, 2), -ETIMEDOUT);
    move_waiters(together);
    SAME(KERNEL(CALL_MUNMAP, (long)together, PAGE), 0);
}

/* ---- Signals ------------------------------------------------------------------------------------------------ */

static volatile uint32_t handled;
static void count_signal(int number) { handled += (uint32_t)number; }
static void leave_by_signal(int number) { leave(number + 20); }

static void handle(int number, void (*handler)(int))
{
    uint32_t action[5] = { (uint32_t)handler, 0, 0, 0, 0 };

    SAME(KERNEL(CALL_RT_SIGACTION, number, (long)action, 0, 8), 0);
}

static void mask(int how, int number)
{
    uint64_t set = 1ull << (number - 1);

    SAME(KERNEL(CALL_RT_SIGPROCMASK, how, (long)&set, 0, 8), 0);
}

/* Waits for a blocked signal; returns its number, and its value. */
static long wait_signal(int number, int32_t info[32], int32_t seconds)
{
    uint64_t set = 1ull << (number - 1);
    int32_t  limit[2] = { seconds, 0 };

    return KERNEL(CALL_RT_SIGTIMEDWAIT, (long)&set, (long)info, (long)limit, 8);
}

/* Queued signals come in the order in which they were sent, each with its word. */
static void signals_in_order(uint32_t seed)
{
    int32_t info[32];
    long    parent = KERNEL(CALL_GETPID, 0), child;

    mask(SIG_BLOCK, FIRST_QUEUED);
    child = DONE(split());
    if (child == 0) {
        for (int32_t n = 0; n < QUEUED; n++) {
            int32_t sent[32] = { FIRST_QUEUED, 0, -1, (int32_t)KERNEL(CALL_GETPID, 0), 0, (int32_t)seed + n };

            SAME(KERNEL(CALL_RT_SIGQUEUEINFO, parent, FIRST_QUEUED, (long)sent), 0);
        }
        leave(0);
    }
    for (int32_t n = 0; n < QUEUED; n++) {
        SAME(wait_signal(FIRST_QUEUED, info, LATEST), FIRST_QUEUED);
        SAME(info[3], child);
        SAME(info[5], (int32_t)seed + n);
    }
    child_ended(child, 0);
    mask(SIG_UNBLOCK, FIRST_QUEUED);
}

void round_signals(void)
{
    long self = KERNEL(CALL_GETPID, 0), child;

    handled = 0;
    handle(SIGUSR1, count_signal);
    for (uint32_t n = 1; n <= QUEUED; n++) {
        SAME(KERNEL(CALL_KILL, self, SIGUSR1), 0);
        SAME(handled, n * SIGUSR1);
    }
    mask(SIG_BLOCK, SIGUSR1);
    SAME(KERNEL(CALL_KILL, self, SIGUSR1), 0);
    SAME(KERNEL(CALL_KILL, self, SIGUSR1), 0);                  /* the same signal twice: it comes once */
    SAME(handled, QUEUED * SIGUSR1);
    mask(SIG_UNBLOCK, SIGUSR1);
    SAME(handled, (QUEUED + 1) * SIGUSR1);
    handle(SIGTERM, leave_by_signal);
    child = DONE(split());
    if (child == 0)
        wait_to_be_killed();
    SAME(KERNEL(CALL_KILL, child, SIGTERM), 0);
    child_ended(child, (SIGTERM + 20) << 8);
    signals_in_order(chance_word(&me->chance) >> 8);
}

/* ---- Timers ------------------------------------------------------------------------------------------------- */

/* Nanoseconds of the clock, which never steps back. */
static uint64_t last_seen;
static uint64_t clock_ns(void)
{
    uint32_t time[2];
    uint64_t now;

    SAME(KERNEL(CALL_CLOCK_GETTIME, CLOCK_MONOTONIC, (long)time), 0);
    now = time[0] * 1000000000ull + time[1];
    GOOD(now >= last_seen);
    last_seen = now;
    return now;
}

static uint32_t since_us(uint64_t begin)
{
    uint64_t passed = clock_ns() - begin;

    divide(&passed, 1000);
    return (uint32_t)passed;
}

static void sleep_is_long_enough(uint32_t us)
{
    int32_t  asked[2] = { 0, (int32_t)us * 1000 };
    uint64_t begin = clock_ns();

    SAME(KERNEL(CALL_NANOSLEEP, (long)asked, 0), 0);
    GOOD(since_us(begin) >= us);
}

/* A timer that goes off again and again, each time no earlier than its period; missed expirations are counted. */
static void timer_repeats(void)
{
    int32_t  event[16] = { 4321, FIRST_QUEUED + 2, 0 }, period[4] = { 0, 3000000, 0, 3000000 }, info[32], timer;
    uint64_t begin;

    mask(SIG_BLOCK, FIRST_QUEUED + 2);
    SAME(KERNEL(CALL_TIMER_CREATE, CLOCK_MONOTONIC, (long)event, (long)&timer), 0);
    begin = clock_ns();
    SAME(KERNEL(CALL_TIMER_SETTIME, timer, 0, (long)period, 0), 0);
    for (uint32_t n = 1; n <= 3; n++) {
        SAME(wait_signal(FIRST_QUEUED + 2, info, LATEST), FIRST_QUEUED + 2);
        GOOD(since_us(begin) >= 3000 * n);
        SAME(info[5], 4321);
    }
    SAME(KERNEL(CALL_TIMER_DELETE, timer), 0);
    while (wait_signal(FIRST_QUEUED + 2, info, 0) > 0)          /* a signal that the timer sent before it was deleted */
        ;
}

static void timer_sends_signal(void)
{
    int32_t  event[16] = { 1234, FIRST_QUEUED + 1, 0 }, once[4] = { 0, 0, 0, 2000000 }, info[32], timer;
    uint64_t begin;

    mask(SIG_BLOCK, FIRST_QUEUED + 1);
    SAME(KERNEL(CALL_TIMER_CREATE, CLOCK_MONOTONIC, (long)event, (long)&timer), 0);
    begin = clock_ns();
    SAME(KERNEL(CALL_TIMER_SETTIME, timer, 0, (long)once, 0), 0);
    SAME(wait_signal(FIRST_QUEUED + 1, info, LATEST), FIRST_QUEUED + 1);
    GOOD(since_us(begin) >= 2000);
    SAME(info[5], 1234);
    SAME(KERNEL(CALL_TIMER_DELETE, timer), 0);
}

void round_timers(void)
{
    uint32_t once[4] = { 0, 0, 0, 4000 };
    uint64_t none = 0;

    sleep_is_long_enough(1 + chance_below(&me->chance, 5000));
    timer_repeats();
    timer_sends_signal();
    handled = 0;
    handle(SIGALRM, count_signal);
    mask(SIG_BLOCK, SIGALRM);                                   /* so that it cannot come before the wait for it */
    SAME(KERNEL(CALL_SETITIMER, 0, (long)once, 0), 0);
    SAME(KERNEL(CALL_RT_SIGSUSPEND, (long)&none, 8), -EINTR);
    SAME(handled, SIGALRM);
    mask(SIG_UNBLOCK, SIGALRM);
}
