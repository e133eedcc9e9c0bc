/*
 * registers.h (i386) - a program's registers, as the kernel's portable parts need them.
 *
 * Every port answers the same questions about its struct trap_frame.
 */
#ifndef QUIRE_ARCH_REGISTERS_H
#define QUIRE_ARCH_REGISTERS_H

#include "base/types.h"

struct trap_frame;
struct thread;

/* A new program: all registers zero but these. */
void registers_start(struct trap_frame *frame, vaddr_t entry, vaddr_t stack);

void registers_set_result(struct trap_frame *frame, long result);
void registers_set_stack(struct trap_frame *frame, vaddr_t stack);
vaddr_t registers_program_counter(const struct trap_frame *frame);
vaddr_t registers_stack(const struct trap_frame *frame);

/* The number of the system call that this trap was, -1 if it was none (or it has been dealt with). */
long registers_call(const struct trap_frame *frame);

enum restart_mode { RESTART_HANDLER_YES, RESTART_HANDLER_NO, RESTART_NO_HANDLER };

/* A call that ended with one of -ERESTART*: make the program repeat it, or see -EINTR. Others are left alone. */
void registers_restart(struct trap_frame *frame, long call, enum restart_mode how);

/* clone()'s TLS argument: an address of a user_desc on i386. Returns 0, -EFAULT, -EINVAL. */
int  thread_set_tls_from(struct thread *thread, vaddr_t argument) __attribute__((warn_unused_result));

/*
 * A program's first registers: it reaches its copy of the shared variables through a segment of the thread's, whose base is
 * the copy's distance from where they were linked (layouts/firmware/shared.h). The current thread's.
 */
void registers_set_shared(struct thread *thread, struct trap_frame *frame, vaddr_t distance);

/* AT_HWCAP: what CPUID says. */
uint32_t cpu_capabilities(void);

#endif
