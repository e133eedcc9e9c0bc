/*
 * heap.c - the kernel heap's public calls: a magazine of ready blocks, and the checks.
 *
 * The common case is all here and takes no lock: turn interrupts off, take the top block of
 * this CPU's magazine, check that it was not written while it was free, put the guard behind its
 * last byte, which makes it live. Giving back is the same in reverse. All other cases go to the
 * slow path, which starts over and knows all of them. Slabs fill and empty magazines half a
 * magazine at a time.
 */
#include "memory/heap/heap_slab.h"

#include "base/check.h"
#include "base/string.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

struct magazine heap_magazines[MAX_CPUS][MAGAZINES];
uint32_t        heap_key;
uint32_t        heap_failures, heap_undone;

enum { UNITS = (HEAP_SMALL + GUARD_BYTES + HEAP_ALIGN - 1) / HEAP_ALIGN + 1 };

static uint8_t  class_by_units[UNITS];  /* of a slot of so many HEAP_ALIGNs, or CLOSED       */
static uint32_t fail_in;                /* heap_fail_at(): allocations left until one fails  */

static inline size_t units_for(size_t bytes) { return (bytes + GUARD_BYTES + HEAP_ALIGN - 1) / HEAP_ALIGN; }

/* ---- Start --------------------------------------------------------------------------- */

/* The class of a slot of so many units, by looking: what class_by_units[] remembers. */
static unsigned __attribute__((noinline, cold)) class_of_units(size_t units)
{
    unsigned class = 0;

    deep_assert(units < UNITS);
    while (heap_classes[class].slot < units * HEAP_ALIGN)
        class++;
    return class;
}

/* Open the fast path; or close it, so that every allocation takes the slow path. */
static void set_fast_path(bool open)
{
    for (unsigned units = 0; units < UNITS; units++)
        class_by_units[units] = (uint8_t)(open ? class_of_units(units) : CLOSED);
}

void heap_fail_at(uint32_t n)
{
    fail_in = n;
    set_fast_path(n == 0);
}

uint32_t heap_fail_left(void) { return fail_in; }

/* No magazine holds more bytes than four of the largest blocks. */
static uint32_t magazine_limit(size_t slot)
{
    size_t most = 4 * heap_classes[HEAP_CLASSES - 1].slot / slot;

    return most < MAGAZINE ? (uint32_t)most : MAGAZINE;
}

void heap_start(void)
{
    const struct layout_region *window = layout.purpose[PURPOSE_HEAP];

    assert(window != NULL);
    memset(heap_magazines, 0, sizeof heap_magazines);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
        for (unsigned class = 0; class < HEAP_CLASSES; class++) {
            struct magazine *magazine = &heap_magazines[cpu][class];

            magazine->limit = magazine_limit(heap_classes[class].slot);
            magazine->room = (uint32_t)class_room(class);
            magazine->class = (uint8_t)class;
        }
    heap_key = (uint32_t)cpu_ticks() * 0x9E3779B1u | 1;
    heap_failures = heap_undone = 0;
    heap_fail_at(0);
    misuse_start();
    big_start();
    slabs_start(window);
}

/*
 * ---- The fast path, for the calls below to fold in ------------------------------------
 *
 * For all that the compiler knows, a store into a block may change the key or a field of a magazine. So these
 * functions read all that they need, then write the block, then the magazine: no field is read twice.
 */

static inline bool is_whole(const void *block, size_t room)
{
    return free_is_intact(block) && (!IS_CHECKED || block_fill_is_intact(block, room));
}

/* Hand out the top block of a magazine. */
static inline void block_hand_out(struct magazine *magazine, void *block, size_t bytes, vaddr_t who)
{
    uint32_t count = magazine->count;

    deep_assert(count > 0 && bytes <= magazine->room);
    block_make_live(block, magazine->room, bytes, (uint32_t)who);
    magazine->count = count - 1;
    magazine->taken++;
}

/* A live and sound block becomes the top of a magazine that has room for it. */
static inline void block_take_in(struct magazine *magazine, void *block, uint32_t bytes, vaddr_t who)
{
    uint32_t count = magazine->count;

    deep_assert(count < magazine->limit);
    if (IS_CHECKED)
        block_fill(block, magazine->room);
    block_make_free(block, bytes, (uint32_t)who);
    magazine->blocks[count] = block;
    magazine->count = count + 1;
}

