/*
 * stack.c - kernel stacks: slots of the stacks window, handed out with room between them.
 *
 * A slot is `guard` pages that are never mapped and `unit` pages that are. A bit for each
 * slot says whether it is in use. Slots with odd numbers are handed out first: while
 * there are such, each stack has an unmapped slot below it, even where the document has no guards.
 */
#include "memory/stack.h"

#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "cpu.h"
#include "memory/audit.h"
#include "memory/cursor.h"
#include "memory/frame.h"
#include "memory/space.h"

enum { STACKS_MAXIMUM = 8192, WORD_BITS = 32 };

static struct lock   lock = LOCK("stacks window", RANK_STACKS);
static struct region region;                            /* [c] the whole window             */
static uint32_t      slots;                             /* [c]                              */
static uint32_t      used;                              /* [lock]                           */
static uint32_t      taken[STACKS_MAXIMUM / WORD_BITS]; /* [lock] one bit a slot            */

static const struct layout_region *window(void) { return layout.purpose[PURPOSE_STACKS]; }
static size_t slot_pages(void)                  { return window()->unit + window()->guard; }

static bool is_taken(uint32_t slot) { return taken[slot / WORD_BITS] >> slot % WORD_BITS & 1; }
static void turn(uint32_t slot)     { taken[slot / WORD_BITS] ^= 1u << slot % WORD_BITS; }

/* The pages of a slot's stack, without its guard. */
static struct span stack_span(uint32_t slot)
{
    return span_of(window()->span.first + slot * slot_pages() + window()->guard, window()->unit);
}

void stacks_start(void)
{
    lock_state state = lock_take(&kernel_space.map_lock);
    int        err;

    slots = span_pages(window()->span) / slot_pages();
    if (slots > STACKS_MAXIMUM)
        slots = STACKS_MAXIMUM;
    used   = 0;
    for (size_t i = 0; i < COUNT_OF(taken); i++)
        taken[i] = 0;
    region = (struct region){ .span = window()->span, .rights = window()->rights, .backing = BACKING_DEMAND,
                              .name = window()->name, .home = window() };
    err = region_insert(&kernel_space.map, &region);
    assert(err == 0);
    lock_drop(&kernel_space.map_lock, state);
}

/* The lowest free slot of a parity. */
static bool find_slot(uint32_t parity, uint32_t *out)
{
    uint32_t mask = parity ? 0xAAAAAAAAu : 0x55555555u;

    for (uint32_t word = 0; word * WORD_BITS < slots; word++) {
        uint32_t candidates = ~taken[word] & mask;
        uint32_t slot;

        if (candidates == 0)
            continue;
        slot = word * WORD_BITS + (uint32_t)__builtin_ctz(candidates);
        if (slot >= slots)
            return false;
        *out = slot;
        return true;
    }
    return false;
}

/* Frames for all of a stack, or none. */
static int map_stack(struct span span)
{
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, span, CURSOR_BUILD);

    if (err != 0)
        return err;
    for (page_t page = span.first; page < span.end && err == 0; page++) {
        frame_t frame;

        err = frame_get(OWNER_STACK, 0, &frame);
        if (err == 0)
            cursor_map(&c, page, frame, window()->rights, CACHE_BACK);
    }
    if (err != 0)
        for (page_t page = cursor_next(&c, span.first); page < span.end; page = cursor_next(&c, page + 1))
            cursor_discard(&c, page);
    cursor_close(&c);
    return err;
}

int stack_get(struct stack *out)
{
    lock_state  state = lock_take(&lock);
    struct span span;
    uint32_t    slot;
    int         err = -EAGAIN;

    if (find_slot(1, &slot) || find_slot(0, &slot)) {
        span = stack_span(slot);
        err  = map_stack(span);
    }
    if (err == 0) {
        turn(slot);
        used++;
        *out = (struct stack){ page_address(span.first), page_address(span.end), slot };
    }
    lock_drop(&lock, state);
    return err;
}

void stack_put(const struct stack *stack)
{
    lock_state    state = lock_take(&lock);
    struct span   span = stack_span(stack->slot);
    struct cursor c;
    int           err;

    assert(stack->slot < slots && is_taken(stack->slot) && page_of(stack->bottom) == span.first);
    err = cursor_open(&c, &kernel_space, span, 0);
    assert(err == 0);
    for (page_t page = span.first; page < span.end; page++)
        cursor_discard(&c, page);
    cursor_close(&c);
    turn(stack->slot);
    used--;
    lock_drop(&lock, state);
}

/* Called from the double fault: takes no lock, reads only bits and constants. */
bool stack_guarding(vaddr_t address, struct stack *out)
{
    page_t   page = page_of(address);
    uint32_t slot, above;
    size_t   offset;

    if (!span_has(window()->span, page))
        return false;
    slot   = (uint32_t)((page - window()->span.first) / slot_pages());
    offset = (page - window()->span.first) % slot_pages();
    above  = offset < window()->guard ? slot : slot + 1;    /* whose lowest page lies above this one */
    if (above >= slots || !is_taken(above) || (above != slot && is_taken(slot)))
        return false;
    *out = (struct stack){ page_address(stack_span(above).first), page_address(stack_span(above).end), above };
    return true;
}

uint32_t stacks_total(void) { return slots; }
uint32_t stacks_used(void)  { return used; }

static void audit_slot(struct cursor *c, uint32_t slot, struct audit_report *report)
{
    struct span span  = stack_span(slot);
    page_t      first = span.first - window()->guard;

    for (page_t page = first; page < span.end; page++) {
        bool present = entry_present(cursor_read(c, page));
        bool should  = page >= span.first && is_taken(slot);

        report->checked++;
        if (present != should)
            audit_fail(report, "K1", "page 0x%08lx of stack %u is %smapped", (unsigned long)page_address(page), slot,
                       present ? "" : "not ");
    }
}

void stacks_audit(struct audit_report *report)
{
    lock_state        state = lock_take(&lock);
    struct frame_sums sums;

    for (uint32_t slot = 0; slot < slots; slot++) {
        struct span   all = span_of(window()->span.first + slot * slot_pages(), slot_pages());
        struct cursor c;
        int           err = cursor_open(&c, &kernel_space, all, 0);

        assert(err == 0);
        audit_slot(&c, slot, report);
        cursor_close(&c);
    }
    frames_sums(&sums);
    if (sums.owned[OWNER_STACK] != used * window()->unit)
        audit_fail(report, "K2", "%u frames belong to stacks, %u slots in use take %u", sums.owned[OWNER_STACK], used,
                   (unsigned)(used * window()->unit));
    lock_drop(&lock, state);
}

bool stacks_ok(void)
{
    struct audit_report report = { 0 };

    stacks_audit(&report);
    return report.failed == 0;
}
