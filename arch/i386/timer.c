/*
 * timer.c (i386) - the programmable interval timer.
 *
 * Mode 0, "interrupt on terminal count", serves both channels: the count goes on below 0, from the top again. Whether
 * that has happened is the channel's output: a PC shows channel 2's in the port that has its gate; a machine that has
 * no such port (QEMU's microvm) shows it by the read-back command, which some emulators (v86) lack.
 */
#include "timer.h"
#include "base/check.h"
#include "io.h"

enum { CHANNEL_0 = 0x40, CHANNEL_2 = 0x42, CONTROL = 0x43, GATE_PORT = 0x61 };
enum { ONE_SHOT_0 = 0x30, ONE_SHOT_2 = 0xB0, LATCH_2 = 0x80, READ_BACK_STATUS_2 = 0xE8, STATUS_OUTPUT = 0x80 };
enum { GATE_OPEN = 0x01, GATE_SPEAKER = 0x02, GATE_OUTPUT = 0x20, NO_PORT = 0xFF };

static void load_channel(uint16_t channel, uint32_t counts)
{
    port_write8(channel, (uint8_t)counts);
    port_write8(channel, (uint8_t)(counts >> 8));       /* 2^16 is written as 0 */
}

void timer_begin_reference(void)
{
    port_write8(GATE_PORT, (uint8_t)((port_read8(GATE_PORT) & ~(unsigned)GATE_SPEAKER) | GATE_OPEN));
    port_write8(CONTROL, ONE_SHOT_2);
    load_channel(CHANNEL_2, 0);
}

uint16_t timer_reference(void)
{
    uint16_t left;

    port_write8(CONTROL, LATCH_2);
    left = port_read8(CHANNEL_2);
    left = (uint16_t)(left | port_read8(CHANNEL_2) << 8);
    return (uint16_t)-left;
}

bool timer_reference_is_first_turn(void)
{
    uint8_t gate = port_read8(GATE_PORT);

    if (gate != NO_PORT)
        return (gate & GATE_OUTPUT) == 0;
    port_write8(CONTROL, READ_BACK_STATUS_2);
    return (port_read8(CHANNEL_2) & STATUS_OUTPUT) == 0;
}

void timer_set_alarm(uint32_t counts)
{
    assert(counts >= 1 && counts <= TIMER_MOST);
    port_write8(CONTROL, ONE_SHOT_0);
    load_channel(CHANNEL_0, counts);
}

/* A channel that has got its mode, but no count yet, does not count. */
void timer_stop(void) { port_write8(CONTROL, ONE_SHOT_0); }
