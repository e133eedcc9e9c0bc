/*
 * signal_frame.h (i386) - what a signal handler finds on its stack, to the byte as Linux puts it.
 *
 * Source   Linux uapi headers: asm/sigcontext.h, asm/ucontext.h, asm-generic/siginfo.h; signal(7).
 */
#ifndef QUIRE_ARCH_SIGNAL_FRAME_H
#define QUIRE_ARCH_SIGNAL_FRAME_H

#include "process/signal.h"

struct trap_frame;

/*
 * Put a frame on the program's stack and set its registers to run the handler. `mask` is what the handler's
 * return brings back. Returns 0, or -EFAULT when the stack cannot hold it (registers are unchanged).
 */
int signal_frame_push(struct trap_frame *frame, const struct signal_info *info, const struct signal_action *action,
                      uint64_t mask) __attribute__((warn_unused_result));

/* sigreturn and rt_sigreturn: registers and mask from the frame. Returns what eax is to be; a bad frame is SIGSEGV. */
long signal_frame_pop(struct trap_frame *frame);
long signal_frame_pop_rt(struct trap_frame *frame);

/* Linux's siginfo_t of a signal, 128 bytes. */
enum { SIGNAL_INFO_BYTES = 128 };
void signal_info_encode(uint32_t out[SIGNAL_INFO_BYTES / 4], const struct signal_info *info);

#endif
