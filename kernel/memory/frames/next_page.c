/*
 * next_page.c - get_next_page and free_page, on top of frames.
 */
#include "memory/frames/next_page.h"

#include "base/check.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"

static int next_page_take(unsigned flags, paddr_t *out)
{
    frame_t frame;
    int     err = frame_get(OWNER_PAGES, FRAME_ZERO | flags, &frame);

    if (err == 0)
        *out = frame_address(frame);
    return err;
}

int try_next_page(paddr_t *out) { return next_page_take(0, out); }

/* With the reserve: this fails only when there is really no page. */
paddr_t get_next_page(void)
{
    paddr_t page = 0;

    if (next_page_take(FRAME_SPARE, &page) != 0 && layout.policy.exhaustion == EXHAUSTION_PANIC)
        stop(__FILE__, __LINE__, "out of memory: get_next_page found no available page");
    return page;
}

bool free_page(paddr_t address)
{
    uint64_t number = address >> PAGE_SHIFT;

    if (address % PAGE_SIZE != 0)
        return false;
    /* No frame has the largest number: an address beyond all frames is reported as no RAM. */
    frame_put_of((frame_t){ number < UINT32_MAX ? (uint32_t)number : UINT32_MAX }, OWNER_PAGES);
    return true;
}
