/*
 * heap.h - the kernel heap: blocks of any size, given back singly.
 *
 * Small blocks come from slabs: runs of pages cut into equal blocks of one size class, whose
 * bookkeeping lies out of line, with a per-CPU magazine of ready blocks in front. Big ones
 * (above HEAP_SMALL) are whole pages, a region of kernel space each. Memory comes back
 * to the pool as soon as a slab is empty (one empty slab a class is kept) or a big block is freed.
 * A heap that was never used holds no page.
 *
 * Checks   always on. A free block carries a tag keyed by its address, and the address of who
 *          freed it; a live one a guard behind its last byte. Double free, a pointer that is not the
 *          heap's, one into the middle of a block, writing after free, writing past the end,
 *          a wrong size at heap_free_sized(): each is detected, reported with the code addresses of the
 *          culprits, counted, and harmless (the block is left as it is; damaged, it is never
 *          handed out again). A write past the end is found when the block is given back, a write after
 *          free when it would be handed out again, if it was to the first eight bytes; checked
 *          builds fill the rest of a free block and verify that too.
 * Locking  small blocks: RANK_HEAP inside, and most calls take no lock; callable from interrupts,
 *          with no lock of rank HEAP or above held. Big blocks: RANK_MAP inside as well, so no lock of
 *          rank MAP or above may be held.
 * Cost     O(1) for small blocks, O(log regions) + pages for big ones.
 * Space    a slot is at most a quarter larger than the bytes asked for and 8 more, rounded up to
 *          16 bytes; the book takes one page in sixteen of the slab area, up to the highest slab there
 *          is: a late block of a heap that was large keeps the book of all below it.
 * Errors   NULL when there is no memory; never a panic.
 * Source   claims M17, G27.
 *
 * Invariants (heap_ok), while no other CPU is inside the heap:
 *   H1  each slab's count of blocks out equals its states', and it is in the list its fullness says
 *   H2  every page of the heap's slab area belongs to one slab or is free, and is mapped iff it belongs
 *   H3  blocks in magazines are free in no other place, and belong to the class
 *   H4  free blocks carry their tag, live ones their guard
 *   H5  frames of owner HEAP equal the pages of slabs, of big blocks and of bookkeeping
 */
#ifndef QUIRE_MEMORY_HEAP_H
#define QUIRE_MEMORY_HEAP_H

#include "base/types.h"

#define HEAP_SMALL 2048u
#define HEAP_ALIGN 16u          /* of every block's first byte */

enum { HEAP_ZERO = 1 };

void heap_start(void) __attribute__((cold));

/*
 * heap_alloc(0, flags) returns a block as well: a pointer that is not NULL and equals no other. Which of the two calls
 * below it is, is known when its caller is compiled.
 */
void *heap_take(size_t bytes) __attribute__((malloc, alloc_size(1)));
void *heap_take_zeroed(size_t bytes) __attribute__((malloc, alloc_size(1)));
static inline __attribute__((always_inline, malloc, alloc_size(1))) void *heap_alloc(size_t bytes, unsigned flags)
{
    return flags & HEAP_ZERO ? heap_take_zeroed(bytes) : heap_take(bytes);
}
void  heap_free(void *block);                           /* NULL is fine                       */
void  heap_free_sized(void *block, size_t bytes);       /* checks that bytes was asked for    */
/*
 * Same contents up to the smaller size; a NULL block is heap_alloc(). Returns the block, moved or
 * not, or NULL, without memory or for a pointer that is misused: then the old one is unchanged.
 */
void *heap_resize(void *block, size_t bytes);
size_t heap_size(const void *block);                    /* what was asked for; 0 if misused   */

/*
 * Zeroed memory that is never given back, for as long as the kernel runs. Where the document packs its regions the
 * heap begins inside a page (G19); the heap's part of that page serves first, from the bottom up, and is no part of
 * the sums. Else this is heap_alloc(). NULL when there is no memory. heap_kept() says how much of the page
 * is in use, and of how many bytes.
 */
void  *heap_keep(size_t bytes);
size_t heap_kept(size_t *of);

enum heap_misuse {
    HEAP_DOUBLE_FREE, HEAP_FOREIGN, HEAP_INTERIOR, HEAP_WRITE_AFTER_FREE, HEAP_OVERFLOW, HEAP_WRONG_SIZE,
    HEAP_MISUSES
};
extern const char *const heap_misuse_names[HEAP_MISUSES];

struct heap_sums {
    uint32_t slab_pages, big_pages, bookkeeping_pages;
    uint32_t live_blocks, big_blocks;       /* all that callers hold; those of whole pages */
    uint32_t lost_blocks;                   /* found damaged, never handed out again       */
    uint64_t live_bytes;                    /* as asked for                                */
    uint64_t allocs, frees, failures;       /* calls, by their outcome                     */
    uint32_t misuse[HEAP_MISUSES];
};
/* O(heap): counted by a walk, so that the fast path has one counter only. */
void heap_sums(struct heap_sums *out);

/*
 * The takers of the heap: live blocks by the code address that took them and the room of their slots. A block that
 * fills its slot has no room for its taker, who is then 0. Big blocks have rows with slots of room 0, and the small
 * blocks that describe them are among the others. Returns how many rows it wrote, at most `room`; further rows are
 * left out. O(heap * rows), under the map lock of kernel space.
 */
struct heap_taker { uint32_t taker, slot_room, blocks; uint64_t bytes; };
unsigned heap_takers(struct heap_taker *rows, unsigned room);

struct audit_report;
void heap_audit(struct audit_report *report);       /* H1..H5 */
/*
 * One piece: part 0 checks lists, magazines and the number of frames, each further part 64 KiB of the slab area.
 * Returns true for the last part. Only the full audit compares all magazines with all blocks.
 */
bool heap_audit_part(uint32_t part, struct audit_report *report);
bool heap_ok(void);
/*
 * The n-th allocation from now on fails, once (1: the next; 0: none). A big block counts twice:
 * its pages, then its region object. heap_fail_left(): how many are left until then; 0: it has failed.
 */
void     heap_fail_at(uint32_t n);
uint32_t heap_fail_left(void);
/* Empty this CPU's magazines and give every empty slab back: before counting, and when memory is short. */
void heap_drain(void) __attribute__((cold));

#endif
