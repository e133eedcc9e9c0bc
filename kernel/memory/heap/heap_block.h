/*
 * heap_block.h - what the heap writes into its blocks, so that misuse shows.
 *
 * A slot is the room of one block and GUARD_BYTES more; n bytes were asked for, n <= room. Offsets in
 * bytes, four bytes each; the key k differs from block to block and from boot to boot:
 *
 *   live                                        free
 *   [0, n)      the owner's                     [0]         k ^ who gave it back
 *   [n]         guard, no byte of it ASCII      [4]         who gave it back
 *   [room]      who took it, if n + 4 <= room   [room]      who gave it back
 *   [room + 4]  k ^ n                           [room + 4]  k ^ n
 *
 * A block is FREE in its slab, READY in a processor's magazine, LIVE while somebody has it, and LOST once it was found
 * damaged: FREE <--> READY <--> LIVE --> LOST, READY --> LOST. Its state byte (heap_slab.h) says which.
 *
 * "Who" is the low half of a code address. Writing past the end meets the guard with the first
 * byte, a terminating zero included. Writing after free meets the tag in [0] and [4], and the copy
 * in [room] tells whether the culprit is still known. Checked builds fill the rest of a
 * free block, [8, room), with FREE_FILL.
 */
#ifndef QUIRE_MEMORY_HEAP_BLOCK_H
#define QUIRE_MEMORY_HEAP_BLOCK_H

#include "base/types.h"

enum { GUARD_BYTES = 8, FREE_FILL = 0xFB };

extern uint32_t heap_key;

/* A word at any address, whatever type lives there. */
typedef uint32_t __attribute__((may_alias, aligned(1))) loose_word;

static inline loose_word *block_word(const void *block, size_t offset)
{
    return (loose_word *)((uintptr_t)block + offset);
}

static inline uint32_t block_key(const void *block) { return heap_key ^ (uint32_t)(uintptr_t)block; }

/* In each byte of the guard: it is never the zero or the letter that a copy too long ends with. */
#define GUARD_BITS 0x80808080u

/* ---- Live ------------------------------------------------------------------------------ */

static inline void block_make_live(void *block, size_t room, size_t bytes, uint32_t taker)
{
    uint32_t key = block_key(block);                    /* read once: the stores below might be to it */

    *block_word(block, room + 4) = key ^ (uint32_t)bytes;
    *block_word(block, room) = taker;
    *block_word(block, bytes) = key | GUARD_BITS;       /* over the taker, where there is no room for both */
}

/* What was asked for; more than the room says that the word has been overwritten. */
static inline uint32_t live_bytes(const void *block, size_t room)
{
    return *block_word(block, room + 4) ^ block_key(block);
}

static inline bool live_is_intact(const void *block, size_t room)
{
    uint32_t bytes = live_bytes(block, room);

    return bytes <= room && *block_word(block, bytes) == (block_key(block) | GUARD_BITS);
}

/* Who took a live block, or 0 where there was no room to note it. */
static inline uint32_t live_taker(const void *block, size_t room)
{
    return live_bytes(block, room) + 4 <= room ? *block_word(block, room) : 0;
}

/* ---- Free ------------------------------------------------------------------------------ */

/* The last word stays as it was when the block was live, or says 0 bytes in a new one. */
static inline void block_make_free(void *block, size_t room, uint32_t giver)
{
    *block_word(block, 0) = block_key(block) ^ giver;
    *block_word(block, 4) = giver;
    *block_word(block, room) = giver;
}

static inline uint32_t free_giver(const void *block) { return *block_word(block, 4); }

static inline bool free_is_intact(const void *block)
{
    return *block_word(block, 0) == (block_key(block) ^ free_giver(block));
}

/* Of a block that may be damaged: who gave it back, or 0 if neither copy is confirmed. */
static inline uint32_t free_giver_if_known(const void *block, size_t room)
{
    return free_is_intact(block) || *block_word(block, room) == free_giver(block) ? free_giver(block) : 0;
}

/* Checked builds fill what is free and see that it stays so. */
void block_fill(void *block, size_t room);
bool block_fill_is_intact(const void *block, size_t room);

#endif
