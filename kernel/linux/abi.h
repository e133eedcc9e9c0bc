/*
 * abi.h - what the families of calls ask of the interface's own folder, linux/i386, beside what process/abi.h asks of
 * it.
 *
 * Where a call's arguments are is call_arguments.h's affair, which that folder has too.
 *
 * Source   Linux uapi headers: asm/sigcontext.h, asm/ucontext.h, asm-generic/siginfo.h; signal(7).
 */
#ifndef QUIRE_LINUX_ABI_H
#define QUIRE_LINUX_ABI_H

#include "process/abi.h"

/* sigreturn and rt_sigreturn: registers and mask from the frame. Returns what eax is to be; a bad frame is SIGSEGV. */
long signal_frame_pop(struct trap_frame *frame);
long signal_frame_pop_rt(struct trap_frame *frame);

/* Linux's siginfo_t of a signal, 128 bytes. */
enum { SIGNAL_INFO_BYTES = 128 };
void signal_info_encode(uint32_t out[SIGNAL_INFO_BYTES / 4], const struct signal_info *info);

/* Linux's struct user_desc. */
struct tls_request {
    uint32_t entry, base, limit, flags;
};

/*
 * set_thread_area(2): entry -1 asks for a free one, whose number is stored. A TLS segment is a data segment of 32
 * bits that is there, or none at all. Returns 0, -EINVAL, -ESRCH.
 */
int  thread_set_tls(struct thread *thread, struct tls_request *request);
int  thread_get_tls(const struct thread *thread, struct tls_request *request);

#endif
