/*
 * object.h - memory that has a name of its own: the contents of a file, or shared memory.
 *
 * An object is an array of pages, each a frame or a hole that reads as zeros. It is the page
 * cache: read(), write() and mappings all see these frames, so they never disagree. It
 * keeps a list of the regions that map it, so that a truncation can unmap what it cuts off.
 *
 * Owning   counted; a region that maps an object, and a file node, hold a reference each. The object
 *          holds one reference on each of its frames; each entry mapping the frame holds another.
 * Locking  object->lock, which sleeps (RWLOCK_OBJECT), for the index and the list of regions: a look-up reads, what
 *          changes them writes. Inside it, where pages are unmapped, the tables lock of each space that maps them, in
 *          batches with points of rest; the map locks of those spaces are not taken. The list of all objects has a spin
 *          lock (RANK_SPACES). Frames handed out carry a reference, so they outlive the lock: a thread that slept
 *          since then, and is to map one, compares `cuts`, as the frame may have been cut off. All calls but
 *          object_hold() and object_after() may sleep.
 * Cost     O(log pages) a look-up (a radix tree of 64-way nodes from the heap). What unmaps: the regions that map the
 *          object, and their pages.
 *
 * Invariants (objects_audit):
 *   O1  an index slot below `pages` is empty or names a frame of the object's owner; beyond, all are empty;
 *       each node of the index counts its children
 *   O2  `resident` equals the frames in the index
 *   O3  the list of regions holds exactly those regions whose object is this one; `writers` counts those that may write
 */
#ifndef QUIRE_MEMORY_OBJECT_H
#define QUIRE_MEMORY_OBJECT_H

#include "base/rwlock.h"
#include "base/types.h"
#include "memory/frames/owner.h"

struct region;
struct space;
struct object_node;

struct object {
    struct rwlock       lock;
    uint32_t            references;     /* [a]                                              */
    enum owner          owner;          /* [c] FILE or SHARED                               */
    uint64_t            pages;          /* [lock] size in pages; a fault beyond is SIGBUS   */
    uint32_t            resident;       /* [lock]                                           */
    struct object_node *index;          /* [lock]                                           */
    uint32_t            height;         /* [lock] levels of the index                       */
    struct region      *mappings;       /* [lock] linked through region->next_mapping       */
    uint32_t            cuts;           /* [lock] times that pages were cut off: a fault that slept compares */
    uint32_t            writers;        /* [lock] of the mappings, shared ones that may write, or may come to */
    uint32_t            number;         /* [c] of shared memory without a file: object_new_number(); else 0 */
    bool                on_heap;        /* [c] made by object_create()                      */
    struct object      *next, *previous;    /* [list lock] all objects                      */
};

void objects_start(void);                                           /* by memory_start(): no objects yet */
struct object *object_create(enum owner owner, uint64_t pages);     /* on the heap; NULL without memory */

/*
 * Memory that lies in no folder (memfd, shared anonymous memory) is a file in /proc/PID/maps: of this device,
 * which no file system has, and with this number of its own.
 */
enum { OBJECT_DEVICE = 1 };
uint32_t object_new_number(void);

void object_hold(struct object *object);
/* With the last reference go the frames, the index, and the object itself if object_create() made it. */
void object_release(struct object *object);

/*
 * The frame of a page, with a reference for the caller. A hole gives NO_FRAME, or with `make` a new zeroed
 * frame. Returns 0, -ENOMEM, or -ENXIO beyond the last page.
 */
int object_page(struct object *object, uint64_t page, bool make, frame_t *out) MUST_CHECK;

/*
 * The frames of `count` pages from `page` on that are resident, each with a reference for the caller; NO_FRAME for
 * the others. The lock is taken once for all of them.
 */
void object_resident(struct object *object, uint64_t page, frame_t *out, size_t count);

/*
 * Put a frame that the caller has a reference to (a page of a boot module, say) at a page that is a hole; the reference
 * passes to the object. Returns 0; -ENXIO beyond the last page, -EEXIST where there is a frame, -ENOMEM: then the
 * reference is the caller's.
 */
int object_adopt(struct object *object, uint64_t page, frame_t frame) MUST_CHECK;

/*
 * Change the size; frames cut off are unmapped everywhere, then dropped, in batches. The size changes when the last
 * page beyond it is gone. Growing makes holes.
 */
void object_resize(struct object *object, uint64_t pages);

/*
 * Make the pages [from, to) holes: their frames are unmapped everywhere, then dropped. Copies of them that private
 * mappings have made for themselves stay with those.
 */
void object_punch(struct object *object, uint64_t from, uint64_t to);

/*
 * The first page at or after `from` that is resident, or that is a hole; `pages` when there is none before. O(nodes).
 */
uint64_t object_next(struct object *object, uint64_t from, bool resident);

/* Whether some shared mapping shows it to a program that may write there, now or after an mprotect(). */
static inline bool object_is_writable(const struct object *object) { return object->writers > 0; }

/* Clear the bytes [from, to) of pages that are resident: a truncation inside a page, a hole punched. O(pages). */
void object_zero(struct object *object, uint64_t from, uint64_t to);

/* Enter a region, whose space and span are set, in the list of those that map the object; and take it out. */
void object_link(struct object *object, struct region *region);
void object_unlink(struct object *object, struct region *region);

/* All objects one by one: the first after NULL, NULL after the last. The caller sees to it that none goes meanwhile. */
const struct object *object_after(const struct object *object);
/* The frames that an object holds a reference to, in order. */
void object_frames(const struct object *object, void (*each)(void *context, frame_t frame), void *context);

struct audit_report;
void objects_audit(struct audit_report *report);                    /* O1..O3 of all objects and regions */

#endif
