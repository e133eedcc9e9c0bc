/*
 * heap_slab.h - the heap's own: slabs, their bookkeeping, and how its window is divided.
 *
 * The heap's window (PURPOSE_HEAP) has three parts:
 *
 *   book    bookkeeping of the slab area, one page for each chunk of CHUNK_PAGES pages
 *   slabs   the slab area; a slab is a run of pages cut into blocks of one class
 *   big     blocks above HEAP_SMALL, a region of kernel space each (heap_big.c)
 *
 * Byte n of the book describes the 16 bytes at slabs + 16 n: the state of the block that begins
 * there, its class included. So giving back a block takes one look at one byte to know whether the pointer is the
 * start of a block that is out of its slab, and of which class. Nothing is written there as blocks come and go between
 * magazines and callers: heap_block.h. The bytes that would describe the first page of a chunk hold the descriptors
 * of the chunk's pages instead, and that page is never mapped: a guard between chunks.
 *
 *   book    [ descriptors | states of page 1 | states of page 2 | ... page 15 ]   one page
 *   slabs   [   guard     |      page 1      |      page 2      | ... page 15 ]   16 pages
 *
 * Chunks come and go at the high end only, so [0, limit) of the slab area always has its book.
 *
 * Locking  heap.lock (RANK_HEAP) guards lists and descriptors. A block's state byte is
 *          written for the holder of the block: the slab (under the lock), a CPU's magazine or the caller (by that CPU,
 *          interrupts off, when the block is found damaged).
 */
#ifndef QUIRE_MEMORY_HEAP_SLAB_H
#define QUIRE_MEMORY_HEAP_SLAB_H

#include "base/lock.h"
#include "memory/heap/heap.h"
#include "memory/heap/heap_block.h"
#include "memory/spaces/region.h"
#include "cpu.h"

enum { CHUNK_PAGES = 16, CHUNK_BYTES = CHUNK_PAGES * 4096, SLAB_PAGES = 2, HEAP_CLASSES = 25 };

/* A state byte: what a block is, in the upper three bits; its class below. 0: no block begins here. */
enum {
    BLOCK_FREE  = 1 << 5,       /* in its slab                                               */
    BLOCK_OUT   = 2 << 5,       /* in a magazine, or in a caller's hands: heap_block.h       */
    BLOCK_LOST  = 3 << 5,       /* found damaged, never handed out again                     */
    BLOCK_KIND  = 7 << 5, BLOCK_CLASS = 31,
};

/* Slots grow by a fifth to a quarter, and powers of two fit with their guard. */
struct heap_class { uint16_t slot, pages; };
extern const struct heap_class heap_classes[HEAP_CLASSES];

/* Doubly linked lists of descriptors, by page number of the slab area. */
#define NO_PAGE UINT32_MAX
struct heap_link { uint32_t next, previous; };

enum slab_list { LIST_NONE, LIST_PARTLY, LIST_EMPTY };

/* Descriptor of a page of the slab area: 16 bytes in the book. [heap lock] */
struct slab {
    struct heap_link link;
    uint16_t out;               /* blocks that are not BLOCK_FREE                            */
    uint16_t hint;              /* no free block begins below this multiple of 16 bytes      */
    uint8_t  pages;             /* of this slab; 0: the page begins none                     */
    uint8_t  back;              /* pages back to the one that begins this page's slab        */
    uint8_t  class;
    uint8_t  list;              /* enum slab_list                                            */
};

/* Descriptor 0 of a chunk describes the chunk. [heap lock] */
struct chunk {
    struct heap_link link;
    uint16_t free;              /* bit n: page n of the chunk belongs to no slab             */
    uint16_t run;               /* most free pages in a row, at most SLAB_PAGES; its list    */
    uint32_t spare;
};

_Static_assert(sizeof(struct slab) == 16 && sizeof(struct chunk) == 16,
               "CHUNK_PAGES of them fill what describes one page");

