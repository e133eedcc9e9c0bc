/*
 * stretch.c (i386) - how long interrupts are off at a stretch, and how long the legs are, in checked builds.
 *
 * A stretch begins where interrupts that were on go off, by CLI or by an interrupt gate, and ends where they go on
 * again. The time-stamp counter measures it: under QEMU's instruction clock (-icount shift=0) that counts instructions,
 * those of the measurement itself among them. Interrupts are off in what measures stretches, and no interrupt and no
 * other thread comes to what measures legs, so no lock is needed.
 */
#include "arch/contract.h"

#include "base/check.h"
#include "cpu.h"

#if IS_CHECKED

struct meter { uint64_t since; struct stretch longest; };       /* since: 0 while nothing is measured */

static struct meter stretch, leg;

static void meter_begin(struct meter *meter) { meter->since = cpu_ticks(); }

/* The callers at the end of a stretch, for instance of lock_drop(), show best why it was long. */
static void __attribute__((noinline)) meter_end(struct meter *meter, vaddr_t frame)
{
    uint64_t ticks = meter->since != 0 ? cpu_ticks() - meter->since : 0;

    meter->since = 0;
    if (ticks <= meter->longest.ticks)
        return;
    meter->longest = (struct stretch){ .ticks = ticks };
    for (unsigned i = 0; i < STRETCH_CALLERS && trap_caller(&frame, &meter->longest.callers[i]); i++)
        ;
}

static void meter_forget(struct meter *meter)
{
    unsigned long state = interrupts_off();

    meter->longest = (struct stretch){ 0 };
    interrupts_restore(state);
}

static bool meter_longest(const struct meter *meter, struct stretch *out)
{
    unsigned long state = interrupts_off();

    *out = meter->longest;
    interrupts_restore(state);
    return true;
}

void stretch_begins(void) { meter_begin(&stretch); }
void __attribute__((noinline)) stretch_ends(void) { meter_end(&stretch, address_of(__builtin_frame_address(0))); }
bool stretch_longest(struct stretch *out) { return meter_longest(&stretch, out); }
void stretch_forget(void) { meter_forget(&stretch); }

void leg_begins(void) { meter_begin(&leg); }
void __attribute__((noinline)) leg_ends(void) { meter_end(&leg, address_of(__builtin_frame_address(0))); }
bool leg_longest(struct stretch *out) { return meter_longest(&leg, out); }
void leg_forget(void) { meter_forget(&leg); }

#else

bool stretch_longest(struct stretch *out)
{
    *out = (struct stretch){ 0 };
    return false;
}

bool leg_longest(struct stretch *out) { return stretch_longest(out); }
void stretch_forget(void) {}
void leg_forget(void) {}

#endif
