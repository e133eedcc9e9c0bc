/*
 * call_arguments.h (i386) - where a system call's number, arguments and result are.
 *
 * Source   System V ABI is silent; Linux, syscall(2), "Architecture calling conventions".
 */
#ifndef QUIRE_LINUX_CALL_ARGUMENTS_H
#define QUIRE_LINUX_CALL_ARGUMENTS_H

#include "trap.h"

struct linux_arguments { uint32_t a, b, c, d, e, f; };

/* The number is kept in `error`, which INT does not use, for a call that has to be repeated. */
static inline uint32_t linux_registers_read(struct trap_frame *frame, struct linux_arguments *out)
{
    *out = (struct linux_arguments){ frame->ebx, frame->ecx, frame->edx, frame->esi, frame->edi, frame->ebp };
    frame->error = frame->eax;
    return frame->eax;
}

static inline void linux_registers_write(struct trap_frame *frame, long result) { frame->eax = (uint32_t)result; }

#endif
