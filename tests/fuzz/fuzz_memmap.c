/*
 * fuzz_memmap.c - any bytes as a memory map: sane, and never more RAM than was offered.
 *
 * 17 bytes a step: the operation, base, length. Small numbers are made likely by a shift. After each step the
 * invariants hold; at the end no frame is free RAM that a first-principles model keeps off.
 */
#include <stdlib.h>
#include <string.h>

#include "memory/frames/memmap.h"

enum { STEP = 17, STEPS = 400 };

struct said {
    __uint128_t from, to;
    bool        usable;
};

static bool may_be_free(const struct said *said, uint32_t count, uint32_t frame)
{
    __uint128_t first = (__uint128_t)frame << 12, end = first + 4096;
    bool ram = false;

    for (uint32_t i = 0; i < count; i++) {
        if (said[i].from == said[i].to)
            continue;
        if (said[i].usable)
            ram |= said[i].from <= first && end <= said[i].to;
        else if (said[i].from < end && first < said[i].to)
            return false;
    }
    return ram;
}

static void check(bool sound)
{
    if (!sound)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct said said[STEPS];
    struct memmap map;
    uint32_t count = 0;
    paddr_t start;

    memmap_start(&map, 1u << 20);
    for (; size >= STEP && count < STEPS; data += STEP, size -= STEP) {
        uint8_t what = data[0];
        uint64_t base, length, end;

        memcpy(&base, data + 1, 8);
        memcpy(&length, data + 9, 8);
        if (what & 4)
            base &= 0xFFFFFF, length &= 0xFFFFF;
        if (what & 8)
            base &= ~4095ull, length &= ~4095ull;
        switch (what & 3) {
        case 0:
        case 1:
            memmap_add(&map, base, length, what & 1);
            said[count++] = (struct said){ base, (__uint128_t)base + length, what & 1 };
            break;
        case 2:
            if (__builtin_add_overflow(base, length, &end))
                end = UINT64_MAX;
            memmap_own(&map, base, end, OWNER_IMAGE);
            break;
        case 3:
            if (memmap_take(&map, length | 1, 4096ull << (base & 7), 0, UINT64_MAX, OWNER_BOOT,
                            &start) == 0) {
                const struct memmap_range *range = memmap_find(&map, frame_of(start));

                check(range != NULL && range->ram && range->owner == OWNER_BOOT);
            }
            break;
        }
        check(memmap_ok(&map));
    }
    for (uint32_t i = 0; i < map.count; i++) {
        const struct memmap_range *range = &map.ranges[i];

        if (range->ram && range->owner == OWNER_FREE)
            check(may_be_free(said, count, range->first.no) && may_be_free(said, count, range->end.no - 1) &&
                  may_be_free(said, count, range->first.no + (range->end.no - range->first.no) / 2));
    }
    return 0;
}
