/*
 * heap_block.h - what the heap writes into its blocks, so that misuse shows.
 *
 * A slot is the room of one block, S bytes; n of them were asked for, n + GUARD_BYTES <= S.
 * Offsets in bytes, four bytes each; the key differs from block to block and from boot to boot:
 *
 *   live                                        free
 *   [0, n)    the owner's                       [0]      key ^ ~who gave it back
 *   [n]       guard, no byte of it ASCII        [4]      who gave it back
 *   [S - 8]   who took it, if there is room     [8 ..]   FREE_FILL (checked builds)
 *   [S - 4]   key ^ n                           [S - 4]  key ^ (n, a check of who, a mark)
 *
 * "Who" is the low half of a code address. Writing past the end meets the guard with the first byte,
 * a terminating zero included; writing after free meets one of three words, and where two
 * of them are left the culprit can still be named.
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

/* 0x80 in each byte: the guard is never the zero or the letter that a copy too long ends with. */
static inline uint32_t guard_word(const void *block) { return ~block_key(block) | 0x80808080u; }

static inline void block_make_live(void *block, size_t slot, size_t bytes, uint32_t taker)
{
    *block_word(block, slot - 4) = block_key(block) ^ (uint32_t)bytes;
    if (bytes + GUARD_BYTES + 4 <= slot)
        *block_word(block, slot - 8) = taker;
    *block_word(block, bytes) = guard_word(block);
}

/* What was asked for; a number above slot - GUARD_BYTES says that the word has been overwritten. */
static inline size_t live_bytes(const void *block, size_t slot)
{
    return *block_word(block, slot - 4) ^ block_key(block);
}

static inline bool live_is_intact(const void *block, size_t slot)
{
    size_t bytes = live_bytes(block, slot);

    return bytes <= slot - GUARD_BYTES && *block_word(block, bytes) == guard_word(block);
}

/* Who took a live block, or 0 where there was no room to note it. */
static inline uint32_t live_taker(const void *block, size_t slot)
{
    return live_bytes(block, slot) + GUARD_BYTES + 4 <= slot ? *block_word(block, slot - 8) : 0;
}

/* The last word of a free block: a live one's could only be mistaken for it if n had 32 bits. */
static inline uint32_t free_tail(const void *block, size_t bytes, uint32_t giver)
{
    return block_key(block) ^ (0xA0000000u | ((giver ^ giver >> 16) & 0xFFFFu) << 12 | (uint32_t)bytes);
}

static inline size_t free_bytes(const void *block, size_t slot)
{
    return (*block_word(block, slot - 4) ^ block_key(block)) & 0xFFFu;
}

static inline uint32_t free_giver(const void *block) { return *block_word(block, 4); }

static inline void block_make_free(void *block, size_t slot, size_t bytes, uint32_t giver)
{
    *block_word(block, 0) = block_key(block) ^ ~giver;
    *block_word(block, 4) = giver;
    *block_word(block, slot - 4) = free_tail(block, bytes, giver);
}

/* Whether the note of who gave a free block back agrees with the first word, with the last. */
static inline bool free_head_agrees(const void *block)
{
    return *block_word(block, 0) == (block_key(block) ^ ~free_giver(block));
}

static inline bool free_tail_agrees(const void *block, size_t slot)
{
    return *block_word(block, slot - 4) == free_tail(block, free_bytes(block, slot), free_giver(block));
}

static inline bool free_is_intact(const void *block, size_t slot)
{
    return free_head_agrees(block) && free_tail_agrees(block, slot);
}

/* Checked builds fill what is free and see that it stays so. */
void block_fill(void *block, size_t slot);
bool block_fill_is_intact(const void *block, size_t slot);

#endif
