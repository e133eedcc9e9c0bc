/*
 * heap_pages.c - frames under pages of the heap's window.
 *
 * Everything that can fail comes first: the frames, then the tables.
 */
#include "base/check.h"
#include "base/error.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap_slab.h"
#include "memory/spaces/space.h"

int heap_pages_map(page_t first, unsigned pages)
{
    const struct layout_region *window = layout.purpose[PURPOSE_HEAP];
    frame_t       frames[SLAB_PAGES];
    struct cursor c;
    unsigned      got = 0;
    int           err = 0;

    assert(pages <= SLAB_PAGES);
    assert(pages > 0 && window != NULL);
    /* bound: SLAB_PAGES */
    while (got < pages && err == 0) {
        err = frame_get(OWNER_HEAP, 0, &frames[got]);
        got += err == 0;
    }
    if (err == 0 && kernel_heap_is_over())
        err = -ENOMEM;
    if (err == 0)
        err = cursor_open(&c, &kernel_space, span_of(first, pages), CURSOR_BUILD);
    if (err != 0) {
        while (got > 0)
            frame_put(frames[--got]);
        return err;
    }
    for (unsigned i = 0; i < pages; i++)
        cursor_map(&c, first + i, frames[i], window->rights, CACHE_BACK);
    cursor_close(&c);
    return 0;
}

void heap_pages_unmap(page_t first, unsigned pages)
{
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, span_of(first, pages), 0);

    assert(pages > 0 && pages <= SLAB_PAGES);
    assert(err == 0);                   /* nothing is built */
    /* bound: SLAB_PAGES */
    for (unsigned i = 0; i < pages; i++)
        cursor_discard(&c, first + i);
    cursor_close(&c);
}
