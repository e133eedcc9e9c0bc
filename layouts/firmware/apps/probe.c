/*
 * probe.c - an application that tries one access, or to grow, for the kernel's probes. See apps.h.
 */
#include "layouts/firmware/apps/apps.h"

/* Write to the stack `pages` pages down, a page at a time, as a deep recursion would. */
static void touch_stack(uint32_t pages)
{
    volatile char *here = __builtin_frame_address(0);

    for (uint32_t n = 1; n <= pages; n++)
        *(here - n * PAGE_SIZE) = 1;
}

/* Move the break up by `pages` pages, and use them; a refused move must leave the break unchanged. */
static int grow_heap(uint32_t pages)
{
    char *before = app_break(NULL), *after = app_break(before + pages * PAGE_SIZE);

    if (after == before)
        return PROBE_REFUSED;
    before[0] = after[-1] = 1;
    return PROBE_DONE;
}

int app_probe(struct app_arguments arguments)
{
    volatile uint8_t *at = (volatile uint8_t *)(uintptr_t)arguments.b;

    switch (arguments.a) {
    case PROBE_READ:    (void)*at;                                        break;
    case PROBE_WRITE:   *at = *at;                                        break;
    case PROBE_EXECUTE: ((void (*)(void))(uintptr_t)arguments.b)();       break;
    case PROBE_STACK:   touch_stack(arguments.b);                         break;
    case PROBE_HEAP:    return grow_heap(arguments.b);
    default:            return PROBE_REFUSED;
    }
    return PROBE_DONE;
}
