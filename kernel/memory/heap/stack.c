/*
 * stack.c - kernel stacks: slots of the stacks window, handed out with room between them.
 *
 * A slot is `guard` pages that are never mapped and `unit` pages that are. A bit for each
 * slot of a pool says whether it is in use. Slots with odd numbers are handed out first: until
 * they are used up, each stack has an unmapped slot below it, even where the document has no guards.
 */
#include "memory/heap/stack.h"

#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/audit.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"

enum { STACKS_MAXIMUM = 8192, WORD_BITS = 32 };

static struct lock   lock = LOCK("stacks window", RANK_STACKS);
static struct region region;                            /* [c] the whole window             */
static uint32_t      slots;                             /* [c] of each pool                 */
static size_t        deepest;                           /* [lock] bytes used of any stack (checked builds) */

/* Kernel space's pool exists from the start and for ever, and needs no heap. */
static union {
    struct stack_pool pool;
    uint8_t           room[sizeof(struct stack_pool) + STACKS_MAXIMUM / 8];
} of_kernel_space;

static const struct layout_region *stack_window(void) { return layout.purpose[PURPOSE_STACKS]; }
static size_t slot_pages(void)                  { return stack_window()->unit + stack_window()->guard; }

/* The space whose pool and tables hold this space's stacks. */
static struct space *pool_space(struct space *space) { return stacks_are_own() ? space : &kernel_space; }

static uint32_t stack_words(void) { return (slots + WORD_BITS - 1) / WORD_BITS; }

static size_t pool_bytes(void) { return sizeof(struct stack_pool) + stack_words() * sizeof(uint32_t); }

/* The lock is held. */
static bool slot_is_taken(const struct stack_pool *pool, uint32_t slot)
{
    deep_assert(slot < slots);
    return pool != NULL && (pool->taken[slot / WORD_BITS] >> slot % WORD_BITS & 1);
}

static void stack_slot_take(struct stack_pool *pool, uint32_t slot)
{
    deep_assert(!slot_is_taken(pool, slot) && pool->used < slots);
    pool->taken[slot / WORD_BITS] |= 1u << slot % WORD_BITS;
    pool->used++;
}

static void stack_slot_give(struct stack_pool *pool, uint32_t slot)
{
    deep_assert(slot_is_taken(pool, slot) && pool->used > 0);
    pool->taken[slot / WORD_BITS] &= ~(1u << slot % WORD_BITS);
    pool->used--;
}

/* The pages of a slot's stack, without its guard. */
static struct span stack_span(uint32_t slot)
{
    deep_assert(slot < slots);
    return span_of(stack_window()->span.first + slot * slot_pages() + stack_window()->guard, stack_window()->unit);
}

static struct stack stack_in(struct space *holder, uint32_t slot)
{
    struct span span = stack_span(slot);

    return (struct stack){ holder, page_address(span.first), page_address(span.end), slot };
}

void stacks_start(void)
{
    lock_state state = lock_take(&kernel_map_lock);
    int        err;

    slots = span_pages(stack_window()->span) / slot_pages();
    if (stack_window()->maximum > 0 && slots > stack_window()->maximum / stack_window()->unit)
        slots = stack_window()->maximum / stack_window()->unit;
    if (slots > STACKS_MAXIMUM)
        slots = STACKS_MAXIMUM;
    assert(slots > 0);                          /* the layout compiler refuses a window that is too small */
    memset(&of_kernel_space, 0, sizeof of_kernel_space);
    kernel_space.stacks = &of_kernel_space.pool;
    region = (struct region){ .span = stack_window()->span, .rights = stack_window()->rights, .backing = BACKING_DEMAND,
                              .name = stack_window()->name, .home = stack_window() };
    err = region_insert(&kernel_space.map, &region);
    assert(err == 0);
    lock_drop(&kernel_map_lock, state);
}

/* ---- Slots and pools -------------------------------------------------------------------------- */

