/*
 * traces.c - the program of the traces: a task's process, its faults, its steps.
 *
 * With the word `out` before the tasks all pages that may leave memory are asked to between steps, which must not
 * change what is told. tests/calls/traces.py compares.
 */
#include "traces.h"

enum { RLIMIT_STACK = 3, RLIMIT_MEMLOCK = 8, CALL_SETRESUID = 208, STACK_PAGES = 64, LOCKED_PAGES = 12, NOBODY = 1000 };

volatile int repairs;

/* ---- Faults --------------------------------------------------------------------------------------------- */

/* A program that makes accessible what it touches: rights for a page that has none, memory where there is none. */
static bool repaired(int number, int code, uint32_t address)
{
    uint32_t page = address & -(uint32_t)PAGE;
    long     result;

    if (repairs <= 0 || !is_inside(address))
        return false;
    repairs--;
    if (number == SIGSEGV && code == 2)
        result = KERNEL(CALL_MPROTECT, page, PAGE, PROT_READ | PROT_WRITE);
    else
        result = KERNEL(CALL_MMAP2, page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    tell(" <%d.%d %s>", number, code, result < 0 && result > -PAGE ? "refused" : "repaired");
    return true;
}

static void handler(int number, int *info, uint32_t *context)
{
    if (repaired(number, info[2], (uint32_t)info[3]) || probe_failed(number, info[2], context + CONTEXT_REGISTERS))
        return;
    leave(99);
}

void handle_faults(void)
{
    struct action action = { handler, SA_SIGINFO | SA_RESTORER, restorer, 0 };

    KERNEL(CALL_RT_SIGACTION, SIGSEGV, (long)&action, 0, SIGNAL_MASK);
    KERNEL(CALL_RT_SIGACTION, SIGBUS, (long)&action, 0, SIGNAL_MASK);
}

/* ---- A task --------------------------------------------------------------------------------------------- */

static void set_limit(int which, uint64_t most)
{
    KERNEL(CALL_PRLIMIT64, 0, which, (long)(const uint64_t[]){ most, most }, 0);
}

/* The break on a border of pages: the heap's window begins there. Half of the tasks have no rights over limits. */
static void settle(uint64_t seed, const char *root)
{
    long start = (KERNEL(CALL_BRK, 0) + PAGE - 1) & -PAGE;

    windows[HEAP].start = (uint32_t)KERNEL(CALL_BRK, start);
    KERNEL(CALL_CHDIR, (long)root);
    make_objects();
    set_limit(RLIMIT_STACK, STACK_PAGES * PAGE);
    set_limit(RLIMIT_MEMLOCK, LOCKED_PAGES * PAGE);
    if (seed % 2 == 1)
        KERNEL(CALL_SETRESUID, NOBODY, NOBODY, NOBODY);
    begin_looking();
    begin_sending();
    handle_faults();
}

void do_task(uint64_t seed, const char *list, const char *root)
{
    int how = (int)(seed / 2 % 3);

    settle(seed, root);
    for (step_number = 0; step_number < STEPS; step_number++)
        if (task_keeps(list, step_number))
            step(mix(seed, step_number), how);
    step_number = STEPS - 1;
    join_all(how);
    tell_sent();
    leave(0);
}

void before_task(void) { }
