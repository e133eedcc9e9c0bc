/*
 * trap_report.c (i386) - the description of a trap, for a panic.
 */
#include "trap.h"

#include "base/lock.h"
#include "base/print.h"
#include "descriptor.h"

static const char *const names[TRAP_EXCEPTIONS] = {
    "divide error", "debug", "non-maskable interrupt", "breakpoint", "overflow", "bound range exceeded",
    "invalid opcode", "no coprocessor", "double fault", "coprocessor overrun", "invalid task state",
    "segment not present", "stack fault", "general protection", "page fault", "reserved exception",
    "floating-point error", "alignment check", "machine check", "vector floating-point error",
    "virtualization", "control protection",
};

static const char *trap_name(unsigned vector)
{
    if (vector == TRAP_RETURN)
        return "return to a program";
    if (vector >= TRAP_EXCEPTIONS)
        return vector < TRAP_LINES + LINES ? "interrupt" : "software interrupt";
    return names[vector] ? names[vector] : "reserved exception";
}

void trap_describe(const struct trap_frame *frame, char *out, size_t size)
{
    if (frame->vector == TRAP_PAGE_FAULT)
        format_text(out, size, "page fault: %s%s at %08lx, %s", trap_from_user(frame) ? "a program's " : "",
                    frame->error & FAULT_FETCH ? "execution" : frame->error & FAULT_WRITE ? "write" : "read",
                    (unsigned long)trap_address(), frame->error & FAULT_PRESENT ? "not allowed" : "not mapped");
    else if (frame->vector == TRAP_DOUBLE_FAULT)
        format_text(out, size, "double fault");
    else
        format_text(out, size, "%s (vector %u, error code %x)", trap_name(frame->vector), frame->vector, frame->error);
}

bool trap_is_double_fault(const struct trap_frame *frame) { return frame->vector == TRAP_DOUBLE_FAULT; }

bool trap_has_address(const struct trap_frame *frame)
{
    return frame->vector == TRAP_PAGE_FAULT || frame->vector == TRAP_DOUBLE_FAULT;
}

vaddr_t trap_counter(const struct trap_frame *frame)       { return frame->eip; }
vaddr_t trap_frame_pointer(const struct trap_frame *frame) { return frame->ebp; }

/* For a trap from the kernel the processor saves no stack pointer: the stack ends where the frame does. */
vaddr_t trap_stack_pointer(const struct trap_frame *frame)
{
    return trap_from_user(frame) || frame->vector == TRAP_DOUBLE_FAULT ? frame->esp : (vaddr_t)&frame->esp;
}

void trap_print_registers(const struct trap_frame *frame)
{
    print("\n  eax %08x  ebx %08x  ecx %08x  edx %08x  eflags %08x\n", frame->eax, frame->ebx, frame->ecx, frame->edx,
          frame->eflags);
    print("  esi %08x  edi %08x  ebp %08x  esp %08lx  cs %04x\n", frame->esi, frame->edi, frame->ebp,
          (unsigned long)trap_stack_pointer(frame), frame->cs & 0xFFFF);
}

bool trap_caller(vaddr_t *frame_pointer, vaddr_t *return_to)
{
    vaddr_t  frame = *frame_pointer;
    uint32_t before, back;

    if (frame % sizeof before != 0 || !probe_read(frame, &before) || !probe_read(frame + sizeof before, &back))
        return false;
    *frame_pointer = before;
    *return_to     = back;
    return back != 0;
}

/* The double fault's task (trap.S). The interrupted registers are in the kernel's task-state segment. */
void double_fault(void) NORETURN;

void double_fault(void)
{
    const struct task_state *task  = kernel_task();
    struct trap_frame        frame = {
        .vector = TRAP_DOUBLE_FAULT, .eip = task->eip, .cs = task->cs, .eflags = task->eflags, .esp = task->esp,
        .eax = task->eax, .ebx = task->ebx, .ecx = task->ecx, .edx = task->edx, .esi = task->esi,
        .edi = task->edi, .ebp = task->ebp,
    };

    locks_ignore();
    panic_trap(&frame);
}
