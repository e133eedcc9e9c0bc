/*
 * check.h - the checks of a document, in the order in which they are made.
 *
 * Each function complains about every error that it finds, and skips ranges whose borders
 * could not be read (`broken`).
 */
#ifndef QUIRE_LAYOUT_CHECK_H
#define QUIRE_LAYOUT_CHECK_H

#include "document.h"

/* check_ranges.c: rows meet, cover all addresses, are aligned, and their sizes are right. */
void check_physical_ranges(struct document *d);
void check_region_ranges(struct document *d);
void check_structure_ranges(struct document *d);

/* check_regions.c: names, rights, backings, guards; fills purpose[]. */
void check_regions(struct document *d);

/* check_machine.c: the image, the bitmap, the processor's tables, boot mappings. */
void check_image(struct document *d);           /* fills image, kernel_offset */
void check_bitmap(struct document *d);          /* fills bitmap               */
void check_structures(struct document *d);
void check_applications(struct document *d);   /* check_applications.c */
void check_boot_maps(struct document *d);
void check_access(struct document *d);
void check_start(struct document *d);

/* check_needs.c: the needs of the kernel that hold for every document. After all others. */
void check_needs(struct document *d);

/* check_shown.c, called by check_needs(): what the kernel sees of physical memory, and what has room in it. */
void check_direct(struct document *d);
void check_rows(struct document *d);
void check_structure_rows(struct document *d);
void check_shown(struct document *d);            /* a document without errors until then */

/* The one physical row with a use; a second one is refused. */
void find_physical(struct document *d, enum physical_use use, struct physical **out);

/* check_tracked.c: the master table, objects and trackers, where page tables are reached by them. */
void check_tracked(struct document *d);          /* fills master               */

/* A row that could be read, with two addresses. */
static inline bool place_is_fixed(const struct place *p) { return !p->broken && !p->start.floats && !p->end.floats; }

static inline uint64_t place_size(const struct place *p) { return p->end.at - p->start.at; }

/* Whether the kernel may do both in a region. */
static inline bool region_is_read_and_written(const struct region *r)
{
    return (r->kernel & (MAY_READ | MAY_WRITE)) == (MAY_READ | MAY_WRITE);
}

/*
 * How far a frame's address follows from its number: the end of `direct`, or of what boot mappings that are kept show
 * from 0 up at the image's distance. Below it the kernel does not ask whether a frame is shown.
 */
uint64_t shown_end(const struct document *d);

/* `0xC0000000`, or `the end of text`: how messages name a border. */
const char *border_text(struct source *s, struct border b);

/* `0xC0000000 above`, or below: how messages say how far an address is from what it leads to. */
const char *distance_words(struct source *s, uint64_t distance);

/* True when a BACKING_FIXED region maps all of [start, end) of physical memory, writable; what floats lies behind the
 * image, wherever that ends. */
bool region_shows(const struct document *d, const struct region *r, uint64_t start, uint64_t end);

/* True when one region does. */
bool physical_is_shown(const struct document *d, uint64_t start, uint64_t end);

/* For the message when physical_is_shown() is false: the region that maps a part of the row, or lies where one would
 * be; or "". */
const char *shown_instead(const struct document *d, const struct place *row);

#endif
