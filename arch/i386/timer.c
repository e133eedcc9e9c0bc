/*
 * timer.c (i386) - a steady tick from the programmable interval timer.
 */
#include "timer.h"
#include "base/check.h"
#include "io.h"
#include "trap.h"

enum { CHANNEL_0 = 0x40, CONTROL = 0x43, RATE_GENERATOR = 0x34, DIVISOR_MOST = 65535 };

static volatile uint32_t ticks;
static void            (*on_tick)(void);

static void count_tick(void *unused)
{
    (void)unused;
    ticks++;
    if (on_tick)
        on_tick();
}

void timer_start(uint32_t hertz, void (*callback)(void))
{
    uint32_t divisor = TIMER_CLOCK / hertz;

    assert(divisor > 1 && divisor <= DIVISOR_MOST);
    ticks = 0;
    on_tick = callback;
    port_write8(CONTROL, RATE_GENERATOR);
    port_write8(CHANNEL_0, (uint8_t)divisor);
    port_write8(CHANNEL_0, (uint8_t)(divisor >> 8));
    interrupt_handle(TIMER_LINE, count_tick, NULL);
}

uint32_t timer_ticks(void) { return ticks; }
