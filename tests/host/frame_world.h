/*
 * frame_world.h - for tests of frames with owners: policies, a PC's memory map, and short ways to ask.
 *
 * Included once by each test program. Each such program is compiled a second time as frames ship: frame_release.h.
 */
#ifndef QUIRE_TESTS_FRAME_WORLD_H
#define QUIRE_TESTS_FRAME_WORLD_H

#include "no_document.h"
#include "support.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/frames/frame_magazine.h"

static const struct layout_policy bare __attribute__((unused)) = { .polarity = ONE_IS_FREE, .search = SEARCH_FIRST };
static const struct layout_policy next __attribute__((unused)) = { .search = SEARCH_NEXT, .zeroing = ZERO_ALL };
static const struct layout_policy with_magazine __attribute__((unused)) = { .search = SEARCH_FULLEST, .magazine = 64 };

static inline frame_t get(enum owner owner, unsigned flags)
{
    frame_t frame = NO_FRAME;

    assert_int_equal(frame_get(owner, flags, &frame), 0);
    return frame;
}

static inline uint32_t owned(enum owner owner)
{
    struct frame_sums sums;

    frames_sums(&sums);
    assert_int_equal(sums.owned[owner], frames_owned(owner));
    return sums.owned[owner];
}

static inline uint32_t misuses(void)
{
    struct frame_sums sums;

    frames_sums(&sums);
    return sums.misuses;
}

static inline uint32_t take_all(enum owner owner, unsigned flags)
{
    uint32_t count = 0;
    frame_t frame;

    while (frame_get(owner, flags, &frame) == 0)
        count++;
    return count;
}

/* A PC: 640 KiB, a hole, 15 MiB with an image at its start; what lies above is not listed. */
static inline void open_pc(const struct layout_policy *policy, uint32_t low_end)
{
    struct memmap map;

    memmap_start(&map, 1u << 20);
    memmap_add(&map, 0, 0xA0000, true);
    memmap_add(&map, 0x100000, 0xF00000, true);
    memmap_own(&map, 0, 0x1000, OWNER_HELD);
    memmap_own(&map, 0x100000, 0x180000, OWNER_IMAGE);
    memmap_own(&map, 0x180000, 0x190000, OWNER_BOOT);
    open_frames(&map, policy, low_end);
}

enum { PC_FREE = 0x9F + 0xF00 - 0x90 };

static inline int finish(void **state)
{
    (void)state;
    close_frames();
    return 0;
}

#endif
