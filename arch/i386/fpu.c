/*
 * fpu.c (i386) - the registers for floating point, and their holder. See fpu.h.
 */
#include "fpu.h"

#include "arch/contract.h"
#include "base/check.h"
#include "base/string.h"
#include "trap.h"

enum {
    CR0_TASK_SWITCHED = 8, CR0_EMULATE = 4, CR0_MONITOR = 2, CR0_NUMERIC_ERROR = 1 << 5, CR0_ALIGNMENT = 1 << 18,
    CR4_FXSR = 1 << 9, CR4_SIMD = 1 << 10, HAS_SSE = 1 << 25,
};
enum {
    INITIAL_CONTROL = 0x37F, INITIAL_MXCSR = 0x1F80, FXSAVE_MXCSR = 24, FXSAVE_MXCSR_MASK = 28,
    USUAL_MXCSR_MASK = 0xFFBF, EXCEPTIONS = 0x3F, MXCSR_MASKS_SHIFT = 7,
};

static struct thread_state *holder;         /* the thread whose values the registers have       */
static uint8_t  initial[FPU_BYTES] __attribute__((aligned(16)));
static uint32_t mxcsr_mask;                 /* [c] bits that the processor knows: others fault  */
static bool     has_sse;                    /* [c]                                              */

static void fpu_shut(void)
{
    uint32_t cr0;

    __asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
    if (!(cr0 & CR0_TASK_SWITCHED))
        __asm__ volatile("movl %0, %%cr0" : : "r"(cr0 | CR0_TASK_SWITCHED));
}

static void fpu_open(void) { __asm__ volatile("clts"); }

static void save_to(void *image)         { __asm__ volatile("fxsave (%0)" : : "r"(image) : "memory"); }

/*
 * AMD's processors neither store nor load the x87's last instruction and operand while no exception is pending: what
 * another thread left there would be this one's to read. So first the kernel's own take their place; on all processors,
 * as that costs three instructions of a switch (AMD APM vol. 2, "FXSAVE and FXRSTOR Instructions").
 *
 * An image that the processor refuses was corrected before; if one comes here, the thread gets a program's first
 * values.
 */
static void load_from(const void *image)
{
    __asm__ volatile("fnclex; emms; fildl %0" : : "m"(mxcsr_mask));
    __asm__ volatile("1:\tfxrstor (%0)\n\t"
                     "jmp 3f\n"
                     "2:\tfxrstor (%1)\n"
                     "3:\n\t"
                     MAY_FAULT("1b", "2b")
                     : : "r"(image), "r"(initial) : "memory");
}

static uint32_t *mxcsr_of(void *image) { return (uint32_t *)((uint8_t *)image + FXSAVE_MXCSR); }

/* Errors of the x87 raise an exception, not an interrupt line; a program may have alignment checked. */
static void switch_on(void)
{
    uint32_t cr0, cr4;

    has_sse = cpu_capabilities() & HAS_SSE;
    __asm__ volatile("movl %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("movl %0, %%cr4" : : "r"(cr4 | CR4_FXSR | (has_sse ? CR4_SIMD : 0)));
    __asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("movl %0, %%cr0" : : "r"((cr0 & ~CR0_EMULATE) | CR0_MONITOR | CR0_NUMERIC_ERROR | CR0_ALIGNMENT));
}

void fpu_start(void)
{
    uint32_t known;

    switch_on();
    fpu_open();
    __asm__ volatile("fninit");
    save_to(initial);
    known = *(uint32_t *)(initial + FXSAVE_MXCSR_MASK);
    mxcsr_mask = !has_sse ? 0 : known != 0 ? known : USUAL_MXCSR_MASK;     /* Intel SDM vol. 1, "MXCSR_MASK" */
    *(uint16_t *)initial = INITIAL_CONTROL;
    *mxcsr_of(initial) = INITIAL_MXCSR & mxcsr_mask;
    fpu_shut();
}

void fpu_image_begin(void *image) { memcpy(image, initial, FPU_BYTES); }
void fpu_image_tame(void *image)  { *mxcsr_of(image) &= mxcsr_mask; }

void fpu_take(struct thread_state *state)
{
    assert(state->fpu != NULL);
    fpu_open();
    if (holder == state)
        return;
    if (holder != NULL)
        save_to(holder->fpu);
    load_from(state->fpu);
    holder = state;
}

void fpu_switch(const struct thread_state *to)
{
    if (holder == to)
        fpu_open();
    else
        fpu_shut();
}

void fpu_write_back(struct thread_state *state)
{
    if (holder != state)
        return;
    fpu_open();
    save_to(state->fpu);
}

void fpu_forget(const struct thread_state *state)
{
    if (holder != state)
        return;
    holder = NULL;
    fpu_shut();
}

unsigned fpu_exceptions(const struct thread_state *state, bool simd)
{
    uint16_t control, status;
    uint32_t mxcsr;

    assert(holder == state);
    fpu_open();
    if (simd) {
        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        return mxcsr & ~(mxcsr >> MXCSR_MASKS_SHIFT) & EXCEPTIONS;
    }
    __asm__ volatile("fnstcw %0; fnstsw %1" : "=m"(control), "=m"(status));
    return (unsigned)(status & ~control & EXCEPTIONS);
}
