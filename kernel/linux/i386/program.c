/*
 * program.c (i386) - traps of programs: page faults, other exceptions, and system calls.
 */
#include "process/abi.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "cpu.h"
#include "descriptor.h"
#include "fpu.h"
#include "linux/call.h"
#include "memory/frames/frame.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/user.h"
#include "process/last_resort.h"
#include "process/make_room.h"
#include "process/out_of_memory.h"
#include "process/process.h"
#include "process/torture.h"
#include "trap.h"

static uint8_t access_of(uint32_t error)
{
    return error & FAULT_WRITE ? MAY_WRITE : error & FAULT_FETCH ? MAY_EXECUTE : MAY_READ;
}

/*
 * An address in a hole of the document is not the kernel's, so that a null pointer is reported as one without region.
 */
static bool is_kernels(page_t page)
{
    return !page_is_users(page) && layout_region_of(page)->backing != BACKING_NONE;
}

/*
 * The kernel faulted while it copied for the program, at the program's address. With interrupts off, as under a lock,
 * no such fault is resolved (memory/spaces/user.h). A kernel that has a space of its own has no such addresses.
 */
static bool is_copying(const struct trap_frame *frame, page_t page)
{
    return !layout_kernel_has_own() && page_is_users(page) && trap_may_fault(frame) &&
           interrupts_were_on(frame->eflags);
}

/* Add the processor's error code to the last words, behind the regions' verdict (K23). */
static void add_error(struct fault_verdict *verdict, uint32_t error)
{
    size_t used;

    deep_assert(verdict != NULL);
    used = strlen(verdict->reason);
    if (used < sizeof verdict->reason)
        format_text(verdict->reason + used, sizeof verdict->reason - used, "; error code %x", error);
}

/* Store the exception's number and error code, which a handler of the signal finds in its frame. */
static void note_trap(uint32_t trap, uint32_t error)
{
    struct thread_state *machine = &current_thread()->machine;

    machine->trap  = trap;
    machine->error = error;
}

/*
 * The error code that Linux would give, wherever the layout has the kernel: as if no page below programs were mapped,
 * and each page above them were mapped for the kernel only.
 */
static uint32_t error_for_program(uint32_t error, page_t page)
{
    return page < layout.user.first ? error & ~(uint32_t)FAULT_PRESENT :
           page >= layout.user.end ? error | FAULT_PRESENT : error;
}

static inline int handle_fault(struct space *space, vaddr_t address, uint8_t access, struct fault_verdict *verdict)
{
    struct fault_repeat *repeat = &current_thread()->repeat;
    int                  err;

    deep_assert(space != NULL && verdict != NULL);
    if (IS_CHECKED)
        torture_fault(space, address);
    if (__builtin_expect(__atomic_load_n(&frames_wanted, __ATOMIC_RELAXED) != 0, 0))
        make_room_ahead();
    if (fault_comes_back(repeat, space, address, access))
        return program_fault_give_up(repeat, verdict);
    err = space_fault(space, address, access, verdict);
    if (err == 0)
        fault_handled(repeat, space);
    else
        fault_forget(repeat);
    return err;
}

/*
 * No frame was left: pages of programs go out (memory/pageout/hand.h), or, where none can, a process is ended for its
 * memory (process/out_of_memory.h), and the fault is tried again, unless this process is the one. Not in line, to keep
 * faults that get a frame fast.
 */
static int __attribute__((noinline)) handle_without_memory(vaddr_t address, uint8_t access,
                                                           struct fault_verdict *verdict)
{
    bool room = true;                           /* until the hand has gone round in vain */
    int  err  = -ENOMEM;

    deep_assert(verdict != NULL);
    for (bool first = true; err == -ENOMEM; first = false) {
        /* Another thread may have been told of this refusal, and made room: so the first time no process ends for it,
         * unless pages come back as fast as they go, and this one would only push out what the next fault wants. */
        room = room && room_was_made(err);
        if (!room && (!first || room_is_poor()) && !process_give_memory_back())
            break;
        err = handle_fault(&current_process()->memory->space, address, access, verdict);
    }
    return err;
}

static int __attribute__((noinline)) refuse_kernels(vaddr_t address, struct fault_verdict *verdict)
{
    *verdict = (struct fault_verdict){ .signal = SIGSEGV, .code = 1, .address = address };      /* MAPERR, as Linux */
    if (signal_fault_ends(SIGSEGV))
        format_text(verdict->reason, sizeof verdict->reason, "kernel memory");
    return -EFAULT;
}

static void signal_of_fault(const struct trap_frame *frame, vaddr_t address, struct fault_verdict *verdict)
{
    struct thread     *self = current_thread();
    struct signal_info info = { .number = verdict->signal, .code = verdict->code, .address = address };

    note_trap(TRAP_PAGE_FAULT, error_for_program(frame->error, page_of(address)));
    self->machine.fault_address = (uint32_t)address;
    signal_fault(&info);
    if (self->process->actions->action[info.number].handler == SIG_DFL) {       /* else no death is told */
        add_error(verdict, frame->error);
        process_note_fault(verdict, registers_program_counter(frame));
    }
}

