/*
 * map_region.h - regions of programs: made, split, joined, cut. Internal to map*.c.
 *
 * All calls want the space's map lock. Those that cut take the nodes they may need from
 * their caller, who asked for them while failing was still harmless.
 */
#ifndef QUIRE_MEMORY_MAP_REGION_H
#define QUIRE_MEMORY_MAP_REGION_H

#include "memory/spaces/map.h"

/* A node from the heap, not in any tree; NULL without memory. Free with map_node_free(). */
struct region *map_node(void);
void map_node_free(struct region *node);

/* Enter a filled-in region: tree, object's list, counts. It meets no other. */
void map_enter(struct space *space, struct region *region);
/* Take it out again, with the references it holds, and free it. Its pages are unmapped already. */
void map_drop(struct space *space, struct region *region);

/* The region that starts at `page`, made by splitting the one that holds it. *spare is used up if needed. */
struct region *map_split(struct space *space, struct region *region, page_t page, struct region **spare);

/* Join a region with the neighbours that mean the same; returns the region that now holds it all. */
struct region *map_join(struct space *space, struct region *region);

/* Unmap the pages of a span that lies in one region; drop their frames. */
void map_discard(struct space *space, struct span span);

/* True when cutting the span out leaves two parts of one region, which needs a spare node. */
bool map_cut_splits(const struct space *space, struct span span);
/* Make the span empty. Cannot fail. */
void map_cut(struct space *space, struct span span, struct region **spare);

#endif
