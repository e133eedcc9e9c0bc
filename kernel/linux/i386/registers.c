/*
 * registers.c (i386) - a program's registers.
 */
#include "linux/abi.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "descriptor.h"
#include "memory/spaces/user.h"
#include "process/process.h"
#include "trap.h"

enum { EFLAGS_START = 0x202, CALL_INSTRUCTION = 2, CALL_RESTART = 0 };

void registers_start(struct trap_frame *frame, vaddr_t entry, vaddr_t stack)
{
    deep_assert(frame != NULL);
    memset(frame, 0, sizeof *frame);
    frame->ds = frame->es = frame->ss = USER_DATA;
    frame->cs     = USER_CODE;
    frame->eip    = (uint32_t)entry;
    frame->esp    = (uint32_t)stack;
    frame->eflags = EFLAGS_START;
    frame->vector = TRAP_NONE;                  /* not a call any more: no call is restarted */
}

void registers_set_result(struct trap_frame *frame, long result)    { frame->eax = (uint32_t)result; }
void registers_set_stack(struct trap_frame *frame, vaddr_t stack)   { frame->esp = (uint32_t)stack; }
vaddr_t registers_program_counter(const struct trap_frame *frame)   { return frame->eip; }
vaddr_t registers_stack(const struct trap_frame *frame)             { return frame->esp; }

/* linux_dispatch() keeps the number in `error`, which an INT does not use. */
long registers_call(const struct trap_frame *frame)
{
    return frame->vector == TRAP_LINUX ? (long)frame->error : -1;
}

static void repeat_call(struct trap_frame *frame, uint32_t number)
{
    deep_assert(frame != NULL);
    frame->eax  = number;
    frame->eip -= CALL_INSTRUCTION;
}

void registers_restart(struct trap_frame *frame, long call, enum restart_mode how)
{
    int  err;
    bool again;

    deep_assert(frame != NULL);
    err   = -(int)frame->eax;
    again = how == RESTART_NO_HANDLER || err == ERESTARTNOINTR || (err == ERESTARTSYS && how == RESTART_HANDLER_YES);
    if (err != ERESTARTSYS && err != ERESTARTNOINTR && err != ERESTARTNOHAND && err != ERESTART_RESTARTBLOCK)
        return;
    if (!again)
        frame->eax = (uint32_t)-EINTR;
    else
        repeat_call(frame, err == ERESTART_RESTARTBLOCK ? CALL_RESTART : (uint32_t)call);
    frame->vector = TRAP_NONE;
}

int thread_set_tls_from(struct thread *thread, vaddr_t argument)
{
    struct tls_request request;
    int                err = user_read(&request, argument, sizeof request);

    deep_assert(thread != NULL);
    return err != 0 ? err : thread_set_tls(thread, &request);
}

void registers_set_shared(struct thread *thread, struct trap_frame *frame, vaddr_t distance)
{
    enum { FLAT = 0xFFFFF, WIDE = 1, BY_PAGE = 16, USABLE = 64, PROGRAMS = 3 };
    struct tls_request request = { .entry = TLS_FIRST, .base = (uint32_t)distance, .limit = FLAT,
                                   .flags = WIDE | BY_PAGE | USABLE };
    int                err = thread_set_tls(thread, &request);

    assert(err == 0);                           /* the first slot of a new thread */
    frame->gs = TLS_FIRST << 3 | PROGRAMS;
}
