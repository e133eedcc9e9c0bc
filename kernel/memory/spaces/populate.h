/*
 * populate.h - memory for a new process, step by step, as the movos design document prescribes it.
 *
 * Elsewhere a program's pages come when it touches them. Here they come before it starts: it is known how many there
 * are, and each is taken and mapped in turn, from the first address upward (M10). A whole chunk, what one last-level
 * table shows (4 MiB), is built beside the directory (M15):
 *
 *     (a) a page for the table
 *     (b) MMU_ENTRIES pages, mapped one after the other in that table
 *     (c) the directory entry, and only now is the chunk there
 *
 * A watcher is called after every step, so that a test can check the order.
 *
 * Owning   the span lies in one region of the space, and nothing of it is mapped. Frames are of owner USER, zeroed,
 *          and their references pass to the entries. When a step fails, -ENOMEM, everything that the call
 *          had taken is given back before it returns (M7).
 * Locking  the space's tables lock for each page, or for step (c). The caller sees to it that no other thread edits the
 *          span.
 * Cost     a frame, a copy and a cursor for each page; in a chunk no cursor until the end.
 */
#ifndef QUIRE_MEMORY_POPULATE_H
#define QUIRE_MEMORY_POPULATE_H

#include "memory/spaces/space.h"

enum populate_step {
    POPULATE_PAGE_TAKEN,        /* a page of the process has a frame                               */
    POPULATE_PAGE_MAPPED,       /* and is mapped                                                   */
    POPULATE_TABLE_TAKEN,       /* (a): the frame is the table's                                   */
    POPULATE_CHUNK_PAGE,        /* (b): the table, not yet hung in, shows the page with this frame */
    POPULATE_CHUNK_LINKED,      /* (c): the frame is the table's                                   */
};

struct populate_watch {
    void (*see)(struct populate_watch *watch, enum populate_step step, page_t page, frame_t frame);
};

/* What the pages are to hold: bytes from the start of the span on, zeros behind them. */
struct populate_image {
    const void *bytes;
    size_t      count;
};

/* Populate a span from its first page on: its whole chunks as chunks, the rest page by page. `watch` may be NULL. */
int populate_span(struct space *space, struct span span, struct rights rights, struct populate_image image,
                  struct populate_watch *watch) MUST_CHECK;

/* Populate one chunk. `first` is a multiple of MMU_ENTRIES. */
int populate_chunk(struct space *space, page_t first, struct rights rights, struct populate_image image,
                   struct populate_watch *watch) MUST_CHECK;

#endif
