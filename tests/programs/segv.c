/*
 * segv.c - prints one line, then writes to an address that is not mapped.
 *
 *   segv deep    fills its stack, with a handler that has nowhere else to run
 *   segv sent    sends itself another signal with a handler where its stack is full
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK = 256 * 1024 };

static void handler(int number) { (void)number; }

static int fill(int depth)
{
    volatile char part[1000];

    part[0] = 1;
    return depth == 0 ? 0 : fill(depth + 1) + part[0];
}

static int send_where_it_is_full(void)
{
    struct rlimit limit = { STACK, STACK };
    long          result = SYS_kill;
    char         *low = (char *)&limit - STACK;         /* below what the stack may have */

    setrlimit(RLIMIT_STACK, &limit);
    signal(SIGUSR1, handler);
    __asm__ volatile("xchgl %%esp, %1\n\tint $0x80\n\txchgl %%esp, %1"
                     : "+a"(result), "+S"(low) : "b"(getpid()), "c"(SIGUSR1) : "memory");
    return 0;
}

int main(int argc, char **argv)
{
    puts("before");
    fflush(stdout);
    if (argc > 1 && strcmp(argv[1], "sent") == 0)
        return send_where_it_is_full();
    if (argc > 1) {
        signal(SIGSEGV, handler);
        return fill(1);
    }
    *(volatile int *)0x10 = 1;
    puts("after");
    return 0;
}
