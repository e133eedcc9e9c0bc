/*
 * window.c - regions carved out of kernel space's windows while running.
 *
 * Everything that can fail comes first; a call that fails has changed nothing.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"

enum { ANYWHERE = MMU_SPACE_END };

static size_t device_pages;             /* [map lock] of all windows onto devices */

bool kernel_heap_is_over(void)
{
    size_t most = layout.purpose[PURPOSE_HEAP]->maximum;

    return most > 0 && frames_owned(OWNER_HEAP) > most;
}

/* At the page that is wanted, if the window has it and it is free; else the lowest room. */
static bool find_room(const struct layout_region *window, size_t pages, page_t wanted, page_t *first)
{
    deep_assert(lock_held(&kernel_map_lock) && pages > 0);
    return (wanted < ANYWHERE && span_covers(window->span, span_of(wanted, pages)) &&
            region_gap(&kernel_space.map, pages, 1, span_of(wanted, pages), false, first)) ||
           region_gap(&kernel_space.map, pages, 1, window->span, false, first);
}

/*
 * Whether `pages` more would exceed the document's `at most`. Pages of the heap are counted when they have frames.
 */
static bool is_over(const struct layout_region *window, size_t pages)
{
    return window->purpose == PURPOSE_DEVICES && window->maximum > 0 && device_pages + pages > window->maximum;
}

/* Find room for the region in its window and enter it. The map lock is held. */
static int window_carve(struct region *region, const struct layout_region *window, size_t pages, page_t wanted)
{
    page_t first;

    deep_assert(region->height == 0);
    if (window == NULL || is_over(window, pages) || !find_room(window, pages, wanted, &first))
        return -ENOMEM;
    if (window->purpose == PURPOSE_DEVICES)
        device_pages += pages;
    region->span   = span_of(first, pages);
    region->home   = window;
    region->rights = window->rights;
    return region_insert(&kernel_space.map, region);
}

static int window_enter(struct region *region, enum purpose window, size_t pages, page_t wanted)
{
    lock_state state = lock_take(&kernel_map_lock);
    int        err   = window_carve(region, layout.purpose[window], pages, wanted);

    lock_drop(&kernel_map_lock, state);
    return err;
}

static void window_leave(struct region *region)
{
    lock_state state = lock_take(&kernel_map_lock);

    assert(region->home->purpose != PURPOSE_DEVICES || device_pages >= span_pages(region->span));
    if (region->home->purpose == PURPOSE_DEVICES)
        device_pages -= span_pages(region->span);
    region_remove(&kernel_space.map, region);
    lock_drop(&kernel_map_lock, state);
}

static struct span mapped_part(const struct region *region)
{
    return (struct span){ region->span.first + region->guard, region->span.end };
}

/* What one cursor deals with of a span. */
static struct span span_batch(struct span span)
{
    return (struct span){ span.first, span_pages(span) < CURSOR_BATCH ? span.end : span.first + CURSOR_BATCH };
}

/* Unmap pages, in batches: interrupts are let in between, where they were on. No other code uses the pages any more. */
static void window_empty(const struct region *region, struct span span)
{
    while (!span_empty(span)) {                 /* bound: CURSOR_BATCH under one lock */
        struct span   part = span_batch(span);
        struct cursor c;
        int           err = cursor_open(&c, &kernel_space, part, 0);

        assert(err == 0);
        for (page_t page = cursor_next(&c, part.first); page < part.end; page = cursor_next(&c, page + 1)) {
            if (region->backing == BACKING_DEVICE)
                cursor_remove(&c, page);        /* device memory has no reference to drop */
            else
                cursor_discard(&c, page);
        }
        cursor_close(&c);
        span.first = part.end;
    }
}

/* A batch of frames; on failure some are there. */
static int window_fill_part(const struct region *region, struct span span, enum owner owner)
{
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, span, CURSOR_BUILD);

    deep_assert(owner != OWNER_FREE && !span_empty(span));
    if (err != 0)
        return err;
    /* bound: CURSOR_BATCH */
    for (page_t page = span.first; page < span.end && err == 0; page++) {
        frame_t frame;

        err = frame_get(owner, 0, &frame);
        if (err == 0)
            cursor_map(&c, page, frame, region->rights, CACHE_BACK);
    }
    cursor_close(&c);
    return err;
}

/* Frames for every page, or for none. No other code uses the pages yet. */
static int window_fill(const struct region *region, enum owner owner)
{
    struct span span = mapped_part(region);
    int         err  = 0;

    for (struct span rest = span; !span_empty(rest) && err == 0; rest.first = span_batch(rest).end)
        err = window_fill_part(region, span_batch(rest), owner);
    if (err == 0 && owner == OWNER_HEAP && kernel_heap_is_over())
        err = -ENOMEM;
    if (err != 0)
        window_empty(region, span);
    return err;
}

int kernel_map(struct region *region, enum purpose window, const char *name, size_t pages, size_t guard,
               enum owner owner)
{
    int err;

    assert(pages > 0);
    assert(name != NULL && owner != OWNER_FREE);
    *region = (struct region){ .name = name, .backing = BACKING_DEMAND, .guard = guard };
    if (pages > MMU_SPACE_END || guard > MMU_SPACE_END)
        return -ENOMEM;
    err = window_enter(region, window, pages + guard, ANYWHERE);
    if (err != 0)
        return err;
    err = window_fill(region, owner);
    if (err != 0)
        window_leave(region);
    return err;
}

/* No page of RAM may be seen through a device window as well. */
static bool holds_ram(struct span frames)
{
    for (page_t n = frames.first; n < frames.end; n++)
        if (frame_is_ram((frame_t){ (uint32_t)n }))
            return true;
    return false;
}

int kernel_map_device(struct region *region, const char *name, paddr_t start, size_t bytes, enum cache cache)
{
    struct span   frames;
    struct cursor c;
    int           err;

    assert(name != NULL);
    *region = (struct region){ .name = name, .backing = BACKING_DEVICE, .cache = cache };
    if (start >> PAGE_SHIFT >= MMU_FRAMES_END || !checked_span((vaddr_t)start, bytes, MMU_FRAMES_END, &frames) ||
        holds_ram(frames))
        return -EINVAL;
    /* At the image's own distance, where the window reaches that far: an identity space shows devices too (K13). */
    err = window_enter(region, PURPOSE_DEVICES, span_pages(frames), frames.first + page_of(layout.kernel_offset));
    if (err != 0)
        return err;
    err = cursor_open(&c, &kernel_space, region->span, CURSOR_BUILD);
    if (err != 0) {
        window_leave(region);
        return err;
    }
    region->offset = frames.first;
    /* bound: pages of a device's registers */
    for (size_t i = 0; i < span_pages(frames); i++)
        cursor_map(&c, region->span.first + i, (frame_t){ (uint32_t)(frames.first + i) }, region->rights, cache);
    cursor_close(&c);
    return 0;
}

void kernel_unmap(struct region *region)
{
    deep_assert(region->home != NULL && region_find(&kernel_space.map, mapped_part(region).first) == region);
    window_empty(region, mapped_part(region));
    window_leave(region);
}
