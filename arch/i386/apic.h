/*
 * apic.h (i386) - the local APIC: its way for the 8259s' requests, which boot/ opens, and its timer, for alarms.
 *
 * The timer counts down from what it is set to, once, and raises the vector TRAP_ALARM. Its speed is given nowhere.
 * Only a lower bound is known, which each reading of the counter after a known time can raise: an alarm set by the
 * bound rings early rather than late, and less early the better the bound is.
 *
 * Locking  interrupts off.
 * Source   Intel SDM vol. 3A, "Advanced Programmable Interrupt Controller".
 */
#ifndef QUIRE_ARCH_APIC_H
#define QUIRE_ARCH_APIC_H

#include "cpuid.h"

/* Byte offsets of registers, which are words. */
#define APIC_END            0x0B0
#define APIC_SPURIOUS       0x0F0
#define APIC_TIMER          0x320
#define APIC_LINE_0         0x350
#define APIC_INITIAL        0x380
#define APIC_CURRENT        0x390
#define APIC_DIVIDE         0x3E0

#define APIC_ON             (1u << 8)       /* in APIC_SPURIOUS, beside its vector             */
#define APIC_EXTERNAL       (7u << 8)       /* in APIC_LINE_0: an 8259 says the vector          */
#define APIC_BY_128         0xAu            /* in APIC_DIVIDE                                   */

/* The physical address of its registers; 0: there is no APIC, it is off, or its registers are not memory there. */
#define APIC_PLACE          0xFEE00000u
static inline uint32_t apic_place(void)
{
    enum { HAS_APIC = 1 << 9, BASE_REGISTER = 0x1B, ENABLED = 1 << 11, NO_MEMORY = 1 << 10 };
    uint32_t low, high;

    if (!(cpuid(1).d & HAS_APIC))
        return 0;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(BASE_REGISTER));
    return (low & (ENABLED | NO_MEMORY)) == ENABLED && high == 0 && (low & ~0xFFFu) == APIC_PLACE ? APIC_PLACE : 0;
}

/*
 * Once, with the registers' address in kernel space (not NULL) and the clock running: the timer begins to count, so
 * that its speed can be learnt. `ring` is called at each alarm, in the interrupt.
 */
void apic_start(volatile uint32_t *registers, void (*ring)(void));

/* Whether the bound can be used: a quarter of a second after apic_start(). Once true, true for ever. */
bool apic_is_known(uint64_t now);

/*
 * Ring `nanoseconds`, at most 64 s, and a microsecond after `now` (clock_counter()) instead of at the moment set
 * before; or earlier, see above. apic_is_known() has been true.
 */
void apic_set_alarm(uint64_t now, uint64_t nanoseconds);

#endif