/* The fault was not handled: tried again where memory was lacking, else the program's signal. */
static bool __attribute__((noinline)) fault_refused(struct trap_frame *frame, vaddr_t address,
                                                    struct fault_verdict *verdict, int err)
{
    bool user = trap_from_user(frame);

    deep_assert(err != 0 && verdict != NULL);
    if (err == -ENOMEM)
        err = handle_without_memory(address, access_of(frame->error), verdict);
    if (err != 0 && err != -ENOMEM && user)
        signal_of_fault(frame, address, verdict);
    return err == 0 || user;
}

/* A fault of the program, or of the kernel while copying for it. Interrupts were on, and are on here. */
static bool handle_page_fault(struct thread *self, struct trap_frame *frame, vaddr_t address)
{
    struct fault_verdict verdict;
    int                  err;

    deep_assert(frame != NULL && self->process != NULL);
    err = is_kernels(page_of(address))
              ? refuse_kernels(address, &verdict)
              : handle_fault(&self->process->memory->space, address, access_of(frame->error), &verdict);
    self->used.faults_minor++;
    return err == 0 || fault_refused(frame, address, &verdict, err);
}

static bool page_fault(struct trap_frame *frame)
{
    vaddr_t        address = trap_address();    /* before interrupts are on: another fault may change it */
    struct thread *self    = current_thread();
    bool           handled;

    deep_assert(frame != NULL);
    if (self->process == NULL || (!trap_from_user(frame) && !is_copying(frame, page_of(address))))
        return false;
    if (trap_from_user(frame))
        LEG_BEGINS();
    interrupts_on();
    handled = handle_page_fault(self, frame, address);
    interrupts_shut();
    return handled;
}

/* Codes of siginfo_t: sigaction(2). */
enum {
    CODE_KERNEL = 128, CODE_INT_DIVIDE = 1, CODE_FLT_DIVIDE = 3, CODE_FLT_OVERFLOW = 4, CODE_FLT_UNDERFLOW = 5,
    CODE_FLT_RESULT = 6, CODE_FLT_INVALID = 7, CODE_ILL_OPERAND = 2, CODE_ILL_STACK = 8, CODE_TRAP_BREAK = 1,
    CODE_TRAP_TRACE = 2, CODE_ALIGNMENT = 1,
};

/* The signal of each exception, as in Linux for i386, with the program counter as address or without address. */
struct meaning { uint8_t signal, code; bool at_counter; };

static const struct meaning meanings[TRAP_EXCEPTIONS] = {
    [0]  = { SIGFPE,  CODE_INT_DIVIDE,  true  },
    [3]  = { SIGTRAP, CODE_KERNEL,      false },
    [6]  = { SIGILL,  CODE_ILL_OPERAND, true  },
    [9]  = { SIGFPE,  CODE_KERNEL,      false },
    [11] = { SIGBUS,  CODE_KERNEL,      false },
    [12] = { SIGBUS,  CODE_KERNEL,      false },
    [17] = { SIGBUS,  CODE_ALIGNMENT,   false },
};
/* All other vectors: overflow, bounds, protection, a bad task, and vectors of later processors. */
static const struct meaning otherwise = { SIGSEGV, CODE_KERNEL, false };

static void tell_program(const struct trap_frame *frame, int number, int code, vaddr_t address)
{
    enum { LINUX_TRAP_RETURN = 32 };
    struct signal_info info = { .number = number, .code = code, .address = address };

    deep_assert(frame != NULL);
    note_trap(frame->vector == TRAP_RETURN ? LINUX_TRAP_RETURN : frame->vector, frame->error);
    signal_fault(&info);
}

static bool program_exception(struct trap_frame *frame)
{
    const struct meaning *m;

    deep_assert(frame != NULL);
    assert(frame->vector < TRAP_EXCEPTIONS);
    m = &meanings[frame->vector];
    if (!trap_from_user(frame))
        return false;
    if (m->signal == 0)
        m = &otherwise;
    tell_program(frame, m->signal, m->code, m->at_counter ? frame->eip : 0);
    return true;
}

/* A step of the trap flag, or the instruction ICEBP. */
static bool debug_exception(struct trap_frame *frame)
{
    deep_assert(frame != NULL);
    if (!trap_from_user(frame))
        return false;
    tell_program(frame, SIGTRAP, trap_was_step() ? CODE_TRAP_TRACE : CODE_TRAP_BREAK, frame->eip);
    return true;
}

