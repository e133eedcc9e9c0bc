/*
 * heap.c - the kernel heap's public calls: a magazine of ready blocks, and the checks.
 *
 * The common case is all here and takes no lock: turn interrupts off, take the top block of
 * this CPU's magazine, see that nobody wrote into it while it was free, mark it live, put the
 * guard behind its last byte. Slabs fill and empty magazines half a magazine at a time.
 */
#include "memory/heap_slab.h"

#include "base/check.h"
#include "base/string.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

struct heap_cpu heap_cpus[MAX_CPUS];
uint32_t        heap_key;
uint32_t        heap_failures, heap_undone;

static uint8_t  class_by_units[(HEAP_SMALL + GUARD_BYTES) / HEAP_ALIGN + 2];   /* [c] slot in HEAP_ALIGNs */
static uint32_t fail_in;                /* heap_fail_at(): calls left until one fails */

static unsigned class_for(size_t bytes)
{
    return class_by_units[(bytes + GUARD_BYTES + HEAP_ALIGN - 1) / HEAP_ALIGN];
}

/* ---- Start --------------------------------------------------------------------------- */

void heap_start(void)
{
    const struct layout_region *window = layout.purpose[PURPOSE_HEAP];
    unsigned class = 0;

    assert(window != NULL);
    for (unsigned units = 0; units < COUNT_OF(class_by_units); units++) {
        class += class + 1 < HEAP_CLASSES && units * HEAP_ALIGN > heap_classes[class].slot;
        class_by_units[units] = (uint8_t)class;
    }
    memset(heap_cpus, 0, sizeof heap_cpus);
    heap_key = (uint32_t)cpu_ticks() * 0x9E3779B1u | 1;     /* by chance no pointer, no small number */
    fail_in = 0;
    heap_failures = heap_undone = 0;
    misuse_start();
    big_start();
    slabs_start(window);
}

void heap_fail_at(uint32_t n) { fail_in = n; }

/* True for the call that heap_fail_at() has chosen. */
static bool chosen_to_fail(void) { return UNLIKELY(fail_in != 0) && --fail_in == 0; }

static void *failed(void)
{
    __atomic_fetch_add(&heap_failures, 1, __ATOMIC_RELAXED);
    return NULL;
}

/* ---- Small blocks: the fast path ------------------------------------------------------ */

static bool is_whole(const void *block, size_t slot)
{
    return free_is_intact(block, slot) && (!IS_CHECKED || block_fill_is_intact(block, slot));
}

/* The next block of a magazine that is as it was left. Interrupts are off. NULL: no memory. */
static inline void *next_ready(struct magazine *magazine, unsigned class, vaddr_t who)
{
    for (;;) {
        void *block;

        if (UNLIKELY(magazine->count == 0)) {
            magazine->count = slabs_take(class, magazine->blocks, magazine_limit(class) / 2);
            if (magazine->count == 0)
                return NULL;
        }
        block = magazine->blocks[--magazine->count];
        if (LIKELY(is_whole(block, heap_classes[class].slot)))
            return block;
        *state_of(block) = BLOCK_LOST | (uint8_t)class;
        misuse_after_free(block, class, who);
    }
}

inline void *small_take(size_t bytes, vaddr_t who)
{
    unsigned         class = class_for(bytes);
    unsigned long    interrupts = interrupts_off();
    struct heap_cpu *cpu = &heap_cpus[cpu_number()];
    void            *block = chosen_to_fail() ? NULL : next_ready(&cpu->magazines[class], class, who);

    if (LIKELY(block != NULL)) {
        *state_of(block) = BLOCK_LIVE | (uint8_t)class;
        cpu->taken++;
        block_make_live(block, heap_classes[class].slot, bytes, (uint32_t)who);
    }
    interrupts_restore(interrupts);
    return block;
}

/* Make room: the half of a magazine that has been there longest goes back to the slabs. */
static __attribute__((noinline)) void spill(struct magazine *magazine, unsigned limit)
{
    slabs_give(magazine->blocks, limit / 2);
    magazine->count -= limit / 2;
    memmove(magazine->blocks, magazine->blocks + limit / 2, magazine->count * sizeof magazine->blocks[0]);
}

/* The live block is sound: into the magazine with it. */
static inline void put_ready(void *block, unsigned class, size_t bytes, vaddr_t who)
{
    struct magazine *magazine = &heap_cpus[cpu_number()].magazines[class];
    unsigned         limit = magazine_limit(class);

    block_make_free(block, heap_classes[class].slot, bytes, (uint32_t)who);
    if (IS_CHECKED)
        block_fill(block, heap_classes[class].slot);
    *state_of(block) = BLOCK_READY | (uint8_t)class;
    if (UNLIKELY(magazine->count == limit))
        spill(magazine, limit);
    magazine->blocks[magazine->count++] = block;
}

