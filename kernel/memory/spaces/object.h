/*
 * object.h - memory that has a name of its own: the contents of a file, or shared memory.
 *
 * An object is an array of pages, each a frame or a hole. It is the page cache: read(), write() and mappings all see
 * these frames, so they never disagree. It keeps a list of the regions that map it, so that a truncation can unmap what
 * it cuts off. A page that nobody uses may leave memory (pageout/object_out.h): it is *out*, and has a swap slot in the
 * place of its frame, until somebody asks for it.
 *
 * A hole is filled by whoever knows its contents. Usually these are zeros. An object may have a *pager* instead, struct
 * object_operations, for its pages below `paged`: their contents are elsewhere, and the pager may take long to bring
 * them. Meanwhile the page is busy: nobody holds a lock, threads that want the page wait until the pager is done, and
 * then look again; others go on. A page that the pager cannot bring is an error for those who want it, and tried again
 * the next time. What a truncation cuts off does not come back: if the object grows again, zeros are there. A page that
 * is out comes back in the same way, and "the pager" below is whoever brings it.
 *
 * Owning   counted; a region that maps an object, and a file node, hold a reference each. The object
 *          holds one reference on each of its frames; each entry mapping the frame holds another.
 * Locking  object->lock, which sleeps (RWLOCK_OBJECT), for the index and the list of regions: a look-up reads, what
 *          changes them writes. Inside it, where pages are unmapped, the tables lock of each space that maps them, in
 *          batches with points of rest; the map locks of those spaces are not taken. The list of all objects has a spin
 *          lock (RANK_SPACES). Frames handed out carry a reference, so they outlive the lock: a thread that slept
 *          since then, and is to map one, compares `cuts`, as the frame may have been cut off. All calls but
 *          object_hold() and object_after() may sleep. Those that wait for a pager say so: their callers hold no lock
 *          of base/rwlock.h.
 * Cost     O(log pages) a look-up (a radix tree of 64-way nodes from the heap). What unmaps: the regions that map the
 *          object, and their pages. Growing: constant.
 *
 * Invariants (objects_audit):
 *   O1  a leaf of the index below `pages` is empty, or names a frame of the object's owner or a swap slot in use;
 *       beyond, all are empty; each node of the index counts its children
 *   O2  `resident` equals the frames in the index, `out` the swap slots
 *   O3  the list of regions holds exactly those regions whose object is this one; `writers` counts those that may write
 *   O4  a page that is being filled is a hole below `paged`, or out and the filling has its slot; and it is in one
 *       filling, unless it was cut off
 */
#ifndef QUIRE_MEMORY_OBJECT_H
#define QUIRE_MEMORY_OBJECT_H

#include "base/rwlock.h"
#include "base/types.h"
#include "memory/frames/owner.h"

struct region;
struct space;
struct object_node;
struct object;

/* What a pager does. */
struct object_operations {
    /*
     * Fill frames, each of them whole, with the pages from `page` on. Returns how many, from the first on: at least one
     * and at most `count`; or why the first cannot be brought: -EIO, -ENOMEM. Called without a lock and may sleep, but
     * comes to an end; several calls for one object, not for one page, may be under way, and end in any order. The
     * pages may be cut off meanwhile.
     */
    long (*fill)(struct object *object, uint64_t page, const frame_t *frames, size_t count);
    void (*end)(struct object *object);         /* the object goes; NULL: nothing to do */
};

struct object {
    struct rwlock       lock;
    uint32_t            references;     /* [a]                                              */
    enum owner          owner;          /* [c] FILE or SHARED                               */
    uint64_t            pages;          /* [lock] size in pages; a fault beyond is SIGBUS   */
    uint32_t            resident, out;  /* [lock] pages with a frame; in a swap slot        */
    struct object_node *index;          /* [lock]                                           */
    uint32_t            height;         /* [lock] levels of the index                       */
    struct region      *mappings;       /* [lock] linked through region->next_mapping       */
    uint32_t            cuts;           /* [lock] times that pages were cut off: a fault that slept compares */
    uint32_t            writers;        /* [lock] of the mappings, shared ones that may write, or may come to */
    const struct object_operations *operations; /* [c] its pager's; NULL: holes are zeros   */
    void               *with;           /* [c] the pager's own                              */
    uint64_t            paged;          /* [lock] pages below have their contents from the pager */
    uint64_t            looked;         /* the page that the hand looks at next: its alone  */
    uint64_t            expected;       /* [lock] the page behind the last filling: who asks for it reads in sequence */
    uint32_t            ahead;          /* [lock] pages that the last filling was to have   */
    struct filling     *fillings;       /* [lock] pages that are being brought: object_parts.h */
    uint32_t            number;         /* [c] of shared memory without a file: object_new_number(); else 0 */
    bool                on_heap;        /* [c] made by object_create()                      */
    bool                stays;          /* [c] no page of it leaves memory: the kernel uses the frames */
    struct object      *next, *previous;    /* [list lock] all objects                      */
};

