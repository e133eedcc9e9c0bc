/*
 * format_firmware.h - page-table entries of the firmware design document's machine.
 *
 * One table of at most 256 entries maps 1 MiB of addresses. Its first word is a header: how many entries
 * follow (G3: a small process has a short table). An entry has 20 bits of frame number, a right each to read,
 * write and execute, an accessed and a dirty bit, and 7 keys. An access is allowed when the right
 * is there and the entry has a key in common with the context: the kernel holds one key, a program another.
 * So a page can be for execution only, or for programs only: mmu_allow() returns the rights
 * it is given, except that kernel and program share one set of rights where both have any.
 *
 *   31                   12 11        5   4   3   2   1   0
 *   [ frame                | keys      | D | A | X | W | R ]     with a right: present
 *   [ frame or number      | user | kernel | kind | 0   0   0 ]  without: the kind, and rights kept
 *
 * No context ever holds keys 5 and 6: they keep the age for page-out. The machine has no cache types, no
 * global and no large pages. There is no bit for it, so a page that was BLOCKED counts as written to.
 *
 * arch/contract.h describes each function.
 * Source   claims G1, G3, G5, G7 to G16.
 */
#ifndef QUIRE_HOST_FORMAT_FIRMWARE_H
#define QUIRE_HOST_FORMAT_FIRMWARE_H

#include "arch/contract.h"

typedef struct { uint32_t raw; } entry_t;

#define MMU_LEVELS       1
#define MMU_ENTRIES      256u
#define MMU_LARGE_LEVEL  0
#define MMU_VARIABLE     1
#define MMU_SPACE_END    ((page_t)256)
#define MMU_FRAMES_END   (1u << 20)

enum {
    FIRMWARE_RIGHTS = 7,                        /* MAY_READ, MAY_WRITE, MAY_EXECUTE unchanged      */
    FIRMWARE_ACCESSED = 1 << 3, FIRMWARE_DIRTY = 1 << 4,
    FIRMWARE_KEY_KERNEL = 1 << 5, FIRMWARE_KEY_USER = 1 << 6,
    FIRMWARE_AGE_SHIFT = 10,
};

/* Entry 0 of a table in memory is its header. */
static inline unsigned mmu_index(page_t page, unsigned level) { (void)level; return (unsigned)page + 1; }
static inline page_t   mmu_reach(unsigned level)              { (void)level; return 1; }

static inline bool entry_present(entry_t e) { return e.raw & FIRMWARE_RIGHTS; }

static inline enum entry_kind entry_kind(entry_t e, unsigned level)
{
    (void)level;
    return entry_present(e) ? ENTRY_PRESENT : (enum entry_kind)(e.raw >> 3 & 7);
}

static inline frame_t  entry_frame(entry_t e)       { return (frame_t){ e.raw >> PAGE_SHIFT }; }
static inline uint32_t entry_slot_number(entry_t e) { return e.raw >> PAGE_SHIFT; }

static inline struct rights mmu_allow(struct rights want)
{
    uint8_t both = want.kernel | want.user;

    return (struct rights){ .kernel = want.kernel ? both : 0, .user = want.user ? both : 0 };
}

static inline uint32_t firmware_bits(struct rights rights)
{
    return (uint32_t)(rights.kernel | rights.user) | (rights.kernel ? FIRMWARE_KEY_KERNEL : 0) |
           (rights.user ? FIRMWARE_KEY_USER : 0);
}

static inline entry_t entry_leaf(frame_t frame, struct rights rights, enum cache cache, bool global,
                                 unsigned level)
{
    (void)cache; (void)global; (void)level;
    return (entry_t){ frame.no << PAGE_SHIFT | firmware_bits(rights) };
}

static inline entry_t entry_empty(void) { return (entry_t){ 0 }; }

/* There are no tables below the root: never called, since MMU_LEVELS is 1. */
static inline entry_t entry_table(frame_t table, bool user) { (void)table; (void)user; return entry_empty(); }

