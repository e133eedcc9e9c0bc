/*
 * map_region.h - regions of programs: made, split, joined, cut. Internal to map*.c and fault.c.
 *
 * All calls that name a space need its map lock held, but map_bring_in(). Calls that cut get the nodes they may need
 * from the caller, which took them before anything had changed.
 */
#ifndef QUIRE_MEMORY_MAP_REGION_H
#define QUIRE_MEMORY_MAP_REGION_H

#include "memory/spaces/map.h"

/*
 * A node from the heap, in no tree, with anything in it; NULL without memory. Free with map_node_free(). What maps and
 * unmaps by turns finds the node of the last region that went: map_node_kept() takes that, or one from the heap.
 */
struct region *map_node(void);
struct region *map_node_kept(struct space *space);
void map_node_free(struct region *node);
/* All nodes of what was a tree (region_take_apart()); NULL for none. With points of rest; may sleep. */
void map_tree_free(struct region *root);
/* Keep a node for map_node_kept(), or free it, if one is kept already. */
void map_node_keep(struct space *space, struct region *node);

/* Enter a filled-in region: tree, object's list, counts. It meets no other. */
void map_enter(struct space *space, struct region *region);
/* The same for a region that is in the tree, a copy of `like`, and refers to nothing yet: fork. */
void map_enter_copy(struct region *region, const struct region *like);
/* Take it out again, with the references it holds, and free it. Its pages are unmapped already. */
void map_drop(struct space *space, struct region *region);

/* The region that starts at `page`, made by splitting the one that holds it. *spare is used up if needed. */
struct region *map_split(struct space *space, struct region *region, page_t page, struct region **spare);

/* A region has become longer by so many pages; it is locked or not (REGION_LOCKED*, 0) from now on. */
void map_count_more(struct space *space, const struct region *region, size_t more);
void map_set_locked(struct space *space, struct region *region, uint8_t locked);

/* Join a region with the neighbours that mean the same; returns the region that now holds it all. */
struct region *map_join(struct space *space, struct region *region);

/*
 * Make a part of a region, which lies in it, a region of its own; returns it, or NULL without memory or room for one
 * more.
 */
struct region *map_isolate(struct space *space, struct region *region, struct span part);

/* As many regions as Linux gives a process (vm.max_map_count): a limit for runaway programs. A split adds one. */
enum { REGIONS_MAXIMUM = 65530 };
static inline bool map_may_split(const struct space *space) { return space->map.count < REGIONS_MAXIMUM; }

/*
 * Where pages fit: at the hint, if that is free; else the highest place below map_end, else anywhere. False: nowhere.
 */
bool map_place(struct space *space, vaddr_t hint, size_t pages, page_t *out) MUST_CHECK;

/* True when `more` pages may be locked besides those that are (map_lock.c). */
bool map_may_lock(const struct space *space, size_t more);
/* Bring in the locked pages of a span, as many as there is memory for. The map lock is not held. */
void map_bring_in(struct space *space, struct span span);

/* Pages of one region in a second place (map_copy.c). The target is mapped as a region and empty. */
struct batch;
struct batch *map_batch(void);                  /* the memory that copying needs; NULL without memory */
void          map_batch_free(struct batch *batch);
/*
 * Every frame that a span of a region shows is shown by `to`, `shift` pages further up: by another space as well, and
 * neither may write; by the region's own space instead, with what is out, and empty tables stay until map_discard()
 * comes by. With points of rest; the region's object is read meanwhile, so that none of its pages are cut off that
 * have been taken out. Returns 0 or -ENOMEM: of one space all is where it was; of another what it shows may be a part.
 * May sleep.
 */
int map_copy_pages(struct batch *batch, const struct region *region, struct span span, struct space *to,
                   page_t shift) MUST_CHECK;

/* Unmap the pages of a span that lies in one region; drop their frames. May sleep. */
void map_discard(struct space *space, struct span span);

/* The first region that a cut of the span meets or leaves above it, NULL if none does. */
static inline struct region *map_first(const struct space *space, struct span span)
{
    return region_at_or_above(&space->map, span.first);
}
/* True when cutting the span out leaves two parts of its first region, which needs a spare node. */
static inline bool map_cut_splits(const struct region *first, struct span span)
{
    return first != NULL && first->span.first < span.first && first->span.end > span.end;
}
/* Make the span empty, region by region from the first on, with points of rest. Cannot fail; may sleep. */
void map_cut(struct space *space, struct region *first, struct span span, struct region **spare);
/* All regions and pages of a space that no thread uses any more. */
void map_cut_all(struct space *space);

#endif