struct heap {
    char          *slabs;       /* [c] first byte of the slab area                           */
    uint8_t       *book;        /* [c]                                                       */
    uintptr_t      states;      /* [c] book - slabs / HEAP_ALIGN: states are one shift away  */
    size_t         limit;       /* [heap lock to write] bytes of slab area with a book       */
    size_t         granules;    /* [a, heap lock to write] the same in HEAP_ALIGNs           */
    size_t         most;        /* [c] bytes of the slab area                                */
    page_t         first_page, first_book;      /* [c] `slabs` and `book` as pages           */
    struct lock    lock;
    uint32_t       partly[HEAP_CLASSES];        /* [heap lock] slabs with some blocks free   */
    uint32_t       empty[HEAP_CLASSES];         /* [heap lock] at most one each is kept      */
    uint32_t       chunks[SLAB_PAGES + 1];      /* [heap lock] chunks by longest free run    */
};
extern struct heap heap;

static inline size_t slab_offset(const void *pointer)
{
    return (uintptr_t)pointer - (uintptr_t)heap.slabs;
}

/*
 * Which byte of the book describes what lies here; beyond heap.granules if that is no byte of the slab area or no
 * multiple of HEAP_ALIGN. A rotation, so that one comparison tells all of these.
 */
static inline size_t slab_granule(const void *pointer)
{
    size_t offset = slab_offset(pointer);

    return offset / HEAP_ALIGN | offset << (8 * sizeof offset - 4);
}
_Static_assert(HEAP_ALIGN == 1 << 4, "slab_granule() rotates by four bits");

/*
 * Relaxed: the holder of a block has seen the block's chunk appear, and the chunk cannot go before the block does.
 * For any other pointer either answer leads to a report.
 */
static inline bool has_book(size_t granule) { return granule < __atomic_load_n(&heap.granules, __ATOMIC_RELAXED); }

static inline bool in_slab_area(const void *pointer) { return has_book(slab_offset(pointer) / HEAP_ALIGN); }

static inline uint8_t *state_at(const void *block)
{
    return (uint8_t *)(heap.states + (uintptr_t)block / HEAP_ALIGN);
}

/* Relaxed: a slab reads the states of blocks that are not its own, only to see that they are not free. */
static inline uint8_t state_of(const void *block)
{
    return __atomic_load_n(state_at(block), __ATOMIC_RELAXED);
}
static inline void set_state(const void *block, unsigned state)
{
    __atomic_store_n(state_at(block), (uint8_t)state, __ATOMIC_RELAXED);
}

/* The descriptor of page n of the slab area; the page's chunk must have its book. */
static inline struct slab *slab_at(uint32_t page)
{
    return (struct slab *)(heap.book + (size_t)(page / CHUNK_PAGES) * PAGE_SIZE) + page % CHUNK_PAGES;
}
static inline struct chunk *chunk_at(uint32_t page)
{
    return (struct chunk *)slab_at(page - page % CHUNK_PAGES);
}
static inline void *slab_bytes(uint32_t page) { return heap.slabs + (size_t)page * PAGE_SIZE; }

static inline size_t class_room(unsigned class) { return heap_classes[class].slot - GUARD_BYTES; }

static inline uint32_t class_blocks(unsigned class)
{
    return heap_classes[class].pages * PAGE_SIZE / heap_classes[class].slot;
}

/* Divide the window: half of it, and no more, for slabs and their book; nothing is mapped. */
void slabs_start(const struct layout_region *window);

/*
 * Take up to `want` free blocks of a class, which become BLOCK_OUT. Returns how many: a new slab
 * is made only when no slab has a free block, and 0 means that there was no memory for one. slabs_give()
 * returns slabs that become empty to the pool, but for one of each class. It stops behind the first of them, and says
 * how many blocks it has given.
 */
unsigned slabs_take(unsigned class, void **blocks, unsigned want);
unsigned slabs_give(void *const *blocks, unsigned count);
/* Free chunks at the high end may be many at once: their books go a few at a time. True: there are more. */
bool     slabs_settle(void);

/* Give the empty slab that each class keeps to the pool. */
void slabs_trim(void);

