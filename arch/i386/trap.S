/*
 * trap.S - the way in for every vector, and the double fault's task.
 *
 * The processor pushes EFLAGS, CS, EIP, for some exceptions an error code, and first SS and
 * ESP if it came from a program. The stubs make that uniform; trap.h describes the result. They lead on to
 * trap_common, which trap_frame.h tells of.
 */
#include "descriptor.h"
#include "trap.h"

/* Exceptions that push an error code: 8, 10..14, 17, 21, 29, 30. */
#define PUSHES_ERROR    ((1 << 8) | (31 << 10) | (1 << 17) | (1 << 21) | (1 << 29) | (1 << 30))

    .section .text
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept VECTORS
    .org trap_stubs + vector * TRAP_STUB_BYTES
    .if vector >= TRAP_EXCEPTIONS
    pushl $0
    .elseif !((PUSHES_ERROR >> vector) & 1)
    pushl $0
    .endif
    pushl $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

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
1:  movl (%eax), %ecx
    MAY_FAULT 1b, probe_failed
    movl %ecx, (%edx)
    movl $1, %eax
    ret
    .size probe_read, . - probe_read

/* bool probe_write(vaddr_t address, uint32_t value) */
    .globl probe_write
    .type probe_write, @function
probe_write:
2:  movl %edx, (%eax)
    MAY_FAULT 2b, probe_failed
    movl $1, %eax
    ret
    .size probe_write, . - probe_write

/* bool probe_call(vaddr_t address): a fault has the target's own address, which is told to trap.c */
    .globl probe_call
    .type probe_call, @function
probe_call:
    movl %eax, probe_target
    call *%eax                              /* its first instruction may fault */
    movl $0, probe_target
    movl $1, %eax
    ret
    .size probe_call, . - probe_call

    .globl probe_call_failed
    .type probe_call_failed, @function
probe_call_failed:
    movl $0, probe_target
    addl $4, %esp                           /* where the call would have returned to */
    xorl %eax, %eax
    ret
    .size probe_call_failed, . - probe_call_failed

    .type probe_failed, @function
probe_failed:
    xorl %eax, %eax
    ret
    .size probe_failed, . - probe_failed

    .section .note.GNU-stack, "", @progbits
