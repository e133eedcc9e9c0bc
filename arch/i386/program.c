/*
 * program.c (i386) - what the traps of programs mean.
 */
#include "program.h"

#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "descriptor.h"
#include "linux/call.h"
#include "memory/spaces/fault.h"
#include "memory/frames/frame.h"
#include "memory/spaces/user.h"
#include "process/process.h"
#include "init/report.h"
#include "registers.h"

static uint8_t access_of(uint32_t error)
{
    return error & FAULT_WRITE ? MAY_WRITE : error & FAULT_FETCH ? MAY_EXECUTE : MAY_READ;
}

/*
 * No frame is left for a program: it ends, and the log says who had the memory. Not in line: each fault's frame would be
 * as large as this one.
 */
static void __attribute__((noinline)) out_of_memory(struct process *process)
{
    struct signal_info kill = { .number = SIGKILL };
    struct frame_sums  sums;
    char               line[256];
    int                used;

    frames_sums(&sums);
    used = format_text(line, sizeof line, "out of memory: process %d (%s) is killed; frames:", process->id, process->name);
    for (unsigned i = OWNER_FREE; i < OWNER_COUNT; i++)
        if (sums.owned[i] != 0 && (size_t)used < sizeof line)
            used += format_text(line + used, sizeof line - (size_t)used, " %s %u", owner_names[i], sums.owned[i]);
    if ((size_t)used < sizeof line)
        format_text(line + used, sizeof line - (size_t)used, ", in all %u", sums.ram);
    report_say(line);
    signal_fault(&kill);
}

/* Holes are nobody's: a null pointer points to no region, not to the kernel. */
static bool is_kernels(page_t page)
{
    return !page_is_users(page) && layout_region_of(page)->backing != BACKING_NONE;
}

/* The kernel while copying for the program, at the program's address. Where it has a space of its own there is none. */
static bool is_copying(const struct trap_frame *frame, page_t page)
{
    return !layout_kernel_has_own() && page_is_users(page) && trap_has_way_out(frame);
}

/* What the processor says of the fault goes to the last words, behind what the regions say (K23). */
static void add_error(struct fault_verdict *verdict, uint32_t error)
{
    size_t used = strlen(verdict->reason);

    if (used < sizeof verdict->reason)
        format_text(verdict->reason + used, sizeof verdict->reason - used, "; error code %x", error);
}

/* A fault of the program, or of the kernel while copying for it. */
static bool page_fault(struct trap_frame *frame)
{
    vaddr_t              address = trap_address();
    struct thread       *self    = current_thread();
    bool                 user    = trap_from_user(frame);
    struct fault_verdict verdict;
    int                  err;

    if (self->process == NULL || (!user && !is_copying(frame, page_of(address))))
        return false;
    if (!is_kernels(page_of(address))) {
        err = space_fault(&self->process->memory->space, address, access_of(frame->error), &verdict);
    } else {
        err = -EFAULT;
        verdict = (struct fault_verdict){ .signal = SIGSEGV, .code = 1, .address = address };   /* MAPERR, as Linux */
        format_text(verdict.reason, sizeof verdict.reason, "kernel memory");
    }
    self->used.faults_minor++;
    if (err == -ENOMEM)
        out_of_memory(self->process);
    if (err != 0 && user && err != -ENOMEM) {
        struct signal_info info = { .number = verdict.signal, .code = verdict.code, .address = address };

        add_error(&verdict, frame->error);
        process_note_fault(&verdict, registers_program_counter(frame));
        signal_fault(&info);
    }
    return err == 0 || user;
}

struct meaning { uint8_t vector; uint8_t signal; int16_t code; bool at_counter; };

/* Linux, arch/x86/kernel/traps.c's table of signals; code 128 is SI_KERNEL. */
static const struct meaning meanings[] = {
    { 0,  SIGFPE,  1,   true  },        /* FPE_INTDIV  */
    { 1,  SIGTRAP, 2,   true  },        /* TRAP_TRACE  */
    { 3,  SIGTRAP, 128, false },
    { 4,  SIGSEGV, 128, false },
    { 5,  SIGSEGV, 128, false },
    { 6,  SIGILL,  2,   true  },        /* ILL_ILLOPN  */
    { 9,  SIGFPE,  128, false },
    { 11, SIGBUS,  128, false },
    { 12, SIGBUS,  128, false },
    { 13, SIGSEGV, 128, false },
    { 16, SIGFPE,  8,   true  },        /* FPE_FLTINV at the least */
    { 17, SIGBUS,  1,   false },        /* BUS_ADRALN  */
    { 19, SIGFPE,  8,   true  },
};

static bool exception(struct trap_frame *frame)
{
    if (!trap_from_user(frame))
        return false;
    for (unsigned i = 0; i < COUNT_OF(meanings); i++) {
        const struct meaning *m = &meanings[i];

        if (m->vector == frame->vector) {
            struct signal_info info = { .number = m->signal, .code = m->code, .address = m->at_counter ? frame->eip : 0 };

            signal_fault(&info);
            return true;
        }
    }
    return false;
}

static bool system_call(struct trap_frame *frame)
{
    __asm__ volatile("sti");
    linux_dispatch(frame);
    __asm__ volatile("cli");
    return true;
}

/* -ERESTART* must never reach the program, also when the signal that caused it has gone elsewhere. */
static bool to_be_restarted(const struct trap_frame *frame)
{
    return frame->vector == TRAP_LINUX && -(int)frame->eax >= ERESTARTSYS && -(int)frame->eax <= ERESTART_RESTARTBLOCK;
}

void trap_leave(struct trap_frame *frame)
{
    struct thread *self = current_thread();

    while (signal_pending(self) || self->restore_mask || self->process->exiting || self->process->state == PROCESS_STOPPED ||
           to_be_restarted(frame)) {
        __asm__ volatile("sti");
        signal_deliver(frame);
        __asm__ volatile("cli");
    }
    schedule_preempt();
}

/* A fault that a copy for the program meets in its tables (K17: the kernel's space has no addresses of programs). */
static int mend_in_copy(struct space *space, vaddr_t address, uint8_t access)
{
    struct process      *process = current_process();
    struct fault_verdict verdict;
    int                  err = space_fault(space, address, access, &verdict);

    current_thread()->used.faults_minor++;
    if (err == -ENOMEM)
        out_of_memory(process);
    return err;
}

extern const struct way_out user_ways_out[];                        /* user_copy.S */

void programs_start(void)
{
    trap_for_programs(user_ways_out, trap_leave);
    user_mend_with(mend_in_copy);
    trap_handle(TRAP_PAGE_FAULT, page_fault);
    for (unsigned i = 0; i < COUNT_OF(meanings); i++)
        trap_handle(meanings[i].vector, exception);
    gate_allow_user(TRAP_BREAKPOINT);
    gate_allow_user(4);
    gate_allow_user(TRAP_LINUX);
    trap_handle(TRAP_LINUX, system_call);
}
