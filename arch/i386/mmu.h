/*
 * mmu.h (i386) - page-table entries of the two-level, 32-bit format.
 *
 * arch/contract.h describes each function.
 *
 * Present entries have the processor's format (Intel SDM vol. 3A, "32-Bit Paging"). Of the bits
 * that it ignores, bits 9 and 10 hold the age for page-out. Entries that are not present have the
 * kernel's format: bit 0 clear, kind in bits 1..3, rights kept for later in bits 4..9, bit 10 "was
 * written to" of a BLOCKED entry, and a frame or slot number in bits 12..31. All zero is EMPTY.
 *
 * The format has no bit for "not readable" or "not executable": mmu_allow() returns these rights, too.
 */
#ifndef QUIRE_ARCH_MMU_H
#define QUIRE_ARCH_MMU_H

#include "arch/contract.h"

typedef struct { uint32_t raw; } entry_t;

#define MMU_LEVELS       2
#define MMU_INDEX_BITS   10
#define MMU_ENTRIES      1024u
#define MMU_LARGE_LEVEL  2                      /* where an entry may map MMU_ENTRIES frames at once */
#define MMU_VARIABLE     0                      /* roots have an extent of their own                  */
#define MMU_SPACE_END    ((page_t)1 << 20)      /* pages of an address space                         */
#define MMU_FRAMES_END   (1u << 20)             /* frames an entry can name                          */

enum {
    I386_PRESENT = 1u << 0, I386_WRITE = 1u << 1, I386_USER = 1u << 2, I386_THROUGH = 1u << 3,
    I386_NO_CACHE = 1u << 4, I386_ACCESSED = 1u << 5, I386_DIRTY = 1u << 6, I386_LARGE = 1u << 7,
    I386_GLOBAL = 1u << 8, I386_AGE_SHIFT = 9,
};

static inline unsigned mmu_index(page_t page, unsigned level)
{
    return (page >> (MMU_INDEX_BITS * (level - 1))) & (MMU_ENTRIES - 1);
}

static inline page_t mmu_reach(unsigned level) { return (page_t)1 << (MMU_INDEX_BITS * (level - 1)); }

static inline enum entry_kind entry_kind(entry_t e, unsigned level)
{
    if (e.raw & I386_PRESENT)
        return level > 1 && !(e.raw & I386_LARGE) ? ENTRY_TABLE : ENTRY_PRESENT;
    return (enum entry_kind)(e.raw >> 1 & 7);
}

static inline bool     entry_present(entry_t e) { return e.raw & I386_PRESENT; }
static inline frame_t  entry_frame(entry_t e)   { return (frame_t){ e.raw >> PAGE_SHIFT }; }
static inline uint32_t entry_slot_number(entry_t e) { return e.raw >> PAGE_SHIFT; }

/* The rights that the hardware allows for a leaf made with these: never fewer, sometimes more. */
static inline struct rights mmu_allow(struct rights want)
{
    struct rights got = { 0, 0 };

    if (want.kernel | want.user)
        got.kernel = MAY_READ | MAY_EXECUTE | ((want.kernel | want.user) & MAY_WRITE);
    if (want.user)
        got.user = got.kernel;
    return got;
}

/* A leaf. The kernel may read through every present entry: for a page without rights there is entry_block(). */
static inline entry_t entry_leaf(frame_t frame, struct rights rights, enum cache cache, bool global,
                                 unsigned level)
{
    uint32_t raw = frame.no << PAGE_SHIFT | I386_PRESENT;

    if ((rights.kernel | rights.user) & MAY_WRITE)
        raw |= I386_WRITE;
    if (rights.user)
        raw |= I386_USER;
    if (cache == CACHE_OFF || cache == CACHE_COMBINE)
        raw |= I386_NO_CACHE;
    if (cache == CACHE_OFF || cache == CACHE_THROUGH)
        raw |= I386_THROUGH;
    if (global)
        raw |= I386_GLOBAL;
    if (level > 1)
        raw |= I386_LARGE;
    return (entry_t){ raw };
}

/* Upper entries allow all rights; the leaf decides. Programs have access only below user tables. */
static inline entry_t entry_table(frame_t table, bool user)
{
    return (entry_t){ table.no << PAGE_SHIFT | I386_PRESENT | I386_WRITE | (user ? I386_USER : 0) };
}

/* The entry of a directory that refers to the directory itself. */
static inline entry_t entry_self(frame_t root) { return entry_table(root, false); }

static inline entry_t entry_empty(void) { return (entry_t){ 0 }; }

static inline entry_t entry_absent(enum entry_kind kind, uint32_t number, struct rights keep)
{
    return (entry_t){ number << PAGE_SHIFT | (uint32_t)(keep.user & 7) << 7 |
                      (uint32_t)(keep.kernel & 7) << 4 | (uint32_t)kind << 1 };
}

