/*
 * layout_region.c - which region of the layout a page is in.
 *
 * The regions cover the address space in order, each starting where the one before ends
 * (the layout compiler refuses anything else), so the search always ends in one. A section
 * of the image may be empty; its region then holds no page and is never the answer.
 */
#include "memory/layout.h"

#include "base/check.h"

const struct layout_region *layout_region_of(page_t page)
{
    uint32_t low = 0, high = layout.region_count;

    assert(page < layout.space_end);
    while (high - low > 1) {                /* regions[low] starts at or below page, [high] above */
        uint32_t middle = low + (high - low) / 2;

        if (layout.regions[middle].span.first <= page)
            low = middle;
        else
            high = middle;
    }
    return &layout.regions[low];
}
