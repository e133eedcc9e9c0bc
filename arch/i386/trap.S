/*
 * trap.S - the way in for every vector, the way back, and the double fault's task.
 *
 * The processor pushes EFLAGS, CS, EIP, for some exceptions an error code, and first SS and
 * ESP if it came from a program. The stubs make that uniform; trap.h describes the result.
 */
#include "descriptor.h"
#include "trap.h"

/* Exceptions that push an error code: 8, 10..14, 17, 21, 29, 30. */
#define PUSHES_ERROR    ((1 << 8) | (31 << 10) | (1 << 17) | (1 << 21) | (1 << 29) | (1 << 30))

    .section .text
    .balign TRAP_STUB_BYTES
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept VECTORS
    .balign TRAP_STUB_BYTES
    .if vector >= TRAP_EXCEPTIONS
    pushl $0
    .elseif !((PUSHES_ERROR >> vector) & 1)
    pushl $0
    .endif
    pushl $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

    .type trap_common, @function
trap_common:
    pushal
    pushl %ds
    pushl %es
    pushl %fs
    pushl %gs
    movl $KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    cld
    cmpb $0, mmu_features + FEATURES_SMAP
    je 1f
    clac                                    /* a program's AC flag must not open its memory to us */
1:  pushl %esp
    call trap
    addl $4, %esp
    .globl trap_return
trap_return:
3:  popl %gs
4:  popl %fs
5:  popl %es
6:  popl %ds
    popal
    addl $8, %esp                           /* vector and error code */
    iret
/* A program may ask sigreturn for a segment that is none: it gets the null segment. */
bad_gs:
    movl $0, (%esp)
    jmp 3b
bad_fs:
    movl $0, (%esp)
    jmp 4b
bad_es:
    movl $0, (%esp)
    jmp 5b
bad_ds:
    movl $0, (%esp)
    jmp 6b
    .size trap_common, . - trap_common

/*
 * Here the double fault's task begins, and never ends. The processor has pushed an error
 * code, always 0, onto this task's own stack.
 */
    .globl double_fault_entry
    .type double_fault_entry, @function
double_fault_entry:
    xorl %ebp, %ebp
    cld
    call double_fault
    .size double_fault_entry, . - double_fault_entry

/* bool probe_read(vaddr_t address, uint32_t *out) */
    .globl probe_read
    .type probe_read, @function
probe_read:
    movl 4(%esp), %eax
1:  movl (%eax), %eax                       /* may fault */
    movl 8(%esp), %ecx
    movl %eax, (%ecx)
    movl $1, %eax
    ret
    .size probe_read, . - probe_read

/* bool probe_write(vaddr_t address, uint32_t value) */
    .globl probe_write
    .type probe_write, @function
probe_write:
    movl 4(%esp), %eax
    movl 8(%esp), %ecx
2:  movl %ecx, (%eax)                       /* may fault */
    movl $1, %eax
    ret
    .size probe_write, . - probe_write

    .type probe_failed, @function
probe_failed:
    xorl %eax, %eax
    ret
    .size probe_failed, . - probe_failed

/* Instructions that may fault, and where each goes on if it does; ends with 0. */
    .section .rodata
    .balign 4
    .globl trap_ways_out
trap_ways_out:
    .long 1b, probe_failed
    .long 2b, probe_failed
    .long 3b, bad_gs
    .long 4b, bad_fs
    .long 5b, bad_es
    .long 6b, bad_ds
    .long 0, 0

    .section .note.GNU-stack, "", @progbits
