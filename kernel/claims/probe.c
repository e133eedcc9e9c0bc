/*
 * probe.c - walking, reading and taking, for the probes.
 */
#include "claims/probe.h"

#include "arch/contract.h"
#include "base/check.h"
#include "console/show.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/map.h"
#include "memory/start.h"
#include "claims/told.h"

bool claim_has_frames(struct claim_result *result, size_t needed)
{
    if (frames_free() >= needed)
        return true;
    claim_unseen(result, "too little memory: %u frames are free, and %u are needed", frames_free(), (unsigned)needed);
    return false;
}

entry_t leaf_of(page_t page)
{
    unsigned level;
    entry_t  e = look_up(&kernel_space, page, &level);

    return entry_kind(e, level) == ENTRY_PRESENT ? e : entry_empty();
}

bool physical_of(vaddr_t address, paddr_t *out)
{
    page_t   page = page_of(address);
    unsigned level;
    entry_t  e = look_up(&kernel_space, page, &level);

    if (entry_kind(e, level) != ENTRY_PRESENT)
        return false;
    *out = frame_address(entry_frame(e)) + ((paddr_t)(page % mmu_reach(level)) << PAGE_SHIFT) +
           address % PAGE_SIZE;
    return true;
}

page_t first_page_elsewhere(struct span span, frame_t first_frame)
{
    for (page_t page = span.first; page < span.end; page++) {
        paddr_t physical;

        if (!physical_of(page_address(page), &physical) ||
            physical != frame_address(first_frame) + page_address(page - span.first))
            return page;
    }
    return span.end;
}

page_t first_readable(struct span span)
{
    uint32_t word;

    for (page_t page = span.first; page < span.end; page++)
        if (probe_read(page_address(page), &word))
            return page;
    return span.end;
}

page_t first_writable(struct span span)
{
    uint32_t word;

    for (page_t page = span.first; page < span.end; page++)
        if (probe_read(page_address(page), &word) && probe_write(page_address(page), word))
            return page;
    return span.end;
}

/* The frames taken are chained by their links, so that no memory is needed to remember them. */
uint32_t take_all_frames(bool (*forbidden)(frame_t), frame_t *bad)
{
    frame_t  frame, last = NO_FRAME;
    uint32_t count = 0;

    *bad = NO_FRAME;
    while (frame_get(OWNER_TEST, FRAME_SPARE, &frame) == 0) {
        if (forbidden(frame) && !frame_exists(*bad))
            *bad = frame;
        frame_set_link(frame, last.no);
        last = frame;
        count++;
    }
    while (frame_exists(last)) {
        frame_t before = { frame_link(last) };

        frame_put(last);
        last = before;
    }
    return count;
}

bool is_device_or_hole(frame_t frame)
{
    enum told told = told_of(frame);

    return told != TOLD_USABLE && told != TOLD_MODULE;
}

bool next_present(page_t *page, entry_t *out)
{
    while (*page < layout.space_end) {
        unsigned level;
        entry_t  e = look_up(&kernel_space, *page, &level);

        if (entry_kind(e, level) == ENTRY_PRESENT) {
            *out = e;
            return true;
        }
        *page = (*page / mmu_reach(level) + 1) * mmu_reach(level);
    }
    return false;
}

bool was_never_pooled(frame_t frame)
{
    switch (frame_owner(frame)) {
    case OWNER_ABSENT: case OWNER_HELD: case OWNER_IMAGE: case OWNER_BOOT: case OWNER_BITMAP: case OWNER_RECORDS:
    case OWNER_TABLES:
        return true;
    default:
        return false;
    }
}

bool program_start(struct space *space)
{
    if (space_create(space) != 0)
        return false;
    space->limits.whole = space->limits.data = space->limits.stack = SIZE_MAX;
    return true;
}

void program_end(struct space *space)
{
    map_clear(space);
    space_destroy(space);
}

frame_t program_frame(const struct space *space, vaddr_t address)
{
    unsigned level;
    entry_t  e = look_up(space, page_of(address), &level);

    return level == 1 && entry_present(e) ? entry_frame(e) : NO_FRAME;
}

frame_t program_write(struct space *space, vaddr_t address)
{
    struct fault_verdict verdict;

    return space_fault(space, address, MAY_WRITE, &verdict) == 0 ? program_frame(space, address) : NO_FRAME;
}

uint32_t ones_in(const uint8_t *bitmap, size_t bytes)
{
    uint32_t ones = 0;

    for (size_t i = 0; i < bytes; i++)
        for (uint8_t byte = bitmap[i]; byte != 0; byte &= (uint8_t)(byte - 1))
            ones++;
    return ones;
}

bool bit_in(const uint8_t *bitmap, frame_t frame) { return bitmap[frame.no / 8] >> frame.no % 8 & 1; }
