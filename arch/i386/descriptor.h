/*
 * descriptor.h (i386) - segments, the task-state segments, and the gates.
 *
 * Segments are flat and exist because the processor insists. One TSS says which stack a trap
 * from a program takes; a second one is the double fault's own task, so that it runs even when
 * there is no stack left. The tables stand where traps_start() is told that they should (claims A6, A7), else in
 * the image.
 *
 * Source   Intel SDM vol. 3A, "Protected-Mode Memory Management", "Task Management".
 */
#ifndef QUIRE_ARCH_DESCRIPTOR_H
#define QUIRE_ARCH_DESCRIPTOR_H

/* What programs can see has the numbers that it has on Linux for i386: some know them. */
#define TLS_FIRST_SEGMENT 6             /* three for a thread's TLS: 0x33, 0x3B, 0x43 */
#define KERNEL_CODE     0x60
#define KERNEL_DATA     0x68
#define USER_CODE       0x73            /* with the privilege level, 3, in the low bits */
#define USER_DATA       0x7B
#define TASK_KERNEL     0x80
#define TASK_DOUBLE     0x88
#define KERNEL_SHARED   0x90            /* the kernel's own shared variables */
#define SEGMENTS        19

#define VECTORS         256

#ifndef __ASSEMBLER__

#include "base/types.h"
#include "thread.h"

/* What the processor saves and loads on a task switch: 104 bytes. */
struct task_state {
    uint32_t back, esp0, ss0, esp1, ss1, esp2, ss2, cr3;
    uint32_t eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map;
};
_Static_assert(sizeof(struct task_state) == 104, "Intel SDM vol. 3A, figure \"32-Bit Task-State Segment\"");

/* Build and load all tables. Every vector leads to trap.S; no interrupt is let in yet. */
struct trap_places;                     /* arch/contract.h */
void descriptors_start(const struct trap_places *places);

/* Let programs raise a vector by INT n. */
void gate_allow_user(unsigned vector);

/* The segments for TLS become those of the thread that runs next: pairs of words, as struct thread_state keeps them. */
void segments_of_thread(const uint32_t tls[TLS_SLOTS][2]);

/*
 * Run a function while GS is the segment in which shared variables are the copy at this distance
 * (layouts/firmware/shared.h): the kernel's own. It must not give way.
 */
void segment_with_shared(vaddr_t distance, void (*function)(void *), void *argument);

/*
 * The stack that the next trap from a program starts with. Where the kernel has a space of its own the processor
 * is given the entry stack instead, and the way in goes on to this one: trap_arrival names the former, and the word
 * that says which is the latter; elsewhere it is empty, and the processor itself changes to the thread's stack.
 */
extern const struct trap_arrival { uint32_t first_stack, *thread_stack; } trap_arrival;
void arch_set_kernel_stack(vaddr_t top);

/*
 * The root the double fault's task runs on; mmu_activate() keeps it equal to the current one. Where the kernel has a
 * space of its own that is always the kernel's.
 */
void double_fault_root(frame_t root);

/* Where the processor itself starts a trap from a program: for a mutation (kernel/claims). */
void task_enter_at(vaddr_t top);

/* The kernel's own task; after a double fault, the registers of what was interrupted. */
const struct task_state *kernel_task(void);

#endif
#endif
