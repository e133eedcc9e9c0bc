/*
 * clock.c (i386) - time from the time-stamp counter, and the real-time clock.
 *
 * A hypervisor may say how fast the time-stamp counter runs, and some processors do. Otherwise its rate is learnt by
 * the interval timer (base/rate.h), once over the time that the kernel takes to start, which is long enough for a part
 * in a thousand, and then over longer and longer times. The kernel does not wait for that, unless the start was too
 * short (COUNTS_LEAST), or too long for the timer's 16 bits.
 *
 * Source: Intel SDM vol. 3B, "Time-Stamp Counter", and vol. 2A, "CPUID", leaf 15H. Leaf 0x40000010: VMware and KVM,
 * "Hypervisor CPUID Interface", TSC frequency in kHz.
 */
#include "arch/contract.h"

#include "base/check.h"
#include "base/divide.h"
#include "base/rate.h"
#include "clock.h"
#include "cpu.h"
#include "cpuid.h"
#include "io.h"
#include "timer.h"

/* Once, or a few times in a machine's life: small before fast. */
#define SELDOM __attribute__((cold))

enum { MILLISECOND = 1000000 };         /* nanoseconds */

/* Between the first two readings. Shorter, and a reading's own length would show; a turn of the reference is 55 ms. */
enum { COUNTS_LEAST = TIMER_CLOCK / 1000, TRIES = 3 };

/*
 * When the rate is measured anew: after 64 ms, 1 s, 16 s and 4 minutes. With the last it is known to a tenth of what a
 * good quartz is wrong by.
 */
enum { LESSON_FIRST = 64 * MILLISECOND, LESSON_STEP = 16, LESSONS = 4 };

/*
 * Nanoseconds: the error of a reading besides its own length, one count; and the error of a prediction up to which one
 * turn of the reference can be told from the next.
 */
enum { COUNT_SPAN = 1000000000 / TIMER_CLOCK + 1, TURN_KNOWN = 16 * MILLISECOND };

/* Where neither the timer nor the processor gives the rate: a guess. */
#define HERTZ_GUESSED 1000000000u

enum { RTC_INDEX = 0x70, RTC_DATA = 0x71 };
enum { RTC_SECONDS = 0, RTC_MINUTES = 2, RTC_HOURS = 4, RTC_DAY = 7, RTC_MONTH = 8, RTC_YEAR = 9, RTC_STATUS_A = 10,
       RTC_STATUS_B = 11, RTC_UPDATING = 0x80, RTC_BINARY = 4, RTC_24_HOURS = 2, RTC_AFTERNOON = 0x80,
                      RTC_TRIES = 100000 };

static struct rate    rate;             /* [interrupts off] changed together with `changes`      */
static uint32_t       changes;          /* readers of the rate compare it before and after   */
static uint64_t       zero;             /* ticks at moment 0                                     */
static struct sample { struct reading at; uint64_t took; } first;   /* where the measurement in progress began */
static uint64_t       lesson_due;       /* when the next measurement is due                      */
static unsigned       lessons = LESSONS;        /* how many there have been                      */
static uint64_t       reach;            /* nanoseconds over which the rate tells the reference's turns */

/* ---- The rate ---------------------------------------------------------------------------- */

/*
 * Read both counters at one moment. Time that an emulator or hypervisor takes between the two reads is error: the
 * shortest of a few tries counts. Interrupts are off.
 */
static SELDOM struct sample take_sample(void)
{
    struct sample best = { { 0, 0 }, UINT64_MAX };

    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t before = cpu_ticks();
        uint16_t counts = timer_reference();
        uint64_t length = cpu_ticks() - before;

        if (length < best.took)
            best = (struct sample){ { before + length / 2, counts }, length };
    }
    return best;
}

/* The rate that a hypervisor or the processor gives; 0: none. */
static uint64_t given_hertz(void)
{
    enum { HYPERVISOR = 1u << 31, LEAVES = 0x40000000, FREQUENCIES = 0x40000010, CRYSTAL = 0x15 };
    struct cpuid_answer ratio = { 0, 0, 0, 0 };

    if ((cpuid(1).c & HYPERVISOR) && cpuid(LEAVES).a >= FREQUENCIES)
        return (uint64_t)cpuid(FREQUENCIES).a * 1000;
    if (cpuid(0).a >= CRYSTAL)
        ratio = cpuid(CRYSTAL);
    return ratio.a != 0 ? (uint64_t)ratio.c * ratio.b / ratio.a : 0;
}