static inline struct rights entry_kept_rights(entry_t e)
{
    return (struct rights){ .kernel = e.raw >> 4 & 7, .user = e.raw >> 7 & 7 };
}

static inline struct rights entry_rights(entry_t e)
{
    struct rights got = { 0, 0 };

    if (e.raw & I386_PRESENT) {
        got.kernel = MAY_READ | MAY_EXECUTE | (e.raw & I386_WRITE ? MAY_WRITE : 0);
        if (e.raw & I386_USER)
            got.user = got.kernel;
    }
    return got;
}

static inline enum cache entry_cache(entry_t e)
{
    switch (e.raw & (I386_NO_CACHE | I386_THROUGH)) {
    case 0:             return CACHE_BACK;
    case I386_THROUGH:  return CACHE_THROUGH;
    case I386_NO_CACHE: return CACHE_COMBINE;
    default:            return CACHE_OFF;
    }
}

static inline bool     entry_global(entry_t e)   { return e.raw & I386_GLOBAL; }
static inline bool     entry_accessed(entry_t e) { return e.raw & I386_ACCESSED; }
static inline bool     entry_dirty(entry_t e)    { return e.raw & I386_DIRTY; }
static inline unsigned entry_age(entry_t e)      { return e.raw >> I386_AGE_SHIFT & 3; }

static inline entry_t entry_with_age(entry_t e, unsigned age, bool accessed)
{
    e.raw &= ~(3u << I386_AGE_SHIFT | I386_ACCESSED);
    e.raw |= age << I386_AGE_SHIFT | (accessed ? I386_ACCESSED : 0);
    return e;
}

/* The entry as the processor makes it by a read, or a write. */
static inline entry_t entry_with_use(entry_t e, bool written)
{
    return (entry_t){ e.raw | I386_ACCESSED | (written ? I386_DIRTY : 0) };
}

/* Same frame and bookkeeping bits, other rights. The entry stays present. */
static inline entry_t entry_with_rights(entry_t e, struct rights rights)
{
    e.raw &= ~(I386_WRITE | I386_USER);
    if ((rights.kernel | rights.user) & MAY_WRITE)
        e.raw |= I386_WRITE;
    if (rights.user)
        e.raw |= I386_USER;
    return e;
}

/* The same leaf, whose cached translation survives a change of space. */
static inline entry_t entry_with_global(entry_t e) { return (entry_t){ e.raw | I386_GLOBAL }; }

static inline entry_t entry_with_frame(entry_t e, frame_t frame)
{
    return (entry_t){ (e.raw & (PAGE_SIZE - 1)) | frame.no << PAGE_SHIFT };
}

/*
 * Block a present page for a while. Its frame is kept, and in bit 10 whether it was written to; the age is lost. The
 * cache type must be CACHE_BACK.
 */
static inline entry_t entry_block(entry_t e, struct rights keep)
{
    entry_t blocked = entry_absent(ENTRY_BLOCKED, e.raw >> PAGE_SHIFT, keep);

    blocked.raw |= (e.raw & I386_DIRTY) << 4;
    return blocked;
}

static inline entry_t entry_unblock(entry_t e, struct rights rights, bool global)
{
    entry_t leaf = entry_leaf(entry_frame(e), rights, CACHE_BACK, global, 1);

    leaf.raw |= e.raw >> 4 & I386_DIRTY;
    return leaf;
}

/*
 * Store an entry. One aligned 32-bit store is atomic for the table walker; the volatile
 * keeps the compiler from splitting or delaying it.
 */
static inline void entry_write(entry_t *at, entry_t e) { *(volatile uint32_t *)&at->raw = e.raw; }

static inline entry_t entry_read(const entry_t *at)
{
    return (entry_t){ *(const volatile uint32_t *)&at->raw };
}

/*
 * Replace a present entry: the processor may set its accessed and dirty bits at any moment, so the old value is
 * fetched, or compared, in the same step.
 */
static inline entry_t entry_exchange(entry_t *at, entry_t e)
{
    return (entry_t){ __atomic_exchange_n(&at->raw, e.raw, __ATOMIC_SEQ_CST) };
}

static inline bool entry_change(entry_t *at, entry_t from, entry_t to)
{
    return __atomic_compare_exchange_n(&at->raw, &from.raw, to.raw, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

/*
 * Tables of this format have one size, so these do nothing. Where MMU_VARIABLE is 1 (the host port's firmware format) a
 * root has a length.
 */
static inline void mmu_cover(entry_t *page0, page_t end) { (void)page0; (void)end; }
static inline void mmu_trim(entry_t *page0)              { (void)page0; }

#endif
