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

/* sigreturn and rt_sigreturn: restore registers and mask from the frame. Returns eax; a bad frame raises SIGSEGV. */
long signal_frame_pop(struct trap_frame *frame);
long signal_frame_pop_rt(struct trap_frame *frame);

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
