/*
 * trap.c (i386) - who deals with a trap.
 */
#include "trap.h"
#include "base/check.h"
#include "cpu.h"
#include "descriptor.h"
#include "panic.h"
#include "pic.h"

struct line { void (*handler)(void *); void *argument; };

static trap_handler handlers[VECTORS];
static struct line  lines[LINES];
static uint32_t     spurious;
static uint64_t taken;                  /* interrupts off */

enum { WAYS_OUT_TABLES = 2 };

extern const struct way_out trap_ways_out[];                        /* trap.S */
static const struct way_out *ways_out[WAYS_OUT_TABLES] = { trap_ways_out };
static void                (*leave)(struct trap_frame *);

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

uint64_t interrupts_taken(void)
{
    unsigned long state = interrupts_off();
    uint64_t      sum   = taken;

    interrupts_restore(state);
    return sum;
}

static void interrupt(unsigned line)
{
    if (!pic_is_real(line)) {
        spurious++;
        return;
    }
    taken++;
    if (lines[line].handler)
        lines[line].handler(lines[line].argument);
    pic_end(line);
}

/* What probe_call() has called, 0 if nothing: the instruction that faults then is not the kernel's. */
uint32_t probe_target;
extern const uint8_t probe_call_failed[];       /* trap.S */

static const struct way_out *find_way_out(uint32_t eip)
{
    static struct way_out from_probe;

    if (probe_target != 0 && eip == probe_target) {
        from_probe = (struct way_out){ eip, (uint32_t)probe_call_failed };
        return &from_probe;
    }
    for (unsigned t = 0; t < WAYS_OUT_TABLES && ways_out[t] != NULL; t++)
        for (const struct way_out *way = ways_out[t]; way->at != 0; way++)
            if (way->at == eip)
                return way;
    return NULL;
}

void trap_for_programs(const struct way_out *table, void (*on_leave)(struct trap_frame *))
{
    ways_out[1] = table;
    leave       = on_leave;
}

bool trap_has_way_out(const struct trap_frame *frame)
{
    return !trap_from_user(frame) && find_way_out(frame->eip) != NULL;
}

static bool take_way_out(struct trap_frame *frame)
{
    if (!trap_has_way_out(frame))
        return false;
    frame->eip = find_way_out(frame->eip)->to;
    return true;
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
    if (trap_from_user(frame))
        leave(frame);
}