/* heap_pages.c: frames for pages of the window. All or nothing; returns 0 or -ENOMEM. */
int  heap_pages_map(page_t first, unsigned pages) MUST_CHECK;
void heap_pages_unmap(page_t first, unsigned pages);

/* ---- Magazines (heap.c): each CPU's ready blocks. Interrupts off; no lock. ---- */

enum { MAGAZINE = 58 };                 /* fills the alignment where a pointer has 4 bytes, and fits where 8 */

/*
 * What the fast path needs of a class, in one place. Row CLOSED has room for nothing and is never
 * filled: class_by_units[] leads there while heap_fail_at() wants to see every call.
 */
struct magazine {
    uint32_t count;                     /* blocks in it                                       */
    uint32_t limit;                     /* [c] the most that there may be                     */
    uint32_t room;                      /* [c] slot - GUARD_BYTES                             */
    uint8_t  class;                     /* [c]                                                */
    uint64_t taken;                     /* blocks handed out, ever                            */
    void    *blocks[MAGAZINE];          /* all READY; the last given is the first taken       */
} __attribute__((aligned(64 * sizeof(void *))));

/* With several CPUs the magazines of each are a power of two, so that finding a row is a shift. */
enum { CLOSED = HEAP_CLASSES, MAGAZINES = MAX_CPUS > 1 ? 32 : HEAP_CLASSES + 1 };
extern struct magazine heap_magazines[MAX_CPUS][MAGAZINES];

/* This CPU's magazine of a class. */
static inline struct magazine *magazine_of(unsigned class)
{
    struct magazine *own = heap_magazines[cpu_number()];

    __asm__("" : "+r"(own));            /* known before the class is: not to be folded into one sum */
    return &own[class];
}

extern uint32_t heap_failures;                  /* [a] calls that returned NULL               */
extern uint32_t heap_undone;                    /* [a] small blocks taken for big ones in vain */

/* Blocks of at most HEAP_SMALL. `who` is the code address that reports will name. */
void *small_take(size_t bytes, vaddr_t who) __attribute__((cold));
void  small_give(void *block, size_t said, vaddr_t who) __attribute__((cold));

#define ANY_SIZE SIZE_MAX                       /* for `bytes`: do not check */

/* ---- Big blocks (heap_big.c). RANK_MAP inside. ---- */

struct big {
    struct region region;
    size_t        bytes;                        /* [c] as asked for                           */
    uint32_t      taker;                        /* [c] code address                           */
    bool          held;                         /* [map lock] handed out, and not given back  */
    bool          lost;                         /* [map lock] found damaged, never given back */
};

/* How a pointer relates to the big blocks. */
enum big_place { BIG_NONE, BIG_START, BIG_INSIDE, BIG_GONE };

void           big_start(void);
void          *big_take(size_t bytes, vaddr_t who);
void           big_give(void *block, size_t said, vaddr_t who);
void          *big_start_of(const struct big *big);
enum big_place big_locate(const void *pointer, struct big *copy, uint32_t *gone_to);
bool           big_refit(void *block, size_t bytes);    /* true: done, the pages suffice       */
bool           big_is_intact(const struct big *big);
/* The next big block after `from`, or the first; NULL: no more. The map lock is held. */
const struct big *big_at_or_above(page_t page);
const struct big *big_after(const struct big *from);

/* ---- Misuse (heap_misuse.c): counted and reported. ---- */

void misuse_of_pointer(const void *pointer, vaddr_t who);       /* not the start of a live block */
/* A block that is out, without its guard: given back twice, if it is ready; else it was written past its end: true. */
bool misuse_of_damaged(const void *block, unsigned class, vaddr_t who);
/* Whether a block is ready in some CPU's magazine: it is out, and nobody's. O(CPUs * MAGAZINE). */
bool magazines_hold(const void *block, unsigned class);
void misuse_overflow(const void *block, size_t bytes, uint32_t taker, vaddr_t who);
void misuse_after_free(const void *block, unsigned class, vaddr_t who);
void misuse_of_size(const void *block, size_t bytes, size_t said, vaddr_t who);
uint32_t misuse_count(enum heap_misuse which);
void misuse_start(void);

#endif
