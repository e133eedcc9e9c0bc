/*
 * physical.c - reading physical memory, and the list of ranges. See physical.h.
 */
#include "boot/physical.h"

bool physical_readable(const struct physical *memory, uint64_t address, uint64_t bytes)
{
    return address <= memory->size && bytes <= memory->size - address;
}

uint32_t physical_read32(const struct physical *memory, uint64_t address)
{
    const uint8_t *at;

    if (!physical_readable(memory, address, 4))
        return 0;
    at = memory->bytes + (uintptr_t)address;
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

uint64_t physical_read64(const struct physical *memory, uint64_t address)
{
    return physical_read32(memory, address) | (uint64_t)physical_read32(memory, address + 4) << 32;
}

bool physical_text(const struct physical *memory, uint64_t address, char *to, uint32_t size)
{
    uint32_t n = 0;

    while (physical_readable(memory, address + n, 1)) {
        char c = (char)memory->bytes[(uintptr_t)(address + n)];

        if (c == '\0' || n == size - 1) {
            to[n] = '\0';
            return c != '\0';
        }
        to[n++] = c;
    }
    to[n] = '\0';
    return true;
}

/* ---- The list of ranges ------------------------------------------------------------- */

void boot_add_range(struct boot_info *info, uint64_t base, uint64_t length, uint32_t type)
{
    uint32_t at = info->range_count;

    if (length == 0)
        return;
    if (at == BOOT_RANGES) {
        info->ranges_left_out++;
        if (type == BOOT_USABLE)
            return;
        while (at > 0 && info->ranges[at - 1].type != BOOT_USABLE)
            at--;
        if (at == 0) {
            info->problem = "memory: the memory map has too many reserved ranges to be safe";
            return;
        }
        at--;
    } else {
        info->range_count++;
    }
    info->ranges[at].base = base;
    info->ranges[at].length = length;
    info->ranges[at].type = type;
}

static uint64_t end_of(const struct boot_range *r)
{
    uint64_t end = r->base + r->length;

    return end < r->base ? UINT64_MAX : end;
}

/* Where the usable range that holds `start` ends, the farthest if several do; `start` if none does. */
static uint64_t usable_until(const struct boot_info *info, uint64_t start)
{
    uint64_t reached = start;

    for (uint32_t n = 0; n < info->range_count; n++) {
        const struct boot_range *r = &info->ranges[n];

        if (r->type == BOOT_USABLE && r->base <= start && end_of(r) > reached)
            reached = end_of(r);
    }
    return reached;
}

bool boot_ranges_hold(const struct boot_info *info, uint64_t start, uint64_t end)
{
    for (uint32_t n = 0; n < info->range_count; n++) {
        const struct boot_range *r = &info->ranges[n];

        if (r->type != BOOT_USABLE && r->base < end && end_of(r) > start)
            return false;
    }
    while (start < end) {
        uint64_t reached = usable_until(info, start);

        if (reached == start)
            return false;
        start = reached;
    }
    return true;
}
