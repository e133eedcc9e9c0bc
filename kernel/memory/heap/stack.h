/*
 * stack.h - kernel stacks, in the window the document reserves for them.
 *
 * Stacks in use belong to a *pool*. Where the document's `stacks` row has Scope `all` there is one, kernel space's, and
 * its stacks are mapped in every space. With Scope `process` each space has a pool and a table for
 * the window of its own: as many stacks for each process as fit (A15), at the same addresses, and a stack is
 * there only while its space is in use. A thread without a process has one of kernel space's stacks even then.
 *
 * The document gives each stack `unit` pages and keeps `guard` pages below it unmapped.
 * Where it has no guards (higher-half: 4 KiB for each of 1024 threads, claim A15) stacks are
 * handed out with unmapped slots between them as long as there is room, so that an
 * overflow is caught until more than half of the slots are in use.
 *
 * A stack's overflow hits its guard, the processor cannot push a frame there, and the double
 * fault (its own task or stack) names the stack: stack_guarding() finds it.
 *
 * Owning   a pool comes with the first stack of its space and goes with the last; a space with a stack in use
 *          must not be destroyed.
 * Locking  RANK_STACKS inside, but for stack_guarding(), which takes no lock: a double fault may come anywhere. The
 *          heap (RANK_HEAP) is asked for the pool of a space that has none before RANK_STACKS is taken.
 * Cost     a stack's pages, and a look at one bit for each slot, 32 at a time. No allocation but frames and, for the
 *          first of a space's own stacks, a table and a small block of the heap.
 *
 * Invariants (stacks_audit), of each pool:
 *   K1  a slot in use has all its pages mapped, a free one none; guards never are
 *   K2  frames of owner STACK equal pages of slots in use, all pools taken together
 *   K3  a pool counts the slots its bits say are in use, and only kernel space's may have none
 */
#ifndef QUIRE_MEMORY_STACK_H
#define QUIRE_MEMORY_STACK_H

#include "base/types.h"
#include "cpu.h"
#include "memory/layout.h"

struct space;

/* A pool; struct space points to it. Only stack.c uses it, and corrupt_parts.c. */
struct stack_pool {
    uint32_t used;                  /* [stacks lock]                */
    uint32_t taken[];               /* [stacks lock] one bit a slot */
};

void stacks_start(void);

struct stack {
    struct space *space;            /* whose pool it belongs to               */
    vaddr_t       bottom, top;      /* bytes; the first push writes below top */
    uint32_t      slot;
};

/*
 * Take a stack for a thread that runs in this space. Returns 0; -EAGAIN when every slot is in use; -ENOMEM. *out is
 * written only on success.
 */
int  stack_get(struct space *space, struct stack *out) MUST_CHECK;
void stack_put(const struct stack *stack);

/* Write bytes right below the top of a stack; its space need not be in use. At most a page. */
void stack_write(const struct stack *stack, const void *bytes, size_t count);

/*
 * A thread goes to another space and takes its stack along, into the same slot. stack_follow() takes a stack in that
 * slot: *there, still without the contents. Returns 0, -ENOMEM, or -EAGAIN when the slot is in use there. Then either
 * stack_stay() gives *there back; or stack_move(), called by the thread itself on the stack `here`, makes `space`
 * current with the contents in `there`, and frees `here`. Where all spaces share one pool the two are the same stack,
 * and only the space changes.
 */
int  stack_follow(struct space *space, const struct stack *here, struct stack *there) MUST_CHECK;
void stack_stay(const struct stack *here, const struct stack *there);
void stack_move(struct space *space, const struct stack *here, const struct stack *there);

/*
 * Whether the pointer leads onto a kernel stack. Structures that other threads or interrupts reach by pointer must not
 * lie there: the stack may be mapped in its own space alone (schedule.h, struct waiter).
 */
static inline bool stack_holds(const void *pointer)
{
    return span_has(layout.purpose[PURPOSE_STACKS]->span, page_of(address_of(pointer)));
}

/*
 * The stack, in the space in use, whose guard holds `address`: an access there is its overflow. False if there is none.
 */
bool stack_guarding(vaddr_t address, struct stack *out);

uint32_t stacks_total(void);                        /* slots of a pool                        */
uint32_t stacks_used(const struct space *space);    /* in the pool that this space's are from */

/* The most bytes ever used of a stack. Only checked builds, which fill stacks before use, know it; others say 0. */
size_t   stacks_deepest(void);

struct audit_report;
void stacks_audit(struct audit_report *report);     /* K1..K3 */

#endif
