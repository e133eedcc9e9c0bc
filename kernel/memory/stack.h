/*
 * stack.h - kernel stacks, in the window the document reserves for them.
 *
 * The document gives each stack `unit` pages and keeps `guard` pages below it unmapped.
 * Where it has no guards (higher-half: 4 KiB for each of 1024 threads, claim A15) stacks are
 * handed out with unmapped slots between them as long as there is room, so that an
 * overflow is caught until more than half of the slots are in use.
 *
 * A stack's overflow hits its guard, the processor cannot push a frame there, and the double
 * fault (its own task or stack) names the stack: stack_guarding() finds it.
 *
 * Locking  RANK_STACKS inside. Cost O(1) amortised + zeroing; no allocation but frames.
 *
 * Invariants (stacks_ok):
 *   K1  a slot in use has all its pages mapped, a free one none; guards never are
 *   K2  frames of owner STACK equal pages of slots in use
 */
#ifndef QUIRE_MEMORY_STACK_H
#define QUIRE_MEMORY_STACK_H

#include "base/types.h"
#include "cpu.h"
#include "memory/layout.h"

void stacks_start(void);

struct stack {
    vaddr_t  bottom, top;           /* bytes; the first push writes below top */
    uint32_t slot;
};

/* Returns 0; -EAGAIN when every slot is in use; -ENOMEM. *out is written only on success. */
int  stack_get(struct stack *out) MUST_CHECK;
void stack_put(const struct stack *stack);

/*
 * Whether the pointer leads onto a kernel stack. What other threads or interrupts follow must not lie there:
 * whose stack it is may run elsewhere (schedule.h, struct waiter).
 */
static inline bool stack_holds(const void *pointer)
{
    return span_has(layout.purpose[PURPOSE_STACKS]->span, page_of(address_of(pointer)));
}

/* The stack whose overflow an access to `address` would be; false if it is none's guard. */
bool stack_guarding(vaddr_t address, struct stack *out);

uint32_t stacks_total(void), stacks_used(void);
struct audit_report;
void stacks_audit(struct audit_report *report);     /* K1, K2 */
bool stacks_ok(void);

#endif
