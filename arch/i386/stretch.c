/*
 * stretch.c (i386) - how long interrupts are off at a stretch, in checked builds.
 *
 * A stretch begins where interrupts that were on go off, by CLI or by an interrupt gate, and ends where they go on
 * again. The time-stamp counter measures it: under QEMU's instruction clock (-icount shift=0) that counts instructions,
 * those of the measurement itself among them. Interrupts are off in all these functions, so no lock is needed.
 */
#include "arch/contract.h"

#include "base/check.h"
#include "cpu.h"

#if IS_CHECKED

static uint64_t       since;                    /* 0: interrupts are on, as far as is known */
static struct stretch longest;

void stretch_begins(void)
{
    since = cpu_ticks();
}

/* The callers at the end of a stretch, for instance of lock_drop(), show best why it was long. */
void __attribute__((noinline)) stretch_ends(void)
{
    uint64_t ticks = since != 0 ? cpu_ticks() - since : 0;
    vaddr_t  frame = address_of(__builtin_frame_address(0));

    since = 0;
    if (ticks <= longest.ticks)
        return;
    longest = (struct stretch){ .ticks = ticks };
    for (unsigned i = 0; i < STRETCH_CALLERS && trap_caller(&frame, &longest.callers[i]); i++)
        ;
}

bool stretch_longest(struct stretch *out)
{
    unsigned long state = interrupts_off();

    *out = longest;
    interrupts_restore(state);
    return true;
}

void stretch_forget(void)
{
    unsigned long state = interrupts_off();

    longest = (struct stretch){ 0 };
    interrupts_restore(state);
}

#else

bool stretch_longest(struct stretch *out)
{
    *out = (struct stretch){ 0 };
    return false;
}

void stretch_forget(void) {}

#endif