/* The lowest free slot of a parity. The lock is held. */
static bool find_slot(const struct stack_pool *pool, uint32_t parity, uint32_t *out)
{
    uint32_t mask = parity ? 0xAAAAAAAAu : 0x55555555u;

    deep_assert(lock_held(&lock) && parity <= 1);
    /* bound: STACKS_MAXIMUM / WORD_BITS */
    for (uint32_t word = 0; word * WORD_BITS < slots; word++) {
        uint32_t candidates = ~pool->taken[word] & mask;
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
static int map_stack(struct space *holder, struct span span)
{
    struct cursor c;
    int           err = cursor_open(&c, holder, span, CURSOR_BUILD);

    deep_assert(span_pages(span) == stack_window()->unit);
    if (err != 0)
        return err;
    /* bound: pages of a stack */
    for (page_t page = span.first; page < span.end && err == 0; page++) {
        frame_t frame;

        err = frame_get(OWNER_STACK, 0, &frame);
        if (err == 0)
            cursor_map(&c, page, frame, stack_window()->rights, CACHE_BACK);
    }
    if (err != 0)
        for (page_t page = cursor_next(&c, span.first); page < span.end; page = cursor_next(&c, page + 1))
            cursor_discard(&c, page);
    cursor_close(&c);
    return err;
}

static void unmap_stack(struct space *holder, struct span span)
{
    struct cursor c;
    int           err = cursor_open(&c, holder, span, 0);

    assert(err == 0);
    deep_assert(span_pages(span) == stack_window()->unit);
    /* bound: pages of a stack */
    for (page_t page = span.first; page < span.end; page++)
        cursor_discard(&c, page);
    cursor_close(&c);
}

/* The pool of a space without one becomes *fresh, which is NULL then. The lock is held. */
static void install_pool(struct space *holder, struct stack_pool **fresh)
{
    deep_assert(lock_held(&lock) && (holder->stacks != NULL || *fresh != NULL));
    if (holder->stacks != NULL)
        return;
    holder->stacks = *fresh;
    *fresh       = NULL;
}

/* Take a pool without stacks in use out of its space. The lock is held; the caller frees the pool without it. */
static struct stack_pool *remove_pool(struct space *holder)
{
    struct stack_pool *pool = holder->stacks;

    deep_assert(lock_held(&lock) && pool != NULL);
    if (pool->used > 0 || holder == &kernel_space)
        return NULL;
    holder->stacks = NULL;
    return pool;
}

/* The frame that a stack shows in a page of its window. */
static frame_t frame_at(struct space *holder, page_t page)
{
    struct cursor c;
    frame_t       frame;
    int           err = cursor_open(&c, holder, span_of(page, 1), 0);

    assert(err == 0);
    deep_assert(entry_present(cursor_read(&c, page)));
    frame = entry_frame(cursor_read(&c, page));
    cursor_close(&c);
    return frame;
}

/* ---- How deep stacks are used -------------------------------------------------------------------- */

/* Checked builds fill a stack before it is used, and look how much of the filling is left when it comes back. */
static void stack_fill(const struct stack *stack)
{
    for (page_t page = page_of(stack->bottom); page < page_of(stack->top); page++)
        words_fill(frame_view(frame_at(stack->space, page), SLOT_TO), FRAME_POISON, PAGE_SIZE / sizeof(uint32_t));
}

/* Bytes of one page, from the lowest up, that still hold the filling. */
static size_t untouched_in(frame_t frame)
{
    const uint32_t *words_there = frame_view(frame, SLOT_TO);
    size_t          count       = 0;

    while (count < PAGE_SIZE / sizeof(uint32_t) && words_there[count] == FRAME_POISON)
        count++;
    return count;
}

static void stack_measure(const struct stack *stack)
{
    size_t left = 0;

    deep_assert(stack->bottom < stack->top && stack->bottom % PAGE_SIZE == 0);
    for (page_t page = page_of(stack->bottom); page < page_of(stack->top); page++) {
        size_t part = untouched_in(frame_at(stack->space, page)) * sizeof(uint32_t);

        left += part;
        if (part < PAGE_SIZE)
            break;
    }
    if (stack->top - stack->bottom - left > deepest)
        deepest = stack->top - stack->bottom - left;
}

/* ---- Taking and giving back ------------------------------------------------------------- */

/* Take the wanted slot, or with NULL the best one. The lock is held, the space has a pool. */
static int get_slot(struct space *holder, const uint32_t *wanted, struct stack *out)
{
    struct stack_pool *pool = holder->stacks;
    uint32_t           slot = wanted != NULL ? *wanted : 0;
    int                err;

    deep_assert(lock_held(&lock) && pool != NULL);
    if (wanted != NULL ? slot_is_taken(pool, slot) : !find_slot(pool, 1, &slot) && !find_slot(pool, 0, &slot))
        return -EAGAIN;
    err = map_stack(holder, stack_span(slot));
    if (err != 0)
        return err;
    stack_slot_take(pool, slot);
    *out = stack_in(holder, slot);
    if (IS_CHECKED)
        stack_fill(out);
    return 0;
}

/*
 * A new pool comes from the heap before the lock is taken; if it was not needed it is freed after the lock is dropped.
 */
static int stack_get_slot(struct space *holder, const uint32_t *wanted, struct stack *out)
{
    struct stack_pool *fresh = NULL, *empty;
    lock_state         state;
    int                err;

    assert(wanted == NULL || *wanted < slots);
    if (holder->stacks == NULL && (fresh = heap_alloc(pool_bytes(), HEAP_ZERO)) == NULL)
        return -ENOMEM;
    state = lock_take(&lock);
    install_pool(holder, &fresh);
    err   = get_slot(holder, wanted, out);
    empty = remove_pool(holder);
    lock_drop(&lock, state);
    heap_free(fresh);
    heap_free(empty);
    return err;
}

int stack_get(struct space *space, struct stack *out) { return stack_get_slot(pool_space(space), NULL, out); }

void stack_put(const struct stack *stack)
{
    lock_state         state = lock_take(&lock);
    struct space      *holder  = stack->space;
    struct stack_pool *empty;

    assert(stack->slot < slots && slot_is_taken(holder->stacks, stack->slot));
    if (IS_CHECKED)
        stack_measure(stack);
    unmap_stack(holder, stack_span(stack->slot));
    stack_slot_give(holder->stacks, stack->slot);
    empty = remove_pool(holder);
    lock_drop(&lock, state);
    heap_free(empty);
}

/* ---- Contents --------------------------------------------------------------------------------- */

/* Whether the stack is mapped in the space in use: stacks of the one common pool always are. */
static bool is_mapped_here(const struct stack *stack)
{
    return !stacks_are_own() || frame_is(mmu_active(), stack->space->root);
}

void stack_write(const struct stack *stack, const void *bytes, size_t count)
{
    lock_state state;
    char      *page;

    assert(count <= PAGE_SIZE);
    if (is_mapped_here(stack)) {
        memcpy(pointer_to(stack->top - count), bytes, count);
        return;
    }
    state = lock_take(&lock);
    page  = frame_view(frame_at(stack->space, page_of(stack->top - 1)), SLOT_TO);
    memcpy(page + PAGE_SIZE - count, bytes, count);
    lock_drop(&lock, state);
}

/* ---- Going to another space --------------------------------------------------------------------- */

int stack_follow(struct space *space, const struct stack *here, struct stack *there)
{
    struct space *holder = pool_space(space);

    deep_assert(here->slot < slots && here->space != NULL);
    if (holder != here->space)
        return stack_get_slot(holder, &here->slot, there);
    *there = *here;
    return 0;
}

void stack_stay(const struct stack *here, const struct stack *there)
{
    if (there->space != here->space)
        stack_put(there);
}

/* Let the page show this frame, with one more reference, in the place of its own. */
static void stack_show(struct space *holder, page_t page, frame_t frame)
{
    struct cursor c;
    frame_t       own;
    int           err = cursor_open(&c, holder, span_of(page, 1), CURSOR_BUILD);

    deep_assert(frame_exists(frame) && frame_owner(frame) == OWNER_STACK);
    assert(err == 0);                           /* the table is there */
    frame_share(frame);
    own = cursor_replace(&c, page, frame, stack_window()->rights);
    cursor_close(&c);
    frame_put(own);
}

/*
 * For a moment both spaces show the frames of the stack that this code runs on, so going from one to the other is no
 * more than a change of space. No CPU looks at the stacks meanwhile: the lock is held.
 */
void stack_move(struct space *space, const struct stack *here, const struct stack *there)
{
    struct span        span = stack_span(here->slot);
    struct stack_pool *empty = NULL;
    lock_state         state = lock_take(&lock);

    deep_assert(slot_is_taken(here->space->stacks, here->slot) && slot_is_taken(there->space->stacks, there->slot));
    if (there->space == here->space) {
        space_activate(space);
    } else {
        assert(there->slot == here->slot);
        /* bound: pages of a stack */
        for (page_t page = span.first; page < span.end; page++)
            stack_show(there->space, page, frame_at(here->space, page));
        space_activate(space);
        unmap_stack(here->space, span);
        stack_slot_give(here->space->stacks, here->slot);
        empty = remove_pool(here->space);
    }
    lock_drop(&lock, state);
    heap_free(empty);
}

/* ---- Overflow ------------------------------------------------------------------------------------- */

/* Called from the double fault: takes no lock, reads only bits and constants. */
bool stack_guarding(vaddr_t address, struct stack *out)
{
    page_t             page = page_of(address);
    struct space      *holder = pool_space(space_active());
    uint32_t           slot, above;
    size_t             offset;

    if (!span_has(stack_window()->span, page))
        return false;
    slot   = (uint32_t)((page - stack_window()->span.first) / slot_pages());
    offset = (page - stack_window()->span.first) % slot_pages();
    above  = offset < stack_window()->guard ? slot : slot + 1;    /* the stack whose lowest page lies above this one */
    if (above >= slots || !slot_is_taken(holder->stacks, above) ||
        (above != slot && slot_is_taken(holder->stacks, slot)))
        return false;
    *out = stack_in(holder, above);
    return true;
}

/* Each space that has a pool, from NULL on, then NULL. */
static struct space *next_holder(const struct space *before)
{
    const struct space *s = before;

    do
        s = before != NULL && !stacks_are_own() ? NULL : space_after(s);
    while (s != NULL && s->stacks == NULL);
    return (struct space *)s;
}

/* Stacks in use are looked at as well: the deepest may be one of them. */
size_t stacks_deepest(void)
{
    lock_state state = lock_take(&lock);

    /* bound: spaces times slots, in checked builds only */
    for (struct space *holder = next_holder(NULL); holder != NULL && IS_CHECKED; holder = next_holder(holder))
        for (uint32_t slot = 0; slot < slots; slot++)
            if (slot_is_taken(holder->stacks, slot)) {
                struct stack stack = stack_in(holder, slot);

                stack_measure(&stack);
            }
    lock_drop(&lock, state);
    return deepest;
}

uint32_t stacks_total(void) { return slots; }

uint32_t stacks_used(const struct space *space)
{
    const struct stack_pool *pool = (stacks_are_own() ? space : &kernel_space)->stacks;

    return pool != NULL ? pool->used : 0;
}

/* ---- Audit ---------------------------------------------------------------------------------------- */

static void audit_slot(struct cursor *c, uint32_t slot, bool used, struct audit_report *report)
{
    struct span span  = stack_span(slot);
    page_t      first = span.first - stack_window()->guard;

    for (page_t page = first; page < span.end; page++) {
        bool present = entry_present(cursor_read(c, page));
        bool should  = page >= span.first && used;

        report->checked++;
        if (present != should)
            audit_fail(report, "K1", "page 0x%08lx of stack %u is %smapped", (unsigned long)page_address(page), slot,
                       present ? "" : "not ");
    }
}

/* K1 and K3 of one pool, or of a space that has none. Returns how many of its slots are in use. */
static uint32_t audit_pool(struct space *holder, struct audit_report *report)
{
    const struct stack_pool *pool = holder->stacks;
    uint32_t                 used = 0;
    struct cursor            c;
    int                      err  = cursor_open(&c, holder, stack_window()->span, 0);

    assert(err == 0);
    /* bound: slots of a pool, for the audit */
    for (uint32_t slot = 0; slot < slots; slot++) {
        audit_slot(&c, slot, slot_is_taken(pool, slot), report);
        used += slot_is_taken(pool, slot);
    }
    cursor_close(&c);
    if (pool != NULL && (pool->used != used || (used == 0 && holder != &kernel_space)))
        audit_fail(report, "K3", "a pool counts %u stacks in use, its bits say %u", pool->used, used);
    return used;
}

void stacks_audit(struct audit_report *report)
{
    lock_state        state = lock_take(&lock);
    uint32_t          used  = 0;
    struct frame_sums sums;

    /* bound: spaces, for the audit */
    for (const struct space *s = space_after(NULL); s != NULL; s = stacks_are_own() ? space_after(s) : NULL)
        used += audit_pool((struct space *)s, report);
    frames_sums(&sums);
    if (sums.owned[OWNER_STACK] != used * stack_window()->unit)
        audit_fail(report, "K2", "%u frames belong to stacks, %u slots in use take %u", sums.owned[OWNER_STACK], used,
                   (unsigned)(used * stack_window()->unit));
    lock_drop(&lock, state);
}
