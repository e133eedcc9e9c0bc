/*
 * region.h - what a range of pages means, and the tree that holds the ranges of a space.
 *
 * A region is the only place that says what a range is for and what may be done with it;
 * entries of page tables are derived from it. The tree is intrusive (nodes live in their
 * regions), balanced, and knows the largest free gap below each node, so that finding a
 * place is O(log n). No call here allocates, sleeps or fails for lack of memory.
 *
 * Owning   the caller owns the nodes; a region in a tree must not move.
 * Locking  the map lock of the space that owns the tree, held by the caller; to change it, for writing.
 * Cost     O(log regions), region_next() and region_before() amortised O(1).
 *
 * Invariants (region_tree_ok):
 *   R1  regions are ordered by address, disjoint, not empty, inside the tree's limits
 *   R2  heights of siblings differ by at most one, and each node stores its own
 *   R3  gap is the number of free pages just below a region, widest the largest gap in its subtree
 *   R4  the count is right, and parents and children name each other
 */
#ifndef QUIRE_MEMORY_REGION_H
#define QUIRE_MEMORY_REGION_H

#include "base/types.h"
#include "memory/layout.h"

struct object;
struct space;

struct region {
    /* for the tree */
    struct region *parent;
    struct region *child[2];        /* [0] lower addresses, [1] higher                   */
    size_t         gap, widest;     /* pages                                             */
    int            height;          /* 1 for a leaf; 0 outside a tree                    */

    /* for its owner */
    struct span    span;            /* [map lock] change only through region_resize()    */
    struct rights  rights;
    enum cache     cache;
    enum backing   backing;
    uint8_t        grows;           /* REGION_GROWS_*                                    */
    uint8_t        locked;          /* REGION_LOCKED*: its pages are to stay in memory; 0: not */
    uint16_t       told;            /* REGION_TOLD_*: the program's advice               */
    size_t         guard;           /* pages kept free below, for a region that grows down */
    const char    *name;            /* for people; lives as long as the region           */
    const struct layout_region *home;       /* the document's line this lies in          */
    uint64_t       offset;          /* page of the object (or of a device) shown at span.first */

    /* for programs' memory (map.h) */
    uint8_t        may;             /* MAY_* that mprotect() may give later              */
    bool           shared;          /* changes are seen by all that map the object       */
    bool           uncharged;       /* not counted as committed: MAP_NORESERVE           */
    bool           not_forked;      /* MADV_DONTFORK                                     */
    struct object *object;          /* [c] holds a reference; NULL: anonymous memory     */
    void          *file;            /* [c] what /proc/self/maps names, a reference       */
    struct space  *space;           /* [c] whose region it is                            */
    struct region *next_mapping, *previous_mapping;     /* [object's lock] of the object */
};

enum { REGION_GROWS_DOWN = 1, REGION_GROWS_UP = 2 };

/* Locked now, every page of it; or each page from its first fault on. */
enum { REGION_LOCKED = 1, REGION_LOCKED_ON_FAULT = 2 };

/* madvise(2). Only WIPED changes what happens (at fork); the others are kept for /proc/PID/smaps. */
enum {
    REGION_TOLD_WIPED = 1,
    REGION_TOLD_SEQUENTIAL = 2,
    REGION_TOLD_RANDOM = 4,
    REGION_TOLD_NO_DUMP = 8,
    REGION_TOLD_HUGE = 16,
    REGION_TOLD_NO_HUGE = 32,
    REGION_TOLD_MERGEABLE = 64,
};

struct region_tree {
    struct region *root;
    struct span    limits;
    size_t         count;
};

void region_tree_start(struct region_tree *tree, struct span limits);

/*
 * Returns 0, -EEXIST when it meets another region, -EINVAL when empty or outside the limits;
 * on error nothing has changed. What the tree's own fields held before does not matter.
 */
int  region_insert(struct region_tree *tree, struct region *region) MUST_CHECK;
void region_remove(struct region_tree *tree, struct region *region);

/*
 * Change the borders in place, never past a neighbour. Returns 0, -EEXIST or -EINVAL as
 * region_insert(); on error nothing has changed.
 */
int  region_resize(struct region_tree *tree, struct region *region, struct span span) MUST_CHECK;

/*
 * One region becomes two: `lower` ends at the page, which lies inside it, and `upper`, which is in no tree, has the
 * rest. Two that touch become one: `upper` leaves the tree, and `lower` has its pages as well. What the regions mean is
 * the caller's. Cheaper than to insert and to resize, as no gap changes: O(1) where the tree stays in balance.
 */
void region_split(struct region_tree *tree, struct region *lower, struct region *upper, page_t page);
void region_join(struct region_tree *tree, struct region *lower, struct region *upper);

/*
 * Whole trees, a node at a time, so that the caller can take and give memory, and rest, in between.
 *
 * To copy one, from its root on: `copy` begins as the bytes of the node `of`. region_graft() hangs it in the tree of
 * copies, of which *at is NULL at first, and returns the node to be copied next, or NULL: all are copied, and *at is
 * the root, for region_tree_become(), of an empty tree with the same limits. The original does not change meanwhile.
 * region_graft_end() gives it up: it returns the root of what has been copied, or NULL.
 *
 * To take one to pieces: region_tree_forget() empties the tree and returns its root; region_take_apart() then returns
 * node after node of what hangs there, and NULL after the last.
 */
const struct region *region_graft(struct region **at, const struct region *of, struct region *copy);
struct region *region_graft_end(struct region *at);
void region_tree_become(struct region_tree *tree, struct region *root, size_t count);
struct region *region_tree_forget(struct region_tree *tree);
struct region *region_take_apart(struct region **rest);

/* The region that holds a page, or NULL; the lowest that ends after a page, or NULL. */
struct region *region_find(const struct region_tree *tree, page_t page);
struct region *region_at_or_above(const struct region_tree *tree, page_t page);
/* The neighbours in order of address, or NULL. */
struct region *region_next(const struct region *region);
struct region *region_before(const struct region *region);

/*
 * A free run of `pages` inside `within`, starting at a multiple of `align` pages (a power of
 * two); the lowest, or with from_top the highest. Returns false when there is none. Exact.
 * Cost: O(log regions) for align 1; beyond that as much again for each gap that is wide enough
 * for the pages but not once its start is rounded, which can only be gaps narrower than pages + align - 1.
 */
bool region_gap(const struct region_tree *tree, size_t pages, size_t align, struct span within, bool from_top,
                page_t *first);

struct audit_report;
void region_tree_audit(const struct region_tree *tree, struct audit_report *report);   /* R1..R4 */
bool region_tree_ok(const struct region_tree *tree);

#endif
