/*
 * worker.c - a thread that does calls: its stack, its children, and the processes it must not hit.
 *
 * All numbers are called, with two arguments changed: the supervisor is not the target of a signal or a limit, alone or
 * as one of all; and reboot with Linux's magic words only asks for what does not end the machine. exit and exit_group
 * end a worker, so they are called last.
 */
#include "fuzzer.h"

static struct { char bytes[STACK_BYTES]; } __attribute__((aligned(STACK_BYTES))) stacks[WORKERS];
static uint32_t stacks_used = 8;        /* the first ones are the batch's own; then one for each child           */

/* A worker's own facts lie at the low end of its stack. */
static struct worker *worker_of(unsigned number) { return (struct worker *)stacks[number].bytes; }

struct worker *worker_here(void)
{
    char here;

    return (struct worker *)((uintptr_t)&here & ~(uintptr_t)(STACK_BYTES - 1));
}

void worker_start(unsigned number, uint64_t seed, uint32_t calls, unsigned kind)
{
    *worker_of(number) = (struct worker){ .chance = { seed }, .left = calls, .kind = kind, .number = number };
}

/* ---- A call --------------------------------------------------------------------------------------- */

static bool forks(long number)
{
    return number == CALL_FORK || number == CALL_VFORK || number == CALL_CLONE || number == CALL_CLONE3;
}

static bool hits_supervisor(long target)
{
    return target == supervisor || target == -supervisor || (target == -1 && supervisor != 1);
}

static void spare_supervisor(struct call *call)
{
    switch (call->number) {
    case CALL_KILL: case CALL_TKILL: case CALL_TGKILL: case CALL_RT_SIGQUEUEINFO: case CALL_RT_TGSIGQUEUEINFO:
    case CALL_PRLIMIT64:
        if (hits_supervisor(call->argument[0]) || hits_supervisor(call->argument[1]))
            call->argument[0] = call->argument[1] = 0;
        break;
    case CALL_FCNTL: case CALL_FCNTL64:
        if (call->argument[1] == 8 && hits_supervisor(call->argument[2]))       /* F_SETOWN */
            call->argument[2] = 0;
        break;
    case CALL_REBOOT:
        if ((uint32_t)call->argument[0] == 0xFEE1DEAD && call->argument[2] != 0)
            call->argument[2] = 0;                                              /* LINUX_REBOOT_CMD_CAD_OFF */
        break;
    case CALL_MOUNT:
        if (!may_mount)
            call->argument[2] = (long)"none";
        break;
    case 1: case CALL_EXIT_GROUP:
        call->number = CALL_GETPID;
        break;
    }
}

static void tell(const struct worker *w, const struct call *call)
{
    const long *a = call->argument;

    say("%u: %d(%x, %x, %x, %x, %x, %x)\n", w->number, (int)call->number, (unsigned)a[0], (unsigned)a[1],
        (unsigned)a[2], (unsigned)a[3], (unsigned)a[4], (unsigned)a[5]);
}

/* Only so many children, and none of a child's. */
static long call_forking(struct worker *w, const struct call *call)
{
    uint32_t place = __sync_fetch_and_add(&stacks_used, 1);

    if (place >= WORKERS)
        return -EAGAIN;
    worker_start(place, mix(w->chance.state, place), w->number < 8 ? 1 + chance_below(&w->chance, 12) : 1, w->kind);
    return kernel_call_twice(call, stacks[place].bytes + STACK_BYTES - 16);
}

/*
 * One of the next call's allocations fails: a frame, with or without room made, or a block of the heap. The file stays
 * open at a number that calls by chance hardly hit; where it is not open, as in a new batch, it is opened.
 */
static void order_failure(struct worker *w)
{
    enum { ORDER = 777 };
    static const char *const kinds[] = { "frame", "heap", "heap", "again" };
    struct line line = { .length = 0 };
    uint32_t    most = 1 + chance_below(&w->chance, 20);

    line_put(&line, "%s %u", CHANCE_OF(&w->chance, kinds), 1 + chance_below(&w->chance, most));
    if (KERNEL(CALL_WRITE, ORDER, (long)line.text, (long)line.length) >= 0)
        return;
    KERNEL(CALL_DUP2, KERNEL(CALL_OPEN, (long)"/proc/quire/torture", O_WRONLY), ORDER);
    KERNEL(CALL_WRITE, ORDER, (long)line.text, (long)line.length);
}

enum { FAILING = 2 };                   /* one call in so many has a failure, where failures can be ordered */

long worker_call(struct worker *w, struct call *call)
{
    long result;

    spare_supervisor(call);
    if (shared->failing && chance_one_in(&w->chance, FAILING))
        order_failure(w);
    if (telling)
        tell(w, call);
    __sync_fetch_and_add(&shared->calls, 1);
    __sync_fetch_and_add(&shared->by_kind[w->kind], 1);
    shared->progress++;
    result = forks(call->number) ? call_forking(w, call) : kernel_call(call);
    if (telling)
        say("%u:   = %d\n", w->number, (int)result);
    return result;
}

/* ---- Its life ---------------------------------------------------------------------------------------- */

enum { SEQUENCE = 24 };                 /* one call in so many is a sequence of its own */

static void do_calls(void)
{
    struct worker *w = worker_here();
    struct call    call;

    if (w->number == CORRUPTER)
        corrupt_structures(w);
    if (w->number == SHAKER && w->kind == ENDINGS)
        shake_map();
    while (w->left > 0) {
        w->left--;
        if (chance_one_in(&w->chance, SEQUENCE)) {
            some_sequence(w);
            continue;
        }
        next_call(w, &call);
        worker_call(w, &call);
    }
    KERNEL(chance_one_in(&w->chance, 2) && w->number != 0 ? CALL_EXIT : CALL_EXIT_GROUP, (long)any_word(w));
}

void child_main(void)
{
    do_calls();
    for (;;)
        KERNEL(CALL_EXIT, 0);
}

void worker_run(unsigned number)
{
    char *stack = stacks[number].bytes + STACK_BYTES - 16;

    __asm__ volatile("mov %0, %%esp; xor %%ebp, %%ebp; call child_main" :: "r"(stack) : "memory");
    __builtin_unreachable();
}

long worker_thread(unsigned number)
{
    enum { THREAD = 0x3D0F00 & ~0x280000 };     /* VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, no places to write to     */
    struct call clone = { CALL_CLONE, { THREAD & ~0x100000, 0, 0, 0, 0, 0 } };
    char       *stack = stacks[number].bytes + STACK_BYTES - 16;

    clone.argument[1] = (long)stack;
    return kernel_call_twice(&clone, stack);
}

/* ---- Attempts that may end the process ------------------------------------------------------------------ */

long attempt(void)
{
    uint32_t timer[4] = { 0, 0, 0, 20000 };
    long     child = split();

    if (child == 0)
        KERNEL(CALL_SETITIMER, 0, (long)timer, 0);      /* SIGALRM has no handler: the end */
    else
        KERNEL(CALL_WAIT4, child, 0, WAIT_ALL, 0);
    shared->progress++;
    return child;
}
