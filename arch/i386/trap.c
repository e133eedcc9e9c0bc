/*
 * trap.c (i386) - from a vector to its handler. See trap.h.
 */
#include "trap.h"
#include "base/check.h"
#include "cpu.h"
#include "descriptor.h"
#include "pic.h"

struct line { void (*handler)(void *); void *argument; uint64_t taken; };

static trap_handler handlers[TRAP_RETURN + 1];
static struct line  lines[LINES];
static uint64_t taken;                  /* interrupts off */

/* The linker script has the borders. */
struct exception_row { uint32_t at, to; };
extern const struct exception_row exception_table[], exception_table_end[];

static bool take_interrupt(struct trap_frame *frame);

static bool ignore_spurious(struct trap_frame *frame)
{
    (void)frame;
    return true;
}

void traps_start(const struct trap_places *places)
{
    descriptors_start(places);
    pic_start(TRAP_LINES);
    trap_handle(TRAP_SPURIOUS, ignore_spurious);
    for (unsigned line = 0; line < LINES; line++)
        trap_handle(TRAP_LINES + line, take_interrupt);
}

void trap_handle(unsigned vector, trap_handler handler)
{
    assert(vector < COUNT_OF(handlers) && !handlers[vector]);
    handlers[vector] = handler;
}

bool interrupt_is_free(unsigned line) { return line < LINES && !lines[line].handler; }

void interrupt_handle(unsigned line, void (*handler)(void *), void *argument)
{
    assert(interrupt_is_free(line));
    lines[line] = (struct line){ handler, argument, lines[line].taken };
    pic_open(line);
}

/* Intel SDM vol. 3B, "Debug Registers": the processor sets bits and never clears them. */
bool trap_was_step(void)
{
    enum { STATUS_NOTHING = 0xFFFF0FF0, STATUS_STEP = 1 << 14 };
    uint32_t status;

    __asm__ volatile("movl %%dr6, %0" : "=r"(status));
    __asm__ volatile("movl %0, %%dr6" : : "r"(STATUS_NOTHING));
    return status & STATUS_STEP;
}

static uint64_t read_count(const uint64_t *count)
{
    unsigned long state = interrupts_off();
    uint64_t      sum   = *count;

    interrupts_restore(state);
    return sum;
}

uint64_t interrupts_taken(void) { return read_count(&taken); }

uint64_t interrupts_by(unsigned line)
{
    assert(line < LINES);
    return read_count(&lines[line].taken);
}

void interrupt_note(void) { taken++; }

/* The handler of the lines' vectors. */
static bool take_interrupt(struct trap_frame *frame)
{
    unsigned line = frame->vector - TRAP_LINES;

    if (!pic_is_real(line))
        return true;
    taken++;
    lines[line].taken++;
    if (lines[line].handler)
        lines[line].handler(lines[line].argument);
    pic_end(line);
    return true;
}

/* The address that probe_call() has called, 0: none. The instruction there is not the kernel's. */
uint32_t probe_target;
extern const uint8_t probe_call_failed[];       /* trap.S */

/* The address where an instruction of the kernel goes on after a fault; 0: it has no row. */
static uint32_t goes_on_at(uint32_t eip)
{
    if (probe_target != 0 && eip == probe_target)
        return (uint32_t)probe_call_failed;
    for (const struct exception_row *row = exception_table; row < exception_table_end; row++)
        if (row->at == eip)
            return row->to;
    return 0;
}

bool trap_may_fault(const struct trap_frame *frame)
{
    return !trap_from_user(frame) && goes_on_at(frame->eip) != 0;
}

/* kernel.ld: a row for each assertion of the kernel (assertion.h), or none. */
extern const struct failed_assertion assertions[], assertions_end[];
extern const uint8_t image_text_start[], image_text_end[];

static bool is_ud2(const struct trap_frame *frame)
{
    static const uint8_t ud2[] = { 0x0F, 0x0B };
    const uint8_t       *at    = pointer_to(frame->eip);

    return frame->vector == TRAP_INVALID_OPCODE && !trap_from_user(frame) && frame->eip >= PAGE_SIZE &&
           at >= image_text_start && at + sizeof ud2 <= image_text_end && at[0] == ud2[0] && at[1] == ud2[1];
}

/* In a kernel that has the rows, a UD2 without a row is no assertion; in a kernel without rows every UD2 is one. */
static void stop_if_assertion(const struct trap_frame *frame)
{
    const struct failed_assertion *row = assertions;

    if (!is_ud2(frame))
        return;
    while (row < assertions_end && row->at != frame->eip)
        row++;
    if (row < assertions_end)
        panic_assertion(row, frame->eip, frame->ebp);
    if (row == assertions)
        panic_assertion(NULL, frame->eip, frame->ebp);
}

/* No handler has handled it. */
static void __attribute__((cold, noinline)) go_on_elsewhere(struct trap_frame *frame)
{
    if (!trap_may_fault(frame)) {
        stop_if_assertion(frame);
        panic_trap(frame);
    }
    frame->eip = goes_on_at(frame->eip);
}

/*
 * The program's CS may be any number, and the frame is longer than thread_frame() takes it for: so of all handlers only
 * those of interrupts are called, and the program ends.
 */
static NORETURN void __attribute__((cold, noinline)) end_8086(struct trap_frame *frame)
{
    unsigned vector = frame->vector;

    if (vector >= TRAP_LINES && vector != TRAP_LINUX && handlers[vector])
        handlers[vector](frame);
    trap_leave_impossible();
}

/* Called by trap_common for every vector but the double fault. */
void trap(struct trap_frame *frame);

void trap(struct trap_frame *frame)
{
    unsigned vector = frame->vector;

    if (interrupts_were_on(frame->eflags))
        stretch_begins();                       /* the gate has turned interrupts off */
    if (trap_from_8086(frame))
        end_8086(frame);
    if (!(handlers[vector] && handlers[vector](frame)))
        go_on_elsewhere(frame);
    if (trap_from_user(frame))
        trap_leave(frame);
    else if (interrupts_were_on(frame->eflags)) {
        trap_leave_inside(frame);
        stretch_ends();                         /* IRET turns interrupts on */
    }
}