/* The rate on the processor's label, or a guess. */
static uint64_t label_hertz(void)
{
    enum { LABEL = 0x16 };
    uint64_t hertz = cpuid(0).a >= LABEL ? (uint64_t)(cpuid(LABEL).a & 0xFFFF) * 1000000 : 0;

    return hertz != 0 ? hertz : HERTZ_GUESSED;
}

static bool is_usable(uint64_t hertz) { return hertz >= RATE_SLOWEST && hertz <= RATE_FASTEST; }

/*
 * The second reading of the first measurement. A reading behind the end of the reference's turn, because the start took
 * so long, or because the host let the machine wait between two instructions, would give a rate that is wrong by whole
 * turns, from which no later measurement finds back: the measurement begins anew then. bound: a millisecond of the
 * reference, or as many turns of the loop as take longer than that on any processor, where it does not count.
 */
static uint64_t measured_hertz(struct sample *second)
{
    enum { TURNS = 100000 };

    for (unsigned turn = 0; turn < TURNS; turn++) {
        uint16_t counts;

        *second = take_sample();
        counts  = (uint16_t)(second->at.counts - first.at.counts);
        if (!timer_reference_is_first_turn()) {         /* looked at after the reading, so that it is within the turn */
            timer_begin_reference();
            first = take_sample();
        } else if (counts >= COUNTS_LEAST)
            return rate_learn(second->at.ticks - first.at.ticks, counts, TIMER_CLOCK);
    }
    return 0;
}

static void change_rate(uint64_t hertz, uint64_t ticks, uint64_t now)
{
    rate_set(&rate, hertz, ticks, now);
    __atomic_store_n(&changes, changes + 1, __ATOMIC_RELEASE);  /* one processor: the compiler alone must keep order */
    clock_changed(&rate);
}

static uint64_t span_to(const struct sample *second) { return rate_span(&rate, second->at.ticks - first.at.ticks); }

/* The reach of a rate that was measured from `first` to this sample. */
static SELDOM uint64_t reach_of(const struct sample *second)
{
    return span_to(second) / (rate_span(&rate, first.took + second->took) + COUNT_SPAN) * TURN_KNOWN;
}

/* Time begins together with the reference: it includes the start. */
SELDOM void clock_begin(void)
{
    zero = cpu_ticks();
    timer_begin_reference();
    first = take_sample();
}

SELDOM void clock_settle(void)
{
    uint64_t      hertz  = given_hertz();
    struct sample second = first;

    assert(rate.factor == 0);
    if (!is_usable(hertz)) {
        hertz   = measured_hertz(&second);
        lessons = is_usable(hertz) ? 0 : LESSONS;
    }
    if (!is_usable(hertz))
        hertz = label_hertz();
    change_rate(hertz, zero, 0);
    reach      = reach_of(&second);
    lesson_due = clock_counter() + LESSON_FIRST;
}

/*
 * A measurement that is no better than the rate known (the reading was interrupted by the host) is repeated later; one
 * over a time too long to tell the reference's turns begins anew.
 */
static SELDOM void take_lesson(uint64_t now)
{
    struct sample second = take_sample();
    uint64_t      hertz;

    lesson_due = now + LESSON_FIRST;
    if (span_to(&second) > reach) {
        first   = second;
        lessons = 0;
    } else if (reach_of(&second) > reach) {
        hertz = rate_learn(second.at.ticks - first.at.ticks, rate_counts(first.at, second.at, &rate, TIMER_CLOCK),
                           TIMER_CLOCK);
        if (is_usable(hertz))
            change_rate(hertz, second.at.ticks, rate_time(&rate, second.at.ticks));
        reach      = reach_of(&second);
        lesson_due = now + span_to(&second) * LESSON_STEP;
        lessons++;
    }
}

void clock_improve(uint64_t now)
{
    if (lessons != LESSONS && now >= lesson_due)
        take_lesson(now);
}

uint64_t clock_counter(void)
{
    uint32_t seen;
    uint64_t now;

    do {                                        /* bound: twice, as an interrupt may have changed the rate meanwhile */
        seen = __atomic_load_n(&changes, __ATOMIC_ACQUIRE);
        now  = rate_time(&rate, cpu_ticks());
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    } while (seen != __atomic_load_n(&changes, __ATOMIC_RELAXED));
    return now;
}

uint64_t clock_span(uint64_t ticks) { return rate_span(&rate, ticks); }

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

SELDOM uint64_t clock_read_wall(void)
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
