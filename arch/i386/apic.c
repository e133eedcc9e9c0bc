/*
 * apic.c (i386) - the local APIC's timer. See apic.h.
 */
#include "apic.h"

#include "arch/contract.h"
#include "base/check.h"
#include "trap.h"

/*
 * Nanoseconds added to each alarm: a second interrupt for the rest would cost more. FASTEST, in counts as `slowest`: at
 * 8 GHz by 128; FARTHEST is less than the counter holds at that speed.
 */
enum { SLACK = 1000, FASTEST = 1 << 28 };

/* Nanoseconds: a reading's few microseconds are a part in a hundred thousand of it. */
enum { WATCHED = 250000000, TRIES = 3 };
#define FARTHEST (64 * 1000000000ull)

static volatile uint32_t *base;             /* NULL: not in use                                              */
static void             (*on_alarm)(void);
static uint32_t           counting_from;    /* what the counter was set to last                              */
static uint64_t           counting_since;   /* when it was set, or a little earlier                          */
static uint32_t           slowest;          /* lower bound of the counts in 2^32 nanoseconds, 4.3 s          */

static uint32_t apic_read(unsigned offset)                   { return base[offset / sizeof *base]; }
static void     apic_write(unsigned offset, uint32_t value)  { base[offset / sizeof *base] = value; }

/* Raise the bound: the counter was read after counting_since and before now, so it took at most this span. */
static void learn_speed(void)
{
    uint32_t counted = counting_from - apic_read(APIC_CURRENT);
    uint64_t span    = clock_counter() - counting_since, speed;

    if (span == 0)
        return;
    speed = ((uint64_t)counted << 32) / span;
    if (speed > slowest)
        slowest = speed > FASTEST ? FASTEST : (uint32_t)speed;
}

static void start_counting(uint32_t counts, uint64_t now)
{
    counting_from  = counts;
    counting_since = now;
    apic_write(APIC_INITIAL, counts);
}

static bool take_alarm(struct trap_frame *frame)
{
    (void)frame;
    interrupt_note();
    learn_speed();
    on_alarm();
    apic_write(APIC_END, 0);
    return true;
}

void apic_start(volatile uint32_t *registers, void (*ring)(void))
{
    assert(base == NULL && registers != NULL);
    base     = registers;
    on_alarm = ring;
    trap_handle(TRAP_ALARM, take_alarm);
    apic_write(APIC_DIVIDE, APIC_BY_128);
    apic_write(APIC_TIMER, TRAP_ALARM);
    start_counting(UINT32_MAX, clock_counter());
}

/* An interruption between the reads of counter and clock makes the bound lower: the best of a few is kept. */
bool apic_is_known(uint64_t now)
{
    static bool known;

    if (known || now - counting_since < WATCHED)
        return known;
    for (unsigned i = 0; i < TRIES; i++)
        learn_speed();
    known = slowest > 0;
    return known;
}

void apic_set_alarm(uint64_t now, uint64_t nanoseconds)
{
    uint64_t far = nanoseconds < FARTHEST ? nanoseconds : FARTHEST;

    assert(slowest > 0);
    learn_speed();
    start_counting((uint32_t)(((far + SLACK) * slowest) >> 32) + 1, now);
}
