/*
 * entry.S - from a stub of arch/i386/trap.S to trap() and back, where the kernel has a space of its own.
 *
 * A program's tables show only the first 4 MiB of that space: this code, the entry stack, and the few words below. The
 * stack of the thread, like all of the kernel's data but the image, is in the kernel's space alone. So a trap from a
 * program arrives on the entry stack, loads the kernel's root, and puts what the processor has pushed onto the thread's
 * stack: from there on it is like any other. The way back is the same in reverse. Interrupts are off on the entry
 * stack, so one is enough.
 */
#include "trap_frame.h"

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

    .section .text
    .globl trap_common
    .type trap_common, @function
trap_common:
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
    TRAP_SAVE
    movl %esp, %eax
    call trap
    .globl trap_return
trap_return:
    TRAP_POP_SEGMENTS
    testb $3, FRAME_CS(%esp)
    jnz to_program
    popal
    addl $8, %esp                           /* vector and error code */
    TRAP_IRET
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
    TRAP_IRET
not_level_3:
    testl $EFLAGS_VM, PUSHED_EFLAGS(%esp)   /* in 8086 mode a program's CS is any number (trap.h) */
    jnz from_program
/*
 * A trap of the kernel finds its space there, and goes on on its stack. On the entry stack only the IRET above can
 * fault; that, and unexpected traps are handled in the kernel's space.
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
    .size trap_common, . - trap_common

/* The processor pushes onto what every space shows; the code above goes on to the thread's stack. */
    .section .rodata
    .balign 4
    .globl trap_arrival
trap_arrival:
    .long entry_stack_top, trap_thread_stack

    .section .bss
    .balign 4096
entry_stack:
    .skip 4096                              /* eight words are used, all of it in a panic */
entry_stack_top:
trap_thread_stack:
    .skip 4

    .section .note.GNU-stack, "", @progbits
