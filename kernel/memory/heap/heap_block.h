/*
 * heap_block.h - what the heap writes into its blocks, so that misuse shows.
 *
 * A slot is the room of one block and GUARD_BYTES more; n bytes were asked for, n <= room. Offsets in
 * bytes, four bytes each; the key k differs from block to block and from boot to boot:
 *
 *   live                                        free
 *   [0, n)      the owner's                     [0]         k ^ giver
 *   [n]         guard: k                        [4]         giver
 *   [room]      taker, if n + 4 <= room         [n]         giver, if n >= 8
 *   [room + 4]  k ^ n                           [room + 4]  k ^ n
 *
 * A block is FREE in its slab, READY in a processor's magazine, LIVE while a caller has it, and LOST once it was found
 * damaged: FREE <--> READY <--> LIVE --> LOST, READY --> LOST. Its state byte (heap_slab.h) says which, but for READY
 * and LIVE, which are both BLOCK_OUT there: a LIVE block has its guard, a READY one has none and is in a magazine.
 *
 * Taker and giver are the low 32 bits of the code addresses that took the block and gave it back. A write past the end
 * changes the guard with its first byte, also if that is a terminating zero. What is given back loses its guard: in its
 * place is the giver, or, when it begins in the first eight bytes, those of the tag. A write after free changes the tag
 * in [0] and [4], and the copy in [n] tells whether the giver is still known. Checked builds fill the rest of a free
 * block, [8, room), with FREE_FILL.
 */
#ifndef QUIRE_MEMORY_HEAP_BLOCK_H
#define QUIRE_MEMORY_HEAP_BLOCK_H

#include "base/types.h"

enum { GUARD_BYTES = 8, FREE_FILL = 0xFB };

extern uint32_t heap_key;              /* odd */

/* A word at any address, whatever type lives there. */
typedef uint32_t __attribute__((may_alias, aligned(1))) loose_word;

static inline loose_word *block_word(const void *block, size_t offset)
{
    return (loose_word *)((uintptr_t)block + offset);
}

/* Two words, the first at the lower address: one store where a register holds both. */
typedef uint64_t __attribute__((may_alias, aligned(1))) loose_pair;

static inline void block_put_pair(void *block, size_t offset, uint32_t first, uint32_t second)
{
    *(loose_pair *)((uintptr_t)block + offset) = (uint64_t)second << 32 | first;
}

/*
 * No byte of a key equals a zero or a letter, with which a copy that is too long ends: each has its top bit set. The
 * product spreads over all bits what two addresses differ in, so that the four that are set hide no difference.
 */
#define KEY_BITS 0x80808080u

static inline uint32_t block_key(const void *block) { return ((uint32_t)(uintptr_t)block + 1) * heap_key | KEY_BITS; }

/* ---- Live ------------------------------------------------------------------------------ */

static inline void block_make_live(void *block, size_t room, size_t bytes, uint32_t taker)
{
    uint32_t key = block_key(block);                    /* read once: the stores below might be to it */

    block_put_pair(block, room, taker, key ^ (uint32_t)bytes);
    *block_word(block, bytes) = key;                    /* over the taker, where there is no room for both */
}

/* The bytes that were asked for; more than the room means that the word has been overwritten. */
static inline uint32_t live_bytes(const void *block, size_t room)
{
    return *block_word(block, room + 4) ^ block_key(block);
}

static inline bool live_is_intact(const void *block, size_t room)
{
    uint32_t bytes = live_bytes(block, room);

    return bytes <= room && *block_word(block, bytes) == block_key(block);
}

/* The taker of a live block, or 0 where there was no room to note it. */
static inline uint32_t live_taker(const void *block, size_t room)
{
    return live_bytes(block, room) + 4 <= room ? *block_word(block, room) : 0;
}

/* ---- Free ------------------------------------------------------------------------------ */

enum { TAG_BYTES = 8 };

/* The last word stays as it was when the block, of n bytes, was live. */
static inline void block_make_free(void *block, size_t bytes, uint32_t giver)
{
    uint32_t key = block_key(block);

    *block_word(block, bytes) = giver;
    block_put_pair(block, 0, key ^ giver, giver);
}

/* A block that nobody had yet. Its giver is 0, and its size the room: no part of its tag may pass for a guard. */
static inline void block_make_new(void *block, size_t room)
{
    block_make_live(block, room, room, 0);
    block_make_free(block, room, 0);
}

static inline uint32_t free_giver(const void *block) { return *block_word(block, 4); }

static inline bool free_is_intact(const void *block)
{
    return *block_word(block, 0) == (block_key(block) ^ free_giver(block));
}

/* Whether the copy of the giver behind the block's last byte is there, and the same. */
static inline bool free_giver_is_confirmed(const void *block, size_t room)
{
    uint32_t bytes = live_bytes(block, room);

    return bytes >= TAG_BYTES && bytes <= room && *block_word(block, bytes) == free_giver(block);
}

/* The giver of a block that may be damaged, or 0 if neither copy is confirmed. */
static inline uint32_t free_giver_if_known(const void *block, size_t room)
{
    return free_is_intact(block) || free_giver_is_confirmed(block, room) ? free_giver(block) : 0;
}

/* Checked builds fill free blocks, and check that the filling is still there, and the copy of the giver. */
void block_fill(void *block, size_t room);
bool block_fill_is_intact(const void *block, size_t room);

#endif
