/*
 * app.c - the beginning, the calls and the memory of every application. See app.h.
 *
 * Runs as a program. format_list() and its like are code of the kernel, which programs share.
 */
#include "layouts/firmware/apps/app.h"

#include "base/print.h"

enum { CALL_EXIT = 1, CALL_WRITE = 4, CALL_GETPID = 20, CALL_BRK = 45, CALL_SCHED_YIELD = 158 };    /* Linux's, i386 */
enum { STANDARD_OUTPUT = 1, LINE = 200, ALIGN = 16 };

static APP_SHARED_ZERO(uintptr_t, heap_used);       /* where the next block begins, 0 before the first */

static long call(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

TAKES_FROM_STACK void app_begin(int (*main)(struct app_arguments), struct app_arguments arguments)
{
    app_exit(main(arguments));
}

void app_exit(int status)
{
    call(CALL_EXIT, status, 0, 0);
    for (;;)
        __asm__ volatile("ud2");
}

void app_print(const char *format, ...)
{
    char    line[LINE];
    va_list list;
    int     length;

    va_start(list, format);
    length = format_list(line, sizeof line, format, list);
    va_end(list);
    if (length > (int)sizeof line - 1)
        length = sizeof line - 1;
    call(CALL_WRITE, STANDARD_OUTPUT, (long)line, length);
}

void *app_break(void *wanted) { return (void *)call(CALL_BRK, (long)wanted, 0, 0); }
int   app_number(void)        { return (int)call(CALL_GETPID, 0, 0, 0); }
void  app_give_way(void)      { call(CALL_SCHED_YIELD, 0, 0, 0); }

void *app_alloc(size_t bytes)
{
    uintptr_t start = heap_used != 0 ? heap_used : (uintptr_t)app_break(NULL), end;

    start = (start + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1);
    end   = start + bytes;
    if (end < start || ((uintptr_t)app_break(NULL) < end && (uintptr_t)app_break((void *)end) != end))
        return NULL;
    heap_used = end;
    return (void *)start;
}

APP_SHARED_ZERO(uintptr_t, app_base);

void *app_address(const __seg_gs void *shared) { return (char *)app_base + (uintptr_t)shared; }