static int floating_point_code(unsigned exceptions)
{
    enum { INVALID = 1, DENORMAL = 2, DIVIDE = 4, OVERFLOW = 8, UNDERFLOW = 16, PRECISION = 32 };

    return exceptions & INVALID ? CODE_FLT_INVALID : exceptions & DIVIDE ? CODE_FLT_DIVIDE :
           exceptions & OVERFLOW ? CODE_FLT_OVERFLOW : exceptions & (UNDERFLOW | DENORMAL) ? CODE_FLT_UNDERFLOW :
           exceptions & PRECISION ? CODE_FLT_RESULT : 0;
}

/* If the status word shows no exception any more the instruction is tried again. */
static bool floating_point_exception(struct trap_frame *frame)
{
    int code;

    deep_assert(frame != NULL);
    if (!trap_from_user(frame))
        return false;
    code = floating_point_code(fpu_exceptions(&current_thread()->machine, frame->vector == TRAP_SIMD));
    if (code != 0)
        tell_program(frame, SIGFPE, code, frame->eip);
    return true;
}

/* The return to the program (trap_frame.h) failed: its CS or SS is no valid selector for it. */
static bool bad_return_to_program(struct trap_frame *frame)
{
    deep_assert(frame != NULL);
    tell_program(frame, SIGILL, CODE_ILL_STACK, 0);
    return true;
}

static bool system_call(struct trap_frame *frame)
{
    deep_assert(frame != NULL);
    LEG_BEGINS();
    interrupts_on();
    linux_dispatch(frame);
    interrupts_shut();
    return true;
}

/* -ERESTART* must never reach the program, also when another thread has taken the signal that caused it. */
static bool to_be_restarted(const struct trap_frame *frame)
{
    return frame->vector == TRAP_LINUX && -(int)frame->eax >= ERESTARTSYS && -(int)frame->eax <= ERESTART_RESTARTBLOCK;
}

void trap_leave(struct trap_frame *frame)
{
    struct thread *self = current_thread();

    do          /* bound: interrupts are on in each step; what is left over, and other threads, may send signals */
        while (signal_pending(self) || self->restore_mask || self->process->exiting ||
               self->process->state == PROCESS_STOPPED || to_be_restarted(frame)) {
            interrupts_on();
            signal_deliver(frame);
            interrupts_shut();
        }
    while (schedule_preempt());
    LEG_ENDS();
    stretch_ends();                             /* the return to the program turns interrupts on */
}

/*
 * A copy from or to a program sleeps at a fault, so whoever copies has made sure that other threads may run meanwhile:
 * they may as well run at an interrupt there. Interrupts are on in no other code that may fault, but for the console's.
 */
void trap_leave_inside(const struct trap_frame *frame)
{
    if (schedule_due && current_thread()->process != NULL && trap_may_fault(frame))
        (void)schedule_preempt_now();
}

/* The program is in 8086 mode, to which the kernel does not return. */
void trap_leave_impossible(void)
{
    interrupts_on();
    process_exit_group(SIGSEGV);
}

/* A fault that a copy for the program meets in its tables (K17: the kernel's space has no addresses of programs). */
static int resolve_in_copy(struct space *space, vaddr_t address, uint8_t access)
{
    struct fault_verdict verdict;
    int                  err;

    deep_assert(space != NULL);
    err = handle_fault(space, address, access, &verdict);
    current_thread()->used.faults_minor++;
    return err == -ENOMEM ? handle_without_memory(address, access, &verdict) : err;
}

/*
 * Every exception that a program can raise has a handler. Those that report on the machine (NMI, machine check) and the
 * double fault are never caused by a program and end in a panic; "no coprocessor" is handled by thread.c.
 */
static bool is_exception_of_programs(unsigned vector)
{
    return vector != TRAP_DEBUG && vector != TRAP_NMI && vector != TRAP_NO_FPU && vector != TRAP_DOUBLE_FAULT &&
           vector != TRAP_PAGE_FAULT && vector != TRAP_X87 && vector != TRAP_MACHINE_CHECK && vector != TRAP_SIMD;
}

void programs_start(void)
{
    user_resolve_with(resolve_in_copy);
    fault_words_if(signal_fault_ends);
    for (unsigned vector = 0; vector < TRAP_EXCEPTIONS; vector++)
        if (is_exception_of_programs(vector))
            trap_handle(vector, program_exception);
    trap_handle(TRAP_DEBUG, debug_exception);
    trap_handle(TRAP_PAGE_FAULT, page_fault);
    trap_handle(TRAP_X87, floating_point_exception);
    trap_handle(TRAP_SIMD, floating_point_exception);
    trap_handle(TRAP_RETURN, bad_return_to_program);
    gate_allow_user(TRAP_BREAKPOINT);
    gate_allow_user(TRAP_OVERFLOW);
    gate_allow_user(TRAP_LINUX);
    trap_handle(TRAP_LINUX, system_call);
}
