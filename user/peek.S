/*
 * peek.S - touches every page of the first eight megabytes, for reading and for writing, and counts what lets it.
 *
 * It ends with 0 when every access was refused, with 1 when one got through, with 2 when there was another number of
 * faults. The handler of SIGSEGV counts and goes on behind the access, whose two bytes it skips.
 */
#define END_OF_KERNEL   0x00800000
#define PAGE            4096
#define ACCESSES        (2 * END_OF_KERNEL / PAGE)

#define CALL_EXIT       1
#define CALL_RT_SIGACTION 174
#define SIGSEGV         11
#define SA_SIGINFO      4
#define SA_NODEFER      0x40000000
#define CONTEXT_EIP     (20 + 56)       /* in struct ucontext: flags, link, stack, then sigcontext */

    .section .start, "ax"
    .globl start
start:
    movl $CALL_RT_SIGACTION, %eax
    movl $SIGSEGV, %ebx
    movl $action, %ecx
    xorl %edx, %edx
    movl $8, %esi
    int $0x80
    testl %eax, %eax
    jnz 3f

    xorl %esi, %esi                     /* the page */
    xorl %ebp, %ebp                     /* accesses that were let through */
1:  movl $1, %edi
    movl (%esi), %eax                   /* two bytes */
    addl %edi, %ebp                     /* skipped after a fault, with the access: see handler */
    movl %eax, (%esi)                   /* two bytes */
    addl %edi, %ebp
    addl $PAGE, %esi
    cmpl $END_OF_KERNEL, %esi
    jb 1b

    movl $1, %ebx
    testl %ebp, %ebp
    jnz 2f
    movl $2, %ebx
    cmpl $ACCESSES, faults
    jne 2f
    xorl %ebx, %ebx
2:  movl $CALL_EXIT, %eax
    int $0x80
3:  movl $3, %ebx
    jmp 2b

/* handler(number, info, context): behind the access and the addition that counts it, two bytes each. */
handler:
    incl faults
    movl 12(%esp), %eax
    addl $4, CONTEXT_EIP(%eax)
    ret

    .data
    .balign 4
faults:
    .long 0
action:
    .long handler, SA_SIGINFO | SA_NODEFER, 0, 0, 0

    .section .note.GNU-stack, "", @progbits
