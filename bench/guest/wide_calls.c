/*
 * wide_calls.c - files opened and closed, and threads without a C library.
 */
#include "wide.h"

int open_file(const char *path, word flags)
{
    return good(call(SYS_OPEN, (word)path, flags, 0600, 0), path);
}

void close_file(int fd)
{
    good(call(SYS_CLOSE, (word)fd, 0, 0, 0), "close");
}

/* ---- Threads ----------------------------------------------------------------------------- */

/* Memory, working folder, files, handlers, one process; the kernel clears and wakes `running` at its end. */
enum { THREAD = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x200000, FUTEX_WAIT = 0 };

static volatile word running;

void thread_begin(char *stack_top, void (*body)(void))
{
    void (**top)(void) = (void (**)(void))stack_top - 4;
    int result;

    running = 1;
    *top    = body;
    __asm__ volatile("int $0x80; test %%eax, %%eax; jnz 1f; xor %%ebp, %%ebp; call *(%%esp); mov $1, %%eax; "
                     "xor %%ebx, %%ebx; int $0x80; 1:"
                     : "=a"(result) : "0"(SYS_CLONE), "b"(THREAD), "c"(top), "d"(0), "S"(0), "D"(&running) : "memory");
    good(result, "clone");
}

void thread_end_wait(void)
{
    while (running != 0)
        call(SYS_FUTEX, (word)&running, FUTEX_WAIT, 1, 0);
}
