/*
 * fpu.h (i386) - the registers for floating point, and their holder.
 *
 * They are given to threads lazily: they keep the values of the thread that used them last, their *holder*. The first
 * use by another thread traps (TRAP_NO_FPU), and the handler calls fpu_take(). Most threads never use them. The values
 * of threads that are not the holder are in an *image* of FPU_BYTES, in FXSAVE's form, aligned to 16: thread_state.fpu,
 * NULL while the thread has never used the FPU. The caller allocates images. A thread finds nothing in the registers
 * that another has left there, also where the processor loads the x87's last instruction and operand only sometimes.
 *
 *   U1  the FPU is open (no use traps) only while the current thread is the holder
 *
 * Locking  interrupts may be on: an interrupt leaves the FPU as it is (page.c).
 * Source   Intel SDM vol. 1, "FXSAVE Area", "MXCSR_MASK"; vol. 3A, "Control Registers"; AMD APM vol. 2, "FXSAVE and
 *          FXRSTOR Instructions".
 */
#ifndef QUIRE_ARCH_FPU_H
#define QUIRE_ARCH_FPU_H

#include "thread.h"

/* Switch the FPU on, and shut it. Once, before the first program. */
void fpu_start(void);

/*
 * Fill an image with a program's first values; clear the bits that would fault in an image that a program has written.
 */
void fpu_image_begin(void *image);
void fpu_image_tame(void *image);

/* Give the registers to this thread, which is current and has an image. */
void fpu_take(struct thread_state *state);

/* Another thread is about to run: open the FPU for the holder, shut it for others. */
void fpu_switch(const struct thread_state *to);

/* Write the registers to the thread's image, if the thread is the holder. */
void fpu_write_back(struct thread_state *state);

/* Drop this thread's values in the processor: its next use loads its image. */
void fpu_forget(const struct thread_state *state);

/*
 * The exceptions of the FPU that are raised and not masked, where the current thread is the holder: the status word's
 * six bits (invalid, denormal, zero divide, overflow, underflow, precision), of the x87 or of SSE.
 */
unsigned fpu_exceptions(const struct thread_state *state, bool simd);

#endif
