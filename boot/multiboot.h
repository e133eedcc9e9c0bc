/*
 * multiboot.h - making sense of what a Multiboot 1 loader left behind.
 *
 * The parser reads physical memory through struct physical and nothing else, so that it
 * runs in boot (all of memory, from byte 0) and in host tests and fuzzing (a buffer).
 * It believes nothing: whatever lies in memory, it ends, writes only *info, and
 * reads only inside `physical`.
 *
 * Source   Multiboot Specification 0.6.96, "Boot information format".
 */
#ifndef QUIRE_BOOT_MULTIBOOT_H
#define QUIRE_BOOT_MULTIBOOT_H

#include "boot/info.h"

#define MULTIBOOT_MAGIC 0x2BADB002u

/* Physical bytes [0, size), readable at `bytes`. */
struct physical {
    const uint8_t *bytes;
    uint64_t       size;
};

/*
 * Fill *info, which must be zeroed, from the loader's information at `address`.
 * info->problem says what made the machine unusable, and is NULL otherwise. Modules and
 * ranges beyond what *info can hold are left out, usable ranges counted.
 */
void multiboot_read(struct boot_info *info, const struct physical *memory, uint32_t magic, uint32_t address);

/* True when usable ranges, and no others, hold every byte of [start, end). */
bool boot_ranges_hold(const struct boot_info *info, uint64_t start, uint64_t end);

#endif
