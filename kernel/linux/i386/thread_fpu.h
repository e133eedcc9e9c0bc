/*
 * thread_fpu.h (i386) - the FPU's registers of the current thread, for the frames of its signal handlers.
 */
#ifndef QUIRE_LINUX_THREAD_FPU_H
#define QUIRE_LINUX_THREAD_FPU_H

#include "base/types.h"

/* The registers in FXSAVE form, copied out of the processor; and back into it. */
bool thread_fpu_is_used(void);                          /* this thread has ever used it   */
bool thread_fpu_save(void *out);                        /* false: this thread has never used it */
int  thread_fpu_load(const void *from) MUST_CHECK;      /* 0 or -ENOMEM; any bytes are taken    */
void thread_fpu_reset(void);                            /* as at the start of a program         */

#endif
