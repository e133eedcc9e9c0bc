/*
 * handlers.c - signal handlers with and without a way back of their own.
 *
 * A C library gives sigaction(2) the code by which its handlers return (SA_RESTORER). The kernel must provide
 * that code where a program gives none, for plain handlers and for those with SA_SIGINFO; after each return all
 * registers and the mask of blocked signals are what they were.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct kernel_action {
    void        (*handler)(int);
    unsigned long flags;
    void        (*restorer)(void);
    uint32_t      mask[2];
};

static volatile int      seen;
static volatile uint32_t blocked_inside;

static uint32_t blocked(void)
{
    uint32_t mask[2] = { 0, 0 };

    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, mask, sizeof mask);
    return mask[0];
}

static void handler(int number)
{
    seen = number;
    blocked_inside = blocked();
}

/* Raise the signal with values in registers that a handler may use, and say which came back otherwise. */
static int lost_registers(int number)
{
    uint32_t esi = 0x11111111, edi = 0x22222222, ecx = (uint32_t)number, result = SYS_kill;

    __asm__ volatile("int $0x80" : "+a"(result), "+S"(esi), "+D"(edi), "+c"(ecx) : "b"(getpid()) : "memory");
    return (esi != 0x11111111) + (edi != 0x22222222) + (ecx != (uint32_t)number) + (result != 0);
}

static void try(const char *how, int number, unsigned long flags)
{
    struct kernel_action action = { handler, flags, NULL, { 1u << (SIGHUP - 1), 0 } };
    int                  lost;

    seen = 0;
    if (syscall(SYS_rt_sigaction, number, &action, NULL, sizeof action.mask) != 0) {
        printf("%s: refused\n", how);
        return;
    }
    lost = lost_registers(number);
    printf("%s: signal %d handled, blocked inside %x, after %x, registers lost %d\n", how, seen, blocked_inside,
           blocked(), lost);
}

int main(void)
{
    try("plain", SIGUSR1, 0);
    try("with information", SIGUSR2, SA_SIGINFO);
    try("plain, not blocked itself", SIGUSR1, SA_NODEFER);
    try("once", SIGUSR2, SA_RESETHAND);
    return 0;
}
