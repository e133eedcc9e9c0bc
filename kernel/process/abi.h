/*
 * abi.h - what processes ask of the programs' interface: registers, threads, frames for signal handlers.
 *
 * kernel/linux/i386 answers for programs of Linux i386; a second interface answers the same list in a folder of its
 * own. Declared here, below it, so that includes run down. What a thread keeps for the processor is
 * arch/<port>/thread.h.
 *
 * A thread's kernel stack has the trap frame of its program at the top: thread_frame(). Below it lie the calls that the
 * kernel was in when the thread gave way. Only the port and this interface know the frame's members (trap.h).
 *
 * Locking  none: unless a call says otherwise, it is about the current thread, or about a thread that does not run yet.
 */
#ifndef QUIRE_PROCESS_ABI_H
#define QUIRE_PROCESS_ABI_H

#include "base/types.h"
#include "process/signal.h"

struct trap_frame;
struct thread;

/* ---- Programs ------------------------------------------------------------------------------------ */

/* Handle programs' exceptions, page faults and system calls, and keep their FPU registers, from now on. Once. */
void programs_start(void);
void threads_start(void);

/* ---- A program's registers -------------------------------------------------------------------------- */

/* The registers of a new program: all zero but these two. */
void registers_start(struct trap_frame *frame, vaddr_t entry, vaddr_t stack);

void registers_set_result(struct trap_frame *frame, long result);
void registers_set_stack(struct trap_frame *frame, vaddr_t stack);
vaddr_t registers_program_counter(const struct trap_frame *frame);
vaddr_t registers_stack(const struct trap_frame *frame);

/* The number of the system call that this trap was; -1 if it was none, or the call has been finished. */
long registers_call(const struct trap_frame *frame);

enum restart_mode { RESTART_HANDLER_YES, RESTART_HANDLER_NO, RESTART_NO_HANDLER };

/* After a call that ended with one of -ERESTART*: make the program repeat it, or get -EINTR. Other results stay. */
void registers_restart(struct trap_frame *frame, long call, enum restart_mode how);

/*
 * A program's first registers: it reaches its copy of the shared variables through a segment of the thread's, whose
 * base is the copy's distance from where they were linked (layouts/firmware/shared.h). The current thread's.
 */
void registers_set_shared(struct thread *thread, struct trap_frame *frame, vaddr_t distance);

/* ---- Threads ------------------------------------------------------------------------------------- */

/* The program's registers. Only for a thread whose space is in use: its stack may be mapped nowhere else. */
struct trap_frame *thread_frame(const struct thread *thread);

/*
 * Make a thread that has a stack start in the program, with the registers of the current thread but for the result of
 * its call, 0, and the stack pointer unless `stack` is 0.
 */
void thread_prepare(struct thread *thread, vaddr_t stack);
/* Make a thread that has a stack run `body` in the kernel first, which sets its registers. */
void thread_prepare_inside(struct thread *thread, void (*body)(void));
/* Make a thread that has a stack start a program, with all registers zero but these two. */
void thread_prepare_program(struct thread *thread, vaddr_t entry, vaddr_t stack);

/* Save the thread `from`, and continue `to` in its own space. Interrupts are off. */
void thread_switch(struct thread *from, struct thread *to);

/* fork: TLS and FPU as the current thread has them. Returns 0 or -ENOMEM. */
int  thread_copy_state(struct thread *to) MUST_CHECK;
/* exec: TLS and FPU as at the start of a program. */
void thread_reset_state(void);
void thread_drop_state(struct thread *thread);

/* clone()'s TLS argument: an address of a user_desc on i386. Returns 0, -EFAULT, -EINVAL. */
int  thread_set_tls_from(struct thread *thread, vaddr_t argument) MUST_CHECK;

/* ---- Frames for signal handlers ------------------------------------------------------------------- */

/*
 * Put a frame on the program's stack and set its registers to run the handler. The handler's return sets the signal
 * mask to `mask` again. Returns 0, or -EFAULT when the stack cannot hold it (registers are unchanged). *place is where
 * the frame lies, or would.
 */
int signal_frame_push(struct trap_frame *frame, const struct signal_info *info, const struct signal_action *action,
                      uint64_t mask, vaddr_t *place) MUST_CHECK;

#endif
