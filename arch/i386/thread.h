/*
 * thread.h (i386) - what the processor keeps for a thread, and going from one to another.
 *
 * A thread's kernel stack ends (at the top) with the trap frame of its program: thread_frame(). Below it
 * lies what the kernel was doing when the thread gave way.
 *
 * The FPU is given away lazily: the registers stay those of the thread that used them last, and the
 * first use by another traps. Most threads never do.
 */
#ifndef QUIRE_ARCH_THREAD_H
#define QUIRE_ARCH_THREAD_H

#include "base/types.h"

struct thread;
struct trap_frame;

enum { TLS_SLOTS = 3, TLS_FIRST = 6, FPU_BYTES = 512 };        /* GDT entries 6, 7, 8 */

struct thread_state {
    uint32_t stack_pointer;             /* while another thread runs                          */
    uint32_t tls[TLS_SLOTS][2];         /* segment descriptors                                */
    void    *fpu;                       /* FPU_BYTES from the heap, NULL until first used      */
    uint32_t trap, error, fault_address;    /* of its last exception that became a signal, for handlers: Linux's numbers */
};

/* Linux's struct user_desc. */
struct tls_request {
    uint32_t entry, base, limit, flags;
};

void threads_start(void);

/* The program's registers. Only for a thread whose space is in use: its stack may be mapped nowhere else. */
struct trap_frame *thread_frame(const struct thread *thread);

/*
 * Make a thread that has a stack start in the program, with the registers of the current thread but for the result of
 * its call, 0, and the stack pointer unless `stack` is 0.
 */
void thread_prepare(struct thread *thread, vaddr_t stack);
/* Make it do something for the kernel first, in the course of which its registers are set. */
void thread_prepare_inside(struct thread *thread, void (*body)(void));
/* The same for a program at its very beginning, all registers zero but these two. */
void thread_prepare_program(struct thread *thread, vaddr_t entry, vaddr_t stack);

/* Save this, continue that, in its own space. Interrupts are off. */
void thread_switch(struct thread *from, struct thread *to);

/* fork: TLS and FPU as the current thread has them. Returns 0 or -ENOMEM. */
int  thread_copy_state(struct thread *to) __attribute__((warn_unused_result));
/* exec: TLS and FPU as at the start of a program. */
void thread_reset_state(void);
void thread_drop_state(struct thread *thread);

/*
 * set_thread_area(2): entry -1 asks for a free one, whose number is stored. A TLS segment is a data segment of 32 bits that
 * is there, or none at all. Returns 0, -EINVAL, -ESRCH.
 */
int  thread_set_tls(struct thread *thread, struct tls_request *request);
int  thread_get_tls(const struct thread *thread, struct tls_request *request);

/* The FPU's registers of the current thread, in FXSAVE form, out of the processor and into memory; and back. */
bool thread_fpu_save(void *out);            /* false: this thread has never used it */
int  thread_fpu_load(const void *from);     /* 0 or -ENOMEM; any bytes are taken    */
void thread_fpu_reset(void);                /* as at the start of a program         */

/*
 * Exceptions that the current thread's FPU has seen and that its program wants to hear of: the status word's six bits
 * (invalid, denormal, zero divide, overflow, underflow, precision), of the x87 or of SSE.
 */
unsigned thread_fpu_exceptions(bool simd);

#endif