/* Whether a pointer is the start of a live small block. */
static inline bool is_live(const void *block)
{
    size_t offset = slab_offset(block);

    return offset % HEAP_ALIGN == 0 && offset % CHUNK_BYTES >= PAGE_SIZE &&
           (*state_of(block) & BLOCK_KIND) == BLOCK_LIVE;
}

inline void small_give(void *block, size_t said, vaddr_t who)
{
    unsigned long interrupts = interrupts_off();
    unsigned      class;
    size_t        bytes, slot;

    if (UNLIKELY(!is_live(block))) {
        misuse_of_pointer(block, who);
    } else {
        class = *state_of(block) & BLOCK_CLASS;
        slot = heap_classes[class].slot;
        bytes = live_bytes(block, slot);
        if (UNLIKELY(!live_is_intact(block, slot))) {
            *state_of(block) = BLOCK_LOST | (uint8_t)class;
            misuse_overflow(block, bytes, live_taker(block, slot), who);
        } else if (UNLIKELY(said != ANY_SIZE && said != bytes)) {
            misuse_of_size(block, bytes, said, who);
        } else {
            put_ready(block, class, bytes, who);
        }
    }
    interrupts_restore(interrupts);
}

/* ---- Public calls --------------------------------------------------------------------- */

static void *take_pages(size_t bytes, vaddr_t who) { return chosen_to_fail() ? NULL : big_take(bytes, who); }

void *heap_alloc(size_t bytes, unsigned flags)
{
    vaddr_t who = caller_address();
    void   *block = LIKELY(bytes <= HEAP_SMALL) ? small_take(bytes, who) : take_pages(bytes, who);

    if (UNLIKELY(block == NULL))
        return failed();
    if (flags & HEAP_ZERO)
        memset(block, 0, bytes);
    return block;
}

void heap_free(void *block)
{
    if (LIKELY(in_slab_area(block)))
        small_give(block, ANY_SIZE, caller_address());
    else if (block != NULL)
        big_give(block, ANY_SIZE, caller_address());
}

void heap_free_sized(void *block, size_t bytes)
{
    if (LIKELY(in_slab_area(block)))
        small_give(block, bytes, caller_address());
    else if (block != NULL)
        big_give(block, bytes, caller_address());
}

/* What was asked for; false, having reported, when this is no sound live block. */
static bool measure(const void *block, size_t *bytes, vaddr_t who)
{
    struct big big;
    size_t     slot;

    if (in_slab_area(block) && is_live(block)) {
        slot = heap_classes[*state_of(block) & BLOCK_CLASS].slot;
        *bytes = live_bytes(block, slot);
        if (live_is_intact(block, slot))
            return true;
        misuse_overflow(block, *bytes, live_taker(block, slot), who);
    } else if (!in_slab_area(block) && big_locate(block, &big, NULL) == BIG_START) {
        *bytes = big.bytes;
        return true;
    } else {
        misuse_of_pointer(block, who);
    }
    return false;
}

size_t heap_size(const void *block)
{
    size_t bytes;

    return measure(block, &bytes, caller_address()) ? bytes : 0;
}

/* The block stays where it is, because its slot or its pages are what the new size needs. */
static bool refit(void *block, size_t bytes, vaddr_t who)
{
    unsigned class;

    if (!in_slab_area(block))
        return bytes > HEAP_SMALL && big_refit(block, bytes);
    class = *state_of(block) & BLOCK_CLASS;
    if (bytes > HEAP_SMALL || class_for(bytes) != class)
        return false;
    block_make_live(block, heap_classes[class].slot, bytes, (uint32_t)who);
    return true;
}

void *heap_resize(void *block, size_t bytes)
{
    vaddr_t who = caller_address();
    size_t  old = 0;
    void   *new;

    if (block != NULL && !measure(block, &old, who))
        return failed();
    if (block != NULL && refit(block, bytes, who))
        return block;
    new = bytes <= HEAP_SMALL ? small_take(bytes, who) : take_pages(bytes, who);
    if (new == NULL)
        return failed();
    if (block != NULL) {
        memcpy(new, block, old < bytes ? old : bytes);
        if (in_slab_area(block))
            small_give(block, ANY_SIZE, who);
        else
            big_give(block, ANY_SIZE, who);
    }
    return new;
}

void heap_drain(void)
{
    unsigned long    interrupts = interrupts_off();
    struct heap_cpu *cpu = &heap_cpus[cpu_number()];

    for (unsigned class = 0; class < HEAP_CLASSES; class++) {
        slabs_give(cpu->magazines[class].blocks, cpu->magazines[class].count);
        cpu->magazines[class].count = 0;
    }
    slabs_trim();
    interrupts_restore(interrupts);
}