void objects_start(void);                                           /* by memory_start(): no objects yet */
struct object *object_create(enum owner owner, uint64_t pages);     /* on the heap; NULL without memory */
/* The same with a pager for all of its pages; `with` is the pager's own. */
struct object *object_create_paged(enum owner owner, uint64_t pages, const struct object_operations *operations,
                                   void *with);

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
 * Going over all objects while they come and go, for the hand (pageout/hand.h), of which there is one: the object at
 * its place in the list, with a reference for the caller; NULL: there is none. On to the one behind it; false: that was
 * the last, and the place is before the first again.
 */
struct object *object_at_hand(void);
bool object_hand_passes(const struct object *object);

/*
 * The same for anybody else: the first object after NULL, or the one behind one that the caller holds a reference to,
 * which is dropped; with a reference for the caller. NULL after the last. Objects that come meanwhile may be left out.
 */
struct object *object_next_held(struct object *object);

extern uint32_t objects_out;                    /* [a] pages of objects that are out, all together */

/*
 * The frame of a page, with a reference for the caller. A hole gives NO_FRAME, or with `make` a new zeroed
 * frame. Returns 0, -ENOMEM, -ENXIO beyond the last page, or the pager's error. Waits for the pager.
 */
int object_page(struct object *object, uint64_t page, bool make, frame_t *out) MUST_CHECK;

/* The same without waiting for the pager, so that locks of base/rwlock.h may be held: -EBUSY where that is needed. */
int object_page_here(struct object *object, uint64_t page, bool make, frame_t *out) MUST_CHECK;

/*
 * The frames of `count` pages from `page` on that are resident, each with a reference for the caller; NO_FRAME for
 * the others, and for pages that nobody has used of late. The lock is taken once for all of them.
 */
void object_resident(struct object *object, uint64_t page, frame_t *out, size_t count);

/*
 * Put a frame that the caller has a reference to (a page of a boot module, say) at a page that is a hole; the reference
 * passes to the object. Returns 0; -ENXIO beyond the last page, -EEXIST where there is a frame, -ENOMEM: then the
 * reference is the caller's. The pager's contents of the page are not asked for; if they are on their way, it waits.
 */
int object_adopt(struct object *object, uint64_t page, frame_t frame) MUST_CHECK;

/*
 * Change the size; frames cut off are unmapped everywhere, then dropped, in batches. The size changes when the last
 * page beyond it is gone. Growing makes holes.
 */
void object_resize(struct object *object, uint64_t pages);

/*
 * Make the pages [from, to) holes: their frames are unmapped everywhere, then dropped. Copies of them that private
 * mappings have made for themselves stay with those. Not for pages that the pager has: object_can_punch().
 */
void object_punch(struct object *object, uint64_t from, uint64_t to);
static inline bool object_can_punch(const struct object *object, uint64_t from) { return from >= object->paged; }

/*
 * The first page at or after `from` that is resident, or that is a hole; `pages` when there is none before. O(nodes).
 * Pages that the pager has, and those that are out, count as resident.
 */
uint64_t object_next(struct object *object, uint64_t from, bool resident);

/* Whether some shared mapping shows it to a program that may write there, now or after an mprotect(). */
static inline bool object_is_writable(const struct object *object) { return object->writers > 0; }

/*
 * Clear the bytes [from, to) of pages that are no holes: a truncation inside a page, a hole punched. O(pages), with
 * points of rest without the lock. Returns 0, also where the object ends before; or the pager's error, or -ENOMEM while
 * it brings a page, and then bytes are left. Waits for the pager.
 */
int object_zero(struct object *object, uint64_t from, uint64_t to) MUST_CHECK;

/* Whether a mapping counts as one of `writers`. */
bool object_is_writer(const struct region *region);

/* Enter a region, whose space and span are set, in the list of those that map the object, as its; and take it out. */
void object_link(struct object *object, struct region *region);
void object_unlink(struct object *object, struct region *region);

/*
 * Of `count` pages from `page` on: how many are out. With `there`, whether each is in memory. O(count), with points of
 * rest: who only counts looks at `out` first.
 */
size_t object_residency(struct object *object, uint64_t page, size_t count, uint8_t *there);

/* All objects one by one: the first after NULL, NULL after the last. The caller sees to it that none goes meanwhile. */
const struct object *object_after(const struct object *object);
/* The frames, and the swap slots, that an object holds a reference to: those of its pages in order. */
typedef void (*object_each_frame)(void *context, frame_t frame);
typedef void (*object_each_slot)(void *context, uint32_t slot);
void object_holds(const struct object *object, object_each_frame frame, object_each_slot slot, void *context);

struct audit_report;
void objects_audit(struct audit_report *report);                    /* O1..O4 of all objects and regions */

#endif
