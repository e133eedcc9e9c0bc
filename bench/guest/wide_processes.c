/*
 * wide_processes.c - signals, timers, clocks, futexes, threads, and what is asked of a process.
 */
#include "wide.h"

enum {
    SIGNAL_SEGV = 11, SIGNAL_USER = 10, ACTION_INFO = 4, ACTION_RESTORER = 0x04000000, SIGRETURN = 173,
    WAIT_NOHANG = 1, FUTEX_WAIT = 0, FUTEX_WAKE = 1, CLOCK_MONOTONIC = 1,
    EIP_OF_CONTEXT = 19,            /* words from the start of a ucontext to its instruction pointer */
};

struct action { void *handler; word flags; void *restorer; word mask[2]; };

void return_from_signal(void);
__asm__("return_from_signal: mov $173, %eax; int $0x80");

static void set_handler(int number, void *handler)
{
    struct action action = { handler, handler ? ACTION_INFO | ACTION_RESTORER : 0, return_from_signal, { 0, 0 } };

    good(call(SYS_SIGACTION, (word)number, (word)&action, 0, 8), "rt_sigaction");
}

/* ---- Signals ----------------------------------------------------------------------------- */

count signal_mask(word times)
{
    word set[2] = { 1u << (SIGNAL_USER - 1), 0 }, old[2];
    count start = now();

    for (word i = 0; i < times; i++)
        call(SYS_SIGPROCMASK, i & 1, (word)set, (word)old, 8);
    call(SYS_SIGPROCMASK, 1, (word)set, 0, 8);
    return now() - start;
}

static void count_signal(int number, void *info, word *context)
{
    (void)number, (void)info, (void)context;
}

count signal_action(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        set_handler(SIGNAL_USER, count_signal);
    return now() - start;
}

count signal_self(word times)
{
    int self = call(SYS_GETPID, 0, 0, 0, 0);
    count start, cost;

    set_handler(SIGNAL_USER, count_signal);
    start = now();
    for (word i = 0; i < times; i++)
        call(SYS_KILL, (word)self, SIGNAL_USER, 0, 0);
    cost = now() - start;
    set_handler(SIGNAL_USER, 0);
    return cost;
}

/* On behind the instruction of two bytes that wrote to nowhere. */
static void pass_over(int number, void *info, word *context)
{
    (void)number, (void)info;
    context[EIP_OF_CONTEXT] += 2;
}

count segv_handled(word times)
{
    count start, cost;

    set_handler(SIGNAL_SEGV, pass_over);
    start = now();
    for (word i = 0; i < times; i++)
        __asm__ volatile(".byte 0x89, 0x01" :: "a"(i), "c"(16) : "memory");     /* mov %eax, (%ecx) */
    cost = now() - start;
    set_handler(SIGNAL_SEGV, 0);
    return cost;
}

count kill_nothing(word times)
{
    int self = call(SYS_GETPID, 0, 0, 0, 0);
    count start = now();

    for (word i = 0; i < times; i++)
        call(SYS_KILL, (word)self, 0, 0, 0);
    return now() - start;
}

/* ---- Timers and clocks ------------------------------------------------------------------- */

/* A timer of a process, which tells nobody. */
static int make_timer(void)
{
    word event[16] = { 0, 0, 1 };
    int timer = -1;

    good(call(SYS_TIMER_CREATE, CLOCK_MONOTONIC, (word)event, (word)&timer, 0), "timer_create");
    return timer;
}

count timer_cycle(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        good(call(SYS_TIMER_DELETE, (word)make_timer(), 0, 0, 0), "timer_delete");
    return now() - start;
}

/* Set to a time that is far away, and taken back. */
count timer_set(word times)
{
    word far[4] = { 0, 0, 1000, 0 }, never[4] = { 0, 0, 0, 0 };
    int timer = make_timer();
    count start = now(), cost;

    for (word i = 0; i < times; i++) {
        good(call(SYS_TIMER_SETTIME, (word)timer, 0, (word)far, 0), "timer_settime");
        good(call(SYS_TIMER_SETTIME, (word)timer, 0, (word)never, 0), "timer_settime");
    }
    cost = now() - start;
    call(SYS_TIMER_DELETE, (word)timer, 0, 0, 0);
    return cost;
}

count interval_set(word times)
{
    word far[4] = { 0, 0, 1000, 0 }, never[4] = { 0, 0, 0, 0 };
    count start = now();

    for (word i = 0; i < times; i++) {
        call(SYS_SETITIMER, 0, (word)far, 0, 0);
        call(SYS_SETITIMER, 0, (word)never, 0, 0);
    }
    return now() - start;
}

count clock_read(word times)
{
    word at[2];
    count start = now();

    for (word i = 0; i < times; i++)
        call(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC, (word)at, 0, 0);
    return now() - start;
}

