/*
 * alarm.c (i386) - alarms: by the local APIC's timer where its registers can be reached, else by the interval timer.
 *
 * The latter cannot look further than 55 ms ahead: what is later is waited for in parts, each of which rings. It serves
 * for the first quarter of a second everywhere, while the APIC's timer counts and is watched.
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

/* Rounded up: an alarm in time is worth more than two. */
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
