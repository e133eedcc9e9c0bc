/*
 * trap.c (i386) - who deals with a trap.
 */
#include "trap.h"
#include "base/check.h"
#include "descriptor.h"
#include "panic.h"
#include "pic.h"

struct line { void (*handler)(void *); void *argument; };

static trap_handler handlers[VECTORS];
static struct line  lines[LINES];
static uint32_t     spurious;

extern const struct { uint32_t at, way_out; } trap_ways_out[];     /* trap.S */

static const char *const names[TRAP_EXCEPTIONS] = {
    "divide error", "debug", "non-maskable interrupt", "breakpoint", "overflow", "bound range exceeded",
    "invalid opcode", "no coprocessor", "double fault", "coprocessor overrun", "invalid task state",
    "segment not present", "stack fault", "general protection", "page fault", "reserved exception",
    "floating-point error", "alignment check", "machine check", "vector floating-point error",
    "virtualization", "control protection",
};

const char *trap_name(unsigned vector)
{
    if (vector >= TRAP_EXCEPTIONS)
        return vector < TRAP_LINES + LINES ? "interrupt" : "software interrupt";
    return names[vector] ? names[vector] : "reserved exception";
}

static bool ignore(struct trap_frame *frame)
{
    (void)frame;
    spurious++;
    return true;
}

void traps_start(void)
{
    descriptors_start();
    pic_start(TRAP_LINES);
    trap_handle(TRAP_SPURIOUS, ignore);
}

void trap_handle(unsigned vector, trap_handler handler)
{
    assert(vector < VECTORS && !handlers[vector]);
    handlers[vector] = handler;
}

void interrupt_handle(unsigned line, void (*handler)(void *), void *argument)
{
    assert(line < LINES && !lines[line].handler);
    lines[line] = (struct line){ handler, argument };
    pic_open(line);
}

void interrupt_close(unsigned line)
{
    assert(line < LINES);
    pic_close(line);
    lines[line].handler = NULL;
}

uint32_t interrupts_spurious(void) { return spurious; }

static void interrupt(unsigned line)
{
    if (!pic_is_real(line)) {
        spurious++;
        return;
    }
    if (lines[line].handler)
        lines[line].handler(lines[line].argument);
    pic_end(line);
}

static bool take_way_out(struct trap_frame *frame)
{
    if (trap_from_user(frame))
        return false;
    for (unsigned i = 0; trap_ways_out[i].at; i++)
        if (trap_ways_out[i].at == frame->eip) {
            frame->eip = trap_ways_out[i].way_out;
            return true;
        }
    return false;
}

/* Called by trap.S for every vector but the double fault. */
void trap(struct trap_frame *frame);

void trap(struct trap_frame *frame)
{
    unsigned vector = frame->vector;

    if (vector >= TRAP_LINES && vector < TRAP_LINES + LINES)
        interrupt(vector - TRAP_LINES);
    else if (!(handlers[vector] && handlers[vector](frame)) && !take_way_out(frame))
        panic_trap(frame);
}
