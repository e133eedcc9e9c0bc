/*
 * swap_parts.h - the structures of swap slots, for swap.c and its audit.
 */
#ifndef QUIRE_MEMORY_SWAP_PARTS_H
#define QUIRE_MEMORY_SWAP_PARTS_H

#include "base/lock.h"
#include "memory/pageout/swap.h"

enum { SLOTS_A_FRAME = PAGE_SIZE / 8 };

struct swap_slot {
    uint32_t place;                     /* the frame's number times SWAP_PARTS, and the part; free: the next one */
    uint32_t references;                /* 0: free */
};

/* What a frame of parts begins with. The parts of a frame are as many as its class's number. */
struct parts {
    frame_t  next, previous;            /* frames of the class with a free part */
    uint16_t used;                      /* a bit for each part                  */
    uint16_t count;
};

struct swap {                           /* [swap_lock] */
    frame_t  directory;                 /* NO_FRAME while no slot is in use */
    uint32_t tables;                    /* frames of slots in the directory */
    uint32_t first_free;                /* NO_SLOT: none                    */
    uint32_t used, frames;
    uint64_t bytes, out, in, refused;
    frame_t  partly[SWAP_PARTS + 1];
};

extern struct lock swap_lock;
extern struct swap swap;

static inline frame_t  swap_place_frame(uint32_t place) { return (frame_t){ place / SWAP_PARTS }; }
static inline uint32_t swap_place_part(uint32_t place)  { return place % SWAP_PARTS; }

/* The lock is held; valid until another slot is looked at. */
struct swap_slot *swap_slot_at(uint32_t slot);

#endif
