/*
 * swap_parts.h - the structures of swap slots, for swap.c and its audit.
 */
#ifndef QUIRE_MEMORY_SWAP_PARTS_H
#define QUIRE_MEMORY_SWAP_PARTS_H

#include "base/lock.h"
#include "memory/pageout/swap.h"

enum { SLOTS_A_FRAME = PAGE_SIZE / 8 };
#define PLACE_BAD (UINT32_MAX - 1)      /* of a slot on the device that could not be written: neither used nor free */

struct swap_slot {
    uint32_t place;                     /* the frame's number times SWAP_PARTS, and the part; free: the next one;
                                         * of a slot on the device that is in use: nothing */
    uint32_t references;                /* 0: free */
};

/* What a frame of parts begins with. The parts of a frame are as many as its class's number. */
struct parts {
    frame_t  next, previous;            /* frames of the class with a free part */
    uint16_t used;                      /* a bit for each part                  */
    uint16_t count;
};

/* Slots of one kind: their tables stand in the directory from `first` / SLOTS_A_FRAME on. */
struct swap_area {
    uint32_t first;                     /* 0 or SLOT_DEVICE                 */
    uint32_t tables;                    /* frames of slots in the directory */
    uint32_t frames;                    /* those, and behind them such as go or are taken for the next tables */
    uint32_t first_free;                /* NO_SLOT: none                    */
    uint32_t used;
};

struct swap {                           /* [swap_lock] */
    frame_t  directory;                 /* NO_FRAME while there are no tables */
    struct swap_area packed, device;
    uint32_t frames;
    uint32_t pages;                     /* of the device, slots at most; 0: it is not in use */
    uint32_t bad;                       /* slots of it that could not be written             */
    bool     leaving;                   /* swapoff: no slot on the device is taken any more  */
    uint64_t bytes, out, in, refused;
    frame_t  partly[SWAP_PARTS + 1];
};

extern struct lock swap_lock;
extern struct swap swap;

static inline frame_t  swap_place_frame(uint32_t place) { return (frame_t){ place / SWAP_PARTS }; }
static inline uint32_t swap_place_part(uint32_t place)  { return place % SWAP_PARTS; }

static inline uint32_t area_end(const struct swap_area *area) { return area->first + area->tables * SLOTS_A_FRAME; }

/* The lock is held, for all of these. A slot on the device, without a reference so far; NO_SLOT: there is none. */
uint32_t swap_take_on_device(void);
void     swap_put_locked(uint32_t slot);
void     swap_give_bad(uint32_t slot);  /* its only reference ends, and it is not used again */
void     swap_drop_tables(void);        /* of the device, none of whose slots is in use or bad */
int      swap_take_frame(frame_t *out) MUST_CHECK;
void     swap_give_frame(frame_t frame);

/* Valid until another slot is looked at. */
struct swap_slot *swap_slot_at(uint32_t slot);

#endif