/* The vDSO's clock_gettime64, which C libraries call; found by its name alone, in ELF's structures for 32 bits. */
static int (*find_clock(void))(int, word *)
{
    enum { AT_SYSINFO_EHDR = 33, PROGRAM_HEADERS_AT = 7, PROGRAM_HEADER = 8, PT_DYNAMIC = 2, DT_HASH = 4, DT_STRTAB = 5,
           DT_SYMTAB = 6, SYMBOL = 4 };
    static const char wanted[] = "__vdso_clock_gettime64";
    const word *at = (const word *)environment, *dynamic = 0, *table[DT_SYMTAB + 1] = { 0 };
    const char *image = 0;

    while (*at++ != 0)
        ;
    for (; at[0] != 0; at += 2)
        if (at[0] == AT_SYSINFO_EHDR)
            image = (const char *)at[1];
    must(image != 0, "AT_SYSINFO_EHDR");
    for (at = (const word *)(image + ((const word *)image)[PROGRAM_HEADERS_AT]); at[0] != PT_DYNAMIC; )
        at += PROGRAM_HEADER;
    for (dynamic = (const word *)(image + at[2]); dynamic[0] != 0; dynamic += 2)
        if (dynamic[0] <= DT_SYMTAB)
            table[dynamic[0]] = (const word *)(image + dynamic[1]);
    for (word i = 1; i < table[DT_HASH][1]; i++) {      /* as many symbols as chains */
        const char *name = (const char *)table[DT_STRTAB] + table[DT_SYMTAB][SYMBOL * i];
        word length = 0;

        while (length < sizeof wanted && name[length] == wanted[length])
            length++;
        if (length == sizeof wanted)
            return (int (*)(int, word *))(image + table[DT_SYMTAB][SYMBOL * i + 1]);
    }
    must(0, wanted);
    return 0;
}

count clock_read_itself(word times)
{
    int (*clock)(int, word *) = find_clock();
    word at[4];
    count start = now();

    for (word i = 0; i < times; i++)
        clock(CLOCK_MONOTONIC, at);
    return now() - start;
}

/* A microsecond's sleep: nanoseconds, not instructions. */
count sleep_short(word times)
{
    word long_enough[2] = { 0, 1000 };
    count start = now();

    for (word i = 0; i < times; i++)
        call(SYS_NANOSLEEP, (word)long_enough, 0, 0, 0);
    return now() - start;
}

count yield_alone(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        call(SYS_SCHED_YIELD, 0, 0, 0, 0);
    return now() - start;
}

/* ---- Futexes and threads ------------------------------------------------------------------- */

static volatile word turn, trips;
static char stack[4 * PAGE] __attribute__((aligned(16)));

static void futex_wait(volatile word *at, word value)
{
    call(SYS_FUTEX, (word)at, FUTEX_WAIT, value, 0);
}

static void futex_wake(volatile word *at)
{
    call(SYS_FUTEX, (word)at, FUTEX_WAKE, 1, 0);
}

count futex_wake_none(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        futex_wake(&turn);
    return now() - start;
}

/* The turn is `mine`; then it is the other's. */
static void take_turns(word mine)
{
    for (word i = 0; i < trips; i++) {
        while (turn != mine)
            futex_wait(&turn, !mine);
        turn = !mine;
        futex_wake(&turn);
    }
}

static void other_turns(void)
{
    take_turns(1);
}

count futex_round_trip(word times)
{
    count start;

    turn  = 0;
    trips = times;
    thread_begin(stack + sizeof stack, other_turns);
    start = now();
    take_turns(0);
    while (turn != 0)
        futex_wait(&turn, 1);
    start = now() - start;
    thread_end_wait();
    return start;
}

static void no_body(void)
{
}

count thread_cycle(word times)
{
    count start = now();

    for (word i = 0; i < times; i++) {
        thread_begin(stack + sizeof stack, no_body);
        thread_end_wait();
    }
    return now() - start;
}

/* ---- Processes --------------------------------------------------------------------------- */

/* vfork's child ends at once. It shares our stack, so it is written here, without a return in between. */
static int fork_and_end(void)
{
    int pid;

    __asm__ volatile("int $0x80; test %%eax, %%eax; jnz 1f; mov $1, %%eax; xor %%ebx, %%ebx; int $0x80; 1:"
                     : "=a"(pid) : "0"(SYS_VFORK) : "ebx", "memory");
    return pid;
}

count vfork_cycle(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        wait_for(good(fork_and_end(), "vfork"));
    return now() - start;
}

static void wait_to_be_killed(char *fd)
{
    char byte;

    call(SYS_READ, (word)fd, (word)&byte, 1, 0);
}

/* A child is there, and has not ended. */
count wait_none(word times)
{
    int ends[2], child, status;
    count start, cost;

    good(call(SYS_PIPE, (word)ends, 0, 0, 0), "pipe");
    child = fork_and(wait_to_be_killed, (char *)ends[0]);
    start = now();
    for (word i = 0; i < times; i++)
        call(SYS_WAIT4, (word)child, (word)&status, WAIT_NOHANG, 0);
    cost = now() - start;
    call(SYS_WRITE, (word)ends[1], (word)&status, 1, 0);
    wait_for(child);
    close_file(ends[0]);
    close_file(ends[1]);
    return cost;
}

count usage_read(word times)
{
    word usage[32];
    count start = now();

    for (word i = 0; i < times; i++)
        call(SYS_GETRUSAGE, 0, (word)usage, 0, 0);
    return now() - start;
}

count name_read(word times)
{
    static char name[6 * 65];
    count start = now();

    for (word i = 0; i < times; i++)
        call(SYS_UNAME, (word)name, 0, 0, 0);
    return now() - start;
}
