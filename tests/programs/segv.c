/*
 * segv.c - prints one line, then writes to an address that is not mapped.
 *
 *   segv deep    fills its stack, with a handler that has nowhere else to run
 */
#include <signal.h>
#include <stdio.h>

static void handler(int number) { (void)number; }

static int fill(int depth)
{
    volatile char part[1000];

    part[0] = 1;
    return depth == 0 ? 0 : fill(depth + 1) + part[0];
}

int main(int argc, char **argv)
{
    (void)argv;
    puts("before");
    fflush(stdout);
    if (argc > 1) {
        signal(SIGSEGV, handler);
        return fill(1);
    }
    *(volatile int *)0x10 = 1;
    puts("after");
    return 0;
}
