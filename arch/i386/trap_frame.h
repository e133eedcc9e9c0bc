/*
 * trap_frame.h - macros for assembly: the path from a stub of trap.S to trap() and back.
 *
 * There are two such paths. trap_entry.S is for a kernel that every space shows. Where the kernel has a space of its
 * own the layout has another (layouts/pat/entry.S), which is then linked instead. Each defines
 *
 *     trap_common     the stubs of trap.S jump here, with vector and error code on the stack
 *     trap_return     returns to the state in the struct trap_frame at ESP
 *     trap_arrival    the entry stack, for descriptor.c (descriptor.h)
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
    clac                                    /* a program's AC flag must not open its memory to the kernel */
1:
    .endm

/* The selector names no segment for programs, or none any more: the register gets the null segment, as on Linux. */
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
 * IRET may refuse the program's CS or SS. All other registers are the program's by then, and IRET's operands lie where
 * a trap from the program would have pushed them: the refusal is handled as such a trap.
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
