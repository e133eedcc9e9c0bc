/*
 * object_parts.h - what the sources of objects share: the index, and pages that are being filled.
 *
 * The index is a tree of nodes with OBJECT_WAYS children each; its height follows the highest page ever put in, and
 * shrinks to nothing when the last page goes. A leaf's child is a frame number plus one.
 *
 * A page that the object's pager is filling is *busy*: it is a hole of the index, and some filling in the object's list
 * covers it (O4). Nobody holds a lock until the pager is done: the thread that fills, and those that want the page
 * meanwhile, hold a reference to the filling, and look at the index again when it is done.
 */
#ifndef QUIRE_MEMORY_OBJECT_PARTS_H
#define QUIRE_MEMORY_OBJECT_PARTS_H

#include "base/check.h"
#include "base/completion.h"
#include "memory/spaces/object.h"

enum { OBJECT_BITS = 6, OBJECT_WAYS = 1 << OBJECT_BITS, OBJECT_HIGHEST = 11 };

struct object_node {
    uint32_t used;                          /* children that are not empty */
    union {
        struct object_node *node;
        uintptr_t           leaf;           /* 0, or frame number + 1      */
    } child[OBJECT_WAYS];
};

/* Pages that a pager is asked for at once: as many as a fault maps at once. */
enum { FILL_MOST = 16 };

struct filling {
    struct filling   *next;                 /* [object's lock] in the object's list                               */
    uint32_t          references;           /* [object's lock] the thread that fills, and those that wait         */
    uint64_t          page;                 /* [c] the first                                                      */
    uint32_t          count;                /* [c] pages, at most FILL_MOST                                       */
    bool              cut;                  /* [object's lock] some of them were cut off: none is put in place    */
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

/* Call a function for each frame of the index. The lock is held, or nothing changes: for audits. */
void object_index_visit(const struct object *object, void (*each)(void *context, frame_t frame), void *context);

/* Whether a hole's contents are with the pager; or, which is part of it, on their way. The lock is held. */
static inline bool object_is_away(const struct object *object, uint64_t page) { return page < object->paged; }

/* The filling that covers a page, or NULL. The lock is held. O(threads that fill pages of the object). */
struct filling *object_filling(const struct object *object, uint64_t page);

/*
 * Have the pager fill a page that is away, and perhaps those behind it; or wait until another thread's filling of the
 * page is done. Returns 0: the index is to be looked at again; -ENOMEM, or the pager's error. The caller holds a
 * reference to the object, and no lock of base/rwlock.h. May sleep.
 */
int object_bring_in(struct object *object, uint64_t page) MUST_CHECK;

/* Wait while some thread fills the page; the same holds. Returns whether there was one. */
bool object_await(struct object *object, uint64_t page);

/* Pages [from, to) are cut off: what is being filled of them comes too late. The lock is held to write. */
void object_cut_fillings(struct object *object, uint64_t from, uint64_t to);

#endif
