/*
 * trap.S - the way in for every vector, the way back, and the double fault's task.
 *
 * The processor pushes EFLAGS, CS, EIP, for some exceptions an error code, and first SS and
 * ESP if it came from a program. The stubs make that uniform; trap.h describes the result.
 */
#include <layout.h>

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

/*
 * Where the kernel has a space of its own a program's tables show only the first 4 MiB of it: this code, the
 * entry stack (descriptor.c), and the few words below. The stack of the thread, like all of the kernel's
 * data but the image, is in the kernel's space alone. So a trap from a program arrives on the entry stack, loads the
 * kernel's root, and puts what the processor has pushed onto the thread's stack: from there on it is like any
 * other. The way back is the same in reverse. Interrupts are off on the entry stack, so one is enough.
 */
#ifdef LAYOUT_KERNEL_HAS_OWN
#define PUSHED_EAX      0               /* what the entry stack holds on the way in */
#define PUSHED_VECTOR   4
#define PUSHED_SS       28
#define PUSHED_CS       12              /* before EAX is there */
#define PUSHED_EFLAGS   16
#define EFLAGS_VM       0x20000

#define FRAME_EDI       0               /* struct trap_frame, without its segments */
#define FRAME_ESI       4
#define FRAME_EBP       8
#define FRAME_EBX       16
#define FRAME_EDX       20
#define FRAME_ECX       24
#define FRAME_EAX       28
#define FRAME_EIP       40
#define FRAME_CS        44
#define FRAME_SS        56
#endif

    .type trap_common, @function
trap_common:
#ifdef LAYOUT_KERNEL_HAS_OWN
    testb $3, PUSHED_CS(%esp)
    jz not_level_3
from_program:
    pushl %eax
    movl %ss:trap_kernel_root, %eax         /* DS is still the program's */
    movl %eax, %cr3
    movl %esp, %eax
    movl %ss:trap_thread_stack, %esp
    .set at, PUSHED_SS
    .rept (PUSHED_SS - PUSHED_VECTOR) / 4 + 1
    pushl %ss:at(%eax)
    .set at, at - 4
    .endr
    movl %ss:PUSHED_EAX(%eax), %eax
inside:
#endif
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
    MAY_FAULT 3b, bad_gs
4:  popl %fs
    MAY_FAULT 4b, bad_fs
5:  popl %es
    MAY_FAULT 5b, bad_es
6:  popl %ds
    MAY_FAULT 6b, bad_ds
#ifdef LAYOUT_KERNEL_HAS_OWN
    testb $3, FRAME_CS(%esp)
    jnz to_program
#endif
    popal
    addl $8, %esp                           /* vector and error code */
7:  iret
    MAY_FAULT 7b, bad_return
#ifdef LAYOUT_KERNEL_HAS_OWN
to_program:
    movl %esp, %ebx
    movl $entry_stack_top, %esp
    .set at, FRAME_SS
    .rept (FRAME_SS - FRAME_EIP) / 4 + 1
    pushl %ss:at(%ebx)
    .set at, at - 4
    .endr
    pushl %ss:FRAME_EAX(%ebx)
    movl %ss:FRAME_EDI(%ebx), %edi
    movl %ss:FRAME_ESI(%ebx), %esi
    movl %ss:FRAME_EBP(%ebx), %ebp
    movl %ss:FRAME_EDX(%ebx), %edx
    movl %ss:FRAME_ECX(%ebx), %ecx
    movl %ss:FRAME_EBX(%ebx), %ebx
    movl %ss:trap_program_root, %eax
    movl %eax, %cr3
    popl %eax
8:  iret
    MAY_FAULT 8b, bad_return
not_level_3:
    testl $EFLAGS_VM, PUSHED_EFLAGS(%esp)  /* in 8086 mode a program's CS is any number (trap.h) */
    jnz from_program
/*
 * A trap of the kernel finds its space there, and goes on on its stack. On the entry stack only the IRET above can
 * fault; that, and what nobody expects, is dealt with in the kernel's space.
 */
from_kernel:
    cmpl $entry_stack, %esp
    jb inside
    cmpl $entry_stack_top, %esp
    ja inside
    pushl %eax
    movl %ss:trap_kernel_root, %eax
    movl %eax, %cr3
    popl %eax
    jmp inside
#endif
/* A selector that names no segment for programs, or no longer: the register gets the null segment, as on Linux. */
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
/*
 * IRET has refused the program's CS or SS. All other registers are the program's already, and what IRET would have
 * taken lies where a trap from the program would have left it: this becomes one.
 */
bad_return:
    pushl $0
    pushl $TRAP_RETURN
    jmp trap_common
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

#ifdef LAYOUT_KERNEL_HAS_OWN
    .section .bss
    .balign 4096
entry_stack:
    .skip 4096                              /* eight words are used, all of it in a panic */
    .globl entry_stack_top
entry_stack_top:
    .globl trap_thread_stack
trap_thread_stack:
    .skip 4
    .section .text
#endif

/* bool probe_read(vaddr_t address, uint32_t *out) */
    .globl probe_read
    .type probe_read, @function
probe_read:
    movl 4(%esp), %eax
1:  movl (%eax), %eax
    MAY_FAULT 1b, probe_failed
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
2:  movl %ecx, (%eax)
    MAY_FAULT 2b, probe_failed
    movl $1, %eax
    ret
    .size probe_write, . - probe_write

/* bool probe_call(vaddr_t address): a fault has the target's own address, which is told to trap.c */
    .globl probe_call
    .type probe_call, @function
probe_call:
    movl 4(%esp), %eax
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
