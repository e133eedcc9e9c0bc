/*
 * layout_region.c - which region of the layout a page is in.
 *
 * The regions cover the address space in order, each starting where the one before ends
 * (the layout compiler refuses anything else), so the search always finds one. A section
 * of the image may be empty; its region then holds no page and is never found.
 */
#include "memory/layout.h"

#include "base/check.h"

/* Among regions [low, high), which meet: the last that starts at or below the page. */
static const struct layout_region *layout_region_search(uint32_t low, uint32_t high, page_t page)
{
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

const struct layout_region *layout_region_of(page_t page) { return layout_region_search(0, layout.common_count, page); }

const struct layout_region *layout_kernel_region_of(page_t page)
{
    if (layout_kernel_has_own() && page_is_users(page))
        return layout_region_search(layout.common_count, layout.region_count, page);
    return layout_region_of(page);
}
