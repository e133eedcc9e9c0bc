/*
 * fpu.h (i386) - the registers for floating point, and whose they are.
 *
 * They are given away lazily: they stay those of the thread that used them last, its *holder*, and the first use by
 * another traps (TRAP_NO_FPU), whose handler calls fpu_take(). Most threads never do. Between their turns the
 * registers are kept in an *image* of FPU_BYTES, in FXSAVE's form, aligned to 16; thread_state.fpu is a thread's,
 * NULL while it has never used them. Memory for images is the caller's business.
 *
 *   U1  the FPU is open (no use traps) only while the current thread is the holder
 *
 * Locking  interrupts may be on: an interrupt leaves the FPU as it is (page.c).
 * Source   Intel SDM vol. 1, "FXSAVE Area", "MXCSR_MASK"; vol. 3A, "Control Registers".
 */
#ifndef QUIRE_ARCH_FPU_H
#define QUIRE_ARCH_FPU_H

#include "thread.h"

/* Switch it on, and shut it. Once, before the first program. */
void fpu_start(void);

/* Fill an image with what a program finds at its start; take out of one that a program has written what would fault. */
void fpu_image_begin(void *image);
void fpu_image_tame(void *image);

/* The registers become this thread's, which is current and has an image. */
void fpu_take(struct thread_state *state);

/* Another thread is about to run: open for the holder, shut for others. */
void fpu_switch(const struct thread_state *to);

/* Bring the thread's image up to date, if its registers are in the processor. */
void fpu_write_back(struct thread_state *state);

/* What the processor has of this thread counts no more: its image does, from its next use on. */
void fpu_forget(const struct thread_state *state);

/*
 * Exceptions that the FPU of the current thread, its holder, has seen and that the program wants to hear of: the status
 * word's six bits (invalid, denormal, zero divide, overflow, underflow, precision), of the x87 or of SSE.
 */
unsigned fpu_exceptions(const struct thread_state *state, bool simd);

#endif
