/*
 * object_parts.h - what the sources of objects share: the index, and pages that are being filled.
 *
 * The index is a tree of nodes with OBJECT_WAYS children each; its height follows the highest page ever put in, and
 * shrinks to nothing when the last page goes. A leaf's child is 0 for a hole, or a frame number plus one; or, with
 * LEAF_ASIDE, which makes it negative, one of these:
 *
 *   LEAF_ASIDE | frame number + 1                  nobody has asked for it since the hand came by (pageout/hand.h)
 *   LEAF_ASIDE | LEAF_REFUSED | frame number + 1   the same, and it did not shrink when it was to leave memory
 *   LEAF_ASIDE | LEAF_LEAVING | frame number + 1   the same, and it is being packed or written: by one thread only
 *   LEAF_OUT | slot                                the page is out: the slot's number
 *
 * Who asks for a page finds a positive number, as a rule; else the frame is there after all and loses its marks.
 *
 * A page that is being brought, by the object's pager or from its slot, is *busy*: it is a hole of the index that the
 * pager has, or out, and some filling in the object's list covers it (O4). Nobody holds a lock until it is there: the
 * thread that fills, and those that want the page meanwhile, hold a reference to the filling, and look at the index
 * again when it is done.
 */
#ifndef QUIRE_MEMORY_OBJECT_PARTS_H
#define QUIRE_MEMORY_OBJECT_PARTS_H

#include "base/check.h"
#include "base/completion.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/object.h"

enum { OBJECT_BITS = 6, OBJECT_WAYS = 1 << OBJECT_BITS, OBJECT_HIGHEST = 11 };

struct object_node {
    uint32_t used;                          /* children that are not empty */
    union {
        struct object_node *node;
        uintptr_t           leaf;           /* see above                   */
    } child[OBJECT_WAYS];
};

#define LEAF_ASIDE   (~(UINTPTR_MAX >> 1))
#define LEAF_OUT     (LEAF_ASIDE | LEAF_ASIDE >> 1)
#define LEAF_LEAVING (LEAF_ASIDE >> 2)
#define LEAF_REFUSED (LEAF_ASIDE >> 3)
#define LEAF_NUMBER  (LEAF_REFUSED - 1)

/* Whether the page has a frame, and nothing is to be said of it; whether it has one at all; whether it is out. */
static inline bool leaf_is_plain(uintptr_t leaf) { return (intptr_t)leaf > 0; }
static inline bool leaf_is_out(uintptr_t leaf)   { return leaf >= LEAF_OUT; }
static inline bool leaf_has_frame(uintptr_t leaf) { return leaf != 0 && !leaf_is_out(leaf); }
static inline frame_t  leaf_frame(uintptr_t leaf) { return (frame_t){ (uint32_t)((leaf & LEAF_NUMBER) - 1) }; }
static inline uint32_t leaf_slot(uintptr_t leaf)  { return (uint32_t)(leaf & LEAF_NUMBER); }

/* Pages that a pager is asked for at once: as many as a fault maps at once. */
enum { FILL_MOST = 16 };

struct filling {
    struct filling   *next;                 /* [object's lock] in the object's list                               */
    uint32_t          references;           /* [object's lock] the thread that fills, and those that wait         */
    uint64_t          page;                 /* [c] the first                                                      */
    uint32_t          count;                /* [c] pages, at most FILL_MOST                                       */
    bool              cut;                  /* [object's lock] some of them were cut off: none is put in place    */
    uint32_t          slot;                 /* [c] where the one page is, a reference; NO_SLOT: the pager has it  */
    int               error;                /* why the first page could not be filled, or 0: set before `done`    */
    struct completion done;
    frame_t           frames[FILL_MOST];    /* [c] the filling's own while it is in the list                      */
};

/* Pages that an index of this height can name; 0 stands for all of them. */
static inline uint64_t object_reach(unsigned height)
{
    deep_assert(height <= OBJECT_HIGHEST);
    return height * OBJECT_BITS >= 64 ? 0 : 1ull << (height * OBJECT_BITS);
}

static inline unsigned object_way(uint64_t page, unsigned level)
{
    return page >> (OBJECT_BITS * (level - 1)) & (OBJECT_WAYS - 1);
}

/* So many pages more are out. Held to write, or no other thread can reach the object. */
void object_count_out(struct object *object, int more);

/* Where the leaf of a page is, NULL if no node leads there. The lock is held. */
uintptr_t *object_leaf(const struct object *object, uint64_t page);

/* Put a frame, whose reference passes to the object, at a page that is a hole. 0 or -ENOMEM. Held to write. */
int object_put(struct object *object, uint64_t page, frame_t frame) MUST_CHECK;

/*
 * Drop the frames of pages [from, to), and the nodes that are empty then, with a point of rest behind each leaf's. Held
 * to write, or no other thread can reach the object. May sleep.
 */
void object_cut_index(struct object *object, uint64_t from, uint64_t to);

/*
 * The first page at or after `from` that has a frame (`resident`), or has none. Where there is none with a frame: the
 * end of the object, or a page beyond it. The lock is held.
 */
uint64_t object_index_next(const struct object *object, uint64_t from, bool resident);

/* The pages of a region that show the object's pages [from, to); empty when it shows none. */
struct span object_shown(const struct region *region, uint64_t from, uint64_t to);

/*
 * Take the object's pages [from, to) out of the tables of all spaces that show them, in batches with points of rest;
 * with `copies` also those that private mappings have made. Held to write; may sleep.
 */
void object_unmap(struct object *object, uint64_t from, uint64_t to, bool copies);

/* The same, and drop them: what is being filled of them comes too late. */
void object_cut(struct object *object, uint64_t from, uint64_t to, bool copies);

/* The object goes: it is found in the list of all no more. */
void object_unlist(struct object *object);

/* Whether a hole's contents are with the pager; or, which is part of it, on their way. The lock is held. */
static inline bool object_is_away(const struct object *object, uint64_t page) { return page < object->paged; }

/* The filling that covers a page, or NULL. The lock is held. O(threads that fill pages of the object). */
struct filling *object_filling(const struct object *object, uint64_t page);

/*
 * Bring a page that is out back; or have the pager fill one that is away, and perhaps those behind it; or wait until
 * another thread's filling of the page is done. Returns 0: the index is to be looked at again; -ENOMEM, -EIO, or the
 * pager's error. The caller holds a reference to the object, and no lock of base/rwlock.h. May sleep.
 */
int object_bring_in(struct object *object, uint64_t page) MUST_CHECK;

/* Wait while some thread fills the page; the same holds. Returns whether there was one. */
bool object_await(struct object *object, uint64_t page);

/* Pages [from, to) are cut off: what is being filled of them comes too late. The lock is held to write. */
void object_cut_fillings(struct object *object, uint64_t from, uint64_t to);

#endif
