/*
 * trap.h (i386) - when the processor leaves the program: exceptions and interrupts.
 *
 * All 256 vectors lead through trap.S to one place. There a vector's handler is asked first;
 * an exception it does not deal with, at one of the kernel's few instructions that may fault, continues
 * where the exception table says; everything else is a panic. The double fault is a task of its own
 * and never comes here.
 *
 * The exception table has a row for each of those instructions: those that copy for a program or look around
 * (probe_read), and each of the way back to a program that reads what the program may have chosen: the loads of
 * segment registers, IRET, and FXRSTOR. Rows are made beside their instruction, by MAY_FAULT; the linker script
 * puts them in one place, between exception_table and exception_table_end.
 *
 * Handlers run with interrupts off on the interrupted stack (from a program: on the stack that
 * arch_set_kernel_stack() named).
 *
 * Locking  handlers are put in place before what they handle can happen; no lock.
 * Source   Intel SDM vol. 3A, "Interrupt and Exception Handling".
 */
#ifndef QUIRE_ARCH_TRAP_H
#define QUIRE_ARCH_TRAP_H

#define TRAP_STUB_BYTES     16

#define TRAP_DEBUG          1
#define TRAP_NMI            2
#define TRAP_BREAKPOINT     3
#define TRAP_OVERFLOW       4
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
#define TRAP_LINUX          0x80        /* programs' system calls                */
#define TRAP_SPURIOUS       255         /* the local APIC's noise                   */
#define TRAP_RETURN         256         /* made by trap_frame.h: IRET could not go back to the program        */
#define TRAP_NONE           257         /* a frame that no trap has left, or whose trap is dealt with   */

#define FEATURES_SMAP       4           /* offset of smap in struct mmu_features    */

#ifdef __ASSEMBLER__
    .macro MAY_FAULT at, to             /* a row of the exception table */
    .pushsection .exception_table, "a"
    .balign 4
    .long \at, \to
    .popsection
    .endm
#else

#include "base/types.h"

/* The same inside an asm statement. */
#define MAY_FAULT(at, to) ".pushsection .exception_table, \"a\"\n\t.balign 4\n\t.long " at ", " to "\n\t.popsection\n\t"

/* What trap.S and trap_frame.h leave on the stack. */
struct trap_frame {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, esp_inside, ebx, edx, ecx, eax;
    uint32_t vector, error;             /* error: 0 where the processor gives none          */
    uint32_t eip, cs, eflags;
    uint32_t esp, ss;                   /* there only if trap_from_user()                   */
};

/* Error code of a page fault. */
enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_USER = 4, FAULT_RESERVED = 8, FAULT_FETCH = 16 };

/* A program in the processor's 8086 mode. No program gets there on a PC; QEMU's IRET does not ask for a level. */
#define EFLAGS_VM 0x20000u
static inline bool trap_from_8086(const struct trap_frame *frame) { return (frame->eflags & EFLAGS_VM) != 0; }

static inline bool trap_is_double_fault(const struct trap_frame *frame) { return frame->vector == TRAP_DOUBLE_FAULT; }

static inline bool trap_from_user(const struct trap_frame *frame) { return (frame->cs & 3) == 3; }

/* The address a page fault is about; good until the next one. */
static inline vaddr_t trap_address(void)
{
    vaddr_t address;

    __asm__ volatile("movl %%cr2, %0" : "=r"(address));
    return address;
}

/* Where the processor's own tables are to be, as kernel addresses: 0 leaves the choice to the port, which has room in the image. */
struct trap_places { vaddr_t segments, gates, task; };

/* Descriptor tables, gates, interrupt controller with every line shut. Needs mmu_start() before. */
void traps_start(const struct trap_places *places);

/* A handler returns true when it has dealt with the trap: the frame, changed or not, is resumed. */
typedef bool (*trap_handler)(struct trap_frame *frame);
void trap_handle(unsigned vector, trap_handler handler);

/*
 * Interrupt lines 0..15 of the two 8259 controllers. A handled line is open; the controller is
 * told of the end after the handler returns.
 */
void interrupt_handle(unsigned line, void (*handler)(void *), void *argument);
uint32_t interrupts_spurious(void);
uint64_t interrupts_taken(void);        /* from devices, since the start: intr of /proc/stat */

/* What the kernel above must answer: a trap that nobody deals with. The machine ends (init/panic.c). */
void panic_trap(const struct trap_frame *frame) NORETURN;

/* Programs exist from now on: what is done before each return to one. */
void trap_for_programs(void (*on_leave)(struct trap_frame *), void (*on_8086)(void));

/* True when the trap came from an instruction of the kernel that has a row in the exception table. */
bool trap_may_fault(const struct trap_frame *frame);

/* Of the debug exception just taken: whether it was a step of the trap flag. Asks once: the answer is cleared. */
bool trap_was_step(void);

/*
 * A trap in words and numbers, for a panic. A double fault's frame counts as one from the kernel. trap_caller() goes from a
 * function to the one that called it, by the chain of frame pointers: false where that ends, or cannot be read.
 */
void    trap_describe(const struct trap_frame *frame, char *out, size_t size);
void    trap_print_registers(const struct trap_frame *frame);      /* begins on the line of the program counter */
bool    trap_has_address(const struct trap_frame *frame);          /* it is about trap_address() */
vaddr_t trap_counter(const struct trap_frame *frame);
vaddr_t trap_stack_pointer(const struct trap_frame *frame);
vaddr_t trap_frame_pointer(const struct trap_frame *frame);
bool    trap_caller(vaddr_t *frame_pointer, vaddr_t *return_to);

/*
 * Reading and writing a word that may not be there; false when it faulted. For looking around
 * in a panic and for showing that something is not mapped or not writable.
 */
bool probe_read(vaddr_t address, uint32_t *out);
bool probe_write(vaddr_t address, uint32_t value);

/* Calling what may not be executed; what is there must return at once. */
bool probe_call(vaddr_t address);

#endif
#endif
