/*
 * trap_entry.S - from a stub to trap() and back, in a kernel that every space shows: on one stack, and all in one
 * piece.
 */
#include "trap_frame.h"

    .section .text
    .globl trap_common
    .type trap_common, @function
trap_common:
    TRAP_SAVE
    movl %esp, %eax
    call trap
    .globl trap_return
trap_return:
    TRAP_POP_SEGMENTS
    popal
    addl $8, %esp                           /* vector and error code */
    TRAP_IRET
    .size trap_common, . - trap_common

/* The processor itself changes to the thread's stack. */
    .section .rodata
    .balign 4
    .globl trap_arrival
trap_arrival:
    .long 0, 0

    .section .note.GNU-stack, "", @progbits
