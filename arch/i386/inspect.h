/*
 * inspect.h (i386) - the processor's tables, by its own registers.
 *
 * descriptor.c knows where it has put the tables; these functions read the registers (SGDT, SIDT, STR), so that a claim
 * about them is verified.
 *
 * Source   Intel SDM vol. 2, instructions SGDT, SIDT, STR; vol. 3A, "Segment Descriptors".
 */
#ifndef QUIRE_ARCH_INSPECT_H
#define QUIRE_ARCH_INSPECT_H

#include "base/types.h"

/* A table in memory: the virtual address of its first byte, and how many bytes it has. */
struct table_place {
    vaddr_t  start;
    uint32_t bytes;
};

struct table_place inspect_segments(void);      /* global descriptor table         */
struct table_place inspect_gates(void);         /* interrupt descriptor table      */
struct table_place inspect_task(void);          /* the current task-state segment  */

/* The handler's address in the gate of a vector, by the table that the register names; 0: the gate is not present. */
vaddr_t inspect_gate(unsigned vector);

uint32_t inspect_cr0(void);

/* What mmu.c has seen while the kernel's own space became current (K14, K15). */
struct taken_over {
    frame_t from;                   /* the root before                                              */
    vaddr_t handler;                /* the address in the gate of page faults, just before          */
    bool    came_back;              /* a page fault just after was handled                          */
    uint32_t cr0;                   /* the value written to CR0 last                                */
    frame_t  cr0_root;              /* and the root that CR3 named at that moment                   */
};
extern struct taken_over taken_over;

#endif
