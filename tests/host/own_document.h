/*
 * own_document.h - for tests of what other documents ask for: a layout that is the compiled document at first, and then
 * what the test makes of it.
 *
 * Included once by a test program whose name ends in `_document`. read_document() comes before the machine is booted.
 */
#ifndef QUIRE_TESTS_OWN_DOCUMENT_H
#define QUIRE_TESTS_OWN_DOCUMENT_H

#include <stdlib.h>
#include <string.h>

#include "memory/layout.h"
#include "mmu.h"

/* `document`, `regions` and `physical`. */
#include "document.c"

/* To all others it is `layout`, and constant: it changes while there is no machine alone. */
struct layout own_layout __asm__("layout");

static struct layout_region   own_regions[STANDING_REGIONS + 8];
static struct layout_physical own_physical[PHYSICAL_ROWS_MOST];

static inline void read_document(void)
{
    if (COUNT_OF(regions) + 2 > COUNT_OF(own_regions) || COUNT_OF(physical) + 4 > COUNT_OF(own_physical))
        abort();
    memcpy(own_regions, regions, sizeof regions);
    memcpy(own_physical, physical, sizeof physical);
    own_layout = document;
    own_layout.regions  = own_regions;
    own_layout.physical = own_physical;
    for (unsigned i = 0; i < PURPOSE_COUNT; i++)
        if (document.purpose[i] != NULL)
            own_layout.purpose[i] = &own_regions[document.purpose[i] - regions];
}

/* The row of a purpose, to change; NULL where the document has none. */
static inline struct layout_region *own_row(enum purpose purpose)
{
    const struct layout_region *row = own_layout.purpose[purpose];

    return row != NULL ? &own_regions[row - own_regions] : NULL;
}

/* Another row of physical memory. They are looked at by their use, in any order. */
static inline struct layout_physical *own_physical_row(enum physical_use use, uintptr_t first, uintptr_t end)
{
    struct layout_physical *row = &own_physical[own_layout.physical_count++];

    *row = (struct layout_physical){ .name = "own row", .first = first, .end = end, .use = use, .claims = "",
                                     .note = "" };
    return row;
}

/* The row of a purpose ends after so many pages; behind it there is nothing. */
static inline void own_row_cut(enum purpose purpose, size_t pages)
{
    struct layout_region *row  = own_row(purpose);
    struct layout_region  rest = { .name = "cut off", .span = { row->span.first + pages, row->span.end },
                                   .backing = BACKING_NONE, .claims = "", .note = "" };

    memmove(row + 2, row + 1, (size_t)(&own_regions[own_layout.region_count] - (row + 1)) * sizeof *row);
    row[1] = rest;
    row->span.end  = rest.span.first;
    own_layout.region_count++;
    own_layout.common_count++;
    for (unsigned i = 0; i < PURPOSE_COUNT; i++)
        if (own_layout.purpose[i] > row)
            own_layout.purpose[i]++;
}

/*
 * The beginning of the last row, in which nothing is mapped, shows the directory entries of `of` once more. False where
 * the document has no such room.
 */
static inline bool own_alias(page_t of, size_t pages)
{
    struct layout_region *row = &own_regions[own_layout.common_count - 1];

    if (own_layout.region_count > own_layout.common_count || row->backing != BACKING_NONE ||
        span_pages(row->span) <= pages || row->span.first % pages != 0 || of % pages != 0)
        return false;
    row[1] = row[0];
    row[1].span.first += pages;
    row[0] = (struct layout_region){ .name = "own alias", .span = { row->span.first, row[1].span.first },
                                     .backing = BACKING_ALIAS, .alias = of, .claims = "", .note = "" };
    own_layout.region_count++;
    own_layout.common_count++;
    return true;
}

/* Kernel space has the addresses of programs to itself, and nothing there. False where it has rows of its own. */
static inline bool own_kernel_space(void)
{
    struct layout_region *row = &own_regions[own_layout.region_count];

    if (own_layout.region_count > own_layout.common_count)
        return false;
    *row = (struct layout_region){ .name = "own", .span = own_layout.user, .backing = BACKING_NONE, .claims = "",
                                   .note = "" };
    own_layout.region_count++;
    return true;
}

/*
 * The tests of a program once more, under another document. Each returns 0 where the compiled one cannot be made that:
 * most want tables in direct sight, as others have the tables for it, or not, when they are compiled.
 */

/* Each process has stacks of its own. */
static inline int with_stacks_of_each_process(int (*tests)(void))
{
    read_document();
    if (document.access != ACCESS_DIRECT)
        return 0;
    own_row(PURPOSE_STACKS)->scope = SCOPE_PROCESS;
    return tests();
}

/* The image's first table shows a second time. */
static inline int with_image_shown_twice(int (*tests)(void))
{
    read_document();
    if (document.access != ACCESS_DIRECT || !own_alias(page_of(layout.kernel_offset), MMU_ENTRIES))
        return 0;
    return tests();
}

/* Kernel space has the addresses of programs to itself. */
static inline int with_kernel_space_of_its_own(int (*tests)(void))
{
    read_document();
    if (document.access != ACCESS_DIRECT || !own_kernel_space())
        return 0;
    return tests();
}

/* The kernel sees but the first megabytes all the time. */
static inline int with_little_in_sight(int (*tests)(void))
{
    read_document();
    if (own_row(PURPOSE_DIRECT) == NULL)
        return 0;
    own_row_cut(PURPOSE_DIRECT, 4 * MiB / PAGE_SIZE);
    return tests();
}

#endif
