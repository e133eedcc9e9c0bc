/*
 * trap.h (i386) - traps: exceptions and interrupts.
 *
 * All 256 vectors lead through trap.S to trap(). It calls the vector's handler first; those of the interrupt lines have
 * one from the start, which calls what the line's driver has set (arch/contract.h). An exception that the handler
 * does not handle, at one of the kernel's few instructions that may fault, continues where the exception table says;
 * all other traps are a panic. The double fault is a task of its own and never comes here.
 *
 * The exception table has a row for each of those instructions: those that copy for a program, those of probe_read()
 * and its like, and those of the return to a program that read values which the program may have chosen: the loads of
 * segment registers, IRET, and FXRSTOR. Rows are made beside their instruction, by MAY_FAULT; the linker script
 * puts them in one place, between exception_table and exception_table_end.
 *
 * Handlers are called with interrupts off, and return with interrupts off, on the interrupted stack (from a program: on
 * the stack that arch_set_kernel_stack() named). A handler for a program's trap may turn interrupts on in between.
 * Other threads may run before the return: to a program (trap_leave()), and to an instruction of the kernel's that
 * copies for a program (trap_leave_inside()).
 *
 * Locking  none: handlers are set before their traps can come.
 * Source   Intel SDM vol. 3A, "Interrupt and Exception Handling".
 */
#ifndef QUIRE_ARCH_TRAP_H
#define QUIRE_ARCH_TRAP_H

#define TRAP_STUB_BYTES     12          /* two pushes and a jump */

#define TRAP_DEBUG          1
#define TRAP_NMI            2
#define TRAP_BREAKPOINT     3
#define TRAP_OVERFLOW       4
#define TRAP_INVALID_OPCODE 6
#define TRAP_NO_FPU         7
#define TRAP_DOUBLE_FAULT   8
#define TRAP_PROTECTION     13
#define TRAP_PAGE_FAULT     14
#define TRAP_X87            16
#define TRAP_MACHINE_CHECK  18
#define TRAP_SIMD           19
#define TRAP_EXCEPTIONS     32          /* vectors below are the processor's        */
#define TRAP_LINES          32          /* vectors 32..47 are the interrupt lines   */
#define LINES               16
#define TRAP_ALARM          48          /* the local APIC's timer                   */
#define TRAP_LINUX          0x80        /* programs' system calls                */
#define TRAP_SPURIOUS       255         /* spurious ones of the local APIC          */
#define TRAP_RETURN         256         /* made by trap_frame.h: IRET could not return to the program         */
#define TRAP_NONE           257         /* a frame that no trap has made, or whose trap is handled      */

#define FEATURES_SMAP       4           /* offset of smap in struct mmu_features    */

#ifdef __ASSEMBLER__
    .macro MAY_FAULT at, to             /* a row of the exception table */
    .pushsection .exception_table, "a"
    .balign 4
    .long \at, \to
    .popsection
    .endm
#else

#include "arch/contract.h"

/* The same inside an asm statement. */
#define MAY_FAULT(at, to) ".pushsection .exception_table, \"a\"\n\t.balign 4\n\t.long " at ", " to "\n\t.popsection\n\t"

/* The frame that trap.S and trap_frame.h make on the stack. */
struct trap_frame {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, esp_inside, ebx, edx, ecx, eax;
    uint32_t vector, error;             /* error: 0 where the processor gives none          */
    uint32_t eip, cs, eflags;
    uint32_t esp, ss;                   /* there only if trap_from_user()                   */
};

/* Error code of a page fault. */
enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_USER = 4, FAULT_RESERVED = 8, FAULT_FETCH = 16 };

/*
 * The program is in 8086 mode, perhaps with the level for I/O that it likes. On a PC no program can enter it; QEMU's
 * IRET does not check the level. The first trap ends such a program: no handler has to think of it (trap.c).
 */
#define EFLAGS_VM 0x20000u
static inline bool trap_from_8086(const struct trap_frame *frame) { return (frame->eflags & EFLAGS_VM) != 0; }

/* There are no segments of levels 1 and 2. */
static inline bool trap_from_user(const struct trap_frame *frame) { return (frame->cs & 3) != 0; }

static inline vaddr_t trap_address(void)
{
    vaddr_t address;

    __asm__ volatile("movl %%cr2, %0" : "=r"(address));
    return address;
}

/* A handler returns true when it has handled the trap: the frame, changed or not, is resumed. */
typedef bool (*trap_handler)(struct trap_frame *frame);
void trap_handle(unsigned vector, trap_handler handler);

/* Count an interrupt that came by no line, for interrupts_taken(). */
void interrupt_note(void);

/* True when the trap came from an instruction of the kernel that has a row in the exception table. */
bool trap_may_fault(const struct trap_frame *frame);

/* Whether the debug exception just taken was a step of the trap flag. The call clears the processor's answer. */
bool trap_was_step(void);

#endif
#endif
