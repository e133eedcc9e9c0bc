/*
 * trap_frame.h - for assembly: what every way from a stub of trap.S to trap() and back has in common.
 *
 * There are two such ways. trap_entry.S is that of a kernel that every space shows. Where the kernel has a space of its
 * own the layout brings another (layouts/pat/entry.S), which is then linked in its place. Each defines
 *
 *     trap_common     where the stubs of trap.S jump to: vector and error code are on the stack
 *     trap_return     ESP is at a whole struct trap_frame; back to what it says
 *     trap_arrival    what descriptor.c is to tell the processor (descriptor.h)
 */
#ifndef QUIRE_ARCH_TRAP_FRAME_H
#define QUIRE_ARCH_TRAP_FRAME_H

#include "descriptor.h"
#include "trap.h"

/* The rest of struct trap_frame, and the kernel's segments. */
    .macro TRAP_SAVE
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
1:
    .endm

/* A selector that names no segment for programs, or no longer: the register gets the null segment, as on Linux. */
    .macro TRAP_POP_SEGMENT register
1:  popl %\register
    MAY_FAULT 1b, 2f
    .pushsection .text.trap_null, "ax"
2:  movl $0, (%esp)
    jmp 1b
    .popsection
    .endm

    .macro TRAP_POP_SEGMENTS
    TRAP_POP_SEGMENT gs
    TRAP_POP_SEGMENT fs
    TRAP_POP_SEGMENT es
    TRAP_POP_SEGMENT ds
    .endm

/*
 * IRET, which may refuse the program's CS or SS. All other registers are the program's already then, and what IRET
 * would have taken lies where a trap from the program would have left it: this becomes one.
 */
    .macro TRAP_IRET
1:  iret
    MAY_FAULT 1b, 2f
    .pushsection .text.trap_null, "ax"
2:  pushl $0
    pushl $TRAP_RETURN
    jmp trap_common
    .popsection
    .endm

#endif
