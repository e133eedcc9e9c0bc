/*
 * alarm.c (i386) - alarms: by the local APIC's timer where its registers can be reached, else by the interval timer.
 *
 * The interval timer cannot be set further than 55 ms ahead: a later moment is waited for in parts, which all ring. It
 * serves for the first quarter of a second on every machine, while the speed of the APIC's timer is learnt.
 */
#include "arch/contract.h"

#include "apic.h"
#include "clock.h"
#include "cpu.h"
#include "timer.h"

static void (*on_ring)(void);
static bool has_apic, by_apic;

paddr_t alarm_registers(void) { return apic_place(); }

static void ring_timer(void *unused)
{
    (void)unused;
    on_ring();
}

void alarm_start(volatile void *registers, void (*ring)(void))
{
    unsigned long state = interrupts_off();

    on_ring  = ring;
    has_apic = registers != NULL;
    clock_settle();
    timer_stop();
    interrupt_handle(TIMER_LINE, ring_timer, NULL);
    if (has_apic)
        apic_start(registers, ring);
    interrupts_restore(state);
}

/* Rounded up: an alarm that is a count late costs less than one that is early and has to be set again. */
static uint32_t timer_counts(uint64_t nanoseconds)
{
    enum { FARTHEST = 54000000 };
    uint32_t near = nanoseconds < FARTHEST ? (uint32_t)nanoseconds : FARTHEST;

    return (uint32_t)((uint64_t)near * TIMER_CLOCK / 1000000000) + 1;
}

void alarm_set(uint64_t moment)
{
    unsigned long state = interrupts_off();
    uint64_t      now   = clock_counter(), left = moment > now ? moment - now : 0;

    if (has_apic && !by_apic && apic_is_known(now)) {
        by_apic = true;
        timer_stop();
    }
    if (by_apic)
        apic_set_alarm(now, left);
    else
        timer_set_alarm(timer_counts(left));
    clock_improve(now);
    interrupts_restore(state);
}
