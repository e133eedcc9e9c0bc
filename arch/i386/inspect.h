/*
 * inspect.h (i386) - what the processor itself says of its tables.
 *
 * descriptor.c knows where it has put them; here the registers are asked (SGDT, SIDT, STR),
 * so that a claim about them is not merely believed.
 *
 * Source   Intel SDM vol. 2, instructions SGDT, SIDT, STR; vol. 3A, "Segment Descriptors".
 */
#ifndef QUIRE_ARCH_INSPECT_H
#define QUIRE_ARCH_INSPECT_H

#include "base/types.h"

/* A table in memory: virtual address of the first byte, and how many there are. */
struct table_place {
    vaddr_t  start;
    uint32_t bytes;
};

struct table_place inspect_segments(void);      /* global descriptor table         */
struct table_place inspect_gates(void);         /* interrupt descriptor table      */
struct table_place inspect_task(void);          /* the current task-state segment  */

/* Where the gate of a vector leads, by the table that the register names; 0 if the gate is not present. */
vaddr_t inspect_gate(unsigned vector);

uint32_t inspect_cr0(void);

/* What mmu.c saw when the kernel's own space became current, as it went along (K14, K15). */
struct taken_over {
    frame_t from;                   /* the root before                                              */
    vaddr_t handler;                /* where the gate of page faults led, just before               */
    bool    came_back;              /* a page fault just after was dealt with                       */
    uint32_t cr0;                   /* what was written to CR0 last                                 */
    frame_t  cr0_root;              /* and the root that CR3 named at that moment                   */
};
extern struct taken_over taken_over;

#endif
