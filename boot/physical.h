/*
 * physical.h - reading a boot loader's information in physical memory, whatever lies there.
 *
 * The parsers of the boot protocols (multiboot.c, pvh.c, bios.c) see memory through struct physical and nothing else,
 * so that they run in boot (all of memory, from byte 0) and in host tests and fuzzing (a buffer). Nothing needs to be
 * aligned; a read outside gives 0.
 */
#ifndef QUIRE_BOOT_PHYSICAL_H
#define QUIRE_BOOT_PHYSICAL_H

#include "boot/info.h"

/* Physical bytes [0, size), readable at `bytes`. */
struct physical {
    const uint8_t *bytes;
    uint64_t       size;
};

bool     physical_readable(const struct physical *memory, uint64_t address, uint64_t bytes);
uint32_t physical_read32(const struct physical *memory, uint64_t address);
uint64_t physical_read64(const struct physical *memory, uint64_t address);

/* Copy text with its terminator into `size` bytes; true when it had to be cut, or has no terminator in memory. */
bool physical_text(const struct physical *memory, uint64_t address, char *to, uint32_t size);

/*
 * Enter a range. When the table is full, a reserved range takes the place of a usable one, and a usable range is left
 * out: that only costs memory. A table full of reserved ranges sets info->problem.
 */
void boot_add_range(struct boot_info *info, uint64_t base, uint64_t length, uint32_t type);

/* True when usable ranges, and no others, hold every byte of [start, end). */
bool boot_ranges_hold(const struct boot_info *info, uint64_t start, uint64_t end);

#endif