/* The class of the small block that begins here and is out, or a number above all classes, for any pointer. */
static inline unsigned class_out(const void *block)
{
    size_t granule = slab_granule(block);

    if (UNLIKELY(!has_book(granule) || granule % (CHUNK_BYTES / HEAP_ALIGN) < PAGE_SIZE / HEAP_ALIGN))
        return UINT32_MAX;
    return (unsigned)__atomic_load_n(heap.book + granule, __ATOMIC_RELAXED) - BLOCK_OUT;      /* see state_of() */
}

/* ---- Small blocks: the slow path ------------------------------------------------------ */

/* True for the allocation that heap_fail_at() has chosen; the fast path opens again with it. */
static bool chosen_to_fail(void)
{
    if (LIKELY(fail_in == 0) || --fail_in > 0)
        return false;
    set_fast_path(true);
    return true;
}

void *small_take(size_t bytes, vaddr_t who)
{
    unsigned long    interrupts;
    struct magazine *magazine;
    void            *block = NULL;

    deep_assert(bytes <= HEAP_SMALL);
    if (chosen_to_fail())
        return NULL;
    interrupts = interrupts_off();
    magazine = magazine_of(class_of_units(units_for(bytes)));
    /* bound: damaged blocks, each found once */
    while (block == NULL) {
        if (magazine->count == 0)
            magazine->count = slabs_take(magazine->class, magazine->blocks, magazine->limit / 2);
        if (magazine->count == 0)
            break;
        block = magazine->blocks[magazine->count - 1];
        if (is_whole(block, magazine->room)) {
            block_hand_out(magazine, block, bytes, who);
        } else {
            magazine->count--;
            set_state(block, BLOCK_LOST + magazine->class);
            misuse_after_free(block, magazine->class, who);
            block = NULL;
        }
    }
    interrupts_restore(interrupts);
    return block;
}

/*
 * Make room: the older half of a magazine's blocks goes back to the slabs. Each may be the last of a slab, whose pages
 * go then: interrupts are let in behind each such block, if they were on.
 */
static void __attribute__((noinline)) magazine_spill(struct magazine *magazine, unsigned long *interrupts)
{
    void    *oldest[MAGAZINE / 2];
    uint32_t half = magazine->limit / 2;

    deep_assert(magazine->count == magazine->limit && half > 0 && half <= COUNT_OF(oldest));
    memcpy(oldest, magazine->blocks, half * sizeof oldest[0]);
    magazine->count -= half;
    memmove(magazine->blocks, magazine->blocks + half, magazine->count * sizeof magazine->blocks[0]);
    /* bound: half a magazine, then free books; interrupts are let in in each step */
    for (uint32_t gone = 0; gone < half || slabs_settle(); ) {
        gone += slabs_give(&oldest[gone], half - gone);
        interrupts_restore(*interrupts);
        *interrupts = interrupts_off();
    }
}

void small_give(void *block, size_t said, vaddr_t who)
{
    unsigned long    interrupts = interrupts_off();
    unsigned         class = class_out(block);
    struct magazine *magazine;
    uint32_t         bytes;

    if (class < HEAP_CLASSES && magazine_of(class)->count == magazine_of(class)->limit)
        magazine_spill(magazine_of(class), &interrupts);
    if (class >= HEAP_CLASSES) {
        misuse_of_pointer(block, who);
    } else {
        magazine = magazine_of(class);
        bytes = live_bytes(block, magazine->room);
        if (!live_is_intact(block, magazine->room)) {
            if (misuse_of_damaged(block, class, who))
                set_state(block, BLOCK_LOST + class);
        } else if (said != ANY_SIZE && said != bytes) {
            misuse_of_size(block, bytes, said, who);
        } else {
            if (magazine->count == magazine->limit)
                slabs_give(&magazine->blocks[--magazine->count], 1);    /* interrupts have filled it meanwhile */
            block_take_in(magazine, block, bytes, who);
        }
    }
    interrupts_restore(interrupts);
}

/* ---- Public calls --------------------------------------------------------------------- */

static __attribute__((noinline)) void *take_slowly(size_t bytes, vaddr_t who)
{
    void *block = NULL;

    if (bytes <= HEAP_SMALL)
        block = small_take(bytes, who);
    else if (!chosen_to_fail())
        block = big_take(bytes, who);
    if (block == NULL)
        __atomic_fetch_add(&heap_failures, 1, __ATOMIC_RELAXED);
    return block;
}

