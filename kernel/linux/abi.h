/*
 * abi.h - the functions of the interface's folder, linux/i386, that the families of calls use, beside process/abi.h's.
 *
 * Where a call's arguments are is in that folder's call_arguments.h.
 *
 * Source   Linux uapi headers: asm/sigcontext.h, asm/ucontext.h, asm-generic/siginfo.h; signal(7).
 */
#ifndef QUIRE_LINUX_ABI_H
#define QUIRE_LINUX_ABI_H

#include "process/abi.h"
#include "process/process.h"

/* sigreturn and rt_sigreturn: restore registers and mask from the frame. Returns eax; a bad frame raises SIGSEGV. */
long signal_frame_pop(struct trap_frame *frame);
long signal_frame_pop_rt(struct trap_frame *frame);

/*
 * sigaltstack(2), of the current thread, whose stack pointer is `stack`: Linux's stack_t, and what it asks. A thread
 * may set no other stack while it uses this one (-EPERM); other errors are -EINVAL and -ENOMEM, a stack that is too
 * small. With SS_AUTODISARM in alternate_flags a handler's entry forgets the stack, so none uses it.
 */
#define SS_AUTODISARM 0x80000000u
enum { SS_ONSTACK = 1, SS_DISABLE = 2 };
struct alternate_stack { uint32_t at, flags, bytes; };
int alternate_set(struct thread *thread, vaddr_t stack, const struct alternate_stack *wanted);

static inline bool alternate_has(const struct thread *thread, vaddr_t stack)           /* it points into it */
{
    return stack > thread->alternate_stack && stack - thread->alternate_stack <= thread->alternate_size;
}

static inline bool alternate_is_used(const struct thread *thread, vaddr_t stack)
{
    return thread->alternate_size != 0 && !(thread->alternate_flags & SS_AUTODISARM) && alternate_has(thread, stack);
}

/* Write a signal's information as Linux's siginfo_t, 128 bytes. */
enum { SIGNAL_INFO_BYTES = 128 };
void signal_info_encode(uint32_t out[SIGNAL_INFO_BYTES / 4], const struct signal_info *info);

/* Linux's struct user_desc. */
struct tls_request {
    uint32_t entry, base, limit, flags;
};

/*
 * set_thread_area(2), get_thread_area(2). Entry -1 asks for a free entry, whose number is stored. A TLS segment is a
 * present data segment of 32 bits, or empty. Returns 0, -EINVAL, -ESRCH.
 */
int  thread_set_tls(struct thread *thread, struct tls_request *request);
int  thread_get_tls(const struct thread *thread, struct tls_request *request);

#endif
