/*
 * descriptor.h (i386) - segments, the task-state segments, and the gates.
 *
 * Segments are flat; the processor needs them. One TSS has the stack for traps from programs; a
 * second is the double fault's task, which therefore runs even without a valid stack. The tables
 * stand where the argument of traps_start() says (claims A6, A7), else in the image.
 *
 * Source   Intel SDM vol. 3A, "Protected-Mode Memory Management", "Task Management".
 */
#ifndef QUIRE_ARCH_DESCRIPTOR_H
#define QUIRE_ARCH_DESCRIPTOR_H

/* Segments that programs can see have the numbers of Linux for i386, which some programs rely on. */
#define TLS_FIRST_SEGMENT 6             /* three for a thread's TLS: 0x33, 0x3B, 0x43 */
#define KERNEL_CODE     0x60
#define KERNEL_DATA     0x68
#define USER_CODE       0x73            /* with the privilege level, 3, in the low bits */
#define USER_DATA       0x7B
#define TASK_KERNEL     0x80
#define TASK_DOUBLE     0x88
#define KERNEL_SHARED   0x90            /* the kernel's copy of shared variables */
#define SEGMENTS        19

#define VECTORS         256

#ifndef __ASSEMBLER__

#include "base/types.h"
#include "thread.h"

/* A task-state segment, which the processor saves and loads at a task switch: 104 bytes. */
struct task_state {
    uint32_t back, esp0, ss0, esp1, ss1, esp2, ss2, cr3;
    uint32_t eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map;
};
_Static_assert(sizeof(struct task_state) == 104, "Intel SDM vol. 3A, figure \"32-Bit Task-State Segment\"");

/* Build and load all tables. Every vector leads to trap.S; interrupts stay off. */
struct trap_places;                     /* arch/contract.h */
void descriptors_start(const struct trap_places *places);

/* Let programs raise a vector by INT n. */
void gate_allow_user(unsigned vector);

/* Set the TLS segments to those of the thread that runs next: pairs of words, as in struct thread_state. */
void segments_of_thread(const uint32_t tls[TLS_SLOTS][2]);

/*
 * Call a function while GS is the segment in which shared variables are the copy at this distance
 * (layouts/firmware/shared.h): the kernel's copy. The function must not give the processor to another thread.
 */
void segment_with_shared(vaddr_t distance, void (*function)(void *), void *argument);

/*
 * Set the stack that the next trap from a program uses. Where the kernel has a space of its own the processor starts on
 * the entry stack, and the entry code changes to this stack: trap_arrival names the entry stack, and the word that
 * holds this stack. Elsewhere trap_arrival is empty, and the processor itself changes to this stack.
 */
extern const struct trap_arrival { uint32_t first_stack, *thread_stack; } trap_arrival;
void arch_set_kernel_stack(vaddr_t top);

/*
 * Set the root of the double fault's task; mmu_activate() keeps it equal to the current root. Where the kernel has a
 * space of its own it is always the kernel's.
 */
void double_fault_root(frame_t root);

/* Set the stack that the processor starts a trap from a program on: for a mutation (kernel/claims). */
void task_enter_at(vaddr_t top);

/* The kernel's own task; after a double fault it has the registers of the interrupted code. */
const struct task_state *kernel_task(void);

#endif
#endif
