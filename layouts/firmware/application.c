/*
 * application.c - the memory of a program that is linked into the kernel's image. See application.h.
 */
#include "layouts/firmware/application.h"

#include "base/error.h"
#include "base/range.h"
#include "memory/spaces/map.h"
#include "layouts/firmware/shared.h"
#include "memory/spaces/space.h"
#include "memory/spaces/user.h"

static size_t at_most(size_t wanted, size_t most) { return wanted == 0 || wanted > most ? most : wanted; }

struct application application_place(size_t heap_pages, size_t stack_pages)
{
    const struct layout_application *may = &layout.application;
    struct application a;
    size_t bytes = shared_bytes(), stack = at_most(stack_pages, may->stack_most);

    a.heap  = span_of(layout.user.first, at_most(heap_pages, may->heap_most));
    a.guard = span_of(a.heap.end, may->guard);
    a.stack = span_of(a.guard.end, stack);
    /* The part of shared that does not fit into the highest page of the stack. */
    a.end    = a.stack.end + bytes / PAGE_SIZE;
    a.shared = page_address(a.end) - bytes;
    return a;
}

static int map_part(struct space *space, struct span span, uint32_t flags, const char *name)
{
    struct map_request request = {
        .address = page_address(span.first), .bytes = span_pages(span) * PAGE_SIZE, .rights = MAY_READ | MAY_WRITE,
        .may = MAY_READ | MAY_WRITE, .flags = MAP_IS_FIXED | flags, .name = name,
    };
    vaddr_t out;

    return span_empty(span) ? 0 : map_create(space, &request, &out);
}

static void set_limits(struct space *space, const struct application *a)
{
    vaddr_t heap = page_address(a->heap.first);

    space->limits = (struct map_limits){
        .break_start = heap, .break_end = heap, .break_most = page_address(a->heap.end),
        .map_end = page_address(layout.user.end), .stack = span_pages(a->stack) * PAGE_SIZE, .data = SIZE_MAX,
        .whole = SIZE_MAX, .stack_gap = span_pages(a->guard) * PAGE_SIZE, .stack_by_write = true,
    };
}

/*
 * The stack's highest page holds the beginning of the copy, so it is mapped from the start; other pages are allocated.
 */
static int touch_stack(struct space *space, size_t pages, const struct application *a)
{
    static const uint8_t nothing;
    int err = 0;

    for (size_t n = 1; n <= pages && err == 0; n++)
        err = user_write_in(space, page_address(a->stack.end - n), &nothing, sizeof nothing);
    return err;
}

int application_map(struct space *space, const struct application *a)
{
    const struct layout_application *may = &layout.application;
    size_t      first = may->stack_first < span_pages(a->stack) ? may->stack_first : span_pages(a->stack);
    vaddr_t     heap  = page_address(a->heap.first + (may->heap_first < span_pages(a->heap) ? may->heap_first : 0));
    struct span stack = { a->stack.end - first, a->stack.end };
    int         err;

    set_limits(space, a);
    err = map_part(space, stack, MAP_GROWS_DOWN, "[stack]");
    if (err == 0)
        err = map_part(space, (struct span){ a->stack.end, a->end }, 0, "[shared]");
    if (err == 0)
        err = touch_stack(space, first, a);
    if (err == 0)
        err = shared_copy(space, a->shared);
    if (err == 0 && map_break(space, heap) != heap)
        err = -ENOMEM;
    return err == -EFAULT ? -ENOMEM : err;
}
