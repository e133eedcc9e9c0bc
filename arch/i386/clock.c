/*
 * clock.c (i386) - time from the interval timer and the real-time clock.
 */
#include "arch/contract.h"

#include "base/divide.h"
#include "io.h"
#include "timer.h"

enum { HERTZ = 100, COUNTS = TIMER_CLOCK / HERTZ, TICK_NS = 10000000 };
enum { CHANNEL_0 = 0x40, CONTROL = 0x43, LATCH_0 = 0x00 };
enum { RTC_INDEX = 0x70, RTC_DATA = 0x71 };
enum { RTC_SECONDS = 0, RTC_MINUTES = 2, RTC_HOURS = 4, RTC_DAY = 7, RTC_MONTH = 8, RTC_YEAR = 9, RTC_STATUS_A = 10,
       RTC_STATUS_B = 11, RTC_UPDATING = 0x80, RTC_BINARY = 4, RTC_24_HOURS = 2, RTC_AFTERNOON = 0x80,
                      RTC_TRIES = 100000 };

static bool started;

void clock_tick(void (*tick)(void))
{
    timer_start(HERTZ, tick);
    started = true;
}

uint64_t clock_counter(void)
{
    uint32_t left, gone;

    if (!started)
        return 0;
    port_write8(CONTROL, LATCH_0);
    left  = port_read8(CHANNEL_0);
    left |= (uint32_t)port_read8(CHANNEL_0) << 8;
    gone  = left < COUNTS ? COUNTS - left : 0;
    return (uint64_t)timer_ticks() * TICK_NS + (uint64_t)gone * (TICK_NS / COUNTS);
}

/* ---- The real-time clock --------------------------------------------------------------- */

static uint8_t rtc(uint8_t index)
{
    port_write8(RTC_INDEX, index);
    return port_read8(RTC_DATA);
}

static uint32_t rtc_number(uint8_t value, uint8_t status)
{
    return status & RTC_BINARY ? value : (value & 15u) + 10u * (value >> 4);
}

static uint32_t rtc_hour(uint8_t value, uint8_t status)
{
    uint32_t hours = rtc_number(value & (uint8_t)~RTC_AFTERNOON, status);

    if (status & RTC_24_HOURS)
        return rtc_number(value, status);
    return hours % 12 + (value & RTC_AFTERNOON ? 12 : 0);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, 2000 to 2099. */
static uint32_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
    static const uint16_t before[12] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    uint32_t leaps = (year - 1969) / 4;

    return (year - 1970) * 365 + leaps + before[(month - 1) % 12] + (month > 2 && year % 4 == 0) + day - 1;
}

uint64_t clock_read_wall(void)
{
    uint8_t  status = rtc(RTC_STATUS_B);
    uint32_t day, month;
    uint64_t seconds;

    for (unsigned i = 0; i < RTC_TRIES && (rtc(RTC_STATUS_A) & RTC_UPDATING); i++)
        ;
    day   = rtc_number(rtc(RTC_DAY), status);
    month = rtc_number(rtc(RTC_MONTH), status);
    if (day < 1 || day > 31 || month < 1 || month > 12)
        return 0;
    seconds  = (uint64_t)days_since_1970(2000 + rtc_number(rtc(RTC_YEAR), status), month, day) * 86400;
    seconds += rtc_hour(rtc(RTC_HOURS), status) * 3600;
    seconds += rtc_number(rtc(RTC_MINUTES), status) * 60 + rtc_number(rtc(RTC_SECONDS), status);
    return seconds * 1000000000u;
}
