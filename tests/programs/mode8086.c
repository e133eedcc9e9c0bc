/*
 * mode8086.c - into 8086 mode, with the level for I/O of one's choice.
 *
 * No processor lets a program go there by IRET; an emulated one may. The kernel then meets a trap of another shape,
 * from any number as code segment. Such a program must end, having done nothing: no call of it counts, least of all a
 * fork, whose child would begin with flags and selectors that nobody has looked at.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOW = 0x10000, LOW_BYTES = 0x20000, CODE_AT = 0x100, SEGMENTS = 0x2000, FLAGS = 0x23202 };

extern char call[], call_end[];         /* a call, and exit with the status in EBX */
void gain(int number);                  /* a handler that ends with the level for I/O as status */

__asm__("call:\n.code16\nint $0x80\nmov $1, %ax\nint $0x80\n.code32\ncall_end:\n"
        "gain:\npushf\npop %ebx\nshr $12, %ebx\nand $3, %ebx\nmov $1, %eax\nint $0x80\n");

static void go(unsigned segment, long number)
{
    static char      stack[65536];
    stack_t          other = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = { .sa_handler = gain, .sa_flags = SA_ONSTACK };

    sigaltstack(&other, NULL);
    sigaction(SIGSEGV, &action, NULL);
    __asm__ volatile("pushl $0x7B\npushl $0x8800\npushl $0x3202\npushl $0x73\n"       /* GS, FS, DS, ES */
                     "pushl $0x8000\npushl $0x800\npushl %1\npushl %0\npushl %2\n"    /* SS, ESP, EFLAGS, CS, EIP */
                     "movl $33, %%ebx\nxorl %%ecx, %%ecx\nxorl %%edx, %%edx\niret"
                     : : "r"(segment), "i"(FLAGS), "i"(CODE_AT), "a"(number) : "memory", "ecx", "edx");
}

static void try(const char *name, unsigned segment, long number)
{
    int   status, ended = 0, gained = 0;
    pid_t child = fork(), one;

    if (child == 0) {
        go(segment, number);
        _exit(34);
    }
    while ((one = wait(&status)) > 0) {
        ended++;
        gained += WIFEXITED(status) && WEXITSTATUS(status) != 0;
    }
    printf("segment %04x, %s: %d ended%s\n", segment, name, ended, gained ? ", and kept the mode" : "");
    fflush(stdout);
}

int main(void)
{
    char *low = mmap((void *)LOW, LOW_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return 1;
    for (unsigned segment = SEGMENTS; segment < SEGMENTS + 8; segment++) {
        if (low == (char *)LOW)                 /* else, under some layouts, nothing there is the program's */
            memcpy((char *)(segment << 4) + CODE_AT, call, (size_t)(call_end - call));
        try("fork", segment, SYS_fork);
        try("getpid", segment, SYS_getpid);
        try("execve", segment, SYS_execve);
        try("sigreturn", segment, SYS_sigreturn);
    }
    return 0;
}