static inline entry_t entry_absent(enum entry_kind kind, uint32_t number, struct rights keep)
{
    return (entry_t){ number << PAGE_SHIFT | (uint32_t)(keep.user & 7) << 9 |
                      (uint32_t)(keep.kernel & 7) << 6 | (uint32_t)kind << 3 };
}

static inline struct rights entry_kept_rights(entry_t e)
{
    return (struct rights){ .kernel = e.raw >> 6 & 7, .user = e.raw >> 9 & 7 };
}

static inline struct rights entry_rights(entry_t e)
{
    uint8_t rights = e.raw & FIRMWARE_RIGHTS;

    return (struct rights){ .kernel = e.raw & FIRMWARE_KEY_KERNEL ? rights : 0,
                            .user   = e.raw & FIRMWARE_KEY_USER ? rights : 0 };
}

static inline enum cache entry_cache(entry_t e)    { (void)e; return CACHE_BACK; }
static inline bool       entry_global(entry_t e)   { (void)e; return false; }
static inline bool       entry_accessed(entry_t e) { return e.raw & FIRMWARE_ACCESSED; }
static inline bool       entry_dirty(entry_t e)    { return e.raw & FIRMWARE_DIRTY; }
static inline unsigned   entry_age(entry_t e)      { return e.raw >> FIRMWARE_AGE_SHIFT & 3; }

static inline entry_t entry_with_age(entry_t e, unsigned age, bool accessed)
{
    e.raw = (e.raw & ~(uint32_t)(3u << FIRMWARE_AGE_SHIFT | FIRMWARE_ACCESSED)) | age << FIRMWARE_AGE_SHIFT |
            (accessed ? FIRMWARE_ACCESSED : 0);
    return e;
}

static inline entry_t entry_with_use(entry_t e, bool written)
{
    return (entry_t){ e.raw | FIRMWARE_ACCESSED | (written ? FIRMWARE_DIRTY : 0) };
}

static inline entry_t entry_with_rights(entry_t e, struct rights rights)
{
    e.raw &= ~(uint32_t)(FIRMWARE_RIGHTS | FIRMWARE_KEY_KERNEL | FIRMWARE_KEY_USER);
    e.raw |= firmware_bits(rights);
    return e;
}

static inline entry_t entry_with_global(entry_t e) { return e; }

static inline entry_t entry_with_frame(entry_t e, frame_t frame)
{
    return (entry_t){ (e.raw & (PAGE_SIZE - 1)) | frame.no << PAGE_SHIFT };
}

static inline entry_t entry_block(entry_t e, struct rights keep)
{
    return entry_absent(ENTRY_BLOCKED, e.raw >> PAGE_SHIFT, keep);
}

static inline entry_t entry_unblock(entry_t e, struct rights rights, bool global)
{
    (void)global;
    return (entry_t){ (e.raw & ~0xFFFu) | firmware_bits(rights) | FIRMWARE_DIRTY };
}

static inline void entry_write(entry_t *at, entry_t e) { *(volatile uint32_t *)&at->raw = e.raw; }

static inline entry_t entry_read(const entry_t *at)
{
    return (entry_t){ *(const volatile uint32_t *)&at->raw };
}

static inline entry_t entry_exchange(entry_t *at, entry_t e)
{
    return (entry_t){ __atomic_exchange_n(&at->raw, e.raw, __ATOMIC_SEQ_CST) };
}

static inline bool entry_change(entry_t *at, entry_t from, entry_t to)
{
    return __atomic_compare_exchange_n(&at->raw, &from.raw, to.raw, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

/* The header lies before the entry of page 0. Pages beyond the end are never cached: growing needs no flush. */
static inline void mmu_cover(entry_t *page0, page_t end)
{
    if (page0[-1].raw < end)
        entry_write(&page0[-1], (entry_t){ (uint32_t)end });
}

static inline void mmu_trim(entry_t *page0)
{
    uint32_t end = page0[-1].raw;

    while (end > 0 && page0[end - 1].raw == 0)
        end--;
    entry_write(&page0[-1], (entry_t){ end });
}

#endif