static ALWAYS_INLINE void *block_take(size_t bytes, vaddr_t who)
{
    if (LIKELY(bytes <= HEAP_SMALL)) {
        unsigned long    interrupts = interrupts_off();
        struct magazine *magazine = magazine_of(class_by_units[units_for(bytes)]);
        uint32_t         count = magazine->count;

        if (LIKELY(count > 0)) {
            void *block = magazine->blocks[count - 1];

            if (LIKELY(is_whole(block, magazine->room))) {
                block_hand_out(magazine, block, bytes, who);
                interrupts_restore(interrupts);
                return block;
            }
        }
        interrupts_restore(interrupts);
    }
    return take_slowly(bytes, who);
}

void *heap_take(size_t bytes) { return block_take(bytes, caller_address()); }

void *heap_take_zeroed(size_t bytes)
{
    void *block = block_take(bytes, caller_address());

    return block != NULL ? memset(block, 0, bytes) : NULL;
}

static __attribute__((noinline)) void give_slowly(void *block, size_t said, vaddr_t who)
{
    if (in_slab_area(block))
        small_give(block, said, who);
    else if (block != NULL)
        big_give(block, said, who);
}

static ALWAYS_INLINE void block_give(void *block, size_t said, vaddr_t who)
{
    unsigned long interrupts = interrupts_off();
    unsigned      class = class_out(block);

    if (LIKELY(class < HEAP_CLASSES)) {
        struct magazine *magazine = magazine_of(class);
        uint32_t         bytes = live_bytes(block, magazine->room);

        if (LIKELY(live_is_intact(block, magazine->room) && (said == ANY_SIZE || said == bytes) &&
                   magazine->count < magazine->limit)) {
            block_take_in(magazine, block, bytes, who);
            interrupts_restore(interrupts);
            return;
        }
    }
    interrupts_restore(interrupts);
    give_slowly(block, said, who);
}

void heap_free(void *block)                     { block_give(block, ANY_SIZE, caller_address()); }
void heap_free_sized(void *block, size_t bytes) { block_give(block, bytes, caller_address()); }

/* The bytes that a sound live block was asked for; false, and a report, when this is none. */
static bool __attribute__((noinline, cold)) block_measure(const void *block, size_t *bytes, vaddr_t who)
{
    unsigned   class = class_out(block);
    struct big big;

    if (class < HEAP_CLASSES) {
        *bytes = live_bytes(block, class_room(class));
        if (live_is_intact(block, class_room(class)))
            return true;
        (void)misuse_of_damaged(block, class, who);
    } else if (!in_slab_area(block) && big_locate(block, &big, NULL) == BIG_START) {
        *bytes = big.bytes;
        if (big_is_intact(&big))
            return true;
        misuse_overflow(block, big.bytes, big.taker, who);
    } else {
        misuse_of_pointer(block, who);
    }
    return false;
}

size_t heap_size(const void *block)
{
    size_t bytes;

    return block_measure(block, &bytes, caller_address()) ? bytes : 0;
}

/* Resize in place, if the block's slot or pages are the ones that the new size needs. */
static bool block_refit(void *block, size_t bytes, vaddr_t who)
{
    unsigned class = class_out(block);

    if (class >= HEAP_CLASSES)
        return bytes > HEAP_SMALL && big_refit(block, bytes);
    if (bytes > HEAP_SMALL || class_of_units(units_for(bytes)) != class)
        return false;
    block_make_live(block, class_room(class), bytes, (uint32_t)who);
    return true;
}

void *heap_resize(void *block, size_t bytes)
{
    vaddr_t who = caller_address();
    size_t  old;
    void   *new;

    if (block == NULL)
        return take_slowly(bytes, who);
    if (!block_measure(block, &old, who))
        return NULL;
    if (block_refit(block, bytes, who))
        return block;
    new = take_slowly(bytes, who);
    if (new != NULL) {
        memcpy(new, block, old < bytes ? old : bytes);
        give_slowly(block, old, who);
    }
    return new;
}

/* Each CPU empties its own magazines: no other CPU may touch them. */
void heap_drain(void)
{
    unsigned long interrupts = interrupts_off();

    /* bound: HEAP_CLASSES magazines */
    for (unsigned class = 0; class < HEAP_CLASSES; class++) {
        struct magazine *magazine = magazine_of(class);

        for (uint32_t i = 0; i < magazine->count; i++)          /* bound: a magazine */
            slabs_give(&magazine->blocks[i], 1);
        magazine->count = 0;
    }
    slabs_trim();
    interrupts_restore(interrupts);
}
