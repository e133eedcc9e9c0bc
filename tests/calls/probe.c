/* probe.c - accesses that may fault: the program goes on behind them and knows signal and code. */
#include "tasks.h"

enum { EAX_AT = 11, EIP_AT = 14 };

extern char probe_reads[], probe_writes[], probe_ends[];
long probe_raw(volatile char *at, int write);

__asm__(".text\n"
        "probe_raw:\n"
        "    mov 4(%esp), %ecx; mov 8(%esp), %edx\n"
        "    cmp $1, %edx; je probe_writes; ja probe_stores\n"
        "probe_reads:\n"
        "    movzbl (%ecx), %eax; jmp probe_ends\n"
        "probe_writes:\n"
        "    incb (%ecx); movzbl (%ecx), %eax; jmp probe_ends\n"
        "probe_stores:\n"
        "    movb %dh, (%ecx); movzbl %dh, %eax\n"
        "probe_ends:\n"
        "    ret\n"
        ".globl restorer\n"
        "restorer:\n"
        "    mov $173, %eax; int $0x80\n");

long probe(volatile char *at, int write) { return probe_raw(at, write); }

bool probe_failed(int number, int code, uint32_t *registers)
{
    if ((number != SIGSEGV && number != SIGBUS) || registers[EIP_AT] < (uint32_t)probe_reads ||
        registers[EIP_AT] >= (uint32_t)probe_ends)
        return false;
    registers[EAX_AT] = (uint32_t)-(number << 8 | (code & 0xFF));
    registers[EIP_AT] = (uint32_t)probe_ends;
    return true;
}
