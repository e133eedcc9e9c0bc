/*
 * pool.h - which frames are free: the bitmap, and what makes searching it cheap.
 *
 * Internal to the frame pool: the files frame*.c add records, owners and magazines, and are, with the checks of
 * frames (memory/check), the only callers. This part knows numbers and bits only.
 *
 *   bitmap   one bit a frame, where and in the polarity the document says. Read as raw bytes,
 *            bit n % 8 of byte n / 8 is frame n. In memory it is an array of words (word_t).
 *   area     512 frames, 2 MiB, aligned. Its `struct area` holds the number of its free frames and one
 *            bit for each of its words that has a free frame.
 *   class    how full an area is. In address order (first-fit, next-fit) there is one class:
 *            areas with a free frame. By fullness there are POOL_CLASSES: partly used ones in bands,
 *            fullest first, and last the areas that are all free, so that those are
 *            opened only when nothing else is left.
 *   zone     0: areas that lie wholly below low_end; 1: the others. By fullness zone 1 is used up
 *            first, so that low memory is left for FRAME_LOW.
 *   set      the areas of one class and zone, as a bitmap of areas with two levels of
 *            summary above it: the first member is three words away.
 *
 * Locking  the caller holds the pool lock for every call.
 * Cost     pool_take(), pool_claim(), pool_give() touch a constant number of words. Runs:
 *          O(areas) plus the words of partly used areas.
 * Memory   bitmap 1 bit a frame; areas and sets together 0.09 bits a frame.
 *
 * Invariants F2 and F4 (frame.h) are checked by pool_audit_area() and pool_audit_sets().
 */
#ifndef QUIRE_MEMORY_POOL_H
#define QUIRE_MEMORY_POOL_H

#include "base/types.h"
#include "memory/layout.h"

typedef unsigned long word_t;

enum {
    WORD_BITS    = 8 * sizeof(word_t),
    AREA_FRAMES  = 512,
    AREA_WORDS   = AREA_FRAMES / WORD_BITS,
    POOL_CLASSES = 5,
    POOL_ZONES   = 2,
};

#define POOL_NONE UINT32_MAX

/* How many bits are one. By halves: the builtin may call a library that the kernel does not have. */
static inline uint32_t word_ones(word_t word)
{
    const word_t all = ~(word_t)0;

    word -= word >> 1 & all / 3;
    word = (word & all / 5) + (word >> 2 & all / 5);
    word = (word + (word >> 4)) & all / 17;
    return (uint32_t)(word * (all / 255) >> (WORD_BITS - 8));
}

struct area {
    uint16_t free;                  /* free frames                                        */
    uint16_t words;                 /* bit n: word n of the area has a free frame         */
};

/* Areas as a bitmap with summaries: a bit of `groups` says that a word of `bits` is not 0; `top`, of `groups`. */
struct area_set {
    word_t *bits, *groups;
    word_t  top;
};

struct pool {
    word_t          *bitmap;
    struct area     *areas;
    struct area_set  sets[POOL_ZONES][POOL_CLASSES];
    word_t           used;          /* a word whose frames are all used: the polarity     */
    uint32_t         end;           /* frames at and above this are not the pool's        */
    uint32_t         area_count;
    uint32_t         low_end;       /* frames below it are low, at most `end`             */
    uint32_t         low_areas;     /* areas in zone 0                                    */
    uint32_t         free;          /* free bits in all                                   */
    uint32_t         next;          /* next-fit: the frame taken last                     */
    enum search      search;
    size_t           bitmap_bytes;
};

/* Bytes for frames [0, end). The bitmap: whole areas. */
uint64_t pool_bitmap_bytes(uint32_t end);
uint64_t pool_summary_bytes(uint32_t end);

/* A pool with no free frame. The whole bitmap block, bitmap_bytes, reads used afterwards. */
void pool_open(struct pool *pool, const struct layout_policy *policy, uint32_t end, uint32_t low_end,
               void *bitmap, size_t bitmap_bytes, void *summary);

bool pool_is_free(const struct pool *pool, uint32_t frame);

/* Give: make used frames free. Keep: make free frames used. One frame, or a run. */
void pool_give(struct pool *pool, uint32_t frame);
void pool_give_run(struct pool *pool, uint32_t first, uint32_t count);
void pool_keep_run(struct pool *pool, uint32_t first, uint32_t count);

/*
 * The frame that the search policy hands out next; POOL_NONE if there is none. First-fit: the
 * lowest. Next-fit: the next at or after the last one taken, around the end if need be.
 * Fullest: the lowest of the fullest area. With `low` only frames below low_end are meant, and
 * both orders by address take the lowest. pool_take() makes it used, pool_peek() does not.
 */
uint32_t pool_peek(const struct pool *pool, bool low);
uint32_t pool_take(struct pool *pool, bool low);

/*
 * Claim up to `most` frames of one word, chosen by policy, at once: frame *base + n
 * for each bit n of the result, which is zero if no frame is free.
 */
word_t pool_claim(struct pool *pool, uint32_t most, uint32_t *base);
/* Give back the frames left of a claim. */
void   pool_unclaim(struct pool *pool, uint32_t base, word_t frames);

/*
 * The lowest run of `count` free frames below `below` whose first is a multiple of `align`; POOL_NONE if
 * there is none. With spare_whole, areas that are all free count as used. Takes nothing.
 */
uint32_t pool_find_run(const struct pool *pool, uint32_t count, uint32_t align, uint32_t below,
                       bool spare_whole);

uint32_t pool_largest_run(const struct pool *pool);
uint32_t pool_free_areas(const struct pool *pool);

struct audit_report;
/* F2 of one area; F2 of the summaries and F4 beyond `end`. */
void pool_audit_area(const struct pool *pool, uint32_t area, struct audit_report *report);
void pool_audit_sets(const struct pool *pool, struct audit_report *report);

#endif
